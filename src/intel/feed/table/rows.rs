//! Splits lines of a table into fields.
//!
//! The splitter is our own. Rows are borrowed from the text, and a line without a
//! quote is only searched for its delimiter. That, and sharing one context between
//! rows that say the same, lets millions of rows through per second. It also
//! accepts what real feeds contain and a strict reader rejects: blanks before a
//! quote, headers that are comments, a stray quote that would swallow the rest of
//! the file.

use crate::intel::feed::lines::Lines;
use std::borrow::Cow;

/// A longer quoted field means that its quote is stray.
const MAX_QUOTED: usize = crate::engine::progress::bound(1 << 14, 64);

/// The maximum number of fields per row. No table has more columns, and a line with
/// millions of delimiters must not use the memory of as many fields.
pub(in crate::intel::feed) const MAX_FIELDS: usize = 1 << 12;

/// A row, with its fields borrowed unless they need unquoting.
pub(in crate::intel::feed) struct Row<'a> {
    pub(in crate::intel::feed) delimiter: u8,
    pub(in crate::intel::feed) fields: Vec<Cow<'a, str>>,
    /// Whether the line has more fields than that.
    pub(in crate::intel::feed) is_over: bool,
    /// Where a record over several lines ended because of an unclosed quote,
    /// counted from the end of the text. The lines up to there are separate
    /// records; trying each of them again would take quadratic time.
    broken: usize,
}

impl<'a> Row<'a> {
    pub(in crate::intel::feed) fn new(delimiter: u8) -> Self {
        Row { delimiter, fields: Vec::new(), is_over: false, broken: usize::MAX }
    }

    /// Splits a line, ignoring quotes that extend beyond it.
    pub(in crate::intel::feed) fn split(&mut self, line: &'a str) {
        self.fields.clear();
        if memchr::memchr(b'"', line.as_bytes()).is_some() && self.split_quoted(line).is_ok() {
            return;
        }
        self.split_plain(line);
    }

    /// Splits a line at each delimiter.
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

    /// Splits a record with quoted fields off the start of `text`. Returns its
    /// length without the line break.
    ///
    /// # Errors
    ///
    /// The position of a quote that is not closed, or at which the row gets too
    /// long.
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
                // Text between the closing quote and the delimiter is dropped.
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

    /// A field; empty if the row is too short.
    pub(in crate::intel::feed) fn get(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", |field| field)
    }
}

/// Reads the field whose opening quote is before `start`. Returns it with its end.
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
            // Two quotes stand for one (RFC 4180, section 2.7).
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

/// Reads the next row that is not a comment. Returns the number of its first line.
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
                // A quoted field contains line breaks.
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
