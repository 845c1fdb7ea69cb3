//! Tables: CSV and its relatives, with a header, with a mapping, or with neither.
//! [`Layout`] determines the roles of columns, also for JSON records.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Kind, Reason, Scope};
use crate::intel::feed::contexts::{Contexts, Shared, is_nothing};
use crate::intel::feed::format::standing::{Gone, Standing};
use crate::intel::feed::format::{abusech, stix};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::{self, Line, Lines};
use crate::intel::feed::live;
use crate::intel::feed::options::ColumnRef;
use crate::intel::feed::table::columns::{self, Column};
use crate::intel::feed::table::layout::{Detail, Layout, Meaning};
use crate::intel::feed::table::nets::{self, NOWHERE, Nets};
use crate::intel::feed::table::rows::{MAX_FIELDS, Row, next_row};
use crate::intel::feed::table::sampling::{
    confirmed, guess_layout, guess_nets, is_pattern, samples,
};
use crate::intel::feed::types::{self, Type};
use std::borrow::Cow;

/// The number of bytes to inspect to find the delimiter.
const HEAD: usize = 1 << 18;

/// Whether `line` is a header that names a column of values; for detection.
pub(in crate::intel::feed) fn is_header(line: &str, delimiter: u8) -> bool {
    let mut row = Row::new(delimiter);
    row.split(line);
    row.fields.len() > 1 && Layout::of_header(&row.fields).is_some_and(|it| it.has_values())
}

/// Whether a table without a header has a column of values; for detection.
pub(in crate::intel::feed) fn is_guessable(text: &str, delimiter: u8) -> bool {
    !guess_layout(Lines::new(text), delimiter).values.is_empty()
}

/// Whether columns of a table without a header form networks; for detection.
pub(in crate::intel::feed) fn has_nets(text: &str, delimiter: u8) -> bool {
    guess_nets(&samples(Lines::new(text), delimiter)).is_some()
}

/// Whether columns of a table without a header are addresses and ports; for
/// detection.
pub(in crate::intel::feed) fn has_ports(text: &str, delimiter: u8) -> bool {
    guess_layout(Lines::new(text), delimiter).port.is_some()
}

/// The delimiter, if the first line declares it as Excel does: `sep=;`. Also
/// returns that line.
pub(in crate::intel::feed) fn separator_line(text: &str) -> Option<(u8, &str)> {
    let line = text.split(['\n', '\r']).next().unwrap_or(text);
    let bare = line.trim_matches(['"', ' ']);
    let said =
        bare.get(..4).filter(|head| head.eq_ignore_ascii_case("sep=")).map(|_| &bare[4..])?;
    match said.as_bytes() {
        [delimiter] if delimiter.is_ascii_punctuation() || *delimiter == b'\t' => {
            Some((*delimiter, line))
        }
        b"\\t" => Some((b'\t', line)),
        _ => None,
    }
}

/// The delimiter of a table: the one that splits the first lines into the same
/// number of fields, and more than one.
pub(in crate::intel::feed) fn delimiter(text: &str) -> Option<u8> {
    let score = |delimiter: u8| {
        let mut row = Row::new(delimiter);
        let mut lines = Lines::new(text);
        let mut counts = Vec::new();
        // Twenty rows outvote an odd title or footer; more only cost time.
        while counts.len() < 20 && next_row(&mut lines, &mut row).is_some() {
            counts.push(row.fields.len());
        }
        let columns = counts.iter().copied().max().unwrap_or(0);
        let same = counts.iter().filter(|&&count| count == columns).count();
        (columns > 1 && same * 10 >= counts.len() * 7).then_some((same, columns))
    };
    [b'\t', b',', b';', b'|']
        .into_iter()
        .filter_map(|delimiter| Some((score(delimiter)?, delimiter)))
        // A bar often joins values within a cell, so it loses against anything as good.
        .max_by_key(|&(score, delimiter)| (score, delimiter != b'|'))
        .map(|(_, delimiter)| delimiter)
}

/// Reads a table.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    let delimiter = match intake.options.delimiter {
        Some(char) => u8::try_from(char).ok().filter(u8::is_ascii).ok_or_else(|| {
            Error::usage(format!("“{char}” cannot separate columns"))
                .remedy("use an ASCII character")
        })?,
        None => match separator_line(text) {
            Some((delimiter, _)) => delimiter,
            // A table with one column has no delimiter, and any will do.
            None => delimiter(lines::cut(text, HEAD)).unwrap_or(b','),
        },
    };
    let mut lines = Lines::new(text);
    if separator_line(text).is_some() {
        lines.next();
    }
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

/// A layout, and how it was found.
pub(in crate::intel::feed) struct Found {
    pub(in crate::intel::feed) layout: Layout,
    /// The names in the header, squeezed; empty if there was none.
    pub(in crate::intel::feed) names: Vec<String>,
    /// The confidence if the rows do not give one.
    pub(in crate::intel::feed) confidence: Option<u8>,
}

impl std::ops::Deref for Found {
    type Target = Layout;

    fn deref(&self) -> &Layout {
        &self.layout
    }
}

/// Determines the layout: by mapping, by header (which may be a comment), or from
/// the rows. Leaves `lines` before the first row of data.
fn find_layout(
    text: &str,
    delimiter: u8,
    lines: &mut Lines<'_>,
    intake: &Intake<'_>,
) -> Result<Found> {
    let mut row = Row::new(delimiter);
    let mut comment: Option<(Layout, Vec<String>)> = None;
    // A copy from before each line, to return to if the first row turns out to be data.
    let mut before = lines.clone();
    while let Some((_, line)) = lines.next() {
        match lines::parse(line) {
            Line::Blank => {}
            Line::Comment(text) => {
                row.split(text);
                if row.fields.len() > 1
                    && let Some(layout) = Layout::of_header(&row.fields)
                    && layout.has_values()
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
    // A sentence in a comment may mention addresses and names, too.
    let comment = comment.filter(|(_, names)| is_plainly_header(names, row.fields.len()));
    let rows = samples(lines.clone(), delimiter);
    let header = Layout::of_header(&row.fields).and_then(|layout| confirmed(layout, &rows));
    let names = squeezed(&row);
    if header.is_none() {
        *lines = before;
    }
    if !intake.options.columns.is_empty() {
        let by_name = intake.options.columns.0.iter().any(|(_, p)| matches!(p, ColumnRef::Name(_)));
        let layout = mapped(intake, &row, header.as_ref())?;
        if header.is_none() && by_name {
            // Its names were mapped, so this row is a header, even if an unusual
            // one.
            lines.next();
        }
        return Ok(Found { layout, names, confidence: None });
    }
    let comment = comment.and_then(|(layout, names)| {
        Some((confirmed(layout, &samples(lines.clone(), delimiter))?, names))
    });
    let (layout, names) = match (header, comment) {
        // A header in a row of its own takes precedence over one in a comment.
        (Some(layout), _) => (layout, names),
        (None, Some((layout, names))) => (layout, names),
        (None, None) => (guessed_layout(&row, lines, delimiter), Vec::new()),
    };
    if !layout.has_values() && !text.trim().is_empty() {
        return Err(Error::format("no column of this table holds indicators").remedy(
            "name the column: --columns indicator=2,type=3, by number or by the header's name",
        ));
    }
    Ok(Found { layout, names, confidence: None })
}

/// Determines the layout from the rows, plus what a header says about other
/// columns: `entity_type,name,revoked`. Then `lines` is after the header.
fn guessed_layout(first: &Row<'_>, lines: &mut Lines<'_>, delimiter: u8) -> Layout {
    let plain = guess_layout(lines.clone(), delimiter);
    let mut below = lines.clone();
    let mut row = Row::new(delimiter);
    if next_row(&mut below, &mut row).is_none() {
        return plain;
    }
    let guessed = guess_layout(below.clone(), delimiter);
    let header = Layout::of_header(&first.fields).filter(|_| guessed.has_values());
    let Some(mut layout) = header.filter(|it| it.live.iter().any(|(_, live)| live.is_plain()))
    else {
        return plain;
    };
    *lines = below;
    layout.kind = layout.kind.or(guessed.kind);
    layout.port = layout.port.or(guessed.port);
    let is_value = |at: usize| guessed.values.iter().any(|(value, _)| *value == at);
    layout.context.retain(|&(at, _)| !is_value(at));
    layout.unknown.clear();
    (layout.values, layout.nets, layout.unused) = (guessed.values, guessed.nets, guessed.unused);
    layout
}

/// Whether a comment's names are the header of a table with this number of columns:
/// the same number, or names as programs write them.
fn is_plainly_header(names: &[String], columns: usize) -> bool {
    let is_exact =
        |name: &String| matches!(Column::from_name(name), Some(Column::Value(_) | Column::Net(_)));
    names.len().abs_diff(columns) <= 1 || names.iter().any(is_exact)
}

/// The names in a header, for comparison.
fn squeezed(row: &Row<'_>) -> Vec<String> {
    row.fields.iter().map(|name| types::squeeze(name).into_owned()).collect()
}

/// The layout according to the mapping in the options.
fn mapped(intake: &Intake<'_>, header: &Row<'_>, known: Option<&Layout>) -> Result<Layout> {
    let mut layout = known.cloned().unwrap_or_default();
    let of_header = layout.nets.take();
    for (column, place) in &intake.options.columns.0 {
        let at = match place {
            ColumnRef::Number(number) => number - 1,
            ColumnRef::Name(name) => header
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
        // The mapping overrides what the header says about the role or column.
        layout.values.retain(|&(other, _)| {
            other != at && !matches!(column, Column::Value(_))
                || intake.options.columns.0.iter().any(|(c, p)| {
                    matches!(c, Column::Value(_)) && *p == ColumnRef::Number(other + 1)
                })
        });
        layout.context.retain(|&(other, role)| other != at && role != *column);
        layout.map(at, *column);
    }
    // Mapping the first address, or an address with a length, maps a network.
    if let Some(nets) = &mut layout.nets
        && nets.start == NOWHERE
        && let Some(at) = layout.values.first().map(|&(at, _)| at)
    {
        nets.start = at;
    }
    let is_value = |start: usize| layout.values.iter().any(|&(at, _)| at == start);
    layout.nets = match layout.nets {
        Some(nets) if nets.start != NOWHERE => Some(nets),
        // The mapped indicator is the first address of the network.
        _ => of_header.filter(|nets| is_value(nets.start)),
    };
    layout.settle_nets();
    Ok(layout)
}

/// Turns rows into indicators.
struct Reader {
    layout: Layout,
    confidence: Option<u8>,
    contexts: Contexts,
    /// The context if no column adds to it.
    plain: Option<Shared>,
    key: String,
    /// The last name of a kind, and its meaning.
    kind: (String, Option<Type>),
}

impl Reader {
    /// Reads a row: its network, or its values.
    fn row(&mut self, row: &Row<'_>, line: &str, intake: &mut Intake<'_>) {
        if row.is_over {
            let detail = format!("a row of more than {MAX_FIELDS} columns");
            return intake.reject(line, Reason::TooLong, Some(detail));
        }
        let gone = self.gone(row, intake);
        let context = self.context(row, intake);
        let standing = Standing { gone: gone.as_ref(), context: &context };
        let pattern = self.layout.pattern.map(|at| row.get(at));
        if let Some(pattern) = pattern.filter(|text| !is_nothing(text)) {
            return put_pattern(pattern, &standing, intake);
        }
        let port = self.layout.port.map(|at| row.get(at)).filter(|port| is_port(port));
        let others = self.layout.other_cells(true, |at| Cow::Borrowed(row.get(at)));
        let joint = self.layout.joint().filter(|_| !others.has_url);
        let url = joint.and_then(|joint| joint.text(port, |at| row.get(at)));
        if let Some(url) = &url {
            standing.take(url, intake);
        }
        let nets = self.layout.nets.filter(|nets| !is_nothing(row.get(nets.start)));
        if let Some(nets) = nets
            && !standing.rejects(row.get(nets.start), intake)
        {
            network(row, nets, &context, intake);
        }
        let joint = if url.is_some() { joint } else { None };
        let is_joined = |column| joint.is_some_and(|joint| joint.covers(column));
        let mut found = url.is_some() || nets.is_some();
        for at in 0..self.layout.values.len() {
            let (column, kind) = self.layout.values[at];
            let value = row.get(column);
            if is_nothing(value) {
                continue;
            }
            found = true;
            if !is_joined(column) {
                match self.layout.detail(column, kind, value, &others) {
                    Some(detail) => left_out(column, value, detail, intake),
                    None => self.value(row, (column, kind), &standing, intake),
                }
            }
        }
        self.report_others(row, intake);
        if !found {
            intake.reject(line, Reason::Empty, None);
        }
    }

    /// Rejects the contents of columns next to those of the values.
    fn report_others(&self, row: &Row<'_>, intake: &mut Intake<'_>) {
        for &column in &self.layout.unused {
            if !is_nothing(row.get(column)) {
                let detail = format!("column {} contains values, too", column + 1);
                intake.reject(row.get(column), Reason::LeftOut, Some(detail));
            }
        }
    }

    /// Why a row is no longer valid, according to its own words.
    fn gone(&self, row: &Row<'_>, intake: &Intake<'_>) -> Option<Gone> {
        if let Some(word) = self.layout.kind.map(|at| row.get(at))
            && live::is_allowed(&types::squeeze(word))
        {
            return Some((Reason::Withdrawn, format!("its type is “{}”", lines::cut(word, 40))));
        }
        self.layout.live.iter().find_map(|&(at, live)| {
            let reason = live.verdict(row.get(at)).filter(|reason| intake.drops(*reason))?;
            Some((reason, format!("its column {} says “{}”", at + 1, lines::cut(row.get(at), 40))))
        })
    }

    /// Passes on the value of a column, if it is valid.
    fn value(
        &mut self,
        row: &Row<'_>,
        (column, kind): (usize, Meaning),
        standing: &Standing<'_>,
        intake: &mut Intake<'_>,
    ) {
        let (value, context) = (row.get(column), standing.context);
        if standing.rejects(value, intake) {
            return;
        }
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
            intake.guessed_each(value, intake.domain_scope(Scope::Subtree), context);
            return;
        };
        let Some((kind, scope)) = meaning.of_value(value) else {
            intake.reject(value, Reason::Ignored, None);
            return;
        };
        let scope = if kind == Kind::Domain { intake.domain_scope(scope) } else { scope };
        match self.layout.port.map(|column| row.get(column)).filter(|port| is_port(port)) {
            Some(port) if kind == Kind::Ip && value.contains(':') => {
                intake.typed(Kind::Endpoint, &format!("[{value}]:{port}"), scope, context);
            }
            Some(port) if kind == Kind::Ip => {
                intake.typed(Kind::Endpoint, &format!("{value}:{port}"), scope, context);
            }
            _ => intake.typed_each(kind, value, scope, context),
        }
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

/// Compiles the STIX pattern of a row, which replaces all other values.
fn put_pattern(pattern: &str, standing: &Standing<'_>, intake: &mut Intake<'_>) {
    if standing.rejects(pattern, intake) {
        return;
    }
    match is_pattern(pattern) {
        true => stix::put_pattern(pattern, standing.context, intake),
        false => intake.reject(pattern, Reason::UnsupportedPattern, None),
    }
}

/// Rejects a value that is a detail of another one, unless it is the same.
fn left_out(column: usize, value: &str, detail: Detail, intake: &mut Intake<'_>) {
    if let Detail::Known(why) = detail {
        let detail = format!("column {}: {why}", column + 1);
        intake.reject(value, Reason::LeftOut, Some(detail));
    }
}

/// The message for a range whose ends are swapped.
pub(in crate::intel::feed) const REVERSED: &str = "the range ends before it begins";

/// Reads the network that several columns of a row form.
fn network(row: &Row<'_>, nets: Nets, context: &Shared, intake: &mut Intake<'_>) {
    let at = |at: Option<usize>| at.map_or("", |at| row.get(at));
    let start = row.get(nets.start);
    match nets.text(start, at(nets.end), at(nets.length)) {
        Some(text) if nets::is_reversed(&text) => {
            intake.reject(&text, Reason::BadNetwork, Some(REVERSED.into()));
        }
        Some(text) => {
            intake.guessed(&text, Scope::Exact, context);
        }
        // A complete network or some other value, in a row whose other cells are
        // blank.
        None if is_nothing(at(nets.end)) && is_nothing(at(nets.length)) => {
            intake.guessed(start, Scope::Exact, context);
        }
        None => {
            let text = format!("{start} {} {}", at(nets.end), at(nets.length));
            intake.reject(text.trim_end(), Reason::BadNetwork, None);
        }
    }
}

/// Whether a text is a port. 0 stands for an unknown one.
pub(in crate::intel::feed) fn is_port(text: &str) -> bool {
    !is_nothing(text) && text.parse::<u16>().is_ok_and(|port| port != 0)
}
