//! Payloads of IP packets that contain packets: IP again, GRE, and tunnels over UDP.
//!
//! A payload is opened if its protocol number or port indicates a tunnel and its header is valid,
//! or if it certainly leads to a packet, whatever the port; the packet inside is then decoded
//! like any other, with the outer addresses in
//! [`Packet::tunnel`](crate::engine::packet::Packet::tunnel). Outer and inner packets belong to
//! separate flows.

mod capwap;
mod esp;
mod geneve;
mod gre;
mod gtp;
mod inside;
mod l2tp;
mod minimal;
mod mirror;
mod overlay;
mod teredo;
mod tzsp;
mod vxlan;

pub(in crate::engine::packet) use esp::transport as esp_transport;
pub(in crate::engine::packet) use inside::{ESP, Inside};
pub(in crate::engine::packet) use minimal::{MINIMAL, Minimal, open as open_minimal};

use super::link::{Layer, Net};
use super::transport::{Segment, UDP};
use crate::engine::indicator::Tunnel;
use crate::engine::packet::view::Ports;
use crate::engine::progress::bound;
use inside::{ETHERIP, ETHERNET, GRE, IPV4, IPV6, KA9Q, L2TP_IP, MPLS, NSH, PIM, WESP, certain};
use std::net::IpAddr;

/// Nested tunnels that are followed.
const MAX_TUNNELS: usize = bound(8, 3);

/// The tunnels around a packet, outermost first.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Tunnels {
    hops: Vec<Tunnel>,
    /// Combines all of them, the same in both directions.
    key: u64,
}

impl Tunnels {
    pub(in crate::engine::packet) fn hops(&self) -> &[Tunnel] {
        &self.hops
    }

    /// Leaves all of them.
    pub(in crate::engine::packet) fn clear(&mut self) {
        self.hops.clear();
        self.key = 0;
    }

    /// 0 outside tunnels.
    pub(in crate::engine::packet) fn key(&self) -> u64 {
        self.key
    }

    /// The current depth, for [`Self::leave`].
    pub(in crate::engine::packet) fn depth(&self) -> (usize, u64) {
        (self.hops.len(), self.key)
    }

    /// Leaves the tunnels that were entered since.
    pub(in crate::engine::packet) fn leave(&mut self, (depth, key): (usize, u64)) {
        self.hops.truncate(depth);
        self.key = key;
    }

    /// Enters a tunnel; false if that is one too many.
    pub(in crate::engine::packet) fn enter(
        &mut self,
        src: IpAddr,
        dst: IpAddr,
        inside: &Inside<'_>,
    ) -> bool {
        if self.hops.len() >= MAX_TUNNELS {
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

/// Opens a packet if it is a tunnel's. `payload` is what follows its IP header.
pub(in crate::engine::packet) fn open<'a>(
    src: IpAddr,
    proto: u8,
    payload: &'a [u8],
    segment: &Segment<'a>,
) -> Option<Inside<'a>> {
    let inside = |kind, layer, data| Inside { kind, network: 0, layer, data };
    match proto {
        UDP => over_udp(segment),
        IPV4 | KA9Q => {
            let kind = if src.is_ipv4() { "ipip" } else { "4in6" };
            Some(inside(kind, Layer::Ip(Net::V4), payload))
        }
        IPV6 => {
            let kind = if src.is_ipv4() { "6in4" } else { "6in6" };
            Some(inside(kind, Layer::Ip(Net::V6), payload))
        }
        GRE => gre::open(payload),
        ESP => esp::open(payload),
        // RFC 5840, 2: four bytes, or eight in IPv6, which describe the payload.
        WESP => [4, 8].iter().find_map(|&at| esp::open(payload.get(at..)?)),
        L2TP_IP => l2tp::open_ip(payload),
        MPLS => Some(inside("mpls", Layer::EtherType(0x8847), payload)),
        // RFC 3378: version 3, then a frame. RFC 8986 (segment routing) has no header.
        ETHERIP if payload.first()? >> 4 == 3 => {
            Some(inside("etherip", Layer::Ethernet, payload.get(2..)?))
        }
        ETHERNET => Some(inside("ethernet", Layer::Ethernet, payload)),
        NSH => Some(inside("nsh", Layer::EtherType(0x894f), payload)),
        // RFC 7761: a router registers a sender with a packet of that sender.
        PIM if payload.first() == Some(&0x21) => {
            certain(inside("pim", Layer::Ip(Net::Either), payload.get(8..)?))
        }
        _ => None,
    }
}

/// The destination ports of tunnels over UDP. Linux used 8472 for VXLAN before its port was
/// assigned.
const VXLAN: u16 = 4789;
const VXLAN_OF_LINUX: u16 = 8472;
const VXLAN_GENERIC: u16 = 4790;
const GENEVE: u16 = 6081;
const GTP: u16 = 2152;
const GTP_OLD: u16 = 3386;
const LISP: u16 = 4341;
const LISP_CONTROL: u16 = 4342;
const GRE_IN_UDP: u16 = 4754;
const GUE: u16 = 6080;
const MPLS_IN_UDP: u16 = 6635;
const TZSP: u16 = 37008;

/// Those that are also source ports, besides Teredo's.
const L2TP: u16 = 1701;
const ESP_IN_UDP: u16 = 4500;
const AYIYA: u16 = 5072;
const CAPWAP: u16 = 5247;
const LWAPP: u16 = 12222;
const AMT: u16 = 2268;

/// Whether a UDP packet may be a tunnel's; a quick test that rejects most others. `packet` begins
/// with UDP's header.
#[inline(always)]
pub(in crate::engine::packet) fn is_likely(packet: &[u8]) -> bool {
    let [s0, s1, d0, d1, _, _, _, _, rest @ ..] = packet else { return true };
    let (src, dst) = (u16::from_be_bytes([*s0, *s1]), u16::from_be_bytes([*d0, *d1]));
    let is_either =
        |port| matches!(port, L2TP | teredo::PORT | ESP_IN_UDP | AYIYA | CAPWAP | LWAPP | AMT);
    let is_target = matches!(
        dst,
        VXLAN
            | VXLAN_OF_LINUX
            | VXLAN_GENERIC
            | GENEVE
            | GTP
            | GTP_OLD
            | LISP
            | LISP_CONTROL
            | GRE_IN_UDP
            | GUE
            | MPLS_IN_UDP
            | TZSP
            | mirror::PEEK
            | mirror::ARUBA
            | mirror::HP
            | mirror::JUNIPER
    );
    is_target || is_either(dst) || is_either(src) || may_begin(rest)
}

/// Whether a payload begins like a tunnel's on another port than its own: IP, VXLAN, TZSP, GTP,
/// L2TP, GENEVE, GRE. Teredo peers may use any port.
#[inline(always)]
fn may_begin(payload: &[u8]) -> bool {
    matches!(
        payload,
        [0x45 | 0x60..=0x6f, ..]
            | [8, 0, 0, 0, ..]
            | [1, 0 | 1, 0, 1 | 18, ..]
            | [0x30..=0x37, 0xff, ..]
            | [0 | 2 | 8 | 0x40 | 0x42 | 0x48 | 0x4a, 2, ..]
            | [0..=0x3f, 0, 0x65, 0x58, ..]
            | [0 | 0x20 | 0x30 | 0x80 | 0xa0 | 0xb0, 0, 8, 0, ..]
    )
}

fn over_udp<'a>(segment: &Segment<'a>) -> Option<Inside<'a>> {
    let Ports::Pair(src, dst) = segment.ports else { return None };
    let data = segment.payload;
    let is = |port| src == port || dst == port;
    let own = match dst {
        VXLAN | VXLAN_OF_LINUX => {
            let generic = vxlan::open_generic(data).filter(|_| vxlan::is_generic(data));
            return generic.and_then(certain).or_else(|| vxlan::open(data));
        }
        GENEVE => return geneve::open(data),
        GTP => return gtp::open(data),
        GTP_OLD => gtp::open(data),
        VXLAN_GENERIC => vxlan::open_generic(data),
        LISP => overlay::open_lisp(data),
        LISP_CONTROL => overlay::open_lisp_control(data),
        GRE_IN_UDP => gre::open(data),
        GUE => overlay::open_gue(data),
        MPLS_IN_UDP => Some(labelled(data)),
        TZSP => tzsp::open(data),
        mirror::PEEK | mirror::ARUBA | mirror::HP | mirror::JUNIPER => mirror::open(dst, data),
        _ if is(L2TP) => l2tp::open(data),
        _ if is(CAPWAP) => capwap::open(data),
        _ if is(LWAPP) => capwap::open_lwapp(data),
        _ if is(AMT) => overlay::open_amt(data),
        _ if is(AYIYA) => overlay::open_ayiya(data),
        _ if is(ESP_IN_UDP) => esp::open(data),
        _ => None,
    };
    // Other protocols may use these ports, too.
    own.and_then(certain).or_else(|| anywhere(data, is(teredo::PORT)))
}

fn labelled(data: &[u8]) -> Inside<'_> {
    Inside { kind: "mpls", network: 0, layer: Layer::EtherType(0x8847), data }
}

/// Whether this may be an IPv6 packet from its first to its last byte, with at least a UDP header
/// in it.
fn is_exact_v6(data: &[u8]) -> bool {
    // The headers of IPv6 and of UDP.
    const LEAST: usize = 40 + 8;
    data.len() >= LEAST
        && data[0] >> 4 == 6
        && usize::from(u16::from_be_bytes([data[4], data[5]])) + 40 == data.len()
}

/// Opens a payload of any port, if it is certainly a tunnel's.
fn anywhere(data: &[u8], is_teredo: bool) -> Option<Inside<'_>> {
    if let Some(inside) = teredo::open(data, is_teredo) {
        return Some(inside);
    }
    if !may_begin(data) {
        return None;
    }
    let bare = Inside { kind: "fou", network: 0, layer: Layer::Ip(Net::V4), data };
    let is_exact = data.first() == Some(&0x45)
        && data.get(2..4).is_some_and(|total| {
            usize::from(u16::from_be_bytes([total[0], total[1]])) == data.len()
        });
    let bare_v6 = Inside { layer: Layer::Ip(Net::V6), ..bare };
    let opened = [
        Some(bare).filter(|_| is_exact),
        Some(bare_v6).filter(|_| is_exact_v6(data)),
        vxlan::open(data),
        tzsp::open(data),
        gtp::open(data),
        l2tp::open(data),
        geneve::open(data),
        gre::open(data),
    ];
    opened.into_iter().flatten().find_map(certain)
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests {
    use super::*;

    /// A packet that is certain.
    pub(in crate::engine::packet) fn packet() -> Vec<u8> {
        let mut packet =
            vec![0x45, 0, 0, 32, 0, 0, 0, 0, 64, UDP, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        packet.extend([0x9c, 0x40, 0x10, 0, 0, 12, 0, 0, 1, 2, 3, 4]);
        let words =
            packet.chunks(2).take(10).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
        let sum: u32 = words.sum();
        let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet
    }

    pub(in crate::engine::packet) fn ethernet() -> Vec<u8> {
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..], &packet()].concat()
    }

    #[test]
    fn ipv6_in_udp_of_any_port() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 8, UDP, 64];
        packet.extend([0x20, 1, 0xd, 0xb8].iter().chain(&[0; 12]));
        packet.extend([0x20, 1, 0xd, 0xb8].iter().chain(&[1; 12]));
        packet.extend([0x9c, 0x40, 0, 53, 0, 8, 0, 0]);
        assert_eq!(anywhere(&packet, false).map(|inside| inside.kind), Some("fou"));
        assert_eq!(anywhere(&packet[..47], false), None);
        assert_eq!(anywhere(&[&packet[..], b"x"].concat(), false), None);
        // Hops, next header, each address.
        for (at, wrong) in [(7, 0), (6, 200), (8, 0x50), (24, 0x50), (5, 9)] {
            let mut other = packet.clone();
            other[at] = wrong;
            assert_eq!(anywhere(&other, false), None, "{at}");
        }
    }

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
        assert_eq!((0..20).filter(|_| deep.enter(a, b, &inside)).count(), MAX_TUNNELS);
    }
}
