//! Nested brackets, for which the TOML parser would take too long.

use crate::engine::progress::{Walk, bound};
use crate::{Error, Result};

/// The length limit of a text, in bytes: enough for ten thousand feeds.
const MAX_LEN: usize = bound(4 << 20, 4 << 10);

/// The depth limit of nested brackets; a table of settings needs three.
const MAX_DEPTH: usize = bound(32, 4);

/// Rejects text that would take the TOML parser quadratic time: it restarts repeatedly in text
/// that only consists of opening brackets.
///
/// # Errors
///
/// If the text is longer than 4 MiB, or if brackets are nested more than 32 deep; then with the
/// line.
pub fn check_bounds(text: &str) -> Result<()> {
    if text.len() > MAX_LEN {
        return Err(Error::format(format!("it is longer than {MAX_LEN} bytes"))
            .remedy("not a configuration, or far too large"));
    }
    let (mut depth, mut line) = (0usize, 1);
    let mut walk = Walk::over(text.as_bytes());
    while let Some(rest) = walk.rest() {
        let length = token(rest);
        match rest[0] {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Error::format(format!("brackets are nested more than {MAX_DEPTH} deep"))
                .at_line(line)
                .remedy("reduce the nesting"));
        }
        line += rest[..length].iter().filter(|b| **b == b'\n').count() as u64;
        walk.take(length);
    }
    Ok(())
}

/// The length of the next token in which brackets do not count: a comment, a
/// string, or a single byte.
fn token(rest: &[u8]) -> usize {
    let to_end = |found: Option<usize>, length: usize| found.map_or(rest.len(), |at| at + length);
    match rest {
        [b'#', ..] => to_end(memchr::memchr(b'\n', rest), 0),
        [b'"', b'"', b'"', ..] => 3 + closing(&rest[3..], b"\"\"\"", true),
        [b'\'', b'\'', b'\'', ..] => 3 + closing(&rest[3..], b"'''", false),
        [b'"', ..] => 1 + closing(&rest[1..], b"\"", true),
        [b'\'', ..] => 1 + closing(&rest[1..], b"'", false),
        _ => 1,
    }
}

/// The length of a string, up to and including its closing quotes, or else to the
/// end of the line (if it must not continue) or of the text.
fn closing(text: &[u8], quotes: &[u8], has_escapes: bool) -> usize {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if has_escapes => at += 2,
            b'\n' if quotes.len() == 1 => return at,
            _ if text[at..].starts_with(quotes) => return at + quotes.len(),
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let open = "[".repeat(100);
        assert!(check_bounds(&open).is_err());
        let line = check_bounds(&"a = [\n".repeat(100)).unwrap_err().to_string();
        assert!(line.starts_with("line 33: "), "{line}");
        for fine in [
            format!("# {open}\nx = 1"),
            format!("x = \"{open}\""),
            format!("x = \"a\\\"{open}\""),
            format!("x = '''{open}\n'''"),
            "[]{}".repeat(1000),
        ] {
            assert!(check_bounds(&fine).is_ok(), "{fine}");
        }
        assert!(check_bounds(&"#\n".repeat(3 << 20)).is_err());
    }
}
