//! Records that go over several lines: JSON and XML as programs print them for people, and
//! what they write in lines of a name and a value each.
//!
//! A line that is indented belongs to the one before it that is less so: what opens there is a
//! record, if it is closed soon enough, and the outermost one that is counts. So a document that is
//! longer holds the records that open below it. What is one depends on nothing but the
//! [`MAX_BLOCK`] bytes around it, and not on how the text was cut. The lines of a text are looked
//! at once, when the first hit asks.

use super::paragraphs::{self, Paragraphs};
use crate::progress::bound;
use std::ops::Range;

/// A longer record is none. So much is looked at on both sides of a line.
pub(super) const MAX_BLOCK: usize = bound(64 << 10, 256);

/// The records of several lines in a text.
#[derive(Debug, Default)]
pub struct Blocks {
    /// What opens and closes, and paragraphs, in the order of the text; found when they are first
    /// asked for.
    indented: Option<Vec<Range<usize>>>,
    paragraphs: Option<Vec<Range<usize>>>,
}

/// A line of a text.
pub(super) struct Line<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) indent: usize,
    /// Without the blanks on both sides.
    pub(super) text: &'t [u8],
}

impl<'t> Line<'t> {
    pub(super) fn of(text: &'t [u8], range: Range<usize>) -> Line<'t> {
        let bytes = &text[range.clone()];
        let indent = bytes.iter().take_while(|b| b" \t".contains(b)).count();
        Line { start: range.start, end: range.end, indent, text: bytes.trim_ascii() }
    }

    /// Where a record begins that goes on behind this line, if one may: an object, or an element
    /// that is not closed in it.
    fn opens(&self) -> Option<usize> {
        let begins = self.start + self.indent;
        match self.text {
            [b'{'] | [b'{', b'"', ..] => self.is_open().then_some(begins),
            // `[{` and `}, {`
            [b'[' | b'}', .., b'{'] => {
                let is_brackets = self.text.iter().all(|b| b" \t,[]{}".contains(b));
                is_brackets.then(|| begins + self.text.len() - 1)
            }
            [b'<', next, .., b'>'] if next.is_ascii_alphabetic() => {
                let is_closed =
                    self.text.ends_with(b"/>") || memchr::memmem::find(self.text, b"</").is_some();
                let name = self.text[1..].iter().position(|b| b" \t>".contains(b));
                let is_name = name.is_some_and(|len| {
                    self.text[1..1 + len]
                        .iter()
                        .all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(b))
                });
                (!is_closed && is_name).then_some(begins)
            }
            _ => None,
        }
    }

    /// Whether more braces open than close.
    fn is_open(&self) -> bool {
        let count = |brace: u8| memchr::memchr_iter(brace, self.text).count();
        count(b'{') > count(b'}')
    }

    fn closes(&self) -> bool {
        matches!(self.text, [b'}' | b']', ..] | [b'<', b'/', ..])
    }
}

/// The lines of a text, without their line breaks.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).map_or(text.len(), |newline| at + newline);
        let line = Line::of(text, at..end);
        at = end + 1;
        Some(line)
    })
}

impl Blocks {
    /// The record around a line, if it goes over several. `paragraphs`: how lines of a name and
    /// a value each make records in this text.
    pub fn around(
        &mut self,
        text: &[u8],
        line: &Range<usize>,
        paragraphs: Paragraphs,
    ) -> Option<Range<usize>> {
        if paragraphs != Paragraphs::None {
            let found =
                self.paragraphs.get_or_insert_with(|| paragraphs::records(text, paragraphs));
            return whole_line(found, line);
        }
        let own = Line::of(text, line.clone());
        let may_be = match own.text {
            [b'"' | b'<' | b'{' | b'}' | b'[' | b']', ..] => true,
            // A byte of a text that the journal writes as an array.
            [b'0'..=b'9', ..] => own.text.iter().all(|b| b.is_ascii_digit() || *b == b','),
            _ => false,
        };
        if !may_be || own.indent == 0 {
            return None;
        }
        whole_line(self.indented.get_or_insert_with(|| indented(text)), line)
    }
}

/// The record that all of a line lies in.
fn whole_line(records: &[Range<usize>], line: &Range<usize>) -> Option<Range<usize>> {
    record_at(records, line.start).filter(|record| record.end >= line.end)
}

/// The record that a place lies in.
pub(super) fn record_at(records: &[Range<usize>], at: usize) -> Option<Range<usize>> {
    let behind = records.partition_point(|record| record.start <= at);
    let record = records.get(behind.checked_sub(1)?)?;
    record.contains(&at).then(|| record.clone())
}

/// Something that opened, and how far its line is indented.
struct Open {
    start: usize,
    indent: usize,
}

/// Goes through the lines and keeps what is open. Calls `closed` with what is closed, from the
/// inside out.
fn open_at_end(text: &[u8], mut closed: impl FnMut(Range<usize>)) -> Vec<Open> {
    let mut open: Vec<Open> = Vec::new();
    for line in lines(text).filter(|line| !line.text.is_empty()) {
        let (closes, opens) = (line.closes(), line.opens());
        while open.last().is_some_and(|last| last.indent >= line.indent) {
            if let Some(Open { start, .. }) = open.pop().filter(|_| closes) {
                closed(start..opens.unwrap_or(line.end));
            }
        }
        if let Some(start) = opens {
            open.push(Open { start, indent: line.indent });
        }
    }
    open
}

/// The outermost records that are short enough.
fn indented(text: &[u8]) -> Vec<Range<usize>> {
    let mut records: Vec<Range<usize>> = Vec::new();
    open_at_end(text, |record| {
        if record.len() <= MAX_BLOCK {
            while records.last().is_some_and(|inner| inner.start >= record.start) {
                records.pop();
            }
            records.push(record);
        }
    });
    records
}

/// How much of the lines that a live stream has brought belongs to records that are whole:
/// what follows waits for more.
pub(super) fn whole_records(lines: &[u8]) -> usize {
    // Nobody waits where no record may be under way, which is so in most logs.
    let last = memchr::memrchr(b'\n', lines.strip_suffix(b"\n").unwrap_or(lines));
    let last = &lines[last.map_or(0, |newline| newline + 1)..];
    if !matches!(last, [b' ' | b'\t' | b'\r' | b'\n' | b'{' | b'[' | b'<' | b'}', ..]) {
        return lines.len();
    }
    let floor = lines.len().saturating_sub(MAX_BLOCK);
    let open = open_at_end(lines, |_| {});
    let first = open.iter().map(|open| open.start).find(|start| *start >= floor);
    first.map_or(lines.len(), |start| {
        memchr::memrchr(b'\n', &lines[..start]).map_or(0, |newline| newline + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn around<'t>(text: &'t str, hit: &str) -> Option<&'t str> {
        let at = text.find(hit).unwrap();
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        let block = Blocks::default().around(text.as_bytes(), &(start..end), Paragraphs::None);
        block.map(|block| text[block].trim())
    }

    #[test]
    fn records_of_several_lines() {
        let object = "{\n  \"a\": 1,\n  \"b\": {\n    \"h\": \"evil\"\n  },\n  \"t\": 2\n}";
        let event = "<Event>\n  <System>\n    <T/>\n  </System>\n  <Data>evil</Data>\n</Event>";
        for record in [object, event] {
            assert_eq!(around(record, "evil"), Some(record));
            let text = format!("x\n{}\n{record}\n{}\n", record.replace("evil", "ok"), record);
            assert_eq!(around(&text, "evil"), Some(record));
            let crlf = record.replace('\n', "\r\n");
            assert_eq!(around(&crlf, "evil"), Some(&crlf[..]));
        }
        let joined = "[{\n  \"h\": \"ok\"\n}, {\n  \"h\": \"evil\"\n}]\n";
        assert_eq!(around(joined, "evil"), Some("{\n  \"h\": \"evil\"\n}]"));
        for text in [
            "at x\n  \"evil\"\n",
            "x {\n  \"h\": \"evil\"\n}\n",
            "{\n  \"h\": \"evil\"\n",
            "{\n  \"h\": \"evil\"\nx\n",
            "{\n  evil\n}\n",
            "  \"evil\"\n",
            "{\"h\":\"evil\"}\n",
            "{\"a\":1}\n  \"evil\"\n}\n",
            "<13>Jun 24\n  \"evil\"\n</13>\n",
        ] {
            assert_eq!(around(text, "evil"), None, "{text}");
        }
    }

    /// Records at one level in what is too long, wherever the text is cut around one.
    #[test]
    fn records_in_long_arrays() {
        let record = |at: usize| format!("  {{\n    \"n\": {at},\n    \"h\": \"evil{at}.\"\n  }}");
        let records: Vec<String> = (0..5000).map(record).collect();
        for text in [
            format!("[\n{}\n]\n", records.join(",\n")),
            format!("{{\n \"Records\": [\n{}\n ]\n}}\n", records.join(",\n")),
        ] {
            assert!(text.len() > 2 * MAX_BLOCK);
            for at in [0, 7, 8, 2500, 4999] {
                let want = Some(&records[at][2..]);
                let name = format!("evil{at}.");
                let trimmed = |text| around(text, &name).map(|found| found.trim_end_matches(','));
                assert_eq!(trimmed(&text), want);
                let place = text.find(&name).unwrap();
                let line = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                for (behind, ahead) in [(MAX_BLOCK, MAX_BLOCK), (9000, 70_000), (70_000, 9000)] {
                    let from = line(place.saturating_sub(behind));
                    let to = line((place + ahead).min(text.len()));
                    assert_eq!(trimmed(&text[from..to]), want, "{behind} {ahead}");
                }
            }
        }
    }

    #[test]
    fn what_a_live_stream_waits_for() {
        for (lines, whole) in [
            ("a\nb\n", "a\nb\n"),
            ("a\n{\n", "a\n"),
            ("a\n{\n  \"b\": 1\n", "a\n"),
            ("{\n  \"b\": 1\n}\n", "{\n  \"b\": 1\n}\n"),
            ("[\n  {\n    \"b\": 1\n  },\n  {\n", "[\n  {\n    \"b\": 1\n  },\n"),
            ("<Event>\n  <A/>\n", ""),
            ("panic\n  at x\n", "panic\n  at x\n"),
            ("<a@b.example>\n", "<a@b.example>\n"),
            ("{\"a\":1}\n", "{\"a\":1}\n"),
        ] {
            assert_eq!(whole_records(lines.as_bytes()), whole.len(), "{lines}");
        }
        let long = format!("{{\n{}", "  \"a\": 1,\n".repeat(MAX_BLOCK / 10 + 2));
        assert_eq!(whole_records(long.as_bytes()), long.len());
    }

    proptest! {
        #[test]
        fn any_lines(lines in prop::collection::vec("[ \t]{0,3}[{}\\[\\]<>/a\", ]{0,6}", 0..30)) {
            let text = lines.join("\n");
            let records = indented(text.as_bytes());
            prop_assert!(records.windows(2).all(|two| two[0].end <= two[1].start));
            prop_assert!(whole_records(text.as_bytes()) <= text.len());
        }
    }
}
