//! What a parser may use, beside the bytes that it reads.

use super::expectations::Expectations;
use crate::engine::packet::counters::Counters;
use crate::engine::packet::payload::coding::InflateBudget;
use crate::engine::packet::payload::ranges::Ranges;
use crate::engine::packet::view::{Packet, Report};

/// What a parser needs to tell what it finds.
pub(in crate::engine::packet) struct ParseContext<'c, 'p, V> {
    /// The packet whose bytes are being read.
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
    /// Scratch for URLs that are put together.
    pub(in crate::engine::packet) url: &'c mut Vec<u8>,
    /// Connections that others announced.
    pub(in crate::engine::packet) announced: &'c mut Expectations,
    /// The files that come in ranges.
    pub(in crate::engine::packet) ranges: &'c mut Ranges,
    /// What may be unpacked.
    pub(in crate::engine::packet) credit: &'c InflateBudget,
    /// Whether what is of no known protocol is shown as text.
    pub(in crate::engine::packet) reads_unknown: bool,
    /// Whether the stream's first byte is known.
    pub(in crate::engine::packet) is_synced: bool,
    /// Whether the direction has ended as its sender meant it: with a FIN, and every
    /// byte before it was there.
    pub(in crate::engine::packet) is_ended: bool,
}

impl<'c, 'p, V> ParseContext<'c, 'p, V> {
    pub(in crate::engine::packet) fn new(
        packet: &'c Packet<'p>,
        visitor: &'c mut V,
        counters: &'c mut Counters,
        shared: &'c mut Shared,
    ) -> Self {
        let Shared { url, announced, ranges, credit, reads_unknown } = shared;
        ParseContext {
            packet,
            visitor,
            counters,
            url,
            announced,
            ranges,
            credit,
            reads_unknown: *reads_unknown,
            is_synced: false,
            is_ended: false,
        }
    }

    /// For what tells of its findings, and needs nothing else.
    pub(in crate::engine::packet) fn report(&mut self) -> Report<'_, 'p, V> {
        Report { packet: self.packet, visitor: self.visitor, counters: self.counters }
    }
}

/// A packet, and what its stream may use and tells; without what is of the stream alone.
pub(in crate::engine::packet) struct StreamContext<'c, 'p, V> {
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
    pub(in crate::engine::packet) shared: &'c mut Shared,
}

/// What all streams of a decoder share.
#[derive(Debug)]
pub(in crate::engine::packet) struct Shared {
    /// Scratch for URLs that are put together.
    pub(in crate::engine::packet) url: Vec<u8>,
    /// Connections that others announced.
    pub(in crate::engine::packet) announced: Expectations,
    /// Files that come in ranges.
    pub(in crate::engine::packet) ranges: Ranges,
    /// What may be unpacked.
    pub(in crate::engine::packet) credit: InflateBudget,
    /// Whether what is of no known protocol is shown as text.
    pub(in crate::engine::packet) reads_unknown: bool,
}

impl Shared {
    /// `most_bytes` are for the files that come in ranges.
    pub(in crate::engine::packet) fn new(most_bytes: usize, reads_unknown: bool) -> Self {
        Shared {
            url: Vec::new(),
            announced: Expectations::default(),
            ranges: Ranges::new(most_bytes),
            credit: InflateBudget::default(),
            reads_unknown,
        }
    }
}
