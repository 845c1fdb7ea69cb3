//! Teredo (RFC 4380): IPv6 in UDP, through address translation.
//!
//! Servers and relays use one port; peers use any port, where the inner addresses identify it.

use super::{Inside, Layer};
use crate::engine::packet::bytes::be16;
use crate::engine::packet::wire::link::Net;

pub(super) const PORT: u16 = 3544;

/// The prefix of Teredo's addresses.
const PREFIX: [u8; 4] = [0x20, 0x01, 0, 0];

/// Opens a payload if it is an IPv6 packet from its first to its last byte, or to its trailers.
/// On other ports than Teredo's (`is_announced`), one address must be Teredo's.
pub(super) fn open(data: &[u8], is_announced: bool) -> Option<Inside<'_>> {
    let packet = if is_announced { skip_indications(data)? } else { data };
    if packet.first()? >> 4 != 6 {
        return None;
    }
    let (packet, trailers) = packet.split_at_checked(usize::from(be16(packet, 4)?) + 40)?;
    if !are_trailers(trailers) {
        return None;
    }
    let is_teredo = |at: usize| packet.get(at..at + 4) == Some(&PREFIX[..]);
    if !is_announced && !is_teredo(8) && !is_teredo(24) {
        return None;
    }
    Some(Inside { kind: "teredo", network: 0, layer: Layer::Ip(Net::V6), data: packet })
}

/// What may follow the packet (RFC 6081, 4): kinds from 1 to 5, each with its length.
fn are_trailers(mut rest: &[u8]) -> bool {
    while let [kind, length, value @ ..] = rest {
        let Some(others) = value.get(usize::from(*length)..).filter(|_| matches!(kind, 1..=5))
        else {
            return false;
        };
        rest = others;
    }
    rest.is_empty()
}

/// Authentication and origin may precede the packet.
fn skip_indications(data: &[u8]) -> Option<&[u8]> {
    let mut rest = data;
    if let [0, 1, id, authentication, ..] = *rest {
        rest = rest.get(13 + usize::from(id) + usize::from(authentication)..)?;
    }
    if rest.starts_with(&[0, 0]) {
        rest = rest.get(8..)?;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(src: [u8; 4]) -> Vec<u8> {
        let mut packet = vec![0x60, 0, 0, 0, 0, 2, 59, 64];
        packet.extend(src);
        packet.resize(42, 0);
        packet
    }

    #[test]
    fn packets_and_indications() {
        let bare = v6([0xfe, 0x80, 0, 0]);
        let origin = [b"\0\0oooooo", &bare[..]].concat();
        let both = [b"\0\x01\x01\x02iaannnnnnnnc", &origin[..]].concat();
        for data in [&bare, &origin, &both] {
            assert_eq!(open(data, true).map(|inside| inside.data), Some(&bare[..]));
            assert_eq!(open(data, false), None);
        }
        assert!(open(&v6(PREFIX), false).is_some());
        assert_eq!(open(&[&v6(PREFIX), &b"x"[..]].concat(), true), None);
        let trailed = |trailers: &[u8]| [&bare, trailers].concat();
        for trailers in [&b"\x01\x04nnnn"[..], b"\x05\x02pp\x04\0"] {
            assert_eq!(open(&trailed(trailers), true).map(|got| got.data), Some(&bare[..]));
        }
        for others in [&b"\x01\x05nnnn"[..], b"\x09\x01n", b"\0\0", b"\x05\x02pp\x04"] {
            assert_eq!(open(&trailed(others), true), None, "{others:?}");
        }
        assert_eq!(open(b"\0\x01\xff", true), None);
        assert_eq!(open(b"", true), None);
    }
}
