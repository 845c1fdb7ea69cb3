//! Compiles lists for a single run, without writing a file.

use super::compile::unreadable_list;
use super::{FeedInput, Notice, Notify};
use crate::Result;
use crate::clock::now;
use crate::engine::compile::Compiler;
use crate::engine::database::Database;
use crate::engine::error::escape_file_name;
use crate::engine::indicator::{Indicator, Reason};
use crate::intel::feed::{self, Limits, Reject};
use std::collections::BTreeMap;
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

/// Reads lists and compiles them into a database in memory. The number of unreadable values is
/// reported through a notice per file, and what guards withheld or changed through one per reason.
///
/// # Errors
///
/// A list cannot be read.
pub fn compile_in_memory(inputs: &[FeedInput], notify: Notify<'_>) -> Result<Database> {
    let mut compiler = Compiler::default();
    for input in inputs {
        let mut intake = CompileSink(&mut compiler);
        for file in feed::open(&input.path, &input.options, &Limits::default(), &mut intake) {
            let summary = file.outcome.map_err(|error| match input.options.allow {
                true => unreadable_list(&error, "").at_path(&file.path),
                false => error,
            })?;
            if summary.rejected() > 0 {
                notify(Notice::Skipped(&format!(
                    "{}: {} could not be read",
                    escape_file_name(file.path.as_os_str()),
                    values(summary.rejected())
                )));
            }
        }
    }
    // Without these counts, a list of which nothing alerts looks like a log without matches.
    let mut guarded: BTreeMap<Reason, u64> = BTreeMap::new();
    for (reason, count) in compiler.guarded_by_feed().values().flatten() {
        *guarded.entry(*reason).or_default() += count;
    }
    let names: Vec<_> = inputs.iter().map(|it| escape_file_name(it.path.as_os_str())).collect();
    for (reason, count) in guarded {
        notify(Notice::Skipped(&format!("{}: {}", names.join(", "), guarded_words(reason, count))));
    }
    Database::from_bytes(compiler.into_bytes(now())?)
}

/// What a guard withheld or changed, in words.
fn guarded_words(reason: Reason, count: u64) -> String {
    let (values, remedy) = (values(count), reason.remedy());
    let (do_not, address) = match count {
        1 => ("does not", "private address"),
        _ => ("do not", "private addresses"),
    };
    match reason {
        Reason::Private => format!(
            "{values} {do_not} alert: {address} (compile with --internal if it is about your own \
             networks)"
        ),
        // These alert, if not as they are listed.
        Reason::Downgraded | Reason::Annotated => format!("{values} changed: {reason} ({remedy})"),
        _ => format!("{values} {do_not} alert: {reason} ({remedy})"),
    }
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
