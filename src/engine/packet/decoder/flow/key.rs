//! What distinguishes flows.

use super::PacketFacts;
use crate::engine::packet::Ports;
use crate::engine::packet::view::conversation;
use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Flow identifiers have 53 bits, because JSON numbers are exact only up to that.
const ID_BITS: u32 = 53;

/// The two ends of a flow in a canonical order, so that both directions have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The most common form: IPv4, and no tunnel that is part of the key.
    Short(Short),
    Wide(Wide),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Short {
    /// The two addresses, the low one in the upper half.
    pub(super) ends: u64,
    /// Ports of both ends, VLAN, protocol, and the kinds of addresses and ports.
    pub(super) rest: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wide {
    low: [u64; 2],
    high: [u64; 2],
    rest: u64,
    /// The tunnels, if they are part of the key; otherwise 0.
    tunnel: u64,
}

/// A secret that senders of packets do not know, so that they cannot choose flows that collide.
#[derive(Debug)]
pub(super) struct Seeds([u64; 4]);

impl Seeds {
    pub(super) fn new() -> Self {
        let random = DefaultHashBuilder::default();
        Seeds([1_u64, 2, 3, 4].map(|number| random.hash_one(number)))
    }

    #[inline(always)]
    fn end(&self, address: u64, port: u64) -> u64 {
        fold((address << 16 | port) ^ self.0[0], self.0[1])
    }

    #[inline(always)]
    fn wide_end(&self, address: [u64; 2], port: u64) -> u64 {
        self.end(fold(address[0] ^ self.0[2], address[1] ^ self.0[3]) >> 16, port)
    }

    /// The ends are added, so that the hash does not depend on the direction.
    #[inline(always)]
    fn hash(&self, ends: [u64; 2], kind: u64) -> u32 {
        fold(ends[0].wrapping_add(ends[1]) ^ kind ^ self.0[2], self.0[3]) as u32
    }

    /// The hash of a packet's key before its transport header was parsed, if it is TCP, UDP or
    /// SCTP and in no tunnel that is part of the key. `ports` are the first bytes of the
    /// transport header.
    #[inline(always)]
    pub(super) fn early(
        &self,
        src: IpAddr,
        dst: IpAddr,
        vlan: u16,
        proto: u8,
        ports: [u8; 4],
    ) -> u32 {
        let [s0, s1, d0, d1] = ports;
        let kind = kind(vlan, proto, true);
        let (src_port, dst_port) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        let (ends, flag) = match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let end = |ip: Ipv4Addr, port: u16| self.end(ip.to_bits().into(), port.into());
                ([end(src, src_port), end(dst, dst_port)], 0)
            }
            _ => {
                let end = |ip, port: u16| self.wide_end(words(ip).0, port.into());
                ([end(src, src_port), end(dst, dst_port)], IS_V6)
            }
        };
        self.hash(ends, kind | flag)
    }
}

/// Both halves of a product, combined into one word.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    wide as u64 ^ (wide >> 64) as u64
}

#[inline(always)]
fn kind(vlan: u16, proto: u8, has_ports: bool) -> u64 {
    let flags = if has_ports { HAS_PORTS } else { 0 };
    u64::from(vlan) << 16 | u64::from(proto) << 8 | flags
}

/// Flags in the part of a key without the addresses.
const IS_V6: u64 = 1;
const HAS_PORTS: u64 = 2;

impl Key {
    /// The key, and whether the packet travels from the low end to the high one.
    #[inline(always)]
    pub(super) fn new(facts: &PacketFacts) -> (Key, bool) {
        let ports = match facts.ports {
            Ports::Pair(src, dst) => Some((src, dst)),
            other => conversation(facts.proto, other),
        };
        let kind = kind(facts.vlan, facts.proto, ports.is_some());
        let (src_port, dst_port) = ports.map_or((0, 0), |(src, dst)| (src.into(), dst.into()));
        let rest = |low_port: u64, high_port: u64| low_port << 48 | high_port << 32 | kind;
        if let (IpAddr::V4(src), IpAddr::V4(dst), 0) = (facts.src, facts.dst, facts.tunnel) {
            let src = u64::from(src.to_bits()) << 16 | src_port;
            let dst = u64::from(dst.to_bits()) << 16 | dst_port;
            let (low, high) = (src.min(dst), src.max(dst));
            let ends = (low >> 16) << 32 | high >> 16;
            let short = Short { ends, rest: rest(low & 0xffff, high & 0xffff) };
            return (Key::Short(short), src <= dst);
        }
        let (src, is_v6) = words(facts.src);
        let (dst, _) = words(facts.dst);
        let is_forward = (src, src_port) <= (dst, dst_port);
        let (low, high) = if is_forward { (src, dst) } else { (dst, src) };
        let ports = if is_forward { rest(src_port, dst_port) } else { rest(dst_port, src_port) };
        let rest = ports | if is_v6 { IS_V6 } else { 0 };
        (Key::Wide(Wide { low, high, rest, tunnel: facts.tunnel }), is_forward)
    }

    /// Its hash; only this half is used.
    #[inline(always)]
    pub(super) fn hash(&self, seeds: &Seeds) -> u32 {
        let (Key::Short(Short { rest, .. }) | Key::Wide(Wide { rest, .. })) = self;
        let (low_port, high_port) = (rest >> 48, rest >> 32 & 0xffff);
        match self {
            Key::Short(Short { ends, rest }) => {
                let ends =
                    [seeds.end(ends >> 32, low_port), seeds.end(ends & 0xffff_ffff, high_port)];
                seeds.hash(ends, rest & 0xffff_ffff)
            }
            Key::Wide(Wide { low, high, rest, tunnel }) => {
                let ends = [seeds.wide_end(*low, low_port), seeds.wide_end(*high, high_port)];
                seeds.hash(ends, rest & 0xffff_ffff ^ tunnel)
            }
        }
    }

    /// The complete key, in one form for all.
    pub(super) fn wide(&self) -> Wide {
        match *self {
            Key::Short(Short { ends, rest }) => {
                Wide { low: [0, ends >> 32], high: [0, ends & 0xffff_ffff], rest, tunnel: 0 }
            }
            Key::Wide(wide) => wide,
        }
    }

    /// The flow's identifier: the same for the same key and first packet, in any run.
    pub(super) fn id(&self, first: u64) -> u64 {
        let Wide { low, high, rest, tunnel } = self.wide();
        let words = [low[0], low[1], high[0], high[1], rest ^ tunnel, first];
        let mixed = words.into_iter().fold(0x9e37_79b9_7f4a_7c15, |state: u64, word| {
            let wide = u128::from(state ^ word) * 0xd6e8_feb8_6659_fd93;
            (wide as u64 ^ (wide >> 64) as u64).wrapping_add(0x9e37_79b9_7f4a_7c15)
        });
        (mixed >> (u64::BITS - ID_BITS)).max(1)
    }
}

impl Short {
    /// A `rest` that no short key has: that of IPv6 addresses.
    pub(super) const NONE: u64 = IS_V6;
}

impl Wide {
    pub(super) fn proto(&self) -> u8 {
        (self.rest >> 8) as u8
    }

    /// Ports of client and server.
    pub(super) fn ports(&self, is_client_low: bool) -> Option<(u16, u16)> {
        let (low, high) = ((self.rest >> 48) as u16, (self.rest >> 32) as u16);
        let ports = if is_client_low { (low, high) } else { (high, low) };
        (self.rest & HAS_PORTS != 0).then_some(ports)
    }

    /// Addresses of client and server.
    pub(super) fn addresses(&self, is_client_low: bool) -> (IpAddr, IpAddr) {
        let (low, high) = (self.address(self.low), self.address(self.high));
        if is_client_low { (low, high) } else { (high, low) }
    }

    fn address(&self, words: [u64; 2]) -> IpAddr {
        if self.rest & IS_V6 == 0 {
            return IpAddr::V4(Ipv4Addr::from_bits(words[1] as u32));
        }
        IpAddr::V6(Ipv6Addr::from_bits(u128::from(words[0]) << 64 | u128::from(words[1])))
    }
}

fn words(address: IpAddr) -> ([u64; 2], bool) {
    match address {
        IpAddr::V4(address) => ([0, u64::from(address.to_bits())], false),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            ([(bits >> 64) as u64, bits as u64], true)
        }
    }
}
