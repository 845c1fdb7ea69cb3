//! Link types, by the numbers of the tcpdump group, and the headers that each of them has before
//! IP.
//!
//! The other files of this folder parse headers that identify what follows; here are those for
//! which the link type is sufficient. Types whose header names another type (PPI, PKTAP) return
//! that as the next layer. A number without an arm is not decoded: [`name`] knows some of those,
//! for the message.

use super::{Fault, Layer, Net, atm, juniper, mpls, nflog, pppoe, typed, wireless};
use crate::engine::packet::bytes::{be16, be32, le16, le32};

const NULL: u32 = 0;
pub(in crate::engine::packet) const ETHERNET: u32 = 1;
const AX25: u32 = 3;
const TOKEN_RING: u32 = 6;
const ARCNET: u32 = 7;
const SLIP: u32 = 8;
const PPP: u32 = 9;
const FDDI: u32 = 10;
/// The number of raw IP, and IP over ATM, in some BSDs.
const ATM_BSD: u32 = 11;
const RAW_BSD: u32 = 12;
const RAW_OPENBSD: u32 = 14;
const OLD_PFLOG: u32 = 17;
const ATM_CLIP_BSD: u32 = 19;
const PPP_HDLC: u32 = 50;
const PPP_ETHER: u32 = 51;
const SYMANTEC: u32 = 99;
const ATM: u32 = 100;
const RAW: u32 = 101;
const C_HDLC: u32 = 104;
const IEEE802_11: u32 = 105;
const ATM_CLIP: u32 = 106;
const FRAME_RELAY: u32 = 107;
const LOOP: u32 = 108;
const ENC: u32 = 109;
const LINUX_SLL: u32 = 113;
const PFLOG: u32 = 117;
const PRISM: u32 = 119;
const IP_OVER_FC: u32 = 122;
const SUNATM: u32 = 123;
const IEEE802_11_RADIOTAP: u32 = 127;
const ARCNET_LINUX: u32 = 129;
const IP_OVER_1394: u32 = 138;
const DOCSIS: u32 = 143;
/// Reserved for private use; older macOS writes PKTAP with it.
const USER2: u32 = 149;
const AVS: u32 = 163;
const PPP_PPPD: u32 = 166;
const PPI: u32 = 192;
const ERF: u32 = 197;
const AX25_KISS: u32 = 202;
const PPP_WITH_DIR: u32 = 204;
const C_HDLC_WITH_DIR: u32 = 205;
const FRAME_RELAY_WITH_DIR: u32 = 206;
const MPLS: u32 = 219;
const IPNET: u32 = 226;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
const NFLOG: u32 = 239;
const NETANALYZER: u32 = 240;
const NETANALYZER_TRANSPARENT: u32 = 241;
const IPOIB: u32 = 242;
const INFINIBAND: u32 = 247;
const PKTAP: u32 = 258;
const EPON: u32 = 259;
const ETHERNET_MPACKET: u32 = 274;
const LINUX_SLL2: u32 = 276;
const DSA_BROADCOM: u32 = 281;
const DSA_BROADCOM_IN_FRONT: u32 = 282;
const DSA: u32 = 284;
const EDSA: u32 = 285;

/// Removes the header of a link type.
pub(super) fn strip(linktype: u32, data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    Ok(match linktype {
        ETHERNET => (Layer::Ethernet, data),
        RAW | RAW_BSD | RAW_OPENBSD => (Layer::Ip(Net::Either), data),
        IPV4 => (Layer::Ip(Net::V4), data),
        IPV6 => (Layer::Ip(Net::V6), data),
        LINUX_SLL => cooked(word(data, 2)?, word(data, 14)?, after(data, 16)?),
        LINUX_SLL2 => cooked(word(data, 8)?, word(data, 0)?, after(data, 20)?),
        NULL | LOOP => loopback(data, 4)?,
        ENC => loopback(data, 12)?,
        OLD_PFLOG => loopback(data, 28)?,
        PFLOG => pflog(data)?,
        IPNET => ipnet(data)?,
        SLIP => (Layer::Ip(Net::Either), after(data, 16)?),
        MPLS => mpls::strip(data)?,
        NFLOG => nflog::strip(data)?,
        PPI => (Layer::Link(le32(data, 4).ok_or(Fault::LinkCut)?), after(data, half(data, 2)?)?),
        PKTAP => pktap(data)?,
        USER2 => pktap(data).map_err(|_| Fault::UnknownLink)?,
        PPP | PPP_HDLC | PPP_ETHER | PPP_PPPD | PPP_WITH_DIR => serial(linktype, data)?,
        C_HDLC | C_HDLC_WITH_DIR | FRAME_RELAY | FRAME_RELAY_WITH_DIR => serial(linktype, data)?,
        TOKEN_RING | FDDI | ARCNET | ARCNET_LINUX => ring(linktype, data)?,
        ETHERNET_MPACKET | EPON | NETANALYZER | NETANALYZER_TRANSPARENT => framed(linktype, data)?,
        DSA | EDSA | DSA_BROADCOM | DSA_BROADCOM_IN_FRONT => framed(linktype, data)?,
        _ => other(linktype, data)?,
    })
}

/// Linux's cooked form: if the device's type (ARPHRD) has its own header before the packet, the
/// protocol must be ignored, unless it names IP and IP is what follows.
fn cooked(device: u16, protocol: u16, data: &[u8]) -> (Layer, &[u8]) {
    const FRAD: u16 = 770;
    const DEVICE_802_11: u16 = 801;
    const DEVICE_PRISM: u16 = 802;
    const DEVICE_RADIOTAP: u16 = 803;
    let nibble = data.first().map(|first| first >> 4);
    let layer = match (device, protocol, nibble) {
        (_, 0x0800, Some(4)) | (_, 0x86dd, Some(6)) => Layer::EtherType(protocol),
        (FRAD, ..) => Layer::FrameRelay,
        (DEVICE_802_11, ..) => Layer::Link(IEEE802_11),
        (DEVICE_PRISM, ..) => Layer::Link(PRISM),
        (DEVICE_RADIOTAP, ..) => Layer::Link(IEEE802_11_RADIOTAP),
        _ => Layer::EtherType(protocol),
    };
    (layer, data)
}

/// Point-to-point lines.
fn serial(linktype: u32, data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    Ok(match linktype {
        // The first byte is the direction; in pppd's form it replaces the address.
        PPP_WITH_DIR => (Layer::Ppp, after(data, 1)?),
        PPP_PPPD if data.get(1) == Some(&3) => (Layer::Ppp, after(data, 2)?),
        PPP_HDLC if data.first() != Some(&0xff) => typed(data, 2)?,
        C_HDLC => typed(data, 2)?,
        C_HDLC_WITH_DIR => typed(data, 3)?,
        PPP_ETHER => pppoe::strip(data)?,
        FRAME_RELAY => (Layer::FrameRelay, data),
        FRAME_RELAY_WITH_DIR => (Layer::FrameRelay, after(data, 1)?),
        _ => (Layer::Ppp, data),
    })
}

/// Ethernet with something before it, or between its addresses and its type: switch tags that
/// only the link type indicates.
fn framed(linktype: u32, data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    const ADDRESSES: usize = 12;
    Ok(match linktype {
        NETANALYZER | DSA_BROADCOM_IN_FRONT => (Layer::Ethernet, after(data, 4)?),
        NETANALYZER_TRANSPARENT => (Layer::Ethernet, after(data, 12)?),
        DSA | DSA_BROADCOM => typed(data, ADDRESSES + 4)?,
        EDSA => typed(data, ADDRESSES + 8)?,
        // A preamble.
        _ => (Layer::Ethernet, after(data, 8)?),
    })
}

/// Token Ring, FDDI and ARCNET: all of them lead to LLC, or to their own type.
fn ring(linktype: u32, data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    match linktype {
        TOKEN_RING => {
            // With source routing, the first bit of the source is set, and a length follows.
            let is_routed = data.get(8).ok_or(Fault::LinkCut)? & 0x80 != 0;
            let route = if is_routed { data.get(14).ok_or(Fault::LinkCut)? & 0x1f } else { 0 };
            Ok((Layer::Llc, after(data, 14 + usize::from(route))?))
        }
        FDDI => Ok((Layer::Llc, after(data, 13)?)),
        ARCNET => arcnet(after(data, 2)?),
        _ => arcnet(after(data, 4)?),
    }
}

/// ARCNET after its addresses: RFC 1201's types have a fragmentation header, and only whole
/// packets are decoded; RFC 1051's have none.
fn arcnet(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let net = match data.first().ok_or(Fault::LinkCut)? {
        240 => return Ok((Layer::Ip(Net::V4), after(data, 1)?)),
        212 => Net::V4,
        196 => Net::V6,
        _ => return Err(Fault::NotIp),
    };
    match data.get(1).ok_or(Fault::LinkCut)? {
        // Exception frames: packets of a length that needs padding.
        0xff => Ok((Layer::Ip(net), after(data, 8)?)),
        0 => Ok((Layer::Ip(net), after(data, 4)?)),
        _ => Err(Fault::NotIp),
    }
}

/// Rare types.
fn other(linktype: u32, data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    Ok(match linktype {
        AX25 => ax25(data)?,
        SYMANTEC => (Layer::EtherType(word(data, 6)?), after(data, 44)?),
        AX25_KISS => ax25(after(data, 1)?)?,
        ATM | ATM_BSD | ATM_CLIP | ATM_CLIP_BSD => (Layer::Llc, data),
        SUNATM => atm::sun(data)?,
        IEEE802_11 => wireless::strip(data, false)?,
        IEEE802_11_RADIOTAP => wireless::strip_radiotap(data)?,
        PRISM | AVS => wireless::strip_prism(data)?,
        IP_OVER_FC => (Layer::Llc, after(data, 16)?),
        IP_OVER_1394 => typed(data, 16)?,
        DOCSIS => docsis(data)?,
        ERF => erf(data)?,
        IPOIB => ipoib(data)?,
        INFINIBAND => atm::embedded(data)?,
        _ => return juniper::strip(linktype, data),
    })
}

fn after(data: &[u8], length: usize) -> Result<&[u8], Fault> {
    data.get(length..).ok_or(Fault::LinkCut)
}

fn word(data: &[u8], at: usize) -> Result<u16, Fault> {
    be16(data, at).ok_or(Fault::LinkCut)
}

/// A little-endian length.
fn half(data: &[u8], at: usize) -> Result<usize, Fault> {
    le16(data, at).map(usize::from).ok_or(Fault::LinkCut)
}

/// The address family of a BSD header, in the byte order of the capturing host or of the network:
/// the numbers are small, so that both orders can be distinguished.
fn loopback(data: &[u8], header: usize) -> Result<(Layer, &[u8]), Fault> {
    let family = be32(data, 0).ok_or(Fault::LinkCut)?;
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    let data = after(data, header)?;
    match family {
        2 => Ok((Layer::Ip(Net::V4), data)),
        // Linux, NetBSD, FreeBSD, macOS.
        10 | 24 | 28 | 30 => Ok((Layer::Ip(Net::V6), data)),
        _ => Err(Fault::NotIp),
    }
}

/// The log of OpenBSD's packet filter: a header that begins with its length, and is padded to
/// four bytes. Address families are those of the system that wrote it.
fn pflog(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let &[length, _] = data.first_chunk().ok_or(Fault::LinkCut)?;
    if length < 24 {
        return Err(Fault::NotIp);
    }
    Ok((Layer::Ip(Net::Either), after(data, usize::from(length).next_multiple_of(4))?))
}

/// Solaris's observability devices.
fn ipnet(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let &[_, family] = data.first_chunk().ok_or(Fault::LinkCut)?;
    let net = match family {
        2 => Net::V4,
        26 => Net::V6,
        _ => return Err(Fault::NotIp),
    };
    Ok((Layer::Ip(net), after(data, 24)?))
}

/// Apple's PKTAP: its own length, a kind (1: a packet), and the link type of what follows, in the
/// byte order of the machine that wrote it, which is little-endian today.
fn pktap(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let field = |at| le32(data, at).ok_or(Fault::LinkCut);
    let (length, kind, linktype) = (field(0)?, field(4)?, field(8)?);
    if length < 12 || kind != 1 {
        return Err(Fault::NotIp);
    }
    Ok((Layer::Link(linktype), after(data, length as usize)?))
}

/// IP over InfiniBand (RFC 4391): a type, after the destination address and, in captures from the
/// wire, the global header.
fn ipoib(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let is_type = |at| {
        matches!(be16(data, at), Some(0x0800 | 0x86dd | 0x0806 | 0x8035))
            && be16(data, at + 2) == Some(0)
    };
    let at = [40, 20, 0].into_iter().find(|&at| is_type(at)).ok_or(Fault::NotIp)?;
    Ok((Layer::EtherType(word(data, at)?), after(data, at + 4)?))
}

/// Cable modems: packet frames, after extended headers.
fn docsis(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let &[control, extended, ..] = data.first_chunk::<6>().ok_or(Fault::LinkCut)?;
    if control >> 6 != 0 {
        return Err(Fault::NotIp);
    }
    let length = if control & 1 == 1 { usize::from(extended) } else { 0 };
    Ok((Layer::Ethernet, after(data, 6 + length)?))
}

/// Amateur radio, AX.25: addresses up to one whose last bit is set, control, and a protocol.
fn ax25(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    const MAX_ADDRESSES: usize = 10;
    let ends = |address: &&[u8]| address.last().is_some_and(|last| last & 1 == 1);
    let addresses = data.chunks_exact(7).take(MAX_ADDRESSES);
    let count = addresses.enumerate().find(|(_, address)| ends(address));
    let rest = after(data, 7 * (count.ok_or(Fault::LinkCut)?.0 + 1))?;
    match rest {
        [_, 0xcc, packet @ ..] => Ok((Layer::Ip(Net::V4), packet)),
        [] | [_] => Err(Fault::LinkCut),
        _ => Err(Fault::NotIp),
    }
}

/// Endace's records: 16 bytes, extensions of eight bytes as long as the first bit of each is set,
/// and the data of the type.
fn erf(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    const MAX_EXTENSIONS: usize = 16;
    let kind = *data.get(8).ok_or(Fault::LinkCut)?;
    let (mut rest, mut is_more) = (after(data, 16)?, kind & 0x80 != 0);
    for _ in 0..MAX_EXTENSIONS {
        if !is_more {
            break;
        }
        is_more = rest.first().ok_or(Fault::LinkCut)? & 0x80 != 0;
        rest = after(rest, 8)?;
    }
    match kind & 0x7f {
        // Ethernet is aligned by two bytes.
        2 | 11 | 16 | 20 => Ok((Layer::Ethernet, after(rest, 2)?)),
        1 | 10 | 15 | 17 | 19 if rest.first() == Some(&0xff) => Ok((Layer::Ppp, rest)),
        1 | 10 | 15 | 17 | 19 => typed(rest, 2),
        22 => Ok((Layer::Ip(Net::V4), rest)),
        23 => Ok((Layer::Ip(Net::V6), rest)),
        _ => Err(Fault::NotIp),
    }
}

/// Names of link types that are not decoded, for messages.
pub(super) fn name(linktype: u32) -> Option<&'static str> {
    Some(match linktype {
        114 => "LocalTalk",
        140 => "MTP2",
        141 => "MTP3",
        142 => "SCCP",
        144 => "IrDA",
        147..=162 => "private use",
        169 => "GPRS LLC",
        177 => "Linux LAPD",
        187 | 201 => "Bluetooth HCI",
        189 | 220 => "USB of Linux",
        195 | 215 | 230 | 283 => "IEEE 802.15.4",
        209 => "IPMB",
        224 | 225 => "Fibre Channel",
        227 => "CAN",
        231 => "D-Bus",
        243 => "MPEG-2 transport stream",
        245 | 263 => "ISO 14443",
        246 => "pfsync",
        248 => "SCTP",
        249 => "USBPcap",
        251 | 256 | 272 => "Bluetooth LE",
        253 => "Netlink",
        254 => "Bluetooth monitor of Linux",
        265 => "DECT",
        271 => "vsock",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
