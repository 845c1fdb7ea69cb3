//! The state directory, and the lock that protects it.

use super::disk;
use super::feed_dir::FeedDir;
use crate::{Error, Result};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A state directory.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// The exclusive right to write to a store. It ends when this is dropped, or with
/// the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Store {
    /// Opens a store in a folder, which need not exist yet.
    pub fn at(root: &Path) -> Store {
        Store { root: root.to_path_buf() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The data of a feed, which may not exist yet.
    pub fn feed_dir(&self, feed: &str) -> FeedDir {
        FeedDir::at(self.root.join("feeds").join(feed))
    }

    /// The names of all feeds with stored data, even of those that are no longer
    /// configured.
    pub fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.root.join("feeds")) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }

    /// Creates the folder and locks it. Returns `None` if another process holds the
    /// lock.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn try_lock(&self) -> Result<Option<Lock>> {
        disk::make_folder(&self.root)?;
        let path = self.root.join("lock");
        let fail = |e: std::io::Error| Error::io("lock", e).at_path(&path);
        let mut file = disk::open_own(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(e)) => return Err(fail(e)),
        }
        let named = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        named.map_err(fail)?;
        Ok(Some(Lock { _file: file }))
    }

    /// The process that holds the lock, according to the file.
    pub fn holder(&self) -> Option<u32> {
        let mut text = String::new();
        let file = File::open(self.root.join("lock")).ok()?;
        file.take(32).read_to_string(&mut text).ok()?;
        text.trim().parse().ok()
    }
}
