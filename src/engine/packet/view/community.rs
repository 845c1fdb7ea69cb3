//! Community ID version 1: one name for a flow that all tools compute alike.
//!
//! SHA-1 over seed, ordered addresses and ports. ICMP types replace the ports; if a type has no
//! counterpart, the flow has one direction and its ends are not ordered.

use crate::engine::packet::Ports;
use crate::engine::packet::wire::transport::{ICMP, ICMPV6};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use std::net::IpAddr;

/// Computes the Community ID of a packet with seed 0.
pub fn community_id(src: IpAddr, dst: IpAddr, proto: u8, ports: Ports) -> String {
    let ports = conversation(proto, ports);
    let (src, dst) = (Octets::new(src), Octets::new(dst));
    let mut ends =
        [(src.get(), ports.unwrap_or_default().0), (dst.get(), ports.unwrap_or_default().1)];
    if !is_one_way(proto, ports) {
        ends.sort_unstable();
    }
    let mut hash = Sha1::new();
    hash.update([0, 0]);
    hash.update(ends[0].0);
    hash.update(ends[1].0);
    hash.update([proto, 0]);
    if ports.is_some() {
        hash.update(ends[0].1.to_be_bytes());
        hash.update(ends[1].1.to_be_bytes());
    }
    let mut text = String::with_capacity(30);
    text.push_str("1:");
    STANDARD.encode_string(hash.finalize(), &mut text);
    text
}

/// The octets of an address, in either length.
struct Octets([u8; 16], usize);

impl Octets {
    fn new(address: IpAddr) -> Self {
        let mut octets = [0; 16];
        let length = match address {
            IpAddr::V4(address) => {
                octets[..4].copy_from_slice(&address.octets());
                4
            }
            IpAddr::V6(address) => {
                octets = address.octets();
                16
            }
        };
        Octets(octets, length)
    }

    fn get(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// The values used as source and destination port: the ports themselves, or an ICMP type and its
/// counterpart, or type and code if there is none. Both directions of a conversation give the
/// same pair, swapped.
pub(in crate::engine::packet) fn conversation(proto: u8, ports: Ports) -> Option<(u16, u16)> {
    match ports {
        Ports::None => None,
        Ports::Pair(src, dst) => Some((src, dst)),
        Ports::Icmp(kind, code) => {
            let answer = icmp_counterpart(proto, kind).unwrap_or(code);
            Some((u16::from(kind), u16::from(answer)))
        }
    }
}

fn is_one_way(proto: u8, ports: Option<(u16, u16)>) -> bool {
    matches!(proto, ICMP | ICMPV6)
        && ports.is_some_and(|(kind, _)| icmp_counterpart(proto, kind as u8).is_none())
}

/// The ICMP type that is the reply to this one, or the request for it.
fn icmp_counterpart(proto: u8, kind: u8) -> Option<u8> {
    Some(match (proto, kind) {
        (ICMP, 0) => 8,
        (ICMP, 8) => 0,
        (ICMP, 9) => 10,
        (ICMP, 10) => 9,
        (ICMP, 13) => 14,
        (ICMP, 14) => 13,
        (ICMP, 15) => 16,
        (ICMP, 16) => 15,
        (ICMP, 17) => 18,
        (ICMP, 18) => 17,
        (ICMPV6, 128) => 129,
        (ICMPV6, 129) => 128,
        (ICMPV6, 130) => 131,
        (ICMPV6, 131) => 130,
        (ICMPV6, 133) => 134,
        (ICMPV6, 134) => 133,
        (ICMPV6, 135) => 136,
        (ICMPV6, 136) => 135,
        (ICMPV6, 139) => 140,
        (ICMPV6, 140) => 139,
        (ICMPV6, 144) => 145,
        (ICMPV6, 145) => 144,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published vectors of the specification, each in both directions
    /// where there are two.
    #[test]
    fn ids_are_those_of_the_published_vectors() {
        let pair = Ports::Pair;
        let icmp = Ports::Icmp;
        let (v6c, v6d) = ("3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da");
        let (v6a, v6b) = ("fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea");
        for (src, dst, proto, ports, want) in [
            (
                "128.232.110.120",
                "66.35.250.204",
                6,
                pair(34855, 80),
                "LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
            (
                "66.35.250.204",
                "128.232.110.120",
                6,
                pair(80, 34855),
                "LQU9qZlK+B5F3KDmev6m5PMibrg=",
            ),
            ("192.168.1.52", "8.8.8.8", 17, pair(54585, 53), "d/FP5EW3wiY1vCndhwleRRKHowQ="),
            ("8.8.8.8", "192.168.1.52", 17, pair(53, 54585), "d/FP5EW3wiY1vCndhwleRRKHowQ="),
            ("192.168.170.8", "192.168.170.56", 132, pair(7, 80), "jQgCxbku+pNGw8WPbEc/TS/uTpQ="),
            ("192.168.0.89", "192.168.0.1", 1, icmp(8, 0), "X0snYXpgwiv9TZtqg64sgzUn6Dk="),
            ("192.168.0.1", "192.168.0.89", 1, icmp(0, 0), "X0snYXpgwiv9TZtqg64sgzUn6Dk="),
            ("192.168.0.89", "192.168.0.1", 1, icmp(20, 0), "3o2RFccXzUgjl7zDpqmY7yJi8rI="),
            ("192.168.0.89", "192.168.0.1", 1, icmp(20, 1), "tz/fHIDUHs19NkixVVoOZywde+I="),
            (v6c, v6d, 58, icmp(3, 0), "NdobDX8PQNJbAyfkWxhtL2Pqp5w="),
            (v6d, v6c, 58, icmp(3, 0), "/OGBt9BN1ofenrmSPWYicpij2Vc="),
            (v6a, v6b, 58, icmp(135, 0), "dGHyGvjMfljg6Bppwm3bg0LO8TY="),
            (v6b, v6a, 58, icmp(136, 0), "dGHyGvjMfljg6Bppwm3bg0LO8TY="),
        ] {
            let got = community_id(src.parse().unwrap(), dst.parse().unwrap(), proto, ports);
            assert_eq!(got, format!("1:{want}"), "{src} {dst} {ports:?}");
        }
    }
}
