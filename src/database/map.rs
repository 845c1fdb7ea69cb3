//! The bytes of a database: mapped from a file, or held in memory.

use crate::memory;
use crate::{Error, Result};
use std::fs::{File, Metadata};
use std::ops::Deref;
use std::path::Path;

/// Read-only bytes.
#[derive(Debug)]
pub(super) enum Map {
    /// Mapped from a file.
    File(memmap2::Mmap),
    /// Held in memory, for tests, fuzzing and allow lists given on the command line.
    Memory(Vec<u8>),
}

impl Map {
    /// Maps a whole file, of which it gives the metadata.
    pub(super) fn open(path: &Path) -> Result<(Map, Metadata)> {
        let file = File::open(path).map_err(|e| {
            let missing = e.kind() == std::io::ErrorKind::NotFound;
            let error = Error::io("cannot open the database", e).at_path(path);
            if missing { error.remedy("make it with `wiresift compile -o`") } else { error }
        })?;
        let metadata =
            file.metadata().map_err(|e| Error::io("cannot read its size", e).at_path(path))?;
        if metadata.is_dir() {
            return Err(Error::usage("a directory is not a database")
                .at_path(path)
                .remedy("name the file that `wiresift compile -o` wrote"));
        }
        if metadata.len() == 0 {
            // The kernel refuses to map nothing; the header check says it better.
            return Ok((Map::Memory(Vec::new()), metadata));
        }
        match memory::map(&file) {
            Ok(map) => Ok((Map::File(map), metadata)),
            Err(e) => Err(Error::io("cannot map the database", e).at_path(path)),
        }
    }
}

impl Deref for Map {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Map::File(map) => map,
            Map::Memory(bytes) => bytes,
        }
    }
}
