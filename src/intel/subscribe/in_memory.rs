//! Compiles lists for a single run, without writing a file.

use super::{FeedInput, Notice, Notify};
use crate::Result;
use crate::clock::now;
use crate::engine::compile::Compiler;
use crate::engine::database::Database;
use crate::engine::error::spelt_name;
use crate::engine::indicator::Indicator;
use crate::intel::feed::{self, Limits, Reject};

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
                    spelt_name(file.path.as_os_str()),
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
