//! URLs to fetch: parsing, joining, and display without secrets.

use crate::engine::error::{Error, Result};
use std::fmt;

/// The length limit of a URL, in bytes.
const MAX_LEN: usize = 1 << 14;

/// The replacement for a secret.
pub(super) const HIDDEN: &str = "***";

/// A normalised `http` or `https` URL, without user and fragment. `Display` hides
/// the values of query parameters that look like keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    https: bool,
    /// In lower case; IPv6 addresses are in brackets.
    host: String,
    port: Option<u16>,
    /// Starts with a slash. ASCII only, without spaces and control characters.
    path: String,
    /// The part after the question mark.
    query: Option<String>,
}

impl Url {
    /// Parses a URL, together with the user and password in it.
    ///
    /// # Errors
    ///
    /// It is not an `http` or `https` URL with a host. The error does not quote the
    /// text, which may contain a key.
    pub fn parse(text: &str) -> Result<(Url, Option<(String, String)>)> {
        let text = text.trim();
        if text.len() > MAX_LEN {
            return Err(Error::usage(format!("the URL is longer than {MAX_LEN} bytes")));
        }
        let (https, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => {
                return Err(
                    Error::usage("not an http or https URL").remedy("write https://host/path")
                );
            }
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                (Some((decode(name), decode(password))), place)
            }
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)
            .ok_or_else(|| Error::usage("the URL has no valid host").remedy("https://host/path"))?;
        let mut url = Url { https, host, port, path: "/".into(), query: None };
        url.set_target(rest);
        Ok((url, user))
    }

    /// Sets the path and query.
    fn set_target(&mut self, target: &str) {
        let target = target.split('#').next().unwrap_or("");
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        self.path = format!("{slash}{}", printable(path));
        self.query = query.map(printable);
    }

    /// Resolves a `Location` against this URL, ignoring any user in it.
    ///
    /// # Errors
    ///
    /// Like [`Url::parse`]; also for schemes other than `http` and `https`.
    pub fn join(&self, location: &str) -> Result<Url> {
        let location = location.trim();
        let scheme_end = location.find([':', '/', '?', '#']);
        if scheme_end.is_some_and(|at| location[at..].starts_with(':')) {
            return Url::parse(location).map(|(url, _)| url);
        }
        if location.starts_with("//") {
            let scheme = if self.https { "https:" } else { "http:" };
            return Url::parse(&format!("{scheme}{location}")).map(|(url, _)| url);
        }
        let mut url = self.clone();
        if location.starts_with('/') {
            url.set_target(location);
        } else if location.starts_with('?') {
            url.set_target(&format!("{}{location}", self.path));
        } else if !location.is_empty() && !location.starts_with('#') {
            let folder = self.path.rfind('/').map_or("/", |at| &self.path[..=at]);
            url.set_target(&format!("{folder}{location}"));
        }
        Ok(url)
    }

    /// The same server with another path and query, which must start with a slash.
    pub fn with_target(&self, target: &str) -> Url {
        let mut url = self.clone();
        url.set_target(target);
        url
    }

    /// A path below this URL, treated as a folder. `path` may have a query.
    pub fn below(&self, path: &str) -> Url {
        let folder = self.path.trim_end_matches('/');
        self.with_target(&format!("{folder}/{}", path.trim_start_matches('/')))
    }

    /// Adds a percent-encoded parameter to the query.
    pub fn add(&mut self, name: &str, value: &str) {
        let query = self.query.get_or_insert_default();
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&encode(name));
        query.push('=');
        query.push_str(&encode(value));
    }

    /// Whether it is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The path and query.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The port, or the scheme's default.
    fn effective_port(&self) -> u16 {
        self.port.unwrap_or(if self.https { 443 } else { 80 })
    }

    /// Whether credentials for this server may be sent to `other`: the same host
    /// and port, or the same host if that is encrypted.
    pub fn trusts(&self, other: &Url) -> bool {
        self.host == other.host
            && (self.https == other.https && self.effective_port() == other.effective_port()
                || !self.https
                    && other.https
                    && self.effective_port() == 80
                    && other.effective_port() == 443)
    }

    /// The whole URL including secrets, for the request only.
    pub(super) fn whole(&self) -> String {
        let Url { https, host, port, .. } = self;
        let scheme = if *https { "https" } else { "http" };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{host}{port}{}", self.target())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = Url { query: None, ..self.clone() };
        f.write_str(&bare.whole())?;
        let Some(query) = &self.query else { return Ok(()) };
        for (at, parameter) in query.split('&').enumerate() {
            f.write_str(if at == 0 { "?" } else { "&" })?;
            match parameter.split_once('=') {
                Some((name, _)) if is_secret(name) => write!(f, "{name}={HIDDEN}")?,
                _ => f.write_str(parameter)?,
            }
        }
        Ok(())
    }
}

/// Whether a parameter with this name holds a secret. Hiding too many is fine: the
/// text is for finding an error, which never needs the key.
fn is_secret(name: &str) -> bool {
    let name = decode(name).to_ascii_lowercase();
    ["key", "token", "auth", "secret", "pass", "pwd", "sig", "cred", "session", "code"]
        .iter()
        .any(|part| name.contains(part))
}

/// Splits and checks `host:port`. Names become ASCII (IDNA), IPv6 addresses keep
/// their brackets.
fn host_and_port(place: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (place, ""),
    };
    let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
    if let Some(address) = host.strip_prefix('[') {
        let address: std::net::Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some((format!("[{address}]"), port));
    }
    let host = idna::domain_to_ascii(host).ok()?.to_ascii_lowercase();
    let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (!host.is_empty() && host.len() <= 253 && host.bytes().all(valid)).then_some((host, port))
}

/// Percent-encodes what must not occur in a request line; existing escapes stay.
fn printable(text: &str) -> String {
    let keep = |b: u8| {
        b.is_ascii_graphic()
            && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    };
    percent(text, keep)
}

/// Percent-encodes a value for a query.
pub fn encode(text: &str) -> String {
    percent(text, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
}

/// Percent-encodes every byte that `keep` rejects.
fn percent(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if keep(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Decodes percent-encoding. Invalid escapes stay as they are.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |b: u8| char::from(b).to_digit(16);
        match after {
            [high, low, ..] if byte == b'%' && hex(*high).is_some() && hex(*low).is_some() => {
                let value = hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0);
                out.push(u8::try_from(value).unwrap_or(b'?'));
                rest = &after[2..];
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap().0
    }

    #[test]
    fn parts_and_what_is_shown() {
        let (got, user) =
            Url::parse("HTTPS://me:p%40ss@Host.Example:8443/a b?apikey=s3cret&limit=5#x").unwrap();
        assert_eq!(user, Some(("me".into(), "p@ss".into())));
        assert_eq!(got.whole(), "https://host.example:8443/a%20b?apikey=s3cret&limit=5");
        assert_eq!(got.to_string(), "https://host.example:8443/a%20b?apikey=***&limit=5");
        assert_eq!(url("http://[2001:DB8::1]:80?q").whole(), "http://[2001:db8::1]:80/?q");
        assert_eq!(url("http://bücher.example").whole(), "http://xn--bcher-kva.example/");
        let mut added = url("http://h/x");
        added.add("added_after", "2020-01-01T00:00:00Z");
        added.add("match[type]", "a,b");
        assert_eq!(added.target(), "/x?added_after=2020-01-01T00%3A00%3A00Z&match%5Btype%5D=a%2Cb");
        for text in ["", "ftp://h/", "http://", "http://h:x/", "http://a b/", "//h", "http://@/"] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
        let error = Url::parse("gopher://h/?key=s3cret").unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn relative_locations_are_resolved() {
        let base = url("https://h.example/a/b?c=d");
        for (location, want) in [
            ("http://other.example/x", "http://other.example/x"),
            ("//other.example/x", "https://other.example/x"),
            ("/x?y", "https://h.example/x?y"),
            ("x", "https://h.example/a/x"),
            ("?y", "https://h.example/a/b?y"),
            ("", "https://h.example/a/b?c=d"),
            ("#f", "https://h.example/a/b?c=d"),
        ] {
            assert_eq!(base.join(location).unwrap().whole(), want, "{location}");
        }
        assert!(base.join("file:///etc/passwd").is_err());
        assert!(base.join("data:text/plain,x").is_err());
        assert_eq!(url("http://h/api/").below("/v1?x=1").whole(), "http://h/api/v1?x=1");
    }

    #[test]
    fn who_gets_the_credentials() {
        let plain = url("http://h.example/");
        assert!(plain.trusts(&url("https://h.example/")));
        assert!(plain.trusts(&url("http://h.example:80/x")));
        assert!(!plain.trusts(&url("http://h.example:81/")));
        assert!(!plain.trusts(&url("http://x.h.example/")));
        assert!(!url("https://h.example/").trusts(&plain));
    }
}
