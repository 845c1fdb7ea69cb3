//! What distinguishes the conversations of two hosts.

/// Protocol numbers of IP.
pub(in crate::engine::packet) const ICMP: u8 = 1;
pub(in crate::engine::packet) const TCP: u8 = 6;
pub(in crate::engine::packet) const UDP: u8 = 17;
pub(in crate::engine::packet) const ICMPV6: u8 = 58;
pub(in crate::engine::packet) const SCTP: u8 = 132;

/// What distinguishes the conversations of two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ports {
    /// Nothing: another protocol, or a packet whose ports could not be read.
    None,
    /// Source and destination port of TCP, UDP or SCTP.
    Pair(u16, u16),
    /// Type and code of ICMP or ICMPv6.
    Icmp(u8, u8),
}
