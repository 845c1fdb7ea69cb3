//! Text that people wrote, made safe for the grammars of other programs.
//!
//! The name of a pulse is chosen by a stranger and ends up in the configuration of sensors. Each
//! function returns text that its grammar reads as one piece of data, whatever was written.

use crate::engine::error::is_harmful;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A text on one line: control characters, line separators and characters that reorder text
/// become spaces.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|char| if is_harmful(char) { ' ' } else { char }).collect::<String>().into()
}

/// Whether a value has a line of its own: it is not empty, contains no character that
/// [`one_line`] would replace, and does not begin or end with a space.
pub(super) fn is_line(value: &str) -> bool {
    !value.is_empty() && value.trim() == value && !value.chars().any(is_harmful)
}

/// Appends a field of a CSV file (RFC 4180), in quotes if it needs them.
pub(super) fn push_csv(out: &mut String, field: &str) {
    if !field.contains(['"', ',', '\n', '\r']) && field.trim() == field {
        out.push_str(field);
        return;
    }
    out.push('"');
    for char in field.chars() {
        if char == '"' {
            out.push('"');
        }
        out.push(char);
    }
    out.push('"');
}

/// A field that spreadsheets do not take for a formula: they do if it begins with one of these
/// characters, and an apostrophe before it makes it text.
pub(super) fn without_formula(field: &str) -> Cow<'_, str> {
    let first = field.trim_start_matches(' ').chars().next();
    if matches!(first, Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'))
    {
        Cow::Owned(format!("'{field}"))
    } else {
        Cow::Borrowed(field)
    }
}

/// Appends text to an XML document. `false` if XML 1.0 has no way to write it (section 2.2:
/// control characters, also as references); then nothing is appended.
pub(super) fn push_xml(out: &mut String, text: &str) -> bool {
    let is_impossible = |char: char| {
        char < ' ' && !matches!(char, '\t' | '\n' | '\r') || matches!(char, '\u{fffe}' | '\u{ffff}')
    };
    if text.chars().any(is_impossible) {
        return false;
    }
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Parsers turn these into other white space, unless they are references.
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(char));
            }
            other => out.push(other),
        }
    }
    true
}

/// Appends a string literal of the STIX pattern language (STIX 2.1, section 9.2).
pub(super) fn push_stix(out: &mut String, value: &str) {
    out.push('\'');
    for char in value.chars() {
        if matches!(char, '\'' | '\\') {
            out.push('\\');
        }
        out.push(char);
    }
    out.push('\'');
}

/// A column of a Zeek file. Zeek splits rows at tabs, takes `-` for a missing value and decodes
/// `\xHH` (`get_unescaped_string` in its `util.cc`); it knows no other escapes.
pub(super) fn zeek(text: &str) -> Cow<'_, str> {
    let text = one_line(text);
    match text.trim() {
        "" => return Cow::Borrowed("-"),
        "-" => return Cow::Borrowed("\\x2d"),
        "(empty)" => return Cow::Borrowed("\\x28empty)"),
        _ => {}
    }
    if text.contains("\\x") { Cow::Owned(text.replace("\\x", "\\x5cx")) } else { text }
}

/// The message of a Suricata rule, without its quotes. Suricata ends an option at any `;`
/// without a backslash before it, even inside of quotes.
pub(super) fn suricata(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for char in one_line(text).chars() {
        if matches!(char, ';' | '"' | '\\' | ':' | '|') {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// The first `max` characters of a text.
pub(super) fn shortened(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        assert_eq!(one_line("plain"), "plain");
        assert_eq!(one_line("a\r\nb\u{202e}c\u{7}"), "a  b c ");
        assert!(is_line("a b") && !is_line("") && !is_line(" a") && !is_line("a\nb"));
        assert_eq!(shortened("äöü", 2), "äö");
        assert_eq!(shortened("äö", 2), "äö");
    }

    #[test]
    fn csv() {
        let field = |text: &str| {
            let mut out = String::new();
            push_csv(&mut out, text);
            out
        };
        assert_eq!(field("a"), "a");
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
        for harmful in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1"] {
            assert_eq!(without_formula(harmful), format!("'{harmful}"));
        }
        assert_eq!(without_formula("a=1"), "a=1");
    }

    #[test]
    fn xml() {
        let mut out = String::new();
        assert!(push_xml(&mut out, "]]><a b=\"c\" d='e'>&\n"));
        assert_eq!(out, "]]&gt;&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;&#10;");
        assert!(!push_xml(&mut out, "a\u{c}b"));
        assert!(out.ends_with("&#10;"));
    }

    #[test]
    fn grammars_of_sensors() {
        let mut out = String::new();
        push_stix(&mut out, r"a'b\c");
        assert_eq!(out, r"'a\'b\\c'");
        assert_eq!(zeek("a\tb\nc"), "a b c");
        assert_eq!((&*zeek(" "), &*zeek("-"), &*zeek("(empty)")), ("-", "\\x2d", "\\x28empty)"));
        assert_eq!(zeek(r"C:\x41\y"), r"C:\x5cx41\y");
        assert_eq!(suricata("a\"; sid:1; \\ |"), r#"a\"\; sid\:1\; \\ \|"#);
    }
}
