//! TCP, UDP, SCTP and ICMP: ports, flags, and the payload.

use crate::engine::packet::Fault;
use crate::engine::packet::Ports;
use crate::engine::packet::bytes::{be16, be32};
pub(in crate::engine::packet) use crate::engine::packet::view::ports::{
    ICMP, ICMPV6, SCTP, TCP, UDP,
};

pub(in crate::engine::packet) const FIN: u8 = 1;
pub(in crate::engine::packet) const SYN: u8 = 2;
pub(in crate::engine::packet) const RST: u8 = 4;
pub(in crate::engine::packet) const ACK: u8 = 16;

/// A parsed transport header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) struct Segment<'a> {
    pub(in crate::engine::packet) ports: Ports,
    /// TCP flags; 0 for others.
    pub(in crate::engine::packet) flags: u8,
    /// Sequence and acknowledgement number of TCP; 0 for others.
    pub(in crate::engine::packet) seq: u32,
    pub(in crate::engine::packet) ack: u32,
    /// Empty if there is nothing to parse.
    pub(in crate::engine::packet) payload: &'a [u8],
    pub(in crate::engine::packet) fault: Option<Fault>,
}

impl<'a> Segment<'a> {
    pub(in crate::engine::packet) const fn bare(fault: Option<Fault>) -> Self {
        Segment { ports: Ports::None, flags: 0, seq: 0, ack: 0, payload: &[], fault }
    }

    const fn new(ports: Ports, payload: &'a [u8]) -> Self {
        Segment { ports, flags: 0, seq: 0, ack: 0, payload, fault: None }
    }
}

/// Parses the transport header of a packet.
#[inline(always)]
pub(in crate::engine::packet) fn parse(proto: u8, payload: Result<&[u8], Fault>) -> Segment<'_> {
    let data = match payload {
        Ok(data) => data,
        Err(fault) => return Segment::bare(Some(fault)),
    };
    let segment = match proto {
        TCP => parse_tcp(data),
        UDP => parse_udp(data),
        SCTP => pair(data).map(|ports| Segment::new(ports, &[])),
        ICMP | ICMPV6 => match *data {
            [kind, code, ..] => Some(Segment::new(Ports::Icmp(kind, code), &[])),
            _ => None,
        },
        _ => return Segment::bare(None),
    };
    segment.unwrap_or(Segment::bare(Some(Fault::TransportCut)))
}

fn pair(data: &[u8]) -> Option<Ports> {
    Some(Ports::Pair(be16(data, 0)?, be16(data, 2)?))
}

#[inline(always)]
fn parse_tcp(data: &[u8]) -> Option<Segment<'_>> {
    let ports = pair(data)?;
    let (Some(&length), Some(&flags)) = (data.get(12), data.get(13)) else {
        return Some(Segment { ports, ..Segment::bare(Some(Fault::TransportCut)) });
    };
    let length = usize::from(length >> 4) * 4;
    let (payload, fault) = match data.get(length..) {
        _ if length < 20 => (&[][..], Some(Fault::TransportLength)),
        Some(payload) => (payload, None),
        None => (&[][..], Some(Fault::TransportCut)),
    };
    let (seq, ack) = (be32(data, 4)?, be32(data, 8)?);
    Some(Segment { ports, flags, seq, ack, payload, fault })
}

#[inline(always)]
fn parse_udp(data: &[u8]) -> Option<Segment<'_>> {
    let ports = pair(data)?;
    let Some((length, rest)) = be16(data, 4).zip(data.get(8..)) else {
        return Some(Segment { ports, ..Segment::bare(Some(Fault::TransportCut)) });
    };
    // 0 means a datagram above 64 KiB (RFC 2675); a longer one than there is was cut off.
    let length = usize::from(length);
    let (payload, fault) = match length.checked_sub(8) {
        Some(length) => (rest.get(..length).unwrap_or(rest), None),
        None if length == 0 => (rest, None),
        None => (&[][..], Some(Fault::TransportLength)),
    };
    Some(Segment { ports, payload, ..Segment::bare(fault) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_headers_are_parsed() {
        let mut data = vec![0, 80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, 0x12, 0, 0, 0, 0, 0, 0];
        data.extend(b"optsdata");
        let got = parse(TCP, Ok(&data));
        assert_eq!((got.ports, got.flags, got.fault), (Ports::Pair(80, 256), SYN | ACK, None));
        assert_eq!(got.payload, b"data");
        let cut = parse(TCP, Ok(&data[..22]));
        assert_eq!((cut.ports, cut.fault), (Ports::Pair(80, 256), Some(Fault::TransportCut)));
        data[12] = 0x40;
        assert_eq!(parse(TCP, Ok(&data)).fault, Some(Fault::TransportLength));
        assert_eq!(parse(TCP, Ok(&data[..3])), Segment::bare(Some(Fault::TransportCut)));
    }

    #[test]
    fn udp_and_icmp() {
        let data = b"\x00\x35\x04\x00\x00\x0c\x00\x00datapadding";
        let got = parse(UDP, Ok(data));
        assert_eq!((got.ports, got.payload), (Ports::Pair(53, 1024), &b"data"[..]));
        assert_eq!(parse(UDP, Ok(&data[..10])).payload, b"da");
        assert_eq!(parse(UDP, Ok(&data[..7])).fault, Some(Fault::TransportCut));
        let short = b"\x00\x35\x04\x00\x00\x07\x00\x00";
        assert_eq!(parse(UDP, Ok(short)).fault, Some(Fault::TransportLength));
        assert_eq!(parse(ICMP, Ok(&[8, 0, 1, 2])).ports, Ports::Icmp(8, 0));
        assert_eq!(parse(ICMPV6, Ok(&[8])).fault, Some(Fault::TransportCut));
        assert_eq!(parse(47, Ok(&[8])), Segment::bare(None));
        let cut = parse(UDP, Err(Fault::IpCut));
        assert_eq!(cut, Segment::bare(Some(Fault::IpCut)));
    }
}
