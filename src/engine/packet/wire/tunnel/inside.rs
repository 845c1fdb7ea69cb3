//! The payload of a tunnel, and the protocol numbers of tunnels directly over IP.

use crate::engine::packet::wire::ip;
use crate::engine::packet::wire::link::{self, Layer, Tags};

pub(in crate::engine::packet::wire) const IPV4: u8 = 4;
pub(in crate::engine::packet::wire) const IPV6: u8 = 41;
pub(in crate::engine::packet::wire) const GRE: u8 = 47;
pub(in crate::engine::packet) const ESP: u8 = 50;
/// IP in IP as in KA9Q.
pub(in crate::engine::packet::wire) const KA9Q: u8 = 94;
pub(in crate::engine::packet::wire) const ETHERIP: u8 = 97;
pub(in crate::engine::packet::wire) const PIM: u8 = 103;
pub(in crate::engine::packet::wire) const L2TP_IP: u8 = 115;
pub(in crate::engine::packet::wire) const MPLS: u8 = 137;
pub(in crate::engine::packet::wire) const ETHERNET: u8 = 143;
pub(in crate::engine::packet::wire) const WESP: u8 = 141;
pub(in crate::engine::packet::wire) const NSH: u8 = 145;

/// The payload of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) struct Inside<'a> {
    pub(in crate::engine::packet) kind: &'static str,
    /// Identifies one of several networks between the same two ends; 0 if there is only one.
    pub(in crate::engine::packet) network: u32,
    pub(in crate::engine::packet) layer: Layer,
    pub(in crate::engine::packet) data: &'a [u8],
}

/// The payload, if it is certainly a packet.
pub(in crate::engine::packet) fn certain(inside: Inside<'_>) -> Option<Inside<'_>> {
    let tags = &mut Tags::default();
    let (net, packet) = link::descend(inside.layer, inside.data, tags, &mut None).ok()?;
    ip::is_certain(net, packet).then_some(inside)
}
