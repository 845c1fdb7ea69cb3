//! PPP (RFC 1661): an optional address and control, and a protocol of one byte or two.

use super::{Fault, Layer, Net, mpls};

/// Takes the header of a PPP frame off.
pub(super) fn strip(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let data = data.strip_prefix(&[0xff, 3]).unwrap_or(data);
    let (protocol, rest) = match *data {
        // Compressed: an odd byte is the whole protocol.
        [low, ref rest @ ..] if low & 1 == 1 => (u16::from(low), rest),
        [high, low, ref rest @ ..] => (u16::from_be_bytes([high, low]), rest),
        _ => return Err(Fault::LinkCut),
    };
    match protocol {
        0x0021 => Ok((Layer::Ip(Net::V4), rest)),
        0x0057 => Ok((Layer::Ip(Net::V6), rest)),
        0x0281 | 0x0283 => mpls::strip(rest),
        _ => Err(Fault::NotIp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_address_and_compression() {
        let v4 = Ok((Layer::Ip(Net::V4), &b"E"[..]));
        for frame in [&b"\xff\x03\x00\x21E"[..], b"\x00\x21E", b"\x21E", b"\xff\x03\x21E"] {
            assert_eq!(strip(frame), v4, "{frame:?}");
        }
        assert_eq!(strip(b"\x57`"), Ok((Layer::Ip(Net::V6), &b"`"[..])));
        assert_eq!(strip(b"\x02\x81\x00\x01\x01\x40E"), v4);
        assert_eq!(strip(b"\xc0\x21\x01"), Err(Fault::NotIp));
        assert_eq!(strip(b"\xff\x03"), Err(Fault::LinkCut));
        assert_eq!(strip(b"\x00"), Err(Fault::LinkCut));
    }
}
