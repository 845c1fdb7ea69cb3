//! MPLS: a stack of labels, and below it what nobody announces.
//!
//! A first nibble of 4 or 6 is IP; one of 0 is the control word of a pseudowire
//! (RFC 4385), with Ethernet behind it; anything else is taken for Ethernet
//! without one. An Ethernet address that begins with 4 or 6 can't be told from
//! IP: routers have the same difficulty.

use super::{Fault, Layer, Net};

/// Labels that are followed.
const MOST_LABELS: usize = 32;

/// Takes the stack of labels off.
pub(super) fn strip(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let mut rest = data;
    for _ in 0..MOST_LABELS {
        let (label, behind) = rest.split_first_chunk::<4>().ok_or(Fault::LinkCut)?;
        rest = behind;
        if label[2] & 1 == 1 {
            return below(rest);
        }
    }
    Err(Fault::TooManyLayers)
}

fn below(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    match data.first().ok_or(Fault::LinkCut)? >> 4 {
        4 => Ok((Layer::Ip(Net::V4), data)),
        6 => Ok((Layer::Ip(Net::V6), data)),
        0 => Ok((Layer::Ethernet, data.get(4..).ok_or(Fault::LinkCut)?)),
        // The associated channel of a pseudowire: the network's own talk.
        1 => Err(Fault::NotIp),
        _ => Ok((Layer::Ethernet, data)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_and_what_lies_below() {
        let stack = |rest: &[u8]| [b"\x00\x01\x00\x40\x00\x02\x01\x40", rest].concat();
        assert_eq!(strip(&stack(b"E")), Ok((Layer::Ip(Net::V4), &b"E"[..])));
        assert_eq!(strip(&stack(b"`")), Ok((Layer::Ip(Net::V6), &b"`"[..])));
        assert_eq!(strip(&stack(b"\0\0\0\x01eth")), Ok((Layer::Ethernet, &b"eth"[..])));
        assert_eq!(strip(&stack(b"\xaeth")), Ok((Layer::Ethernet, &b"\xaeth"[..])));
        assert_eq!(strip(&stack(b"\x10\0\0\x21")), Err(Fault::NotIp));
        assert_eq!(strip(&stack(b"")), Err(Fault::LinkCut));
        assert_eq!(strip(&[0; 400]), Err(Fault::TooManyLayers));
    }
}
