//! Writes JSON objects straight into a buffer.
//!
//! Building a tree of values for each alert only to print it would cost more than finding the
//! hit. Members are written in the order of the calls; empty ones are omitted together with
//! their comma.
//!
//! Besides what JSON requires, this escapes `DEL`, the C1 controls, the line separators U+2028
//! and U+2029, and characters that reorder or hide text. A record is then one line to every
//! reader, and printing one cannot control a terminal. A parser still returns the original
//! text.

use crate::engine::error::is_harmful;
use std::fmt;
use std::io::Write;

/// An object being written.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

/// Writes one object; `fill` adds its members.
pub(super) fn write_object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    write_counted(out, fill);
}

/// Like [`write_object`], but returns whether the object stayed empty.
fn write_counted(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) -> bool {
    out.push(b'{');
    let mut object = Object { out, is_empty: true };
    fill(&mut object);
    let Object { out, is_empty } = object;
    out.push(b'}');
    is_empty
}

impl Object<'_> {
    /// Writes the name of a member. Names are ours and need no escaping.
    fn name(&mut self, name: &str) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Writes a text, even an empty one.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        quote(self.out, text);
    }

    /// Writes a text unless it is missing or empty.
    pub(super) fn maybe(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.text(name, text);
        }
    }

    /// Writes a value whose text needs no escaping, such as an address or a time.
    pub(super) fn shown(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        self.out.push(b'"');
        show(self.out, value);
        self.out.push(b'"');
    }

    /// A whole number.
    pub(super) fn number(&mut self, name: &str, number: impl Into<i128>) {
        self.name(name);
        show(self.out, number.into());
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &str, flag: bool) {
        self.name(name);
        show(self.out, flag);
    }

    /// Writes an array of texts, unless it is empty.
    pub(super) fn texts<T: AsRef<str>>(&mut self, name: &str, texts: impl IntoIterator<Item = T>) {
        self.array(name, texts, |out, text| quote(out, text.as_ref()));
    }

    /// Writes an array of numbers, unless it is empty.
    pub(super) fn numbers<T: Into<i128>>(
        &mut self,
        name: &str,
        numbers: impl IntoIterator<Item = T>,
    ) {
        self.array(name, numbers, |out, number| show(out, number.into()));
    }

    /// Writes an object, unless `fill` adds no members.
    pub(super) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        let (start, was_empty) = (self.out.len(), self.is_empty);
        self.name(name);
        if write_counted(self.out, fill) {
            // Whether it is empty shows only after the name is written: take both back.
            self.out.truncate(start);
            self.is_empty = was_empty;
        }
    }

    /// Writes an array of objects, unless it is empty.
    pub(super) fn objects<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Object<'_>, T),
    ) {
        self.array(name, items, |out, item| write_object(out, |object| fill(object, item)));
    }

    /// Writes an array unless it is empty; `write` appends one item.
    fn array<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Vec<u8>, T),
    ) {
        let mut items = items.into_iter();
        let Some(first) = items.next() else { return };
        self.name(name);
        self.out.push(b'[');
        write(self.out, first);
        for item in items {
            self.out.push(b',');
            write(self.out, item);
        }
        self.out.push(b']');
    }
}

/// Appends the text of `value`.
pub(super) fn show(out: &mut Vec<u8>, value: impl fmt::Display) {
    // Writing to a Vec can't fail.
    let _ = write!(out, "{value}");
}

/// Bytes that need a closer look: those to escape, and the first bytes of characters that may
/// need escaping. Everything else is copied in runs, which is nearly all of a record.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[0x7f] = true;
    table[0xc2] = true; // U+0080 to U+00BF; C1 controls end at U+009F
    table[0xd8] = true; // U+0600 to U+063F, with the Arabic letter mark
    table[0xe2] = true; // U+2000 to U+2FFF
    table[0xef] = true; // U+F000 to U+FFFF
    table[0xf3] = true; // U+C0000 and above, with the tag characters
    table
};

/// The position of the first suspect byte. Nearly all text is plain ASCII, which passes in blocks
/// that are compared at once.
fn first_suspect(text: &[u8]) -> Option<usize> {
    const BLOCK: usize = 16;
    let is_odd = |&byte: &u8| !(b' '..=b'~').contains(&byte) | matches!(byte, b'"' | b'\\');
    let is_plain = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | is_odd(byte));
    let plain = BLOCK * text.chunks_exact(BLOCK).take_while(is_plain).count();
    let rest = text.get(plain..).unwrap_or_default();
    rest.iter().position(|&byte| SUSPECT[usize::from(byte)]).map(|at| plain + at)
}

/// Appends `text` as a JSON string.
pub(super) fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text;
    // A suspect byte is ASCII or a lead byte of UTF-8, so it is a valid place to split.
    while let Some(at) = first_suspect(rest.as_bytes()) {
        let (plain, suspect) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut chars = suspect.chars();
        if let Some(char) = chars.next() {
            escape(out, char);
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// Appends a character, escaped if JSON or [`is_harmful`] demands it. Beyond U+FFFF
/// an escape is a pair of surrogates (RFC 8259, section 7).
fn escape(out: &mut Vec<u8>, char: char) {
    match char {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ if is_harmful(char) => {
            for unit in char.encode_utf16(&mut [0; 2]) {
                show(out, format_args!("\\u{unit:04x}"));
            }
        }
        _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_survives() {
        for char in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = format!("a{char}b");
            let mut out = Vec::new();
            quote(&mut out, &text);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text, "{char:?}");
            let json = std::str::from_utf8(&out).unwrap();
            assert!(!json.chars().any(is_harmful), "{char:?}");
            assert_eq!(json.lines().count(), 1, "{char:?}");
        }
    }

    /// Compared with a check of each byte, with blocks of any kind before it.
    #[test]
    fn the_first_suspect_byte_is_found() {
        for before in ["a", "ä", "aaaaäaaaa~ aaaaaa"] {
            for length in 0..70 {
                for suspect in ['"', '\\', '\n', '\u{7f}', '\u{85}', '\u{202e}'] {
                    let text = format!("{}{suspect}\"", before.repeat(length));
                    let slow = text.bytes().position(|byte| SUSPECT[usize::from(byte)]);
                    assert_eq!(first_suspect(text.as_bytes()), slow, "{text:?}");
                    assert_eq!(slow, Some(before.len() * length));
                }
                assert_eq!(first_suspect(before.repeat(length).as_bytes()), None);
            }
        }
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let mut out = Vec::new();
        write_object(&mut out, |o| {
            o.object("none", |o| o.maybe("text", Some("")));
            o.texts("none", [""; 0]);
            o.number("one", 1u8);
            o.object("none", |o| o.object("none", |_| ()));
            o.objects("two", [1u8, 2], |o, n| o.number("n", n));
            o.numbers("three", [-1i64, 2]);
            o.flag("four", true);
        });
        let want = r#"{"one":1,"two":[{"n":1},{"n":2}],"three":[-1,2],"four":true}"#;
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
