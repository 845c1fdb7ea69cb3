//! SOCKS 4, 4a and 5 (RFC 1928, 1929): the destination of a client.
//!
//! A client is recognised by its first message on any port, a server by its responses to one.
//! After the request, and after the response to it, anything may follow.

use crate::engine::indicator::{Observable, Where};
use crate::engine::packet::bytes::be16;
use crate::engine::packet::contract::{
    Opening, ParseContext, Probe, Protocol, Session, Slot, Step,
};
use crate::engine::packet::payload::names;
use crate::engine::packet::{ProtocolFacts, Visitor};
use crate::engine::progress::bound;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest user and host of version 4.
const MAX_TEXT: usize = bound(256, 32);

/// Authentication methods that a greeting offers.
const MAX_METHODS: u8 = bound(16, 3) as u8;

const USER_METHOD: u8 = 2;
const GRANTED: u8 = 0x5a;

/// What a direction sends next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Side {
    /// A client of version 4, which has one message.
    Client4,
    Greeting,
    /// A user and a password, or the request.
    Client5,
    /// The request was sent.
    Through,
    Server4,
    /// The server chooses a method.
    Choice,
    /// It responds to user and password.
    LoggedOn,
    Server5,
}

fn is(side: Side) -> Probe<Side> {
    Probe::Is(side)
}

/// A request of version 4.
struct Request4<'a> {
    address: Ipv4Addr,
    port: u16,
    host: Option<&'a [u8]>,
    length: usize,
}

/// Parses a request of version 4; otherwise returns how many bytes it needs, if it is one.
fn split4(data: &[u8]) -> Result<Request4<'_>, Option<usize>> {
    let more = || Err(Some(data.len() + 1));
    let Some(&[_, _, _, _, a, b, c, d]) = data.first_chunk() else { return Err(Some(9)) };
    let (user, rest) = match split_text(data.get(8..).unwrap_or_default()) {
        Ok(split) => split,
        Err(true) => return more(),
        Err(false) => return Err(None),
    };
    let address = Ipv4Addr::new(a, b, c, d);
    let (port, length) = (be16(data, 2).unwrap_or(0), 8 + user.len() + 1);
    // Version 4a: a host name after an invalid address.
    if [a, b, c] != [0; 3] || d == 0 {
        let is_likely = port > 0 && !address.is_unspecified();
        let request = Request4 { address, port, host: None, length };
        return if is_likely { Ok(request) } else { Err(None) };
    }
    match split_text(rest) {
        Ok((host, _)) if !host.is_empty() => {
            let length = length + host.len() + 1;
            Ok(Request4 { address, port, host: Some(host), length })
        }
        Err(true) => more(),
        _ => Err(None),
    }
}

/// Splits off text up to its zero. Otherwise returns whether it may still come.
fn split_text(bytes: &[u8]) -> Result<(&[u8], &[u8]), bool> {
    let end = memchr::memchr(0, bytes);
    let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    let is_text = text.len() <= MAX_TEXT && text.iter().all(|&b| b >= b' ' && b != 0x7f);
    match end {
        Some(end) if is_text => Ok((text, bytes.get(end + 1..).unwrap_or_default())),
        None => Err(is_text),
        _ => Err(false),
    }
}

/// The destination in a message of version 5.
enum Target<'a> {
    Address(IpAddr),
    Host(&'a [u8]),
}

/// The address and port from the fourth byte of a message on, and their end. Otherwise how many
/// bytes are needed, if it can be parsed at all.
fn target(data: &[u8]) -> Result<(Target<'_>, u16, usize), Option<usize>> {
    let (from, length) = match data.get(3) {
        None => return Err(Some(5)),
        Some(1) => (4, 4),
        Some(4) => (4, 16),
        Some(3) => match data.get(4) {
            None => return Err(Some(5)),
            Some(&length) => (5, usize::from(length)),
        },
        Some(_) => return Err(None),
    };
    let end = from + length;
    let bytes = data.get(from..end).ok_or(Some(end + 2))?;
    let port = be16(data, end).ok_or(Some(end + 2))?;
    let target = match (from, length) {
        (5, _) => Target::Host(bytes),
        (_, 4) => Target::Address(
            bytes.first_chunk().map_or(Ipv4Addr::UNSPECIFIED, |b| Ipv4Addr::from(*b)).into(),
        ),
        _ => Target::Address(
            bytes.first_chunk().map_or(Ipv6Addr::UNSPECIFIED, |b| Ipv6Addr::from(*b)).into(),
        ),
    };
    Ok((target, port, end + 2))
}

/// The version in which a client requested a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Version(u8);

impl Session for Version {}

impl Protocol for Side {
    type Session = Version;

    fn probe(data: &[u8], _: &Opening, session: &impl Slot<Self::Session>) -> Probe<Self> {
        match (session.get(), data) {
            (Some(Version(5)), [5, ..]) => is(Side::Choice),
            (Some(Version(4)), [0, ..]) => is(Side::Server4),
            (_, [4, 1 | 2, ..]) => match split4(data) {
                Ok(_) => is(Side::Client4),
                Err(Some(wants)) => Probe::Maybe(wants),
                Err(None) => Probe::No,
            },
            (_, &[5, count @ 1..=MAX_METHODS, ref methods @ ..]) => {
                let count = usize::from(count);
                let is_method = |&method: &u8| matches!(method, 0..=9 | 0x80..=0xff);
                match methods.split_at_checked(count) {
                    None if methods.iter().all(is_method) => Probe::Maybe(2 + count),
                    Some((methods, [] | [1 | 5, ..])) if methods.iter().all(is_method) => {
                        is(Side::Greeting)
                    }
                    _ => Probe::No,
                }
            }
            (_, [4 | 5]) => Probe::Maybe(3),
            _ => Probe::No,
        }
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let outcome = match *self {
            Side::Client4 => split4(data).map(|request| {
                *session.begin() = Version(4);
                let target = match request.host {
                    Some(host) => Target::Host(host),
                    None => Target::Address(request.address.into()),
                };
                report(&target, request.port, context);
                (Side::Through, request.length)
            }),
            Side::Greeting => {
                *session.begin() = Version(5);
                let count = data.get(1).copied().map(usize::from);
                count.map(|count| (Side::Client5, 2 + count)).ok_or(Some(2))
            }
            Side::Client5 => client5(data, context),
            Side::Through => return Step::Restart,
            Side::Choice | Side::LoggedOn => choice(*self, data),
            Side::Server4 => match data.get(1) {
                None => Err(Some(8)),
                Some(&GRANTED) if data.len() >= 8 => Ok((Side::Through, 8)),
                Some(&GRANTED) => Err(Some(8)),
                Some(_) => Err(None),
            },
            Side::Server5 => match data {
                [5, 0, ..] => target(data).map(|(_, _, length)| (Side::Through, length)),
                [5] => Err(Some(2)),
                _ => Err(None),
            },
        };
        match outcome {
            Ok((next, length)) if length <= data.len() => {
                let is_server = matches!(self, Side::Server4 | Side::Server5);
                if is_server {
                    session.end();
                }
                *self = next;
                Step::Took(length)
            }
            Ok((_, wants)) | Err(Some(wants)) => Step::Wait(wants),
            Err(None) => Step::Lost,
        }
    }
}

/// A user and a password, or the request itself.
fn client5<V: Visitor>(
    data: &[u8],
    context: &mut ParseContext<'_, '_, V>,
) -> Result<(Side, usize), Option<usize>> {
    match *data {
        [1, ref rest @ ..] => {
            let user = rest.first().map(|&length| 1 + usize::from(length)).ok_or(Some(2))?;
            let password = rest.get(user).copied().ok_or(Some(user + 2))?;
            Ok((Side::Client5, 1 + user + 1 + usize::from(password)))
        }
        [5] => Err(Some(5)),
        [5, 1..=3, ..] => {
            let (target, port, length) = target(data)?;
            report(&target, port, context);
            Ok((Side::Through, length))
        }
        _ => Err(None),
    }
}

/// The method that a server chooses, or its response to user and password.
fn choice(side: Side, data: &[u8]) -> Result<(Side, usize), Option<usize>> {
    match (side, data) {
        (Side::Choice, [5, USER_METHOD, ..]) => Ok((Side::LoggedOn, 2)),
        (Side::Choice, [5, 0, ..]) | (Side::LoggedOn, [_, 0, ..]) => Ok((Side::Server5, 2)),
        (_, [_]) => Err(Some(2)),
        _ => Err(None),
    }
}

fn report<V: Visitor>(target: &Target<'_>, port: u16, context: &mut ParseContext<'_, '_, V>) {
    let port = Some(port).filter(|&port| port > 0);
    let packet = context.packet;
    match *target {
        Target::Address(address) if address.is_unspecified() => {}
        Target::Address(address) => {
            let seen = Observable::Address(address, port);
            context.visitor.seen(seen, Where::SocksHost, packet, ProtocolFacts::None);
        }
        Target::Host(host) => {
            let to = (&mut *context.visitor, &mut *context.counters);
            names::report_host(host, Where::SocksHost, packet, to, ProtocolFacts::None);
        }
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests {
    use super::*;
    use crate::engine::packet::tests::{decode, tcp};

    /// What a client sends that authenticates and continues with TLS.
    pub(in crate::engine::packet) fn client() -> Vec<u8> {
        let mut bytes =
            b"\x05\x02\x00\x02\x01\x04user\x04pass\x05\x01\x00\x03\x09a.example\x01\xbb".to_vec();
        bytes.extend(crate::engine::packet::protocol::tls::tests::hello(Some("tls.example"), &[]));
        bytes
    }

    /// What its server sends.
    pub(in crate::engine::packet) fn server() -> Vec<u8> {
        let mut bytes = b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0".to_vec();
        bytes.extend(crate::engine::packet::protocol::tls::tests::server_flight());
        bytes
    }

    #[test]
    fn targets_of_both_versions_are_read() {
        for (data, want) in [
            (&b"\x04\x01\x01\xbb\xc0\x00\x02\x07user\0"[..], "192.0.2.7 443"),
            (b"\x04\x01\x01\xbb\0\0\0\x01\0b.example\0", "b.example"),
            (b"\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb", "192.0.2.7 443"),
            (
                b"\x05\x01\x00\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x01\xbb",
                "2001:db8::7 443",
            ),
            (b"\x05\x01\x00\x05\x01\x00\x03\x09192.0.2.7\x00\x50", "192.0.2.7"),
            (b"\x05\x01\x00\x05\x01\x00\x03\x09a.example\x00\x50", "a.example"),
        ] {
            let (recorder, counters) = decode(&[tcp(40_000, 9999, 24, data)]);
            assert_eq!(recorder.at(Where::SocksHost), [want]);
            assert_eq!(counters.faults().count(), 0);
        }
        for data in [&b"\x04\x01\0\0\xc0\0\x02\x07\0"[..], b"\x05\x00\x0b\x03", b"\x05\x01\x20"] {
            assert!(decode(&[tcp(40_000, 9999, 24, data)]).0.at(Where::SocksHost).is_empty());
        }
    }

    #[test]
    fn what_goes_through() {
        let (recorder, _) = decode(&[tcp(40_000, 1080, 24, &client())]);
        assert_eq!(recorder.at(Where::SocksHost), ["a.example"]);
        assert_eq!(recorder.at(Where::TlsSni), ["tls.example"]);
    }
}
