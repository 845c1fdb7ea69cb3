//! What people read on standard error.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;
use wiresift::engine::error::{spelt, spelt_json, spelt_name};
use wiresift::{Error, Result};

/// An error, with its place and its remedy.
pub(super) fn error(error: &Error) {
    say(&format!("wiresift: {error}"));
}

/// A line of any kind. Names of files, values of feeds and words of servers may be in it:
/// nothing of it steers the terminal, and nothing begins another line. Where even standard error
/// is gone nobody is left to tell.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", spelt(line));
}

/// A line of JSON.
pub(super) fn say_json(value: &serde_json::Value) {
    let _ = writeln!(std::io::stderr().lock(), "{}", spelt_json(&value.to_string()));
}

/// Writes to standard output. What comes from outside is spelt out already.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_ref())
        .and_then(|()| out.flush())
        .map_err(|e| Error::io("cannot write to standard output", e))
}

/// A path, for people.
pub(super) fn name(path: &Path) -> Cow<'_, str> {
    spelt_name(path.as_os_str())
}

/// A number with thin groups: `1 778 750`.
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

/// A size in binary units.
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

/// One, or many.
pub(super) fn plural(count: u64, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {word}{ending}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(grouped(1_778_750), "1 778 750");
        assert_eq!(grouped(12), "12");
        assert_eq!(size(512), "512 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(plural(1, "alert"), "1 alert");
        assert_eq!(plural(1000, "alert"), "1 000 alerts");
    }
}
