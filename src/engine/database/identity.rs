//! The identity of a database file.

use super::layout::Header;
use crate::engine::indicator::digest;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// What to do about a database that somebody writes into.
pub(super) const IN_PLACE: &str = "put a new database in place as `wiresift compile -o` does, or with mv, and \
                        not with cp; then run it again";

/// What tells one file from another, and from what it was before it was written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Identity of the contents, as the header says.
    pub build_id: String,
    /// Size in bytes.
    pub size: u64,
    /// Device that it is on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// When its bytes were last changed: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// When anything about it was, which no program can set at will.
    pub changed: (i64, i64),
}

/// The same without a look into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub(super) size: u64,
    device: u64,
    inode: u64,
    pub(super) modified: (i64, i64),
    pub(super) changed: (i64, i64),
}

impl Stamp {
    /// That of a file.
    pub fn of(metadata: &Metadata) -> Self {
        Stamp {
            size: metadata.size(),
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Identity {
    /// That of a file with this header.
    pub(super) fn new(header: &Header, stamp: &Stamp) -> Self {
        let Stamp { size, device, inode, modified, changed } = *stamp;
        let build_id = digest::encode(&header.build_id);
        Identity { build_id, size, device, inode, modified, changed }
    }
}
