//! The XML elements in a line: Windows events, and what others write like them.
//!
//! The text of an element is named after the element, or by an attribute (`<Data
//! Name='DestinationIp'>`); an attribute has its own name. Elements that contain
//! records, or are records, become scopes of their own.

use super::json::{quote_at, slashes, string_end};
use super::member::{Members, Name, Opened};
use super::names;
use std::ops::Range;

/// The maximum depth to read.
const MAX_DEPTH: usize = 128;
/// The maximum length of a name, and of a tag that nothing after it closes.
const MAX_TAG: usize = 512;

/// An open element.
struct Element {
    name: Range<usize>,
    /// The name of its text.
    title: Range<usize>,
    /// The scope around it, and its own.
    outer: u32,
    scope: u32,
}

/// Where the next element that may contain something begins: one before the last
/// closing tag, or one that closes itself.
pub(super) fn next_tag(line: &[u8], from: usize, last_closer: usize) -> Option<usize> {
    let rest = line.get(from..)?;
    let is_tag = |at: &usize| begins_element(&rest[*at + 1..], from + at < last_closer);
    memchr::memchr_iter(b'<', rest).find(is_tag).map(|at| from + at)
}

/// Whether a text contains unescaped elements.
pub(super) fn has_elements(text: &[u8]) -> bool {
    let closer = memchr::memmem::rfind(text, b"</").unwrap_or(0);
    next_tag(text, 0, closer).is_some()
}

/// Whether the text after `<` is the name of an element and not an e-mail address.
fn begins_element(rest: &[u8], may_be_closed: bool) -> bool {
    match rest.first() {
        Some(b'?' | b'!') => may_be_closed,
        Some(b) if b.is_ascii_alphabetic() => {
            let len = rest.iter().take(MAX_TAG).take_while(|b| is_name(**b)).count();
            match rest.get(len) {
                Some(b'>') => may_be_closed,
                Some(b' ' | b'\t' | b'\r' | b'\n' | b'\\' | b'/') => {
                    let tag = rest[len..].iter().take(MAX_TAG).position(|b| b"<>".contains(b));
                    may_be_closed || tag.is_some_and(|end| rest[..len + end].ends_with(b"/"))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.:#".contains(&byte)
}

/// The name without its namespace prefix: `ns0:Data`.
fn plain(line: &[u8], name: Range<usize>) -> Range<usize> {
    match memchr::memrchr(b':', &line[name.clone()]) {
        Some(colon) => name.start + colon + 1..name.end,
        None => name,
    }
}

/// Reads the elements from the tag at `start`, in a text nested in `nest` JSON
/// strings. Returns where the outermost of them ends.
pub(super) fn read(line: &[u8], start: usize, nest: u8, record: &mut Members) -> usize {
    let mut open: Vec<Element> = Vec::new();
    let mut at = start;
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr(b'<', rest)) {
        text(line, at..at + found, open.last(), record);
        at += found;
        at = match line.get(at + 1) {
            Some(b'/') => close(line, at, &mut open),
            Some(b'?' | b'!') => skip(line, at, open.last(), record),
            Some(b) if b.is_ascii_alphabetic() => tag(line, at, nest, &mut open, record),
            _ => at + 1,
        };
        if open.is_empty() {
            return at;
        }
    }
    text(line, at.min(line.len())..line.len(), open.last(), record);
    line.len()
}

/// Text between tags belongs to the surrounding element.
fn text(line: &[u8], text: Range<usize>, element: Option<&Element>, record: &mut Members) {
    let Some(element) = element else { return };
    let bytes = &line[text.clone()];
    let blank = bytes.len() - bytes.trim_ascii_start().len();
    let len = bytes.trim_ascii().len();
    if len > 0 {
        let name = Name::Key(element.title.start as u32, element.title.end as u32);
        record.push(name, text.start + blank..text.start + blank + len, element.outer);
    }
}

/// Closes the element with a name, and unclosed ones in it.
fn close(line: &[u8], at: usize, open: &mut Vec<Element>) -> usize {
    let start = at + 2;
    let len = line[start..].iter().take_while(|b| is_name(**b)).count();
    let name = &line[start..start + len];
    if let Some(found) = open.iter().rposition(|element| &line[element.name.clone()] == name) {
        open.truncate(found);
    }
    let end = start + len;
    memchr::memchr(b'>', &line[end..]).map_or(line.len(), |found| end + found + 1)
}

/// Skips a declaration or comment; the text of a `CDATA` section belongs to the
/// element.
fn skip(line: &[u8], at: usize, element: Option<&Element>, record: &mut Members) -> usize {
    let rest = &line[at..];
    let after = |mark: &[u8]| memchr::memmem::find(rest, mark).map(|found| (found, mark.len()));
    let found = if rest.starts_with(b"<![CDATA[") {
        let found = after(b"]]>");
        text(line, at + 9..at + found.map_or(rest.len(), |(at, _)| at.max(9)), element, record);
        found
    } else if rest.starts_with(b"<!--") {
        after(b"-->")
    } else {
        after(b">")
    };
    found.map_or(line.len(), |(found, len)| at + found + len)
}

/// Reads a tag with its attributes.
fn tag(
    line: &[u8],
    start: usize,
    nest: u8,
    open: &mut Vec<Element>,
    record: &mut Members,
) -> usize {
    let len = line[start + 1..].iter().take_while(|b| is_name(**b)).count();
    let name = start + 1..start + 1 + len;
    let title = plain(line, name.clone());
    let outer = open.last().map_or(0, |outer| outer.scope);
    let is_element = open.is_empty() || names::is_record(&line[title.clone()]);
    let key = Name::Key(title.start as u32, title.end as u32);
    let opened = Opened { key, is_element, undone: nest, is_tag: true };
    let scope = record.push_scope(Some(outer), opened);
    let mut element = Element { name, title, outer, scope };
    let mut at = start + 1 + len;
    while let Some(&byte) = line.get(at) {
        match byte {
            b'>' => {
                if open.len() < MAX_DEPTH {
                    open.push(element);
                }
                return at + 1;
            }
            b'/' if line.get(at + 1) == Some(&b'>') => return at + 2,
            // It was not a tag.
            b'<' => return at,
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let len = line[at..].iter().take_while(|b| is_name(**b)).count();
                let attribute = plain(line, at..at + len);
                at += len;
                let Some(value) = attribute_value(line, &mut at, nest) else { continue };
                if line[attribute.clone()].eq_ignore_ascii_case(b"name") {
                    element.title = value.clone();
                }
                let key = Name::Key(attribute.start as u32, attribute.end as u32);
                record.push(key, value, scope);
            }
            _ => at += 1,
        }
    }
    line.len()
}

/// The value after an attribute's name; advances `at` past it.
fn attribute_value(line: &[u8], at: &mut usize, nest: u8) -> Option<Range<usize>> {
    let equals = (line.get(*at) == Some(&b'=')).then_some(*at)?;
    *at += 1;
    if let Some(start) = quote_at(line, equals + 1, nest) {
        let (end, after) = match slashes(nest) {
            0 => {
                let len = memchr::memchr(b'"', &line[start..]).unwrap_or(line.len() - start);
                (start + len, (start + len + 1).min(line.len()))
            }
            _ => string_end(line, start, nest),
        };
        *at = after;
        return Some(start..end);
    }
    let start = equals + 2;
    if line.get(equals + 1) != Some(&b'\'') || start > line.len() {
        return None;
    }
    let len = memchr::memchr(b'\'', &line[start..]).unwrap_or(line.len() - start);
    *at = (start + len + 1).min(line.len());
    Some(start..start + len)
}
