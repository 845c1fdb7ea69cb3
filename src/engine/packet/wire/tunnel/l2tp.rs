//! L2TP, version 2 (RFC 2661) and 3 (RFC 3931): frames of a line, over UDP or directly over IP.
//!
//! What a session of version 3 carries, how long its cookie is and whether a sublayer follows was
//! negotiated in messages that may not have been captured: the reading that contains a packet is
//! used.

use super::{Inside, Layer, certain};
use crate::engine::packet::bytes::{be16, be32};
use crate::engine::packet::wire::link::Net;

/// Flags of the first word, and the version.
const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;

/// Opens a payload of L2TP's port.
pub(super) fn open(data: &[u8]) -> Option<Inside<'_>> {
    let flags = be16(data, 0)?;
    match flags & 0xf {
        _ if flags & CONTROL != 0 => None,
        2 => open_2(flags, data),
        3 => session(data.get(4..)?),
        _ => None,
    }
}

/// Opens a payload of IP protocol 115: session 0 is that of control.
pub(super) fn open_ip(data: &[u8]) -> Option<Inside<'_>> {
    (be32(data, 0)? != 0).then(|| session(data)).flatten()
}

fn open_2(flags: u16, data: &[u8]) -> Option<Inside<'_>> {
    let (mut at, mut end) = (2, data.len());
    if flags & LENGTH != 0 {
        end = end.min(usize::from(be16(data, at)?));
        at += 2;
    }
    // The two directions have different session numbers, which are no part of the key.
    at += 4;
    if flags & SEQUENCE != 0 {
        at += 4;
    }
    if flags & OFFSET != 0 {
        at += 2 + usize::from(be16(data, at)?);
    }
    let data = data.get(at..end)?;
    certain(Inside { kind: "l2tp", network: 0, layer: Layer::Ppp, data })
}

/// After the session's number: a cookie of zero, four or eight bytes, and a sublayer of four.
fn session(data: &[u8]) -> Option<Inside<'_>> {
    let places = [4, 8, 12, 16].into_iter().filter_map(|at| data.get(at..));
    let layers = [Layer::Ethernet, Layer::Ppp, Layer::Ip(Net::Either), Layer::FrameRelay];
    let mut found = places.flat_map(|data| {
        layers.map(|layer| Inside { kind: "l2tp", network: 0, layer, data }).into_iter()
    });
    found.find_map(certain)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ethernet, packet};
    use super::*;

    #[test]
    fn version_2_with_all_its_fields() {
        let ppp = [&b"\xff\x03\0\x21"[..], &packet()].concat();
        let length = |head: usize| ((head + ppp.len()) as u16).to_be_bytes();
        let [h, l] = length(16);
        for head in [
            &b"\0\x02\0\x01\0\x01"[..],
            &[0x40, 2, length(8)[0], length(8)[1], 0, 1, 0, 1],
            b"\x08\x02\0\x01\0\x01\0\x05\0\x06",
            b"\x02\x02\0\x01\0\x01\0\x03pad",
            &[0x4a, 2, h, l, 0, 1, 0, 1, 0, 5, 0, 6, 0, 2, 0, 0],
        ] {
            let whole = [head, &ppp].concat();
            assert_eq!(open(&whole).map(|inside| inside.data), Some(&ppp[..]), "{head:?}");
            for end in 0..head.len() {
                assert_eq!(open(&whole[..end]), None);
            }
        }
        assert_eq!(open(&[&b"\xc8\x02\0\x10\0\x01\0\x01"[..], &ppp].concat()), None, "control");
        assert_eq!(open(b"\0\x02\0\x01\0\x01\xff\x03\xc0\x21\x01"), None, "LCP");
        assert_eq!(open(&[&b"\0\x01\0\x01\0\x01"[..], &ppp].concat()), None, "version 1");
    }

    #[test]
    fn version_3_with_any_cookie() {
        let ppp = [&b"\xff\x03\0\x21"[..], &packet()].concat();
        let frames =
            [(Layer::Ethernet, ethernet()), (Layer::Ppp, ppp), (Layer::Ip(Net::Either), packet())];
        for (layer, frame) in frames {
            for skipped in [0, 4, 8, 12] {
                let over_ip = [&[0, 0, 0, 7][..], &vec![0xee; skipped], &frame].concat();
                let over_udp = [&[0, 3, 0, 0][..], &over_ip].concat();
                for got in [open(&over_udp), open_ip(&over_ip)] {
                    let got = got.map(|inside| (inside.layer, inside.data));
                    assert_eq!(got, Some((layer, &frame[..])), "{skipped}");
                }
            }
        }
        assert_eq!(open_ip(&[&[0; 4][..], &ethernet()].concat()), None, "control");
        assert_eq!(open_ip(b"\0\0\0\x07something else"), None);
    }
}
