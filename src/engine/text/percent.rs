//! Percent escapes that touch a candidate: `%2F`, `%2E`.
//!
//! The text is not decoded as a whole. If an escape ends directly before a run, its
//! last characters look like part of the run (`%2Fevil.example`) and are cut off.
//! If an escape encodes a character of the candidate itself (`evil%2Eexample`), the
//! piece is decoded once and read again.

use super::classify::{class, is};
use crate::engine::indicator::url::escaped;

/// The number of bytes at the start of a run that belong to an escape before it,
/// and the byte that the escape encodes.
#[inline]
pub(super) fn tail_of_escape(text: &[u8], start: usize, end: usize) -> Option<(usize, u8)> {
    let before = start.checked_sub(1)?;
    if text[before] == b'%' && end - start >= 2 { Some((2, escaped(text, before)?)) } else { None }
}

/// Whether an escape ends directly before `at`, so that the letter or digit there
/// is not part of the text.
pub(super) fn ends_escape(text: &[u8], at: usize) -> bool {
    at.checked_sub(3).is_some_and(|start| percent_at(text, start).is_some())
}

/// The byte encoded by the percent escape at `at`.
#[inline]
pub(super) fn percent_at(text: &[u8], at: usize) -> Option<u8> {
    if text.get(at) == Some(&b'%') { escaped(text, at) } else { None }
}

/// Whether a decoded byte continues a name.
pub(super) fn continues_name(byte: u8) -> bool {
    is(byte, class::NAME | class::DOT)
}

/// The widest piece around `at` of name characters, dots and percent escapes.
pub(super) fn piece_around(text: &[u8], at: usize, limit: usize) -> std::ops::Range<usize> {
    let inside = |at: usize| is(text[at], class::NAME | class::DOT) || text[at] == b'%';
    let (mut start, mut end) = (at, at);
    while start > 0 && at - start < limit && inside(start - 1) {
        start -= 1;
    }
    while end < text.len() && end - at < limit && inside(end) {
        end += 1;
    }
    start..end
}

/// Whether a piece contains a dot, in any encoding: without one it is not a name.
pub(super) fn has_dot(piece: &[u8]) -> bool {
    // Those of other scripts end in these bytes, or are unescaped.
    let escapes = ["%2E", "%2e", "%82", "%8E", "%8e", "%A1", "%a1"];
    memchr::memchr3(b'.', 0xe3, 0xef, piece).is_some()
        || escapes.iter().any(|dot| memchr::memmem::find(piece, dot.as_bytes()).is_some())
}

/// Decodes percent escapes, once.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut at = 0;
    while at < text.len() {
        match percent_at(text, at) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_of_escapes_are_skipped() {
        let of = |text: &[u8], start| tail_of_escape(text, start, text.len());
        assert_eq!(of(b"%2Fevil", 1), Some((2, b'/')));
        assert_eq!(of(b"\\nevil", 1), None);
        assert_eq!(of(b"evil", 0), None);
        assert!(ends_escape(b"%2Fevil", 3));
        let mut out = Vec::new();
        decode(b"a%2Eb%zz%", &mut out);
        assert_eq!(out, b"a.b%zz%");
    }
}
