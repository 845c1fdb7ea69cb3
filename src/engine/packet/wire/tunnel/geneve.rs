//! GENEVE (RFC 8926): options with a length in the header, then an EtherType.

use super::{Inside, Layer};
use crate::engine::packet::bytes::{be16, be24};

/// Opens a payload of GENEVE's port.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let &first = data.first()?;
    if first >> 6 != 0 {
        return None;
    }
    let layer = Layer::EtherType(be16(data, 2)?);
    let network = be24(data, 4)?;
    let options = usize::from(first & 0x3f) * 4;
    Some(Inside { kind: "geneve", network, layer, data: data.get(8 + options..)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_parsed() {
        let got = open(b"\x01\0\x65\x58\0\0\x0b\0optseth").unwrap();
        assert_eq!(got.layer, Layer::EtherType(0x6558));
        assert_eq!((got.network, got.data), (11, &b"eth"[..]));
        assert_eq!(open(b"\x40\0\x65\x58\0\0\x0b\0"), None, "version 1");
        assert_eq!(open(b"\x02\0\x65\x58\0\0\x0b\0opt"), None);
    }
}
