//! GRE (RFC 2784, 2890), its version 1 for PPTP (RFC 2637), and ERSPAN in it.

use super::{Inside, Layer, certain};
use crate::engine::packet::bytes::{be16, be32};
use crate::engine::packet::wire::link::{self, Net};
use crate::engine::progress::bound;

/// Bits of the first byte: which optional words are present.
const CHECKSUM: u8 = 0x80;
const ROUTING: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;
/// In the second byte of version 1.
const ACKNOWLEDGEMENT: u8 = 0x80;

const ERSPAN: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;
/// Cisco's redirection to caches, MikroTik's bridges, and Aruba's access points, whose types are
/// the port of the tunnel.
const WCCP: u16 = 0x883e;
const EOIP: u16 = 0x6400;
const ARUBA: std::ops::RangeInclusive<u16> = 0x8200..=0x8370;
const ARUBA_OTHER: u16 = 0x9000;

/// Source routes that are skipped.
const MAX_ROUTES: usize = bound(8, 2);

/// Opens a payload of IP protocol 47.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let &[flags, version] = data.first_chunk()?;
    let kind = be16(data, 2)?;
    let mut rest = data.get(4..)?;
    if flags & (CHECKSUM | ROUTING) != 0 {
        rest = rest.get(4..)?;
    }
    let mut network = 0;
    if flags & KEY != 0 {
        // In PPTP a length and the call, which differs between the directions.
        network = if version & 7 == 0 { be32(rest, 0)? } else { 0 };
        rest = rest.get(4..)?;
    }
    if flags & SEQUENCE != 0 {
        rest = rest.get(4..)?;
    }
    match version & 7 {
        0 => {}
        1 if version & ACKNOWLEDGEMENT != 0 => rest = rest.get(4..)?,
        1 => {}
        _ => return None,
    }
    if flags & ROUTING != 0 {
        rest = skip_routes(rest)?;
    }
    // PPTP acknowledges in separate packets.
    if rest.is_empty() {
        return None;
    }
    match kind {
        ERSPAN => mirror(rest, if flags & SEQUENCE != 0 { 8 } else { 0 }),
        ERSPAN_III => mirror(rest, if rest.get(11)? & 1 == 0 { 12 } else { 20 }),
        WCCP => redirected(rest),
        EOIP => Some(Inside { kind: "gre", network: 0, layer: Layer::Ethernet, data: rest }),
        kind if kind == ARUBA_OTHER || (ARUBA.contains(&kind) && kind & 0xf == 0) => radio(rest),
        _ => Some(Inside { kind: "gre", network, layer: Layer::EtherType(kind), data: rest }),
    }
}

/// A mirrored frame after its header: none in type I, which has no sequence number.
fn mirror(data: &[u8], header: usize) -> Option<Inside<'_>> {
    let session = if header == 0 { 0 } else { be16(data, 2)? & 0x3ff };
    // Type III may mirror packets without a link layer.
    let is_packet = header >= 12 && data.get(10)? >> 2 & 0x1f == 2;
    let layer = if is_packet { Layer::Ip(Net::Either) } else { Layer::Ethernet };
    let (network, data) = (u32::from(session), data.get(header..)?);
    Some(Inside { kind: "erspan", network, layer, data })
}

/// A packet of WCCP: version 2 has four bytes before it, version 1 none.
fn redirected(data: &[u8]) -> Option<Inside<'_>> {
    let bare = |data| Inside { kind: "gre", network: 0, layer: Layer::Ip(Net::Either), data };
    let in_front = matches!(data.first()? >> 4, 4 | 6).then(|| certain(bare(data))).flatten();
    in_front.or_else(|| data.get(4..).map(bare))
}

/// An 802.11 frame, or one of Ethernet if the access point has translated it.
fn radio(data: &[u8]) -> Option<Inside<'_>> {
    let inside = |layer| Inside { kind: "gre", network: 0, layer, data };
    let frame = link::is_swapped(data).map(|is_swapped| inside(Layer::Wireless(is_swapped)));
    frame.or_else(|| certain(inside(Layer::Ethernet)))
}

fn skip_routes(mut data: &[u8]) -> Option<&[u8]> {
    for _ in 0..MAX_ROUTES {
        let (family, length) = (be16(data, 0)?, *data.get(3)?);
        data = data.get(4 + usize::from(length)..)?;
        if (family, length) == (0, 0) {
            return Some(data);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(data: &[u8]) -> Option<(&'static str, u32, Layer, &[u8])> {
        open(data).map(|inside| (inside.kind, inside.network, inside.layer, inside.data))
    }

    #[test]
    fn optional_words() {
        let v4 = Layer::EtherType(0x0800);
        assert_eq!(opened(b"\0\0\x08\0E"), Some(("gre", 0, v4, &b"E"[..])));
        let all = b"\xb0\0\x08\0csum\0\0\0\x07seqnE";
        assert_eq!(opened(all), Some(("gre", 7, v4, &b"E"[..])));
        let routed = b"\x40\0\x08\0csum\0\x01\0\x02rr\0\0\0\0E";
        assert_eq!(opened(routed), Some(("gre", 0, v4, &b"E"[..])));
        let pptp = b"\x30\x81\x88\x0b\0\x01\0\x09seqnackn!";
        assert_eq!(opened(pptp), Some(("gre", 0, Layer::EtherType(0x880b), &b"!"[..])));
        assert_eq!(opened(b"\x20\0\x08\0\0\0"), None);
        assert_eq!(opened(b"\0\x02\x08\0E"), None, "version 2");
    }

    #[test]
    fn redirected_packets_and_frames_of_access_points() {
        let packet = super::super::tests::packet();
        let either = Layer::Ip(Net::Either);
        for head in [&b"\0\0\x88\x3e"[..], b"\0\0\x88\x3e\0\x33\0\0"] {
            let whole = [head, &packet].concat();
            assert_eq!(opened(&whole), Some(("gre", 0, either, &packet[..])));
        }
        let eoip = b"\x20\x01\x64\0\0\x03\x07\0eth";
        assert_eq!(opened(eoip), Some(("gre", 0, Layer::Ethernet, &b"eth"[..])));
        let mut frame = vec![0; 24];
        (frame[0], frame[1]) = (8, 2);
        frame.extend(b"\xaa\xaa\x03\0\0\0\x08\0E");
        for kind in [0x8200_u16, 0x82f0, 0x8370, 0x9000] {
            let head = [&[0, 0], &kind.to_be_bytes()[..]].concat();
            let got = [&head, &frame[..]].concat();
            assert_eq!(opened(&got), Some(("gre", 0, Layer::Wireless(false), &frame[..])));
            let ethernet = super::super::tests::ethernet();
            let got = [&head, &ethernet[..]].concat();
            assert_eq!(opened(&got), Some(("gre", 0, Layer::Ethernet, &ethernet[..])));
            assert_eq!(opened(&[&head, &b"\x80\0 a beacon"[..]].concat()), None);
        }
    }

    #[test]
    fn mirrored_frames() {
        let ethernet = Layer::Ethernet;
        assert_eq!(opened(b"\0\0\x88\xbeeth"), Some(("erspan", 0, ethernet, &b"eth"[..])));
        let second = b"\x10\0\x88\xbeseqn\x10\x0c\x0c\x05\0\0\0\x07eth";
        assert_eq!(opened(second), Some(("erspan", 5, ethernet, &b"eth"[..])));
        let third = b"\x10\0\x22\xebseqn\x20\x0c\x0c\x05tttt\0\0\0\0eth";
        assert_eq!(opened(third), Some(("erspan", 5, ethernet, &b"eth"[..])));
        let longer = b"\x10\0\x22\xebseqn\x20\x0c\x0c\x05tttt\0\0\0\x01subheadreth";
        assert_eq!(opened(longer), Some(("erspan", 5, ethernet, &b"eth"[..])));
        assert_eq!(opened(b"\x10\0\x88\xbeseqn\x10"), None);
        let packet = b"\x10\0\x22\xebseqn\x20\x0c\x0c\x05tttt\0\0\x08\0E";
        let either = Layer::Ip(Net::Either);
        assert_eq!(opened(packet), Some(("erspan", 5, either, &b"E"[..])));
    }
}
