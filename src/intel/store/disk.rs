//! Writes files that are complete after a crash.

use crate::{Error, Result};
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// The prefix of unfinished files.
pub(super) const PART: &str = ".part-";

/// Whether a file must survive a loss of power, or only the end of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durable {
    /// Synced before it is renamed into place, and its folder afterwards.
    Yes,
    /// Complete or missing after the end of this process. The system writes it to
    /// disk at some point.
    NotYet,
}

/// Creates a folder that only its owner can read: feeds may be paid for, and
/// confidential.
pub(super) fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| {
        Error::io("create the folder", e)
            .at_path(path)
            .remedy("the state directory must be writable; `state` in the configuration names it")
    })
}

/// Replaces a file by writing next to it and renaming, so readers see either the
/// old or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8], durable: Durable) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut part = tempfile::Builder::new().prefix(PART).tempfile_in(folder)?;
        part.write_all(bytes)?;
        if durable == Durable::Yes {
            part.as_file().sync_all()?;
        }
        part.persist(path).map_err(|e| e.error)?;
        if durable == Durable::Yes {
            sync_folder(folder);
        }
        Ok(())
    };
    write().map_err(|e: std::io::Error| {
        let full = e.kind() == std::io::ErrorKind::StorageFull;
        let error = Error::io("write", e).at_path(path);
        if full { error.remedy("free some space; the old file was kept") } else { error }
    })
}

/// Renames a file over another one in the same folder. Both must be written
/// already.
#[expect(clippy::disallowed_methods, reason = "the file is synced, and the folder is here")]
pub(super) fn put_over(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| Error::io("move into place", e).at_path(to))?;
    sync_folder(to.parent().unwrap_or(Path::new(".")));
    Ok(())
}

/// Syncs a directory. Some file systems refuse that, which is no reason to fail:
/// the rename has happened.
pub(super) fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Reads a file, or returns `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", e).at_path(path)),
    }
}
