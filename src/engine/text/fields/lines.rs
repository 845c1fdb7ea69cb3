//! Lines, and what opens and closes in them.

use crate::engine::progress::bound;
use std::ops::Range;

/// The maximum length of a record, and so the distance to look at on both sides of
/// a line.
pub(super) const MAX_BLOCK: usize = bound(64 << 10, 256);

/// A line of a text.
pub(super) struct Line<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) indent: usize,
    /// The line without surrounding blanks.
    pub(super) text: &'t [u8],
}

impl<'t> Line<'t> {
    pub(super) fn of(text: &'t [u8], range: Range<usize>) -> Line<'t> {
        let bytes = &text[range.clone()];
        let indent = bytes.iter().take_while(|b| b" \t".contains(b)).count();
        Line { start: range.start, end: range.end, indent, text: bytes.trim_ascii() }
    }

    /// Where a record begins that may continue after this line: an object, or an
    /// element that the line does not close.
    pub(super) fn opens(&self) -> Option<usize> {
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

    pub(super) fn closes(&self) -> bool {
        matches!(self.text, [b'}' | b']', ..] | [b'<', b'/', ..])
    }
}

/// Iterates over the lines of a text, without line breaks.
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
