//! CAPWAP (RFC 5415), and LWAPP before it: frames from an access point to its controller, if they
//! are not encrypted.

use super::{Inside, Layer};
use crate::engine::packet::bytes::be32;
use crate::engine::packet::wire::link;

/// Bits of the first word: the frame is an 802.11 frame, a fragment, a keep-alive.
const NATIVE: u32 = 1 << 8;
const FRAGMENT: u32 = 1 << 7;
const KEEP_ALIVE: u32 = 1 << 3;

/// Opens a payload of CAPWAP's data port. A first byte other than 0 is another version, or means
/// DTLS. The header contains its length in words.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let word = be32(data, 0)?;
    if word >> 24 != 0 || word & (FRAGMENT | KEEP_ALIVE) != 0 {
        return None;
    }
    let header = (word >> 19 & 0x1f) as usize * 4;
    let frame = data.get(header..).filter(|_| header >= 8)?;
    let is_native = word & NATIVE != 0;
    let layer = if is_native { wireless(frame)? } else { Layer::Ethernet };
    Some(Inside { kind: "capwap", network: 0, layer, data: frame })
}

/// Opens a payload of LWAPP's data port: six bytes with the flags for control and fragments, then
/// the 802.11 frame.
pub(super) fn open_lwapp(data: &[u8]) -> Option<Inside<'_>> {
    let (header, frame) = data.split_first_chunk::<6>()?;
    if header[0] & 0xc7 != 0 {
        return None;
    }
    let layer = wireless(frame)?;
    Some(Inside { kind: "lwapp", network: 0, layer, data: frame })
}

fn wireless(frame: &[u8]) -> Option<Layer> {
    Some(Layer::Wireless(link::is_swapped(frame)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn radio() -> Vec<u8> {
        let mut frame = vec![0; 24];
        (frame[0], frame[1]) = (8, 1);
        frame.extend(b"\xaa\xaa\x03\0\0\0\x08\0E");
        frame
    }

    #[test]
    fn headers_with_both_kinds_of_frames() {
        let plain = open(b"\0\x10\x42\0\0\0\0\0eth").unwrap();
        assert_eq!((plain.layer, plain.data), (Layer::Ethernet, &b"eth"[..]));
        let mut native = [&b"\0\x20\x43\x10\0\0\0\0\x06macmac\0"[..], &radio()].concat();
        assert_eq!(open(&native).map(|inside| inside.layer), Some(Layer::Wireless(false)));
        native.swap(16, 17);
        assert_eq!(open(&native).map(|inside| inside.layer), Some(Layer::Wireless(true)));
        for data in [
            &b"\x01\0\0\0\x16\xfe\xff"[..],
            b"\0\x10\x42\x08\0\0\0\0eth",
            b"\0\x10\x42\x80\0\0\0\0eth",
            b"\0\x08\x42\0\0\0\0\0eth",
            b"\0\x18\x42\0\0\0\0\0eth",
            b"\x10\x10\x42\0\0\0\0\0eth",
            b"\0\x10\x43\0\0\0\0\0no frame of a radio",
        ] {
            assert_eq!(open(data), None, "{data:?}");
        }
    }

    #[test]
    fn lwapp_frames_are_read() {
        let frame = |flags| [&[flags, 0, 0, 0, 0, 0][..], &radio()].concat();
        assert_eq!(open_lwapp(&frame(8)).map(|inside| inside.data), Some(&radio()[..]));
        for flags in [4, 2, 1, 0x40] {
            assert_eq!(open_lwapp(&frame(flags)), None, "{flags}");
        }
    }
}
