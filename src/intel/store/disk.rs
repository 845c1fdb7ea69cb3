//! Writes files that are complete after a crash.

use crate::{Error, Result};
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
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
    make_folders(path).map_err(|e| {
        Error::io("create the folder", e)
            .at_path(path)
            .remedy("the state directory must be writable; `state` in the configuration names it")
    })
}

/// Creates a folder and those above it that are missing, from the top.
fn make_folders(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
        .collect();
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => {
                let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
                let open = File::options().read(true).custom_flags(bits(flags)).open(folder)?;
                hand_over(&open, folder)?;
            }
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn bits(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// Opens a file to write to it, and creates it if it is not there. A link is refused: where root
/// writes, it might lead anywhere.
pub(super) fn open_own(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).custom_flags(bits(OFlags::NOFOLLOW));
    match options.clone().create_new(true).open(path) {
        Ok(file) => hand_over(&file, path).map(|()| file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

/// Gives something new to the owner of the folder that it is in: root may fetch feeds for a service
/// of another user, who has to read and replace what root wrote. Only what was just created is
/// given away, through its descriptor, so that the owner of the folder cannot have it be something
/// else.
pub(super) fn hand_over(new: &File, path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let (own, folder) = (new.metadata()?, fs::metadata(folder.unwrap_or(Path::new(".")))?);
    let is_roots = own.uid() == 0 && rustix::process::geteuid().is_root();
    // Folders that anybody may write to, such as /tmp, belong to nobody in particular.
    let is_shared = folder.mode() & 0o002 != 0;
    if !is_roots || is_shared || folder.uid() == 0 {
        return Ok(());
    }
    fchown(new, Some(folder.uid()), Some(folder.gid()))
}

/// Replaces a file by writing next to it and renaming, so readers see either the
/// old or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8], durable: Durable) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut part = tempfile::Builder::new().prefix(PART).tempfile_in(folder)?;
        hand_over(part.as_file(), part.path())?;
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
