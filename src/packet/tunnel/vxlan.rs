//! VXLAN (RFC 7348): eight bytes, then Ethernet.

use super::{Inside, Layer};
use crate::packet::bytes::be24;

/// The flag that a network is named.
const HAS_NETWORK: u8 = 8;

/// Opens a payload of one of VXLAN's ports.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let (header, data) = data.split_first_chunk::<8>()?;
    if header[0] & HAS_NETWORK == 0 || header[7] != 0 {
        return None;
    }
    let network = be24(header, 4)?;
    Some(Inside { kind: "vxlan", network, layer: Layer::Ethernet, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let got = open(b"\x08\0\0\0\0\x01\x02\0eth").unwrap();
        assert_eq!((got.network, got.layer, got.data), (258, Layer::Ethernet, &b"eth"[..]));
        assert_eq!(open(b"\0\0\0\0\0\x01\x02\0eth"), None);
        assert_eq!(open(b"\x08\0\0\0\0\x01\x02"), None);
    }
}
