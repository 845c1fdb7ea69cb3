//! What follows a header.

use crate::engine::packet::bytes::be16;
use crate::engine::packet::counters::Fault;

/// Smaller EtherTypes are IEEE 802.3 lengths.
pub(super) const FIRST_ETHERTYPE: u16 = 0x600;

/// How an IP packet was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Net {
    V4,
    V6,
    /// Not at all: its first nibble decides.
    Either,
}

/// The next header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Layer {
    Ip(Net),
    Ethernet,
    /// The protocol of this EtherType.
    EtherType(u16),
    Ppp,
    /// The header of this link type: another header names it.
    Link(u32),
    Llc,
    FrameRelay,
    /// An 802.11 frame without a radio header; whether the two bytes of its control field are
    /// swapped, as some controllers send them.
    Wireless(bool),
    /// Consecutive subframes of an 802.11 aggregate.
    Aggregate,
}

/// A header whose last two bytes, at `at`, are the EtherType.
pub(super) fn typed(data: &[u8], at: usize) -> Result<(Layer, &[u8]), Fault> {
    let kind = be16(data, at).ok_or(Fault::LinkCut)?;
    Ok((Layer::EtherType(kind), data.get(at + 2..).ok_or(Fault::LinkCut)?))
}
