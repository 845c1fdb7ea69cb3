//! The PROXY protocol, versions 1 and 2: the client of a load balancer.
//!
//! Its header comes before the first byte of a connection, whatever the protocol, and with
//! several load balancers there are several headers. What follows is parsed as if the connection
//! began there. Over UDP each datagram has a header of version 2.
//!
//! Source: "The PROXY protocol, versions 1 & 2" in HAProxy's documentation
//! (`proxy-protocol.txt`).

use crate::engine::indicator::{Observable, Where, address};
use crate::engine::packet::bytes::be16;
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::payload::names;
use crate::engine::packet::{Counters, Packet, Ports, ProtocolFacts, Visitor};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The beginning of a version 2 header.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The signature, version and command, family and protocol, and the length of the rest.
const FIXED: usize = 16;
const VERSION: u8 = 2;
/// The connection is the load balancer's own, for example a health check.
const LOCAL: u8 = 0;

/// The beginning of a version 1 header.
const OPENINGS: [&[u8]; 3] = [b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN"];
/// The longest version 1 header (section 2.1), including its line end.
const MAX_LINE: usize = 107;

/// Two socket paths.
const UNIX_PATHS: usize = 2 * 108;

/// The host name that the client requested (section 2.2.2).
const AUTHORITY: u8 = 0x02;
/// Details of the TLS connection that ended at the load balancer (section 2.2.6).
const SSL: u8 = 0x20;
/// In it: the common name of the client's certificate.
const SSL_CN: u8 = 0x22;
/// In it, before its own fields: flags, and whether the certificate was verified.
const SSL_FIXED: usize = 5;

/// Fields of one header that are examined.
const MAX_FIELDS: usize = 64;

/// What comes next in a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Side {
    /// A header.
    Header,
    /// The data after the headers.
    Behind,
}

/// The contents of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Header<'a> {
    src: Option<(IpAddr, u16)>,
    dst: Option<(IpAddr, u16)>,
    /// Fields of version 2: a byte for the type, two for the length, the value.
    fields: &'a [u8],
}

/// Whether data begins like a version 2 header.
fn is_second(data: &[u8]) -> bool {
    data.starts_with(SIGNATURE) && data.get(SIGNATURE.len()).is_some_and(|at| at >> 4 == VERSION)
}

impl Protocol for Side {
    type Session = ();

    fn probe(data: &[u8], _: &Opening, _: &impl Slot<Self::Session>) -> Probe<Self> {
        let is = || Probe::Is(Side::Header);
        match data.first() {
            Some(b'P') => {
                let opening = |opening: &&[u8]| data.starts_with(opening);
                let begun = |opening: &&[u8]| opening.starts_with(data);
                match () {
                    () if OPENINGS.iter().any(opening) => is(),
                    () if OPENINGS.iter().any(begun) => Probe::Maybe(data.len() + 1),
                    () => Probe::No,
                }
            }
            Some(b'\r') if data.len() <= SIGNATURE.len() => match SIGNATURE.starts_with(data) {
                true => Probe::Maybe(SIGNATURE.len() + 1),
                false => Probe::No,
            },
            Some(b'\r') if is_second(data) => is(),
            _ => Probe::No,
        }
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        if *self == Side::Behind {
            return Step::Restart;
        }
        let (header, length) = match read(data) {
            Ok(read) => read,
            Err(Some(wants)) => return Step::Wait(wants),
            Err(None) => return Step::Lost,
        };
        *self = Side::Behind;
        report(&header, context.packet, context.visitor, context.counters);
        Step::Took(length)
    }

    fn finish<V: Visitor>(
        self,
        data: &[u8],
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        if self == Side::Header && is_second(data) {
            report(&second(data), context.packet, context.visitor, context.counters);
        }
    }
}

/// Reports the header before a datagram, and removes it.
pub(in crate::engine::packet) fn strip<'d, V: Visitor>(
    datagram: &'d [u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) -> &'d [u8] {
    if datagram.first() != Some(&b'\r') || !is_second(datagram) {
        return datagram;
    }
    let Ok((header, length)) = read(datagram) else { return datagram };
    report(&header, packet, visitor, counters);
    datagram.get(length..).unwrap_or_default()
}

/// Parses a header; returns its length, or else how many bytes it needs, if it is one.
fn read(data: &[u8]) -> Result<(Header<'_>, usize), Option<usize>> {
    if data.first() == Some(&b'P') {
        let start = data.get(..MAX_LINE).unwrap_or(data);
        return match memchr::memchr(b'\n', start) {
            Some(end) => Ok((first(&start[..end]), end + 1)),
            None if start.len() < MAX_LINE => Err(Some(data.len() + 1)),
            None => Err(None),
        };
    }
    let length = FIXED + usize::from(be16(data, FIXED - 2).ok_or(Some(FIXED))?);
    let header = data.get(..length).ok_or(Some(length))?;
    Ok((second(header), length))
}

/// Parses the line of version 1: `PROXY TCP4 src dst sport dport`.
fn first(line: &[u8]) -> Header<'_> {
    let mut words = line.trim_ascii().split(|&byte| byte == b' ').skip(1);
    if !matches!(words.next(), Some(b"TCP4" | b"TCP6")) {
        return Header::default();
    }
    let mut address = || words.next().and_then(address::ip_of);
    let (src, dst) = (address(), address());
    let mut port = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
    let (src_port, dst_port) = (port(), port());
    Header {
        src: src.map(|address| (address, src_port.unwrap_or(0))),
        dst: dst.map(|address| (address, dst_port.unwrap_or(0))),
        fields: &[],
    }
}

/// Parses a version 2 header, as far as it is complete.
fn second(header: &[u8]) -> Header<'_> {
    let (Some(command), Some(family)) = (header.get(12), header.get(13)) else {
        return Header::default();
    };
    if command & 0x0f == LOCAL {
        return Header::default();
    }
    let rest = header.get(FIXED..).unwrap_or_default();
    let port = |at| be16(rest, at).unwrap_or(0);
    let v4 = |at: usize| {
        let bytes = rest.get(at..)?.first_chunk::<4>()?;
        Some(IpAddr::V4(Ipv4Addr::from(*bytes)))
    };
    let v6 = |at: usize| {
        let bytes = rest.get(at..)?.first_chunk::<16>()?;
        Some(address::fold(Ipv6Addr::from(*bytes)))
    };
    let (src, dst, length) = match family >> 4 {
        1 => (v4(0).map(|ip| (ip, port(8))), v4(4).map(|ip| (ip, port(10))), 12),
        2 => (v6(0).map(|ip| (ip, port(32))), v6(16).map(|ip| (ip, port(34))), 36),
        3 => (None, None, UNIX_PATHS),
        _ => (None, None, 0),
    };
    Header { src, dst, fields: rest.get(length..).unwrap_or_default() }
}

/// The next field, and what follows it.
fn split_field(fields: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let kind = *fields.first()?;
    let length = usize::from(be16(fields, 1)?);
    let (value, rest) = fields.get(3..)?.split_at_checked(length)?;
    Some((kind, value, rest))
}

/// The fields of a type.
fn fields(mut rest: &[u8], kind: u8) -> impl Iterator<Item = &[u8]> {
    let all = std::iter::from_fn(move || {
        let (kind, value, after) = split_field(rest)?;
        rest = after;
        Some((kind, value))
    });
    all.take(MAX_FIELDS).filter(move |(other, _)| *other == kind).map(|(_, value)| value)
}

fn report<V: Visitor>(
    header: &Header<'_>,
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    let (src_port, dst_port) = match packet.ports {
        Ports::Pair(src, dst) => (src, dst),
        Ports::None | Ports::Icmp(..) => (0, 0),
    };
    // The addresses of the packet itself were reported with its flow.
    for (end, own, at) in [
        (header.src, (packet.src, src_port), Where::ProxySrc),
        (header.dst, (packet.dst, dst_port), Where::ProxyDst),
    ] {
        if let Some((address, port)) = end.filter(|end| *end != own && !end.0.is_unspecified()) {
            let port = Some(port).filter(|&port| port > 0);
            visitor.seen(Observable::Address(address, port), at, packet, ProtocolFacts::None);
        }
    }
    for name in fields(header.fields, AUTHORITY).take(1) {
        names::report_host(
            name,
            Where::ProxyAuthority,
            packet,
            (visitor, counters),
            ProtocolFacts::None,
        );
    }
    for ssl in fields(header.fields, SSL).take(1) {
        let inner = ssl.get(SSL_FIXED..).unwrap_or_default();
        // Not all are hosts: names of people contain blanks, or no dot.
        let name = fields(inner, SSL_CN).next().filter(|name| name.contains(&b'.'));
        if let Some(name) = name.filter(|name| !name.contains(&b' ') && !name.contains(&b'@')) {
            names::report_host(
                name,
                Where::TlsCert,
                packet,
                (visitor, counters),
                ProtocolFacts::None,
            );
        }
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
