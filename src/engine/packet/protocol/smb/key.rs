//! What names an open file, and bytes of one that follow.

/// What names an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// SMB2's identifier.
    Id([u8; 16]),
    /// SMB1's.
    Fid(u16),
    /// The request that opens it, where others go with it.
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
    pub(super) most: u64,
}

impl Raw {
    /// Whether a frame of that length can be the one. What is written has its length from the
    /// request; of what is read the end of the file may come sooner.
    pub(super) fn fits(&self, length: u64) -> bool {
        if self.sink.is_read { length <= self.most } else { length == self.most }
    }
}
