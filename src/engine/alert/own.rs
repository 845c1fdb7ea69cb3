//! Recognises output of earlier runs, which may be overwritten.
//!
//! The first lines decide. Every format either names wiresift in each record or begins like
//! nothing else. Zeek's own `intel.log` has the same header as ours; the node in its records
//! distinguishes them.

use crate::engine::indicator::{Kind, Severity};

/// How many bytes of a file [`is_own`] wants to see.
pub const OWN_HEAD: usize = 64 << 10;

/// Whether a file with this head is output of wiresift. An empty file counts.
pub fn is_own(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let second = lines.next().unwrap_or_default();
    head.is_empty()
        || is_json(first)
        || first.starts_with(b"CEF:0|wiresift|")
        || first.starts_with(b"<") && has(first, b" wiresift - ioc-")
        || is_page(first) && second.starts_with(b"  ")
        || first == b"#separator \\x09" && is_zeek(head)
}

fn has(line: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(line, part).is_some()
}

/// Whether this is a record of the formats `json`, `eve` (by its context), `ecs` or
/// `ocsf`.
fn is_json(line: &[u8]) -> bool {
    const MARKS: [&[u8]; 3] = [
        b"\"schema\":\"wiresift.alert/",
        b"\"dataset\":\"wiresift.alert\"",
        b"\"product\":{\"name\":\"wiresift\"",
    ];
    line.starts_with(b"{") && MARKS.iter().any(|mark| has(line, mark))
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
