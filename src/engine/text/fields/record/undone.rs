//! Texts with pairs or XML, with their escapes decoded (matching specification,
//! section 8.1).
//!
//! `#011` and `\t` occur between a label and its value, `\r
//! ` between two pairs. A JSON encoder may write the brackets of XML as `\u003c`
//! and `\u003e`, an XML encoder as `&lt;` and `&gt;`. Such a text is decoded and
//! parsed, and positions are then mapped back to the line.

use super::Record;
use crate::engine::text::escapes::{Escape, Meaning, begins_escape, escape_at};
use crate::engine::text::fields::json::{self, slashes};
use crate::engine::text::fields::member::Name;
use crate::engine::text::fields::{pairs, xml};
use std::ops::Range;

/// Replaces a character of a value that would otherwise end it.
const OF_VALUE: u8 = 0x1a;

/// An escape that was decoded.
struct Spot {
    /// Its meaning, in the decoded text.
    undone: Range<usize>,
    /// Its own bytes in the line.
    source: Range<usize>,
}

/// A text with its escapes decoded.
pub(super) struct Undone {
    text: Vec<u8>,
    spots: Vec<Spot>,
    /// Where the text begins in the line.
    first: usize,
}

impl Record {
    /// The record in a table cell with doubled quotes (RFC 4180, section 2).
    pub(super) fn of_cell(line: &[u8], span: Range<usize>, nest: u8) -> Option<Record> {
        let undone = Undone::of_cell(line, span.clone())?;
        let mut inner = Record::default();
        inner.begin(0..undone.text().len(), nest);
        inner.read_text(undone.text(), json::begins(undone.text(), &inner.text, nest));
        undone.put_back(&mut inner, 0, 0);
        inner.text = span;
        Some(inner)
    }

    /// Reads the pairs and the XML of a text nested in `nest` JSON strings.
    pub(super) fn read_pairs(&mut self, line: &[u8], text: Range<usize>, nest: u8) {
        let Some(undone) = Undone::of(line, text.clone(), nest) else {
            return pairs::read(line, text, nest, &mut self.members);
        };
        let (members, scopes) = (self.members.len(), self.members.scopes.len());
        pairs::read(&undone.text, 0..undone.text.len(), nest, &mut self.members);
        undone.put_back(self, members, scopes);
    }
}

impl Undone {
    /// The text with its escapes decoded, if it has any.
    fn of(line: &[u8], range: Range<usize>, nest: u8) -> Option<Undone> {
        let range = range.start..range.end.min(line.len());
        let text = line.get(range.clone())?;
        text.iter().position(|&byte| begins_escape(byte))?;
        // Entities are the text of an element, unless the elements themselves are
        // escaped.
        let has_elements = xml::has_elements(text);
        let mut undone = Undone { text: Vec::new(), spots: Vec::new(), first: range.start };
        let mut at = 0;
        while at < text.len() {
            let plain = text[at..].iter().position(|&byte| begins_escape(byte));
            let escape = at + plain.unwrap_or(text.len() - at);
            undone.text.extend_from_slice(&text[at..escape]);
            at = escape;
            let Some(&byte) = text.get(at) else { break };
            let found = escape_at(text, at).filter(|found| is_meant(text, at, found));
            let Some(found) = found.filter(|_| byte != b'&' || !has_elements) else {
                undone.text.push(byte);
                at += 1;
                continue;
            };
            undone.take(&text[at..at + found.len], at, found, nest);
            at += found.len.max(1);
        }
        (!undone.spots.is_empty()).then_some(undone)
    }

    /// The text of a cell with its doubled quotes undone, or `None` if it has none.
    pub(super) fn of_cell(line: &[u8], range: Range<usize>) -> Option<Undone> {
        let cell = line.get(range.clone())?;
        memchr::memmem::find(cell, b"\"\"")?;
        let mut undone = Undone { text: Vec::new(), spots: Vec::new(), first: range.start };
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'"', &cell[at..]) {
            let quote = at + found;
            undone.text.extend_from_slice(&cell[at..=quote]);
            let len = 1 + usize::from(cell.get(quote + 1) == Some(&b'"'));
            let from = undone.text.len() - 1;
            let source = range.start + quote..range.start + quote + len;
            undone.spots.push(Spot { undone: from..from + 1, source });
            at = quote + len;
        }
        undone.text.extend_from_slice(&cell[at..]);
        Some(undone)
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Maps members and scopes from these on back to the line.
    pub(super) fn put_back(&self, record: &mut Record, members: usize, scopes: usize) {
        for member in &mut record.members[members..] {
            let span = self.source(member.span());
            (member.start, member.end) = (span.start as u32, span.end as u32);
            member.name = self.name(member.name);
        }
        for scope in &mut record.members.scopes[scopes..] {
            scope.opened.key = self.name(scope.opened.key);
        }
    }

    /// Decodes the escape at a place.
    fn take(&mut self, written: &[u8], at: usize, escape: Escape, nest: u8) {
        let from = self.text.len();
        let is_entity = written[0] == b'&';
        let row = written.iter().take_while(|&&byte| byte == b'\\').count();
        match escape.meaning {
            Meaning::Separator if breaks_line(written) => self.text.push(b'\n'),
            Meaning::Separator => self.text.push(b'\t'),
            Meaning::Byte(byte) => self.text.push(byte),
            // CEF writes these characters in values like this.
            Meaning::Char('=' | '|') if written.len() == row + 1 => self.text.push(OF_VALUE),
            // A quote of the text itself, or one of a string in it.
            Meaning::Char('"') if is_entity || nest > 0 && row == 1 << (nest - 1) => {
                self.text.extend(std::iter::repeat_n(b'\\', slashes(nest)));
                self.text.push(b'"');
            }
            Meaning::Char('"') => self.text.push(OF_VALUE),
            Meaning::Char(char) => {
                self.text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        let source = self.first + at..self.first + at + escape.len;
        self.spots.push(Spot { undone: from..self.text.len(), source });
    }

    /// Where the byte at `at` was in the line.
    fn source_of(&self, at: usize) -> Range<usize> {
        let after = self.spots.partition_point(|spot| spot.undone.start <= at);
        let place = match after.checked_sub(1).map(|last| &self.spots[last]) {
            None => self.first + at,
            Some(spot) if at < spot.undone.end => return spot.source.clone(),
            Some(spot) => spot.source.end + at - spot.undone.end,
        };
        place..place + 1
    }

    /// Where a span of the decoded text was in the line.
    fn source(&self, span: Range<usize>) -> Range<usize> {
        let start = self.source_of(span.start).start;
        if span.is_empty() {
            return start..start;
        }
        start..self.source_of(span.end - 1).end
    }

    fn name(&self, name: Name) -> Name {
        match name {
            Name::Key(start, end) => {
                let span = self.source(start as usize..end as usize);
                Name::Key(span.start as u32, span.end as u32)
            }
            name => name,
        }
    }
}

/// Whether an escape means a line break, after which no value is expected.
fn breaks_line(written: &[u8]) -> bool {
    let written = written.strip_suffix(b";").unwrap_or(written);
    let letter = written.strip_prefix(b"\\").is_some_and(|rest| !rest.contains(&b'u'))
        && matches!(written.last(), Some(b'n' | b'r'));
    let codes: [&[u8]; 8] = [b"012", b"015", b"0a", b"0d", b"0A", b"0D", b"&#10", b"&#13"];
    letter || codes.iter().any(|code| written.ends_with(code))
}

/// Whether an ambiguous escape is meant as one.
fn is_meant(text: &[u8], at: usize, escape: &Escape) -> bool {
    let Some(row) = escape.doubtful.filter(|_| text[at] == b'\\') else {
        // `^Info` may be a pattern, and `^` the separator between pairs in LEEF.
        return escape.doubtful.is_none();
    };
    let before = at.checked_sub(1).map_or(b' ', |at| text[at]);
    let begins_word = before <= b' ' || b"=\"'(,:".contains(&before);
    match text.get(at + row) {
        // `=\
        // as.example\share`, but `Address:\\t192.0.2.1`.
        Some(b'n' | b'r') => row % 2 == 0 && !begins_word,
        Some(b't') => row % 2 == 0,
        Some(b'0') => escape.separates(),
        _ => false,
    }
}
