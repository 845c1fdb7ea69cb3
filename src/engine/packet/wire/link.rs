//! From the frame to the IP packet in it: link headers, VLAN tags, labels.
//!
//! Each link type leads to an EtherType, to PPP or directly to IP; the headers that follow are
//! removed in turn, up to a bound. What is neither IPv4 nor IPv6 in the end is a [`Fault`] that
//! says why.

mod atm;
mod juniper;
mod layer;
mod mpls;
mod nflog;
mod ppp;
mod pppoe;
mod tags;
mod types;
mod wireless;

pub(in crate::engine::packet) use layer::{Layer, Net};
pub(in crate::engine::packet) use tags::next_protocol;
pub(in crate::engine::packet) use types::ETHERNET;
pub(in crate::engine::packet) use wireless::is_swapped;

use crate::engine::packet::Fault;
use crate::engine::packet::bytes::be16;
use crate::engine::progress::bound;
use layer::{FIRST_ETHERTYPE, typed};

/// VLAN identifiers that are kept; tags after them are removed all the same.
const MAX_TAGS: usize = bound(8, 3);

/// Headers of a frame, or of the contents of a tunnel, that are removed.
const MAX_LAYERS: usize = bound(32, 6);

/// VLAN identifiers, outermost first.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine::packet) struct Tags {
    ids: [u16; MAX_TAGS],
    count: usize,
    is_cut: bool,
}

impl Tags {
    pub(in crate::engine::packet) fn ids(&self) -> &[u16] {
        self.ids.get(..self.count).unwrap_or_default()
    }

    /// The first of these identifiers.
    pub(in crate::engine::packet) fn of(ids: &[u16]) -> Tags {
        let mut tags = Tags::default();
        for (place, id) in tags.ids.iter_mut().zip(ids) {
            *place = *id;
            tags.count += 1;
        }
        tags
    }

    /// Whether there were more than are kept.
    pub(in crate::engine::packet) fn is_cut(&self) -> bool {
        self.is_cut
    }

    fn push(&mut self, id: u16) {
        match self.ids.get_mut(self.count) {
            Some(place) => {
                *place = id;
                self.count += 1;
            }
            None => self.is_cut = true,
        }
    }
}

/// The number of the link type that makes a frame undecodable, if there is one: its own, or the
/// one that a header in it names.
pub fn unknown_link(linktype: u32, data: &[u8]) -> Option<u32> {
    let mut next = (Layer::Link(linktype), data);
    for _ in 0..MAX_LAYERS {
        let (Layer::Link(linktype), data) = next else { return None };
        match types::strip(linktype, data) {
            Ok(inner) => next = inner,
            Err(Fault::UnknownLink) => return Some(linktype),
            Err(_) => return None,
        }
    }
    None
}

/// The tcpdump group's name of a link type that is not decoded, if it is known.
pub fn link_name(linktype: u32) -> Option<&'static str> {
    types::name(linktype)
}

/// Removes headers until an IP packet is left. Of an aggregate of several frames the first is
/// taken; `rest` then contains the others.
pub(in crate::engine::packet) fn descend<'a>(
    mut layer: Layer,
    mut data: &'a [u8],
    tags: &mut Tags,
    rest: &mut Option<&'a [u8]>,
) -> Result<(Net, &'a [u8]), Fault> {
    for _ in 0..MAX_LAYERS {
        (layer, data) = match layer {
            Layer::Ip(net) => return Ok((net, data)),
            Layer::Ethernet => ethernet(data, tags)?,
            Layer::EtherType(kind) => by_ethertype(kind, data, tags)?,
            Layer::Ppp => ppp::strip(data)?,
            Layer::Link(linktype) => types::strip(linktype, data)?,
            Layer::Llc => atm::llc(data)?,
            Layer::FrameRelay => atm::frame_relay(data)?,
            Layer::Wireless(is_swapped) => wireless::strip_swapped(data, is_swapped)?,
            Layer::Aggregate => {
                let (frame, others) = wireless::subframe(data)?;
                *rest = Some(others).filter(|others| !others.is_empty());
                (Layer::Llc, frame)
            }
        };
    }
    Err(Fault::TooManyLayers)
}

/// Ethernet: a type after two addresses, or Cisco's ISL, which is recognised by its address.
fn ethernet<'a>(data: &'a [u8], tags: &mut Tags) -> Result<(Layer, &'a [u8]), Fault> {
    match data {
        [1 | 3, 0, 0x0c, 0, 0, ..] if data.get(14..17) == Some(&[0xaa, 0xaa, 3]) => {
            tags.push(be16(data, 20).ok_or(Fault::LinkCut)? >> 1 & 0x0fff);
            Ok((Layer::Ethernet, data.get(26..).ok_or(Fault::LinkCut)?))
        }
        _ => typed(data, 12),
    }
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
            tags.push(be16(data, 0).ok_or(Fault::LinkCut)? & 0x0fff);
            typed(data, 2)
        }
        0x8847 | 0x8848 => mpls::strip(data),
        0x8864 => pppoe::strip(data),
        // PPP of GRE, bridged Ethernet, Cisco's name for it, and Frame Relay.
        0x880b => Ok((Layer::Ppp, data)),
        0x6558 => Ok((Layer::Ethernet, data)),
        0x6559 => Ok((Layer::FrameRelay, data)),
        // LLC in a frame that is too long for a length field.
        0x8870 => Ok((Layer::Llc, data)),
        length if length < FIRST_ETHERTYPE => Ok((Layer::Llc, data)),
        _ => tags::strip(kind, data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NULL: u32 = 0;
    const PPP: u32 = 9;
    const RAW_BSD: u32 = 12;
    const RAW_OPENBSD: u32 = 14;
    const PPP_HDLC: u32 = 50;
    const PPP_ETHER: u32 = 51;
    const RAW: u32 = 101;
    const C_HDLC: u32 = 104;
    const LOOP: u32 = 108;
    const LINUX_SLL: u32 = 113;
    const PPP_WITH_DIR: u32 = 204;
    const MPLS: u32 = 219;
    const LINUX_SLL2: u32 = 276;

    fn strip_all(linktype: u32, data: &[u8]) -> Result<(Net, Vec<u16>, Vec<u8>), Fault> {
        let mut tags = Tags::default();
        let (net, rest) = descend(Layer::Link(linktype), data, &mut tags, &mut None)?;
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
        let isl = b"\x01\0\x0c\0\0\0srcsrcll\xaa\xaa\x03\0\0\x0c\0\x0eiirr";
        let isl = [&isl[..], &ethernet(b"\x08\0E")].concat();
        assert_eq!(strip_all(ETHERNET, &isl), Ok((Net::V4, vec![7], b"E".to_vec())));
        let deep = ethernet(&[&b"\x81\0\0\x01".repeat(20)[..], b"\x08\0E"].concat());
        assert_eq!(strip_all(ETHERNET, &deep), Ok((Net::V4, vec![1; MAX_TAGS], b"E".to_vec())));
        let deeper = ethernet(&b"\x81\0\0\x01".repeat(40));
        assert_eq!(strip_all(ETHERNET, &deeper), Err(Fault::TooManyLayers));
    }

    #[test]
    fn other_link_headers_are_removed() {
        let mut cooked = vec![0; 14];
        cooked.extend(b"\x08\x00E");
        assert_eq!(strip_all(LINUX_SLL, &cooked), Ok((Net::V4, vec![], b"E".to_vec())));
        // ARPHRD of 802.11 with a radio header of eight bytes, and a data frame with LLC.
        let air = [&[8, 0][..], &[0; 22], b"\xaa\xaa\x03\0\0\0\x08\0E"].concat();
        let radio = [&b"\0\0\x08\0\0\0\0\0"[..], &air].concat();
        for (device, frame) in [(801_u16, &air), (803, &radio)] {
            let device = device.to_be_bytes();
            let first = [&[0, 3][..], &device, &[0; 10], &[0, 4], frame].concat();
            assert_eq!(strip_all(LINUX_SLL, &first), Ok((Net::V4, vec![], b"E".to_vec())));
            let second = [&[0, 4, 0, 0, 0, 0, 0, 1][..], &device, &[0; 10], frame].concat();
            assert_eq!(strip_all(LINUX_SLL2, &second), Ok((Net::V4, vec![], b"E".to_vec())));
        }
        let plain = [&[0, 3, 3, 0x23][..], &[0; 10], b"\x08\0E"].concat();
        assert_eq!(strip_all(LINUX_SLL, &plain), Ok((Net::V4, vec![], b"E".to_vec())));
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
