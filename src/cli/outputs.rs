//! Opens the output for alerts, and keeps it from overwriting or feeding back into an input.

use super::messages::name;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use wiresift::engine::alert::{Format, OWN_HEAD, is_own, own_format};
use wiresift::engine::database::is_database;
use wiresift::engine::files::{Inputs, Node, Outlet};
use wiresift::sensor::input::Target;
use wiresift::sensor::run::{Notice, Notify};
use wiresift::sensor::sink::{FileSink, Null, Sink, StdoutSink};
use wiresift::{Error, Result};

/// The file that alerts go to, or none for standard output (`-` or no `--output`).
pub(super) fn file(output: Option<&Path>) -> Option<&Path> {
    output.filter(|path| path.as_os_str() != "-")
}

/// The same, if it is a regular file, which log rotation can rename and SIGHUP reopen.
pub(super) fn rotated(output: Option<&Path>) -> Option<&Path> {
    file(output).filter(|path| matches!(Outlet::of(path), Ok(Outlet::File(_))))
}

/// Rejects an output that the command also reads, and one that is a database: swapping the
/// arguments of `--db` and `-o` must not destroy hours of compiling.
pub(super) fn refuse(output: Option<&Path>, inputs: &Inputs) -> Result<()> {
    let Some(output) = file(output) else { return Ok(()) };
    inputs.refuse(output)?;
    // `tail` keeps its state beside the file, and would create the folder for it.
    if let Some(folder) = output.parent().filter(|it| !it.as_os_str().is_empty() && !it.exists()) {
        let why = format!("the folder {} does not exist", name(folder));
        let cause = std::io::Error::new(std::io::ErrorKind::NotFound, why);
        return Err(Error::io("open the output", cause).at_path(output));
    }
    if is_database(output) {
        return Err(Error::usage("the output is a wiresift database; nothing was written")
            .at_path(output)
            .remedy("name another file for the alerts; --db names the database"));
    }
    Ok(())
}

/// Rejects an output to append to that holds alerts in another format: no program could read the
/// mixture.
pub(super) fn refuse_other_format(output: Option<&Path>, format: Format) -> Result<()> {
    let Some(output) = rotated(output).filter(|path| path.is_file()) else { return Ok(()) };
    let head = head_of(output)?;
    let Some(found) = own_format(&head).filter(|found| *found != format) else { return Ok(()) };
    Err(Error::usage(format!(
        "the file holds alerts in the format {found}, and {format} can't be appended to them; \
         nothing was written"
    ))
    .at_path(output)
    .remedy(format!("use --format {found}, name another file, or move this one away")))
}

/// The beginning of an existing output.
fn head_of(output: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    std::fs::File::open(output)
        .and_then(|file| file.take(OWN_HEAD as u64).read_to_end(&mut head))
        .map_err(|e| Error::io("read the existing output", e).at_path(output))?;
    Ok(head)
}

/// Names the folders among the inputs that contain no files: a wrong path must not look like a clean
/// log.
pub(super) fn say_empty(folders: &[PathBuf], notify: Notify<'_>) {
    for folder in folders {
        notify(Notice::Skipped(&format!("{}: the folder contains no files", name(folder))));
    }
}

/// Opens the output. Call this last: it truncates the file, which must not happen for a
/// command that fails for another reason.
pub(super) fn open(
    output: Option<&Path>,
    is_quiet: bool,
    open: impl FnOnce(&Path) -> Result<FileSink>,
) -> Result<Box<dyn Sink>> {
    Ok(match file(output) {
        _ if is_quiet => Box::new(Null),
        Some(path) => Box::new(open(path)?),
        None => Box::new(StdoutSink::new()),
    })
}

/// Files of the scan itself (its output, its database) that may be among the inputs under any
/// name. They are compared by device and inode, so links and relative paths are recognised.
pub(super) struct OwnFiles(Vec<(Node, &'static str)>);

impl OwnFiles {
    /// The output, the file that standard output is redirected to, and the database.
    // Covers `wiresift scan . > alerts.json`, where the shell opened the file.
    pub(super) fn of(output: Option<&Path>, db: Option<&Path>) -> OwnFiles {
        let stdout = Path::new("/proc/self/fd/1");
        let output = (file(output).unwrap_or(stdout), "the output");
        let own = [Some(output), db.map(|db| (db, "the database"))].into_iter().flatten();
        OwnFiles(own.filter_map(|(path, what)| Some((Node::at(path)?, what))).collect())
    }

    /// Removes these files from the inputs, as grep does for its output: if the user named
    /// one, it is an error; if a walk found it, it is reported as skipped. Returns the number
    /// removed, and how many of them are errors.
    ///
    /// # Errors
    ///
    /// The output is among the inputs and contains something that no scan wrote. Opening it would
    /// empty it, which is never what the user wants.
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
            // Alerts of an earlier run may be replaced, other files may not.
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

    /// What a target is to this scan, if it is one of its own files.
    fn what(&self, target: &Target) -> Option<&'static str> {
        let Target::Path(path) = target else { return None };
        let node = Node::at(path)?;
        self.0.iter().find(|(own, _)| *own == node).map(|(_, what)| *what)
    }
}

/// Where alerts go, and in which form.
pub(super) struct Written<'w> {
    /// `None` for standard output, which the shell has already opened.
    pub(super) output: Option<&'w Path>,
    /// Whether paths or counts of inputs are written instead of records.
    pub(super) is_listing: bool,
}

impl Written<'_> {
    /// Rejects the output if it contains anything but the output of an earlier scan. `found`
    /// is the path under which a walk met it.
    fn refuse(&self, found: &Path) -> Result<()> {
        let Some(output) = file(self.output) else { return Ok(()) };
        let head = head_of(output)?;
        if is_own(&head) || is_observable(&head) || self.is_listing && is_listing(&head) {
            return Ok(());
        }
        let under = if found == output { String::new() } else { format!(" ({})", name(found)) };
        Err(Error::usage(format!("the output is also an input{under}; nothing was written"))
            .at_path(output)
            .remedy("name another file for the alerts, or leave this one out with --exclude"))
    }
}

/// Whether this is output of `--observables`.
fn is_observable(head: &[u8]) -> bool {
    let line = String::from_utf8_lossy(head);
    let line = line.lines().next().unwrap_or_default();
    line.starts_with("{\"kind\":\"")
        && line.contains("\",\"value\":\"")
        && line.contains("\"where\":\"")
}

/// Whether this is output of `-l` or `-c`: lines that are paths of existing files, with or
/// without `:count`.
fn is_listing(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let is_path = |line: &str| {
        let path = line.trim_end_matches(|c: char| c.is_ascii_digit());
        let path = path.strip_suffix(':').unwrap_or(line);
        Path::new(path).is_file()
    };
    // The head may end inside a line.
    let whole = text.rfind('\n').map_or("", |at| &text[..at]);
    !whole.is_empty() && whole.lines().all(is_path)
}
