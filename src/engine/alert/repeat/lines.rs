//! Repeat records in the formats that consist of lines of text.

use super::super::object::show;
use super::super::record::tame;
use super::super::{cef as arcsight, json, syslog as rfc5424, text as page};
use crate::engine::indicator::Severity;
use crate::engine::suppress::Repeat;
use std::borrow::Cow;

/// Names and their values, still escaped, in their original order.
struct Pairs<'t>(Vec<(&'t [u8], Cow<'t, [u8]>)>);

impl<'t> Pairs<'t> {
    /// Changes a value, or appends one. The value must not need escaping.
    fn set(&mut self, name: &'t str, value: impl ToString) {
        let value = Cow::Owned(value.to_string().into_bytes());
        match self.0.iter_mut().find(|(known, _)| *known == name.as_bytes()) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.as_bytes(), value)),
        }
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| *known == name.as_bytes()).map(|(_, value)| &**value)
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| *known != name.as_bytes());
    }
}

/// CEF has keys for the count and the times. They replace those of a flow, because a key may occur
/// only once.
pub(super) fn cef(record: &[u8], repeat: &Repeat) -> Option<Vec<u8>> {
    if !record.starts_with(b"CEF:") {
        return None;
    }
    // Seven bars separate the header fields and the extension; in the header, bars are escaped.
    let bars: Vec<usize> = unescaped(record, b'|').take(7).collect();
    let &[.., sixth, seventh] = &*bars else { return None };
    if bars.len() < 7 {
        return None;
    }
    let mut pairs = extension(&record[seventh + 1..])?;
    // The repeat is an event of its own, which a SIEM must not drop as a duplicate of the alert.
    pairs.set("externalId", repeat.uid());
    if pairs.get("act") == Some(arcsight::SUPPRESSED.as_bytes()) {
        pairs.remove("act");
    }
    pairs.set("cnt", repeat.count);
    pairs.set("start", arcsight::millis(repeat.first));
    pairs.set("end", arcsight::millis(repeat.last));
    let mut out = record[..=sixth].to_vec();
    let before = number(&record[sixth + 1..seventh])?;
    // The last alert may be less severe than one before it.
    show(&mut out, before.max(arcsight::severity(repeat.severity)));
    out.push(b'|');
    for (at, (key, value)) in pairs.0.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b" " } else { b"" });
        out.extend_from_slice(key);
        out.push(b'=');
        out.extend_from_slice(value);
    }
    Some(out)
}

/// Splits an extension. A key is the text between a space and an unescaped `=`.
fn extension(text: &[u8]) -> Option<Pairs<'_>> {
    let mut pairs = Vec::new();
    // The previous pair's key, and where its value begins.
    let mut open: Option<(usize, &[u8])> = None;
    for equals in unescaped(text, b'=') {
        let begin = open.map_or(0, |(begin, _)| begin);
        let space = memchr::memrchr(b' ', &text[begin..equals]);
        let key = match (open, space) {
            (None, None) => &text[..equals],
            (Some((begin, key)), Some(space)) => {
                pairs.push((key, Cow::Borrowed(&text[begin..begin + space])));
                &text[begin + space + 1..equals]
            }
            // A second key must follow a value and a space.
            _ => return None,
        };
        if key.is_empty() || !key.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        open = Some((equals + 1, key));
    }
    if let Some((begin, key)) = open {
        pairs.push((key, Cow::Borrowed(&text[begin..])));
    }
    Some(Pairs(pairs))
}

/// The positions of a byte that is not escaped by a backslash.
fn unescaped(text: &[u8], wanted: u8) -> impl Iterator<Item = usize> {
    let mut is_escaped = false;
    text.iter().enumerate().filter_map(move |(at, &byte)| {
        let is_found = byte == wanted && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_found.then_some(at)
    })
}

/// RFC 5424: changes parameters of our element, and appends the count to MSG.
pub(super) fn syslog(record: &[u8], repeat: &Repeat) -> Option<Vec<u8>> {
    let pri = record.strip_prefix(b"<")?;
    let end = memchr::memchr(b'>', pri)?;
    let priority = number(&pri[..end])?;
    // The header fields: VERSION, TIMESTAMP, HOSTNAME, APP-NAME, PROCID and MSGID.
    let header = &pri[end..];
    let sixth = memchr::memchr_iter(b' ', header).nth(5)?;
    let (header, element) = header.split_at(sixth + 1);
    let opening = format!("[{}", rfc5424::ELEMENT);
    let (mut pairs, rest) = parameters(element.strip_prefix(opening.as_bytes())?)?;
    pairs.set("id", repeat.uid());
    let level = json::number(repeat.severity);
    let before = pairs.get("severity").and_then(number).unwrap_or_default();
    pairs.set("severity", before.max(level));
    pairs.remove("suppressed");
    pairs.set("count", repeat.count);
    pairs.set("first", tame(repeat.first));
    pairs.set("last", tame(repeat.last));
    if repeat.is_partial {
        pairs.set("partial", "true");
    }
    let mut out = Vec::new();
    // A lower number is more severe. The facility stays the same.
    show(&mut out, format_args!("<{}", priority.min(rfc5424::priority(repeat.severity))));
    out.extend_from_slice(header);
    out.extend_from_slice(opening.as_bytes());
    for (name, value) in &pairs.0 {
        out.push(b' ');
        out.extend_from_slice(name);
        out.extend_from_slice(b"=\"");
        out.extend_from_slice(value);
        out.push(b'"');
    }
    out.push(b']');
    out.extend_from_slice(rest);
    show(&mut out, format_args!(" ({} more until {})", repeat.count, tame(repeat.last)));
    Some(out)
}

/// The parameters of an element after its name, and the text after its `]`.
fn parameters(text: &[u8]) -> Option<(Pairs<'_>, &[u8])> {
    let mut pairs = Vec::new();
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix(b"]") {
            return Some((Pairs(pairs), after));
        }
        let parameter = rest.strip_prefix(b" ")?;
        let equals = memchr::memchr(b'=', parameter)?;
        let name = &parameter[..equals];
        let value = parameter[equals + 1..].strip_prefix(b"\"")?;
        let quote = unescaped(value, b'"').next()?;
        pairs.push((name, Cow::Borrowed(&value[..quote])));
        rest = &value[quote + 1..];
    }
}

/// Appends a line for people.
pub(super) fn text(record: &[u8], repeat: &Repeat) -> Vec<u8> {
    let mut out = raised(record, repeat.severity).unwrap_or_else(|| record.to_vec());
    let until = tame(repeat.last);
    show(&mut out, format_args!("\n  … and {} more until {until}", repeat.count));
    out
}

/// Raises the severity in the margin, if there is one.
fn raised(record: &[u8], severity: Severity) -> Option<Vec<u8>> {
    // Whether the record was written in colour is not known here.
    let lower = (1..json::number(severity)).filter_map(Severity::from_number);
    let heads = lower.flat_map(|lower| [(lower, false), (lower, true)]);
    heads.into_iter().find_map(|(lower, has_colour)| {
        let rest = record.strip_prefix(&*page::head(lower, has_colour))?;
        Some([&page::head(severity, has_colour), rest].concat())
    })
}

fn number(text: &[u8]) -> Option<u8> {
    str::from_utf8(text).ok()?.parse().ok()
}
