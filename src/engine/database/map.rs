//! The bytes of a database: mapped from a file, copied from one, or held in memory.

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
    /// Mapped from a file, which is kept open to see whether somebody writes to it.
    File(Mapped, File),
    /// Copied from a file: nobody can change it, nor take it away.
    Copied(Pages<u8>),
    /// Held in memory, for tests, fuzzing and allow lists given on the command line.
    Memory(Vec<u8>),
}

/// How a file is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// Mapped: at once, and with pages that all processes share.
    Mapped,
    /// Copied.
    Copied,
}

impl Map {
    /// Takes a whole file. Gives what it was before it was read, and what after.
    pub(super) fn open(path: &Path, taking: Taking) -> Result<(Map, Stamp, Stamp)> {
        let file = File::open(path).map_err(|e| {
            let missing = e.kind() == io::ErrorKind::NotFound;
            let error = Error::io("cannot open the database", e).at_path(path);
            if missing { error.remedy("make it with `wiresift compile -o`") } else { error }
        })?;
        let status =
            || file.metadata().map_err(|e| Error::io("cannot read its size", e).at_path(path));
        let metadata = status()?;
        if metadata.is_dir() {
            return Err(Error::usage("a directory is not a database")
                .at_path(path)
                .remedy("name the file that `wiresift compile -o` wrote"));
        }
        let before = Stamp::of(&metadata);
        if metadata.len() == 0 {
            // The kernel refuses to map nothing; the header check says it better.
            return Ok((Map::Memory(Vec::new()), before, before));
        }
        if taking == Taking::Mapped {
            let map = Mapped::new(&file)
                .map_err(|e| Error::io("cannot map the database", e).at_path(path))?;
            return Ok((Map::File(map, file), before, before));
        }
        let mut pages = Pages::new(usize::try_from(metadata.len()).unwrap_or(usize::MAX));
        (&file).read_exact(&mut pages).map_err(|e| {
            let got_shorter = e.kind() == io::ErrorKind::UnexpectedEof;
            let error = Error::io("cannot read the database", e).at_path(path);
            if got_shorter { error.remedy(IN_PLACE) } else { error }
        })?;
        let after = Stamp::of(&status()?);
        Ok((Map::Copied(pages), before, after))
    }

    /// What the file is by now, and whether bytes of it are gone; none if it is no matter.
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
