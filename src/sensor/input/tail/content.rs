//! What a stream held before an offset, in two hashes.

use super::plain::read_full_at;
use std::fs::File;
use std::io;
use xxhash_rust::xxh3::xxh3_64;

/// How many bytes each hash is of, at most.
pub(crate) const SAMPLE: usize = 4 << 10;

/// Hashes of the first and of the last min(offset, 4 KiB) bytes before an offset, decompressed.
///
/// They hold from the first byte: no minimum of size below which files aren't told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// Hash of the first bytes.
    pub head: u64,
    /// Hash of the last bytes before the offset.
    pub tail: u64,
}

impl Content {
    /// Of nothing.
    pub(super) fn empty() -> Content {
        Content { head: xxh3_64(b""), tail: xxh3_64(b"") }
    }

    /// From the bytes themselves.
    pub(super) fn of(head: &[u8], recent: &[u8]) -> Content {
        let head = &head[..head.len().min(SAMPLE)];
        let recent = &recent[recent.len().saturating_sub(SAMPLE)..];
        Content { head: xxh3_64(head), tail: xxh3_64(recent) }
    }

    /// What a plain file holds before an offset; none if it is shorter.
    pub(super) fn of_file(file: &File, offset: u64) -> io::Result<Option<Content>> {
        let len = offset.min(SAMPLE as u64) as usize;
        let mut head = vec![0; len];
        let mut recent = vec![0; len];
        if read_full_at(file, &mut head, 0)? < len
            || read_full_at(file, &mut recent, offset - len as u64)? < len
        {
            return Ok(None);
        }
        Ok(Some(Content::of(&head, &recent)))
    }
}
