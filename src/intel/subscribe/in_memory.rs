//! Compiles lists for a single run, without writing a file.

use super::{FeedInput, Notice, Notify};
use crate::Result;
use crate::clock::now;
use crate::engine::compile::Compiler;
use crate::engine::database::Database;
use crate::engine::error::escape_file_name;
use crate::engine::indicator::Indicator;
use crate::intel::feed::{self, Limits, Reject};
use std::path::PathBuf;
use std::sync::Arc;

/// Compiles allow lists into a database of their own, because a hit on it suppresses an alert
/// instead of raising one: for
/// [`Options::allow`](crate::engine::scan::Options::allow) of a scanner. `None` if there are no
/// lists.
///
/// # Errors
///
/// As [`compile_in_memory`].
pub fn compile_allow_lists(paths: &[PathBuf], notify: Notify<'_>) -> Result<Option<Arc<Database>>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let inputs: Vec<FeedInput> = paths.iter().map(|path| FeedInput::allow_list(path)).collect();
    compile_in_memory(&inputs, notify).map(|database| Some(Arc::new(database)))
}

/// Reads lists and compiles them into a database in memory. The number of
/// unreadable values is reported through a notice per file.
///
/// # Errors
///
/// A list cannot be read.
pub fn compile_in_memory(inputs: &[FeedInput], notify: Notify<'_>) -> Result<Database> {
    let mut compiler = Compiler::default();
    for input in inputs {
        let mut intake = CompileSink(&mut compiler);
        for file in feed::open(&input.path, &input.options, &Limits::default(), &mut intake) {
            let summary = file.outcome?;
            if summary.rejected() > 0 {
                notify(Notice::Skipped(&format!(
                    "{}: {} could not be read",
                    escape_file_name(file.path.as_os_str()),
                    values(summary.rejected())
                )));
            }
        }
    }
    Database::from_bytes(compiler.into_bytes(now())?)
}

fn values(count: u64) -> String {
    if count == 1 { "1 value".into() } else { format!("{count} values") }
}

struct CompileSink<'c>(&'c mut Compiler);

impl feed::Sink for CompileSink<'_> {
    fn indicator(&mut self, indicator: Indicator, _: Option<u64>) {
        self.0.add(indicator);
    }

    fn reject(&mut self, _: Reject) {}
}
