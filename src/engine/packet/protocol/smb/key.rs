//! Identifiers of open files, and their bytes in the stream.

/// Identifies an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// SMB2's identifier.
    Id([u8; 16]),
    /// SMB1's.
    Fid(u16),
    /// The request that opens it, if requests of the same compound refer to it.
    Create(u64),
}

/// Bytes of a file that follow in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sink {
    pub(super) key: Key,
    pub(super) is_read: bool,
    pub(super) at: u64,
}

/// Bytes of a file that follow in a frame without a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    pub(super) sink: Sink,
    pub(super) max: u64,
}

impl Raw {
    /// Whether a frame of that length can be the one. A write has the length of its request; a
    /// read may be shorter at the end of the file.
    pub(super) fn fits(&self, length: u64) -> bool {
        if self.sink.is_read { length <= self.max } else { length == self.max }
    }
}
