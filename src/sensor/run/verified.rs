//! Databases that were verified before.
//!
//! Verification reads every byte of a file: 30 ms for 10 million indicators in the page cache, and
//! a read of the whole file from disk if it is not cached. A process that starts for a single
//! lookup should not pay that each time. So the identity of a file that passed is recorded in the
//! user's cache, `wiresift/checked` below `XDG_CACHE_HOME` or `~/.cache`, and a file with the same
//! identity is opened without verification.
//!
//! That is safe: lookups check every bound themselves, so a file that was changed without our
//! knowledge may give wrong answers, but never a panic. `verify` always verifies. Without a cache
//! that only this user can write, every file is verified.

use crate::Result;
use crate::engine::database::{Database, Identity};
use std::fs::{self, DirBuilder, Metadata};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Opens a database, and verifies it unless this very file was verified before.
///
/// # Errors
///
/// Those of [`Database::open`].
pub fn open_database(path: impl AsRef<Path>) -> Result<Database> {
    unless_known(|is_known| Database::open_unless_known(path, is_known))
}

/// Copies a database into memory, for long-running work, and verifies it unless this very file was
/// verified before.
///
/// # Errors
///
/// Those of [`Database::open`].
pub fn load_database(path: impl AsRef<Path>) -> Result<Database> {
    unless_known(|is_known| Database::load_unless_known(path, is_known))
}

fn unless_known(
    open: impl FnOnce(&mut dyn FnMut(&Identity) -> bool) -> Result<Database>,
) -> Result<Database> {
    let folder = folder();
    let mut passed = None;
    let database = open(&mut |identity| {
        let Some(folder) = &folder else { return false };
        let is_known = is_noted(folder, identity);
        passed = (!is_known).then(|| identity.clone());
        is_known
    })?;
    if let (Some(folder), Some(identity)) = (folder, passed) {
        // A cache that cannot be written is no reason to fail.
        let _ = note(&folder, &identity);
    }
    Ok(database)
}

/// The folder in which identities are recorded.
fn folder() -> Option<PathBuf> {
    let of = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("wiresift").join("checked"))
}

/// Whether the folder is ours, and only we can write to it.
fn is_ours(metadata: &Metadata) -> bool {
    let ours = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == metadata.uid());
    ours && metadata.mode() & 0o022 == 0
}

/// One file for each database, so that processes do not overwrite each other's.
fn file(folder: &Path, identity: &Identity) -> PathBuf {
    folder.join(&identity.build_id)
}

/// Everything that changes when a file is replaced or written to.
fn line(identity: &Identity) -> String {
    let Identity { build_id, size, device, inode, modified, changed } = identity;
    let version = env!("CARGO_PKG_VERSION");
    format!("{version} {build_id} {size} {device} {inode} {modified:?} {changed:?}\n")
}

fn is_noted(folder: &Path, identity: &Identity) -> bool {
    let noted = || {
        let metadata = fs::symlink_metadata(folder).ok()?;
        if !metadata.is_dir() || !is_ours(&metadata) {
            return None;
        }
        fs::read_to_string(file(folder, identity)).ok()
    };
    noted().is_some_and(|noted| noted == line(identity))
}

fn note(folder: &Path, identity: &Identity) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if !is_ours(&fs::symlink_metadata(folder)?) {
        return Ok(());
    }
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(line(identity).as_bytes())?;
    new.persist(file(folder, identity))?;
    Ok(())
}
