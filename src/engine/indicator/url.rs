//! URLs and URL paths (matching specification, section 6.3).
//!
//! A URL is compared by its *key*: `host[:port]/path[?query]` in canonical form.
//! The scheme is kept apart, because `http` against `https` is a hit with a flag,
//! and feeds like Zeek's have no schemes at all.

use super::{Quality, Reason, address, domain};
use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};

/// The length limit of a URL, in bytes (matching specification, section 8.8). Of a
/// longer one, only the start is read.
pub const MAX_URL: usize = 65536;

/// The readable part of an observed URL, and whether it was cut.
///
/// # Errors
///
/// [`Reason::BadUrl`] if it is not text.
pub fn readable(raw: &[u8]) -> Result<(&str, bool), Reason> {
    let is_cut = raw.len() > MAX_URL;
    let head = &raw[..raw.len().min(MAX_URL)];
    match std::str::from_utf8(head) {
        Ok(text) => Ok((text, is_cut)),
        // The cut may split a character.
        Err(error) if is_cut && head.len() - error.valid_up_to() < 4 => {
            let valid = std::str::from_utf8(&head[..error.valid_up_to()]);
            valid.map(|text| (text, true)).map_err(|_| Reason::BadUrl)
        }
        Err(_) => Err(Reason::BadUrl),
    }
}

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Scheme {
    /// The source gave none, so any matches.
    #[default]
    Any = 0,
    /// `http`
    Http = 1,
    /// `https`
    Https = 2,
    /// `ftp`
    Ftp = 3,
    /// Another one, which then is part of the key.
    Other = 4,
}

impl Scheme {
    /// The scheme with this number in a database.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Scheme::Any,
            1 => Scheme::Http,
            2 => Scheme::Https,
            3 => Scheme::Ftp,
            4 => Scheme::Other,
            _ => return None,
        })
    }

    /// The text before the key.
    pub const fn prefix(self) -> &'static str {
        match self {
            Scheme::Http => "http://",
            Scheme::Https => "https://",
            Scheme::Ftp => "ftp://",
            Scheme::Any | Scheme::Other => "",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Scheme::Any | Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Ftp => 21,
            Scheme::Other => 0,
        }
    }

    /// Whether an indicator with this scheme matches a URL observed with `seen`,
    /// and with which flag.
    pub fn meets(self, seen: Scheme) -> Option<Quality> {
        use Scheme::{Any, Http, Https};
        match (self, seen) {
            (a, b) if a == b => Some(Quality::default()),
            (Any, _) | (_, Any) => Some(Quality::default()),
            (Http, Https) | (Https, Http) => Some(Quality::SCHEME_DIFFERS),
            _ => None,
        }
    }
}

/// A canonical URL that owns its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Url {
    scheme: Scheme,
    key: String,
    host_end: usize,
    path_start: usize,
    path_end: usize,
    odd_host: bool,
}

impl Url {
    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// `host[:port]/path[?query]`, for a rare scheme with `scheme://` before it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The host: a name, an address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        let start = match self.scheme {
            Scheme::Other => self.key.find("://").map_or(0, |at| at + 3),
            _ => 0,
        };
        self.key.get(start..self.host_end).unwrap_or("")
    }

    /// The port, unless it is the scheme's default.
    pub fn port(&self) -> Option<u16> {
        self.key.get(self.host_end..self.path_start)?.strip_prefix(':')?.parse().ok()
    }

    /// The path with its query.
    pub fn path_and_query(&self) -> &str {
        &self.key[self.path_start..]
    }

    /// The position in the key where the path begins.
    pub fn path_start(&self) -> usize {
        self.path_start
    }

    /// The position in the key where the path ends and the query, if any, begins.
    pub fn path_end(&self) -> usize {
        self.path_end
    }

    /// Whether the host was an address in a form that only browsers accept: an
    /// integer, hex, octal (flagged `derived`).
    pub fn has_odd_host(&self) -> bool {
        self.odd_host
    }

    /// Replaces the contents by an observed URL, as far as it can be read. Returns
    /// whether it was cut.
    ///
    /// # Errors
    ///
    /// Like [`Url::read`], except for the length.
    pub fn read_seen(&mut self, raw: &[u8]) -> Result<bool, Reason> {
        let (text, is_cut) = readable(raw)?;
        match self.read(text) {
            Ok(()) => Ok(is_cut),
            // The canonical form can be longer than the original, at most three
            // times.
            Err(Reason::TooLong) => {
                self.read(&text[..text.floor_char_boundary(MAX_URL / 4)]).map(|()| true)
            }
            Err(reason) => Err(reason),
        }
    }

    /// Replaces the contents by `raw`, reusing the allocation.
    ///
    /// # Errors
    ///
    /// [`Reason::BadUrl`], [`Reason::TooLong`], or why the host is invalid. The
    /// contents are then unspecified, but safe to use.
    pub fn read(&mut self, raw: &str) -> Result<(), Reason> {
        if raw.len() > MAX_URL {
            return Err(Reason::TooLong);
        }
        self.key.clear();
        let raw = match raw.as_bytes() {
            // Most have no blanks around them.
            [b'!'..=b'~', .., b'!'..=b'~'] => raw,
            _ => raw.trim(),
        };
        let rest = self.read_scheme(raw)?;
        let web = self.scheme != Scheme::Other;
        let ends = if web { ENDS | BACKSLASH } else { ENDS };
        let mut seen = 0;
        let mut end = 0;
        for &byte in rest.as_bytes() {
            let class = MARKS[usize::from(byte)];
            if class & ends != 0 {
                break;
            }
            seen |= class;
            end += 1;
        }
        let (authority, tail) = rest.split_at(end);
        self.read_authority(authority, seen & OF_AUTHORITY == 0)?;
        self.path_start = self.key.len();
        self.path_end = push_path_and_query(&mut self.key, without_fragment(tail), web);
        // Escapes make it longer, and a canonical URL must itself be valid.
        if self.key.len() + self.scheme.prefix().len() > MAX_URL {
            return Err(Reason::TooLong);
        }
        Ok(())
    }

    fn read_scheme<'a>(&mut self, raw: &'a str) -> Result<&'a str, Reason> {
        for scheme in [Scheme::Http, Scheme::Https] {
            let prefix = scheme.prefix();
            if let (Some(head), Some(rest)) = (raw.get(..prefix.len()), raw.get(prefix.len()..))
                && head.eq_ignore_ascii_case(prefix)
            {
                self.scheme = scheme;
                return Ok(rest);
            }
        }
        let Some((scheme, rest)) = raw.split_once("://") else {
            self.scheme = Scheme::Any;
            return Ok(raw.strip_prefix("//").unwrap_or(raw));
        };
        if scheme.contains(['/', '?', '#']) {
            // This `://` is part of a path or a query.
            self.scheme = Scheme::Any;
            return Ok(raw);
        }
        let valid = scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !valid {
            return Err(Reason::BadUrl);
        }
        self.scheme = match scheme {
            s if s.eq_ignore_ascii_case("http") => Scheme::Http,
            s if s.eq_ignore_ascii_case("https") => Scheme::Https,
            s if s.eq_ignore_ascii_case("ftp") => Scheme::Ftp,
            other => {
                self.key.extend(other.chars().map(|c| c.to_ascii_lowercase()));
                self.key.push_str("://");
                Scheme::Other
            }
        };
        Ok(rest)
    }

    /// With `is_bare`, the authority is only a host, without a port or user.
    fn read_authority(&mut self, authority: &str, is_bare: bool) -> Result<(), Reason> {
        let (host, port) = if is_bare {
            (authority, None)
        } else {
            split_port(authority.rsplit_once('@').map_or(authority, |(_, host)| host))?
        };
        self.odd_host = false;
        if host.starts_with('[') {
            match address::parse_ip(host).map_err(|_| Reason::BadUrl)? {
                IpAddr::V4(v4) => self.key.push_str(&v4.to_string()),
                IpAddr::V6(v6) => self.key.push_str(&format!("[{v6}]")),
            }
        } else if address::parse_v4(host.as_bytes()).is_some() {
            // A plain host has only one form.
            self.key.push_str(host);
        } else if let Some(v4) = odd_v4(host) {
            self.odd_host = true;
            self.key.push_str(&v4.to_string());
        } else if !is_bare && host.contains('%') {
            let decoded = percent_decode(host);
            let decoded = std::str::from_utf8(&decoded).map_err(|_| Reason::BadUrl)?;
            self.key.push_str(&domain::normalise(decoded).map_err(|_| Reason::BadUrl)?);
        } else if host.is_ascii() {
            let name = host.strip_suffix('.').unwrap_or(host);
            if !domain::is_name(name) {
                return Err(Reason::BadUrl);
            }
            let start = self.key.len();
            self.key.push_str(name);
            self.key[start..].make_ascii_lowercase();
        } else {
            self.key.push_str(&domain::normalise(host).map_err(|_| Reason::BadUrl)?);
        }
        self.host_end = self.key.len();
        if let Some(port) = port
            && port != self.scheme.default_port()
        {
            // Writing to a String can't fail.
            let _ = write!(self.key, ":{port}");
        }
        Ok(())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.scheme.prefix(), self.key)
    }
}

/// Canonicalises a URL.
///
/// # Errors
///
/// Like [`Url::read`].
pub fn parse(raw: &str) -> Result<Url, Reason> {
    let mut url = Url::default();
    url.read(raw)?;
    Ok(url)
}

/// Splits the text of a canonical URL into its scheme and key.
pub fn split_canonical(text: &str) -> (Scheme, &str) {
    for scheme in [Scheme::Http, Scheme::Https, Scheme::Ftp] {
        if let Some(key) = text.strip_prefix(scheme.prefix()) {
            return (scheme, key);
        }
    }
    let head = &text[..text.find(['/', '?']).unwrap_or(text.len())];
    let other = head.ends_with(':') && text[head.len()..].starts_with("//");
    (if other { Scheme::Other } else { Scheme::Any }, text)
}

/// Paths that exist on every other site and prove nothing.
const WEAK_PATHS: &[&str] = &[
    "/index.php",
    "/index.html",
    "/index.htm",
    "/login.php",
    "/login.html",
    "/wp-login.php",
    "/admin.php",
    "/default.aspx",
    "/robots.txt",
    "/favicon.ico",
    "/xmlrpc.php",
    "/sitemap.xml",
    "/wp-admin/",
    "/main.php",
    "/home.php",
    "/test.php",
];

/// Canonicalises a URL path that is an indicator at any host.
///
/// # Errors
///
/// [`Reason::WeakPath`] for paths below five bytes, without a dot or a second
/// segment, or too common to mean anything; [`Reason::BadUrl`] if it does not start
/// with a slash.
pub fn parse_path(raw: &str) -> Result<String, Reason> {
    let raw = raw.trim();
    if !raw.starts_with('/') || raw.starts_with("//") {
        return Err(Reason::BadUrl);
    }
    if raw.len() > MAX_URL {
        return Err(Reason::TooLong);
    }
    let raw = raw.split_once('#').map_or(raw, |(before, _)| before);
    let mut path = String::with_capacity(raw.len());
    let end = push_path_and_query(&mut path, raw, true);
    if path.len() > MAX_URL {
        return Err(Reason::TooLong);
    }
    // `/\x` and `/a/..//x` become this, too.
    if path.starts_with("//") {
        return Err(Reason::BadUrl);
    }
    let bare = &path[..end];
    let trimmed = bare.trim_end_matches('/');
    let second_segment = trimmed.get(1..).is_some_and(|rest| rest.contains('/'));
    let is_specific = bare.contains('.') || second_segment || end < path.len();
    if bare.len() < 5 || !is_specific || WEAK_PATHS.contains(&path.as_str()) {
        return Err(Reason::WeakPath);
    }
    Ok(path)
}

/// Canonicalises the target of a request or the path of an observed URL, to look it
/// up as a path at any host. Returns the position in `key` where the path ends.
pub fn push_observed_path(key: &mut String, raw: &str) -> usize {
    push_path_and_query(key, without_fragment(raw), true)
}

fn without_fragment(tail: &str) -> &str {
    memchr::memchr(b'#', tail.as_bytes()).map_or(tail, |at| &tail[..at])
}

/// Ends an authority in any URL, or only in a web URL.
const ENDS: u8 = 1;
const BACKSLASH: u8 = 2;
/// Occurs in an authority but not in a name.
const OF_AUTHORITY: u8 = 4;
/// Must be escaped in a path.
const ESCAPED: u8 = 8;

static MARKS: [u8; 256] = {
    let mut marks = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        marks[byte] = match byte as u8 {
            b'/' | b'?' | b'#' => ENDS,
            b'\\' => BACKSLASH | ESCAPED,
            b'@' | b':' | b'[' | b']' => OF_AUTHORITY,
            b'%' => OF_AUTHORITY | ESCAPED,
            0..=0x20 | 0x7f.. | b'"' | b'<' | b'>' | b'`' => ESCAPED,
            _ => 0,
        };
        byte += 1;
    }
    marks
};

fn split_port(host_and_port: &str) -> Result<(&str, Option<u16>), Reason> {
    let after_bracket = host_and_port.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = host_and_port[after_bracket..].find(':') else {
        return Ok((host_and_port, None));
    };
    let (host, port) = host_and_port.split_at(after_bracket + colon);
    let port = &port[1..];
    if port.is_empty() {
        return Ok((host, None));
    }
    if port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reason::BadUrl);
    }
    Ok((host, Some(port.parse().map_err(|_| Reason::BadUrl)?)))
}

/// Parses an address as the WHATWG URL standard reads hosts: one to four parts,
/// each decimal, `0x` hex or `0` octal, the last of which fills the remaining
/// bytes.
pub fn odd_v4(host: &str) -> Option<Ipv4Addr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let head = host.as_bytes().first()?;
    if !head.is_ascii_digit() || host.len() > 48 {
        return None;
    }
    let mut address = 0u64;
    let parts: Vec<&str> = host.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    for (at, part) in parts.iter().enumerate() {
        let number = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
            Some("") => 0,
            Some(hex) => u64::from_str_radix(hex, 16).ok()?,
            None if part.len() > 1 && part.starts_with('0') => u64::from_str_radix(part, 8).ok()?,
            None => part.parse().ok()?,
        };
        let last = at + 1 == parts.len();
        let room = if last { 8 * (4 - at as u32) } else { 8 };
        if number >> room != 0 {
            return None;
        }
        address = address << room | number;
    }
    Some(Ipv4Addr::from_bits(address as u32))
}

/// Appends the canonical path and query. Returns the position where the path ends.
fn push_path_and_query(key: &mut String, tail: &str, web: bool) -> usize {
    let (path, query) = match memchr::memchr(b'?', tail.as_bytes()) {
        Some(at) => (&tail[..at], Some(&tail[at + 1..])),
        None => (tail, None),
    };
    let start = key.len();
    push_encoded(key, path, web);
    if key.len() == start {
        key.push('/');
    }
    remove_dot_segments(key, start);
    let end = key.len();
    if let Some(query) = query
        && !query.is_empty()
    {
        key.push('?');
        push_encoded(key, query, false);
    }
    end
}

/// Normalises percent-encoding: unreserved characters are decoded, other escapes
/// are in upper case, and bytes that no URL contains are encoded. Decodes once.
fn push_encoded(key: &mut String, text: &str, backslash_is_slash: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let bytes = text.as_bytes();
    let push_escaped = |key: &mut String, byte: u8| {
        key.push('%');
        key.push(char::from(HEX[usize::from(byte >> 4)]));
        key.push(char::from(HEX[usize::from(byte & 15)]));
    };
    let mut at = 0;
    while at < bytes.len() {
        let plain = bytes[at..].iter().take_while(|&&b| MARKS[usize::from(b)] & ESCAPED == 0);
        let end = at + plain.count();
        key.push_str(text.get(at..end).unwrap_or_default());
        let Some(&byte) = bytes.get(end) else { return };
        at = end + 1;
        match byte {
            b'%' => match escaped(bytes, at - 1) {
                Some(decoded) => {
                    at += 2;
                    if decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded) {
                        key.push(char::from(decoded));
                    } else {
                        push_escaped(key, decoded);
                    }
                }
                None => key.push('%'),
            },
            b'\\' if backslash_is_slash => key.push('/'),
            0..=0x20 | 0x7f.. | b'"' | b'<' | b'>' | b'`' => push_escaped(key, byte),
            _ => key.push(char::from(byte)),
        }
    }
}

/// Decodes the escape `%XX` at `at`.
pub fn escaped(bytes: &[u8], at: usize) -> Option<u8> {
    let high = super::digest::nibble(*bytes.get(at + 1)?)?;
    let low = super::digest::nibble(*bytes.get(at + 2)?)?;
    Some(high << 4 | low)
}

fn percent_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match escaped(bytes, at) {
            Some(byte) if bytes[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

/// Removes dot segments (RFC 3986, section 5.2.4) from the path that begins at
/// `start`. Duplicate slashes are kept.
fn remove_dot_segments(key: &mut String, start: usize) {
    let path = &key.as_bytes()[start..];
    if !memchr::memchr_iter(b'.', path).any(|at| at > 0 && path[at - 1] == b'/') {
        return;
    }
    let path = key[start..].to_string();
    let mut segments: Vec<&str> = Vec::new();
    let mut rest = path.split('/').skip(1).peekable();
    while let Some(segment) = rest.next() {
        let last = rest.peek().is_none();
        match segment {
            "." if last => segments.push(""),
            "." => {}
            ".." => {
                segments.pop();
                if last {
                    segments.push("");
                }
            }
            _ => segments.push(segment),
        }
    }
    key.truncate(start);
    for segment in &segments {
        key.push('/');
        key.push_str(segment);
    }
    if segments.is_empty() {
        key.push('/');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_too_long_is_refused() {
        let long = "%20".repeat(MAX_URL / 3 - 20);
        let spaces = " ".repeat(MAX_URL / 2) + "x";
        assert!(parse(&format!("http://a.example/{long}")).is_ok());
        assert_eq!(parse(&format!("http://a.example/{spaces}")), Err(Reason::TooLong));
        assert_eq!(parse_path(&format!("/a.php{spaces}")), Err(Reason::TooLong));
    }

    #[test]
    fn urls_are_canonical() {
        for (raw, want) in [
            ("HTTP://Evil.Example:80/a/../b/%7euser?x=1#frag", "http://evil.example/b/~user?x=1"),
            ("https://evil.example", "https://evil.example/"),
            ("http://u:p@evil.example/?", "http://evil.example/"),
            ("http://good.example@evil.example\\x\\y", "http://evil.example/x/y"),
            ("evil.example:8080/Gate.php", "evil.example:8080/Gate.php"),
            ("http://evil.example/%2fa%2Fb/./c/..", "http://evil.example/%2Fa%2Fb/"),
            ("http://evil.example//a//b", "http://evil.example//a//b"),
            ("http://0xcb007108/x", "http://203.0.113.8/x"),
            ("http://3405803784/", "http://203.0.113.8/"),
            ("http://[2001:DB8::1]:8443/x", "http://[2001:db8::1]:8443/x"),
            ("http://münchen.example/ü", "http://xn--mnchen-3ya.example/%C3%BC"),
            ("ws://Evil.example/x", "ws://evil.example/x"),
            ("evil.example/r?to=http://good.example/", "evil.example/r?to=http://good.example/"),
            ("http://evil.example?x", "http://evil.example/?x"),
        ] {
            let url = parse(raw).unwrap();
            assert_eq!(url.to_string(), want, "{raw}");
            assert_eq!(parse(want).unwrap().to_string(), want, "idempotent: {raw}");
            let (scheme, key) = split_canonical(want);
            assert_eq!((scheme, key), (url.scheme(), url.key()), "{raw}");
        }
        for bad in [
            "http://",
            "http:///x",
            "http://a b/",
            "http://x:99999/",
            "://x",
            "1://x.example/",
            "http://x:y@z@/",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_are_normalised_and_weak_ones_rejected() {
        assert_eq!(parse_path("/a/%7ex.php").as_deref(), Ok("/a/~x.php"));
        for weak in ["/", "/a", "/login", "/index.php", "/abcdefgh"] {
            assert_eq!(parse_path(weak), Err(Reason::WeakPath), "{weak}");
        }
        for bad in ["gate/panel.php", "//evil.example/x", "/\\evil.example/x", "/a/..//b/x.php"] {
            assert_eq!(parse_path(bad), Err(Reason::BadUrl), "{bad}");
        }
    }
}
