//! URLs in two columns or members of a table or record: the host, and the path on
//! it.
//!
//! The path alone would match on any host, and the host alone anything on it.

use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::refang::refang;
use crate::engine::indicator::{Kind, Scope};
use crate::intel::feed::contexts::is_nothing;
use crate::intel::feed::table::columns::Column;
use crate::intel::feed::table::headings::Heading;

/// The columns that form a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::intel::feed) struct Joint {
    host: usize,
    pub(in crate::intel::feed) path: usize,
    /// Whether the host counts separately, too: an address may belong to the client
    /// that requested the path.
    keeps_host: bool,
}

impl Joint {
    /// Whether a column is part of the URL.
    pub(in crate::intel::feed) fn covers(self, at: usize) -> bool {
        at == self.path || at == self.host && !self.keeps_host
    }

    /// The URL that the cells form, without a scheme; `None` if they form none.
    pub(in crate::intel::feed) fn text<T: AsRef<str>>(
        self,
        port: Option<&str>,
        cell: impl Fn(usize) -> T,
    ) -> Option<String> {
        let (host, path) = (cell(self.host), cell(self.path));
        let host = refang(host.as_ref().trim());
        let path = path.as_ref().trim();
        let is_path = !path.contains("://") && !path.contains(['\\', ' ', '\t', '\n', '"']);
        if is_nothing(&host) || is_nothing(path) || !is_path {
            return None;
        }
        let host = host.trim_end_matches('/');
        let Ok(Guess::One(kind @ (Kind::Domain | Kind::Ip), ..)) = guess(host, Scope::Exact) else {
            return None;
        };
        // The host may be in both.
        if path.get(..host.len()).is_some_and(|head| head.eq_ignore_ascii_case(host)) {
            return Some(path.to_string());
        }
        let is_v6 = kind == Kind::Ip && host.contains(':') && !host.starts_with('[');
        let host = if is_v6 { format!("[{host}]") } else { host.to_string() };
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(format!("{host}{port}{slash}{path}"))
    }
}

/// The columns with these names (squeezed) that form a URL, or none if another
/// column has the whole URL.
pub(in crate::intel::feed) fn find(names: &[String], headings: &[Heading]) -> Option<Joint> {
    let of = |kind: Kind| {
        headings.iter().position(|heading| match heading {
            Heading::Role(Column::Value(Some((of, _)))) => *of == kind,
            _ => false,
        })
    };
    let path = names.iter().position(|name| is_path(name))?;
    let named = of(Kind::Domain);
    let host = named.or_else(|| of(Kind::Ip))?;
    Some(Joint { host, path, keeps_host: named.is_none() })
}

/// Whether a name means the path of a URL.
fn is_path(name: &str) -> bool {
    matches!(name, "path" | "urlpath" | "uripath" | "uri" | "requesturi" | "requestpath")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_port_and_path_are_joined() {
        let joint = Joint { host: 0, path: 1, keeps_host: false };
        for (host, path, port, want) in [
            ("evil.example", "/gate.php", None, Some("evil.example/gate.php")),
            ("evil[.]example", "gate.php?a=1", None, Some("evil.example/gate.php?a=1")),
            ("evil.example", "/x", Some("8080"), Some("evil.example:8080/x")),
            ("evil.example", "evil.example/x", None, Some("evil.example/x")),
            ("203.0.113.5", "/x", None, Some("203.0.113.5/x")),
            ("2001:db8::1", "/x", Some("81"), Some("[2001:db8::1]:81/x")),
            ("evil.example", "http://evil.example/x", None, None),
            ("evil.example", "C:\\x", None, None),
            ("evil.example", "", None, None),
            ("", "/x", None, None),
        ] {
            let got = joint.text(port, |at| [host, path][at]);
            assert_eq!(got.as_deref(), want, "{host} {path}");
        }
    }
}
