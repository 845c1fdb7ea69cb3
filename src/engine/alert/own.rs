//! Recognises output of earlier runs, which may be overwritten.
//!
//! The first lines decide. Every format either names wiresift in each record or begins like
//! nothing else. Zeek's own `intel.log` has the same header as ours; the node in its records
//! distinguishes them.

use super::Format;
use crate::engine::indicator::{Kind, Severity};

/// How many bytes of a file [`is_own`] wants to see.
pub const OWN_HEAD: usize = 64 << 10;

/// Whether a file with this head is output of wiresift. An empty file counts.
pub fn is_own(head: &[u8]) -> bool {
    head.is_empty() || own_format(head).is_some()
}

/// The format of a file with this head, if it is output of wiresift.
pub fn own_format(head: &[u8]) -> Option<Format> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let second = lines.next().unwrap_or_default();
    match first {
        [b'{', ..] => json_format(first),
        [b'<', ..] if has(first, b" wiresift - ioc-") => Some(Format::Syslog),
        _ if first.starts_with(b"CEF:0|wiresift|") => Some(Format::Cef),
        b"#separator \\x09" if is_zeek(head) => Some(Format::Zeek),
        _ => (is_page(first) && second.starts_with(b"  ")).then_some(Format::Text),
    }
}

fn has(line: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(line, part).is_some()
}

/// The format of a record in JSON.
fn json_format(line: &[u8]) -> Option<Format> {
    const MARKS: [(&[u8], Format); 3] = [
        // In its context.
        (b"\"schema\":\"wiresift.alert/", Format::Eve),
        (b"\"dataset\":\"wiresift.alert\"", Format::Ecs),
        (b"\"product\":{\"name\":\"wiresift\"", Format::Ocsf),
    ];
    if line.starts_with(b"{\"schema\":\"wiresift.alert/") {
        return Some(Format::Json);
    }
    MARKS.iter().find(|(mark, _)| has(line, mark)).map(|(_, format)| *format)
}

/// Whether this is the first line of the text format: severity, kind, value and place.
fn is_page(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    // Skip colours, in case of `--color=always`.
    let plain: String = line.split('\x1b').fold(String::new(), |text, part| {
        let colour = part.strip_prefix('[').and_then(|part| part.split_once('m'));
        text + colour.map_or(part, |(_, rest)| rest)
    });
    let mut words = plain.split_ascii_whitespace();
    let severity = words.next().unwrap_or_default();
    let kind = words.next().unwrap_or_default();
    let is_severity = severity.starts_with(|c: char| c.is_ascii_uppercase())
        && Severity::from_name(severity).is_some();
    is_severity && Kind::ALL.iter().any(|it| it.name() == kind) && plain.contains(" in ")
}

/// Whether this is our header without a record, or with one whose `seen.node` is ours.
fn is_zeek(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    if !lines.clone().any(|line| line == b"#path\tintel") {
        return false;
    }
    let record = lines.find(|line| !line.starts_with(b"#"));
    record.is_none_or(|record| record.split(|byte| *byte == b'\t').nth(9) == Some(b"wiresift"))
}
