//! Tunnels with short headers: AYIYA, LISP (RFC 9300), GUE and AMT (RFC 7450).

use super::{ETHERIP, ETHERNET, GRE, IPV4, IPV6, Inside, Layer, MPLS, gre};
use crate::engine::packet::bytes::be24;
use crate::engine::packet::wire::link::{self, Net};

/// In LISP's first byte: an instance is given, and the next header is.
const HAS_INSTANCE: u8 = 8;
const HAS_PROTOCOL: u8 = 4;

/// Opens a payload of AYIYA's port: lengths of identity and signature, an operation (1: forward),
/// the next header and a time come first.
pub(super) fn open_ayiya(data: &[u8]) -> Option<Inside<'_>> {
    let (&[identity, signature, operation, next, ..], rest) = data.split_first_chunk::<8>()?;
    if operation & 0xf != 1 {
        return None;
    }
    let length = (1_usize << (identity >> 4)) + usize::from(signature >> 4) * 4;
    inner("ayiya", next, rest.get(length..)?)
}

/// Opens a payload of LISP's data port. With the protocol flag, the last byte of the first word
/// is the next header, otherwise IP follows.
pub(super) fn open_lisp(data: &[u8]) -> Option<Inside<'_>> {
    let (header, rest) = data.split_first_chunk::<8>()?;
    let network = if header[0] & HAS_INSTANCE != 0 { be24(header, 4)? } else { 0 };
    let (layer, data) = match header[0] & HAS_PROTOCOL {
        0 => (Layer::Ip(Net::Either), rest),
        _ => link::next_protocol(header[3], rest).ok()?,
    };
    Some(Inside { kind: "lisp", network, layer, data })
}

/// Opens a payload of LISP's control port: a message that contains a packet (RFC 9301, 5.8).
pub(super) fn open_lisp_control(data: &[u8]) -> Option<Inside<'_>> {
    let (header, data) = data.split_first_chunk::<4>()?;
    let layer = Layer::Ip(Net::Either);
    (header[0] >> 4 == 8).then_some(Inside { kind: "lisp", network: 0, layer, data })
}

/// Opens a payload of the port of generic UDP encapsulation: version 0 has a header with a length
/// and the next protocol, version 1 is IP itself.
pub(super) fn open_gue(data: &[u8]) -> Option<Inside<'_>> {
    let &[first, next, ..] = data.first_chunk::<4>()?;
    match first >> 6 {
        0 if first & 0x20 == 0 => {
            inner("gue", next, data.get(4 + usize::from(first & 0x1f) * 4..)?)
        }
        1 => Some(Inside { kind: "gue", network: 0, layer: Layer::Ip(Net::Either), data }),
        _ => None,
    }
}

/// Opens a payload of AMT's port: a packet to a group, from its relay (RFC 7450, 5.1.6).
pub(super) fn open_amt(data: &[u8]) -> Option<Inside<'_>> {
    let ([6, 0], data) = data.split_first_chunk()? else { return None };
    Some(Inside { kind: "amt", network: 0, layer: Layer::Ip(Net::Either), data })
}

/// The payload of an IP protocol number.
fn inner<'a>(kind: &'static str, next: u8, data: &'a [u8]) -> Option<Inside<'a>> {
    let layer = match next {
        IPV4 => Layer::Ip(Net::V4),
        IPV6 => Layer::Ip(Net::V6),
        GRE => return gre::open(data),
        MPLS => Layer::EtherType(0x8847),
        ETHERNET => Layer::Ethernet,
        ETHERIP if data.first()? >> 4 == 3 => {
            return Some(Inside { kind, network: 0, layer: Layer::Ethernet, data: data.get(2..)? });
        }
        _ => return None,
    };
    Some(Inside { kind, network: 0, layer, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_ayiya_are_read() {
        let head = |operation, next| [0x42, 0x51, operation, next, 0, 0, 0, 1];
        let body = [&[0; 16 + 20][..], b"`"].concat();
        let got = |operation, next| {
            let whole = [&head(operation, next)[..], &body].concat();
            open_ayiya(&whole).map(|inside| (inside.layer, inside.data.to_vec()))
        };
        assert_eq!(got(1, 41), Some((Layer::Ip(Net::V6), b"`".to_vec())));
        assert_eq!(got(0, 41), None, "nothing to be done");
        assert_eq!(got(1, 59), None);
        assert_eq!(open_ayiya(&[0x42, 0x51, 1, 41, 0, 0, 0, 1, 0]), None);
    }

    #[test]
    fn packets_of_lisp_are_read() {
        let got = open_lisp(b"\x88\0\0\0\0\0\x07\0E").unwrap();
        assert_eq!((got.network, got.layer), (7, Layer::Ip(Net::Either)));
        let framed = open_lisp(b"\x04\0\0\x03\0\0\0\0eth").unwrap();
        assert_eq!((framed.layer, framed.data), (Layer::Ethernet, &b"eth"[..]));
        assert_eq!(open_lisp(b"\x04\0\0\x09\0\0\0\0eth"), None);
        assert_eq!(open_lisp(b"\x80\0\0\0\0\0\0"), None);
        assert_eq!(open_lisp_control(b"\x80\0\0\0E").map(|got| got.data), Some(&b"E"[..]));
        assert_eq!(open_lisp_control(b"\x10\0\0\0E"), None, "a request");
        assert_eq!(open_lisp_control(b"\x80\0\0"), None);
    }

    #[test]
    fn packets_of_gue_are_read() {
        let bare = open_gue(b"\x01\x29\0\0opts`").unwrap();
        assert_eq!((bare.layer, bare.data), (Layer::Ip(Net::V6), &b"`"[..]));
        assert_eq!(open_gue(b"E\0\0\x14").map(|got| got.layer), Some(Layer::Ip(Net::Either)));
        let gre = open_gue(b"\0\x2f\0\0\0\0\x08\0E").unwrap();
        assert_eq!((gre.kind, gre.layer), ("gre", Layer::EtherType(0x0800)));
        let labelled = open_gue(b"\0\x89\0\0label").unwrap();
        assert_eq!((labelled.layer, labelled.data), (Layer::EtherType(0x8847), &b"label"[..]));
        for head in [&b"\0\x8f\0\0eth"[..], b"\0\x61\0\0\x30\0eth"] {
            let got = open_gue(head).unwrap();
            assert_eq!((got.layer, got.data), (Layer::Ethernet, &b"eth"[..]));
        }
        assert_eq!(open_gue(b"\0\x61\0\0\x20\0eth"), None, "another version");
        assert_eq!(open_gue(b"\x20\x01\0\0"), None, "control");
        assert_eq!(open_gue(b"\x80\x04\0\0"), None);
    }
}
