//! Texts that people write, before they reach anybody's sensor.
//!
//! Names are pasted into rules and tables by clients, some of which escape nothing: so they are
//! in NFC, one line, without controls and without characters that reorder or hide others.

use crate::engine::error::is_harmful;
use unicode_normalization::UnicodeNormalization as _;

/// A name, title, tag or other single line.
///
/// # Errors
///
/// Says which character is not allowed.
pub fn clean_line(text: &str) -> Result<String, String> {
    let line: String = text.trim().nfc().collect();
    match line.chars().find(|&c| is_harmful(c)) {
        Some(c) => Err(format!("the character U+{:04X} is not allowed", u32::from(c))),
        None => Ok(line),
    }
}

/// A text of several lines: tabs and line ends are allowed, other controls are removed.
pub fn clean_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.nfc().filter(|&c| matches!(c, '\n' | '\t') || !is_harmful(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_hide_anything() {
        assert_eq!(clean_line(" e\u{301}vil ").as_deref(), Ok("évil"));
        for text in ["a\nb", "a\tb", "a\u{202e}b", "a\u{0}b", "a\u{2028}b", "a\u{200b}b"] {
            assert!(clean_line(text).is_err(), "{text:?}");
        }
        assert_eq!(clean_text("a\r\nb\u{7}\tc"), "a\nb\tc");
    }
}
