//! Addresses of pages: what a list shows is all in its address.

use crate::exchange::http::{Query, encode};
use crate::exchange::pulses::Type;

/// A path with parameters, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    path: String,
    parameters: Vec<(String, String)>,
}

impl Link {
    /// A path alone.
    pub(super) fn to(path: impl Into<String>) -> Link {
        Link { path: path.into(), parameters: Vec::new() }
    }

    /// A path with some of the parameters of a query, those that are not empty.
    pub(super) fn of(path: impl Into<String>, query: &Query, names: &[&str]) -> Link {
        let kept = query.pairs().filter(|(name, value)| names.contains(name) && !value.is_empty());
        let parameters = kept.map(|(name, value)| (name.to_string(), value.to_string()));
        Link { path: path.into(), parameters: parameters.take(32).collect() }
    }

    /// With a parameter in place of what it was; empty for none.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Link {
        self.parameters.retain(|(of, _)| of != name);
        if !value.is_empty() {
            self.parameters.push((name.to_string(), value.to_string()));
        }
        self
    }

    /// With one more value of a parameter, or without the one that it has.
    #[must_use]
    pub(super) fn toggle(mut self, name: &str, value: &str) -> Link {
        let before = self.parameters.len();
        self.parameters.retain(|(of, is)| of != name || is != value);
        if self.parameters.len() == before {
            self.parameters.push((name.to_string(), value.to_string()));
        }
        self
    }

    /// Whether it has a value of a parameter.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.parameters.iter().any(|(of, is)| of == name && is == value)
    }

    /// Its parameters.
    pub(super) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// As text.
    pub(super) fn text(&self) -> String {
        let pairs = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }
}

/// The page of a value.
pub(super) fn indicator(kind: Type, norm: &str) -> String {
    format!("/indicator/{}/{}", kind.slug(), encode(norm))
}

/// A path of this server, to which somebody may be sent back; the beginning for anything else.
pub(super) fn own_path(text: &str) -> String {
    let is_own = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= 2048
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if is_own { text.to_string() } else { "/".to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_list_is_its_address() {
        let query = Query::parse("q=a+b&tag=x&tag=y&page=2&junk=1");
        let link = Link::of("/browse", &query, &["q", "tag"]);
        assert_eq!(link.text(), "/browse?q=a%20b&tag=x&tag=y");
        assert_eq!(link.clone().toggle("tag", "x").text(), "/browse?q=a%20b&tag=y");
        assert_eq!(
            link.clone().toggle("tag", "ü").text(),
            "/browse?q=a%20b&tag=x&tag=y&tag=%C3%BC"
        );
        assert_eq!(link.with("q", "").with("tag", "z").text(), "/browse?tag=z");
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for good in ["/", "/pulse/1?x=%2F"] {
            assert_eq!(own_path(good), good);
        }
        for bad in ["", "x", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb"] {
            assert_eq!(own_path(bad), "/", "{bad:?}");
        }
    }
}
