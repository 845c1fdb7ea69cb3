//! Messages for people on standard error, and the formats of numbers, sizes and paths in them.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;
use wiresift::engine::error::{escape_file_name, escape_json, escape_text};
use wiresift::{Error, Result};

/// Prints an error with its place and remedy.
pub(super) fn error(error: &Error) {
    say(&format!("wiresift: {error}"));
}

/// Prints a line. It may quote file names, values of feeds and replies of servers, so control
/// characters are escaped: nothing in it can move the cursor or start another line. An error of
/// standard error itself is ignored, because there is nowhere to report it.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", escape_text(line));
}

/// Prints a line of JSON to standard error.
pub(super) fn say_json(value: &serde_json::Value) {
    let _ = writeln!(std::io::stderr().lock(), "{}", escape_json(&value.to_string()));
}

/// Writes to standard output. The caller has escaped what comes from outside.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_ref())
        .and_then(|()| out.flush())
        .map_err(|e| Error::io("write to standard output", e))
}

/// A path as shown to people, with control characters and invalid UTF-8 escaped.
pub(super) fn name(path: &Path) -> Cow<'_, str> {
    escape_file_name(path.as_os_str())
}

/// Formats a number in groups of three digits: `1 778 750`. A space, because comma and full
/// stop mean opposite things in different countries.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Formats a size in binary units: `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// Formats a count with its noun, adding an s unless it is 1.
pub(super) fn plural(count: u64, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {word}{ending}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sizes_and_plurals_are_written_for_people() {
        assert_eq!(grouped(1_778_750), "1 778 750");
        assert_eq!(grouped(12), "12");
        assert_eq!(size(512), "512 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(plural(1, "alert"), "1 alert");
        assert_eq!(plural(1000, "alert"), "1 000 alerts");
    }
}
