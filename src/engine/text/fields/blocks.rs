//! Records that go over several lines: JSON and XML as programs print them for people.
//!
//! A line that is indented belongs to the one before it that is less so, and at last to one
//! that is not: what opens there is the record, if it is closed soon enough. Where that is a
//! long array, or an element around everything, the records are what opens one level below.
//! Each line is looked at once for each record, and what was found of one text says where
//! to stop in the rest of it.

use crate::engine::progress::bound;
use std::ops::Range;

/// A longer record is none. So much is looked at on both sides of a line.
const MAX_BLOCK: usize = bound(64 << 10, 256);

/// Finds records of several lines in a text.
#[derive(Debug, Default)]
pub struct Blocks {
    /// How far the records are indented in what is too long to be one.
    level: Option<usize>,
    /// Before this place there is no record of several lines.
    none_before: usize,
}

/// A line of a text.
struct Line<'t> {
    start: usize,
    indent: usize,
    /// Without the blanks on both sides.
    text: &'t [u8],
}

impl<'t> Line<'t> {
    fn of(text: &'t [u8], range: Range<usize>) -> Line<'t> {
        let bytes = &text[range.clone()];
        let indent = bytes.iter().take_while(|b| b" \t".contains(b)).count();
        Line { start: range.start, indent, text: bytes.trim_ascii() }
    }

    /// Whether a record may begin here: an object, or an element that is not closed in this
    /// line.
    fn opens(&self) -> bool {
        match self.text {
            [b'{'] | [b'{', b'"', ..] => true,
            [b'<', next, ..] => *next != b'/' && !self.text.ends_with(b"/>"),
            _ => false,
        }
    }

    /// Whether it opens what may be a record or hold some.
    fn is_head(&self) -> bool {
        self.opens() || matches!(self.text, [b'['] | [b'[', b'{'])
    }
}

impl Blocks {
    /// The record around a line, if it goes over several.
    pub fn around(&mut self, text: &[u8], line: &Range<usize>) -> Option<Range<usize>> {
        let own = Line::of(text, line.clone());
        let may_be = own.indent > 0 && own.text.first().is_some_and(|b| b"\"<{}[]".contains(b));
        if !may_be || line.start < self.none_before {
            return None;
        }
        let (start, indent) = self.opening(text, &own)?;
        let open_until = match closing(text, line.end, start, indent) {
            Ok(end) => return Some(start..end),
            Err(open_until) => open_until,
        };
        // What is too long holds records.
        if self.level.is_none() && indent == 0 {
            self.level = inner_level(text, &own);
            if self.level.is_some() {
                return self.around(text, line);
            }
        }
        self.none_before = open_until.max(line.end);
        None
    }

    /// Where the record of a line opens, and how far it is indented.
    fn opening(&mut self, text: &[u8], own: &Line<'_>) -> Option<(usize, usize)> {
        let floor = own.start.saturating_sub(MAX_BLOCK);
        let mut indent = own.indent;
        for line in before(text, own.start, floor) {
            if line.text.is_empty() || line.indent >= indent {
                continue;
            }
            indent = line.indent;
            let is_level = self.level.is_some_and(|level| indent <= level);
            if is_level && line.opens() || indent == 0 && line.is_head() {
                return Some((line.start, indent));
            }
            if indent == 0 {
                // Nor is there one for the lines behind it that belong to the same.
                self.none_before = match closing(text, own.start, own.start, 0) {
                    Ok(place) | Err(place) => place,
                };
                return None;
            }
        }
        if self.level.is_none() {
            self.level = inner_level(text, own);
            if self.level.is_some() {
                return self.opening(text, own);
            }
        }
        self.none_before = own.start.saturating_add(MAX_BLOCK);
        None
    }
}

/// How far the outermost record around a line is indented that is none by itself.
fn inner_level(text: &[u8], own: &Line<'_>) -> Option<usize> {
    let floor = own.start.saturating_sub(MAX_BLOCK);
    let mut indent = own.indent;
    let mut found = None;
    for line in before(text, own.start, floor) {
        if !line.text.is_empty() && line.indent < indent {
            indent = line.indent;
            if indent == 0 {
                break;
            }
            if line.opens() {
                found = Some(indent);
            }
        }
    }
    found
}

/// The lines before a place, the nearest first, as far as all of them is behind `floor`.
fn before(text: &[u8], at: usize, floor: usize) -> impl Iterator<Item = Line<'_>> {
    let mut end = at;
    std::iter::from_fn(move || {
        // Before the end there is a line break.
        end = end.checked_sub(1).filter(|end| *end >= floor)?;
        let start = match memchr::memrchr(b'\n', &text[floor..end]) {
            Some(newline) => floor + newline + 1,
            None if floor == 0 => 0,
            None => return None,
        };
        let line = Line::of(text, start..end);
        end = start;
        Some(line)
    })
}

/// Where the line ends that closes what opened at `start`, or how far nothing does.
fn closing(text: &[u8], from: usize, start: usize, indent: usize) -> Result<usize, usize> {
    let limit = start.saturating_add(MAX_BLOCK).min(text.len());
    let newline = text.get(from..limit).and_then(|rest| memchr::memchr(b'\n', rest));
    let mut at = newline.map_or(limit, |newline| from + newline + 1);
    while at < limit {
        let end = match memchr::memchr(b'\n', &text[at..limit]) {
            Some(newline) => at + newline,
            None if limit == text.len() => limit,
            None => break,
        };
        let line = Line::of(text, at..end);
        if !line.text.is_empty() && line.indent <= indent {
            let closes = matches!(line.text, [b'}' | b']', ..] | [b'<', b'/', ..]);
            return if closes { Ok(end) } else { Err(at) };
        }
        at = end + 1;
    }
    Err(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around<'t>(text: &'t str, hit: &str) -> Option<&'t str> {
        let at = text.find(hit).unwrap();
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        Blocks::default().around(text.as_bytes(), &(start..end)).map(|block| &text[block])
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
        for text in [
            "at x\n  \"evil\"\n",
            "x {\n  \"h\": \"evil\"\n}\n",
            "{\n  \"h\": \"evil\"\n",
            "{\n  \"h\": \"evil\"\nx\n",
            "{\n  evil\n}\n",
            "  \"evil\"\n",
            "{\"h\":\"evil\"}\n",
        ] {
            assert_eq!(around(text, "evil"), None, "{text}");
        }
    }

    #[test]
    fn records_in_long_arrays() {
        let record = |at: usize| format!("  {{\n    \"n\": {at},\n    \"h\": \"evil{at}.\"\n  }}");
        let records: Vec<String> = (0..5000).map(record).collect();
        let text = format!("[\n{}\n]\n", records.join(",\n"));
        assert!(text.len() > 2 * MAX_BLOCK);
        let mut blocks = Blocks::default();
        for at in [0, 7, 8, 2500, 4999] {
            let place = text.find(&format!("evil{at}.")).unwrap();
            let start = text[..place].rfind('\n').unwrap() + 1;
            let end = place + text[place..].find('\n').unwrap();
            let block = blocks.around(text.as_bytes(), &(start..end)).unwrap();
            assert_eq!(text[block].trim_end_matches(','), records[at]);
        }
    }
}
