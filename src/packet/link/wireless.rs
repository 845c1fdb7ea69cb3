//! IEEE 802.11 data frames, bare or behind a radiotap header.
//!
//! What is encrypted is counted as that. Of an aggregate the first packet is
//! read: monitoring cards hand on the others only where they take aggregates
//! apart themselves.

use super::{Fault, Layer, llc};

const TYPE_DATA: u8 = 2;

/// Bits of a data frame's subtype.
const NO_DATA: u8 = 4;
const QOS: u8 = 8;

/// Flags of the second byte.
const BOTH_SYSTEMS: u8 = 3;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;

/// Fields of radiotap: the timer in front of the flags, and what the flags say.
const HAS_TIMER: u8 = 1;
const HAS_FLAGS: u8 = 2;
const HAS_MORE: u8 = 0x80;
const PADDED: u8 = 0x20;

/// Takes the radiotap header off, and the 802.11 header behind it.
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
    // Words of presence follow each other as long as their highest bit is set.
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

/// Takes the header of an 802.11 frame off. `is_padded`: up to a multiple of four.
pub(super) fn strip(data: &[u8], is_padded: bool) -> Result<(Layer, &[u8]), Fault> {
    let &[control, flags] = data.first_chunk().ok_or(Fault::LinkCut)?;
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    if kind != TYPE_DATA || subtype & NO_DATA != 0 {
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
    if is_aggregate {
        length += 14;
    }
    llc(data.get(length..).ok_or(Fault::LinkCut)?)
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
    fn header_lengths() {
        let found = Ok((Layer::EtherType(0x0800), &b"E"[..]));
        for (control, flags, header) in
            [(0x08, 1, 24), (0x08, 3, 30), (0x88, 2, 26), (0x88, 0x82, 30), (0x88, 3, 32)]
        {
            assert_eq!(strip(&frame(control, flags, header), false), found, "{control} {flags}");
        }
        assert_eq!(strip(&frame(0x88, 1, 28), true), found);
        let mut aggregate = frame(0x88, 1, 40);
        aggregate[24] = 0x80;
        assert_eq!(strip(&aggregate, false), found);
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
    fn radiotap() {
        let found = Ok((Layer::EtherType(0x0800), &b"E"[..]));
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
