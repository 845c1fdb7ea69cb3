//! Mail files: their decoded contents, and their raw lines.
//!
//! A mail is decoded as in a capture, and its lines are also searched like those of a log, so that
//! text that turns out not to be a mail, and text that decoding leaves out, is still seen. What
//! both find in one mail is reported once, as found by decoding. Unlike captures, files have lines:
//! a piece of a few lines is decoded at a time, and findings are located in these lines.

use super::attachments::{AttachedFile, Attachments};
use crate::engine::indicator::{Kind, LogPlace, Timestamp};
use crate::engine::packet::{Counters, MailFile, Visitor};
use crate::sensor::input::{is_count_line, is_from_line};
use hashbrown::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// The maximum size of lines that are decoded together, in bytes.
const PIECE: usize = 512;

/// How far back to look for the beginning of a line that was joined.
const MAX_LOOKBACK: usize = 8 << 10;

/// How many observables of a piece are located in it; the others are reported at its beginning.
const MAX_SEARCHES: u32 = 64;

/// The maximum length of a line that is shown.
const MAX_TEXT: usize = 1 << 10;

/// How many observables of a mail are remembered.
const MAX_REMEMBERED: usize = 4096;

/// How much of a mail's head is searched for its time.
const MAX_HEAD: usize = 64 << 10;

/// The mails of an input, as far as they were read.
pub(super) struct Mails {
    mail: MailFile,
    is_begun: bool,
    /// The line before was empty: a mail may begin.
    after_blank: bool,
    /// What decoding found in this mail.
    found: HashSet<(Kind, String)>,
    /// The time of this mail, if it states one.
    time: Option<Timestamp>,
    /// When the input was read.
    read_at: Timestamp,
    /// The files in it.
    attachments: Attachments,
    /// The same once more, for a second reader of the same chunks.
    twin: Option<Box<Mails>>,
}

/// Lines of one mail in a text.
pub(super) struct Segment {
    pub(super) span: Range<usize>,
    /// Lines of the text before it.
    pub(super) lines: u64,
    begins: bool,
}

impl Mails {
    pub(super) fn new(read_at: Timestamp) -> Mails {
        Mails {
            mail: MailFile::new(read_at),
            is_begun: false,
            after_blank: true,
            found: HashSet::new(),
            time: None,
            read_at,
            attachments: Attachments::default(),
            twin: None,
        }
    }

    /// The same mails for a second reader, who is shown every chunk that the first one is. Their
    /// files are those of the first.
    pub(super) fn twin(&mut self) -> &mut Mails {
        let read_at = self.read_at;
        let twin = self.twin.get_or_insert_with(|| Box::new(Mails::new(read_at)));
        drop(twin.attachments.take());
        twin
    }

    /// Where the files in it go.
    pub(super) fn attachments(&self) -> Attachments {
        self.attachments.clone()
    }

    /// The files in it that are complete by now.
    pub(super) fn carried(&self) -> Vec<AttachedFile> {
        self.attachments.take()
    }

    pub(super) fn counters(&self) -> &Counters {
        self.mail.counters()
    }

    /// The time of the mail, if it states one.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// The time of the observables in the mail.
    pub(super) fn time_or_read(&self) -> Timestamp {
        self.time.unwrap_or(self.read_at)
    }

    /// Cuts the lines of a part of a text where mails begin.
    pub(super) fn segments(&mut self, text: &[u8], core: Range<usize>) -> Vec<Segment> {
        let mut segments = Vec::new();
        let (mut start, mut at, mut lines, mut counted) = (core.start, core.start, 0, 0);
        let mut begins = !self.is_begun;
        while at < core.end {
            let end = line_end(text, at, core.end);
            let line = text[at..end].trim_ascii_end();
            if self.after_blank && is_from_line(line) {
                if at > start {
                    segments.push(Segment { span: start..at, lines: counted, begins });
                }
                (start, counted, begins) = (at, lines, true);
            }
            self.after_blank = line.is_empty();
            (at, lines) = (end, lines + 1);
        }
        segments.push(Segment { span: start..core.end, lines: counted, begins });
        segments
    }

    /// Ends the previous mail if a segment begins another one. `visitor` is for the previous one.
    pub(super) fn begin<V: Visitor>(&mut self, text: &[u8], segment: &Segment, visitor: &mut V) {
        if !segment.begins {
            return;
        }
        let time = time_of(&text[segment.span.clone()]);
        let next = time.unwrap_or(self.read_at);
        self.mail.finish(next, visitor);
        (self.is_begun, self.time) = (true, time);
        self.found.clear();
    }

    /// Decodes a segment, in pieces; `visitor` makes the visitor of a piece.
    pub(super) fn decode<V: Visitor + Pieces>(
        &mut self,
        text: &[u8],
        segment: &Segment,
        visitor: &mut V,
    ) {
        let mut at = segment.span.start;
        while at < segment.span.end {
            let mut end = line_end(text, at, segment.span.end);
            let mut is_alone = is_alone(&text[at..end]);
            while end < segment.span.end && end - at < PIECE && !is_alone {
                let next = line_end(text, end, segment.span.end);
                is_alone = self::is_alone(&text[end..next]);
                // An empty line belongs to what it ends.
                if !is_alone || text[end..next].trim_ascii().is_empty() {
                    end = next;
                }
            }
            // The line that begins a mail in a mailbox is not one of its headers, nor is a count.
            let first = text.get(at).copied().unwrap_or_default();
            let is_first = at == segment.span.start && segment.begins;
            if is_first && (text[at..end].starts_with(b"From ") || first.is_ascii_digit()) {
                end = line_end(text, at, segment.span.end);
                let line = text[at..end].trim_ascii_end();
                if is_from_line(line) || is_count_line(line) {
                    at = end;
                    continue;
                }
            }
            visitor.piece(at..end);
            self.mail.push(&text[at..end], visitor);
            at = end;
        }
    }

    /// Ends the last mail.
    pub(super) fn end<V: Visitor>(&mut self, visitor: &mut V) {
        self.mail.finish(self.read_at, visitor);
    }

    /// Remembers what decoding found.
    pub(super) fn remember(&mut self, kind: Kind, value: &str) {
        if self.found.len() < MAX_REMEMBERED {
            self.found.insert((kind, value.to_owned()));
        }
    }

    /// Whether decoding found it in this mail.
    pub(super) fn has_found(&self, kind: Kind, value: &str) -> bool {
        self.found.contains(&(kind, value.to_owned()))
    }
}

/// Receives the lines that are decoded next.
pub(super) trait Pieces {
    /// Called before the lines of `span` are decoded.
    fn piece(&mut self, span: Range<usize>);
}

/// Whether a line is decoded without its neighbours: lines that end headers or a paragraph, and
/// encoded lines, where only the line gives the position.
fn is_alone(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let is_base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    line.is_empty()
        || line.len() >= 40 && line.iter().all(is_base64)
        || memchr::memmem::find(line, b"=?").is_some()
}

fn line_end(text: &[u8], at: usize, end: usize) -> usize {
    memchr::memchr(b'\n', &text[at..end]).map_or(end, |newline| at + newline + 1)
}

/// The time of the mail that begins here: when the last host received it (the first `Received`) or
/// put it into its mailbox, which its sender cannot have written, otherwise its own date (RFC 5322,
/// 3.6.1).
fn time_of(mail: &[u8]) -> Option<Timestamp> {
    let head = &mail[..mail.len().min(MAX_HEAD)];
    let end = memchr::memmem::find(head, b"\n\n").into_iter();
    let end = end.chain(memchr::memmem::find(head, b"\n\r\n")).min().unwrap_or(head.len());
    let head = &head[..end];
    let received = header(head, b"received").and_then(|value| {
        let at = memchr::memrchr(b';', &value)?;
        read_time(&value[at + 1..])
    });
    let delivered = || {
        let line = mail.strip_prefix(b"From ")?.split(|&b| b == b'\n').next()?;
        let (_, time) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        let time = jiff::civil::DateTime::strptime("%a %b %e %H:%M:%S %Y", time.trim()).ok()?;
        let time = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
        Some(Timestamp(time.as_microsecond()))
    };
    received.or_else(delivered).or_else(|| read_time(&header(head, b"date")?))
}

/// The first header with a name, unfolded.
fn header(head: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut value: Option<Vec<u8>> = None;
    for line in head.split(|&b| b == b'\n') {
        match &mut value {
            Some(value) if matches!(line, [b' ' | b'\t', ..]) => value.extend_from_slice(line),
            Some(_) => break,
            None => {
                let Some((own, rest)) = line.split_at_checked(name.len()) else { continue };
                if own.eq_ignore_ascii_case(name)
                    && let Some(rest) = rest.trim_ascii_start().strip_prefix(b":")
                {
                    value = Some(rest.to_vec());
                }
            }
        }
    }
    value
}

fn read_time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.replace(['\r', '\t'], " ");
    let time = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let time = time.parse_timestamp(text.trim()).ok()?;
    Some(Timestamp(time.as_microsecond()))
}

/// Locates decoded text in the lines that it was decoded from.
pub(super) struct Finder<'t> {
    text: &'t [u8],
    /// Offset of the text in its input.
    offset: u64,
    /// Where the line count begins.
    start: usize,
    /// Lines that may contain what is reported now: from the first one of which nothing was
    /// reported.
    from: usize,
    lines_before: u64,
    piece: Range<usize>,
    searches: u32,
    is_reported: bool,
}

impl<'t> Finder<'t> {
    pub(super) fn new(text: &'t [u8], offset: u64, segment: &Segment) -> Finder<'t> {
        let start = segment.span.start;
        Finder {
            text,
            offset,
            start,
            from: start,
            lines_before: segment.lines,
            piece: start..start,
            searches: MAX_SEARCHES,
            is_reported: true,
        }
    }

    /// The lines of `span` are decoded next.
    pub(super) fn piece(&mut self, span: Range<usize>) {
        let is_paragraph = self.text[..self.piece.end].ends_with(b"\n\n")
            || self.text[..self.piece.end].ends_with(b"\n\r\n");
        let from = match self.is_reported {
            // After the end of a paragraph, no line continues an earlier one.
            _ if is_paragraph && !self.piece.is_empty() => span.start,
            true => self.piece.start,
            false => self.from,
        };
        let floor = span.start.saturating_sub(MAX_LOOKBACK).max(from);
        // Start at a whole line, and count the lines before it.
        let floor = match floor == from {
            true => from,
            false => line_end(self.text, floor, span.start),
        };
        self.lines_before += newlines(&self.text[self.start..floor]);
        (self.start, self.from, self.piece) = (floor, floor, span);
        (self.searches, self.is_reported) = (MAX_SEARCHES, false);
    }

    /// Text of these lines was reported.
    pub(super) fn mark_reported(&mut self) {
        self.is_reported = true;
    }

    /// Line, column and offset of the finding, or of its longest prefix that occurs in the lines;
    /// otherwise of their first byte, because the text may be encoded.
    pub(super) fn place(&mut self, raw: &str) -> (u64, u64, u64) {
        let at = self.find(raw.as_bytes()).unwrap_or(self.from);
        let before = &self.text[self.start.min(at)..at];
        let line = self.lines_before + newlines(before) + 1;
        let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |end| end + 1) + 1;
        (line, column as u64, self.offset + at as u64)
    }

    fn find(&mut self, raw: &[u8]) -> Option<usize> {
        let lines = &self.text[self.from..self.piece.end];
        let mut length = raw.len();
        while length >= 6.min(raw.len()) && length > 0 && self.searches > 0 {
            self.searches -= 1;
            if let Some(at) = memchr::memmem::find(lines, &raw[..length]) {
                return Some(self.from + at);
            }
            length = length * 3 / 4;
        }
        None
    }

    /// The position of a finding in a log, with the text that it was decoded to, if any.
    pub(super) fn log_place(
        &mut self,
        path: &Arc<str>,
        raw: &str,
        text: Option<String>,
        time: Option<Timestamp>,
    ) -> LogPlace {
        let (line, column, offset) = self.place(raw);
        let text = text.unwrap_or_else(|| {
            let at = (offset - self.offset) as usize;
            let start = at + 1 - column as usize;
            let line = &self.text[start..line_end(self.text, at, self.text.len())];
            let line = String::from_utf8_lossy(&line[..line.len().min(MAX_TEXT)]);
            line.trim_end().to_string()
        });
        LogPlace { path: Arc::clone(path), line, column, offset, text, time, sender: None }
    }
}

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_mail_is_that_of_its_receipt() {
        for (mail, want) in [
            (
                "Received: from a\n\tby b; Tue, 24 Nov 2026 05:15:41 +0100\nDate: Mon, 23 Nov 2026 00:00:00 +0000\n\n",
                "2026-11-24T04:15:41.000000Z",
            ),
            (
                "From a@b.example Tue Nov 24 04:15:41 2026\nSubject: x\n\n",
                "2026-11-24T04:15:41.000000Z",
            ),
            (
                "Date: Tue, 24 Nov 2026 04:15:41 GMT\r\n\r\nReceived: x; Mon, 23 Nov 2026 00:00:00 +0000\r\n",
                "2026-11-24T04:15:41.000000Z",
            ),
        ] {
            assert_eq!(
                time_of(mail.as_bytes()).map(|time| time.to_string()).as_deref(),
                Some(want)
            );
        }
        assert_eq!(time_of(b"Received: from a; yesterday\nSubject: x\n\n"), None);
    }

    #[test]
    fn mails_in_a_box() {
        let text = b"From a@b.example Tue Nov 24 04:15:41 2026\nA: b\n\nFrom here on.\n\n\
            From c@d.example Tue Nov 24 04:15:41 2026\nC: d\n\nx\nFrom e@f.example Tue Nov 24 04:15:41 2026\n";
        let spans = |mails: &mut Mails, core| -> Vec<_> {
            let segments = mails.segments(text, core);
            segments.into_iter().map(|s| (s.span, s.lines, s.begins)).collect()
        };
        let mut mails = Mails::new(Timestamp(0));
        let second = memchr::memmem::find(text, b"From c").unwrap();
        let whole = spans(&mut mails, 0..text.len());
        assert_eq!(whole, [(0..second, 0, true), (second..text.len(), 5, true)]);
        // The result does not depend on which line it is cut at.
        let mut mails = Mails::new(Timestamp(0));
        assert_eq!(spans(&mut mails, 0..second), [(0..second, 0, true)]);
        assert_eq!(spans(&mut mails, second..text.len()), [(second..text.len(), 0, true)]);
    }
}
