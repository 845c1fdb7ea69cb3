//! The bytes of a database: mapped from a file, or held in memory.
//!
//! This is the only file of the room with `unsafe` in it.
#![allow(unsafe_code)]

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
        // SAFETY: the map is read-only and private to this process. What `Mmap::map`
        // cannot rule out is that somebody changes or truncates the file under us.
        // Changed bytes are harmless: every read is checked against the bounds of its
        // section, whatever the bytes say, and no reference to a type with invalid bit
        // patterns is ever made from them. A truncated file would raise SIGBUS; our own
        // writer never truncates a published file, it renames a new one over it, and
        // the old inode lives as long as this map.
        let map = unsafe { memmap2::Mmap::map(&file) };
        match map {
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
