//! Escapes that touch a candidate: `%2F`, `\n`, `\u002f`.
//!
//! The text is not decoded as a whole. Where an escape ends right before a run,
//! its last characters look like a part of the run (`%2Fevil.example`,
//! `\nevil.example`); they are cut off. Where an escape stands for a character of
//! the candidate itself (`evil%2Eexample`), the piece is decoded, once, and read
//! again.

use super::classify::{class, is};
use crate::indicator::url::escaped;

/// How many bytes at the head of a run that begins at `start` belong to an escape
/// before it, and the byte that the escape stands for.
#[inline]
pub(super) fn tail_of_escape(text: &[u8], start: usize, end: usize) -> Option<(usize, u8)> {
    let before = start.checked_sub(1)?;
    if matches!(text[before], b'%' | b'\\') { tail_behind(text, before, end) } else { None }
}

/// The same behind the byte `before`, with which the escape begins.
fn tail_behind(text: &[u8], before: usize, end: usize) -> Option<(usize, u8)> {
    let start = before + 1;
    match text[before] {
        b'%' if end - start >= 2 => Some((2, escaped(text, before)?)),
        b'\\' => {
            let slashes = text[..start].iter().rev().take_while(|&&b| b == b'\\').count();
            if slashes % 2 == 0 {
                return None;
            }
            let decoded = match *text.get(start)? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                b'u' if end - start >= 5 => {
                    let digits = text.get(start + 1..start + 5)?;
                    let digits = std::str::from_utf8(digits).ok()?;
                    let code = u16::from_str_radix(digits, 16).ok()?;
                    return Some((5, u8::try_from(code).unwrap_or(0xff)));
                }
                b'x' if end - start >= 3 => {
                    let digits = std::str::from_utf8(text.get(start + 1..start + 3)?).ok()?;
                    return Some((3, u8::from_str_radix(digits, 16).ok()?));
                }
                _ => return None,
            };
            Some((1, decoded))
        }
        _ => None,
    }
}

/// Whether an escape ends right before `at`: the letter or digit there is then none
/// of the text's.
pub(super) fn ends_escape(text: &[u8], at: usize) -> bool {
    [2, 3, 4, 6].into_iter().any(|len| {
        let Some(start) = at.checked_sub(len) else { return false };
        let tail = tail_of_escape(text, start + 1, text.len().min(at + 1));
        matches!(text[start], b'%' | b'\\') && tail.is_some_and(|(tail, _)| tail + 1 == len)
    })
}

/// The percent escape at `at` and what it stands for.
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

/// The character of the `\uXXXX` at `at`, whose backslash is no escaped one.
#[inline]
pub(super) fn json_char(text: &[u8], at: usize) -> Option<char> {
    if text.get(at) == Some(&b'\\') { escaped_char(text, at) } else { None }
}

fn escaped_char(text: &[u8], at: usize) -> Option<char> {
    let digits = match text.get(at..at + 6)? {
        [b'\\', b'u', digits @ ..] => digits,
        _ => return None,
    };
    let slashes = text[..at].iter().rev().take_while(|&&b| b == b'\\').count();
    let digits = std::str::from_utf8(digits).ok()?;
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| slashes % 2 == 0)?;
    char::from_u32(code)
}

/// The widest piece around `at` of name characters, dots and JSON's `\uXXXX`.
pub(super) fn json_piece_around(text: &[u8], at: usize, limit: usize) -> std::ops::Range<usize> {
    let inside = |at: usize| is(text[at], class::NAME | class::DOT);
    let (mut start, mut end) = (at, at);
    while start > 0 && at - start < limit {
        let escape = text[start - 1] == b'\\' && json_char(text, start - 1).is_some();
        if !inside(start - 1) && !escape {
            break;
        }
        start -= 1;
    }
    while end < text.len() && end - at < limit {
        if inside(end) {
            end += 1;
        } else if json_char(text, end).is_some() {
            end += 6;
        } else {
            break;
        }
    }
    start..end
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

/// Undoes the escapes of a JSON string that occur in URLs: `\/`, `\u0026`, `\\`.
pub(super) fn unescape_json(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        match text.get(at + 1) {
            Some(b'u') => {
                let code = text
                    .get(at + 2..at + 6)
                    .and_then(|digits| std::str::from_utf8(digits).ok())
                    .and_then(|digits| u32::from_str_radix(digits, 16).ok())
                    .and_then(char::from_u32);
                match code {
                    Some(code) => {
                        out.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                        at += 6;
                    }
                    None => {
                        out.push(byte);
                        at += 1;
                    }
                }
            }
            Some(&next) if b"/\\\"".contains(&next) => {
                out.push(next);
                at += 2;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails() {
        let of = |text: &[u8], start| tail_of_escape(text, start, text.len());
        assert_eq!(of(b"%2Fevil", 1), Some((2, b'/')));
        assert_eq!(of(b"\\nevil", 1), Some((1, b'\n')));
        assert_eq!(of(b"\\\\nevil", 2), None);
        assert_eq!(of(b"\\u003devil", 1), Some((5, b'=')));
        assert_eq!(of(b"\\evil", 1), None);
        assert_eq!(of(b"evil", 0), None);
        let mut out = Vec::new();
        unescape_json(b"http:\\/\\/a\\u0026b\\x", &mut out);
        assert_eq!(out, b"http://a&b\\x");
        decode(b"a%2Eb%zz%", &mut out);
        assert_eq!(out, b"a.b%zz%");
    }
}
