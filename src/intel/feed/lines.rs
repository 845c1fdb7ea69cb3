//! From bytes to text, from text to lines, and from lines to values and comments
//! (feed specification, section 4, “Common reading rules”). Everything is borrowed
//! from the input.

use crate::engine::indicator::guess::guess;
use crate::engine::indicator::{Scope, address};
use std::borrow::Cow;

/// The length limit of a value that is to be matched. No kind has longer values,
/// and refanging a line of a gigabyte would take minutes.
pub(super) const MAX_VALUE: usize = 1 << 14;

/// The text of a file: without a BOM, UTF-16 with a BOM converted, invalid UTF-8
/// replaced. Borrowed unless something had to change.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => text(rest),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        // The strict check alone is several times faster than the lossy conversion.
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        },
    }
}

/// Decodes UTF-16. Unpaired surrogates and an odd last byte do not fail the whole
/// feed.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The lines of a text, numbered from 1, with any line ending (LF, CRLF, CR).
/// Untrimmed; the last one may lack its ending.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    rest: &'a str,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Lines { rest: text, number: 0 }
    }

    /// The unread text, for readers of quoted fields, which look ahead.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// Skips `len` bytes that contain `lines` line endings.
    pub(super) fn skip(&mut self, len: usize, lines: u64) {
        self.rest = &self.rest[len..];
        self.number += lines;
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u64, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let bytes = self.rest.as_bytes();
        let (line, next) = match memchr::memchr2(b'\n', b'\r', bytes) {
            Some(end) => {
                let crlf = bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n');
                (&self.rest[..end], end + 1 + usize::from(crlf))
            }
            None => (self.rest, bytes.len()),
        };
        self.rest = &self.rest[next..];
        Some((self.number, line))
    }
}

/// The parts of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing there.
    Blank,
    /// A comment, without the characters that start it.
    Comment(&'a str),
    /// A value, and the comment after it.
    Value(&'a str, Option<&'a str>),
}

/// Splits a line: `#`, `;`, `//` and `!` start a comment in column 0. Further on,
/// only `#` and `;` do, after white space, so `http://x/#a` survives.
pub(super) fn parse(line: &str) -> Line<'_> {
    let line = line.trim();
    match line.as_bytes() {
        [] => return Line::Blank,
        [b'#' | b';' | b'!', ..] => {
            return Line::Comment(line.trim_start_matches(['#', ';', '!']).trim());
        }
        [b'/', b'/', ..] => return Line::Comment(line[2..].trim()),
        _ => {}
    }
    match inline_comment(line).or_else(|| after_network(line)) {
        Some(at) => {
            let comment = line[at..].trim_start_matches(['#', ';', ',']).trim();
            Line::Value(line[..at].trim_end(), Some(comment).filter(|c| !c.is_empty()))
        }
        None => Line::Value(line, None),
    }
}

/// Where the text after a network begins, if it is not a value:
/// `203.0.113.0/24;why`, which would otherwise be a URL with a parameter.
fn after_network(line: &str) -> Option<usize> {
    let at = line.find([';', ',', '\t'])?;
    let network = line[..at].trim_end();
    let (address, length) = network.split_once('/')?;
    address::parse_ip(address).ok()?;
    let is_network = address::parse_net(network).is_ok() || address::parse_mask(length).is_some();
    let mut words = line[at..].split([';', ',', '\t', ' ']).filter(|word| !word.is_empty());
    (is_network && !words.any(|word| guess(word, Scope::Exact).is_ok())).then_some(at)
}

/// Where a comment after a value begins.
fn inline_comment(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    memchr::memchr2_iter(b'#', b';', bytes)
        .find(|&at| at > 0 && matches!(bytes[at - 1], b' ' | b'\t'))
}

/// The first `max` bytes of a text, cut between characters.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_ending() {
        let lines: Vec<_> = Lines::new("a\r\nb\rc\n\nd").collect();
        assert_eq!(lines, [(1, "a"), (2, "b"), (3, "c"), (4, ""), (5, "d")]);
        assert_eq!(Lines::new("").count(), 0);
    }

    #[test]
    fn encodings_are_recognised() {
        assert_eq!(text(b"\xef\xbb\xbfa"), "a");
        assert_eq!(text(b"\xff\xfea\0b\0"), "ab");
        assert_eq!(text(b"\xfe\xff\0a\0b"), "ab");
        assert_eq!(text(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn comments_are_recognised() {
        assert_eq!(parse("  "), Line::Blank);
        for comment in ["# x", "; x", "// x", "! x", "  ## x"] {
            assert_eq!(parse(comment), Line::Comment("x"), "{comment}");
        }
        assert_eq!(parse("http://x/#a"), Line::Value("http://x/#a", None));
        assert_eq!(parse("a.example # why"), Line::Value("a.example", Some("why")));
        assert_eq!(parse("1.2.3.0/24 ; SBL1"), Line::Value("1.2.3.0/24", Some("SBL1")));
        assert_eq!(parse("a.example #"), Line::Value("a.example", None));
        assert_eq!(cut("aé", 2), "a");
    }
}
