//! What a parser may use, besides the bytes that it reads.

use super::expectations::Expectations;
use crate::engine::packet::counters::Counters;
use crate::engine::packet::payload::coding::InflateBudget;
use crate::engine::packet::payload::ranges::Ranges;
use crate::engine::packet::view::{Packet, Report};

/// What a parser needs to report what it finds.
pub(in crate::engine::packet) struct ParseContext<'c, 'p, V> {
    /// The packet whose bytes are being read.
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
    /// Scratch space for assembled URLs.
    pub(in crate::engine::packet) url: &'c mut Vec<u8>,
    /// Connections announced by other connections.
    pub(in crate::engine::packet) announced: &'c mut Expectations,
    /// Files that arrive in ranges.
    pub(in crate::engine::packet) ranges: &'c mut Ranges,
    /// How much may be decompressed.
    pub(in crate::engine::packet) budget: &'c InflateBudget,
    /// Whether data of unknown protocols is reported as text.
    pub(in crate::engine::packet) reads_unknown: bool,
    /// Whether the stream's first byte is known.
    pub(in crate::engine::packet) is_synced: bool,
    /// Whether the direction ended as its sender intended: with a FIN, and without missing bytes
    /// before it.
    pub(in crate::engine::packet) is_ended: bool,
}

impl<'c, 'p, V> ParseContext<'c, 'p, V> {
    pub(in crate::engine::packet) fn new(
        packet: &'c Packet<'p>,
        visitor: &'c mut V,
        counters: &'c mut Counters,
        shared: &'c mut Shared,
    ) -> Self {
        let Shared { url, announced, ranges, budget, reads_unknown } = shared;
        ParseContext {
            packet,
            visitor,
            counters,
            url,
            announced,
            ranges,
            budget,
            reads_unknown: *reads_unknown,
            is_synced: false,
            is_ended: false,
        }
    }

    /// For code that only reports what it finds.
    pub(in crate::engine::packet) fn report(&mut self) -> Report<'_, 'p, V> {
        Report { packet: self.packet, visitor: self.visitor, counters: self.counters }
    }
}

/// A packet, and what its stream may use to parse and report it; without the state of the stream
/// itself.
pub(in crate::engine::packet) struct StreamContext<'c, 'p, V> {
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
    pub(in crate::engine::packet) shared: &'c mut Shared,
}

/// What all streams of a decoder share.
#[derive(Debug)]
pub(in crate::engine::packet) struct Shared {
    /// Scratch space for assembled URLs.
    pub(in crate::engine::packet) url: Vec<u8>,
    /// Connections announced by other connections.
    pub(in crate::engine::packet) announced: Expectations,
    /// Files that arrive in ranges.
    pub(in crate::engine::packet) ranges: Ranges,
    /// How much may be decompressed.
    pub(in crate::engine::packet) budget: InflateBudget,
    /// Whether data of unknown protocols is reported as text.
    pub(in crate::engine::packet) reads_unknown: bool,
}

impl Shared {
    /// `max_bytes` is the bound for files that arrive in ranges.
    pub(in crate::engine::packet) fn new(max_bytes: usize, reads_unknown: bool) -> Self {
        Shared {
            url: Vec::new(),
            announced: Expectations::default(),
            ranges: Ranges::new(max_bytes),
            budget: InflateBudget::default(),
            reads_unknown,
        }
    }
}
