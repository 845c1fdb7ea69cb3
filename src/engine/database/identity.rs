//! The identity of a database file.

use super::layout::Header;
use crate::engine::indicator::digest;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// The remedy for a database that is modified in place.
pub(super) const IN_PLACE: &str = "replace databases as `wiresift compile -o` does, or with mv, not \
                                   with cp; then run it again";

/// Identifies a file and its state, to notice that it was replaced or written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The identity of the contents, from the header.
    pub build_id: String,
    /// Size in bytes.
    pub size: u64,
    /// The device it is on.
    pub device: u64,
    /// Its number on that device.
    pub inode: u64,
    /// The last modification of its bytes, in seconds and nanoseconds.
    pub modified: (i64, i64),
    /// The last change of any kind, which programs cannot set at will.
    pub changed: (i64, i64),
}

/// Like [`Identity`], without reading the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub(super) size: u64,
    device: u64,
    inode: u64,
    pub(super) modified: (i64, i64),
    pub(super) changed: (i64, i64),
}

impl Stamp {
    /// The state of a file.
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
    /// The identity of a file with this header.
    pub(super) fn new(header: &Header, stamp: &Stamp) -> Self {
        let Stamp { size, device, inode, modified, changed } = *stamp;
        let build_id = digest::encode(&header.build_id);
        Identity { build_id, size, device, inode, modified, changed }
    }
}
