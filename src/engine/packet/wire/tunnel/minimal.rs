//! Minimal encapsulation (RFC 2004): its header contains the differences between the inner
//! packet's header and the outer one's.

use super::{Inside, Layer};
use crate::engine::packet::bytes::be32;
use crate::engine::packet::wire::link::Net;
use std::net::{IpAddr, Ipv4Addr};

/// The protocol number.
pub(in crate::engine::packet) const MINIMAL: u8 = 55;

/// The original source is present.
const HAS_SOURCE: u8 = 0x80;

/// The inner packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) struct Minimal<'a> {
    pub(in crate::engine::packet) src: IpAddr,
    pub(in crate::engine::packet) dst: IpAddr,
    pub(in crate::engine::packet) proto: u8,
    pub(in crate::engine::packet) payload: &'a [u8],
    /// The tunnel.
    pub(in crate::engine::packet) inside: Inside<'a>,
}

/// Opens a payload of the protocol, from `src`. Its checksum must be correct.
pub(in crate::engine::packet) fn open(src: IpAddr, data: &[u8]) -> Option<Minimal<'_>> {
    let &[proto, flags] = data.first_chunk()?;
    let has_source = flags & HAS_SOURCE != 0;
    let (header, payload) = data.split_at_checked(if has_source { 12 } else { 8 })?;
    let words = header.chunks_exact(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let sum: u32 = words.sum();
    if !src.is_ipv4() || (sum & 0xffff) + (sum >> 16) != 0xffff {
        return None;
    }
    let address = |at| Some(IpAddr::V4(Ipv4Addr::from_bits(be32(data, at)?)));
    let inside = Inside { kind: "minimal", network: 0, layer: Layer::Ip(Net::V4), data: payload };
    let src = if has_source { address(8)? } else { src };
    Some(Minimal { src, dst: address(4)?, proto, payload, inside })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_a_source() {
        let outer = IpAddr::from([198, 51, 100, 1]);
        for (flags, source, src) in
            [(0, &[][..], outer), (0x80, &[192, 0, 2, 1], [192, 0, 2, 1].into())]
        {
            let mut data = [&[6, flags, 0, 0, 203, 0, 113, 9], source].concat();
            let words = data.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
            let sum: u32 = words.sum();
            let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
            data[2..4].copy_from_slice(&sum.to_be_bytes());
            let header = data.len();
            data.extend(b"tcp");
            let found = open(outer, &data).unwrap();
            assert_eq!((found.src, found.dst), (src, [203, 0, 113, 9].into()));
            assert_eq!((found.proto, found.payload), (6, &b"tcp"[..]));
            assert_eq!(open(outer, &data[..header - 1]), None);
            assert_eq!(open("2001:db8::1".parse().unwrap(), &data), None);
            data[0] = 17;
            assert_eq!(open(outer, &data), None, "the sum is wrong");
        }
    }
}
