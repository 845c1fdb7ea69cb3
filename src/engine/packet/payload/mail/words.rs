//! Encoded words in headers (RFC 2047).

use super::charset::Charset;
use super::transfer::{Transfer, hex};
use crate::engine::progress::bound;
use std::borrow::Cow;

/// The longest encoded word; it should have 75 characters at most.
const MAX_WORD: usize = bound(4 << 10, 48);

/// The longest name of a character set, and all that precedes a word's text.
const MAX_CHARSET: usize = 64;
const MAX_HEAD: usize = MAX_CHARSET + 4;

/// A header's value with its encoded words decoded, on one line.
pub(super) fn decode(value: &[u8]) -> Cow<'_, [u8]> {
    // A byte that may have to be changed.
    let is_change = |&at: &usize| value.get(at) != Some(&b'=') || value.get(at + 1) == Some(&b'?');
    let Some(at) = memchr::memchr3_iter(b'=', b'\n', b'\r', value).find(is_change) else {
        return Cow::Borrowed(value);
    };
    let mut out = Vec::with_capacity(value.len());
    let (text, mut rest) = value.split_at(at);
    out.extend_from_slice(text);
    // Where the blanks after an encoded word begin: between two encoded words they are dropped.
    let mut word_end = None;
    let mut ends = Ends::default();
    while let Some(&byte) = rest.first() {
        if ends.is_near(rest)
            && let Some((word, after)) = split_word(rest)
        {
            if let Some(end) = word_end {
                out.truncate(end);
            }
            word.append(&mut out);
            (rest, word_end) = (after, Some(out.len()));
            continue;
        }
        // Up to the next such byte, except this one if it is a line break.
        let at = memchr::memchr3(b'=', b'\n', b'\r', rest.get(1..).unwrap_or_default());
        let (text, after) = rest.split_at(at.map_or(rest.len(), |at| at + 1));
        let text = text.get(usize::from(matches!(byte, b'\r' | b'\n'))..).unwrap_or_default();
        out.extend_from_slice(text);
        word_end = word_end.filter(|_| text.iter().all(u8::is_ascii_whitespace));
        rest = after;
    }
    Cow::Owned(out)
}

/// Ends of encoded words, each of which is searched for once: after what only looks like a
/// beginning, the end may be far.
#[derive(Default)]
struct Ends {
    /// How much was left at the end that was found last; zero if there are no more.
    left: Option<usize>,
}

impl Ends {
    /// Whether what begins here may be an encoded word.
    fn is_near(&mut self, rest: &[u8]) -> bool {
        let Some(after) = rest.strip_prefix(b"=?") else { return false };
        let left = match self.left.filter(|&left| left <= after.len()) {
            Some(left) => left,
            None => memchr::memmem::find(after, b"?=").map_or(0, |at| after.len() - at),
        };
        self.left = Some(left);
        left > 0 && after.len() - left <= MAX_HEAD + MAX_WORD
    }
}

/// An encoded word.
struct Word<'a> {
    charset: &'a [u8],
    is_base64: bool,
    text: &'a [u8],
}

impl Word<'_> {
    fn append(&self, out: &mut Vec<u8>) {
        let mut bytes = Vec::with_capacity(self.text.len());
        if self.is_base64 {
            let mut transfer = Transfer::named(b"base64");
            let mut take = |data: &[u8]| bytes.extend_from_slice(data);
            transfer.decode(self.text, &mut take);
            transfer.finish(&mut take);
        } else {
            unescape(self.text, b'=', &mut bytes);
        }
        // A language may follow the name (RFC 2231, section 5).
        let name = self.charset.split(|&b| b == b'*').next().unwrap_or_default();
        Charset::named(name).append(&bytes, out);
    }
}

/// The encoded word that text begins with, and what follows.
fn split_word(text: &[u8]) -> Option<(Word<'_>, &[u8])> {
    let rest = text.strip_prefix(b"=?")?;
    let (charset, rest) =
        rest.split_at_checked(memchr::memchr(b'?', rest.get(..MAX_CHARSET).unwrap_or(rest))?)?;
    let [b'?', encoding, b'?', rest @ ..] = rest else { return None };
    let within = rest.get(..MAX_WORD).unwrap_or(rest);
    let (text, rest) = rest.split_at_checked(memchr::memmem::find(within, b"?=")?)?;
    let is_base64 = match encoding.to_ascii_lowercase() {
        b'b' => true,
        b'q' => false,
        _ => return None,
    };
    Some((Word { charset, is_base64, text }, rest.get(2..)?))
}

/// Decodes `=41` or `%41`; if the escape is `=`, an underscore is a blank.
pub(super) fn unescape(text: &[u8], escape: u8, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match *after {
            [high, low, ref after @ ..] if byte == escape => {
                if let Some((high, low)) = hex(high).zip(hex(low)) {
                    out.push(high << 4 | low);
                    rest = after;
                    continue;
                }
            }
            _ => {}
        }
        out.push(if byte == b'_' && escape == b'=' { b' ' } else { byte });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The examples of RFC 2047, section 8, and more.
    #[test]
    fn encoded_words_are_decoded() {
        for (text, want) in [
            ("(=?ISO-8859-1?Q?a?=)", "(a)"),
            ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a?=  \r\n    =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            ("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=", "If you can read this yo"),
            ("=?US-ASCII*EN?Q?Keith_Moore?= <m@x.example>", "Keith Moore <m@x.example>"),
            ("=?iso-8859-1?q?Andr=E9?=", "André"),
            ("=?windows-1252?q?=80=9F=FF.exe?=", "€Ÿÿ.exe"),
            ("=?utf-8?b?w6Q=?= =?x?z?y?= =?utf-8?q?=c3=a4", "ä =?x?z?y?= =?utf-8?q?=c3=a4"),
            ("=?utf-16le?b?YQBiAA==?=", "ab"),
            ("=?utf-32?B?AAAAYQAAAGI=?=", "ab"),
            ("=?UTF-7?Q?a+AEA-b.example?=", "a@b.example"),
            ("plain\r\n text", "plain text"),
            ("=?", "=?"),
        ] {
            assert_eq!(String::from_utf8_lossy(&decode(text.as_bytes())), want, "{text}");
        }
    }

    /// Byte by byte: the slow reference for [`decode`].
    fn slow(value: &[u8]) -> Vec<u8> {
        let (mut out, mut rest, mut word_end) = (Vec::new(), value, None);
        while let Some(&byte) = rest.first() {
            if let Some((word, after)) = split_word(rest) {
                out.truncate(word_end.unwrap_or(out.len()));
                word.append(&mut out);
                (rest, word_end) = (after, Some(out.len()));
                continue;
            }
            if !matches!(byte, b'\r' | b'\n') {
                out.push(byte);
            }
            word_end = word_end.filter(|_| byte.is_ascii_whitespace());
            rest = &rest[1..];
        }
        out
    }

    proptest! {
        #[test]
        fn values_like_the_slow_twin(
            pieces in prop::collection::vec(prop_oneof![
                "[a=?\\r\\n \\t_]{0,6}",
                "=\\?utf-8\\?q\\?[a-c=41_]{0,5}\\?=",
            ], 0..8)
        ) {
            let value = pieces.concat();
            prop_assert_eq!(&*decode(value.as_bytes()), &slow(value.as_bytes())[..], "{:?}", value);
        }
    }
}
