//! VXLAN (RFC 7348): eight bytes, then Ethernet.

use super::{Inside, Layer};
use crate::engine::packet::bytes::be24;
use crate::engine::packet::wire::link;

/// The flag for a valid network identifier.
const HAS_NETWORK: u8 = 8;
/// The flag for a next-header field.
const HAS_PROTOCOL: u8 = 4;

/// Opens a payload of one of VXLAN's ports.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let (header, data) = data.split_first_chunk::<8>()?;
    // Reserved bits are ignored on receipt (section 5).
    if header[0] & HAS_NETWORK == 0 {
        return None;
    }
    let network = be24(header, 4)?;
    Some(Inside { kind: "vxlan", network, layer: Layer::Ethernet, data })
}

/// Whether the next header is given, as in the generic extension; some send that to the port of
/// plain VXLAN.
pub(super) fn is_generic(data: &[u8]) -> bool {
    data.first().is_some_and(|flags| flags & HAS_PROTOCOL != 0)
}

/// Opens a payload of the port of its generic extension (draft-ietf-nvo3-vxlan-gpe), which may
/// give the next header.
pub(super) fn open_generic(data: &[u8]) -> Option<Inside<'_>> {
    let (header, rest) = data.split_first_chunk::<8>()?;
    if header[0] & HAS_PROTOCOL == 0 {
        return open(data);
    }
    let network = if header[0] & HAS_NETWORK != 0 { be24(header, 4)? } else { 0 };
    let (layer, data) = link::next_protocol(header[3], rest).ok()?;
    Some(Inside { kind: "vxlan", network, layer, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_parsed() {
        let got = open(b"\x08\0\0\0\0\x01\x02\0eth").unwrap();
        assert_eq!((got.network, got.layer, got.data), (258, Layer::Ethernet, &b"eth"[..]));
        assert_eq!(open(b"\x08\0\0\0\0\x01\x02\x80eth").unwrap().network, 258);
        let reserved = open(b"\x08\xff\xff\xff\0\x01\x02\x05eth").unwrap();
        assert_eq!(reserved, got, "what is reserved is ignored");
        assert_eq!(open(b"\0\0\0\0\0\x01\x02\0eth"), None);
        assert!(is_generic(b"\x0c") && !is_generic(b"\x08") && !is_generic(b""));
        assert_eq!(open(b"\x08\0\0\0\0\x01\x02"), None);
        let typed = open_generic(b"\x0c\0\0\x01\0\x01\x02\0E").unwrap();
        assert_eq!((typed.network, typed.layer), (258, Layer::Ip(link::Net::V4)));
        let chained = open_generic(b"\x0c\0\0\x04\0\x01\x02\0nsh").unwrap();
        assert_eq!(chained.layer, Layer::EtherType(0x894f));
        assert_eq!(open_generic(b"\x08\0\0\0\0\x01\x02\0eth").unwrap().layer, Layer::Ethernet);
        assert_eq!(open_generic(b"\x0c\0\0\x09\0\x01\x02\0E"), None);
    }
}
