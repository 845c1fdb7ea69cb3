//! The parts of a capture: records and blocks, and the packets and texts in them.

use super::endian::Endian;
use crate::Error;
use crate::engine::progress::bound;
use std::ops::Range;

/// The maximum length of a record or block, which limits the memory for captures from a pipe. Files
/// must not exceed it either, so that both are read alike.
pub(super) const MAX_RECORD: usize = bound(64 << 20, 4096);

/// One packet of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Counted from 1, as in Wireshark.
    pub number: u64,
    /// Microseconds since 1970-01-01T00:00:00Z. If [`is_timed`](Self::is_timed) is not set, that of
    /// the packet before it, or 0.
    pub time: i64,
    /// Whether it has its own time: a simple packet block has none, and 0 counts as none.
    pub is_timed: bool,
    /// The LINKTYPE_ of the interface, in the tcpdump group's numbering.
    pub linktype: u32,
    /// The captured bytes: all of the packet, or the first part.
    pub data: &'a [u8],
    /// Length on the wire in bytes; never less than that of `data`.
    pub length: u32,
    /// Index of the interface within its section; 0 in classic files.
    pub interface: u32,
}

/// A record or block at the beginning of the rest of a file.
#[derive(Debug)]
pub(super) struct Item {
    /// Its length. The padding of the last one may be missing.
    pub(super) length: usize,
    pub(super) found: Option<Found>,
    /// Text that it contains in addition to the packet, or instead of one.
    pub(super) note: Option<Found>,
}

impl Item {
    pub(super) fn new(length: usize, found: Option<Found>) -> Item {
        Item { length, found, note: None }
    }
}

/// What an item contains instead of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A systemd journal entry.
    Journal,
    /// Names of addresses.
    Names(Endian),
    /// Comments, in options that begin at this byte of the block.
    Options(Endian, u32),
}

/// A packet in an item.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) time: i64,
    pub(super) is_timed: bool,
    /// Set for a text, whose block is the data.
    pub(super) written: Option<Written>,
    pub(super) linktype: u32,
    /// The range of its bytes in the item.
    pub(super) data: Range<usize>,
    pub(super) length: u32,
    pub(super) interface: u32,
}

impl Found {
    /// Whether it has its own number.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self.written, None | Some(Written::Journal))
    }

    /// The same, in a buffer in which `before` bytes precede the item.
    pub(super) fn after(mut self, before: usize) -> Found {
        self.data = self.data.start + before..self.data.end + before;
        self
    }

    pub(super) fn packet<'a>(&self, item: &'a [u8], number: u64) -> Packet<'a> {
        Packet {
            number,
            time: self.time,
            is_timed: self.is_timed,
            linktype: self.linktype,
            data: item.get(self.data.clone()).unwrap_or_default(),
            length: self.length,
            interface: self.interface,
        }
    }
}

/// Why an item could not be read.
#[derive(Debug)]
pub(super) enum Stop {
    /// The bytes end within `what`, which has at least as many bytes as it `needs`.
    Short {
        what: &'static str,
        needs: usize,
    },
    Damaged(String),
    /// A link type in the format's own numbering that is not decoded.
    UnknownLink(&'static str, u32),
}

impl Stop {
    /// The error about the item at `offset`, after which nothing follows.
    pub(super) fn error(self, offset: u64) -> Error {
        let text = match self {
            Stop::UnknownLink(format, number) => {
                let what = format!("link type {number} of {format} is not decoded");
                return Error::format(what).at_offset(offset).remedy("its packets were not read");
            }
            Stop::Short { what, .. } => format!("the capture is cut short in {what}"),
            Stop::Damaged(what) => format!("the capture is damaged: {what}"),
        };
        Error::format(text).at_offset(offset).remedy("the packets before it were read")
    }
}
