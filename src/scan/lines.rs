//! The lines around hits.

use crate::text::fields::{Blocks, Elements, Paragraphs};
use std::ops::Range;

/// How much of a line an alert carries.
const MAX_EXCERPT: usize = 1024;
/// How much of a line that is longer stands before the hit.
const EXCERPT_LEAD: usize = 256;
/// A longer line is no record, but may hold some.
pub(super) const MAX_RECORD: usize = 1 << 20;

/// Counts lines only as far as hits need them.
pub(super) struct Lines<'t> {
    text: &'t [u8],
    start: usize,
    at: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    /// The first line begins at `start`.
    pub(super) fn new(text: &'t [u8], start: usize) -> Self {
        Lines { text, start, at: start, line: 1 }
    }

    /// Line and column of a place; places come in order.
    pub(super) fn place(&mut self, place: usize) -> (u64, u64) {
        for newline in memchr::memchr_iter(b'\n', &self.text[self.at..place]) {
            self.line += 1;
            self.start = self.at + newline + 1;
        }
        self.at = place;
        (self.line, (place - self.start) as u64 + 1)
    }
}

/// The whole line around a place, without its line break; `None` where the text
/// holds only a part of it. Context around the core means that the text was cut in
/// the middle of a line; its ends are then no ends of lines.
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
    let end = if text[start..end].ends_with(b"\r") { end - 1 } else { end };
    Some(start..end.max(at))
}

/// The line around the last place that was asked for. Hits come in order, and many may
/// lie in one line: it is searched for once.
#[derive(Debug, Default)]
pub(super) struct Around {
    known: Range<usize>,
    line: Option<Range<usize>>,
    blocks: Blocks,
    elements: Elements,
}

impl Around {
    /// Where the last one that was asked for may be it.
    pub(super) fn known(&self, at: usize) -> Option<Option<Range<usize>>> {
        self.known.contains(&at).then(|| self.line.clone())
    }

    /// The record around a place: its line, if that is here as a whole and short enough, several
    /// lines, or a part of one that is too long. `paragraphs`: how lines make records there.
    pub(super) fn line(
        &mut self,
        text: &[u8],
        core: &Range<usize>,
        at: usize,
        paragraphs: Paragraphs,
    ) -> Option<Range<usize>> {
        let is_in_long = self.elements.window().contains(&at);
        let line = if is_in_long { None } else { line_around(text, core, at) };
        match line.filter(|line| line.len() <= MAX_RECORD) {
            Some(line) => {
                // A record may go over several lines.
                let line = self.blocks.around(text, &line, paragraphs).unwrap_or(line);
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

/// What is here of the line around a place, which may be the one that is known.
fn unbroken(text: &[u8], known: &Range<usize>, at: usize) -> Range<usize> {
    if known.contains(&at) {
        return known.clone();
    }
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    start..memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline)
}

/// What an alert shows of the line: all of it if it is short, else its head or the
/// surroundings of the hit.
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
    // Characters that the cut went through are left out.
    let broken = bytes.iter().take(3).take_while(|b| **b & 0xc0 == 0x80).count();
    let mut excerpt = String::from_utf8_lossy(&bytes[broken..]).into_owned();
    if end == limit && excerpt.ends_with('\u{fffd}') {
        excerpt.pop();
    }
    excerpt.truncate(excerpt.floor_char_boundary(MAX_EXCERPT));
    excerpt
}
