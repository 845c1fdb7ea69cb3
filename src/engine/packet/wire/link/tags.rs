//! Tags that switches, taps and backbones insert between Ethernet's addresses and the packet,
//! each with its own EtherType.

use super::{Fault, Layer, Net, mpls, typed};
use crate::engine::packet::bytes::be16;

const CONGESTION: u16 = 0x22e9;
const FINE_LABEL: u16 = 0x893b;
const R_TAG: u16 = 0xf1c1;
const BATMAN: u16 = 0x4305;
const TRILL: u16 = 0x22f3;
const REALTEK: u16 = 0x8899;
const FABRIC_PATH: u16 = 0x8903;
const CISCO_METADATA: u16 = 0x8909;
const VN_TAG: u16 = 0x8926;
const HSR: u16 = 0x892f;
const E_TAG: u16 = 0x893f;
const NSH: u16 = 0x894f;
const MACSEC: u16 = 0x88e5;
const I_TAG: u16 = 0x88e7;
const ARISTA: u16 = 0xd28b;
const EDSA: u16 = 0xdada;

/// Bits of the first byte of MACsec: its version, the channel identifier, and whether the data is
/// encrypted or changed.
const MACSEC_VERSION: u8 = 0x80;
const MACSEC_CHANNEL: u8 = 0x20;
const MACSEC_ENCRYPTED: u8 = 8;
const MACSEC_CHANGED: u8 = 4;

/// Removes the tag of an EtherType; `data` is what follows the type.
pub(super) fn strip(kind: u16, data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    match kind {
        // These tags have a fixed length, and are followed by the next type.
        VN_TAG => typed(data, 4),
        E_TAG => typed(data, 6),
        // IEEE 802.1CB: two reserved bytes and a sequence number.
        R_TAG => typed(data, 4),
        // IEEE 802.1Qau, and half of a label of RFC 7172.
        CONGESTION | FINE_LABEL => typed(data, 2),
        EDSA => typed(data, 6),
        // IEC 62439-3: path, size and sequence number.
        HSR => typed(data, 4),
        CISCO_METADATA => metadata(data),
        ARISTA => timestamp(data),
        REALTEK => realtek(data),
        MACSEC => macsec(data),
        // IEEE 802.1ah: flags and the service, then the customer's frame.
        I_TAG => Ok((Layer::Ethernet, after(data, 4)?)),
        // Its forwarding tag and lifetime.
        FABRIC_PATH => Ok((Layer::Ethernet, after(data, 2)?)),
        TRILL => trill(data),
        BATMAN => batman(data),
        NSH => nsh(data),
        _ => Err(Fault::NotIp),
    }
}

fn after(data: &[u8], length: usize) -> Result<&[u8], Fault> {
    data.get(length..).ok_or(Fault::LinkCut)
}

/// Version 1, a length in words of four bytes, minus the other bits; then the next type.
fn metadata(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    match data.first_chunk().ok_or(Fault::LinkCut)? {
        [1, length @ 1..=8] => typed(data, 2 + 4 * usize::from(*length)),
        _ => Err(Fault::NotIp),
    }
}

/// Arista's timestamps: 64 or 48 bits.
fn timestamp(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let (subtype, version) = be16(data, 0).zip(be16(data, 2)).ok_or(Fault::LinkCut)?;
    match (subtype, version >> 4 & 0xf) {
        (1, 1) => typed(data, 12),
        (1, 2) => typed(data, 10),
        _ => Err(Fault::NotIp),
    }
}

/// Realtek's switches: protocol 4 has eight bytes including the type, protocols 9 and 10 have
/// four.
fn realtek(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    match data.first().ok_or(Fault::LinkCut)? {
        4 => typed(data, 6),
        first if matches!(first >> 4, 9 | 10) => typed(data, 2),
        _ => Err(Fault::NotIp),
    }
}

/// IEEE 802.1AE, if it authenticates without encryption. The check value at the end is not part
/// of the packet, as its own length shows.
fn macsec(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let control = *data.first().ok_or(Fault::LinkCut)?;
    if control & MACSEC_VERSION != 0 {
        return Err(Fault::NotIp);
    }
    if control & (MACSEC_ENCRYPTED | MACSEC_CHANGED) != 0 {
        return Err(Fault::MacsecEncrypted);
    }
    typed(data, if control & MACSEC_CHANNEL != 0 { 14 } else { 6 })
}

/// B.A.T.M.A.N. advanced, version 15 (`uapi/linux/batadv_packet.h` of Linux): frames to one node,
/// with or without the sending node, and to all nodes. Fragments are not reassembled.
fn batman(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let length = match data.first_chunk().ok_or(Fault::LinkCut)? {
        [0x40, 15] => 10,
        [0x42, 15] => 18,
        [1, 15] => 14,
        _ => return Err(Fault::NotIp),
    };
    Ok((Layer::Ethernet, after(data, length)?))
}

/// RFC 6325: names of bridges and options, then the frame.
fn trill(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let flags = be16(data, 0).ok_or(Fault::LinkCut)?;
    if flags >> 14 != 0 {
        return Err(Fault::NotIp);
    }
    let options = usize::from(flags >> 6 & 0x1f) * 4;
    Ok((Layer::Ethernet, after(data, 6 + options)?))
}

/// RFC 8300: a service path and metadata, as long as the header says.
fn nsh(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let &[version, length, _, next] = data.first_chunk().ok_or(Fault::LinkCut)?;
    let length = usize::from(length & 0x3f) * 4;
    if version >> 6 != 0 || length < 8 {
        return Err(Fault::NotIp);
    }
    next_protocol(next, after(data, length)?)
}

/// The protocol numbers for the next header in NSH, VXLAN-GPE and LISP-GPE.
pub(in crate::engine::packet) fn next_protocol(
    next: u8,
    data: &[u8],
) -> Result<(Layer, &[u8]), Fault> {
    match next {
        1 => Ok((Layer::Ip(Net::V4), data)),
        2 => Ok((Layer::Ip(Net::V6), data)),
        3 => Ok((Layer::Ethernet, data)),
        4 => Ok((Layer::EtherType(NSH), data)),
        5 => mpls::strip(data),
        _ => Err(Fault::NotIp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: Result<(Layer, &[u8]), Fault> = Ok((Layer::EtherType(0x0800), b"E"));
    const FRAME: Result<(Layer, &[u8]), Fault> = Ok((Layer::Ethernet, b"eth"));

    #[test]
    fn tags_of_switches() {
        assert_eq!(strip(VN_TAG, b"\0\0\0\0\x08\0E"), V4);
        assert_eq!(strip(E_TAG, b"\0\0\0\x01\0\0\x08\0E"), V4);
        assert_eq!(strip(EDSA, b"\0\0\xc0\0\0\x01\x08\0E"), V4);
        assert_eq!(strip(HSR, b"\x10\x40\0\x01\x08\0E"), V4);
        assert_eq!(strip(CISCO_METADATA, b"\x01\x01\0\x01\0\x07\x08\0E"), V4);
        assert_eq!(strip(CISCO_METADATA, b"\x02\x01\0\x01\0\x07\x08\0E"), Err(Fault::NotIp));
        assert_eq!(strip(REALTEK, b"\xa0\0\x08\0E"), V4);
        assert_eq!(strip(REALTEK, b"\x04\0\0\0\0\0\x08\0E"), V4);
        assert_eq!(strip(REALTEK, b"\x23\0\x08\0E"), Err(Fault::NotIp), "its own protocol");
        assert_eq!(strip(ARISTA, b"\0\x01\0\x10sssnnnnn\x08\0E"), V4);
        assert_eq!(strip(ARISTA, b"\0\x01\x01\x21ssnnnn\x08\0E"), V4);
        assert_eq!(strip(ARISTA, b"\xca\xfe\0\x01ssnnnn\x08\0E"), Err(Fault::NotIp));
        for (head, length) in [([0x40, 15], 10), ([0x42, 15], 18), ([1, 15], 14)] {
            let bytes = [&head[..], &vec![7; length - 2], b"frame"].concat();
            assert_eq!(strip(0x4305, &bytes), Ok((Layer::Ethernet, &b"frame"[..])));
            assert_eq!(strip(0x4305, &bytes[..length - 1]), Err(Fault::LinkCut));
        }
        assert_eq!(strip(0x4305, &[0x41, 15, 0, 0]), Err(Fault::NotIp));
        assert_eq!(strip(0x88cc, b"lldp"), Err(Fault::NotIp));
        assert_eq!(strip(VN_TAG, b"\0\0\0\0\x08"), Err(Fault::LinkCut));
    }

    #[test]
    fn backbones_and_service_chains() {
        assert_eq!(strip(I_TAG, b"\0\0\0\x01eth"), FRAME);
        assert_eq!(strip(FABRIC_PATH, b"\0\x40eth"), FRAME);
        assert_eq!(strip(TRILL, b"\0\x05\0\x01\0\x02eth"), FRAME);
        assert_eq!(strip(TRILL, b"\0\x45\0\x01\0\x02opt!eth"), FRAME);
        assert_eq!(strip(TRILL, b"\x40\x05\0\x01\0\x02eth"), Err(Fault::NotIp));
        assert_eq!(strip(NSH, b"\0\x02\x02\x03\0\0\x01\xffeth"), FRAME);
        let v6 = Ok((Layer::Ip(Net::V6), &b"`"[..]));
        assert_eq!(strip(NSH, &[&b"\x0f\xc6\x01\x02"[..], &[0; 20], b"`"].concat()), v6);
        assert_eq!(strip(NSH, b"\0\x01\x02\x03\0\0\x01\xffeth"), Err(Fault::NotIp));
        assert_eq!(strip(NSH, b"\0\x03\x02\x03\0\0\x01\xffeth"), Err(Fault::LinkCut));
    }

    #[test]
    fn macsec_is_read_where_it_only_protects() {
        assert_eq!(strip(MACSEC, b"\0\0\0\0\0\x01\x08\0E"), V4);
        assert_eq!(strip(MACSEC, b"\x20\0\0\0\0\x01channel!\x08\0E"), V4);
        for control in [0x0c, 0x08, 0x04, 0x2c] {
            let data = [&[control], &b"\0\0\0\0\x01channel!\x08\0E"[..]].concat();
            assert_eq!(strip(MACSEC, &data), Err(Fault::MacsecEncrypted));
        }
    }
}
