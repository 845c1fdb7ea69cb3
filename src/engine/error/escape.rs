//! Untrusted text on its way to a terminal.
//!
//! File names, values of feeds and messages of servers are chosen by others. Printed unchanged,
//! they could set the title of a terminal, overwrite earlier output, or reorder the text.
//! Everything that is printed for people must pass through here.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

/// Whether a character controls a terminal, ends a line, or reorders or hides text: control
/// characters (C0, DEL, C1), line separators, direction marks, and zero-width characters.
pub fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text with its harmful characters escaped, as `\n`, `\x1b` or `\u{202e}`.
pub fn escape_text(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    push(&mut out, text);
    Cow::Owned(out)
}

/// The same for file names, which need not be UTF-8; see [`name_text`].
pub fn escape_file_name(name: &OsStr) -> Cow<'_, str> {
    match name_text(name.as_bytes()) {
        Cow::Borrowed(text) => escape_text(text),
        Cow::Owned(text) => Cow::Owned(escape_text(&text).into_owned()),
    }
}

/// A file name as text, for alerts and errors. Linux allows any bytes: those that are not UTF-8
/// are escaped as `\xff`, and backslashes next to them, or in names that contain such an escape
/// literally, are doubled, so that different names stay different.
pub fn name_text(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(text) if !looks_escaped(name) => Cow::Borrowed(text),
        _ => {
            let mut text = String::with_capacity(name.len() + 16);
            for chunk in name.utf8_chunks() {
                text.push_str(&chunk.valid().replace('\\', "\\\\"));
                chunk.invalid().iter().for_each(|byte| push_byte(&mut text, *byte));
            }
            Cow::Owned(text)
        }
    }
}

/// Whether the name contains what looks like an escaped byte.
fn looks_escaped(name: &[u8]) -> bool {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    name.windows(4).any(|w| w[0] == b'\\' && w[1] == b'x' && is_hex(w[2]) && is_hex(w[3]))
}

/// JSON with the harmful characters in its strings as `\uNNNN`. Parsing it yields the same text.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        if is_harmful(char) && !matches!(char, '\n' | '\t' | '\r') {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

fn push(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if char.is_ascii_control() => push_byte(out, char as u8),
            _ if is_harmful(char) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
}

fn push_byte(out: &mut String, byte: u8) {
    let _ = write!(out, "\\x{byte:02x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmful_characters_are_escaped() {
        for char in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = format!("a{char}b");
            let shown = escape_text(&text);
            assert!(!shown.chars().any(is_harmful), "{char:?}");
            assert_eq!(shown == text, !is_harmful(char), "{char:?}");
            let json = serde_json::to_string(&text).unwrap();
            let shown = escape_json(&json);
            assert!(!shown.chars().any(is_harmful), "{char:?}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text, "{char:?}");
        }
    }

    #[test]
    fn names_that_are_not_utf8_stay_distinct() {
        let shown = |name: &'static [u8]| escape_file_name(OsStr::from_bytes(name));
        assert_eq!(shown(b"x\x1b]0;t\x07.pcap"), "x\\x1b]0;t\\x07.pcap");
        assert_eq!(shown(b"\xff\xfe.log"), "\\xff\\xfe.log");
        assert_ne!(shown(b"\xff.log"), shown(b"\xfe.log"));
        assert_eq!(shown("a\u{202e}b\u{9b}c\u{2028}".as_bytes()), "a\\u{202e}b\\u{9b}c\\u{2028}");
        assert_eq!(shown("grün.log".as_bytes()), "grün.log");
        assert_eq!(shown(b"a\nwiresift: b"), "a\\nwiresift: b");
        assert_eq!(shown(b"\xc2\xff\x1b"), "\\xc2\\xff\\x1b");
        // As in alerts.
        assert_eq!(shown(b"a\\\xff"), "a\\\\\\xff");
        assert_eq!(shown(b"\\xff.log"), "\\\\xff.log");
    }
}
