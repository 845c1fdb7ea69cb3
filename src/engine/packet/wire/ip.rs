//! IPv4 and IPv6: addresses, the transport protocol, and its bytes.
//!
//! Lengths are trimmed to what the header says (Ethernet pads) and to what was captured (the snap
//! length cuts). Fragments are recognised here, and reassembled in [`fragment`](super::fragment).

use super::link::Net;
use crate::engine::packet::Fault;
use crate::engine::packet::bytes::{be16, be32};
use crate::engine::progress::bound;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv6 extension headers that are followed.
const MAX_EXTENSIONS: usize = bound(16, 3);

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// An IP packet, as far as its header could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) struct Datagram<'a> {
    pub(in crate::engine::packet) src: IpAddr,
    pub(in crate::engine::packet) dst: IpAddr,
    /// The transport protocol, after all extension headers.
    pub(in crate::engine::packet) proto: u8,
    /// The bytes of the transport, or why they are unavailable.
    pub(in crate::engine::packet) payload: Result<&'a [u8], Fault>,
    /// Bytes of the payload that were not captured.
    pub(in crate::engine::packet) missing: usize,
    /// The position of a fragment, if this is one.
    pub(in crate::engine::packet) piece: Option<Piece>,
}

/// A fragment's position in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) struct Piece {
    pub(in crate::engine::packet) id: u32,
    /// Offset of its first byte.
    pub(in crate::engine::packet) offset: usize,
    pub(in crate::engine::packet) is_last: bool,
}

/// Parses the header of an IP packet.
pub(in crate::engine::packet) fn parse(net: Net, data: &[u8]) -> Result<Datagram<'_>, Fault> {
    let version = data.first().ok_or(Fault::IpCut)? >> 4;
    match (net, version) {
        (Net::V4 | Net::Either, 4) => parse_v4(data),
        (Net::V6 | Net::Either, 6) => parse_v6(data),
        _ => Err(Fault::IpVersion),
    }
}

fn parse_v4(data: &[u8]) -> Result<Datagram<'_>, Fault> {
    let header: &[u8; 20] = data.first_chunk().ok_or(Fault::IpCut)?;
    let &[
        first,
        _,
        total_high,
        total_low,
        id_high,
        id_low,
        fragment_high,
        fragment_low,
        _,
        proto,
        ..,
    ] = header;
    let [.., s0, s1, s2, s3, d0, d1, d2, d3] = *header;
    let header_length = usize::from(first & 0x0f) * 4;
    // With offloading, the length may be 0 if it does not fit: then the packet extends to the end
    // of the frame.
    let total = match u16::from_be_bytes([total_high, total_low]) {
        0 => data.len(),
        total => usize::from(total),
    };
    let place = u16::from_be_bytes([fragment_high, fragment_low]);
    let piece = (place & 0x3fff != 0).then(|| Piece {
        id: u32::from(u16::from_be_bytes([id_high, id_low])),
        offset: usize::from(place & 0x1fff) * 8,
        is_last: place & 0x2000 == 0,
    });
    let mut payload = if header_length < 20 || total < header_length {
        Err(Fault::IpLength)
    } else {
        data.get(header_length..total.min(data.len())).ok_or(Fault::IpCut)
    };
    let mut proto = proto;
    if proto == AUTHENTICATION && piece.is_none() {
        payload = payload.and_then(|payload| skip_authentication(&mut proto, payload));
    }
    Ok(Datagram {
        src: IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3)),
        dst: IpAddr::V4(Ipv4Addr::new(d0, d1, d2, d3)),
        proto,
        payload,
        missing: total.saturating_sub(data.len()),
        piece,
    })
}

/// Whether bytes are certainly an IP packet, without a reliable header before them. For IPv4 the
/// checksum shows it, or, if the network card was to compute that, the length; for IPv6 the
/// length and addresses from allocated ranges. A packet may be cut, and padded up to the minimum
/// length of a frame.
pub(in crate::engine::packet) fn is_certain(net: Net, data: &[u8]) -> bool {
    match (net, data.first().map(|first| first >> 4)) {
        (Net::V4 | Net::Either, Some(4)) => is_certain_v4(data),
        (Net::V6 | Net::Either, Some(6)) => is_certain_v6(data),
        _ => false,
    }
}

fn is_certain_v4(data: &[u8]) -> bool {
    let length = data.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    let (Some(total), Some(header)) = (be16(data, 2), data.get(..length)) else { return false };
    let (total, proto) = (usize::from(total), data.get(9).copied().unwrap_or_default());
    if length < 20 || total < length {
        return false;
    }
    let sum: u32 = header.chunks_exact(2).filter_map(|word| be16(word, 0)).map(u32::from).sum();
    let is_summed = (sum & 0xffff) + (sum >> 16) == 0xffff;
    is_summed || total == data.len() && is_in_use(proto)
}

fn is_certain_v6(data: &[u8]) -> bool {
    /// The minimum length of a frame: shorter ones are padded.
    const PADDED: usize = 64;
    let (Some(length), Some(header)) = (be16(data, 4), data.first_chunk::<40>()) else {
        return false;
    };
    let total = usize::from(length) + 40;
    let is_long_enough = total >= data.len() || data.len() < PADDED;
    // 2000::/3, fc00::/7, fe80::/10 and ff00::/8, and what is in the first 64th: ::, NAT64.
    let is_address = |first: u8| matches!(first, 0 | 0x20..=0x3f | 0xfc..=0xff);
    is_long_enough
        && is_in_use(header[6])
        && header[7] != 0
        && is_address(header[8])
        && is_address(header[24])
}

/// Protocols that occur inside tunnels.
fn is_in_use(proto: u8) -> bool {
    matches!(proto, 0..=2 | 4 | 6 | 17 | 41 | 43 | 44 | 46 | 47 | 50 | 51 | 58..=60 | 88 | 89)
        || matches!(proto, 97 | 103 | 108 | 112 | 115 | 132 | 135..=137)
}

fn parse_v6(data: &[u8]) -> Result<Datagram<'_>, Fault> {
    let (header, rest) = data.split_first_chunk::<40>().ok_or(Fault::IpCut)?;
    let src: [u8; 16] = *header[8..].first_chunk().ok_or(Fault::IpCut)?;
    let dst: [u8; 16] = *header[24..].first_chunk().ok_or(Fault::IpCut)?;
    let length = match u16::from_be_bytes([header[4], header[5]]) {
        // A jumbogram, or offloading.
        0 => rest.len(),
        length => usize::from(length),
    };
    let mut proto = header[6];
    let mut piece = None;
    let payload = skip_extensions(&mut proto, rest.get(..length).unwrap_or(rest), &mut piece);
    Ok(Datagram {
        src: IpAddr::V6(Ipv6Addr::from(src)),
        dst: IpAddr::V6(Ipv6Addr::from(dst)),
        proto,
        payload,
        missing: length.saturating_sub(rest.len()),
        piece,
    })
}

/// Removes AH (RFC 4302), which follows IPv4's header as an extension follows that of IPv6.
pub(in crate::engine::packet) fn skip_authentication<'a>(
    proto: &mut u8,
    mut data: &'a [u8],
) -> Result<&'a [u8], Fault> {
    for _ in 0..MAX_EXTENSIONS {
        if *proto != AUTHENTICATION {
            return Ok(data);
        }
        let &[next, words] = data.first_chunk().ok_or(Fault::IpCut)?;
        data = data.get((usize::from(words) + 2) * 4..).ok_or(Fault::IpCut)?;
        *proto = next;
    }
    Err(Fault::TooManyExtensions)
}

/// Walks the chain of extension headers; `proto` becomes the last one's next header. The walk
/// ends at a fragment header: what follows it belongs to the packet, and is only complete with
/// the other fragments.
pub(in crate::engine::packet) fn skip_extensions<'a>(
    proto: &mut u8,
    mut data: &'a [u8],
    piece: &mut Option<Piece>,
) -> Result<&'a [u8], Fault> {
    for _ in 0..MAX_EXTENSIONS {
        let unit = |by: usize, more: usize| {
            data.get(1).map(|&n| (usize::from(n) + more) * by).ok_or(Fault::IpCut)
        };
        let length = match *proto {
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HIP | SHIM6 => unit(8, 1)?,
            AUTHENTICATION => unit(4, 2)?,
            FRAGMENT => 8,
            _ => return Ok(data),
        };
        let (&next, rest) = data.first().zip(data.get(length..)).ok_or(Fault::IpCut)?;
        // Mobility and HIP have "no next header": then they are the protocol themselves.
        if next == NO_NEXT_HEADER && matches!(*proto, MOBILITY | HIP | SHIM6) {
            return Ok(&[]);
        }
        if *proto == FRAGMENT {
            let place = be16(data, 2).ok_or(Fault::IpCut)?;
            // No more fragments, and offset zero: complete after all (RFC 6946).
            if place & 0xfff9 != 0 {
                *proto = next;
                *piece = Some(Piece {
                    id: be32(data, 4).ok_or(Fault::IpCut)?,
                    offset: usize::from(place & 0xfff8),
                    is_last: place & 1 == 0,
                });
                return Ok(rest);
            }
        }
        *proto = next;
        data = rest;
    }
    Err(Fault::TooManyExtensions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(change: impl Fn(&mut Vec<u8>), payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        let total = (20 + payload.len()) as u16;
        packet[2..4].copy_from_slice(&total.to_be_bytes());
        packet.extend(payload);
        change(&mut packet);
        packet
    }

    fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend((payload.len() as u16).to_be_bytes());
        packet.extend([next, 64]);
        packet.extend("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        packet.extend("2001:db8::2".parse::<Ipv6Addr>().unwrap().octets());
        packet.extend(payload);
        packet
    }

    #[test]
    fn v4_options_padding_and_lengths() {
        let padded = v4(|p| p.extend([0; 9]), b"data");
        let got = parse(Net::V4, &padded).unwrap();
        assert_eq!((got.src.to_string().as_str(), got.proto), ("192.0.2.1", 17));
        assert_eq!(got.payload, Ok(&b"data"[..]));

        let options = v4(|p| p[0] = 0x46, b"optsdata");
        assert_eq!(parse(Net::Either, &options).unwrap().payload, Ok(&b"data"[..]));
        let offloaded = v4(|p| p[3] = 0, b"data");
        assert_eq!(parse(Net::V4, &offloaded).unwrap().payload, Ok(&b"data"[..]));
        let cut = v4(|p| p[2] = 1, b"data");
        assert_eq!(parse(Net::V4, &cut).unwrap().payload, Ok(&b"data"[..]));

        for (change, fault) in [((0, 0x43), Fault::IpLength), ((3, 19), Fault::IpLength)] {
            let bad = v4(|p| p[change.0] = change.1, b"data");
            let got = parse(Net::V4, &bad).unwrap();
            assert_eq!((got.payload, got.dst.to_string()), (Err(fault), "192.0.2.2".to_owned()));
        }
        assert_eq!(parse(Net::V6, &padded), Err(Fault::IpVersion));
        assert_eq!(parse(Net::V4, &padded[..19]), Err(Fault::IpCut));
        let snapped = parse(Net::V4, &padded[..22]).unwrap();
        assert_eq!((snapped.payload, snapped.missing), (Ok(&b"da"[..]), 2));
        // With more fragments to come, and the last one.
        for (place, offset, is_last) in
            [([0x20, 0], 0, false), ([0x20, 2], 16, false), ([0, 2], 16, true)]
        {
            let part = v4(|p| p[4..8].copy_from_slice(&[1, 2, place[0], place[1]]), b"data");
            let got = parse(Net::V4, &part).unwrap();
            let piece = Piece { id: 258, offset, is_last };
            assert_eq!((got.payload, got.piece), (Ok(&b"data"[..]), Some(piece)));
        }
        let whole = v4(|p| p[6] = 0x40, b"data");
        assert_eq!(parse(Net::V4, &whole).unwrap().piece, None, "not to be fragmented");
    }

    #[test]
    fn authentication_after_v4() {
        let header =
            |next, words: u8| [&[next, words][..], &vec![0; 4 * usize::from(words) + 6]].concat();
        let ah = |p: &mut Vec<u8>| p[9] = AUTHENTICATION;
        let got = |payload: &[u8]| {
            let packet = v4(ah, payload);
            parse(Net::V4, &packet).map(|got| (got.proto, got.payload.map(<[u8]>::to_vec)))
        };
        assert_eq!(got(&[&header(17, 4)[..], b"udp"].concat()), Ok((17, Ok(b"udp".to_vec()))));
        let twice = [&header(AUTHENTICATION, 4)[..], &header(6, 7), b"tcp"].concat();
        assert_eq!(got(&twice), Ok((6, Ok(b"tcp".to_vec()))));
        assert_eq!(got(&header(17, 9)[..20]), Ok((AUTHENTICATION, Err(Fault::IpCut))));
        let endless = header(AUTHENTICATION, 0).repeat(40);
        assert!(matches!(got(&endless), Ok((_, Err(Fault::TooManyExtensions)))));
    }

    #[test]
    fn packets_beyond_doubt() {
        let mut summed = v4(|_| {}, b"data");
        let sum: u32 = summed.chunks(2).take(10).map(|w| u32::from(be16(w, 0).unwrap())).sum();
        let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
        summed[10..12].copy_from_slice(&sum.to_be_bytes());
        assert!(is_certain(Net::V4, &summed) && is_certain(Net::Either, &summed));
        assert!(is_certain(Net::V4, &summed[..22]) && !is_certain(Net::V6, &summed));
        let unsummed = v4(|_| {}, b"data");
        assert!(is_certain(Net::V4, &unsummed));
        assert!(!is_certain(Net::V4, &unsummed[..22]), "neither sum nor length");
        assert!(!is_certain(Net::V4, &v4(|p| p[9] = 200, b"data")));
        let six = v6(17, b"data");
        assert!(is_certain(Net::V6, &six) && is_certain(Net::Either, &six[..42]));
        assert!(!is_certain(Net::V6, &v6(200, b"data")));
        assert!(!is_certain(Net::V6, &[0x60; 80]) && !is_certain(Net::V4, &[0x45; 80]));
        assert!((0..40).all(|end| !is_certain(Net::Either, &six[..end])));
        assert!((0..20).all(|end| !is_certain(Net::Either, &summed[..end])));
    }

    #[test]
    fn v6_extension_headers() {
        let chain = [
            &[ROUTING, 0, 0, 0, 0, 0, 0, 0][..],
            &[DESTINATION, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[AUTHENTICATION, 0, 0, 0, 0, 0, 0, 0],
            &[FRAGMENT, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[6, 0, 0, 0, 0, 0, 0, 7],
            b"tcp",
        ]
        .concat();
        let packet = v6(HOP_BY_HOP, &chain);
        let got = parse(Net::V6, &packet).unwrap();
        assert_eq!((got.proto, got.payload), (6, Ok(&b"tcp"[..])));

        for (place, offset, is_last) in [(1, 0, false), (9, 8, false), (8, 8, true)] {
            let part = v6(FRAGMENT, &[17, 0, 0, place, 0, 0, 0, 7, 1, 2]);
            let got = parse(Net::V6, &part).unwrap();
            let piece = Piece { id: 7, offset, is_last };
            assert_eq!((got.proto, got.payload, got.piece), (17, Ok(&[1, 2][..]), Some(piece)));
        }
        let mobile = v6(MOBILITY, &[NO_NEXT_HEADER, 0, 5, 0, 0, 0, 0, 0]);
        let got = parse(Net::V6, &mobile).unwrap();
        assert_eq!((got.proto, got.payload), (MOBILITY, Ok(&b""[..])));
        let endless = v6(DESTINATION, &[DESTINATION, 0, 0, 0, 0, 0, 0, 0].repeat(20));
        assert_eq!(parse(Net::V6, &endless).unwrap().payload, Err(Fault::TooManyExtensions));
        let cut = v6(ROUTING, &[6, 9, 0]);
        assert_eq!(parse(Net::V6, &cut).unwrap().payload, Err(Fault::IpCut));
    }
}
