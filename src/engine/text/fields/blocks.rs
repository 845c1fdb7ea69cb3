//! Records that span several lines: JSON and XML as programs print them for people,
//! and formats with one name and value per line.
//!
//! An indented line belongs to the last less indented line before it. What opens
//! there is a record, if it is closed soon enough, and the outermost such record
//! counts. So a longer document contains the records that open below it. The result
//! only depends on the [`MAX_BLOCK`] bytes around a line, and not on how the text
//! was cut. The lines of a text are inspected once, when the first hit asks.

use super::columns::Format;
use super::lines::{Line, MAX_BLOCK, lines};
use super::paragraphs::{self, Paragraphs};
use std::ops::Range;

/// The maximum number of times to read the length of a text for rows that span
/// lines.
const MAX_ROUNDS: usize = 16;

/// The records in a text that span lines.
#[derive(Debug, Default)]
pub struct Blocks {
    /// What opens and closes, and paragraphs, in the order of the text; found when
    /// first needed.
    indented: Option<Vec<Range<usize>>>,
    paragraphs: Option<Vec<Range<usize>>>,
    rows: Option<Vec<Range<usize>>>,
}

impl Blocks {
    /// The record around a line, if it spans several. `format` says how lines form
    /// records in this text.
    pub fn around(
        &mut self,
        text: &[u8],
        line: &Range<usize>,
        format: &Format,
    ) -> Option<Range<usize>> {
        if format.is_table() {
            let found = self.rows.get_or_insert_with(|| rows(text, format));
            return whole_line(found, line);
        }
        let paragraphs = format.paragraphs();
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

/// The rows of a table that span lines because their cells contain line breaks. The
/// text may begin within a cell, so only rows with as many cells as the header
/// count.
fn rows(text: &[u8], format: &Format) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut left = text.len().saturating_mul(MAX_ROUNDS).saturating_add(MAX_BLOCK);
    let mut at = 0;
    while at < text.len() && left > 0 {
        let line = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |len| at + len);
        // Without quotes, a row ends with its line.
        let has_quotes = memchr::memchr(b'"', &text[at..line]).is_some();
        let limit = at.saturating_add(MAX_BLOCK);
        let (end, is_row) =
            if has_quotes { format.row_end(text, at, limit) } else { (line, false) };
        left = left.saturating_sub(end - at + 1);
        let end = if is_row { end } else { line };
        if end > line {
            let is_cr = text[..end].ends_with(b"\r");
            found.push(at..end - usize::from(is_cr));
        }
        at = end + 1;
    }
    found
}

/// The record that contains the whole line.
fn whole_line(records: &[Range<usize>], line: &Range<usize>) -> Option<Range<usize>> {
    record_at(records, line.start).filter(|record| record.end >= line.end)
}

/// The record that contains a place.
pub(super) fn record_at(records: &[Range<usize>], at: usize) -> Option<Range<usize>> {
    let after = records.partition_point(|record| record.start <= at);
    let record = records.get(after.checked_sub(1)?)?;
    record.contains(&at).then(|| record.clone())
}

/// Something that opened, with the indentation of its line.
struct Open {
    start: usize,
    indent: usize,
}

/// Walks through the lines and tracks what is open. Calls `closed` with what is
/// closed, from the inside out.
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

/// How much of the lines received from a live stream belongs to complete records.
/// The rest waits for more.
fn whole_records(lines: &[u8]) -> usize {
    // Do not wait unless a record may be unfinished, which is rare in most logs.
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

/// How much of the lines received from a live stream belongs to complete records.
pub fn whole_paragraphs(form: Paragraphs) -> fn(&[u8]) -> usize {
    fn whole(lines: &[u8], form: Paragraphs) -> usize {
        let floor = lines.len().saturating_sub(MAX_BLOCK);
        let last = paragraphs::records(lines, form).last().map(|record| record.start);
        last.filter(|start| *start >= floor).unwrap_or(lines.len())
    }
    match form {
        Paragraphs::None => whole_records,
        // An entry ends with an empty line, and the next one may take a while.
        Paragraphs::Export => |lines| match lines.ends_with(b"\n\n") {
            true => lines.len(),
            false => whole(lines, Paragraphs::Export),
        },
        Paragraphs::Events => |lines| whole(lines, Paragraphs::Events),
        Paragraphs::List => |lines| whole(lines, Paragraphs::List),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn around<'t>(text: &'t str, hit: &str) -> Option<&'t str> {
        let at = text.find(hit).unwrap();
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        let format = Format::of_table(text.as_bytes());
        let block = Blocks::default().around(text.as_bytes(), &(start..end), &format);
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

    #[test]
    fn rows_with_line_breaks_in_cells() {
        let head = "time,msg,src\n";
        let row = "2026-11-24T04:15:41Z,\"line1\nevil \"\"x\"\"\n\",203.0.113.5";
        let text = format!("{head}a,\"b\",c\n{row}\nd,e,f\n");
        assert_eq!(around(&text, "evil"), Some(row));
        assert_eq!(around(&text, "203.0.113.5"), Some(row));
        assert_eq!(around(&text, "d,e,f"), None);
        assert_eq!(around(&text, "a,\"b"), None);
        // A row with a different number of cells is not a row.
        let text = format!("{head}a,\"b\nevil\"\nc,d,e\n");
        assert_eq!(around(&text, "evil"), None);
    }

    /// Records at one level of an overlong line, wherever the text is cut.
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
                for (before, after) in [(MAX_BLOCK, MAX_BLOCK), (9000, 70_000), (70_000, 9000)] {
                    let from = line(place.saturating_sub(before));
                    let to = line((place + after).min(text.len()));
                    assert_eq!(trimmed(&text[from..to]), want, "{before} {after}");
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
