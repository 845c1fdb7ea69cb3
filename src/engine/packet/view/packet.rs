//! A decoded packet in its flow.
//!
//! It is borrowed or small and lives on the stack. The owned [`PacketPlace`] is built by
//! [`Packet::place`], once there is a hit.

use super::community::community_id;
use super::facts::ProtocolFacts;
use super::ports::Ports;
use crate::engine::indicator::{self, PacketPlace, Timestamp, Tunnel};
use std::net::IpAddr;
use std::sync::Arc;

/// A decoded packet in its flow.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Number of the frame.
    pub number: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// Whether that is in the capture. Otherwise it is when the packet was read.
    pub is_timed: bool,
    /// Length of the frame on the wire, in bytes.
    pub length: u32,
    /// Source address, as it was sent.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// IP protocol number.
    pub proto: u8,
    /// Ports, or ICMP type and code.
    pub ports: Ports,
    /// VLAN identifiers, outermost first.
    pub vlan: &'a [u16],
    /// The tunnels that the packet came in, outermost first.
    pub tunnel: &'a [Tunnel],
    /// Identifier of the flow: the same in every run over the same packets.
    pub flow_id: u64,
    /// Whether it travels to the side that did not open the flow.
    pub to_server: bool,
    /// Totals of the flow, this packet included.
    pub totals: indicator::Flow,
}

impl Packet<'_> {
    /// The place of a hit, with `path` the capture's path or the interface's name.
    pub fn place(
        &self,
        path: &Arc<str>,
        is_live: bool,
        protocol_facts: ProtocolFacts<'_>,
    ) -> PacketPlace {
        let (src_port, dst_port) = match self.ports {
            Ports::Pair(src, dst) => (Some(src), Some(dst)),
            Ports::None | Ports::Icmp(..) => (None, None),
        };
        PacketPlace {
            path: Arc::clone(path),
            is_live,
            number: self.number,
            length: self.length,
            time: self.time,
            is_timed: self.is_timed,
            src: Some(self.src),
            dst: Some(self.dst),
            src_port,
            dst_port,
            proto: self.proto,
            to_server: Some(self.to_server),
            flow_id: self.flow_id,
            community_id: Some(community_id(self.src, self.dst, self.proto, self.ports)),
            vlan: self.vlan.to_vec(),
            tunnel: self.tunnel.to_vec(),
            flow: Some(self.totals),
            protocol: protocol_facts.protocol(),
            nth: 0,
        }
    }
}
