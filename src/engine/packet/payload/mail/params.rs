//! Parameters of headers: `Content-Disposition: attachment; filename="a.exe"`,
//! also continued and with a character set (RFC 2231), and with encoded words, which
//! should not be there and often are.

use super::charset::Charset;
use super::words;
use crate::engine::progress::bound;
use std::borrow::Cow;

/// Parameters of one header, and parts of one parameter, that are examined.
const MAX_PARAMS: usize = bound(64, 4);

/// The longest value that is assembled.
const MAX_VALUE: usize = bound(4 << 10, 32);

/// A header's value before its parameters, and these.
#[derive(Debug)]
pub(super) struct Params<'a> {
    pub(super) first: &'a [u8],
    params: Vec<(&'a [u8], Cow<'a, [u8]>)>,
    /// One of the parameters has a character set, or is split into parts.
    has_extended: bool,
}

impl<'a> Params<'a> {
    pub(super) fn of(value: &'a [u8]) -> Params<'a> {
        let (first, mut rest) = split(value);
        let mut params = Vec::new();
        let mut has_extended = false;
        while !rest.is_empty() && params.len() < MAX_PARAMS {
            let (param, after) = split(rest);
            rest = after;
            if let Some(at) = memchr::memchr(b'=', param)
                && let Some((name, value)) = param.split_at_checked(at)
            {
                let value = value.get(1..).unwrap_or_default().trim_ascii();
                let name = name.trim_ascii();
                has_extended |= name.contains(&b'*');
                params.push((name, unquote(without_comment(name, value))));
            }
        }
        // A comment may come before it or after it (RFC 2045, 5.1).
        let mut first = first.trim_ascii();
        while let Some((b'(', comment)) = first.split_first()
            && let Some(end) = memchr::memchr(b')', comment)
        {
            first = comment.get(end + 1..).unwrap_or_default().trim_ascii();
        }
        let end = memchr::memchr(b'(', first).unwrap_or(first.len());
        let first = first.get(..end).unwrap_or(first).trim_ascii();
        Params { first, params, has_extended }
    }

    /// The word before the parameters, without quotes.
    pub(super) fn word(&self) -> &'a [u8] {
        let word = self.first.split(|&byte| byte <= b' ').next().unwrap_or_default();
        word.strip_prefix(b"\"").map_or(word, |word| word.strip_suffix(b"\"").unwrap_or(word))
    }

    /// The parameter of a name with a suffix of stars and digits, undecoded.
    fn plain(&self, name: &str, tail: &str) -> Option<&[u8]> {
        let is = |other: &[u8]| {
            other.split_at_checked(name.len()).is_some_and(|(start, end)| {
                end == tail.as_bytes() && start.eq_ignore_ascii_case(name.as_bytes())
            })
        };
        let found = self.params.iter().find(|(other, _)| is(other));
        found.map(|(_, value)| &value[..])
    }

    /// The value of a parameter, decoded: the best one of [`all`](Self::all).
    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let mut value = match self.extended(name) {
            Some(value) => Cow::Owned(value),
            None => words::decode(self.plain(name, "")?),
        };
        match &mut value {
            Cow::Owned(value) => value.truncate(MAX_VALUE),
            Cow::Borrowed(value) => *value = value.get(..MAX_VALUE).unwrap_or(value),
        }
        Some(value)
    }

    /// The values of a parameter in all forms that exist, the best first: mail programs differ in
    /// which one they use.
    pub(super) fn all(&self, name: &str) -> Vec<Vec<u8>> {
        let plain = self.plain(name, "").map(|value| words::decode(value).into_owned());
        let mut all: Vec<_> = self.extended(name).into_iter().chain(plain).collect();
        all.iter_mut().for_each(|value| value.truncate(MAX_VALUE));
        all.dedup();
        all
    }

    /// With a character set, or in parts.
    fn extended(&self, name: &str) -> Option<Vec<u8>> {
        if !self.has_extended {
            return None;
        }
        let mut out = Vec::new();
        if let Some(value) = self.plain(name, "*") {
            let (charset, text) = split_charset(value);
            let mut bytes = Vec::new();
            words::unescape(text, b'%', &mut bytes);
            charset.append(&bytes, &mut out);
        } else if self.has_parts(name) {
            self.join(name, &mut out);
        } else {
            return None;
        }
        Some(out)
    }

    fn has_parts(&self, name: &str) -> bool {
        self.plain(name, "*0").is_some() || self.plain(name, "*0*").is_some()
    }

    /// `name*0*=utf-8''a%20; name*1="b"`.
    fn join(&self, name: &str, out: &mut Vec<u8>) {
        let mut charset = Charset::Narrow;
        let mut bytes = Vec::new();
        for part in 0..MAX_PARAMS {
            if let Some(value) = self.plain(name, &format!("*{part}*")) {
                let mut text = value;
                if part == 0 {
                    (charset, text) = split_charset(value);
                }
                words::unescape(text, b'%', &mut bytes);
            } else if let Some(value) = self.plain(name, &format!("*{part}")) {
                bytes.extend_from_slice(value);
            } else {
                break;
            }
        }
        charset.append(&bytes, out);
    }
}

/// `utf-8'en'text`.
fn split_charset(value: &[u8]) -> (Charset, &[u8]) {
    let mut parts = value.splitn(3, |&b| b == b'\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(_), Some(text)) => (Charset::named(charset), text),
        _ => (Charset::Narrow, value),
    }
}

/// What is before the next semicolon outside quotes, and what is after it.
fn split(value: &[u8]) -> (&[u8], &[u8]) {
    let (mut at, mut is_quoted) = (0, false);
    while let Some(rest) = value.get(at..)
        && let Some(next) = memchr::memchr2(b'"', if is_quoted { b'\\' } else { b';' }, rest)
    {
        at += next + 1;
        match rest.get(next) {
            Some(b'"') => is_quoted = !is_quoted,
            // The byte after it is literal.
            Some(b'\\') => at += 1,
            _ => {
                let text = value.get(..at - 1).unwrap_or(value);
                return (text, value.get(at..).unwrap_or_default());
            }
        }
    }
    (value, &[])
}

/// A value without the comment after it; file names may contain brackets.
fn without_comment<'v>(name: &[u8], value: &'v [u8]) -> &'v [u8] {
    let is_file = || name.windows(4).any(|part| part.eq_ignore_ascii_case(b"name"));
    let end = if value.starts_with(b"\"") || is_file() {
        None
    } else {
        let is_after_blank = |at: usize| matches!(value.get(at), Some(b' ' | b'\t'));
        let mut blanks = memchr::memchr_iter(b'(', value).filter_map(|at| at.checked_sub(1));
        blanks.find(|&at| is_after_blank(at))
    };
    value.get(..end.unwrap_or(value.len())).unwrap_or(value).trim_ascii_end()
}

/// A value without its quotes. A backslash that escapes nothing belongs to a path.
fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = value.strip_prefix(b"\"") else { return Cow::Borrowed(value) };
    let end = memchr::memchr(b'"', inner).unwrap_or(inner.len());
    if let Some(plain) = inner.get(..end)
        && memchr::memchr3(b'\\', b'\r', b'\n', plain).is_none()
    {
        return Cow::Borrowed(plain);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => out.push(bytes.next_if(|next| matches!(next, b'"' | b'\\')).unwrap_or(b'\\')),
            b'\r' | b'\n' => {}
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Byte by byte: the slow reference for [`split`].
    fn slow_split(value: &[u8]) -> (&[u8], &[u8]) {
        let (mut is_quoted, mut is_escaped) = (false, false);
        for (at, &byte) in value.iter().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                b';' if !is_quoted => return (&value[..at], &value[at + 1..]),
                _ => {}
            }
        }
        (value, &[])
    }

    /// The same for [`unquote`].
    fn slow_unquote(value: &[u8]) -> Vec<u8> {
        let Some(inner) = value.strip_prefix(b"\"") else { return value.to_vec() };
        let (mut out, mut at) = (Vec::new(), 0);
        while at < inner.len() && inner[at] != b'"' {
            let is_escape = matches!(inner[at..], [b'\\', b'"' | b'\\', ..]);
            at += usize::from(is_escape);
            if !matches!(inner[at], b'\r' | b'\n') {
                out.push(inner[at]);
            }
            at += 1;
        }
        out
    }

    proptest! {
        #[test]
        fn values_like_the_slow_twins(value in "[a;\"\\\\ (\\r\\n]{0,12}") {
            let value = value.as_bytes();
            prop_assert_eq!(split(value), slow_split(value));
            prop_assert_eq!(&*unquote(value), &slow_unquote(value)[..]);
            let pair = value.windows(2).position(|pair| pair == b" (");
            let want = if value.starts_with(b"\"") { None } else { pair };
            let want = value[..want.unwrap_or(value.len())].trim_ascii_end();
            prop_assert_eq!(without_comment(b"x", value), want);
            prop_assert_eq!(without_comment(b"fileNAME", value), value.trim_ascii_end());
        }
    }

    #[test]
    fn parameters_are_read_in_every_notation() {
        for (value, want) in [
            ("attachment; filename=a.exe", Some("a.exe")),
            ("attachment;\r\n\tFileName = \"a; \\\"b\\\".exe\" ; size=1", Some("a; \"b\".exe")),
            ("attachment; filename=\"C:\\x\\y.exe", Some("C:\\x\\y.exe")),
            ("attachment; filename=a b.exe", Some("a b.exe")),
            ("attachment; filename==?utf-8?B?w6QuZXhl?=", Some("ä.exe")),
            ("attachment; filename=\"=?utf-8?q?a?=\r\n =?utf-8?q?.exe?=\"", Some("a.exe")),
            ("attachment; filename=x; filename*=utf-8''%e2%82%ac%20rates", Some("€ rates")),
            ("attachment; filename*=iso-8859-1'en'%A3%20rates", Some("£ rates")),
            ("x; filename*1=\"b.e\"; filename*0*=us-ascii'en'a%2a; filename*2=xe", Some("a*b.exe")),
            ("x; filename*0=\"a\"; filename*2=c", Some("a")),
            ("inline", None),
            ("inline; filename", None),
        ] {
            let params = Params::of(value.as_bytes());
            let got = params.get("filename");
            let got = got.as_deref().map(String::from_utf8_lossy);
            assert_eq!(got.as_deref(), want, "{value}");
        }
        assert_eq!(Params::of(b" text/plain ; x=y").first, b"text/plain");
        assert_eq!(Params::of(b"(a) (b) text/plain (c); x=y").first, b"text/plain");
        assert_eq!(Params::of(b"(a) \"base64\" x").word(), b"base64");
        assert_eq!(Params::of(b"(a").word(), b"");
        // RFC 2045, 5.1, and similar ones.
        let params =
            Params::of(b"text/html (page); charset=us-ascii (Plain text); boundary=\"a (b\" (c)");
        assert_eq!(params.first, b"text/html");
        assert_eq!(params.get("charset").as_deref(), Some(&b"us-ascii"[..]));
        assert_eq!(params.get("boundary").as_deref(), Some(&b"a (b"[..]));
        let params = Params::of(b"x/y; name=a (1).exe; name*=utf-8''b.exe");
        assert_eq!(params.all("name"), [b"b.exe".to_vec(), b"a (1).exe".to_vec()]);
        assert!(params.all("filename").is_empty());
    }
}
