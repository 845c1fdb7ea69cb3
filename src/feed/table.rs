//! Tables: CSV and its relatives, with a header, with a mapping, or with neither.
//!
//! The splitter is our own. Rows are borrowed from the text, and a line without
//! a quote is only searched for its delimiter; that, and one shared context for
//! rows that say the same, is what lets millions of rows through in a second. It
//! also takes what real feeds do and a strict reader refuses: blanks before a
//! quote, headers that are comments, a stray quote that would swallow the rest.

use crate::error::{Error, Result};
use crate::feed::columns::{self, Column};
use crate::feed::intake::{Contexts, Intake, Shared, is_nothing};
use crate::feed::lines::{self, Line, Lines};
use crate::feed::options::Place;
use crate::feed::types::{self, Type};
use crate::feed::{abusech, intake};
use crate::indicator::guess::guess;
use crate::indicator::{Kind, Reason, Scope};
use std::borrow::Cow;

/// A quoted field longer than this is a stray quote.
const MAX_QUOTED: usize = 1 << 16;
/// Rows that are looked at to guess what nobody says.
const SAMPLE: usize = 50;

/// What each column of a table is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    /// The columns that hold values, with the kind that the column's name tells.
    pub(super) values: Vec<(usize, Option<(Kind, Scope)>)>,
    pub(super) kind: Option<usize>,
    pub(super) port: Option<usize>,
    /// The columns that go into the context.
    pub(super) context: Vec<(usize, Column)>,
}

impl Layout {
    fn put(&mut self, at: usize, column: Column) {
        match column {
            Column::Value(kind) => self.values.push((at, kind)),
            Column::Type => self.kind = self.kind.or(Some(at)),
            Column::Port => self.port = self.port.or(Some(at)),
            other => self.context.push((at, other)),
        }
    }

    /// Drops columns that look like values and are details of another: whatever
    /// stands beside a column of any kind, an address's network and AS number, a
    /// sample's name and import hash.
    fn drop_details(&mut self) {
        if self.kind.is_some() && self.values.iter().any(|(_, kind)| kind.is_none()) {
            self.values.retain(|(_, kind)| kind.is_none());
            return;
        }
        let is_detail = |kind: Kind| {
            kind.is_string() || matches!(kind, Kind::Imphash | Kind::Pehash | Kind::Opaque)
        };
        let strong = |&(_, kind): &(usize, Option<(Kind, Scope)>)| {
            kind.is_none_or(|(kind, _)| !is_detail(kind))
        };
        if self.values.iter().any(strong) {
            self.values.retain(strong);
        }
        let is = |want: Kind| {
            move |&(_, kind): &(usize, Option<(Kind, Scope)>)| {
                kind.is_some_and(|(kind, _)| kind == want)
            }
        };
        if self.values.iter().any(is(Kind::Ip)) {
            self.values.retain(|value| !is(Kind::Net)(value));
        }
    }

    /// The layout that a header's names tell; `None` when none of them holds
    /// values, or when the row is rather data.
    fn of_header(names: &[Cow<'_, str>]) -> Option<Layout> {
        let mut layout = Layout::default();
        for (at, name) in names.iter().enumerate() {
            if let Some(column) = Column::from_name(name) {
                layout.put(at, column);
            }
        }
        layout.drop_details();
        let looks_like_data = names
            .iter()
            .any(|name| name.contains(['.', ':', '/']) && guess(name, Scope::Exact).is_ok());
        (!layout.values.is_empty() && !looks_like_data).then_some(layout)
    }
}

/// Whether `line` is a header that names a column of values; for detection.
pub(super) fn is_header(line: &str, delimiter: u8) -> bool {
    let mut row = Row::new(delimiter);
    row.split(line);
    row.fields.len() > 1 && Layout::of_header(&row.fields).is_some()
}

/// Whether a table without a header has a column of values; for detection.
pub(super) fn is_guessable(text: &str, delimiter: u8) -> bool {
    !guess_layout(Lines::new(text), delimiter).values.is_empty()
}

/// The delimiter of a table: the one that cuts the first lines into the same
/// number of fields, more than one.
pub(super) fn delimiter(text: &str) -> Option<u8> {
    let score = |delimiter: u8| {
        let mut row = Row::new(delimiter);
        let mut lines = Lines::new(text);
        let mut counts = Vec::new();
        while counts.len() < 20 && next_row(&mut lines, &mut row).is_some() {
            counts.push(row.fields.len());
        }
        let most = counts.iter().copied().max().unwrap_or(0);
        let same = counts.iter().filter(|&&count| count == most).count();
        (most > 1 && same * 10 >= counts.len() * 7).then_some((same, most))
    };
    [b'\t', b',', b';', b'|']
        .into_iter()
        .filter_map(|delimiter| Some((score(delimiter)?, delimiter)))
        .max_by_key(|&(score, delimiter)| (score, delimiter != b'|'))
        .map(|(_, delimiter)| delimiter)
}

/// One row, its fields borrowed where they need no unquoting.
struct Row<'a> {
    delimiter: u8,
    fields: Vec<Cow<'a, str>>,
}

impl<'a> Row<'a> {
    fn new(delimiter: u8) -> Self {
        Row { delimiter, fields: Vec::new() }
    }

    /// Splits a line without regard to quotes that go beyond it.
    fn split(&mut self, line: &'a str) {
        self.fields.clear();
        if memchr::memchr(b'"', line.as_bytes()).is_some() && self.split_quoted(line).is_some() {
            return;
        }
        self.split_plain(line);
    }

    fn split_plain(&mut self, line: &'a str) {
        self.fields.clear();
        let mut start = 0;
        for at in memchr::memchr_iter(self.delimiter, line.as_bytes()) {
            self.fields.push(Cow::Borrowed(line[start..at].trim()));
            start = at + 1;
        }
        self.fields.push(Cow::Borrowed(line[start..].trim()));
    }

    /// Splits one record with quoted fields off the head of `text`; returns how
    /// long it is without its line end, `None` when its quotes do not close.
    fn split_quoted(&mut self, text: &'a str) -> Option<usize> {
        self.fields.clear();
        let bytes = text.as_bytes();
        let mut at = 0;
        loop {
            let blank = bytes[at..].iter().take_while(|&&b| b == b' ').count();
            if bytes.get(at + blank) == Some(&b'"') {
                let (field, end) = quoted(text, at + blank + 1)?;
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
                return Some(at);
            }
            at += 1;
        }
    }

    fn get(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", |field| field.trim())
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
                Cow::Owned(field)
            }
            None => Cow::Borrowed(part),
        };
        return Some((field, quote + 1));
    }
}

/// Reads a table.
pub(super) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    let delimiter = match intake.options.delimiter {
        Some(char) => u8::try_from(char).ok().filter(u8::is_ascii).ok_or_else(|| {
            Error::usage(format!("“{char}” cannot separate columns"))
                .remedy("use an ASCII character")
        })?,
        None => delimiter(text).unwrap_or(b','),
    };
    let mut lines = Lines::new(text);
    let mut layout = find_layout(text, delimiter, &mut lines, intake)?;
    abusech::adjust(&mut layout);
    let mut reader = Reader {
        plain: layout.context.is_empty().then(|| intake.base().into()),
        layout: layout.layout,
        confidence: layout.confidence,
        contexts: Contexts::new(),
        key: String::new(),
        kind: (String::new(), None),
    };
    let mut row = Row::new(delimiter);
    while let Some((number, line)) = next_row(&mut lines, &mut row) {
        intake.at_line(number);
        reader.row(&row, line, intake);
    }
    Ok(())
}

/// A layout with where it came from.
pub(super) struct Found {
    pub(super) layout: Layout,
    /// The header's names, squeezed; empty when there was none.
    pub(super) names: Vec<String>,
    /// What a value is worth where the rows do not say.
    pub(super) confidence: Option<u8>,
}

impl std::ops::Deref for Found {
    type Target = Layout;

    fn deref(&self) -> &Layout {
        &self.layout
    }
}

/// Finds the layout: by mapping, by header (which may be a comment), by guess.
/// Leaves `lines` before the first row of data.
fn find_layout(
    text: &str,
    delimiter: u8,
    lines: &mut Lines<'_>,
    intake: &Intake<'_>,
) -> Result<Found> {
    let mut row = Row::new(delimiter);
    let mut comment: Option<(Layout, Vec<String>)> = None;
    let mut before = lines.clone();
    while let Some((_, line)) = lines.next() {
        match lines::parse(line) {
            Line::Blank => {}
            Line::Comment(text) => {
                row.split(text);
                if row.fields.len() > 1
                    && let Some(layout) = Layout::of_header(&row.fields)
                {
                    comment = Some((layout, squeezed(&row)));
                }
            }
            Line::Value(..) => {
                row.split(line);
                break;
            }
        }
        before = lines.clone();
    }
    let header = Layout::of_header(&row.fields);
    let names = squeezed(&row);
    if header.is_none() {
        *lines = before;
    }
    if !intake.options.columns.is_empty() {
        let by_name = intake.options.columns.0.iter().any(|(_, p)| matches!(p, Place::Name(_)));
        let layout = mapped(intake, &row)?;
        if header.is_none() && by_name {
            // Its names were mapped, so the row is a header, if an unusual one.
            lines.next();
        }
        return Ok(Found { layout, names, confidence: None });
    }
    let (layout, names) = match (header, comment) {
        (Some(layout), _) => (layout, names),
        (None, Some((layout, names))) => (layout, names),
        (None, None) => (guess_layout(lines.clone(), delimiter), Vec::new()),
    };
    if layout.values.is_empty() && !text.trim().is_empty() {
        return Err(Error::format("no column of this table holds indicators").remedy(
            "name the column: --columns indicator=2,type=3, by number or by the header's name",
        ));
    }
    Ok(Found { layout, names, confidence: None })
}

fn squeezed(row: &Row<'_>) -> Vec<String> {
    row.fields.iter().map(|name| types::squeeze(name).into_owned()).collect()
}

/// The layout that the options' mapping tells.
fn mapped(intake: &Intake<'_>, header: &Row<'_>) -> Result<Layout> {
    let mut layout = Layout::of_header(&header.fields).unwrap_or_default();
    for (column, place) in &intake.options.columns.0 {
        let at = match place {
            Place::Number(number) => number - 1,
            Place::Name(name) => header
                .fields
                .iter()
                .position(|field| field.trim().eq_ignore_ascii_case(name))
                .ok_or_else(|| {
                    Error::format(format!("the table has no column “{name}”")).remedy(format!(
                        "its columns are: {}",
                        lines::cut(&header.fields.join(", "), 200)
                    ))
                })?,
        };
        // The mapping wins: what the header said about the role or column goes.
        layout.values.retain(|&(other, _)| {
            other != at && !matches!(column, Column::Value(_))
                || intake
                    .options
                    .columns
                    .0
                    .iter()
                    .any(|(c, p)| matches!(c, Column::Value(_)) && *p == Place::Number(other + 1))
        });
        layout.context.retain(|&(other, role)| other != at && role != *column);
        match column {
            Column::Type => layout.kind = Some(at),
            Column::Port => layout.port = Some(at),
            other => layout.put(at, *other),
        }
    }
    Ok(layout)
}

/// Guesses which columns hold values and kinds from the first rows.
fn guess_layout(mut lines: Lines<'_>, delimiter: u8) -> Layout {
    let mut row = Row::new(delimiter);
    let mut good: Vec<usize> = Vec::new();
    let mut kinds: Vec<usize> = Vec::new();
    let mut rows = 0;
    while rows < SAMPLE && next_row(&mut lines, &mut row).is_some() {
        rows += 1;
        good.resize(good.len().max(row.fields.len()), 0);
        kinds.resize(good.len(), 0);
        for (at, field) in row.fields.iter().enumerate() {
            let value = crate::indicator::refang::refang(field);
            good[at] += usize::from(guess(&value, Scope::Exact).is_ok());
            kinds[at] += usize::from(types::by_name(field).is_some());
        }
    }
    let best = (0..good.len()).rev().max_by_key(|&at| good[at]).filter(|&at| good[at] * 2 >= rows);
    let mut layout = Layout::default();
    if let Some(at) = best.filter(|_| rows > 0) {
        layout.values.push((at, None));
        layout.kind = (0..kinds.len()).find(|&kind| kind != at && kinds[kind] * 10 >= rows * 9);
    }
    layout
}

/// Reads the next row that is no comment; returns the number of its first line.
fn next_row<'a>(lines: &mut Lines<'a>, row: &mut Row<'a>) -> Option<(u64, &'a str)> {
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
        match row.split_quoted(rest) {
            Some(len) if len > line.len() => {
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
            Some(_) => {}
            None => row.split(line),
        }
        return Some((number, line));
    }
}

/// Rows to indicators.
struct Reader {
    layout: Layout,
    confidence: Option<u8>,
    contexts: Contexts,
    /// The context when no column speaks of it.
    plain: Option<Shared>,
    key: String,
    /// The last name of a kind, and what it means.
    kind: (String, Option<Type>),
}

impl Reader {
    fn row(&mut self, row: &Row<'_>, line: &str, intake: &mut Intake<'_>) {
        let context = self.context(row, intake);
        let mut values = 0;
        for at in 0..self.layout.values.len() {
            let (column, kind) = self.layout.values[at];
            let value = row.get(column);
            if is_nothing(value) {
                continue;
            }
            values += 1;
            self.value(row, value, kind, &context, intake);
        }
        if values == 0 {
            intake.reject(line, Reason::Empty, None);
        }
    }

    fn value(
        &mut self,
        row: &Row<'_>,
        value: &str,
        kind: Option<(Kind, Scope)>,
        context: &Shared,
        intake: &mut Intake<'_>,
    ) {
        let meaning = match (kind, self.layout.kind) {
            (Some((kind, scope)), _) => Some(Type::Of(kind, scope)),
            (None, Some(column)) => {
                let name = row.get(column);
                if self.kind.0 != name {
                    self.kind = (name.to_string(), types::by_name(name));
                }
                self.kind.1
            }
            (None, None) => None,
        };
        let Some(meaning) = meaning else {
            intake.guessed(value, intake.domain_scope(Scope::Subtree), context);
            return;
        };
        let Some((kind, scope)) = meaning.of_value(value) else {
            intake.reject(value, Reason::Ignored, None);
            return;
        };
        let scope = if kind == Kind::Domain { intake.domain_scope(scope) } else { scope };
        match self.layout.port.map(|column| row.get(column)).filter(|port| is_port(port)) {
            Some(port) if kind == Kind::Ip && value.contains(':') => {
                intake.typed(Kind::Endpoint, &format!("[{value}]:{port}"), scope, context)
            }
            Some(port) if kind == Kind::Ip => {
                intake.typed(Kind::Endpoint, &format!("{value}:{port}"), scope, context)
            }
            _ => intake.typed(kind, value, scope, context),
        };
    }

    fn context(&mut self, row: &Row<'_>, intake: &Intake<'_>) -> Shared {
        if let Some(plain) = &self.plain {
            return Shared::clone(plain);
        }
        self.key.clear();
        for &(at, _) in &self.layout.context {
            self.key.push_str(row.get(at));
            self.key.push('\x1f');
        }
        let make = || {
            let mut context = intake.base();
            context.confidence = self.confidence.or(context.confidence);
            for &(at, column) in &self.layout.context {
                columns::apply(&mut context, column, row.get(at));
            }
            context
        };
        Shared::clone(self.contexts.get(&self.key, make))
    }
}

fn is_port(text: &str) -> bool {
    !intake::is_nothing(text) && text.parse::<u16>().is_ok_and(|port| port != 0)
}
