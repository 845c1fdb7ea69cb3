//! Headers that access points and routers add to frames that they mirror to an analyser over UDP:
//! WildPackets' of Cisco's access points, Aruba's and HP's, Juniper's.
//!
//! Only the port identifies them, so their payload must certainly be a packet.

use super::{Inside, certain};
use crate::engine::packet::wire::link::{Layer, Net};

pub(super) const PEEK: u16 = 5000;
pub(super) const ARUBA: u16 = 5555;
pub(super) const HP: u16 = 7932;
pub(super) const JUNIPER: u16 = 30030;

/// The beginning of WildPackets' second form, whose length follows the version.
const PEEK_MAGIC: &[u8] = b"\0\xff\xab\xcd";

/// Opens a payload that is sent to one of these ports.
pub(super) fn open(port: u16, data: &[u8]) -> Option<Inside<'_>> {
    let at =
        |kind, layer, at: usize| certain(Inside { kind, network: 0, layer, data: data.get(at..)? });
    let air = Layer::Wireless(false);
    match port {
        PEEK if data.starts_with(PEEK_MAGIC) => {
            let length = data.get(5..)?.first_chunk()?;
            at("peek", air, u32::from_be_bytes(*length) as usize)
        }
        PEEK => at("peek", air, 20),
        // The header of a pcap record, with or without the radio's rate, channel and signal.
        ARUBA => at("aruba", air, 16).or_else(|| at("aruba", air, 19)),
        HP => at("hp_erm", Layer::Ethernet, 12),
        // The requester, and the session.
        JUNIPER => [8, 12].iter().find_map(|&from| at("jmirror", Layer::Ip(Net::Either), from)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ethernet, packet};
    use super::*;

    #[test]
    fn mirrored_frames() {
        let air = [&[8, 1][..], &[0; 22], b"\xaa\xaa\x03\0\0\0\x08\0", &packet()].concat();
        let second = [PEEK_MAGIC, b"\x02\0\0\0\x37", &[0; 46]].concat();
        for (port, head, frame) in [
            (PEEK, vec![0; 20], air.clone()),
            (PEEK, second, air.clone()),
            (ARUBA, vec![0; 16], air.clone()),
            (ARUBA, vec![0; 19], air),
            (HP, vec![0; 12], ethernet()),
            (JUNIPER, vec![7; 8], packet()),
            (JUNIPER, vec![7; 12], packet()),
        ] {
            let whole = [&head[..], &frame].concat();
            let inside = open(port, &whole).unwrap_or_else(|| panic!("{port}"));
            assert_eq!(inside.data, frame, "{port}");
            assert_eq!(open(port, &whole[1..]), None, "{port}");
            assert_eq!(open(port, &head), None, "{port}");
            assert_eq!(open(9, &whole), None);
        }
    }
}
