//! The fast path for the most common frames: Ethernet without tags, IPv4 without options or IPv6
//! without extension headers, complete, with TCP, UDP or ICMP, and neither a tunnel nor an error.
//!
//! Nothing is decided here differently from the layers: any other frame is left to them. For a
//! small packet they cost more than its flow does.

use super::super::link;
use super::super::transport::{ICMP, ICMPV6, TCP, UDP};
use super::super::{quote, tunnel};
use super::{IpPacket, Part};
use crate::engine::packet::Frame;
use crate::engine::packet::bytes::be16;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The contents of an IP packet.
struct Usual<'a> {
    src: IpAddr,
    dst: IpAddr,
    proto: u8,
    payload: &'a [u8],
}

/// Ethernet's addresses and type.
const LINK: usize = 14;
const V4: usize = LINK + 20;
const V6: usize = LINK + 40;

/// Parses a frame, if it is of this form.
#[inline(always)]
pub(super) fn read<'a>(frame: &Frame<'a>) -> Option<IpPacket<'a>> {
    let Usual { src, dst, proto, payload } = packet(frame)?;
    let Frame { number, time, is_timed, length, .. } = *frame;
    Some(IpPacket {
        number,
        time,
        is_timed,
        length,
        src,
        dst,
        proto,
        payload: Ok(payload),
        missing: 0,
        part: Part::Whole,
        is_tunnel: false,
        vlan: &[],
        tunnel: &[],
        vlan_key: 0,
        tunnel_key: 0,
    })
}

#[inline(always)]
fn packet<'a>(frame: &Frame<'a>) -> Option<Usual<'a>> {
    if frame.linktype != link::ETHERNET {
        return None;
    }
    let fast_path = match frame.data {
        [_, _, _, _, _, _, _, _, _, _, _, _, 0x08, 0x00, 0x45, ..] => read_v4(frame.data)?,
        [_, _, _, _, _, _, _, _, _, _, _, _, 0x86, 0xdd, version, ..] if version >> 4 == 6 => {
            read_v6(frame.data)?
        }
        _ => return None,
    };
    match fast_path.proto {
        TCP => Some(fast_path),
        ICMP | ICMPV6 if !quote::is_error(fast_path.proto, fast_path.payload) => Some(fast_path),
        UDP if !tunnel::is_likely(fast_path.payload) => Some(fast_path),
        _ => None,
    }
}

#[inline(always)]
fn read_v4(data: &[u8]) -> Option<Usual<'_>> {
    let header: &[u8; V4] = data.first_chunk()?;
    let total = usize::from(u16::from_be_bytes([header[16], header[17]]));
    // A fragment has an offset, or more fragments follow.
    if total < 20 || (header[20] & 0x3f, header[21]) != (0, 0) {
        return None;
    }
    let address = |at: usize| {
        let [a, b, c, d] = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    Some(Usual {
        src: address(LINK + 12),
        dst: address(LINK + 16),
        proto: header[LINK + 9],
        payload: data.get(V4..LINK + total)?,
    })
}

#[inline(always)]
fn read_v6(data: &[u8]) -> Option<Usual<'_>> {
    let (header, rest) = data.split_first_chunk::<V6>()?;
    let length = usize::from(be16(header, LINK + 4)?);
    let address = |at: usize| {
        let bytes: [u8; 16] = *header.get(at..)?.first_chunk()?;
        Some(IpAddr::V6(Ipv6Addr::from(bytes)))
    };
    Some(Usual {
        src: address(LINK + 8)?,
        dst: address(LINK + 24)?,
        proto: header[LINK + 6],
        // A jumbogram has length 0, and so may a packet with offloading.
        payload: rest.get(..length).filter(|payload| !payload.is_empty())?,
    })
}

#[cfg(all(test, feature = "sensor"))]
mod tests {
    use super::*;
    use crate::engine::indicator::Timestamp;
    use crate::engine::packet::Config;
    use crate::engine::packet::tests::split::captures;
    use crate::engine::packet::wire::layers::Layers;
    use crate::sensor::input::capture::Capture;

    /// The result of the layers for a frame, and their counts.
    fn slowly(frame: &Frame<'_>) -> (Vec<String>, String) {
        let mut layers = Layers::new(&Config::default());
        let mut units = Vec::new();
        layers.slow_path(frame, &mut |unit| units.push(format!("{unit:?}")));
        (units, format!("{:?}", layers.counters))
    }

    fn check(data: &[u8], linktype: u32) -> bool {
        let length = data.len() as u32;
        let frame = Frame { is_timed: true, number: 7, time: Timestamp(9), linktype, length, data };
        let mut layers = Layers::new(&Config::default());
        let unit = layers.fast_path(&frame);
        if let Some(unit) = &unit {
            let got = (vec![format!("{unit:?}")], format!("{:?}", layers.counters));
            assert_eq!(got, slowly(&frame), "{data:02x?}");
        }
        unit.is_some()
    }

    /// Frames of all captures: unchanged, cut, and with each byte of their headers changed.
    #[test]
    fn the_fast_path_reads_frames_as_the_layers_do() {
        let (mut fast_path, mut slow_path) = (0, 0);
        for path in captures() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let Ok(capture) = Capture::new(&bytes) else { continue };
            for packet in capture.map_while(Result::ok).take(40) {
                let is_usual = check(packet.data, packet.linktype);
                fast_path += usize::from(is_usual);
                slow_path += usize::from(!is_usual);
                let mut data = packet.data.to_vec();
                for at in 12..data.len().min(90) {
                    let byte = data[at];
                    for changed in [0, 1, 0x40, 0x60, 0xff, byte ^ 1, byte ^ 0x80] {
                        data[at] = changed;
                        check(&data, packet.linktype);
                    }
                    data[at] = byte;
                    check(&data[..at], packet.linktype);
                }
            }
        }
        assert!(fast_path > 500 && slow_path > 100, "{fast_path} {slow_path}");
    }

    /// Each port that a tunnel may have, as source and destination.
    #[test]
    fn tunnels_take_the_slow_path() {
        let mut data = vec![0; LINK];
        data[12] = 8;
        data.extend([0x45, 0, 0, 32, 0, 0, 0, 0, 64, UDP, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        data.extend([0x10, 0, 0x10, 0, 0, 12, 0, 0, 1, 2, 3, 4]);
        assert!(check(&data, link::ETHERNET));
        for (at, port, is_usual) in [
            (2, 4789_u16, false),
            (2, 8472, false),
            (2, 6081, false),
            (2, 2152, false),
            (2, 3544, false),
            (0, 3544, false),
            (0, 4789, true),
            (0, 1701, false),
            (2, 1701, false),
            (2, 4341, false),
            (0, 4500, false),
            (2, 4754, false),
            (2, 4790, false),
            (2, 5072, false),
            (0, 5247, false),
            (2, 6080, false),
            (2, 6635, false),
            (2, 12222, false),
            (2, 37008, false),
            (2, 37009, true),
            (2, 5000, false),
            (0, 7932, true),
            (2, 7932, false),
            (2, 30030, false),
        ] {
            let mut data = data.clone();
            data[V4 + at..V4 + at + 2].copy_from_slice(&port.to_be_bytes());
            assert_eq!(check(&data, link::ETHERNET), is_usual, "{port}");
        }
        data[V4 + 8] = 0x61;
        assert!(!check(&data, link::ETHERNET), "it may be IPv6");
        for begins in
            [[0x45, 0, 0, 4], [8, 0, 0, 0], [1, 0, 0, 1], [0x32, 0xff, 0, 4], [0, 2, 0, 1]]
        {
            data[V4 + 8..V4 + 12].copy_from_slice(&begins);
            assert!(!check(&data, link::ETHERNET), "{begins:?}");
        }
    }
}
