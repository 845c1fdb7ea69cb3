//! The whole file, and how its text is parsed.

use super::daemon::{Daemon, Suppress, Top};
use super::input::{Input, ReadContext};
use super::places::Places;
use super::problem::{Problems, Source, quoted};
use super::reader::{Parsing, Reader};
use super::rules;
use super::sink::{Sink, SinkKind, StdoutSink};
use super::table::Table;
use crate::engine::alert::Format;
use crate::engine::settings::{check_bounds, nearest};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The size limit of a file, in bytes; the parser has its own limit for texts.
const MAX_FILE: u64 = 16 << 20;

/// The maximum number of TOML parser errors that are considered.
const MAX_ERRORS: usize = 100;

/// Top-level keys that other houses read: feeds and their lists.
pub(super) const OF_FEEDS: [&str; 7] =
    ["interval", "allow_wide", "allow_suffix", "suppress", "annotate", "warninglists", "feed"];

/// The tables of this house.
const OF_DAEMON: [&str; 7] = ["state", "database", "allow", "daemon", "suppress", "input", "sink"];

/// The configuration of `wiresift run`.
#[derive(Clone, Debug)]
pub struct Config {
    /// The path of the file.
    pub path: PathBuf,
    /// The state folder.
    pub state: PathBuf,
    /// The database.
    pub database: PathBuf,
    /// Allow lists.
    pub allow: Vec<PathBuf>,
    /// The process.
    pub daemon: Daemon,
    /// How repeated alerts are held back.
    pub suppress: Suppress,
    /// What is read, in the order of the file, including disabled inputs.
    pub inputs: Vec<Input>,
    /// Where alerts go, in the order of the file, including disabled sinks. If the file has no
    /// sink, standard output.
    pub sinks: Vec<Sink>,
    /// The number of `[[feed]]` tables, which another house reads.
    pub feeds: usize,
    pub(super) source: Source,
    pub(super) places: Places,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is invalid; then the error is the first problem. [`Config::parse`]
    /// returns all of them.
    pub fn open(path: &Path) -> Result<Config> {
        let missing = |e: std::io::Error| {
            let is_missing = e.kind() == std::io::ErrorKind::NotFound;
            let error = Error::io("open", e).at_path(path);
            if is_missing {
                error.remedy("run `wiresift run --setup` to create one")
            } else {
                error
            }
        };
        let length = std::fs::metadata(path).map_err(missing)?.len();
        if length > MAX_FILE {
            return Err(Error::format(format!("the configuration is too large: {length} bytes"))
                .at_path(path)
                .remedy("move long lists to separate files"));
        }
        let text = std::fs::read_to_string(path).map_err(missing)?;
        Ok(Config::parse(&text, path)?)
    }

    /// Parses the text of a configuration that is, or would be, at `path`. Relative paths in it
    /// start at its folder.
    ///
    /// # Errors
    ///
    /// All problems: invalid TOML, or else unknown keys, impossible values, and tables that
    /// contradict themselves or each other.
    pub fn parse(text: &str, path: &Path) -> Result<Config, Problems> {
        let source = Source::new(text, path);
        let document = match document(&source) {
            Ok(document) => document,
            Err(mut problems) => {
                problems.sort();
                return Err(problems);
            }
        };
        let base = path.parent().unwrap_or(Path::new(""));
        let mut parsing = Parsing { source: &source, base, problems: Problems::default() };
        let mut places = Places::default();
        let read = read(document.get_ref(), &mut parsing, &mut places);
        let mut problems = parsing.problems;
        let Some(read) = read else {
            problems.sort();
            return Err(problems);
        };
        let config = read.into_config(source, places);
        // Relations between tables can only be checked when each table is valid.
        if problems.is_empty() {
            rules::check(&config, &mut problems);
        }
        problems.sort();
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// The enabled inputs.
    pub fn active_inputs(&self) -> impl Iterator<Item = &Input> {
        self.inputs.iter().filter(|input| input.enabled)
    }

    /// The enabled sinks.
    pub fn active_sinks(&self) -> impl Iterator<Item = &Sink> {
        self.sinks.iter().filter(|sink| sink.enabled)
    }

    /// The folder where the daemon stores its state.
    pub fn daemon_state(&self) -> PathBuf {
        self.daemon.state.clone().unwrap_or_else(|| self.state.join("daemon"))
    }

    /// The configuration as TOML, every key with its value, including defaults; without feeds.
    /// Parsing it gives the same configuration.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut put = |header: &str, pairs: super::field::Pairs| {
            if !header.is_empty() {
                out.push_str(&format!("\n{header}\n"));
            }
            for (key, value) in pairs {
                out.push_str(&format!("{key} = {value}\n"));
            }
        };
        put("", self.top().pairs(&()));
        put("[daemon]", self.daemon.pairs(&()));
        put("[suppress]", self.suppress.pairs(&()));
        self.inputs.iter().for_each(|input| put("[[input]]", input.pairs()));
        self.sinks.iter().for_each(|sink| put("[[sink]]", sink.pairs()));
        out
    }

    pub(super) fn top(&self) -> Top {
        Top {
            state: self.state.clone(),
            database: self.database.clone(),
            allow: self.allow.clone(),
        }
    }

    /// A problem about a key of a table.
    pub(super) fn problem(
        &self,
        of: &'static str,
        name: &str,
        key: &str,
        what: &str,
        remedy: &str,
    ) -> super::Problem {
        let what =
            if of.is_empty() { what.to_string() } else { format!("{of} “{name}”: {what}") };
        self.source.problem(self.places.find(of, name, key), &what, remedy)
    }
}

/// The TOML of a text.
fn document(source: &Source) -> Result<Spanned<DeTable<'_>>, Problems> {
    let mut problems = Problems::default();
    if let Err(error) = check_bounds(source.text()) {
        let whole = error.without_place().to_string();
        problems.add_with(|| source.problem(Some(0), &whole, ""));
        return Err(problems);
    }
    let (document, errors) = DeTable::parse_recoverable(source.text());
    let mut last = None;
    // Each error costs a pass over the text.
    for error in errors.iter().take(MAX_ERRORS) {
        let problem = source.problem(error.span().map(|span| span.start), error.message(), "");
        // What follows on the same line is usually caused by the same mistake.
        let line = problem.place.map(|place| place.line);
        if line.is_none() || line != last {
            problems.add_with(|| problem);
        }
        last = line;
    }
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

/// What was read, as far as it is valid.
struct Read {
    top: Top,
    daemon: Daemon,
    suppress: Suppress,
    inputs: Vec<Input>,
    sinks: Vec<Sink>,
    feeds: usize,
}

impl Read {
    fn into_config(self, source: Source, places: Places) -> Config {
        let mut sinks = self.sinks;
        if sinks.is_empty() {
            sinks.push(standard_output());
        }
        Config {
            path: source.path.to_path_buf(),
            state: self.top.state,
            database: self.top.database,
            allow: self.top.allow,
            daemon: self.daemon,
            suppress: self.suppress,
            inputs: self.inputs,
            sinks,
            feeds: self.feeds,
            source,
            places,
        }
    }
}

/// The sink of a file that has none.
fn standard_output() -> Sink {
    let none = Vec::new;
    Sink {
        name: "stdout".into(),
        enabled: true,
        suppressed: false,
        filter: super::Filter {
            min_severity: None,
            min_confidence: None,
            kinds: Vec::new(),
            feeds: none(),
            tags: none(),
            inputs: none(),
            exclude_kinds: Vec::new(),
            exclude_feeds: none(),
            exclude_tags: none(),
            exclude_inputs: none(),
        },
        kind: SinkKind::Stdout(StdoutSink { format: Format::Json }),
    }
}

/// Reads all tables. Returns `None` if one is invalid; all are read in any case.
fn read(document: &DeTable<'_>, parsing: &mut Parsing<'_>, places: &mut Places) -> Option<Read> {
    let top = read_top(document, parsing, places);
    let empty = DeTable::new();
    let daemon = {
        let (table, at) = table(document, "daemon", &empty, parsing);
        let mut reader = Reader::new(table, at, "[daemon]", parsing);
        let daemon = Daemon::read(&(), &mut reader);
        places.remember("daemon", "", at, &reader);
        reader.finish(|_| None);
        daemon
    };
    let suppress = read_suppress(document, &empty, parsing, places);
    let mut context = ReadContext { parsing, places };
    let inputs = tables(document, "input", &mut context, Input::read, |input| &input.name);
    let sinks = tables(document, "sink", &mut context, Sink::read, |sink| &sink.name);
    let feeds = document.get("feed").and_then(|value| value.get_ref().as_array());
    let feeds = feeds.map_or(0, |feeds| feeds.len());
    Some(Read {
        top: top?,
        daemon: daemon?,
        suppress: suppress?,
        inputs: inputs?,
        sinks: sinks?,
        feeds,
    })
}

fn read_top(document: &DeTable<'_>, parsing: &mut Parsing<'_>, places: &mut Places) -> Option<Top> {
    let mut reader = Reader::new(document, 0, "the top of the file", parsing);
    let base = reader.parsing.base;
    let top = Top::read(&(), &mut reader).map(|mut top| {
        for (key, path) in [("state", &mut top.state), ("database", &mut top.database)] {
            if !reader.has(key) {
                *path = base.join(&*path);
            }
        }
        top
    });
    places.remember("", "", 0, &reader);
    let names = || OF_DAEMON.into_iter().chain(OF_FEEDS);
    let unknown: Vec<(&str, usize)> =
        reader.places().filter(|(key, _)| names().all(|name| name != *key)).collect();
    for (key, at) in unknown {
        let meant = match key {
            "inputs" | "source" | "sources" => Some("input"),
            "sinks" | "output" | "outputs" => Some("sink"),
            "suppression" => Some("suppress"),
            key => nearest(key, names()),
        };
        let remedy = match (meant, Daemon::keys(&()).iter().any(|other| other.name == key)) {
            (_, true) => format!("{key} belongs in [daemon]"),
            (Some(name), _) => format!("did you mean “{name}”?"),
            (None, _) => "config.md of the documentation lists the keys and tables".to_string(),
        };
        let what = format!("unknown key {} at the top of the file", quoted(key));
        reader.parsing.add(at, &what, &remedy);
    }
    top
}

fn read_suppress(
    document: &DeTable<'_>,
    empty: &DeTable<'_>,
    parsing: &mut Parsing<'_>,
    places: &mut Places,
) -> Option<Suppress> {
    // `suppress = ["…"]` at the top names warning lists, and belongs to the feeds.
    let is_list = document.get("suppress").is_some_and(|value| value.get_ref().is_array());
    let (table, at) = match is_list {
        true => (empty, 0),
        false => table(document, "suppress", empty, parsing),
    };
    let mut reader = Reader::new(table, at, "[suppress]", parsing);
    // The feeds' list under this name, if both are present.
    reader.value("lists");
    let suppress = Suppress::read(&(), &mut reader);
    if let Some(suppress) = &suppress {
        suppress.check(&mut reader);
    }
    places.remember("suppress", "", at, &reader);
    reader.finish(|_| None);
    suppress
}

/// A table that may appear once.
fn table<'d>(
    document: &'d DeTable<'d>,
    name: &str,
    empty: &'d DeTable<'d>,
    parsing: &mut Parsing<'_>,
) -> (&'d DeTable<'d>, usize) {
    let Some(value) = document.get(name) else { return (empty, 0) };
    match value.get_ref() {
        DeValue::Table(table) => (table, value.span().start),
        _ => {
            let what = format!("{name} must be a single table");
            parsing.add(value.span().start, &what, &format!("write [{name}]"));
            (empty, value.span().start)
        }
    }
}

/// Tables that may appear any number of times, with different names.
fn tables<'d, T>(
    document: &'d DeTable<'d>,
    key: &str,
    context: &mut ReadContext<'_, '_>,
    read: impl Fn(&DeTable<'_>, usize, &mut ReadContext<'_, '_>) -> Option<T>,
    name: impl Fn(&T) -> &String,
) -> Option<Vec<T>> {
    let Some(value) = document.get(key) else { return Some(Vec::new()) };
    let remedy = format!("write [[{key}]]");
    let Some(array) = value.get_ref().as_array() else {
        let what = format!("{key} must be a list of tables");
        context.parsing.add(value.span().start, &what, &remedy);
        return None;
    };
    let (mut found, mut is_right) = (Vec::new(), true);
    let mut names: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for member in array.iter() {
        let at = member.span().start;
        let Some(table) = member.get_ref().as_table() else {
            context.parsing.add(at, &format!("{key} must be a list of tables"), &remedy);
            is_right = false;
            continue;
        };
        let Some(one) = read(table, at, context) else {
            is_right = false;
            continue;
        };
        if let Some(first) = names.get(name(&one)) {
            is_right = false;
            if context.parsing.problems.is_full() {
                break;
            }
            let line = context.parsing.source.line(*first);
            let what = format!("two {key}s have the name “{}”", name(&one));
            let remedy = format!("rename one of them; the first is on line {line}");
            context.parsing.add(at, &what, &remedy);
            continue;
        }
        names.insert(name(&one).clone(), at);
        found.push(one);
    }
    is_right.then_some(found)
}
