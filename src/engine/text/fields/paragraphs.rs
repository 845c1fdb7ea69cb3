//! Records with one name and value per line: the journal's export format, Windows
//! events as text, and PowerShell lists.
//!
//! A line does not show that it belongs to others, so the form is recognised at the
//! start of a text. A record extends from its first line to that of the next one.

use super::lines::{Line, MAX_BLOCK, lines};
use super::names;
use std::ops::Range;

/// How many bytes at the start of a text to inspect.
const MAX_HEAD: usize = 4 << 10;
/// The minimum number of names in a list.
const MIN_NAMES: usize = 3;
/// The maximum length of such a name.
const MAX_NAME: usize = 64;

/// How lines with one name and value each form records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paragraphs {
    /// They form none.
    #[default]
    None,
    /// `NAME=value`, after `__CURSOR=` (systemd, Journal Export Formats).
    Export,
    /// The output of `wevtutil qe /f:text`, after `Event[0]:`.
    Events,
    /// The output of PowerShell's `Format-List`: `Name : value`, with aligned
    /// colons.
    List,
}

impl Paragraphs {
    /// Recognises the form at the start of a text.
    pub fn of(head: &[u8]) -> Paragraphs {
        let head = &head[..head.len().min(MAX_HEAD)];
        let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head);
        let Some(first) = lines(head).find(|line| !line.text.is_empty()) else {
            return Paragraphs::None;
        };
        match first.text {
            [b'_', b'_', ..] if first.text.starts_with(b"__CURSOR=") => Paragraphs::Export,
            [b'E', ..] if is_event(&first) => Paragraphs::Events,
            [b, ..] if b.is_ascii_alphabetic() && is_list(&head[first.start..]) => Paragraphs::List,
            _ => Paragraphs::None,
        }
    }

    /// Whether a line begins a record. `after_blank` says that it follows an empty
    /// line.
    fn begins(self, line: &Line<'_>, after_blank: bool) -> bool {
        match self {
            Paragraphs::None => false,
            Paragraphs::Export => line.text.starts_with(b"__CURSOR="),
            Paragraphs::Events => is_event(line),
            Paragraphs::List => after_blank && name_of_list(line).is_some(),
        }
    }
}

/// `Event[0]:`, with or without the colon.
fn is_event(line: &Line<'_>) -> bool {
    let number = line.text.strip_suffix(b":").unwrap_or(line.text);
    let number = number.strip_prefix(b"Event[").and_then(|rest| rest.strip_suffix(b"]"));
    line.indent == 0
        && number.is_some_and(|digits| {
            (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        })
}

/// The name in a line of a list, and the position of its colon.
fn name_of_list<'t>(line: &Line<'t>) -> Option<(&'t [u8], usize)> {
    let text = line.text;
    let colon = text.iter().take(MAX_NAME).position(|&b| b == b':')?;
    let name = text[..colon].strip_suffix(b" ")?.trim_ascii_end();
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b))
        && text.get(colon + 1).is_none_or(|b| *b == b' ');
    (line.indent == 0 && is_name).then_some((name, colon))
}

/// Whether a text begins with the lines of a list: different names, one of them
/// known, with aligned colons. Levels of a log (`INFO  : `) repeat.
fn is_list(text: &[u8]) -> bool {
    let mut found: Vec<&[u8]> = Vec::new();
    let mut column = None;
    for line in lines(text) {
        if line.text.is_empty() {
            break;
        }
        if line.indent > 0 && !found.is_empty() {
            continue;
        }
        let Some((name, colon)) = name_of_list(&line) else { return false };
        if *column.get_or_insert(colon) != colon || found.contains(&name) {
            return false;
        }
        found.push(name);
    }
    let is_known = |name: &&[u8]| {
        names::time_rank(name).is_some()
            || names::is_of_endpoint(name)
            || names::part(b"", name).is_some()
    };
    found.len() >= MIN_NAMES && found.iter().any(is_known)
}

/// The records of a text. One that is too long is cut between lines.
pub(super) fn records(text: &[u8], form: Paragraphs) -> Vec<Range<usize>> {
    let mut records: Vec<Range<usize>> = Vec::new();
    let mut after_blank = true;
    for line in lines(text) {
        if form.begins(&line, after_blank) {
            end_last(text, &mut records, line.start);
            records.push(line.start..line.start);
        }
        after_blank = line.text.is_empty();
    }
    end_last(text, &mut records, text.len());
    records
}

fn end_last(text: &[u8], records: &mut [Range<usize>], end: usize) {
    let Some(last) = records.last_mut() else { return };
    let limit = last.start + MAX_BLOCK;
    last.end = match end <= limit {
        true => end,
        false => memchr::memrchr(b'\n', &text[last.start..limit])
            .map_or(limit, |newline| last.start + newline + 1),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::text::fields::blocks::whole_paragraphs;

    const EXPORT: &str = "__CURSOR=s=a;i=1\n__REALTIME_TIMESTAMP=1782274541123456\nMESSAGE=a\n\n";
    const EVENT: &str = "Event[0]:\n  Log Name: Security\n  Date: 2026-06-24T04:15:41.123\n  \
        Description: \nNetwork connection\n\nDestinationIp: 203.0.113.9\n\n";
    const LIST: &str = "TimeCreated  : 6/24/2026 4:15:41 AM\nProviderName : x\nId           : 3\n\
        Message      : Network connection:\n               DestinationIp: 203.0.113.9\n\n";

    #[test]
    fn every_form_of_paragraphs_is_recognised() {
        let padded = format!("\u{feff}\n\n{LIST}");
        for (head, form) in [
            (EXPORT, Paragraphs::Export),
            (EVENT, Paragraphs::Events),
            (LIST, Paragraphs::List),
            (&padded, Paragraphs::List),
            ("INFO  : started at time\nERROR : x\nINFO  : y\n", Paragraphs::None),
            ("INFO  : a\nERROR : b\nDEBUG : c\n\n", Paragraphs::None),
            ("Event[x]:\n", Paragraphs::None),
            ("Time: 1\nHost: a\nPath: /x\n", Paragraphs::None),
            ("", Paragraphs::None),
        ] {
            assert_eq!(Paragraphs::of(head.as_bytes()), form, "{head}");
        }
    }

    #[test]
    fn each_record_by_itself() {
        let forms =
            [(EXPORT, Paragraphs::Export), (EVENT, Paragraphs::Events), (LIST, Paragraphs::List)];
        for (record, form) in forms {
            let text = record.repeat(3);
            let found = records(text.as_bytes(), form);
            let want: Vec<_> = (0..3).map(|n| n * record.len()..(n + 1) * record.len()).collect();
            assert_eq!(found, want, "{form:?}");
            let whole = whole_paragraphs(form)(text.as_bytes());
            let is_known_to_end = form == Paragraphs::Export;
            assert_eq!(whole, if is_known_to_end { text.len() } else { 2 * record.len() });
        }
        let long = format!("Event[0]:\n{}", "x\n".repeat(MAX_BLOCK));
        let found = records(long.as_bytes(), Paragraphs::Events);
        assert!(found.len() == 1 && found[0].len() <= MAX_BLOCK && found[0].len() > MAX_BLOCK - 2);
    }
}
