//! The bytes of a database: mapped from a file, copied from one, or in memory.

use super::identity::{IN_PLACE, Stamp};
use crate::engine::memory::{Mapped, Pages};
use crate::{Error, Result};
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;
use std::path::Path;

/// Read-only bytes.
#[derive(Debug)]
pub(super) enum Map {
    /// Mapped from a file, which stays open to notice writes to it.
    File(Mapped, File),
    /// Copied from a file, so nothing can change or remove it.
    Copied(Pages<u8>),
    /// In memory, for tests, fuzzing and allow lists on the command line.
    Memory(Vec<u8>),
}

/// How to get the bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoadMode {
    /// Mapped: immediate, with pages that all processes share.
    Mapped,
    /// Copied.
    Copied,
}

impl Map {
    /// Opens a whole file. Returns its state before and after it was read.
    pub(super) fn open(path: &Path, mode: LoadMode) -> Result<(Map, Stamp, Stamp)> {
        let file = File::open(path).map_err(|e| {
            let missing = e.kind() == io::ErrorKind::NotFound;
            let error = Error::io("open the database", e).at_path(path);
            if missing { error.remedy("create it with `wiresift compile -o`") } else { error }
        })?;
        let status = || file.metadata().map_err(|e| Error::io("read its size", e).at_path(path));
        let metadata = status()?;
        if metadata.is_dir() {
            return Err(Error::usage("a directory is not a database")
                .at_path(path)
                .remedy("name the file written by `wiresift compile -o`"));
        }
        let before = Stamp::of(&metadata);
        if metadata.len() == 0 {
            // The kernel refuses to map an empty file; the header check gives a
            // better error.
            return Ok((Map::Memory(Vec::new()), before, before));
        }
        if mode == LoadMode::Mapped {
            let map =
                Mapped::new(&file).map_err(|e| Error::io("map the database", e).at_path(path))?;
            return Ok((Map::File(map, file), before, before));
        }
        let mut pages = Pages::new(usize::try_from(metadata.len()).unwrap_or(usize::MAX));
        (&file).read_exact(&mut pages).map_err(|e| {
            let got_shorter = e.kind() == io::ErrorKind::UnexpectedEof;
            let error = Error::io("read the database", e).at_path(path);
            if got_shorter { error.remedy(IN_PLACE) } else { error }
        })?;
        let after = Stamp::of(&status()?);
        Ok((Map::Copied(pages), before, after))
    }

    /// The current state of the file, and whether it was truncated. `None` if later changes cannot
    /// affect the bytes.
    pub(super) fn file_now(&self) -> Option<(Option<Stamp>, bool)> {
        match self {
            Map::File(map, file) => {
                Some((file.metadata().ok().map(|it| Stamp::of(&it)), map.is_lost()))
            }
            Map::Copied(_) | Map::Memory(_) => None,
        }
    }
}

impl Deref for Map {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Map::File(map, _) => map,
            Map::Copied(pages) => pages,
            Map::Memory(bytes) => bytes,
        }
    }
}
