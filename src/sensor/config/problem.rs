//! What is wrong with a configuration, and where.

use crate::Error;
use crate::engine::error::{escape_file_name, escape_text};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The maximum number of problems that are kept; the rest is only counted.
const MAX_PROBLEMS: usize = 50;

/// The maximum length of a value that a message repeats, in characters.
const MAX_QUOTED: usize = 60;

/// A position in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The position; `None` if it is about something missing.
    pub place: Option<Location>,
    /// What is wrong. Never contains a secret.
    pub what: String,
    /// How to fix it; empty if that is obvious.
    pub remedy: String,
    /// Whether it may disappear without a change to the configuration: a missing file, folder or
    /// interface may appear.
    pub may_pass: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", escape_file_name(self.path.as_os_str()))?;
        if let Some(Location { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", escape_text(&self.what))?;
        if !self.remedy.is_empty() {
            write!(f, " ({})", escape_text(&self.remedy))?;
        }
        Ok(())
    }
}

/// All problems, in the order of the file: displayed as one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems, 50 at most.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// The number of problems beyond those of [`iter`](Self::iter).
    pub fn more(&self) -> usize {
        self.more
    }

    /// Whether all of them may disappear without a change to the configuration.
    pub fn may_pass(&self) -> bool {
        self.list.iter().all(|problem| problem.may_pass)
    }

    /// Adds a problem. It is only created if it is kept, because that takes time.
    pub(super) fn add_with(&mut self, problem: impl FnOnce() -> Problem) {
        if self.is_full() {
            self.more += 1;
        } else {
            self.list.push(problem());
        }
    }

    /// Whether further problems are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MAX_PROBLEMS
    }

    /// Sorts the problems in the order of the file. Those without a position come last.
    pub(super) fn sort(&mut self) {
        self.list.sort_by_key(|problem| (problem.place.is_none(), problem.place));
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.list.iter().enumerate() {
            let end = if at > 0 { "\n" } else { "" };
            write!(f, "{end}{problem}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The first problem, with the number of the others.
impl From<Problems> for Error {
    fn from(problems: Problems) -> Error {
        let others = problems.list.len().saturating_sub(1) + problems.more;
        let Some(first) = problems.list.into_iter().next() else {
            return Error::format("the configuration is invalid");
        };
        let more = if others > 0 { format!(", and {others} more") } else { String::new() };
        let error = Error::format(format!("{}{more}", first.what)).at_path(&first.path);
        let error = match first.place {
            Some(place) => error.at_line(place.line as u64),
            None => error,
        };
        if first.remedy.is_empty() { error } else { error.remedy(first.remedy) }
    }
}

/// The text of a configuration, which maps offsets to positions, and the problems found in it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: Arc<Path>,
    text: Arc<str>,
}

impl Source {
    pub(super) fn new(text: &str, path: &Path) -> Self {
        Source { path: path.into(), text: text.into() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// A problem at an offset. This takes time linear in the text, which is why [`Problems`] is
    /// bounded.
    pub(super) fn problem(&self, at: Option<usize>, what: &str, remedy: &str) -> Problem {
        Problem {
            path: self.path.to_path_buf(),
            place: at.map(|at| self.place(at)),
            what: what.to_string(),
            remedy: remedy.to_string(),
            may_pass: false,
        }
    }

    /// The line of an offset.
    pub(super) fn line(&self, at: usize) -> usize {
        self.place(at).line
    }

    fn place(&self, at: usize) -> Location {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line = 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Location { line, column: 1 + before[start..].chars().count() }
    }
}

/// A problem with a value, before the key is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The position in the text.
    pub(super) span: Range<usize>,
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Wrong {
    pub(super) fn new(
        span: Range<usize>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Wrong {
        Wrong { span, what: what.into(), remedy: remedy.into() }
    }
}

/// A value in quotation marks, truncated if it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("“{}…”", &text[..end]),
        None => format!("“{text}”"),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn alternatives(words: &[impl AsRef<str>]) -> String {
    joined(words, "or")
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(words: &[impl AsRef<str>]) -> String {
    joined(words, "and")
}

fn joined(words: &[impl AsRef<str>], last: &str) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match &words[..] {
        [] => String::new(),
        [one] => (*one).to_string(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
