//! GTP-U, version 1 (3GPP TS 29.281), and GTP, version 0 (GSM 09.60): packets of users in a
//! mobile network.

use super::{Inside, Layer, certain};
use crate::engine::packet::bytes::be16;
use crate::engine::packet::wire::link::Net;
use crate::engine::progress::bound;

/// The message that contains a packet.
const PACKET: u8 = 255;

/// The first byte of version 0 (GTP, not charging); five bits are set or unused, and the last one
/// indicates a number for LLC. The header has 20 bytes (GSM 09.60, 6).
const OLD: u8 = 0x1e;
const OLD_WITH_LLC: u8 = 0x1f;

/// Extension headers that are followed.
const MAX_EXTENSIONS: usize = bound(8, 2);

/// Opens a payload of GTP-U's port. The two directions of a tunnel have different identifiers, so
/// that neither is part of a flow's key.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let &[flags, kind] = data.first_chunk()?;
    if matches!(flags, OLD | OLD_WITH_LLC) && kind == PACKET {
        return certain(Inside {
            kind: "gtp",
            network: 0,
            layer: Layer::Ip(Net::Either),
            data: data.get(20..)?,
        });
    }
    if flags >> 5 != 1 || flags & 0x10 == 0 || kind != PACKET {
        return None;
    }
    let length = usize::from(be16(data, 2)?);
    let body = data.get(8..)?;
    let body = body.get(..length).unwrap_or(body);
    let rest = if flags & 7 == 0 { body } else { skip_options(body, flags)? };
    let inside = |layer| Inside { kind: "gtp", network: 0, layer, data: rest };
    match rest.first()? >> 4 {
        4 => Some(inside(Layer::Ip(Net::V4))),
        6 => Some(inside(Layer::Ip(Net::V6))),
        // Sessions may be of Ethernet or PPP, too.
        _ => [Layer::Ethernet, Layer::Ppp].map(inside).into_iter().find_map(certain),
    }
}

/// Sequence number, N-PDU and the kind of the first extension are only present together.
fn skip_options(body: &[u8], flags: u8) -> Option<&[u8]> {
    let mut kind = *body.get(3)?;
    let mut rest = body.get(4..)?;
    if flags & 4 == 0 {
        return Some(rest);
    }
    for _ in 0..MAX_EXTENSIONS {
        if kind == 0 {
            return Some(rest);
        }
        let length = usize::from(*rest.first()?) * 4;
        kind = *rest.get(length.checked_sub(1)?)?;
        rest = rest.get(length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_and_without_options() {
        let plain = open(b"\x30\xff\0\x02\0\0\0\x01E.pad").unwrap();
        assert_eq!((plain.layer, plain.data), (Layer::Ip(Net::V4), &b"E."[..]));
        let numbered = open(b"\x32\xff\0\x06\0\0\0\x01\0\x07\0\0`.").unwrap();
        assert_eq!((numbered.layer, numbered.data), (Layer::Ip(Net::V6), &b"`."[..]));
        let extended = open(b"\x34\xff\0\x0a\0\0\0\x01\0\0\0\x85\x01\0\x01\0E.").unwrap();
        assert_eq!(extended.data, b"E.");
    }

    #[test]
    fn version_0_is_read() {
        let packet = super::super::tests::packet();
        for flags in [0x1e, 0x1f] {
            let head =
                [flags, 255, 0, 32, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8];
            let data = [&head[..], &packet].concat();
            assert_eq!(open(&data).map(|inside| inside.data), Some(&packet[..]));
            assert_eq!(open(&data[..21]), None);
        }
    }

    #[test]
    fn what_carries_no_packet() {
        for data in [
            &b"\x30\x01\0\x02\0\0\0\x01E."[..],
            b"\x50\xff\0\x02\0\0\0\x01E.",
            b"\x30\xff\0\x02\0\0\0\x01\x01.",
            b"\x34\xff\0\x0a\0\0\0\x01\0\0\0\x85\0\0\x01\0E.",
            b"\x30\xff\0\x02\0\0\0",
        ] {
            assert_eq!(open(data), None, "{data:?}");
        }
    }
}
