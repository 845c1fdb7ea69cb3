//! Reporting what was found in a packet.

use super::packet::Packet;
use crate::engine::packet::counters::Counters;

/// The packet that is being parsed, and the receiver of what is in it.
pub(in crate::engine::packet) struct Report<'c, 'p, V> {
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
}
