//! JSON, as far as readers of JSON formats share it: distinguishing it from text,
//! the structure of its first record, and members that feeds give in various types.

use crate::engine::error::{Error, Result};
use crate::engine::progress::Walk;
use crate::intel::feed::contexts::owned;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// An object.
pub(super) type Object = Map<String, Value>;

/// Whether a text is JSON rather than lines: `[` can also start an IPv6 address
/// with a port, or the header of a filter list. Comments may precede it.
pub(super) fn starts(text: &str) -> bool {
    let text = past_comments(text);
    let next = || past_comments(&text[1..]).chars().next();
    match text.as_bytes().first() {
        Some(b'{') => matches!(next(), Some('"' | '}')),
        Some(b'[') => matches!(next(), Some('{' | '[' | '"' | ']')),
        _ => false,
    }
}

/// The text after blanks and comments.
pub(super) fn past_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let end = match rest.as_bytes() {
            [b'/', b'/', ..] | [b'#', ..] => memchr::memchr2(b'\n', b'\r', rest.as_bytes()),
            [b'/', b'*', ..] => rest[2..].find("*/").map(|at| at + 4),
            _ => return rest,
        };
        let Some(end) = end else { return "" };
        rest = rest[end..].trim_start();
    }
}

/// Converts JSON as people write it to plain JSON: comments (`//`, `#`, `/* */`)
/// and trailing commas become blanks, so line numbers stay correct. Returns `None`
/// if there are none.
pub(super) fn plain(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut is_changed = false;
    // The last comma, as long as only blanks follow.
    let mut comma = None;
    let mut walk = Walk::over(bytes);
    while let Some(&byte) = walk.rest().and_then(|rest| rest.first()) {
        let at = walk.at();
        let comment = match (byte, bytes.get(at + 1)) {
            (b'/', Some(b'/')) | (b'#', _) => {
                Some(memchr::memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |n| at + n))
            }
            (b'/', Some(b'*')) => {
                let end = memchr::memmem::find(&bytes[at + 2..], b"*/");
                Some(end.map_or(bytes.len(), |n| at + n + 4))
            }
            _ => None,
        };
        if let Some(end) = comment {
            let blank = out[at..end].iter_mut().filter(|b| !matches!(b, b'\n' | b'\r'));
            blank.for_each(|b| *b = b' ');
            is_changed = true;
            walk.take(end - at);
            continue;
        }
        let mut end = at;
        match byte {
            b'"' => (end, comma) = (string_end(bytes, at + 1), None),
            b',' => comma = Some(at),
            b']' | b'}' => {
                if let Some(comma) = comma.take() {
                    out[comma] = b' ';
                    is_changed = true;
                }
            }
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => comma = None,
        }
        walk.take(end + 1 - at);
    }
    // Only whole characters were replaced, so this cannot fail.
    if is_changed { String::from_utf8(out).ok() } else { None }
}

/// Parses a record on a line of its own.
///
/// # Errors
///
/// The parser's error.
pub(super) fn parse_record(line: &str) -> serde_json::Result<Value> {
    serde_json::from_str(line).or_else(|error| match plain(line) {
        Some(plain) => serde_json::from_str(&plain).map_err(|_| error),
        None => Err(error),
    })
}

/// Parses a whole document.
///
/// # Errors
///
/// The parser's error, with its line.
pub(super) fn parse(text: &str) -> Result<Value> {
    if !starts(text) {
        return Err(Error::format("this is not JSON")
            .remedy("leave out the format to have it detected from the content"));
    }
    parse_record(text).map_err(|error| {
        let at_end = error.is_eof();
        let line = error.line() as u64;
        let error = Error::format(format!("the JSON is damaged: {error}")).at_line(line);
        if at_end {
            error.remedy("the file is truncated: fetch it again")
        } else {
            error.remedy("fix it there, or fetch it again")
        }
    })
}

/// Parses one document, or several in a row (JSON lines).
///
/// # Errors
///
/// Like [`parse`], if not even the first document can be parsed.
pub(super) fn parse_all(text: &str) -> Result<Vec<Value>> {
    let mut documents = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match document {
            Ok(document) => documents.push(document),
            Err(_) => return parse(text).map(|whole| vec![whole]),
        }
    }
    Ok(documents)
}

/// The elements of an array, or a single value that is not an array.
pub(super) fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        other => std::slice::from_ref(other),
    }
}

/// The elements of the array `name` in `object`.
pub(super) fn array<'v>(object: &'v Object, name: &str) -> &'v [Value] {
    object.get(name).map_or(&[], each)
}

/// The text `name`; a number counts as text.
pub(super) fn text<'v>(object: &'v Object, name: &str) -> Option<Cow<'v, str>> {
    as_text(object.get(name)?)
}

/// A string or a number as text; `None` if blank.
pub(super) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// Like [`text`], owned by a context.
pub(super) fn own(object: &Object, name: &str) -> Option<Cow<'static, str>> {
    owned(&text(object, name)?)
}

/// The time `name`.
pub(super) fn time(object: &Object, name: &str) -> Option<crate::engine::indicator::Timestamp> {
    crate::engine::indicator::Timestamp::parse(&text(object, name)?)
}

/// The boolean `name`: `true`, 1, `"1"`, `"true"`.
pub(super) fn truth(object: &Object, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(text) => crate::intel::feed::live::truth(text.trim()),
        _ => None,
    }
}

/// The names of members near the start of a document, for detection: those of the
/// first record (`has`), and those one level deeper (`has_inner`).
#[derive(Debug, Default)]
pub(super) struct Shape {
    names: Vec<String>,
    inner: Vec<String>,
    values: Vec<String>,
    any_object: bool,
}

impl Shape {
    /// Scans the first record: an object, or the first element of an array. If the
    /// text is truncated or damaged, returns what is there.
    pub(super) fn of(text: &str) -> Shape {
        let mut shape = Shape::default();
        let bytes = text.as_bytes();
        let mut walk = Walk::over(bytes);
        let (mut depth, mut record) = (0usize, 0usize);
        while let Some(&byte) = walk.rest().and_then(|rest| rest.first()) {
            let mut at = walk.at();
            match byte {
                b'{' => {
                    depth += 1;
                    if record == 0 {
                        record = depth;
                        shape.any_object = true;
                    }
                }
                b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth < record || depth == 0 {
                        break;
                    }
                }
                b'"' => {
                    let end = string_end(bytes, at + 1);
                    let content = text.get(at + 1..end).unwrap_or("");
                    shape.string(content, &bytes[(end + 1).min(bytes.len())..], depth, record);
                    at = end;
                }
                _ => {}
            }
            walk.take(at + 1 - walk.at());
        }
        shape
    }

    /// Adds a string to the names or values of the record. Limited to 256 short
    /// ones of each: detection compares with names that are much shorter.
    fn string(&mut self, content: &str, after: &[u8], depth: usize, record: usize) {
        let is_name = after.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b':');
        let list = match (is_name, depth.checked_sub(record)) {
            (true, Some(0)) => &mut self.names,
            (true, Some(1 | 2)) => &mut self.inner,
            (false, Some(0)) => &mut self.values,
            _ => return,
        };
        if content.len() <= 64 && list.len() < 256 && !list.iter().any(|known| known == content) {
            list.push(content.to_string());
        }
    }

    /// Whether the record has this member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Whether an object in the record has this member.
    pub(super) fn has_inner(&self, name: &str) -> bool {
        self.inner.iter().any(|known| known == name)
    }

    /// Whether a member of the record contains this text.
    pub(super) fn says(&self, text: &str) -> bool {
        self.values.iter().any(|value| value.contains(text))
    }

    /// Whether there is a record without members.
    pub(super) fn is_empty_object(&self) -> bool {
        self.any_object && self.names.is_empty() && self.inner.is_empty()
    }
}

/// The position of the closing quote of the string that begins at `start`, or the
/// end of the text.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_members_are_collected() {
        let shape = Shape::of(r#"[{"a":"x\"y","b":[{"c":1}]},{"d":2}]"#);
        assert!(shape.has("a") && shape.has("b") && !shape.has("d") && !shape.has("c"));
        assert!(shape.has_inner("c") && shape.says("x"));
        assert!(Shape::of("{}").is_empty_object());
        // Truncation at any point does no harm.
        for end in 0..30 {
            Shape::of(&r#"[{"a":"x\"y","b":[{"c":1}]},{"d":2}]"#[..end]);
        }
    }

    #[test]
    fn comments_and_commas() {
        let text =
            "// what\n[ /* a, ] */\n {\"a\":\"x, // y # z,]\",}, # end\n {\"b\":[1,2,],},\n]\n";
        let plain = plain(text).unwrap();
        assert_eq!(plain.matches('\n').count(), text.matches('\n').count());
        assert_eq!(
            parse(text).unwrap(),
            serde_json::json!([{"a": "x, // y # z,]"}, {"b": [1, 2]}])
        );
        assert!(super::plain("{\"a\":[1,2]}").is_none());
        // Two commas are an error, and it is reported for the original text.
        assert!(parse("[{},,]").unwrap_err().to_string().contains("damaged"));
        for cut in 0..text.len() {
            let _ = (super::plain(&text[..cut]), starts(&text[..cut]));
        }
    }

    #[test]
    fn several_documents_are_read() {
        assert_eq!(parse_all("{}\n{}\n").unwrap().len(), 2);
        assert_eq!(
            parse_all("{\"a\":").unwrap_err().to_string().matches("is truncated").count(),
            1
        );
        assert!(!starts("[2001:db8::1]:443") && !starts("[Adblock]") && starts(" [\n{"));
    }
}
