//! The input of the decoder, and the place of packets in it.

use crate::engine::indicator::Timestamp;

/// A frame as it was captured: the input of the decoder.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// From 1, as Wireshark counts.
    pub number: u64,
    /// When it was captured. The decoder has no other clock.
    pub time: Timestamp,
    /// Whether that is in the capture. Otherwise it is when the frame was read.
    pub is_timed: bool,
    /// The LINKTYPE_ of the interface.
    pub linktype: u32,
    /// Length on the wire, in bytes.
    pub length: u32,
    /// What was captured of it.
    pub data: &'a [u8],
}

/// A packet's place in its capture: by its frame, then from the outermost tunnel inwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order(u64);

impl Order {
    /// Bits for the tunnel depth.
    const DEPTH: u32 = 4;

    /// The place after everything in the frame of this number.
    pub fn after(number: u64) -> Order {
        Order::new(number, usize::MAX)
    }

    /// The place of a packet in `depth` tunnels in the frame of this number.
    pub(in crate::engine::packet) fn new(number: u64, depth: usize) -> Order {
        Order(number << Self::DEPTH | depth as u64 & ((1 << Self::DEPTH) - 1))
    }
}
