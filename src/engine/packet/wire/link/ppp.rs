//! PPP (RFC 1661): an optional address and control, and a protocol of one byte or two.

use super::{Fault, Layer, Net, mpls};

/// Removes the header of a PPP frame.
pub(super) fn strip(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let data = data.strip_prefix(&[0xff, 3]).unwrap_or(data);
    let (protocol, rest) = match *data {
        // Compressed: an odd byte is the whole protocol number.
        [low, ref rest @ ..] if low & 1 == 1 => (u16::from(low), rest),
        [high, low, ref rest @ ..] => (u16::from_be_bytes([high, low]), rest),
        _ => return Err(Fault::LinkCut),
    };
    match protocol {
        0x0021 => Ok((Layer::Ip(Net::V4), rest)),
        0x0057 => Ok((Layer::Ip(Net::V6), rest)),
        0x0281 | 0x0283 => mpls::strip(rest),
        0x0031 => bridged(rest),
        0x003d => multilink(rest),
        _ => Err(Fault::NotIp),
    }
}

/// A bridged frame (RFC 3518): flags, with the number of padding bytes, and the type of its
/// addresses.
fn bridged(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let (&[flags, kind], rest) = data.split_first_chunk().ok_or(Fault::LinkCut)?;
    if flags & 0x10 != 0 || kind != 1 {
        return Err(Fault::NotIp);
    }
    Ok((Layer::Ethernet, rest))
}

/// Multilink (RFC 1990) with an unfragmented packet: the bits for beginning and end are set.
/// Sequence numbers have 24 bits, or 12 if that was negotiated: then the protocol comes two bytes
/// earlier.
fn multilink(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let flags = *data.first().ok_or(Fault::LinkCut)?;
    if flags & 0xc0 != 0xc0 {
        return Err(Fault::NotIp);
    }
    let is_short = flags & 0x3f == 0 && matches!(data.get(2..4), Some([0, 0x21 | 0x57]));
    let is_long = matches!(data.get(4..), Some([0, 0x21 | 0x57, ..] | [0x21 | 0x57, ..]));
    let at = if is_short && !is_long { 2 } else { 4 };
    Ok((Layer::Ppp, data.get(at..).ok_or(Fault::LinkCut)?))
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
        let ppp = Ok((Layer::Ppp, &b"\0\x21E"[..]));
        assert_eq!(strip(b"\0\x3d\xc0\0\0\x07\0\x21E"), ppp);
        assert_eq!(strip(b"\0\x3d\xc0\x07\0\x21E"), ppp);
        assert_eq!(strip(b"\0\x3d\x80\0\0\x07\0\x21E"), Err(Fault::NotIp), "a part");
        assert_eq!(strip(b"\0\x31\0\x01eth"), Ok((Layer::Ethernet, &b"eth"[..])));
        assert_eq!(strip(b"\0\x31\0\x04fddi"), Err(Fault::NotIp));
        assert_eq!(strip(b"\xff\x03"), Err(Fault::LinkCut));
        assert_eq!(strip(b"\x00"), Err(Fault::LinkCut));
    }
}
