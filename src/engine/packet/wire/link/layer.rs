//! What a header is followed by.

use crate::engine::packet::bytes::be16;
use crate::engine::packet::counters::Fault;

/// EtherTypes below are lengths of IEEE 802.3.
pub(super) const FIRST_ETHERTYPE: u16 = 0x600;

/// What an IP packet was announced as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Net {
    V4,
    V6,
    /// By nobody: its first nibble decides.
    Either,
}

/// What the next header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Layer {
    Ip(Net),
    Ethernet,
    /// Whatever this EtherType stands for.
    EtherType(u16),
    Ppp,
    /// What this link type puts in front: a header inside of another one names it.
    Link(u32),
    Llc,
    FrameRelay,
    /// An 802.11 frame without a radio's header; whether the two bytes of its control are
    /// the wrong way about, as some controllers send them.
    Wireless(bool),
    /// Subframes of 802.11's aggregates, one after the other.
    Aggregate,
}

/// A header whose EtherType stands in its last two bytes, at `at`.
pub(super) fn typed(data: &[u8], at: usize) -> Result<(Layer, &[u8]), Fault> {
    let kind = be16(data, at).ok_or(Fault::LinkCut)?;
    Ok((Layer::EtherType(kind), data.get(at + 2..).ok_or(Fault::LinkCut)?))
}
