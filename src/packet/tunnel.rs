//! What travels inside of IP packets: IP again, GRE, and what is carried over UDP.
//!
//! A payload is opened where its protocol number or port announces a tunnel and
//! its header holds together; the packet inside is then decoded like any other,
//! with the outer addresses in [`Packet::tunnel`](super::Packet::tunnel). Outer
//! and inner packets are flows of their own.

mod geneve;
mod gre;
mod gtp;
mod teredo;
mod vxlan;

use super::link::{Layer, Net};
use super::transport::{Ports, Segment, UDP};
use crate::indicator::Tunnel;
use std::net::IpAddr;

const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const MPLS: u8 = 137;

/// Tunnels in each other that are followed.
const MOST_TUNNELS: usize = 8;

/// What a tunnel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inside<'a> {
    pub(super) kind: &'static str,
    /// Which of the networks between the same two ends; 0 where there is one.
    pub(super) network: u32,
    pub(super) layer: Layer,
    pub(super) data: &'a [u8],
}

/// The tunnels around a packet, outermost first.
#[derive(Debug, Default)]
pub(super) struct Tunnels {
    hops: Vec<Tunnel>,
    /// Stands for all of them, the same in both directions.
    key: u64,
}

impl Tunnels {
    pub(super) fn hops(&self) -> &[Tunnel] {
        &self.hops
    }

    /// Leaves all of them.
    pub(super) fn clear(&mut self) {
        self.hops.clear();
        self.key = 0;
    }

    /// 0 outside of tunnels.
    pub(super) fn key(&self) -> u64 {
        self.key
    }

    /// Goes into a tunnel; false if that is one too many.
    pub(super) fn enter(&mut self, src: IpAddr, dst: IpAddr, inside: &Inside<'_>) -> bool {
        if self.hops.len() >= MOST_TUNNELS {
            return false;
        }
        self.hops.push(Tunnel { kind: inside.kind, src, dst });
        let bits = |address| match address {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        let (low, high) = (bits(src).min(bits(dst)), bits(src).max(bits(dst)));
        let kind = inside.kind.bytes().fold(0, |sum: u64, byte| sum << 8 | u64::from(byte));
        let words = [low as u64, (low >> 64) as u64, high as u64, (high >> 64) as u64, kind];
        self.key = words.into_iter().chain([u64::from(inside.network)]).fold(self.key, mix).max(1);
        true
    }
}

fn mix(state: u64, word: u64) -> u64 {
    let wide = u128::from(state ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
    (wide as u64 ^ (wide >> 64) as u64).wrapping_add(0x9e37_79b9_7f4a_7c15)
}

/// Looks whether a packet is a tunnel's. `payload` is what follows its IP header.
pub(super) fn open<'a>(
    src: IpAddr,
    proto: u8,
    payload: &'a [u8],
    segment: &Segment<'a>,
) -> Option<Inside<'a>> {
    let ip = |kind, net| Inside { kind, network: 0, layer: Layer::Ip(net), data: payload };
    match proto {
        UDP => over_udp(segment),
        IPV4 => Some(ip(if src.is_ipv4() { "ipip" } else { "4in6" }, Net::V4)),
        IPV6 => Some(ip(if src.is_ipv4() { "6in4" } else { "6in6" }, Net::V6)),
        GRE => gre::open(payload),
        MPLS => Some(Inside {
            kind: "mpls",
            network: 0,
            layer: Layer::EtherType(0x8847),
            data: payload,
        }),
        _ => None,
    }
}

/// The ports that tunnels over UDP are sent to; Teredo's are sent from its own, too. 8472 is what
/// Linux used for VXLAN before its number was assigned.
const VXLAN: u16 = 4789;
const VXLAN_OF_LINUX: u16 = 8472;
const GENEVE: u16 = 6081;
const GTP: u16 = 2152;

/// Whether a UDP packet may be a tunnel's; a quick no for most that are none. `packet` begins
/// with UDP's header.
#[inline(always)]
pub(super) fn is_likely(packet: &[u8]) -> bool {
    let [s0, s1, d0, d1, _, _, _, _, rest @ ..] = packet else { return true };
    let (src, dst) = (u16::from_be_bytes([*s0, *s1]), u16::from_be_bytes([*d0, *d1]));
    let is_port = |port| matches!(port, VXLAN | VXLAN_OF_LINUX | GENEVE | GTP | teredo::PORT);
    // Between Teredo's peers any port will do; what they send is IPv6.
    is_port(dst) || src == teredo::PORT || rest.first().is_some_and(|first| first >> 4 == 6)
}

fn over_udp<'a>(segment: &Segment<'a>) -> Option<Inside<'a>> {
    let Ports::Pair(src, dst) = segment.ports else { return None };
    let data = segment.payload;
    match dst {
        VXLAN | VXLAN_OF_LINUX => vxlan::open(data),
        GENEVE => geneve::open(data),
        GTP => gtp::open(data),
        _ => teredo::open(data, src == teredo::PORT || dst == teredo::PORT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_both_ways_and_for_nothing_else() {
        let [a, b]: [IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let inside = Inside { kind: "gre", network: 0, layer: Layer::Ethernet, data: &[] };
        let key = |hops: &[(IpAddr, IpAddr, Inside<'_>)]| {
            let mut tunnels = Tunnels::default();
            assert!(hops.iter().all(|(src, dst, inside)| tunnels.enter(*src, *dst, inside)));
            (tunnels.key(), tunnels.hops().len())
        };
        assert_eq!(key(&[]), (0, 0));
        assert_eq!(key(&[(a, b, inside)]), key(&[(b, a, inside)]));
        let others = [
            key(&[(a, b, inside)]),
            key(&[(a, a, inside)]),
            key(&[(a, b, Inside { network: 1, ..inside })]),
            key(&[(a, b, Inside { kind: "vxlan", ..inside })]),
            key(&[(a, b, inside), (a, b, inside)]),
        ];
        for (at, one) in others.iter().enumerate() {
            assert!(others[at + 1..].iter().all(|other| other.0 != one.0), "{at}");
        }
        let mut deep = Tunnels::default();
        assert_eq!((0..20).filter(|_| deep.enter(a, b, &inside)).count(), MOST_TUNNELS);
    }
}
