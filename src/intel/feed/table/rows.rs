//! Lines of a table to their fields.
//!
//! The splitter is our own. Rows are borrowed from the text, and a line without
//! a quote is only searched for its delimiter; that, and one shared context for
//! rows that say the same, is what lets millions of rows through in a second. It
//! also takes what real feeds do and a strict reader refuses: blanks before a
//! quote, headers that are comments, a stray quote that would swallow the rest.

use crate::intel::feed::lines::Lines;
use std::borrow::Cow;

/// A quoted field longer than this is a stray quote.
const MAX_QUOTED: usize = crate::engine::progress::bound(1 << 14, 64);

/// The most fields of a row: no table has more columns, and a line of millions of
/// delimiters must not take the memory of as many fields.
pub(in crate::intel::feed) const MAX_FIELDS: usize = 1 << 12;

/// One row, its fields borrowed where they need no unquoting.
pub(in crate::intel::feed) struct Row<'a> {
    pub(in crate::intel::feed) delimiter: u8,
    pub(in crate::intel::feed) fields: Vec<Cow<'a, str>>,
    /// Whether the line has more fields than a row can.
    pub(in crate::intel::feed) is_over: bool,
    /// Where in the text a record over several lines broke off at a quote that does not
    /// close, counted from the end: the lines up to there are records of their own. Each
    /// of them would else be followed as far, and so in vain.
    broken: usize,
}

impl<'a> Row<'a> {
    pub(in crate::intel::feed) fn new(delimiter: u8) -> Self {
        Row { delimiter, fields: Vec::new(), is_over: false, broken: usize::MAX }
    }

    /// Splits a line without regard to quotes that go beyond it.
    pub(in crate::intel::feed) fn split(&mut self, line: &'a str) {
        self.fields.clear();
        if memchr::memchr(b'"', line.as_bytes()).is_some() && self.split_quoted(line).is_ok() {
            return;
        }
        self.split_plain(line);
    }

    fn split_plain(&mut self, line: &'a str) {
        self.fields.clear();
        self.is_over = false;
        let mut start = 0;
        for at in memchr::memchr_iter(self.delimiter, line.as_bytes()) {
            if self.fields.len() == MAX_FIELDS {
                self.is_over = true;
                return;
            }
            self.fields.push(Cow::Borrowed(line[start..at].trim()));
            start = at + 1;
        }
        self.fields.push(Cow::Borrowed(line[start..].trim()));
    }

    /// Splits one record with quoted fields off the head of `text`; returns how
    /// long it is without its line end.
    ///
    /// # Errors
    ///
    /// Where a quote opens that does not close, or the row gets too long.
    fn split_quoted(&mut self, text: &'a str) -> Result<usize, usize> {
        self.fields.clear();
        self.is_over = false;
        let bytes = text.as_bytes();
        let mut at = 0;
        loop {
            if self.fields.len() == MAX_FIELDS {
                return Err(at);
            }
            let blank = bytes[at..].iter().take_while(|&&b| b == b' ').count();
            if bytes.get(at + blank) == Some(&b'"') {
                let (field, end) = quoted(text, at + blank + 1).ok_or(at)?;
                self.fields.push(field);
                at = end;
                // What stands between the closing quote and the delimiter is lost.
                at += bytes[at..]
                    .iter()
                    .position(|&b| b == self.delimiter || b == b'\n' || b == b'\r')
                    .unwrap_or(bytes.len() - at);
            } else {
                let len = bytes[at..]
                    .iter()
                    .position(|&b| b == self.delimiter || b == b'\n' || b == b'\r')
                    .unwrap_or(bytes.len() - at);
                self.fields.push(Cow::Borrowed(text[at..at + len].trim()));
                at += len;
            }
            if bytes.get(at) != Some(&self.delimiter) {
                return Ok(at);
            }
            at += 1;
        }
    }

    /// A field; nothing where the row is too short.
    pub(in crate::intel::feed) fn get(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", |field| field)
    }
}

/// The field whose opening quote stands before `start`, and where it ends.
fn quoted(text: &str, start: usize) -> Option<(Cow<'_, str>, usize)> {
    let bytes = text.as_bytes();
    let mut field: Option<String> = None;
    let mut from = start;
    loop {
        let quote = from + memchr::memchr(b'"', &bytes[from..])?;
        if quote - start > MAX_QUOTED {
            return None;
        }
        let part = &text[from..quote];
        if bytes.get(quote + 1) == Some(&b'"') {
            // Two quotes stand for one.
            field.get_or_insert_default().push_str(part);
            field.get_or_insert_default().push('"');
            from = quote + 2;
            continue;
        }
        let field = match field {
            Some(mut field) => {
                field.push_str(part);
                Cow::Owned(field.trim().to_string())
            }
            None => Cow::Borrowed(part.trim()),
        };
        return Some((field, quote + 1));
    }
}

/// Reads the next row that is no comment; returns the number of its first line.
pub(in crate::intel::feed) fn next_row<'a>(
    lines: &mut Lines<'a>,
    row: &mut Row<'a>,
) -> Option<(u64, &'a str)> {
    loop {
        let rest = lines.rest();
        let (number, line) = lines.next()?;
        match line.as_bytes().first() {
            None | Some(b'#') => continue,
            Some(b' ' | b'\t') if line.trim().is_empty() => continue,
            Some(b';' | b'!') if row.delimiter != b';' => continue,
            Some(b'/') if line.starts_with("//") => continue,
            _ => {}
        }
        if memchr::memchr(b'"', line.as_bytes()).is_none() {
            row.split_plain(line);
            return Some((number, line));
        }
        if rest.len() > row.broken {
            row.split(line);
            return Some((number, line));
        }
        match row.split_quoted(rest) {
            Ok(len) if len > line.len() => {
                // A quoted field holds line ends.
                let more = &rest.as_bytes()[line.len()..len];
                let ends = more.iter().filter(|&&b| b == b'\n').count() as u64;
                let consumed = rest.len() - lines.rest().len();
                if len > consumed {
                    let tail = &rest.as_bytes()[len..];
                    let eol = match tail {
                        [b'\r', b'\n', ..] => 2,
                        [b'\r' | b'\n', ..] => 1,
                        _ => 0,
                    };
                    lines.skip(len + eol - consumed, ends);
                }
            }
            Ok(_) => {}
            Err(at) => {
                row.broken = rest.len() - at;
                row.split(line);
            }
        }
        return Some((number, line));
    }
}
