//! JSON, as far as the readers of JSON formats share it: telling it from text,
//! the shape of its first record, and members of the many types that feeds give
//! the same member.

use crate::error::{Error, Result};
use crate::feed::intake::owned;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// An object.
pub(super) type Object = Map<String, Value>;

/// Whether a text is JSON rather than lines: `[` may begin an IPv6 address with a
/// port, or the head of a filter list.
pub(super) fn starts(text: &str) -> bool {
    let text = text.trim_start();
    let next = || text[1..].trim_start().chars().next();
    match text.as_bytes().first() {
        Some(b'{') => matches!(next(), Some('"' | '}')),
        Some(b'[') => matches!(next(), Some('{' | '[' | '"' | ']')),
        _ => false,
    }
}

/// Parses a whole document.
///
/// # Errors
///
/// What is wrong, with its line.
pub(super) fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        let at_end = error.is_eof();
        let line = error.line() as u64;
        let error = Error::format(format!("the JSON is damaged: {error}")).at_line(line);
        if at_end {
            error.remedy("the file is cut off: fetch it again")
        } else {
            error.remedy("mend it there, or fetch it again")
        }
    })
}

/// Parses one document, or several that follow each other (JSON lines).
///
/// # Errors
///
/// As [`parse`], when not even the first document can be read.
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

/// The elements of an array, or the one value that is none.
pub(super) fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        other => std::slice::from_ref(other),
    }
}

/// The elements of the array that `object` has under `name`.
pub(super) fn array<'v>(object: &'v Object, name: &str) -> &'v [Value] {
    object.get(name).map_or(&[], each)
}

/// The text under `name`; numbers count as text.
pub(super) fn text<'v>(object: &'v Object, name: &str) -> Option<Cow<'v, str>> {
    as_text(object.get(name)?)
}

/// A string or a number as text; nothing when blank.
pub(super) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// The same, owned by a context.
pub(super) fn own(object: &Object, name: &str) -> Option<Cow<'static, str>> {
    owned(&text(object, name)?)
}

/// The time under `name`.
pub(super) fn time(object: &Object, name: &str) -> Option<crate::indicator::Timestamp> {
    crate::indicator::Timestamp::parse(&text(object, name)?)
}

/// The truth under `name`: `true`, 1, `"1"`, `"true"`.
pub(super) fn truth(object: &Object, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(text) => match text.as_str() {
            "1" | "true" | "True" => Some(true),
            "0" | "false" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The names of members near the head of a document, for detection: those of the
/// first record (`has`), and those one level further in (`has_inner`).
#[derive(Debug, Default)]
pub(super) struct Shape {
    names: Vec<String>,
    inner: Vec<String>,
    values: Vec<String>,
    any_object: bool,
}

impl Shape {
    /// Scans the first record: an object, or the first element of an array. Cut
    /// off or damaged text gives what could be seen.
    pub(super) fn of(text: &str) -> Shape {
        let mut shape = Shape::default();
        let bytes = text.as_bytes();
        let mut at = 0;
        let (mut depth, mut record) = (0usize, 0usize);
        while at < bytes.len() {
            match bytes[at] {
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
            at += 1;
        }
        shape
    }

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

    /// Whether an object inside the record has this member.
    pub(super) fn has_inner(&self, name: &str) -> bool {
        self.inner.iter().any(|known| known == name)
    }

    /// Whether a member of the record has this text in its value.
    pub(super) fn says(&self, text: &str) -> bool {
        self.values.iter().any(|value| value.contains(text))
    }

    /// Whether there is a record without members.
    pub(super) fn is_empty_object(&self) -> bool {
        self.any_object && self.names.is_empty() && self.inner.is_empty()
    }
}

/// Where the string that begins at `start` ends: its closing quote, or the end.
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
    fn shapes() {
        let shape = Shape::of(r#"[{"a":"x\"y","b":[{"c":1}]},{"d":2}]"#);
        assert!(shape.has("a") && shape.has("b") && !shape.has("d") && !shape.has("c"));
        assert!(shape.has_inner("c") && shape.says("x"));
        assert!(Shape::of("{}").is_empty_object());
        // Whatever is cut off does no harm.
        for end in 0..30 {
            Shape::of(&r#"[{"a":"x\"y","b":[{"c":1}]},{"d":2}]"#[..end]);
        }
    }

    #[test]
    fn documents() {
        assert_eq!(parse_all("{}\n{}\n").unwrap().len(), 2);
        assert_eq!(parse_all("{").unwrap_err().to_string().matches("cut off").count(), 1);
        assert!(!starts("[2001:db8::1]:443") && !starts("[Adblock]") && starts(" [\n{"));
    }
}
