//! Where alerts go, and what they must not go over.

use super::messages::name;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use wiresift::engine::alert::{OWN_HEAD, is_own};
use wiresift::engine::database::is_database;
use wiresift::engine::files::{Inputs, Node, Outlet};
use wiresift::sensor::input::Target;
use wiresift::sensor::run::{Notice, Notify};
use wiresift::sensor::sink::{FileSink, Records, Sink, StdoutSink};
use wiresift::{Error, Result};

/// The file that alerts go to; none for standard output, which may be spelt `-`.
pub(super) fn file(output: Option<&Path>) -> Option<&Path> {
    output.filter(|path| path.as_os_str() != "-")
}

/// The same, if it is one that can be renamed and opened again.
pub(super) fn rotated(output: Option<&Path>) -> Option<&Path> {
    file(output).filter(|path| matches!(Outlet::of(path), Ok(Outlet::File(_))))
}

/// Refuses an output that the command reads, and one that is a database.
pub(super) fn refuse(output: Option<&Path>, inputs: &Inputs) -> Result<()> {
    let Some(output) = file(output) else { return Ok(()) };
    inputs.refuse(output)?;
    if is_database(output) {
        return Err(Error::usage("the output is a wiresift database; nothing was written")
            .at_path(output)
            .remedy("name another file for the alerts; --db names the database"));
    }
    Ok(())
}

/// Opens the output: the last thing that is done before the work begins, so that nothing is
/// emptied for a command that cannot run.
pub(super) fn open(
    output: Option<&Path>,
    is_quiet: bool,
    open: impl FnOnce(&Path) -> Result<FileSink>,
) -> Result<Box<dyn Sink>> {
    Ok(match file(output) {
        _ if is_quiet => Box::new(Nowhere),
        Some(path) => Box::new(open(path)?),
        None => Box::new(StdoutSink::new()),
    })
}

/// Takes records and keeps none.
struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &Records) -> Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Files of a scan's own that may lie among its inputs, whatever they are called there.
pub(super) struct Own(Vec<(Node, &'static str)>);

impl Own {
    /// The output, the file that standard output goes to, and the database.
    pub(super) fn of(output: Option<&Path>, db: Option<&Path>) -> Own {
        let stdout = Path::new("/proc/self/fd/1");
        let output = (file(output).unwrap_or(stdout), "the output");
        let own = [Some(output), db.map(|db| (db, "the database"))].into_iter().flatten();
        Own(own.filter_map(|(path, what)| Some((Node::at(path)?, what))).collect())
    }

    /// Leaves them out, as grep does: what was named is an error, and what a walk found is
    /// said. Returns how many there were, and how many of them are errors.
    ///
    /// # Errors
    ///
    /// When it was found by a walk that the output is an input, and it holds anything but what
    /// was written by a scan before: it would be emptied, and nobody meant that.
    pub(super) fn leave_out(
        &self,
        targets: &mut Vec<Target>,
        named: &[PathBuf],
        output: &Written<'_>,
        notify: Notify<'_>,
    ) -> Result<(u64, u64)> {
        let (mut count, mut errors) = (0, 0);
        if self.0.is_empty() {
            return Ok((0, 0));
        }
        let mut kept = Vec::with_capacity(targets.len());
        for target in std::mem::take(targets) {
            let what = self.what(&target);
            let (Target::Path(path), Some(what)) = (&target, what) else {
                kept.push(target);
                continue;
            };
            if what == "the output" {
                output.refuse(path)?;
            }
            if named.contains(path) {
                let error = Error::usage(format!("the input is also {what}; it is not read"));
                notify(Notice::Failed(&error.at_path(path)));
                errors += 1;
            } else {
                notify(Notice::Skipped(&format!("{}: {what} is not read", name(path))));
            }
            count += 1;
        }
        *targets = kept;
        Ok((count, errors))
    }

    fn what(&self, target: &Target) -> Option<&'static str> {
        let Target::Path(path) = target else { return None };
        let node = Node::at(path)?;
        self.0.iter().find(|(own, _)| *own == node).map(|(_, what)| *what)
    }
}

/// The file that alerts are to go to, and what is written of them.
pub(super) struct Written<'w> {
    /// None where it is standard output: whoever opened that has emptied it already, or not.
    pub(super) output: Option<&'w Path>,
    /// Paths of inputs are written, with counts or without, and no records.
    pub(super) is_listing: bool,
}

impl Written<'_> {
    /// Refuses the output if it holds something else than what a scan wrote. A walk has found it
    /// among the inputs, as `found`.
    fn refuse(&self, found: &Path) -> Result<()> {
        let Some(output) = file(self.output) else { return Ok(()) };
        let mut head = Vec::new();
        std::fs::File::open(output)
            .and_then(|file| file.take(OWN_HEAD as u64).read_to_end(&mut head))
            .map_err(|e| Error::io("read what the output holds", e).at_path(output))?;
        if is_own(&head) || is_observable(&head) || self.is_listing && is_listing(&head) {
            return Ok(());
        }
        let under = if found == output { String::new() } else { format!(" ({})", name(found)) };
        Err(Error::usage(format!("the output is also an input{under}; nothing was written"))
            .at_path(output)
            .remedy("name another file for the alerts, or leave this one out with --exclude"))
    }
}

/// What `--observables` writes.
fn is_observable(head: &[u8]) -> bool {
    let line = String::from_utf8_lossy(head);
    let line = line.lines().next().unwrap_or_default();
    line.starts_with("{\"kind\":\"")
        && line.contains("\",\"value\":\"")
        && line.contains("\"where\":\"")
}

/// Paths, each of a file that is there, with a count behind it or without.
fn is_listing(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let is_path = |line: &str| {
        let path = line.trim_end_matches(|c: char| c.is_ascii_digit());
        let path = path.strip_suffix(':').unwrap_or(line);
        Path::new(path).is_file()
    };
    // The last line may be cut.
    let whole = text.rfind('\n').map_or("", |at| &text[..at]);
    !whole.is_empty() && whole.lines().all(is_path)
}
