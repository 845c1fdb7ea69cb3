//! From the frame to the IP packet in it: link headers and VLAN tags.
//!
//! Each link type ends in an EtherType or goes straight to IP. What is neither
//! IPv4 nor IPv6 is a [`Fault`] that says why.

use super::bytes::{be16, be32};
use super::{Fault, Frame};

/// Link types, as the tcpdump group numbers them. 12 and 14 are what raw IP is
/// called inside of some BSDs.
const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const RAW_BSD: u32 = 12;
const RAW_OPENBSD: u32 = 14;
const RAW: u32 = 101;
const LOOP: u32 = 108;
const LINUX_SLL: u32 = 113;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
const LINUX_SLL2: u32 = 276;

/// EtherTypes below are lengths of IEEE 802.3.
const FIRST_ETHERTYPE: u16 = 0x600;

/// VLAN tags that are followed.
const MOST_TAGS: usize = 8;

/// What an IP packet was announced as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Net {
    V4,
    V6,
    /// By nobody: its first nibble decides.
    Either,
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

    fn push(&mut self, id: u16) -> Result<(), Fault> {
        *self.ids.get_mut(self.count).ok_or(Fault::TooManyTags)? = id;
        self.count += 1;
        Ok(())
    }
}

/// Takes the link's headers off a frame.
pub(super) fn strip<'a>(frame: &Frame<'a>, tags: &mut Tags) -> Result<(Net, &'a [u8]), Fault> {
    let data = frame.data;
    match frame.linktype {
        ETHERNET => typed(data, 12, tags),
        RAW | RAW_BSD | RAW_OPENBSD => Ok((Net::Either, data)),
        IPV4 => Ok((Net::V4, data)),
        IPV6 => Ok((Net::V6, data)),
        LINUX_SLL => typed(data, 14, tags),
        LINUX_SLL2 => {
            let kind = be16(data, 0).ok_or(Fault::LinkCut)?;
            by_ethertype(kind, data.get(20..).ok_or(Fault::LinkCut)?, tags)
        }
        NULL => loopback(data, be32(data, 0).ok_or(Fault::LinkCut)?),
        LOOP => loopback(data, be32(data, 0).ok_or(Fault::LinkCut)?),
        _ => Err(Fault::UnknownLink),
    }
}

/// A header whose EtherType stands in its last two bytes, at `at`.
fn typed<'a>(data: &'a [u8], at: usize, tags: &mut Tags) -> Result<(Net, &'a [u8]), Fault> {
    let kind = be16(data, at).ok_or(Fault::LinkCut)?;
    by_ethertype(kind, data.get(at + 2..).ok_or(Fault::LinkCut)?, tags)
}

fn by_ethertype<'a>(
    mut kind: u16,
    mut data: &'a [u8],
    tags: &mut Tags,
) -> Result<(Net, &'a [u8]), Fault> {
    loop {
        match kind {
            0x0800 => return Ok((Net::V4, data)),
            0x86dd => return Ok((Net::V6, data)),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
                tags.push(be16(data, 0).ok_or(Fault::LinkCut)? & 0x0fff)?;
            }
            // LLC with SNAP and no organisation: an EtherType after all.
            length if length < FIRST_ETHERTYPE => {
                let Some(rest) = data.strip_prefix(&[0xaa, 0xaa, 3, 0, 0, 0]) else {
                    return Err(Fault::NotIp);
                };
                kind = be16(rest, 0).ok_or(Fault::LinkCut)?;
                data = rest.get(2..).ok_or(Fault::LinkCut)?;
                if kind < FIRST_ETHERTYPE {
                    return Err(Fault::NotIp);
                }
                continue;
            }
            _ => return Err(Fault::NotIp),
        }
        kind = be16(data, 2).ok_or(Fault::LinkCut)?;
        data = data.get(4..).ok_or(Fault::LinkCut)?;
    }
}

/// The address family of a BSD loopback, in the byte order of whoever captured
/// (null) or of the network (loop): small numbers, so both orders can be told apart.
fn loopback(data: &[u8], family: u32) -> Result<(Net, &[u8]), Fault> {
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    let data = data.get(4..).ok_or(Fault::LinkCut)?;
    match family {
        2 => Ok((Net::V4, data)),
        // Linux, NetBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Ok((Net::V6, data)),
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
