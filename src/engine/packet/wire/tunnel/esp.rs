//! ESP (RFC 4303) without encryption (RFC 2410).
//!
//! Nothing indicates that it is not encrypted. At the end there are padding that counts from 1,
//! its length, the next header and a check value of unknown length: if that leads to a packet
//! with correct checksums and lengths, it is no coincidence.

use super::{IPV4, IPV6, Inside, Layer};
use crate::engine::packet::bytes::be16;
use crate::engine::packet::wire::ip;
use crate::engine::packet::wire::link::Net;
use crate::engine::packet::wire::transport::{TCP, UDP};
use std::net::IpAddr;

/// The number of the security association, and of the packet.
const HEADER: usize = 8;

/// Lengths of check values: none, those of MD5 and SHA-1, of AES-GMAC, SHA-256, -384 and -512.
const CHECKS: [usize; 5] = [12, 16, 0, 24, 32];

/// The contents of an ESP payload without encryption, as far as its end is plausible: next header
/// and bytes.
fn contents(data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    CHECKS.into_iter().filter_map(move |check| {
        let body = data.get(HEADER..data.len().checked_sub(check)?)?;
        let (rest, &[length, next]) = body.split_last_chunk()?;
        let (inner, padding) = rest.split_at_checked(rest.len().checked_sub(length.into())?)?;
        let is_counted = padding.iter().zip(1_u8..).all(|(&byte, want)| byte == want);
        is_counted.then_some((next, inner))
    })
}

/// Opens an ESP payload that is a tunnel's.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let found = contents(data).find_map(|(next, data)| {
        let net = match next {
            IPV4 => Net::V4,
            IPV6 => Net::V6,
            _ => return None,
        };
        (is_exact(net, data) && ip::is_certain(net, data)).then_some((net, data))
    });
    let (net, data) = found?;
    Some(Inside { kind: "esp", network: 0, layer: Layer::Ip(net), data })
}

/// Whether the length in a packet's header is exact.
fn is_exact(net: Net, data: &[u8]) -> bool {
    let length = if net == Net::V4 { be16(data, 2) } else { be16(data, 4) };
    let before = if net == Net::V4 { 0 } else { 40 };
    length.is_some_and(|length| usize::from(length) + before == data.len())
}

/// The transport protocol and its bytes in an ESP payload between two hosts: the checksum, which
/// includes their addresses, must be correct.
pub(in crate::engine::packet) fn transport(
    src: IpAddr,
    dst: IpAddr,
    data: &[u8],
) -> Option<(u8, &[u8])> {
    contents(data).find(|&(next, inner)| match next {
        TCP => inner.len() >= 20 && is_summed(src, dst, TCP, inner),
        UDP => be16(inner, 4) == u16::try_from(inner.len()).ok() && is_summed(src, dst, UDP, inner),
        _ => false,
    })
}

fn is_summed(src: IpAddr, dst: IpAddr, proto: u8, inner: &[u8]) -> bool {
    let words = |bytes: &[u8]| -> u64 {
        let (pairs, last) = bytes.as_chunks::<2>();
        let last = last.first().map_or(0, |&byte| u64::from(byte) << 8);
        pairs.iter().map(|&pair| u64::from(u16::from_be_bytes(pair))).sum::<u64>() + last
    };
    let address = |address| match address {
        IpAddr::V4(address) => words(&address.octets()),
        IpAddr::V6(address) => words(&address.octets()),
    };
    let mut sum =
        address(src) + address(dst) + u64::from(proto) + inner.len() as u64 + words(inner);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum == 0xffff
}

#[cfg(test)]
mod tests {
    use super::super::tests::packet;
    use super::*;

    fn wrap(next: u8, inner: &[u8], check: usize) -> Vec<u8> {
        let padding = (inner.len() + 2).next_multiple_of(4) - inner.len() - 2;
        let mut whole = b"\0\0\x01\0\0\0\0\x01".to_vec();
        whole.extend(inner);
        whole.extend((1..).take(padding));
        whole.extend([padding as u8, next]);
        whole.extend(vec![0x5a; check]);
        whole
    }

    #[test]
    fn tunnels_with_any_check_value() {
        for check in CHECKS {
            let whole = wrap(IPV4, &packet(), check);
            assert_eq!(open(&whole).map(|inside| inside.data), Some(&packet()[..]), "{check}");
        }
        assert_eq!(open(&wrap(17, &packet(), 12)), None);
        assert_eq!(open(&wrap(IPV4, b"encrypted, so to say", 12)), None);
        assert_eq!(open(&packet()[..7]), None);
    }

    #[test]
    fn transport_with_the_right_sum() {
        let (src, dst) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut udp = b"\x9c\x40\0\x35\0\x0c\0\0data".to_vec();
        for sum in 0..=u16::MAX {
            udp[6..8].copy_from_slice(&sum.to_be_bytes());
            if is_summed(src, dst, UDP, &udp) {
                break;
            }
        }
        for check in CHECKS {
            let whole = wrap(UDP, &udp, check);
            assert_eq!(transport(src, dst, &whole), Some((UDP, &udp[..])), "{check}");
            assert_eq!(transport(src, src, &whole), None, "other addresses, another sum");
        }
        udp[11] ^= 1;
        assert_eq!(transport(src, dst, &wrap(UDP, &udp, 12)), None);
    }
}
