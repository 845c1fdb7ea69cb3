//! Who is told what was found, and by which packet.

use super::packet::Packet;
use crate::engine::packet::counters::Counters;

/// The packet whose bytes are being read, and who is told what is in them.
pub(in crate::engine::packet) struct Report<'c, 'p, V> {
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
}
