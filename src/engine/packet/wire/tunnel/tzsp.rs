//! TZSP: frames that a remote sniffer captured, after tags that describe them.

use super::{Inside, Layer};
use crate::engine::packet::bytes::be16;

/// Tags that are skipped.
const MAX_TAGS: usize = 32;

/// Opens a payload of TZSP's port: version 1, a frame that was received or will be sent, and its
/// type.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let &[1, 0 | 1] = data.first_chunk()? else { return None };
    let layer = match be16(data, 2)? {
        1 => Layer::Ethernet,
        18 => Layer::Wireless(false),
        119 => Layer::Link(119),
        127 => Layer::Link(163),
        _ => return None,
    };
    let data = skip_tags(data.get(4..)?)?;
    Some(Inside { kind: "tzsp", network: 0, layer, data })
}

/// Padding and the end are one byte, all other tags contain their length.
fn skip_tags(mut data: &[u8]) -> Option<&[u8]> {
    for _ in 0..MAX_TAGS {
        let (&tag, rest) = data.split_first()?;
        data = match tag {
            0 => rest,
            1 => return Some(rest),
            _ => rest.get(1 + usize::from(*rest.first()?)..)?,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_kinds() {
        let got = open(b"\x01\0\0\x01\x01eth").unwrap();
        assert_eq!((got.layer, got.data), (Layer::Ethernet, &b"eth"[..]));
        let got = open(b"\x01\x01\0\x12\0\x0a\x01\xc8\0\x29\x02\0\x40\x01radio").unwrap();
        assert_eq!((got.layer, got.data), (Layer::Wireless(false), &b"radio"[..]));
        for data in [
            &b"\x02\0\0\x01\x01eth"[..],
            b"\x01\x04\0\0\x01",
            b"\x01\0\0\x07\x01eth",
            b"\x01\0\0\x01\x0a",
            b"\x01\0\0\x01\x0a\x05e",
            b"\x01\0\0",
        ] {
            assert_eq!(open(data), None, "{data:?}");
        }
        assert_eq!(open(&[&b"\x01\0\0\x01"[..], &[0; 40], b"\x01eth"].concat()), None);
    }
}
