//! Logs in columns: what the header lines of Zeek (`#fields`) or the W3C extended
//! format (`#Fields:`), or the first line of a table, say about the lines after
//! them.

use super::member::{Members, Name};
use super::names;
use super::paragraphs::Paragraphs;
use super::times;
use jiff::civil::Date;
use std::fmt;
use std::sync::Arc;

/// The maximum length of a header line.
const MAX_HEADER: usize = 64 << 10;
/// The beginnings of header lines.
const HEADERS: [&[u8]; 4] = [b"#separator ", b"#fields", b"#Fields:", b"#Date:"];
/// The byte order mark at the start of a file.
const MARK: &[u8] = "\u{feff}".as_bytes();
/// The weakest name of a time that makes a line with no other known name a header.
const MAX_LONE_RANK: u8 = names::RECEIVED_RANK;
/// The minimum number of columns in a table. Two of their names must be known.
const MIN_COLUMNS: usize = 2;

/// How the lines of a log name their fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    columns: Vec<String>,
    /// `None` if the header gives none.
    separator: Option<u8>,
    style: Style,
    /// The day of lines that only have a clock time, from `#Date:` of the W3C
    /// format.
    day: Option<Date>,
    /// Whether one of them contains URL paths.
    has_paths: bool,
    /// How lines with one name and value each form records.
    paragraphs: Paragraphs,
}

/// Who named the columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Style {
    /// Lines name their fields themselves, or have none.
    #[default]
    None,
    Zeek,
    W3c,
    Table,
}

impl Format {
    /// Reads the start of a file: all of its header lines, or the first line of a
    /// table.
    pub fn of_head(head: &[u8]) -> Format {
        let format = Format::of_table(head);
        Changes::of(head).applied(&format)
    }

    /// Reads the first line of a table.
    pub fn of_table(head: &[u8]) -> Format {
        let paragraphs = Paragraphs::of(head);
        if paragraphs != Paragraphs::None {
            return Format { paragraphs, ..Format::default() };
        }
        let head = after_preamble(head.strip_prefix(MARK).unwrap_or(head));
        let first = head.split(|&b| b == b'\n').next().unwrap_or_default();
        let line = first.strip_suffix(b"\r").unwrap_or(first);
        let is_whole = first.len() < head.len();
        if !is_whole || line.len() > MAX_HEADER || !line.first().is_some_and(|b| is_name_byte(*b)) {
            return Format::default();
        }
        let table = b",;\t| ".iter().find_map(|&separator| table(line, separator));
        table.unwrap_or_default()
    }

    /// How its lines form records, if a record has several.
    pub fn paragraphs(&self) -> Paragraphs {
        self.paragraphs
    }

    /// Where the row of a table that begins at a place ends: at a line break
    /// outside quotes, or at `limit`; and whether it has as many cells as the
    /// header.
    pub(super) fn row_end(&self, text: &[u8], start: usize, limit: usize) -> (usize, bool) {
        let separator = self.separator.unwrap_or(b'\t');
        let is_cut = limit < text.len();
        let text = &text[..limit.min(text.len())];
        let (mut at, mut cells) = (start, 1);
        loop {
            if text.get(at) == Some(&b'"') {
                at += quote_end(&text[at..]) + 1;
            }
            let Some(rest) = text.get(at..) else { return (text.len(), false) };
            at += memchr::memchr2(separator, b'\n', rest).unwrap_or(rest.len());
            match text.get(at) {
                Some(&byte) if byte == separator => cells += 1,
                None if is_cut => return (at, false),
                _ => return (at, cells == self.columns.len()),
            }
            at += 1;
        }
    }

    /// The day of lines that do not give it.
    pub(super) fn day(&self) -> Option<Date> {
        self.day
    }

    /// Whether it is a table, whose cells may be quoted.
    pub(super) fn is_table(&self) -> bool {
        self.style == Style::Table
    }

    /// Whether it names columns.
    pub(super) fn has_columns(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Creates a format with these columns.
    fn named(columns: Vec<String>, separator: Option<u8>, style: Style) -> Format {
        let is_path =
            |name: &String| matches!(names::part(b"", name.as_bytes()), Some(names::Part::Path(_)));
        let has_paths = columns.iter().any(is_path);
        let paragraphs = Paragraphs::None;
        Format { columns, separator, style, day: None, has_paths, paragraphs }
    }

    /// The number of the column with a name, and what separates columns.
    pub fn column_of(&self, name: &str) -> Option<(usize, u8)> {
        let at = self.columns.iter().position(|column| column == name)?;
        Some((at, self.separator.unwrap_or(b'\t')))
    }

    /// The name of a column.
    pub(super) fn column(&self, at: u32) -> &[u8] {
        self.columns.get(at as usize).map_or(b"", |name| name.as_bytes())
    }

    /// Splits a line into its columns.
    pub(super) fn read(&self, line: &[u8], record: &mut Members) {
        let separator = match (self.style, self.separator) {
            // CloudFront separates its header by blanks and its lines by tabs.
            (Style::W3c, _) if memchr::memchr(b'\t', line).is_some() => b'\t',
            (Style::W3c, Some(b',')) => b',',
            (Style::W3c, _) => b' ',
            (_, Some(separator)) => separator,
            (_, None) => b'\t',
        };
        let has_quotes = self.style != Style::Zeek;
        let mut cells = Cells { line, at: 0, separator, has_quotes };
        for column in 0..self.columns.len() {
            let Some(cell) = cells.next() else { break };
            record.push(Name::Column(column as u32), cell, 0);
        }
    }
}

/// The text after the line that spreadsheets (`sep=,`) or PowerShell (`#TYPE
/// System.Object`) put before a header.
fn after_preamble(head: &[u8]) -> &[u8] {
    let Some(end) = memchr::memchr(b'\n', head) else { return head };
    let line = head[..end].trim_ascii_end();
    let is_preamble = line.starts_with(b"#TYPE ") || line.starts_with(b"sep=") && line.len() <= 5;
    if is_preamble { &head[end + 1..] } else { head }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || b"\"_@".contains(&byte)
}

/// The format of a table if the line is a header: only names, some of them known.
fn table(line: &[u8], separator: u8) -> Option<Format> {
    let cells = Cells { line, at: 0, separator, has_quotes: true };
    // `SrcIP: 192.0.2.1` and `port:53` are pairs, not names.
    let is_pair = |two: &[u8]| two[0] == b':' && (two[1] == b' ' || two[1].is_ascii_digit());
    let columns: Option<Vec<String>> = cells
        .map(|cell| {
            let name = line[cell].trim_ascii();
            let is_name = name.len() <= 64
                && name.first().is_some_and(|b| b.is_ascii_alphabetic() || b"_@".contains(b))
                && name.iter().all(|b| b.is_ascii_alphanumeric() || b" _-.@()/:#".contains(b))
                && !name.windows(2).any(is_pair);
            is_name.then(|| String::from_utf8_lossy(name).into_owned())
        })
        .collect();
    let columns = columns.filter(|columns| columns.len() >= MIN_COLUMNS)?;
    let is_known = |name: &&String| {
        let name = name.as_bytes();
        let side = names::Side::none().with(name);
        names::time_rank(name).is_some()
            || names::part(b"", name).is_some()
            || side.is_port
            || side.words == names::destination()
    };
    let known = columns.iter().filter(is_known).count();
    // Blanks also separate words.
    let enough = if separator == b' ' { 4 } else { 2 };
    // The only known name may be the time, next to words that certainly are names.
    let has_time = || {
        let is_time =
            |name: &String| names::time_rank(name.as_bytes()).is_some_and(|it| it <= MAX_LONE_RANK);
        let is_word = |name: &String| !name.contains([' ', '.', '/', ':', '@']);
        // Of two columns, the other must be a message.
        let is_message =
            columns.len() == MIN_COLUMNS && names::holds_message(columns[1].as_bytes());
        separator != b' '
            && (columns.len() > MIN_COLUMNS || is_message)
            && columns.iter().any(is_time)
            && columns.iter().all(is_word)
    };
    (known >= enough || has_time()).then(|| Format::named(columns, Some(separator), Style::Table))
}

/// The cells of a line.
struct Cells<'t> {
    line: &'t [u8],
    at: usize,
    separator: u8,
    has_quotes: bool,
}

impl Iterator for Cells<'_> {
    type Item = std::ops::Range<usize>;

    /// The next cell, without quotes.
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.line.get(self.at..)?;
        let (cell, after) = if self.has_quotes && rest.first() == Some(&b'"') {
            let close = quote_end(rest);
            let tail = rest.get(close + 1..).unwrap_or_default();
            let skipped = memchr::memchr(self.separator, tail).unwrap_or(tail.len());
            (self.at + 1..self.at + close, self.at + close + 1 + skipped)
        } else {
            let len = memchr::memchr(self.separator, rest).unwrap_or(rest.len());
            (self.at..self.at + len, self.at + len)
        };
        self.at = after + 1;
        Some(cell)
    }
}

/// Where the quote at the start of a cell is closed; two quotes stand for one.
pub(super) fn quote_end(cell: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = cell.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        at += found;
        if cell.get(at + 1) != Some(&b'"') {
            return at;
        }
        at += 2;
    }
    cell.len()
}

/// What the header lines in a text change for the lines after them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The separator from the last `#separator` line.
    separator: Option<u8>,
    /// The last line of names, and the separator that the text set before it.
    columns: Option<(Style, Vec<u8>, Option<u8>)>,
    /// The day from the last `#Date:` line.
    day: Option<Date>,
}

impl Changes {
    /// Reads all header lines of a text that begins with a line.
    pub fn of(text: &[u8]) -> Changes {
        let mut changes = Changes::default();
        each_header(text, |_, line| changes.line(line));
        changes
    }

    /// Whether nothing changes.
    pub fn is_none(&self) -> bool {
        *self == Changes::default()
    }

    fn line(&mut self, line: &[u8]) {
        if let Some(rest) = line.strip_prefix(b"#separator ") {
            let code = rest
                .strip_prefix(b"\\x")
                .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
            self.separator = code.or(rest.first().copied());
        } else if let Some(rest) = line.strip_prefix(b"#fields") {
            self.columns = Some((Style::Zeek, rest.to_vec(), self.separator));
        } else if let Some(rest) = line.strip_prefix(b"#Fields:") {
            self.columns = Some((Style::W3c, rest.to_vec(), None));
        } else if let Some(rest) = line.strip_prefix(b"#Date:") {
            self.day = times::day(rest);
        }
    }

    /// The format after the text, if `before` applied at its beginning.
    pub fn applied(&self, before: &Format) -> Format {
        let own_separator = self.separator.or(before.separator);
        let day = self.day.or(before.day);
        if let Some((style, names, separator)) = &self.columns {
            let separator = separator.or(before.separator).unwrap_or(b'\t');
            let names = String::from_utf8_lossy(names);
            let column = |name: &str| name.to_string();
            let columns = match style {
                // Exchange separates them by commas, and its lines, too.
                Style::W3c if names.contains(',') => {
                    let columns = names.trim().split(',').map(str::trim).map(column).collect();
                    return Format { day, ..Format::named(columns, Some(b','), *style) };
                }
                Style::W3c => names.split_ascii_whitespace().map(column).collect(),
                _ => names.split(char::from(separator)).skip(1).map(column).collect(),
            };
            return Format { day, ..Format::named(columns, own_separator, *style) };
        }
        Format { separator: own_separator, day, ..before.clone() }
    }
}

/// Calls `found` with the position after each line that may be a header, and the
/// line.
fn each_header(text: &[u8], mut found: impl FnMut(usize, &[u8])) {
    let mut take = |start: usize| {
        let rest = &text[start..];
        if !HEADERS.iter().any(|header| rest.starts_with(header)) {
            return;
        }
        let rest = &rest[..rest.len().min(MAX_HEADER)];
        let Some(end) = memchr::memchr(b'\n', rest)
            .or((start + rest.len() == text.len()).then_some(rest.len()))
        else {
            return;
        };
        let line = &rest[..end];
        found(start + end, line.strip_suffix(b"\r").unwrap_or(line));
    };
    let first = if text.starts_with(MARK) { MARK.len() } else { 0 };
    if text.get(first) == Some(&b'#') {
        take(first);
    }
    // Rarer than line breaks, and faster to find than both.
    for at in memchr::memchr_iter(b'#', text) {
        if at > 0 && text[at - 1] == b'\n' {
            take(at);
        }
    }
}

/// Finds the format that applies where a text begins.
pub trait Heads: fmt::Debug + Send + Sync {
    /// It may have to search for it, and is only asked after a hit.
    fn before(&self) -> Arc<Format>;
}

/// How the lines of a text name their fields.
#[derive(Clone, Debug)]
pub enum Layout {
    /// All lines alike.
    Fixed(Arc<Format>),
    /// As the header lines before them say, in the text or before it.
    Headed(Arc<dyn Heads>),
}

impl Default for Layout {
    fn default() -> Self {
        Layout::Fixed(Arc::default())
    }
}

impl Layout {
    /// The formats that apply in a text, of which `core` is scanned.
    pub fn sections(&self, text: &[u8], core: &std::ops::Range<usize>) -> Sections {
        match self {
            Layout::Fixed(format) => Sections::new(Arc::clone(format), Vec::new()),
            Layout::Headed(heads) => {
                let first = heads.before();
                let mut later: Vec<(usize, Arc<Format>)> = Vec::new();
                // After a hard cut, the first line is the rest of one.
                let from = match core.start {
                    0 => 0,
                    start => memchr::memchr(b'\n', &text[start..])
                        .map_or(text.len(), |at| start + at + 1),
                };
                each_header(&text[from..], |after, line| {
                    let before = later.last().map_or(&first, |(_, format)| format);
                    let mut changes = Changes::default();
                    changes.line(line);
                    let format = Arc::new(changes.applied(before));
                    later.push((from + after, format));
                });
                Sections::new(first, later)
            }
        }
    }
}

/// The formats that apply in a text, by where they start.
#[derive(Clone, Debug)]
pub struct Sections {
    first: Arc<Format>,
    later: Vec<(usize, Arc<Format>)>,
    /// Whether one of them has a column with paths. Asked for every host, and
    /// rarely true.
    have_paths: bool,
}

impl Sections {
    fn new(first: Arc<Format>, later: Vec<(usize, Arc<Format>)>) -> Sections {
        let have_paths = first.has_paths || later.iter().any(|(_, format)| format.has_paths);
        Sections { first, later, have_paths }
    }

    /// Whether the lines at a place have a column with URL paths.
    #[inline]
    pub fn has_paths_at(&self, place: usize) -> bool {
        self.have_paths && self.at(place).has_paths
    }

    /// Whether a column with this name is in any of them.
    pub fn have_column(&self, name: &str) -> bool {
        let later = self.later.iter().map(|(_, format)| format);
        later.chain([&self.first]).any(|format| format.column_of(name).is_some())
    }

    /// The format that applies at a place.
    pub fn at(&self, place: usize) -> &Arc<Format> {
        match self.later.partition_point(|(after, _)| *after <= place) {
            0 => &self.first,
            after => &self.later[after - 1].1,
        }
    }
}
