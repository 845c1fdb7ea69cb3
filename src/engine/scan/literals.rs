//! Verifies strings around a matching window of text, and checks their surroundings
//! (matching specification, sections 6.5 and 6.6).
//!
//! A window only says that four characters agree. A string may be in a log as it
//! is, or as JSON encodes it: `C:\\Users`, `\/tmp`, `\u00fc`. Both are tried. The
//! comparison ignores case; whether case matters is up to the kind's normal form,
//! which the look-up applies afterwards.

use crate::engine::database::Literal;
use crate::engine::indicator::gram::is_plain;
use crate::engine::indicator::{Kind, words};
use std::ops::Range;

/// How far beyond its ends to look for parts of a longer user agent.
const MAX_TOKEN: usize = 64;

/// A string that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) span: Range<usize>,
    /// Whether it only counts in a field whose name fits its kind.
    pub(super) needs_field: bool,
}

/// How a string is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    AsItIs,
    Json,
}

/// Finds the string around the window at `at`, and writes its text without escapes
/// to `verbatim`.
pub(super) fn find(
    text: &[u8],
    at: usize,
    literal: &Literal<'_>,
    verbatim: &mut String,
) -> Option<Found> {
    let hive = match literal.kind {
        Kind::Regkey => words::hive(literal.text),
        _ => None,
    };
    let body = &literal.text[hive.map_or(0, |(short, _)| short.len())..];
    if !literal.escaped && !is_near(text, at, body.as_bytes(), literal.place) {
        return None;
    }
    let json = !body.bytes().all(is_plain);
    let forms: &[Form] = match (literal.escaped, json) {
        (true, _) => &[Form::Json],
        (false, true) => &[Form::Json, Form::AsItIs],
        (false, false) => &[Form::AsItIs],
    };
    for &form in forms {
        let start = match literal.escaped {
            true => at.checked_sub(literal.place),
            false => body.get(..literal.place).and_then(|head| back(text, at, head, form)),
        };
        let Some(start) = start else { continue };
        let Some(end) = compare(text, start, body, form) else { continue };
        let start = match hive {
            Some((short, others)) => match hive_before(text, start, short, others, form) {
                Some(start) => start,
                None => continue,
            },
            None => start,
        };
        let place = Place { text, span: start..end, form, kind: literal.kind };
        if place.is_whole(body) {
            decode(text, start..end, form, verbatim);
            return Some(Found { needs_field: place.needs_field(), span: start..end });
        }
    }
    None
}

/// Compares the plain bytes of `body` around its window with those of the text.
/// This is cheap, and rejects most strings that only share the window.
fn is_near(text: &[u8], at: usize, body: &[u8], place: usize) -> bool {
    let (Some(head), Some(tail)) = (body.get(..place), body.get(place..)) else { return false };
    let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else { return false };
    let is_same = |(&mine, &theirs): (&u8, &u8)| mine | 0x20 == theirs | 0x20;
    let plain = tail.iter().take_while(|&&b| is_plain(b)).count();
    if after.len() < plain || !tail[..plain].iter().zip(after).all(is_same) {
        return false;
    }
    let plain = head.iter().rev().take_while(|&&b| is_plain(b)).count();
    before.len() >= plain && head.iter().rev().take(plain).zip(before.iter().rev()).all(is_same)
}

/// Returns where the string begins whose `head` ends at `at`.
fn back(text: &[u8], at: usize, head: &str, form: Form) -> Option<usize> {
    head.chars().rev().try_fold(at, |at, char| match form {
        Form::AsItIs if char.is_ascii() => at.checked_sub(1),
        Form::Json if char == '\\' => match text.get(at.checked_sub(2)?..at)? {
            b"\\\\" => Some(at - 2),
            _ => before_code(text, at),
        },
        Form::Json if char.is_ascii() => {
            let byte = *text.get(at.checked_sub(1)?)?;
            if !byte.eq_ignore_ascii_case(&(char as u8)) {
                return before_code(text, at);
            }
            let escaped = matches!(byte, b'/' | b'"') && is_escaped(text, at - 1);
            Some(at - 1 - usize::from(escaped))
        }
        _ => {
            if *text.get(at.checked_sub(1)?)? < 0x80 {
                let at = before_code(text, at)?;
                // The other half of a surrogate pair.
                return Some(if char.len_utf16() == 2 { before_code(text, at)? } else { at });
            }
            let last = &text[at.saturating_sub(4)..at];
            let lead = last.iter().rposition(|b| b & 0xc0 != 0x80)?;
            Some(at - (last.len() - lead))
        }
    })
}

/// Returns where the `\uXXXX` that ends at `at` begins.
fn before_code(text: &[u8], at: usize) -> Option<usize> {
    let start = at.checked_sub(6)?;
    code_at(text, start).map(|_| start)
}

/// Whether an odd number of backslashes precedes `at`, so that it is escaped.
fn is_escaped(text: &[u8], at: usize) -> bool {
    text[..at].iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 1
}

/// Parses the UTF-16 unit of a `\uXXXX`.
fn code_at(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at.checked_add(6)?)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Decodes the character at `at`. Returns it with its length in the text.
fn next_char(text: &[u8], at: usize, form: Form) -> Option<(char, usize)> {
    let byte = *text.get(at)?;
    if byte == b'\\' && form == Form::Json {
        return match *text.get(at + 1)? {
            plain @ (b'\\' | b'"' | b'/') => Some((char::from(plain), 2)),
            b'u' => {
                let first = code_at(text, at)?;
                let second = code_at(text, at + 6).unwrap_or(0);
                let mut units = char::decode_utf16([first, second]);
                let char = units.next()?.ok()?;
                Some((char, 6 * char.len_utf16()))
            }
            _ => None,
        };
    }
    if byte < 0x80 {
        let ends = byte == b'"' && form == Form::Json;
        return (!ends).then_some((char::from(byte), 1));
    }
    let rest = &text[at..(at + 4).min(text.len())];
    let char = rest.utf8_chunks().next()?.valid().chars().next()?;
    Some((char, char.len_utf8()))
}

/// Returns where `body` ends if the text at `start` equals it, ignoring case.
fn compare(text: &[u8], start: usize, body: &str, form: Form) -> Option<usize> {
    // Greek has two lower-case sigmas, one for the ends of words.
    let loose = |char: char| if char == 'ς' { 'σ' } else { char };
    let mut wanted = body.chars().flat_map(char::to_lowercase).map(loose).peekable();
    let mut at = start;
    while wanted.peek().is_some() {
        let (char, len) = next_char(text, at, form)?;
        for lower in char.to_lowercase().map(loose) {
            if wanted.next()? != lower {
                return None;
            }
        }
        at += len;
    }
    Some(at)
}

/// Returns where the name of the registry hive that ends at `end` begins: `HKLM` or
/// `HKEY_LOCAL_MACHINE`.
fn hive_before(text: &[u8], end: usize, short: &str, others: &[&str], form: Form) -> Option<usize> {
    others.iter().chain([&short]).find_map(|name| {
        let start = back(text, end, name, form)?;
        (compare(text, start, name, form)? == end).then_some(start)
    })
}

/// Decodes a span, without its escapes.
fn decode(text: &[u8], span: Range<usize>, form: Form, out: &mut String) {
    out.clear();
    let mut at = span.start;
    while at < span.end {
        let Some((char, len)) = next_char(text, at, form) else { return };
        out.push(char);
        at += len;
    }
}

/// Whether a character continues a word: letters, digits and the underscore.
fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// [`is_word`] for a byte. Bytes beyond ASCII count as letters: decoding them all
/// would cost more than it decides.
fn is_word_byte(byte: Option<&u8>) -> bool {
    byte.is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80)
}

/// A string and its surroundings.
struct Place<'t> {
    text: &'t [u8],
    span: Range<usize>,
    form: Form,
    kind: Kind,
}

impl Place<'_> {
    /// Whether the string is the whole value, not part of a longer one.
    fn is_whole(&self, body: &str) -> bool {
        if self.char_before().is_some_and(is_word) || self.char_after().is_some_and(is_word) {
            return false;
        }
        let (before, after) = (self.byte_before(), self.text.get(self.span.end));
        match self.kind {
            // `.` before a path makes it relative: `./etc/passwd` is not
            // `/etc/passwd`.
            Kind::Filepath | Kind::Regkey => {
                before != Some(b'.') && !self.goes_on(body.contains('\\'))
            }
            Kind::Filename => !matches!(before, Some(b'.' | b'-')) && !self.goes_on(false),
            // Base64 and ssdeep's `size:hash:hash`: the characters of their
            // alphabets continue the value.
            Kind::Ssdeep | Kind::Impfuzzy | Kind::SshKey => {
                let next = self.text.get(self.span.end + 1);
                let goes_on = match after {
                    Some(b'+' | b'/') => true,
                    Some(b':') => is_word_byte(next),
                    _ => false,
                };
                !goes_on && !matches!(before, Some(b'+' | b'/'))
            }
            Kind::UserAgent => self.is_whole_agent(),
            _ => true,
        }
    }

    fn byte_before(&self) -> Option<u8> {
        self.text.get(self.span.start.checked_sub(1)?).copied()
    }

    /// The character before the string; an escape counts as the character it
    /// encodes.
    fn char_before(&self) -> Option<char> {
        let (text, start) = (self.text, self.span.start);
        let byte = self.byte_before()?;
        if byte < 0x80 {
            // In an unescaped path, `
            // ` begins a name.
            let blank = matches!(byte, b'n' | b'r' | b't' | b'b' | b'f')
                && self.kind != Kind::Filename
                && is_escaped(text, start - 1);
            if blank {
                return Some(' ');
            }
            let code = start.checked_sub(6).filter(|&at| is_escaped(text, at + 1));
            if let Some(unit) = code.and_then(|at| code_at(text, at)) {
                return Some(char::from_u32(unit.into()).unwrap_or('\u{fffd}'));
            }
            return Some(char::from(byte));
        }
        let last = &text[start.saturating_sub(4)..start];
        let lead = last.iter().rposition(|b| b & 0xc0 != 0x80)?;
        std::str::from_utf8(&last[lead..]).ok()?.chars().next()
    }

    /// The character after the string; an escape counts as the character it
    /// encodes.
    fn char_after(&self) -> Option<char> {
        if let Some(unit) = code_at(self.text, self.span.end) {
            return Some(char::from_u32(unit.into()).unwrap_or('\u{fffd}'));
        }
        next_char(self.text, self.span.end, Form::AsItIs).map(|(char, _)| char)
    }

    /// Whether a path or name continues after the string and so is a different one.
    /// `backslashes` says that the string contains some, which shows how they are
    /// encoded here.
    fn goes_on(&self, backslashes: bool) -> bool {
        let at = |ahead| self.text.get(self.span.end + ahead);
        match at(0) {
            Some(b'.' | b'-' | b'/') => is_word_byte(at(1)),
            // Except in a path with backslashes, a backslash begins an escape.
            Some(b'\\') => match self.form {
                Form::AsItIs => backslashes && is_word_byte(at(1)),
                Form::Json => matches!(at(1), Some(b'\\' | b'/')) && is_word_byte(at(2)),
            },
            _ => false,
        }
    }

    /// Whether the string is a complete user agent. An agent is a list of products
    /// and comments, and a longer list is a different agent. In quotes or between
    /// tabs the string must fill the space; elsewhere no product or comment may
    /// precede or follow it.
    fn is_whole_agent(&self) -> bool {
        let (text, end) = (self.text, self.span.end);
        let after = text.get(end).copied().unwrap_or(b'\n');
        match self.byte_before().unwrap_or(b'\n') {
            quote @ (b'"' | b'\'') => {
                after == quote || after == b'\\' && text.get(end + 1) == Some(&quote)
            }
            b'\t' => matches!(after, b'\t' | b'\r' | b'\n'),
            before => {
                let goes_on = match after {
                    b' ' => self.part_after(),
                    b'.' | b'/' | b';' | b'-' | b'+' | b'(' => is_word_byte(text.get(end + 1)),
                    _ => false,
                };
                let began = match before {
                    b' ' => self.part_before(),
                    other => b"./-+)(".contains(&other),
                };
                !goes_on && !began
            }
        }
    }

    /// Whether a product or a comment follows after a space.
    fn part_after(&self) -> bool {
        let start = self.span.end + 1;
        let rest = &self.text[start..(start + MAX_TOKEN).min(self.text.len())];
        let token = rest.split(|&b| b <= b' ').next().unwrap_or(rest);
        token.starts_with(b"(") || is_product(token)
    }

    /// Whether a product or a comment precedes, before a space. `HTTP/1.1` is not a
    /// product but the end of a request line.
    fn part_before(&self) -> bool {
        let end = self.span.start - 1;
        let rest = &self.text[end.saturating_sub(MAX_TOKEN)..end];
        let token = rest.rsplit(|&b| b <= b' ').next().unwrap_or(rest);
        token.ends_with(b")") || is_product(token) && !token.starts_with(b"HTTP/")
    }

    /// Whether the string only counts in a field whose name fits its kind. File
    /// names such as `update.exe` or `data.bin` are too common in free text.
    fn needs_field(&self) -> bool {
        match self.kind {
            Kind::Filename => true,
            // A pipe's name is an ordinary word; only the backslash before it makes
            // it a pipe.
            Kind::Pipe => self.byte_before() != Some(b'\\'),
            _ => false,
        }
    }
}

/// Whether this is a product, such as `name/1.0` (RFC 9110, section 10.1.5).
fn is_product(token: &[u8]) -> bool {
    let slash = memchr::memchr(b'/', token).unwrap_or(0);
    slash > 0
        && token[..slash].iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
        && token.get(slash + 1).is_some_and(u8::is_ascii_digit)
}

/// Whether the name of a field suggests values of this kind.
pub(super) fn is_field_of(kind: Kind, field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    let (parent, last) = field.rsplit_once('.').unwrap_or(("", &field));
    let last: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
    match kind {
        Kind::Filename => {
            // As in `Image` and `TargetFilename` (Sysmon), `process.executable`
            // (ECS) or `file_name` (Suricata).
            const OF_FILES: &[&str] = &[
                "file",
                "process",
                "image",
                "executable",
                "exe",
                "module",
                "driver",
                "attachment",
            ];
            let names_file = |name: &str| {
                OF_FILES.iter().any(|word| name.ends_with(word)) && !name.ends_with("profile")
            };
            let bare = ["names", "name", "paths", "fullpath", "path", "s"]
                .iter()
                .find_map(|end| last.strip_suffix(end))
                .unwrap_or(&last);
            let parent = bare.is_empty() && (names_file(parent) || parent.ends_with("files"));
            names_file(&last) || names_file(bare) || parent
        }
        Kind::Pipe => last.contains("pipe"),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
