//! LLC, Frame Relay and ATM: the payload is identified by a SAP, by an OUI with a type, or by one
//! byte (NLPID); and headers of which nothing but the packet in them is known.
//!
//! RFC 1042 and 2684 (LLC with SNAP), RFC 2427 (Frame Relay), RFC 1483 for bridged frames.

use super::{FIRST_ETHERTYPE, Fault, Layer, Net, typed};
use crate::engine::packet::bytes::be16;
use crate::engine::packet::wire::ip;

/// The OUI of bridged frames, and its types of Ethernet with and without a checksum.
const BRIDGED: [u8; 3] = [0, 0x80, 0xc2];

/// The organisations whose types are EtherTypes: none, bridges, and AppleTalk.
const ETHERTYPES: [[u8; 3]; 3] = [[0, 0, 0], [0, 0, 0xf8], [8, 0, 7]];

/// Bytes of an unknown header that are searched for a packet.
const MAX_HEADER: usize = 48;

/// Removes LLC: IP's own SAP, SNAP, or ISO's with an NLPID.
pub(super) fn llc(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    match data {
        [0xaa, 0xaa, 3, rest @ ..] => snap(rest),
        [0xfe, 0xfe, 3, rest @ ..] => nlpid(rest),
        [6, 6, 3, packet @ ..] => Ok((Layer::Ip(Net::V4), packet)),
        _ if [0xaa, 0xaa, 3].starts_with(data) => Err(Fault::LinkCut),
        _ => Err(Fault::NotIp),
    }
}

fn snap(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let (&[a, b, c, k0, k1], rest) = data.split_first_chunk().ok_or(Fault::LinkCut)?;
    match u16::from_be_bytes([k0, k1]) {
        1 | 7 if [a, b, c] == BRIDGED => Ok((Layer::Ethernet, unpadded(rest))),
        kind if kind >= FIRST_ETHERTYPE && ETHERTYPES.contains(&[a, b, c]) => {
            Ok((Layer::EtherType(kind), rest))
        }
        _ => Err(Fault::NotIp),
    }
}

/// A bridged frame: over ATM it is aligned by two bytes, over Frame Relay it is not.
fn unpadded(data: &[u8]) -> &[u8] {
    let is_type = |at| matches!(be16(data, at), Some(0x0800 | 0x86dd | 0x8100 | 0x88a8));
    match data {
        [0, 0, frame @ ..] if is_type(14) && !is_type(12) => frame,
        _ => data,
    }
}

fn nlpid(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    match data {
        // A byte of padding.
        [0, rest @ ..] if rest.first().is_some_and(|&next| next != 0) => nlpid(rest),
        [0x80, rest @ ..] => snap(rest),
        [0xcc, packet @ ..] => Ok((Layer::Ip(Net::V4), packet)),
        [0x8e, packet @ ..] => Ok((Layer::Ip(Net::V6), packet)),
        [0xcf, rest @ ..] => Ok((Layer::Ppp, rest)),
        [] => Err(Fault::LinkCut),
        _ => Err(Fault::NotIp),
    }
}

/// Removes the header of Frame Relay: an address of two to four bytes, of which the last has its
/// lowest bit set, then the IETF's control and NLPID, or Cisco's EtherType.
pub(super) fn frame_relay(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let length = data.iter().take(4).position(|byte| byte & 1 == 1);
    let length = length.filter(|&at| at > 0).ok_or(Fault::NotIp)? + 1;
    match data.get(length..).ok_or(Fault::LinkCut)? {
        [3, rest @ ..] => nlpid(rest),
        rest => typed(rest, 0),
    }
}

/// Sun's ATM driver: a byte of flags, VPI and VCI. Then LLC, or LAN emulation.
pub(super) fn sun(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let (header, rest) = data.split_first_chunk::<4>().ok_or(Fault::LinkCut)?;
    match header[0] & 0x0f {
        // Two bytes of the emulation header.
        1 => Ok((Layer::Ethernet, rest.get(2..).ok_or(Fault::LinkCut)?)),
        2 => Ok((Layer::Llc, rest)),
        _ => Err(Fault::NotIp),
    }
}

/// The IP packet after a header of which nothing else is known: it must be certain.
pub(super) fn embedded(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let places = (0..=MAX_HEADER).filter_map(|at| data.get(at..));
    let found = places.into_iter().find(|packet| ip::is_certain(Net::Either, packet));
    Ok((Layer::Ip(Net::Either), found.ok_or(Fault::NotIp)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_llc_and_frame_relay_announce() {
        let v4 = Ok((Layer::Ip(Net::V4), &b"E"[..]));
        let typed = Ok((Layer::EtherType(0x0800), &b"E"[..]));
        assert_eq!(llc(b"\xaa\xaa\x03\0\0\0\x08\0E"), typed);
        assert_eq!(llc(b"\xaa\xaa\x03\0\0\xf8\x08\0E"), typed);
        assert_eq!(llc(b"\xfe\xfe\x03\xccE"), v4);
        assert_eq!(llc(b"\x06\x06\x03E"), v4);
        assert_eq!(llc(b"\x42\x42\x03E"), Err(Fault::NotIp));
        assert_eq!(llc(b"\xaa\xaa\x03\0\0\x0c\x20\0E"), Err(Fault::NotIp), "CDP");
        for cut in [&b"\xaa"[..], b"\xaa\xaa\x03\0\0\0\x08", b"\xfe\xfe\x03"] {
            assert_eq!(llc(cut), Err(Fault::LinkCut), "{cut:?}");
        }
        for address in [&b"\x18\x41"[..], b"\x18\x40\x01", b"\x18\x40\x40\x01"] {
            let frame = |rest: &[u8]| [address, rest].concat();
            assert_eq!(frame_relay(&frame(b"\x03\xccE")), v4);
            assert_eq!(frame_relay(&frame(b"\x03\0\x80\0\0\0\x08\0E")), typed);
            assert_eq!(frame_relay(&frame(b"\x08\0E")), typed, "Cisco's");
            let ppp = Ok((Layer::Ppp, &b"\0\x21E"[..]));
            assert_eq!(frame_relay(&frame(b"\x03\xcf\0\x21E")), ppp);
            assert_eq!(frame_relay(&frame(b"\x03\x08\0")), Err(Fault::NotIp), "Q.933");
        }
        assert_eq!(frame_relay(b"\x18\x40\x40\x40\x01"), Err(Fault::NotIp));
    }

    #[test]
    fn bridged_frames_with_and_without_padding() {
        let frame = [&[2; 12][..], b"\x08\0E"].concat();
        for (padding, kind) in [(&b"\0\0"[..], 1), (b"", 7)] {
            let whole = [&[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, kind], padding, &frame].concat();
            assert_eq!(llc(&whole), Ok((Layer::Ethernet, &frame[..])));
        }
    }
}
