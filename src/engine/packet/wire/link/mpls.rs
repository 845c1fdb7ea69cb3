//! MPLS: a stack of labels, whose payload is not identified by any header.
//!
//! A first nibble of 4 or 6 is IP; one of 0 is the control word of a pseudowire (RFC 4385),
//! followed by Ethernet; anything else is taken for Ethernet without one. An Ethernet address may
//! begin with any of these: if a frame without a control word certainly contains a packet, and
//! the other reading does not, it is one.

use super::{Fault, Layer, Net};
use crate::engine::packet::bytes::be16;
use crate::engine::packet::wire::ip;

/// Labels that are removed.
const MAX_LABELS: usize = 32;

/// Removes the stack of labels.
pub(super) fn strip(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let mut rest = data;
    for _ in 0..MAX_LABELS {
        let (label, after) = rest.split_first_chunk::<4>().ok_or(Fault::LinkCut)?;
        rest = after;
        if label[2] & 1 == 1 {
            return below(rest);
        }
    }
    Err(Fault::TooManyLayers)
}

fn below(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let nibble = data.first().ok_or(Fault::LinkCut)? >> 4;
    let is_frame = || is_frame_of_ip(data);
    match nibble {
        4 | 6 if !ip::is_certain(Net::Either, data) && is_frame() => Ok((Layer::Ethernet, data)),
        // A frame with a tag looks like one without, four bytes later: the whole frame is tried
        // first.
        0 | 1 if is_frame() => Ok((Layer::Ethernet, data)),
        4 => Ok((Layer::Ip(Net::V4), data)),
        6 => Ok((Layer::Ip(Net::V6), data)),
        0 => Ok((Layer::Ethernet, data.get(4..).ok_or(Fault::LinkCut)?)),
        // The associated channel of a pseudowire: control traffic of the network.
        1 => Err(Fault::NotIp),
        _ => Ok((Layer::Ethernet, data)),
    }
}

/// Whether an Ethernet frame, with up to two VLAN tags, certainly contains a packet.
fn is_frame_of_ip(data: &[u8]) -> bool {
    let Some(at) =
        [12, 16, 20].into_iter().find(|&at| !matches!(be16(data, at), Some(0x8100 | 0x88a8)))
    else {
        return false;
    };
    let packet = data.get(at + 2..).unwrap_or_default();
    match be16(data, at) {
        Some(0x0800) => ip::is_certain(Net::V4, packet),
        Some(0x86dd) => ip::is_certain(Net::V6, packet),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_without_a_control_word() {
        let packet = crate::engine::packet::wire::tunnel::tests::packet();
        for first in [0, 0x10, 0x40, 0x45, 0x60, 0x6c, 0xa0] {
            for tags in [&b""[..], b"\x81\0\0\x07", b"\x88\xa8\0\x07\x81\0\0\x08"] {
                let frame = [&[first][..], &[9; 11], tags, b"\x08\0", &packet].concat();
                let labelled = [&b"\0\x01\x01\x40"[..], &frame].concat();
                assert_eq!(strip(&labelled), Ok((Layer::Ethernet, &frame[..])), "{first:x}");
                let controlled = [&b"\0\x01\x01\x40\0\0\0\x01"[..], &frame].concat();
                assert_eq!(strip(&controlled), Ok((Layer::Ethernet, &frame[..])), "{first:x}");
            }
        }
        let bare = [&b"\0\x01\x01\x40"[..], &packet].concat();
        assert_eq!(strip(&bare), Ok((Layer::Ip(Net::V4), &packet[..])));
    }

    #[test]
    fn stacks_and_their_payloads() {
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
