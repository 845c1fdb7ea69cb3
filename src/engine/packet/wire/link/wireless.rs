//! IEEE 802.11 data frames, with or without a radiotap header.
//!
//! Encrypted frames are counted as such. The frames of an aggregate are decoded one after the
//! other.

use super::{Fault, Layer};
use crate::engine::packet::bytes::{be16, be32, le32};

const TYPE_DATA: u8 = 2;

/// Bits of a data frame's subtype.
const NO_DATA: u8 = 4;
const QOS: u8 = 8;

/// Flags of the second byte.
const BOTH_SYSTEMS: u8 = 3;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;

/// The header of a subframe in an aggregate: two addresses and a length.
const SUBFRAME: usize = 14;

/// The LLC header of SNAP.
const SNAP: [u8; 3] = [0xaa, 0xaa, 3];

/// Fields of radiotap: the timer before the flags, and the meaning of the flags.
const HAS_TIMER: u8 = 1;
const HAS_FLAGS: u8 = 2;
const HAS_MORE: u8 = 0x80;
const PADDED: u8 = 0x20;

/// Removes the radiotap header, and the 802.11 header after it.
pub(super) fn strip_radiotap(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let Some(&[0, _, l0, l1]) = data.first_chunk() else { return Err(Fault::LinkCut) };
    let length = usize::from(u16::from_le_bytes([l0, l1]));
    let (header, rest) = data.split_at_checked(length).ok_or(Fault::LinkCut)?;
    let is_padded = flags(header).is_some_and(|flags| flags & PADDED != 0);
    strip(rest, is_padded)
}

/// The flags of a radiotap header, if it has them.
fn flags(header: &[u8]) -> Option<u8> {
    let present = *header.get(4)?;
    // Presence words follow each other as long as their highest bit is set.
    let mut at = 4;
    while header.get(at + 3)? & HAS_MORE != 0 {
        at += 4;
    }
    at += 4;
    if present & HAS_TIMER != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    (present & HAS_FLAGS != 0).then(|| header.get(at).copied()).flatten()
}

/// Removes the header of Prism cards and their drivers: the AVS form has a magic number, and both
/// contain their length.
pub(super) fn strip_prism(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let (big, little) = be32(data, 4).zip(le32(data, 4)).ok_or(Fault::LinkCut)?;
    let length = big.min(little) as usize;
    if length < 8 {
        return Err(Fault::NotIp);
    }
    strip(data.get(length..).ok_or(Fault::LinkCut)?, false)
}

/// Whether the bytes of a frame's control field are swapped, if it is a frame with a packet.
pub(in crate::engine::packet) fn is_swapped(data: &[u8]) -> Option<bool> {
    [false, true].into_iter().find(|&is_swapped| match strip_swapped(data, is_swapped) {
        Ok((Layer::Llc, rest)) => rest.starts_with(&SNAP),
        Ok((Layer::Aggregate, rest)) => {
            rest.get(SUBFRAME..).is_some_and(|rest| rest.starts_with(&SNAP))
        }
        _ => false,
    })
}

/// Removes the header of an 802.11 frame, whose control field may be swapped.
pub(super) fn strip_swapped(data: &[u8], is_swapped: bool) -> Result<(Layer, &[u8]), Fault> {
    let &[first, second] = data.first_chunk().ok_or(Fault::LinkCut)?;
    let control = if is_swapped { [second, first] } else { [first, second] };
    strip_controlled(control, data, false)
}

/// Returns the first subframe of an aggregate, and the others. Each has the length of its LLC
/// data after two addresses, and begins at a multiple of four.
pub(super) fn subframe(data: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let length = usize::from(be16(data, SUBFRAME - 2).ok_or(Fault::LinkCut)?);
    let rest = data.get(SUBFRAME..).ok_or(Fault::LinkCut)?;
    let others = data.get((SUBFRAME + length).next_multiple_of(4)..).unwrap_or_default();
    let others = if others.len() < SUBFRAME { &[] } else { others };
    Ok((rest.get(..length).unwrap_or(rest), others))
}

/// Removes the header of an 802.11 frame. `is_padded`: up to a multiple of four.
pub(super) fn strip(data: &[u8], is_padded: bool) -> Result<(Layer, &[u8]), Fault> {
    let control = *data.first_chunk().ok_or(Fault::LinkCut)?;
    strip_controlled(control, data, is_padded)
}

fn strip_controlled(
    [control, flags]: [u8; 2],
    data: &[u8],
    is_padded: bool,
) -> Result<(Layer, &[u8]), Fault> {
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    if control & 3 != 0 || kind != TYPE_DATA || subtype & NO_DATA != 0 {
        return Err(Fault::NotIp);
    }
    if flags & PROTECTED != 0 {
        return Err(Fault::Encrypted);
    }
    let mut length = if flags & BOTH_SYSTEMS == BOTH_SYSTEMS { 30 } else { 24 };
    let mut is_aggregate = false;
    if subtype & QOS != 0 {
        is_aggregate = data.get(length).ok_or(Fault::LinkCut)? & 0x80 != 0;
        length += if flags & ORDER != 0 { 6 } else { 2 };
    }
    if is_padded {
        length = length.next_multiple_of(4);
    }
    let layer = if is_aggregate { Layer::Aggregate } else { Layer::Llc };
    Ok((layer, data.get(length..).ok_or(Fault::LinkCut)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: &[u8] = b"\xaa\xaa\x03\0\0\0\x08\0E";

    fn frame(control: u8, flags: u8, header: usize) -> Vec<u8> {
        let mut frame = vec![0; header];
        (frame[0], frame[1]) = (control, flags);
        frame.extend(IP);
        frame
    }

    #[test]
    fn flags_decide_the_length_of_the_header() {
        let found = Ok((Layer::Llc, IP));
        for (control, flags, header) in
            [(0x08, 1, 24), (0x08, 3, 30), (0x88, 2, 26), (0x88, 0x82, 30), (0x88, 3, 32)]
        {
            assert_eq!(strip(&frame(control, flags, header), false), found, "{control} {flags}");
        }
        assert_eq!(strip(&frame(0x88, 1, 28), true), found);
        assert_eq!(strip(&frame(0x89, 1, 26), false), Err(Fault::NotIp), "a later version");
    }

    #[test]
    fn every_frame_of_an_aggregate_is_read() {
        let mut whole = frame(0x88, 1, 26)[..26].to_vec();
        whole[24] = 0x80;
        for length in [9, 9, 9_u8] {
            whole.resize(26 + (whole.len() - 26).next_multiple_of(4), 0);
            whole.extend([0; 13]);
            whole.push(length);
            whole.extend(IP);
        }
        let (layer, mut rest) = strip(&whole, false).unwrap();
        assert_eq!(layer, Layer::Aggregate);
        for is_last in [false, false, true] {
            let (first, others) = subframe(rest).unwrap();
            assert_eq!((first, others.is_empty()), (IP, is_last));
            rest = others;
        }
        let cut = subframe(&whole[26..30 + SUBFRAME]).unwrap();
        assert_eq!(cut, (&IP[..4], &b""[..]));
        assert_eq!(subframe(&whole[26..39]), Err(Fault::LinkCut));
    }

    #[test]
    fn control_bytes_in_swapped_order_are_read() {
        assert_eq!(is_swapped(&frame(0x88, 1, 26)), Some(false));
        let mut swapped = frame(0x88, 1, 26);
        swapped.swap(0, 1);
        assert_eq!(is_swapped(&swapped), Some(true));
        assert_eq!(strip_swapped(&swapped, true), Ok((Layer::Llc, IP)));
        assert_eq!(is_swapped(&frame(0x80, 0, 24)), None);
        assert_eq!(is_swapped(&frame(0x08, 0x41, 24)), None, "encrypted");
    }

    #[test]
    fn headers_of_prism() {
        let avs = [&b"\x80\x21\x10\x01\0\0\0\x40"[..], &[0; 56], &frame(8, 1, 24)].concat();
        assert_eq!(strip_prism(&avs), Ok((Layer::Llc, IP)));
        let prism = [&b"\x44\0\0\0\x90\0\0\0"[..], &[0; 136], &frame(8, 1, 24)].concat();
        assert_eq!(strip_prism(&prism), Ok((Layer::Llc, IP)));
        assert_eq!(strip_prism(&prism[..140]), Err(Fault::LinkCut));
        assert_eq!(strip_prism(&[0; 20]), Err(Fault::NotIp));
    }

    #[test]
    fn what_is_no_data_in_clear() {
        assert_eq!(strip(&frame(0x80, 0, 24), false), Err(Fault::NotIp), "a beacon");
        assert_eq!(strip(&frame(0x48, 0, 24), false), Err(Fault::NotIp), "without data");
        assert_eq!(strip(&frame(0x08, 0x41, 24), false), Err(Fault::Encrypted));
        assert_eq!(strip(&[8, 0, 1], false), Err(Fault::LinkCut));
        assert_eq!(strip(&[], false), Err(Fault::LinkCut));
    }

    #[test]
    fn radiotap_headers_are_removed() {
        let found = Ok((Layer::Llc, IP));
        let plain = [&b"\0\0\x08\0\0\0\0\0"[..], &frame(8, 1, 24)].concat();
        assert_eq!(strip_radiotap(&plain), found);
        let flagged = b"\0\0\x19\0\x03\0\0\x80\0\0\0\0\0\0\0\0tttttttt\x20";
        assert_eq!(flags(flagged), Some(PADDED));
        let padded = [&flagged[..], &frame(0x88, 1, 28)].concat();
        assert_eq!(strip_radiotap(&padded), found);
        assert_eq!(strip_radiotap(b"\0\0\x09\0\0\0\0\0"), Err(Fault::LinkCut));
        assert_eq!(flags(b"\0\0\x08\0\x02\0\0\x80"), None);
    }
}
