//! Finds the lines around hits: their numbers, their records, and the excerpt for
//! alerts.
//!
//! All of it happens only for hits. Counting or parsing every line would cost more
//! than the whole scan of a log in which nothing matches.

use crate::engine::text::fields::{Blocks, Elements, Format};
use std::ops::Range;

/// The maximum length of a line in an alert, in bytes.
const MAX_EXCERPT: usize = 1024;
/// How much of a longer line to show before the hit.
const EXCERPT_LEAD: usize = 256;
/// The maximum length of a record. A longer line is not one record but may contain
/// some, such as a JSON array without line breaks.
pub(super) const MAX_RECORD: usize = 1 << 20;

/// Counts lines, but only up to the last hit.
pub(super) struct Lines<'t> {
    text: &'t [u8],
    start: usize,
    at: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    /// Starts at line 1, which begins at `start`.
    pub(super) fn new(text: &'t [u8], start: usize) -> Self {
        Lines { text, start, at: start, line: 1 }
    }

    /// The line and the column (in bytes) of a place, both from 1. Places must come
    /// in ascending order.
    pub(super) fn place(&mut self, place: usize) -> (u64, u64) {
        for newline in memchr::memchr_iter(b'\n', &self.text[self.at..place]) {
            self.line += 1;
            self.start = self.at + newline + 1;
        }
        self.at = place;
        (self.line, (place - self.start) as u64 + 1)
    }
}

/// The whole line around a place, without its line break, or `None` if the text
/// contains only part of it. If there is context around the core, the text was cut
/// within a line, so its ends are not ends of lines.
pub(super) fn line_around(text: &[u8], core: &Range<usize>, at: usize) -> Option<Range<usize>> {
    let floor = at.saturating_sub(MAX_RECORD);
    let start = match memchr::memrchr(b'\n', &text[floor..at]) {
        Some(newline) => floor + newline + 1,
        None if floor == 0 && core.start == 0 => 0,
        None => return None,
    };
    let limit = (start + MAX_RECORD + 1).min(text.len());
    let end = match memchr::memchr(b'\n', text.get(at..limit)?) {
        Some(newline) => at + newline,
        None if limit == text.len() && core.end == text.len() => limit,
        None => return None,
    };
    // Windows line ends: the carriage return belongs to the break.
    let end = if text[start..end].ends_with(b"\r") { end - 1 } else { end };
    Some(start..end.max(at))
}

/// Remembers the line around the last place that was asked for. Hits come in order,
/// and many may be in one line, which is then searched for only once.
#[derive(Debug, Default)]
pub(super) struct LineCache {
    known: Range<usize>,
    line: Option<Range<usize>>,
    blocks: Blocks,
    elements: Elements,
}

impl LineCache {
    /// The cached record around a place, if it is cached.
    pub(super) fn known(&self, at: usize) -> Option<Option<Range<usize>>> {
        self.known.contains(&at).then(|| self.line.clone())
    }

    /// The record around a place: its line, if it is complete and short enough,
    /// several lines, or part of an overlong one. `format` says how lines form
    /// records there.
    pub(super) fn line(
        &mut self,
        text: &[u8],
        core: &Range<usize>,
        at: usize,
        format: &Format,
    ) -> Option<Range<usize>> {
        let is_in_long = self.elements.window().contains(&at);
        let line = if is_in_long { None } else { line_around(text, core, at) };
        match line.filter(|line| line.len() <= MAX_RECORD) {
            Some(line) => {
                // A record can span lines.
                let line = self.blocks.around(text, &line, format).unwrap_or(line);
                self.known = line.start..line.end.max(at + 1);
                self.line = Some(line);
            }
            None => {
                let window = unbroken(text, &self.elements.window(), at);
                (self.line, self.known) = self.elements.around(text, window, at);
            }
        }
        self.line.clone()
    }
}

/// The part of the line around a place that is in this text; `known` if that is it.
fn unbroken(text: &[u8], known: &Range<usize>, at: usize) -> Range<usize> {
    if known.contains(&at) {
        return known.clone();
    }
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    start..memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline)
}

/// The part of a line to show in an alert: all of it if it is short, else its head
/// or the surroundings of the hit.
pub(super) fn excerpt(text: &[u8], at: usize) -> String {
    let floor = at.saturating_sub(MAX_EXCERPT);
    let start = match memchr::memrchr(b'\n', &text[floor..at]) {
        Some(newline) => floor + newline + 1,
        None => floor,
    };
    let start = if at - start < MAX_EXCERPT - EXCERPT_LEAD { start } else { at - EXCERPT_LEAD };
    let limit = (start + MAX_EXCERPT).min(text.len());
    let end = memchr::memchr(b'\n', &text[at..limit]).map_or(limit, |newline| at + newline);
    let mut bytes = &text[start..end];
    bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    // Drop characters that the cut split; a UTF-8 character has at most three bytes
    // after its first.
    let broken = bytes.iter().take(3).take_while(|b| **b & 0xc0 == 0x80).count();
    let mut excerpt = String::from_utf8_lossy(&bytes[broken..]).into_owned();
    if end == limit && excerpt.ends_with('\u{fffd}') {
        excerpt.pop();
    }
    // A replacement character is longer than the byte it replaces.
    excerpt.truncate(excerpt.floor_char_boundary(MAX_EXCERPT));
    excerpt
}
