//! From the frame to the IP packet in it: link headers, VLAN tags, labels.
//!
//! Each link type ends in an EtherType, in PPP or goes straight to IP; what one
//! header announces is taken off in turn, up to a bound. What is neither IPv4 nor
//! IPv6 in the end is a [`Fault`] that says why.

mod mpls;
mod nflog;
mod ppp;
mod pppoe;
mod wireless;

use super::bytes::{be16, be32};
use super::{Fault, Frame};

/// Link types, as the tcpdump group numbers them. 12 and 14 are what raw IP is
/// called inside of some BSDs.
const NULL: u32 = 0;
pub(super) const ETHERNET: u32 = 1;
const PPP: u32 = 9;
const RAW_BSD: u32 = 12;
const RAW_OPENBSD: u32 = 14;
const PPP_HDLC: u32 = 50;
const PPP_ETHER: u32 = 51;
const RAW: u32 = 101;
const C_HDLC: u32 = 104;
const IEEE802_11: u32 = 105;
const LOOP: u32 = 108;
const LINUX_SLL: u32 = 113;
const IEEE802_11_RADIOTAP: u32 = 127;
const PPP_WITH_DIR: u32 = 204;
const MPLS: u32 = 219;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
const NFLOG: u32 = 239;
const LINUX_SLL2: u32 = 276;

/// EtherTypes below are lengths of IEEE 802.3.
const FIRST_ETHERTYPE: u16 = 0x600;

/// VLAN tags that are followed.
const MOST_TAGS: usize = 8;

/// Headers of a frame, or of what comes out of a tunnel, that are taken off.
const MOST_LAYERS: usize = 24;

/// What an IP packet was announced as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Net {
    V4,
    V6,
    /// By nobody: its first nibble decides.
    Either,
}

/// What the next header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Ip(Net),
    Ethernet,
    /// Whatever this EtherType stands for.
    EtherType(u16),
    Ppp,
}

/// VLAN identifiers, outermost first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tags {
    ids: [u16; MOST_TAGS],
    count: usize,
}

impl Tags {
    pub(super) fn ids(&self) -> &[u16] {
        self.ids.get(..self.count).unwrap_or_default()
    }

    /// The first of these identifiers.
    pub(super) fn of(ids: &[u16]) -> Tags {
        let mut tags = Tags::default();
        for (place, id) in tags.ids.iter_mut().zip(ids) {
            *place = *id;
            tags.count += 1;
        }
        tags
    }

    fn push(&mut self, id: u16) -> Result<(), Fault> {
        *self.ids.get_mut(self.count).ok_or(Fault::TooManyTags)? = id;
        self.count += 1;
        Ok(())
    }
}

/// Takes the link's headers off a frame.
pub(super) fn strip<'a>(frame: &Frame<'a>, tags: &mut Tags) -> Result<(Net, &'a [u8]), Fault> {
    let (layer, data) = outermost(frame)?;
    descend(layer, data, tags)
}

/// Takes headers off until an IP packet is left.
pub(super) fn descend<'a>(
    mut layer: Layer,
    mut data: &'a [u8],
    tags: &mut Tags,
) -> Result<(Net, &'a [u8]), Fault> {
    for _ in 0..MOST_LAYERS {
        (layer, data) = match layer {
            Layer::Ip(net) => return Ok((net, data)),
            Layer::Ethernet => typed(data, 12)?,
            Layer::EtherType(kind) => by_ethertype(kind, data, tags)?,
            Layer::Ppp => ppp::strip(data)?,
        };
    }
    Err(Fault::TooManyLayers)
}

/// Takes off what the link type itself puts in front.
fn outermost<'a>(frame: &Frame<'a>) -> Result<(Layer, &'a [u8]), Fault> {
    let data = frame.data;
    Ok(match frame.linktype {
        ETHERNET => (Layer::Ethernet, data),
        RAW | RAW_BSD | RAW_OPENBSD => (Layer::Ip(Net::Either), data),
        IPV4 => (Layer::Ip(Net::V4), data),
        IPV6 => (Layer::Ip(Net::V6), data),
        LINUX_SLL => typed(data, 14)?,
        LINUX_SLL2 => {
            let kind = be16(data, 0).ok_or(Fault::LinkCut)?;
            (Layer::EtherType(kind), data.get(20..).ok_or(Fault::LinkCut)?)
        }
        NULL | LOOP => loopback(data, be32(data, 0).ok_or(Fault::LinkCut)?)?,
        PPP => (Layer::Ppp, data),
        PPP_WITH_DIR => (Layer::Ppp, data.get(1..).ok_or(Fault::LinkCut)?),
        PPP_HDLC if data.first() == Some(&0xff) => (Layer::Ppp, data),
        PPP_HDLC | C_HDLC => typed(data, 2)?,
        PPP_ETHER => pppoe::strip(data)?,
        MPLS => mpls::strip(data)?,
        IEEE802_11 => wireless::strip(data, false)?,
        IEEE802_11_RADIOTAP => wireless::strip_radiotap(data)?,
        NFLOG => nflog::strip(data)?,
        _ => return Err(Fault::UnknownLink),
    })
}

/// A header whose EtherType stands in its last two bytes, at `at`.
fn typed(data: &[u8], at: usize) -> Result<(Layer, &[u8]), Fault> {
    let kind = be16(data, at).ok_or(Fault::LinkCut)?;
    Ok((Layer::EtherType(kind), data.get(at + 2..).ok_or(Fault::LinkCut)?))
}

fn by_ethertype<'a>(
    kind: u16,
    data: &'a [u8],
    tags: &mut Tags,
) -> Result<(Layer, &'a [u8]), Fault> {
    match kind {
        0x0800 => Ok((Layer::Ip(Net::V4), data)),
        0x86dd => Ok((Layer::Ip(Net::V6), data)),
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
            tags.push(be16(data, 0).ok_or(Fault::LinkCut)? & 0x0fff)?;
            typed(data, 2)
        }
        0x8847 | 0x8848 => mpls::strip(data),
        0x8864 => pppoe::strip(data),
        // PPP of GRE, bridged Ethernet, Cisco's name for it.
        0x880b => Ok((Layer::Ppp, data)),
        0x6558 => Ok((Layer::Ethernet, data)),
        length if length < FIRST_ETHERTYPE => llc(data),
        _ => Err(Fault::NotIp),
    }
}

/// LLC with SNAP and no organisation, or that of bridges: an EtherType after all.
fn llc(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let [0xaa, 0xaa, 3, 0, 0, 0 | 0xf8, k0, k1, rest @ ..] = data else {
        let is_cut = [0xaa, 0xaa, 3, 0, 0, 0].starts_with(data);
        return Err(if is_cut { Fault::LinkCut } else { Fault::NotIp });
    };
    match u16::from_be_bytes([*k0, *k1]) {
        kind if kind < FIRST_ETHERTYPE => Err(Fault::NotIp),
        kind => Ok((Layer::EtherType(kind), rest)),
    }
}

/// The address family of a BSD loopback, in the byte order of whoever captured
/// (null) or of the network (loop): small numbers, so both orders can be told apart.
fn loopback(data: &[u8], family: u32) -> Result<(Layer, &[u8]), Fault> {
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    let data = data.get(4..).ok_or(Fault::LinkCut)?;
    match family {
        2 => Ok((Layer::Ip(Net::V4), data)),
        // Linux, NetBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Ok((Layer::Ip(Net::V6), data)),
        _ => Err(Fault::NotIp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Timestamp;

    fn strip_all(linktype: u32, data: &[u8]) -> Result<(Net, Vec<u16>, Vec<u8>), Fault> {
        let frame = Frame { number: 1, time: Timestamp(0), linktype, length: 0, data };
        let mut tags = Tags::default();
        let (net, rest) = strip(&frame, &mut tags)?;
        Ok((net, tags.ids().to_vec(), rest.to_vec()))
    }

    #[test]
    fn point_to_point_links() {
        let v4 = Ok((Net::V4, vec![], b"E".to_vec()));
        assert_eq!(strip_all(PPP, b"\xff\x03\x00\x21E"), v4);
        assert_eq!(strip_all(PPP_WITH_DIR, b"\x01\x21E"), v4);
        assert_eq!(strip_all(PPP_HDLC, b"\xff\x03\x00\x21E"), v4);
        assert_eq!(strip_all(PPP_HDLC, b"\x0f\x00\x08\x00E"), v4);
        assert_eq!(strip_all(C_HDLC, b"\x8f\x00\x08\x00E"), v4);
        assert_eq!(strip_all(C_HDLC, b"\x8f\x00\x80\x35"), Err(Fault::NotIp));
        assert_eq!(strip_all(PPP_ETHER, b"\x11\x00\x00\x01\x00\x03\x00\x21E"), v4);
        assert_eq!(strip_all(MPLS, b"\x00\x01\x01\x40E"), v4);
    }

    #[test]
    fn headers_announce_each_other_up_to_a_bound() {
        let bridge = |rest: Vec<u8>| {
            let mut outer = ethernet(b"\x88\x47\x00\x00\x11\x40\x00\x00\x00\x00");
            outer.extend(rest);
            outer
        };
        let inner = ethernet(b"\x81\x00\x00\x07\x88\x64\x11\x00\x00\x01\x00\x03\x00\x57`");
        let framed = bridge(bridge(inner.clone()));
        assert_eq!(strip_all(ETHERNET, &framed), Ok((Net::V6, vec![7], b"`".to_vec())));
        let deep = (0..40).fold(inner, |inner, _| bridge(inner));
        assert_eq!(strip_all(ETHERNET, &deep), Err(Fault::TooManyLayers));
    }

    fn ethernet(rest: &[u8]) -> Vec<u8> {
        [&[0; 12], rest].concat()
    }

    #[test]
    fn ethernet_and_tags() {
        let plain = strip_all(ETHERNET, &ethernet(b"\x08\x00E"));
        assert_eq!(plain, Ok((Net::V4, vec![], b"E".to_vec())));
        let tagged = ethernet(b"\x88\xa8\x60\x64\x91\x00\x00\xc8\x81\x00\x01\x2c\x86\xdd`");
        assert_eq!(strip_all(ETHERNET, &tagged), Ok((Net::V6, vec![100, 200, 300], b"`".to_vec())));
        let snap = ethernet(b"\x00\x30\xaa\xaa\x03\x00\x00\x00\x08\x00E");
        assert_eq!(strip_all(ETHERNET, &snap), Ok((Net::V4, vec![], b"E".to_vec())));
        assert_eq!(strip_all(ETHERNET, &ethernet(b"\x08\x06")), Err(Fault::NotIp));
        assert_eq!(strip_all(ETHERNET, &ethernet(b"\x00\x26\x42\x42")), Err(Fault::NotIp));
        assert_eq!(strip_all(ETHERNET, &ethernet(b"\x81\x00\x00")), Err(Fault::LinkCut));
        let deep = ethernet(&b"\x81\x00\x00\x01".repeat(9));
        assert_eq!(strip_all(ETHERNET, &deep), Err(Fault::TooManyTags));
    }

    #[test]
    fn other_links() {
        let mut cooked = vec![0; 14];
        cooked.extend(b"\x08\x00E");
        assert_eq!(strip_all(LINUX_SLL, &cooked), Ok((Net::V4, vec![], b"E".to_vec())));
        let mut cooked = b"\x86\xdd".to_vec();
        cooked.resize(20, 0);
        cooked.push(b'`');
        assert_eq!(strip_all(LINUX_SLL2, &cooked), Ok((Net::V6, vec![], b"`".to_vec())));
        for linktype in [RAW, RAW_BSD, RAW_OPENBSD] {
            assert_eq!(strip_all(linktype, b"E"), Ok((Net::Either, vec![], b"E".to_vec())));
        }
        assert_eq!(strip_all(NULL, b"\x02\0\0\0E"), Ok((Net::V4, vec![], b"E".to_vec())));
        assert_eq!(strip_all(NULL, b"\0\0\0\x1e`"), Ok((Net::V6, vec![], b"`".to_vec())));
        assert_eq!(strip_all(LOOP, b"\0\0\0\x02E"), Ok((Net::V4, vec![], b"E".to_vec())));
        assert_eq!(strip_all(LOOP, b"\0\0\0\x07E"), Err(Fault::NotIp));
        assert_eq!(strip_all(9999, b""), Err(Fault::UnknownLink));
    }
}
