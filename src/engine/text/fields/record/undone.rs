//! Texts of pairs and of XML without their escapes (matching specification, section 8.1).
//!
//! `#011` and `\t` stand between a label and its value, `\r\n` between two pairs, and a writer
//! of JSON may spell the brackets of XML as `\u003c` and `\u003e`, one of XML as `&lt;` and
//! `&gt;`. Such a text is read as what it stands for; where things stood in the line is then
//! told of it.

use super::Record;
use crate::engine::text::escapes::{Escape, Meaning, begins_escape, escape_at};
use crate::engine::text::fields::json::{self, slashes};
use crate::engine::text::fields::member::Name;
use crate::engine::text::fields::{pairs, xml};
use std::ops::Range;

/// What stands for a character of a value that would end the value if it stood there as it is.
const OF_VALUE: u8 = 0x1a;

/// An escape that was undone.
struct Spot {
    /// What it stands for, in the undone text.
    undone: Range<usize>,
    /// Its own bytes in the line.
    source: Range<usize>,
}

/// A text without its escapes.
pub(super) struct Undone {
    text: Vec<u8>,
    spots: Vec<Spot>,
    /// Where the text begins in the line.
    first: usize,
}

impl Record {
    /// The record that a cell of a table holds whose quotes are doubled (RFC 4180, section 2).
    pub(super) fn of_cell(line: &[u8], span: Range<usize>, nest: u8) -> Option<Record> {
        let undone = Undone::of_cell(line, span.clone())?;
        let mut inner = Record::default();
        inner.begin(0..undone.text().len(), nest);
        inner.read_text(undone.text(), json::begins(undone.text(), &inner.text, nest));
        undone.put_back(&mut inner, 0, 0);
        inner.text = span;
        Some(inner)
    }

    /// Reads the pairs and the XML of a text that lies in so many strings of JSON.
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
    /// The text without its escapes, if it has any.
    fn of(line: &[u8], range: Range<usize>, nest: u8) -> Option<Undone> {
        let range = range.start..range.end.min(line.len());
        let text = line.get(range.clone())?;
        text.iter().position(|&byte| begins_escape(byte))?;
        // What entities stand for is the text of an element, unless the elements are spelt so.
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

    /// The text of a cell whose quotes are doubled, with each of them once; none if it has no
    /// such quotes.
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

    /// Says of what was read from this text where it stood in the line: members and scopes from
    /// these on.
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

    /// Takes what an escape at a place stands for.
    fn take(&mut self, spelt: &[u8], at: usize, escape: Escape, nest: u8) {
        let from = self.text.len();
        let is_entity = spelt[0] == b'&';
        let row = spelt.iter().take_while(|&&byte| byte == b'\\').count();
        match escape.meaning {
            Meaning::Separator if breaks_line(spelt) => self.text.push(b'\n'),
            Meaning::Separator => self.text.push(b'\t'),
            Meaning::Byte(byte) => self.text.push(byte),
            // CEF writes those of a value so.
            Meaning::Char('=' | '|') if spelt.len() == row + 1 => self.text.push(OF_VALUE),
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

    /// Where the byte at `at` stood.
    fn source_of(&self, at: usize) -> Range<usize> {
        let behind = self.spots.partition_point(|spot| spot.undone.start <= at);
        let place = match behind.checked_sub(1).map(|last| &self.spots[last]) {
            None => self.first + at,
            Some(spot) if at < spot.undone.end => return spot.source.clone(),
            Some(spot) => spot.source.end + at - spot.undone.end,
        };
        place..place + 1
    }

    /// Where a span of the undone text stood.
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

/// Whether an escape stands for the end of a line, behind which no value is looked for.
fn breaks_line(spelt: &[u8]) -> bool {
    let spelt = spelt.strip_suffix(b";").unwrap_or(spelt);
    let letter = spelt.strip_prefix(b"\\").is_some_and(|rest| !rest.contains(&b'u'))
        && matches!(spelt.last(), Some(b'n' | b'r'));
    let codes: [&[u8]; 8] = [b"012", b"015", b"0a", b"0d", b"0A", b"0D", b"&#10", b"&#13"];
    letter || codes.iter().any(|code| spelt.ends_with(code))
}

/// Whether an escape is one where it may also be meant as it stands.
fn is_meant(text: &[u8], at: usize, escape: &Escape) -> bool {
    let Some(row) = escape.doubtful.filter(|_| text[at] == b'\\') else {
        // `^Info` may be a pattern, and `^` the sign between the pairs of LEEF.
        return escape.doubtful.is_none();
    };
    let before = at.checked_sub(1).map_or(b' ', |at| text[at]);
    let begins_word = before <= b' ' || b"=\"'(,:".contains(&before);
    match text.get(at + row) {
        // `=\\nas.example\share`, but `Address:\\t192.0.2.1`.
        Some(b'n' | b'r') => row % 2 == 0 && !begins_word,
        Some(b't') => row % 2 == 0,
        Some(b'0') => escape.separates(),
        _ => false,
    }
}
