//! Linux's netfilter log: a family, then attributes, of which one is the packet.

use super::{Fault, Layer, Net};

/// The attribute that contains the packet.
const PAYLOAD: u16 = 9;

/// Attributes that are examined.
const MAX_ATTRIBUTES: usize = 64;

/// Finds the packet. Attributes are in the byte order of the capturing host: a length that is out
/// of bounds in one order is read in the other.
pub(super) fn strip(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let net = match data.first().ok_or(Fault::LinkCut)? {
        2 => Net::V4,
        10 => Net::V6,
        // All families: inet tables, bridges.
        0 | 1 | 7 => Net::Either,
        _ => return Err(Fault::NotIp),
    };
    let mut rest = data.get(4..).ok_or(Fault::LinkCut)?;
    for _ in 0..MAX_ATTRIBUTES {
        let Some((&[l0, l1, k0, k1], body)) = rest.split_first_chunk() else {
            return Err(Fault::LinkCut);
        };
        let fits = |length: u16| (4..=rest.len()).contains(&usize::from(length));
        let little = u16::from_le_bytes([l0, l1]);
        let big = u16::from_be_bytes([l0, l1]);
        let (length, kind) = if !fits(little) && fits(big) {
            (big, u16::from_be_bytes([k0, k1]))
        } else {
            (little, u16::from_le_bytes([k0, k1]))
        };
        let length = usize::from(length);
        if kind == PAYLOAD {
            let body = body.get(..length.saturating_sub(4)).unwrap_or(body);
            return Ok((Layer::Ip(net), body));
        }
        if length < 4 {
            return Err(Fault::NotIp);
        }
        rest = rest.get(length.next_multiple_of(4)..).ok_or(Fault::LinkCut)?;
    }
    Err(Fault::TooManyLayers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_in_both_orders() {
        let little = b"\x02\0\0\0\x05\0\x0a\0p\0\0\0\x06\0\x09\0E.\0\0";
        assert_eq!(strip(little), Ok((Layer::Ip(Net::V4), &b"E."[..])));
        let big = b"\x0a\0\0\0\0\x05\0\x0ap\0\0\0\0\x06\0\x09`.\0\0";
        assert_eq!(strip(big), Ok((Layer::Ip(Net::V6), &b"`."[..])));
        let cut = b"\x02\0\0\0\x40\0\x09\0E";
        assert_eq!(strip(cut), Ok((Layer::Ip(Net::V4), &b"E"[..])));
        assert_eq!(strip(b"\x02\0\0\0\x04\0\x0a\0"), Err(Fault::LinkCut));
        assert_eq!(strip(b"\x02\0\0\0\x00\0\x0a\0"), Err(Fault::NotIp));
        assert_eq!(strip(b"\x1f\0\0\0"), Err(Fault::NotIp));
    }
}
