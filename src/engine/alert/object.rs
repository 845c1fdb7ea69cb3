//! JSON objects, written straight into a buffer.
//!
//! Building a tree of values for each alert only to print it would cost more than
//! finding the hit did. Members are written in the order of the calls; those that
//! have nothing to say are left out, commas and all.
//!
//! Beside what JSON demands, `DEL`, the C1 controls, the line separators U+2028 and
//! U+2029, and what reorders or hides text are escaped: a record is one line for every
//! reader, and printing one can't steer a terminal. A parser gives back the same text.

use crate::engine::error::is_harmful;
use std::fmt;
use std::io::Write;

/// An object that is being written.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

/// Writes one object; `fill` adds its members.
pub(super) fn write_object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    write_counted(out, fill);
}

/// [`write_object`] that tells whether the object stayed empty.
fn write_counted(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) -> bool {
    out.push(b'{');
    let mut object = Object { out, is_empty: true };
    fill(&mut object);
    let Object { out, is_empty } = object;
    out.push(b'}');
    is_empty
}

impl Object<'_> {
    /// The names are ours and need no escaping.
    fn name(&mut self, name: &str) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Text, also when it is empty.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        quote(self.out, text);
    }

    /// Text, where there is some.
    pub(super) fn maybe(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.text(name, text);
        }
    }

    /// What prints as text without any character that needs escaping: addresses,
    /// times.
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

    /// An array of texts, where there are any.
    pub(super) fn texts<T: AsRef<str>>(&mut self, name: &str, texts: impl IntoIterator<Item = T>) {
        self.array(name, texts, |out, text| quote(out, text.as_ref()));
    }

    /// An array of numbers, where there are any.
    pub(super) fn numbers<T: Into<i128>>(
        &mut self,
        name: &str,
        numbers: impl IntoIterator<Item = T>,
    ) {
        self.array(name, numbers, |out, number| show(out, number.into()));
    }

    /// An object, where it gets members.
    pub(super) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        let (start, was_empty) = (self.out.len(), self.is_empty);
        self.name(name);
        if write_counted(self.out, fill) {
            self.out.truncate(start);
            self.is_empty = was_empty;
        }
    }

    /// An array of objects, where there are any.
    pub(super) fn objects<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Object<'_>, T),
    ) {
        self.array(name, items, |out, item| write_object(out, |object| fill(object, item)));
    }

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

/// Appends what `value` prints as.
pub(super) fn show(out: &mut Vec<u8>, value: impl fmt::Display) {
    // Writing to a Vec can't fail.
    let _ = write!(out, "{value}");
}

/// The bytes that need a look: what must be escaped, and the first bytes of
/// characters that may have to be.
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
    table[0xc2] = true; // U+0080 to U+00BF, of which up to U+009F are controls
    table[0xd8] = true; // U+0600 to U+063F, with the mark of Arabic letters
    table[0xe2] = true; // U+2000 to U+2FFF
    table[0xef] = true; // U+F000 to U+FFFF
    table[0xf3] = true; // U+C0000 and above, with the tags
    table
};

/// Appends `text` as a JSON string.
pub(super) fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text;
    // A suspect byte begins a character, so that it may be split at.
    while let Some(at) = rest.bytes().position(|byte| SUSPECT[usize::from(byte)]) {
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
