//! The state directory, and the right to write to it.

use super::disk;
use super::shelf::FeedDir;
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A state directory.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// The right to write to a store, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Store {
    /// A store in a folder, which need not be there yet.
    pub fn at(root: &Path) -> Store {
        Store { root: root.to_path_buf() }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What there is of a feed, which may be nothing.
    pub fn shelf(&self, feed: &str) -> FeedDir {
        FeedDir::at(self.root.join("feeds").join(feed))
    }

    /// Names of all feeds that something is kept of, also of those that the configuration
    /// does not have any more.
    pub fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root.join("feeds")) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }

    /// Makes the folder and takes the right to write to it. `None` where another process
    /// has it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn try_lock(&self) -> Result<Option<Lock>> {
        disk::make_folder(&self.root)?;
        let path = self.root.join("lock");
        let fail = |e: std::io::Error| Error::io("lock", e).at_path(&path);
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = file.map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(e)) => return Err(fail(e)),
        }
        let named = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        named.map_err(fail)?;
        Ok(Some(Lock { _file: file }))
    }

    /// The process that has the lock, as it says.
    pub fn holder(&self) -> Option<u32> {
        let mut text = String::new();
        let file = File::open(self.root.join("lock")).ok()?;
        file.take(32).read_to_string(&mut text).ok()?;
        text.trim().parse().ok()
    }
}
