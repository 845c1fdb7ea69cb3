//! URLs, names and addresses in a head: in its headers, its target, and redirects.

use super::host::{parse_bare, split_port};
use crate::engine::indicator::{Observable, Where, address, url};
use memchr::memmem::Finder;
use std::iter::Peekable;
use std::sync::LazyLock;

static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"://"));

/// The longest scheme that is recognised before `://`.
const MAX_SCHEME: usize = 32;

/// Whether text may contain a URL or an e-mail address: other text is not parsed.
pub(in crate::engine::packet) fn is_likely(text: &[u8]) -> bool {
    memchr::memchr(b'@', text).is_some()
        || MARK.find(text).is_some()
        || escaped_marks(text).next().is_some()
}

/// Where the marks between scheme and host are escaped: for URLs, once or twice, or for JSON.
fn escaped_marks(text: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr2_iter(b'%', b'\\', text).filter(|&at| is_escaped_mark(text, at))
}

fn is_escaped_mark(text: &[u8], at: usize) -> bool {
    /// With the colon, and after it.
    const WHOLE: [&[u8]; 3] = [b"%3a%2f%2f", b"%3a//", b"%253a%252f%252f"];
    const SLASHES: [&[u8]; 5] =
        [b"%2f%2f", b"%252f%252f", b"\\/\\/", b"\\u002f\\u002f", b"\\x2f\\x2f"];
    let rest = &text[at..];
    let begins =
        |mark: &&[u8]| rest.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark));
    WHOLE.iter().any(begins) || text[..at].ends_with(b":") && SLASHES.iter().any(begins)
}

/// Passes on the names and values of headers that may contain URLs or e-mail addresses.
pub(super) fn headers<'h>(headers: &'h [u8], mut show: impl FnMut(&'h [u8], &'h [u8])) {
    let mut urls = MARK.find_iter(headers).peekable();
    let mut mails = memchr::memchr_iter(b'@', headers).peekable();
    let mut escaped = escaped_marks(headers).peekable();
    let mut at = 0;
    while let Some(found) =
        [next_of(at, &mut urls), next_of(at, &mut mails), next_of(at, &mut escaped)]
            .into_iter()
            .flatten()
            .min()
    {
        let start = memchr::memrchr(b'\n', &headers[..found]).map_or(0, |end| end + 1);
        let end = memchr::memchr(b'\n', &headers[found..]).map_or(headers.len(), |end| found + end);
        let line = &headers[start..end];
        at = end;
        if let Some(colon) = memchr::memchr(b':', line) {
            // The mark may be in the name.
            let value = line[colon + 1..].trim_ascii();
            if !value.is_empty() {
                show(line[..colon].trim_ascii(), value);
            }
        }
    }
}

/// The first position from `at` on.
fn next_of(at: usize, places: &mut Peekable<impl Iterator<Item = usize>>) -> Option<usize> {
    while places.next_if(|&place| place < at).is_some() {}
    places.peek().copied()
}

/// Whether text begins with a URL: a scheme, and no byte that ends one.
pub(super) fn is_url(text: &[u8]) -> bool {
    let Some(at) = MARK.find(text) else { return false };
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    text[0].is_ascii_alphabetic() && text[..at].iter().all(is_scheme)
}

/// The URLs inside a target or a URL, as in `/away?to=http%3A%2F%2Fa.example`, from the beginning
/// of the first one.
pub(super) fn embedded(target: &[u8]) -> Option<&[u8]> {
    memchr::memchr2(b':', b'%', target)?;
    let own = if is_url(target) { MARK.find(target).map_or(0, |at| at + 3) } else { 0 };
    let rest = &target[own..];
    let plain = MARK.find(rest);
    let escaped = memchr::memchr_iter(b'%', rest).find(|&at| {
        rest.get(at..at + 9).is_some_and(|mark| mark.eq_ignore_ascii_case(b"%3A%2F%2F"))
    });
    let mark = match (plain, escaped) {
        (Some(plain), Some(escaped)) => plain.min(escaped),
        (plain, escaped) => plain.or(escaped)?,
    };
    let from = mark.saturating_sub(MAX_SCHEME);
    let scheme = rest[from..mark].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric());
    let length = scheme.count();
    Some(&rest[mark - length..])
}

/// What follows the slashes of a reference to another host without a scheme (RFC 3986, 4.2);
/// browsers accept either slash.
pub(super) fn without_scheme(reference: &[u8]) -> Option<&[u8]> {
    match reference {
        [b'/' | b'\\', b'/' | b'\\', rest @ ..] => {
            rest.first().is_some_and(|first| !b"/\\".contains(first)).then_some(rest)
        }
        _ => None,
    }
}

/// Reports the host of a URL, with its port, if it is not `known`.
pub(super) fn host(url: &[u8], known: Option<&[u8]>, seen: &mut dyn FnMut(Observable<'_>, Where)) {
    if !is_url(url) {
        return;
    }
    // The rest may be too long, or not text.
    let Some(start) = MARK.find(url).map(|at| at + 3) else { return };
    let rest = &url[start..];
    let end = rest.iter().position(|byte| b"/\\?#".contains(byte)).unwrap_or(rest.len());
    let Ok(authority) = std::str::from_utf8(&url[..start + end]) else { return };
    let Ok(canonical) = url::parse(authority) else { return };
    let name = canonical.host();
    let known = known.map(|known| split_port(known).0);
    let known = known.map(|known| known.strip_suffix(b".").unwrap_or(known));
    match address::parse_ip(name) {
        Ok(address) if known.and_then(parse_bare) == Some(address) => {}
        Ok(address) => {
            seen(Observable::Address(address, canonical.port()), Where::UrlHost);
        }
        Err(_) if known.is_some_and(|known| known.eq_ignore_ascii_case(name.as_bytes())) => {}
        Err(_) => seen(Observable::Name(name.as_bytes()), Where::UrlHost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_inside_of_targets() {
        for (target, want) in [
            ("/away?to=http://a.example/x&y=1", Some("http://a.example/x&y=1")),
            ("/away?to=HTTP%3a%2F%2fa.example", Some("HTTP%3a%2F%2fa.example")),
            ("/proxy/https://a.example/", Some("https://a.example/")),
            ("http://b.example/?u=ftp://a.example/", Some("ftp://a.example/")),
            ("/a?b=%3A%2F%2Fx://y", Some("%3A%2F%2Fx://y")),
            ("http://b.example/", None),
            ("/a%3A%2F", None),
            ("/a", None),
            ("*", None),
            ("", None),
        ] {
            let got = embedded(target.as_bytes()).map(String::from_utf8_lossy);
            assert_eq!(got.as_deref(), want, "{target}");
        }
    }

    #[test]
    fn hosts_of_urls() {
        for (url, known, want) in [
            ("http://A.Example/x", "b.example", "a.example"),
            ("http://a.example/x", "A.example.:80", ""),
            ("https://u:p@a.example:8443/x", "b.example", "a.example"),
            ("ftp://a.example.", "", "a.example"),
            ("HTTP://[2001:DB8::1]:81/x", "", "2001:db8::1 81"),
            ("http://192.0.2.7:81/x", "", "192.0.2.7 81"),
            ("http://192.0.2.7/x", "192.0.2.7:80", ""),
            ("http://0xc0000207/", "", "192.0.2.7"),
            ("http://a%2eexample/\u{fffd}", "", "a.example"),
            ("http://a.example\\@b.example/", "", "a.example"),
            ("http://a.example?x", "", "a.example"),
            ("http:///x", "", ""),
            ("/x", "", ""),
        ] {
            let mut reported = String::new();
            let known = Some(known.as_bytes()).filter(|known| !known.is_empty());
            host(url.as_bytes(), known, &mut |observable, at| {
                assert_eq!(at, Where::UrlHost);
                reported += &crate::engine::packet::tests::text(observable);
            });
            assert_eq!(reported, want, "{url}");
        }
    }

    proptest! {
        /// Compared with a search in each line.
        #[test]
        fn lines_with_marks(
            words in prop::collection::vec(prop::sample::select(vec![
                "a", ":", "://", "@", "\n", "\r\n", "/", " ", "b:",
            ]), 0..30),
        ) {
            let text = words.concat();
            let mut got = Vec::new();
            headers(text.as_bytes(), |name, value| got.push((name, value)));
            let mut want = Vec::new();
            for line in text.split('\n').filter(|line| is_likely(line.as_bytes())) {
                if let Some((name, value)) = line.split_once(':')
                    && !value.trim_ascii().is_empty()
                {
                    let trim = |text: &str| text.trim_ascii().as_bytes().to_vec();
                    want.push((trim(name), trim(value)));
                }
            }
            let got: Vec<_> = got.iter().map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
            prop_assert_eq!(got, want);
            if let Some(inside) = embedded(text.as_bytes()) {
                prop_assert!(text.as_bytes().ends_with(inside));
            }
            is_url(text.as_bytes());
        }
    }
}
