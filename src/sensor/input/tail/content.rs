//! What a stream contains before an offset, as two hashes.

use super::plain::read_full_at;
use std::fs::File;
use std::io;
use xxhash_rust::xxh3::xxh3_64;

/// The maximum number of bytes in each hash.
pub(crate) const SAMPLE: usize = 4 << 10;

/// Hashes of the first and of the last min(offset, 4 KiB) bytes before an offset, decompressed.
///
/// They are valid from the first byte: there is no minimum size for distinguishing files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// Hash of the first bytes.
    pub head: u64,
    /// Hash of the last bytes before the offset.
    pub tail: u64,
}

/// The first bytes of a file that nothing was processed of, by which it is recognised: an empty
/// part of it, which is all that a [`Content`] has at offset 0, is that of any file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// How many bytes: at least one, and at most 4 KiB.
    pub len: u64,
    /// Their hash.
    pub hash: u64,
}

impl Seen {
    /// The first bytes themselves; `None` if there are none.
    pub(super) fn of(head: &[u8]) -> Option<Seen> {
        let head = &head[..head.len().min(SAMPLE)];
        (!head.is_empty()).then(|| Seen { len: head.len() as u64, hash: xxh3_64(head) })
    }

    /// Whether a file with these first bytes may be the same.
    pub(super) fn is_in(self, head: &[u8]) -> bool {
        let len = usize::try_from(self.len).unwrap_or(usize::MAX);
        head.get(..len).is_some_and(|head| xxh3_64(head) == self.hash)
    }
}

impl Content {
    /// The content of an empty stream.
    pub(super) fn empty() -> Content {
        Content { head: xxh3_64(b""), tail: xxh3_64(b"") }
    }

    /// Computes it from the bytes themselves.
    pub(super) fn of(head: &[u8], recent: &[u8]) -> Content {
        let head = &head[..head.len().min(SAMPLE)];
        let recent = &recent[recent.len().saturating_sub(SAMPLE)..];
        Content { head: xxh3_64(head), tail: xxh3_64(recent) }
    }

    /// What a plain file contains before an offset; `None` if it is shorter.
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
