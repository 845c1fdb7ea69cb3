//! Captures of Juniper's routers: a magic number, flags, extensions, and then what the link type
//! says, or a cookie of the interface card.
//!
//! The length of a cookie depends on the card, on the release and on its first byte; the packet
//! after it is found by its own header.

use super::{Fault, Layer, Net, atm, typed};
use crate::engine::packet::bytes::be16;

const PPPOE: u32 = 167;
const PPPOE_ATM: u32 = 168;
const ETHER: u32 = 178;
const PPP: u32 = 179;
const FRAME_RELAY: u32 = 180;
const CHDLC: u32 = 181;

const MAGIC: &[u8] = b"MGC";

/// Flags: the frame has no link header, and there are extensions.
const NO_LINK: u8 = 2;
const EXTENDED: u8 = 0x80;

/// Removes Juniper's header.
pub(super) fn strip(linktype: u32, data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    // Multilink and similar types, cards for services, monitoring and ATM, GGSN, and later ones.
    let (130..=137 | 164 | PPPOE..=PPPOE_ATM | ETHER..=CHDLC | 183 | 194 | 200 | 232..=234 | 238) =
        linktype
    else {
        return Err(Fault::UnknownLink);
    };
    let (&flags, mut rest) = data
        .strip_prefix(MAGIC)
        .and_then(<[u8]>::split_first)
        .ok_or(if data.len() < 4 { Fault::LinkCut } else { Fault::NotIp })?;
    if flags & EXTENDED != 0 {
        let length = be16(rest, 0).ok_or(Fault::LinkCut)?;
        rest = rest.get(2 + usize::from(length)..).ok_or(Fault::LinkCut)?;
    }
    if flags & NO_LINK != 0 {
        return Ok((Layer::Ip(Net::Either), rest.get(4..).ok_or(Fault::LinkCut)?));
    }
    match linktype {
        ETHER | PPPOE => Ok((Layer::Ethernet, rest)),
        PPPOE_ATM => typed(rest, 0),
        PPP => Ok((Layer::Ppp, rest)),
        FRAME_RELAY => Ok((Layer::FrameRelay, rest)),
        CHDLC => typed(rest, 2),
        _ => atm::embedded(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_removed() {
        let with = |rest: &[u8]| [b"MGC", rest].concat();
        let ethernet = Ok((Layer::Ethernet, &b"eth"[..]));
        assert_eq!(strip(ETHER, &with(b"\x01eth")), ethernet);
        assert_eq!(strip(ETHER, &with(b"\x81\0\x03\x01\x01\0eth")), ethernet);
        assert_eq!(strip(PPP, &with(b"\0\0\x21E")), Ok((Layer::Ppp, &b"\0\x21E"[..])));
        let typed = Ok((Layer::EtherType(0x0800), &b"E"[..]));
        assert_eq!(strip(CHDLC, &with(b"\0\x0f\0\x08\0E")), typed);
        let bare = Ok((Layer::Ip(Net::Either), &b"E"[..]));
        assert_eq!(strip(ETHER, &with(b"\x02\0\0\0\x02E")), bare);
        assert_eq!(strip(ETHER, b"MGC"), Err(Fault::LinkCut));
        assert_eq!(strip(ETHER, b"XYZ\x01eth"), Err(Fault::NotIp));
        assert_eq!(strip(9999, &with(b"\x01eth")), Err(Fault::UnknownLink));
    }

    #[test]
    fn packets_after_cookies() {
        let packet = [&[0x45, 0, 0, 24, 0, 0, 0, 0, 64, 17, 0, 0][..], &[0; 12]].concat();
        for linktype in [130, 131, 134, 135, 136, 137, 164] {
            for cookie in 0..20 {
                let whole = [&b"MGC\0"[..], &vec![0x54; cookie], &packet].concat();
                assert_eq!(strip(linktype, &whole), Ok((Layer::Ip(Net::Either), &packet[..])));
            }
        }
        assert_eq!(strip(130, b"MGC\0\x54\x54no packet at all"), Err(Fault::NotIp));
    }
}
