//! Escapes that the writer of a log put around or into a value, and their meanings
//! (matching specification, section 8.1).
//!
//! Backslash escapes are those of JSON (RFC 8259), C and Python, and `\=` and `\|`
//! of CEF. They nest: a JSON text in a string of another one doubles every
//! backslash, so 1, 2 or 4 backslashes before a letter form one escape, decoded to
//! three levels. Entities are those of XML and HTML; `#011` is how rsyslog writes a
//! control character; `ESC [ … m` (ECMA-48) colours a terminal.
//!
//! Each escape is recognised on its own, from its first byte, so the result does
//! not depend on where reading starts.

use crate::engine::indicator::digest::{self, MAX_DIGEST};
use std::borrow::Cow;

/// The maximum length of an escape.
pub(super) const MAX_ESCAPE: usize = 64;

/// The maximum number of backslashes in a row: eight are a quote three levels deep.
const MAX_SLASHES: usize = 16;

/// The maximum length of an encoded separator before a value.
const MAX_SPELT: usize = 12;

/// The maximum depth of nested backslash escapes.
const MAX_LEVELS: u32 = 3;

/// The maximum length of a path to inspect.
const MAX_PATH: usize = 256;

/// The maximum length of the parameters of a control sequence or a hyperlink.
const MAX_PARAMETERS: usize = 24;

/// The meaning of an escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A character of the value that contains the escape.
    Char(char),
    /// A byte of the value, of which several may form a character.
    Byte(u8),
    /// A control character, a blank or a colour, which no value continues across.
    Separator,
}

/// An escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escape {
    pub(super) len: usize,
    pub(super) meaning: Meaning,
    /// The number of bytes of leading backslashes, if the rest may also be literal:
    /// `\
    /// as.example` is a share, or a line feed and a name.
    pub(super) doubtful: Option<usize>,
}

impl Escape {
    fn new(len: usize, meaning: Meaning) -> Self {
        Escape { len, meaning, doubtful: None }
    }

    pub(super) fn separates(&self) -> bool {
        self.meaning == Meaning::Separator
    }
}

/// Whether an escape with this first byte that means a separator also separates for
/// readers who do not know it: no value continues across a backslash or ESC, but a
/// URL continues across `&` or `#`.
pub(super) fn parts(first: u8, meaning: Meaning) -> bool {
    meaning == Meaning::Separator && matches!(first, b'\\' | 0x1b)
}

/// Whether an escape may begin with this byte.
#[inline]
pub(super) fn begins_escape(byte: u8) -> bool {
    BEGINS_ESCAPE[usize::from(byte)]
}

static BEGINS_ESCAPE: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 6 {
        table[b"\\&#^\x1b\xc2"[at] as usize] = true;
        at += 1;
    }
    table
};

/// The escape that begins at `at`.
pub(super) fn escape_at(text: &[u8], at: usize) -> Option<Escape> {
    let rest = text.get(at + 1..)?;
    match text[at] {
        b'\\' => after_backslashes(text, at),
        b'&' => {
            let (len, char) = entity(rest)?;
            Some(escape_for(char, 1 + len, &rest[len..]))
        }
        b'#' => {
            let code = octal(rest)?;
            let is_control = code <= 0x20 || code == 0x7f;
            // `#0123…` with the length of a digest is a digest after a sign.
            let digits = rest.iter().take(2 * MAX_DIGEST + 1);
            let digits = digits.take_while(|byte| byte.is_ascii_hexdigit()).count();
            (is_control && digest::kind_of_len(digits).is_none())
                .then(|| escape_for(code.into(), 4, &rest[3..]))
        }
        b'^' => match rest.first()? {
            b'[' => {
                let len = sequence(rest[1..].starts_with(b"[").then_some(&rest[1..])?);
                (len > 0).then(|| Escape::new(2 + len, Meaning::Separator))
            }
            // As `cat -v` and editors show them; but `^Info` may be a pattern.
            b'I' | b'J' | b'M' => {
                Some(Escape { doubtful: Some(1), ..Escape::new(2, Meaning::Separator) })
            }
            _ => None,
        },
        // U+009B is ESC and a bracket in one character.
        0xc2 if rest.first() == Some(&0x9b) => {
            let (parameters, is_ended) = parameters(&rest[1..]);
            is_ended.then(|| Escape::new(3 + parameters, Meaning::Separator))
        }
        0x1b => match sequence(rest) {
            0 => None,
            len => Some(Escape::new(1 + len, Meaning::Separator)),
        },
        _ => None,
    }
}

/// A value with its character escapes decoded, as [`escape_at`] reads them.
pub(super) fn characters(value: &str) -> Cow<'_, str> {
    let bytes = value.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'\\' | b'&')) {
        return Cow::Borrowed(value);
    }
    let mut undone = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = escape_at(bytes, at).filter(|escape| escape.doubtful.is_none());
        match escape.map(|escape| (escape.meaning, escape.len)) {
            Some((Meaning::Char(char), len)) => {
                undone.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                at += len.max(1);
            }
            Some((Meaning::Byte(byte), len)) => {
                undone.push(byte);
                at += len.max(1);
            }
            _ => {
                undone.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&undone).into_owned())
}

/// The text before an encoded separator at its end, if there is one.
pub(super) fn before_separator(text: &[u8]) -> Option<&[u8]> {
    let floor = text.len().saturating_sub(MAX_SPELT);
    let near = &text[floor..];
    let mut from = near.iter().rposition(|&byte| begins_escape(byte))?;
    while from > 0 && near[from] == b'\\' && near[from - 1] == b'\\' {
        from -= 1;
    }
    let escape = escape_at(text, floor + from)?;
    let is_last = floor + from + escape.len == text.len() && escape.separates();
    is_last.then(|| &text[..floor + from])
}

/// An escape of `len` bytes that means `char`, and what belongs to it in `rest`.
fn escape_for(char: char, len: usize, rest: &[u8]) -> Escape {
    let meaning = match char {
        '\u{1b}' => return Escape::new(len + sequence(rest), Meaning::Separator),
        c if c.is_control() || c.is_whitespace() => Meaning::Separator,
        c => Meaning::Char(c),
    };
    Escape::new(len, meaning)
}

/// An escape that begins with the backslashes at `at`.
fn after_backslashes(text: &[u8], at: usize) -> Option<Escape> {
    if at > 0 && text[at - 1] == b'\\' {
        return None;
    }
    let rest = &text[at..];
    let slashes = rest.iter().take(MAX_SLASHES + 1).take_while(|&&b| b == b'\\').count();
    if slashes > MAX_SLASHES || slashes.trailing_zeros() >= MAX_LEVELS {
        return None;
    }
    let letter = *rest.get(slashes)?;
    let after = &rest[slashes + 1..];
    let head = slashes + 1;
    let doubtful = Some(slashes);
    let is_doubled = slashes % 2 == 0;
    let escape = match letter {
        b'n' | b'r' | b't' => {
            let doubtful = doubtful.filter(|_| is_doubled || is_in_path(text, at));
            Escape { doubtful, ..Escape::new(head, Meaning::Separator) }
        }
        b'b' | b'f' => Escape { doubtful, ..Escape::new(head, Meaning::Separator) },
        b'e' | b'E' if after.starts_with(b"[") => match sequence(after) {
            0 => return None,
            len => Escape::new(head + len, Meaning::Separator),
        },
        b'/' | b'=' | b'|' | b'?' => Escape::new(head, Meaning::Char(char::from(letter))),
        b'&' => escape_for_ampersand(head, after),
        b'0'..=b'3' => {
            let code = octal(&rest[slashes..])?;
            let escape = match code {
                0..0x80 => escape_for(code.into(), head + 2, &after[2..]),
                _ => Escape::new(head + 2, Meaning::Byte(code)),
            };
            Escape { doubtful, ..escape }
        }
        b'x' if !after.starts_with(b"{") => {
            let code = hex(after, 2)? as u8;
            match code {
                b'&' => escape_for_ampersand(head + 2, &after[2..]),
                0..0x80 => escape_for(code.into(), head + 2, &after[2..]),
                _ => Escape::new(head + 2, Meaning::Byte(code)),
            }
        }
        b'u' | b'U' | b'x' => {
            let (char, len) = code_point(letter, slashes, after)?;
            match char {
                '&' => escape_for_ampersand(head + len, &after[len..]),
                _ => escape_for(char, head + len, &after[len..]),
            }
        }
        _ => return None,
    };
    Some(escape)
}

/// An ampersand may begin an entity: `\u0026amp;`.
fn escape_for_ampersand(len: usize, rest: &[u8]) -> Escape {
    match entity(rest) {
        Some((more, char)) => escape_for(char, len + more, &rest[more..]),
        None => Escape::new(len, Meaning::Char('&')),
    }
}

/// Decodes `\uXXXX`, `\UXXXXXXXX` or `\u{X…}` after its letter. Returns the
/// character and the number of bytes, which includes both halves of a surrogate
/// pair.
fn code_point(letter: u8, slashes: usize, after: &[u8]) -> Option<(char, usize)> {
    if let Some(braced) = after.strip_prefix(b"{") {
        let len = braced.iter().take(8).take_while(|b| b.is_ascii_hexdigit()).count();
        let is_closed = braced.get(len) == Some(&b'}');
        return Some((char::from_u32(hex(braced, len).filter(|_| is_closed)?)?, len + 2));
    }
    let len = if letter == b'U' { 8 } else { 4 };
    let code = hex(after, len)?;
    if !(0xd800..0xdc00).contains(&code) {
        // Half a pair means nothing that a value contains.
        return Some((char::from_u32(code).unwrap_or('\u{fffd}'), len));
    }
    let second = after
        .get(len..len + slashes + 5)
        .filter(|second| second[..slashes].iter().all(|&b| b == b'\\') && second[slashes] == b'u');
    let low = second.and_then(|second| hex(&second[slashes + 1..], 4));
    let low = low.filter(|low| (0xdc00..0xe000).contains(low));
    Some(match low {
        Some(low) => {
            let code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
            (char::from_u32(code).unwrap_or('\u{fffd}'), len + slashes + 5)
        }
        None => ('\u{fffd}', len),
    })
}

/// Parses the first `len` bytes as hex digits.
fn hex(text: &[u8], len: usize) -> Option<u32> {
    let digits = text.get(..len).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0u32, |code, &b| Some(code << 4 | char::from(b).to_digit(16)?))
}

/// Parses a byte of three octal digits.
fn octal(text: &[u8]) -> Option<u8> {
    match *text.get(..3)? {
        [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
        }
        _ => None,
    }
}

/// Whether the single backslash at `at` is in a path with a drive: `C:\temp
/// ew`.
fn is_in_path(text: &[u8], at: usize) -> bool {
    let from = at.saturating_sub(MAX_PATH);
    let head = &text[from..at];
    let Some(colon) = memchr::memrchr(b':', head) else { return false };
    let letter = |at: Option<usize>| at.is_some_and(|at| head[at].is_ascii_alphabetic());
    let drive = colon.checked_sub(1);
    text[from + colon + 1] == b'\\'
        && text.get(from + colon + 2) != Some(&b'\\')
        && letter(drive)
        && !letter(drive.and_then(|at| at.checked_sub(1)))
        && !head[colon..].iter().any(|&b| b <= b' ' || b"\"<>|*?".contains(&b))
}

/// The length of what follows ESC in a control sequence, a hyperlink's start or the
/// choice of a character set; 0 for none of these.
fn sequence(rest: &[u8]) -> usize {
    match *rest {
        [b'[', ref rest @ ..] => match parameters(rest) {
            (len, true) => len + 2,
            _ => 0,
        },
        [b']', ref rest @ ..] => {
            // `8;PARAMETERS;URL`, `0;TITLE`
            let end = |from: usize| {
                let rest = rest.get(from..)?;
                let len = rest.len().min(MAX_PARAMETERS);
                Some(from + 1 + memchr::memchr(b';', &rest[..len])?)
            };
            let first = end(0).filter(|end| rest[..end - 1].iter().all(u8::is_ascii_digit));
            let second = first.filter(|_| rest.starts_with(b"8;")).and_then(end);
            second.or(first).map_or(0, |len| len + 1)
        }
        [b'(' | b')', b'0'..=b'z', ..] => 2,
        _ => 0,
    }
}

/// The length of a control sequence's parameters, and whether its final byte
/// follows.
fn parameters(rest: &[u8]) -> (usize, bool) {
    let is_inside = |&&b: &&u8| matches!(b, b'0'..=b'?' | b'!'..=b'/');
    let len = rest.iter().take(MAX_PARAMETERS).take_while(is_inside).count();
    // Only colours contain colons (ISO 8613-6); `[2001:db8::1]` may occur here,
    // too.
    let has_colon = rest[..len].contains(&b':');
    let is_last = |b: &u8| match has_colon {
        true => *b == b'm',
        false => b.is_ascii_alphabetic() || b"@~`".contains(b),
    };
    (len, rest.get(len).is_some_and(is_last))
}

/// The entity whose ampersand precedes `rest`: its length and its character.
fn entity(rest: &[u8]) -> Option<(usize, char)> {
    if let Some(number) = rest.strip_prefix(b"#") {
        return number_of_entity(number).map(|(len, char)| (len + 1, char));
    }
    let len = rest.iter().take(9).take_while(|b| b.is_ascii_alphanumeric()).count();
    let (name, after) = (&rest[..len], rest.get(len).copied());
    let char = entity_char(name)?;
    match after {
        Some(b';') => Some((len + 1, char)),
        // Old HTML omits it; in a query, `&lt=1` and `&amp=1` are parameters.
        after if b"<>&\"".contains(&(char as u8)) && name.is_ascii() && char.is_ascii() => {
            let goes_on = after.is_some_and(|b| b.is_ascii_alphanumeric() || b"=_-.".contains(&b));
            (!goes_on && len > 1).then_some((len, char))
        }
        _ => None,
    }
}

/// The number of a numeric entity, without its prefix.
fn number_of_entity(number: &[u8]) -> Option<(usize, char)> {
    let (radix, digits) = match number {
        [b'x' | b'X', digits @ ..] => (16, digits),
        digits => (10, digits),
    };
    let head = number.len() - digits.len();
    let is_digit = |b: &u8| char::from(*b).is_digit(radix);
    let len = digits.iter().take(11).take_while(|b| is_digit(b)).count();
    if !(1..=10).contains(&len) {
        return None;
    }
    let code = std::str::from_utf8(&digits[..len]).ok()?;
    let char = char::from_u32(u32::from_str_radix(code, radix).ok()?)?;
    match digits.get(len) {
        Some(b';') => Some((head + len + 1, char)),
        // Without its semicolon, a number of two or more digits is an entity if no
        // letter of the value can be taken for one of its digits.
        _ if radix == 10 && len >= 2 && (char == '\t' || !char.is_control()) => {
            Some((head + len, char))
        }
        _ => None,
    }
}

/// The meanings of named entities that can occur in or next to a value (HTML, named
/// character references).
fn entity_char(name: &[u8]) -> Option<char> {
    Some(match name {
        b"amp" | b"AMP" => '&',
        b"lt" | b"LT" => '<',
        b"gt" | b"GT" => '>',
        b"quot" | b"QUOT" => '"',
        b"apos" => '\'',
        b"nbsp" => '\u{a0}',
        b"ensp" | b"emsp" | b"thinsp" => ' ',
        b"Tab" => '\t',
        b"NewLine" => '\n',
        b"period" => '.',
        b"sol" => '/',
        b"bsol" => '\\',
        b"colon" => ':',
        b"semi" => ';',
        b"comma" => ',',
        b"commat" => '@',
        b"num" => '#',
        b"percnt" => '%',
        b"equals" => '=',
        b"quest" => '?',
        b"excl" => '!',
        b"plus" => '+',
        b"ast" | b"midast" => '*',
        b"dollar" => '$',
        b"lowbar" | b"UnderBar" => '_',
        b"hyphen" | b"dash" => '-',
        b"lpar" => '(',
        b"rpar" => ')',
        b"lsqb" | b"lbrack" => '[',
        b"rsqb" | b"rbrack" => ']',
        b"lcub" | b"lbrace" => '{',
        b"rcub" | b"rbrace" => '}',
        b"verbar" | b"vert" | b"VerticalLine" => '|',
        b"Hat" => '^',
        b"grave" => '`',
        b"ldquo" => '\u{201c}',
        b"rdquo" => '\u{201d}',
        b"lsquo" => '\u{2018}',
        b"rsquo" => '\u{2019}',
        b"laquo" => '\u{ab}',
        b"raquo" => '\u{bb}',
        b"ndash" => '\u{2013}',
        b"mdash" => '\u{2014}',
        b"hellip" => '\u{2026}',
        b"rarr" => '\u{2192}',
        b"larr" => '\u{2190}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(text: &str) -> Option<(Meaning, usize)> {
        escape_at(text.as_bytes(), 0).map(|escape| (escape.meaning, escape.len))
    }

    /// Every notation of a character.
    #[test]
    fn characters_in_every_notation_are_decoded() {
        for (text, char) in [
            ("\\u0026", '&'),
            ("\\\\u0026", '&'),
            ("\\\\\\\\u0026", '&'),
            ("\\u002E", '.'),
            ("\\u{2e}", '.'),
            ("\\U0000002e", '.'),
            ("\\x2e", '.'),
            ("\\056", '.'),
            ("\\/", '/'),
            ("\\\\/", '/'),
            ("\\\\\\\\/", '/'),
            ("\\=", '='),
            ("\\|", '|'),
            ("\\ud83d\\ude00", '\u{1f600}'),
            ("\\\\ud83d\\\\ude00", '\u{1f600}'),
            ("\\ud83d", '\u{fffd}'),
            ("&amp;", '&'),
            ("&#38;", '&'),
            ("&#0038;", '&'),
            ("&#x26;", '&'),
            ("&#X0026;", '&'),
            ("&period;", '.'),
            ("&commat;", '@'),
            ("&#46", '.'),
            ("&lt", '<'),
            ("\\u0026amp;", '&'),
            ("\\u0026#x2f;", '/'),
        ] {
            assert_eq!(meaning(text), Some((Meaning::Char(char), text.len())), "{text}");
        }
    }

    #[test]
    fn escaped_separators_are_recognised() {
        for text in [
            "\\n",
            "\\\\n",
            "\\\\\\\\t",
            "\\u000a",
            "\\u001b[31m",
            "\\x1b[1;32m",
            "\\033[0m",
            "\\e[0m",
            "#011",
            "#040",
            "^I",
            "^M",
            "\u{9b}31m",
            "\u{9b}0;1m",
            "#033[31m",
            "\u{1b}[31m",
            "\u{1b}[38;5;196m",
            "\u{1b}]8;;",
            "\u{1b}]8;id=1;",
            "\u{1b}(B",
            "^[[0m",
            "&#10;",
            "&nbsp;",
            "&#160;",
            "&#27;[31m",
        ] {
            assert_eq!(meaning(text), Some((Meaning::Separator, text.len())), "{text:?}");
        }
    }

    #[test]
    fn other_backslashes_are_no_escapes() {
        for text in [
            "\\",
            "\\\\",
            "\\evil",
            "\\.",
            "\\\\\\\\\\\\\\\\n",
            "\\u00",
            "\\x2",
            "\\xzz",
            "\\192",
            "#203.0.113.5",
            "#12",
            "&b=2",
            "&amp=1",
            "&amplitude;",
            "&#;",
            "&#x;",
            "&#x2e",
            "&",
            "^[",
            "^[x",
            "^a",
            "\u{9b}",
            "\u{9c}31m",
            "\u{1b}",
            "\u{1b}x",
            "\\\"",
            "&#99999999;",
            "&ltd=1",
            "&copy=1",
        ] {
            assert_eq!(meaning(text), None, "{text:?}");
        }
    }

    /// Escapes that may also be literal text.
    #[test]
    fn escapes_that_may_be_literal_are_doubtful() {
        let doubtful = |text: &str, at| escape_at(text.as_bytes(), at).unwrap().doubtful;
        assert_eq!(doubtful("\\\\nas.example", 0), Some(2));
        assert_eq!(doubtful("\\\\203.0.113.5", 0), Some(2));
        assert_eq!(doubtful("line\\nevil.example", 4), None);
        assert_eq!(doubtful("C:\\temp\\new", 7), Some(1));
        assert_eq!(doubtful("C:\\new", 2), Some(1));
        assert_eq!(doubtful("http:\\new", 5), None);
    }
}
