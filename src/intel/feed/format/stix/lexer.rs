//! The tokens of the STIX pattern language.

use crate::engine::progress::Walk;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// A keyword, an object type or a property: letters, digits, `_` and `-`.
    Word(&'a str),
    /// `'…'`, with its escapes decoded.
    Text(String),
    /// An integer or a fraction, as written.
    Number(&'a str),
    /// `t'…'`.
    Time(String),
    /// `h'…'` or `b'…'`, which nothing here compares.
    Binary,
    /// An operator or punctuation.
    Mark(&'static str),
}

/// Operators and punctuation, the longer ones first.
const MARKS: &[&str] =
    &["!=", "<>", "<=", ">=", "==", "=", "<", ">", "[", "]", "(", ")", ",", ".", ":", "*"];

/// Splits a pattern into tokens; `Err` describes what is invalid.
pub(super) fn tokens(pattern: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    // Each iteration reads a token, or what separates two.
    let mut walk = Walk::over(pattern.as_bytes());
    loop {
        walk.take(pattern.len() - rest.len() - walk.at());
        rest = rest.trim_start();
        let Some(&first) = rest.as_bytes().first() else { return Ok(tokens) };
        if walk.is_stuck() {
            return Err("it cannot be split into tokens".into());
        }
        if let Some(after) = rest.strip_prefix("/*") {
            let end = after.find("*/").ok_or("a comment does not end")?;
            rest = &after[end + 2..];
        } else if let Some(after) = rest.strip_prefix("//") {
            rest = after.find('\n').map_or("", |end| &after[end..]);
        } else if first == b'\'' {
            let (text, len) = quoted(rest)?;
            tokens.push(Token::Text(text));
            rest = &rest[len..];
        } else if matches!(first, b't' | b'h' | b'b') && rest.as_bytes().get(1) == Some(&b'\'') {
            let (text, len) = quoted(&rest[1..])?;
            tokens.push(if first == b't' { Token::Time(text) } else { Token::Binary });
            rest = &rest[len + 1..];
        } else if first.is_ascii_alphabetic() || first == b'_' {
            let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            let len = rest.bytes().position(|b| !is_word(b)).unwrap_or(rest.len());
            tokens.push(Token::Word(&rest[..len]));
            rest = &rest[len..];
        } else if first.is_ascii_digit() || matches!(first, b'-' | b'+') {
            let is_number = |b: u8| b.is_ascii_digit() || b == b'.';
            let len = 1 + rest[1..].bytes().position(|b| !is_number(b)).unwrap_or(rest.len() - 1);
            tokens.push(Token::Number(&rest[..len]));
            rest = &rest[len..];
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            tokens.push(Token::Mark(mark));
            rest = &rest[mark.len()..];
        } else {
            let odd = rest.chars().next().unwrap_or(' ');
            return Err(format!("unexpected “{odd}”"));
        }
    }
}

/// Reads a quoted text at the start of `rest`. Returns it with its length including
/// quotes.
fn quoted(rest: &str) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '\'' => return Ok((text, at + 1)),
            '\\' => match chars.next() {
                Some((_, escaped @ ('\'' | '\\'))) => text.push(escaped),
                // Feeds escape characters that need no escape; then the backslash
                // is meant literally.
                Some((_, other)) => text.extend(['\\', other]),
                None => break,
            },
            other => text.push(other),
        }
    }
    Err("a quoted text does not end".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read() {
        let tokens = tokens(
            r"[file:hashes.'SHA-256' = 'a\'b\\' /* note */ AND x-y:z[*] >= -1.5] START t'2020'",
        )
        .unwrap();
        assert_eq!(tokens[1], Token::Word("file"));
        assert_eq!(tokens[5], Token::Text("SHA-256".into()));
        assert_eq!(tokens[7], Token::Text("a'b\\".into()));
        assert_eq!(tokens[9], Token::Word("x-y"));
        assert!(tokens.contains(&Token::Mark(">=")) && tokens.contains(&Token::Number("-1.5")));
        assert_eq!(tokens.last(), Some(&Token::Time("2020".into())));
        for bad in ["'open", "/* open", "a ~ b"] {
            assert!(super::tokens(bad).is_err(), "{bad}");
        }
    }
}
