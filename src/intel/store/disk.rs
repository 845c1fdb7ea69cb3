//! Files that are whole after a crash.

use crate::{Error, Result};
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// What the names of unfinished files begin with.
pub(super) const PART: &str = ".part-";

/// Whether what is written must outlive a loss of power, or only our own end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durable {
    /// Synced before it is put into place, and its folder after.
    Yes,
    /// Whole or not there after our own end; the system writes it when it likes.
    NotYet,
}

/// Feeds are paid for and may be confidential: nobody else reads them.
pub(super) fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| {
        Error::io("make the folder", e)
            .at_path(path)
            .remedy("the state directory must be writable; `state` in the configuration names it")
    })
}

/// Writes beside the file and renames over it, so that whoever reads sees the old one or
/// the new one.
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
        if full { error.remedy("free some space; what was there stays as it was") } else { error }
    })
}

/// Moves a file over another one in the same folder. Both are written already.
#[expect(clippy::disallowed_methods, reason = "the file is synced, and the folder is here")]
pub(super) fn put_over(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| Error::io("put into place", e).at_path(to))?;
    sync_folder(to.parent().unwrap_or(Path::new(".")));
    Ok(())
}

/// Some file systems refuse to sync a directory; what was done is done all the same.
pub(super) fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Reads a file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", e).at_path(path)),
    }
}
