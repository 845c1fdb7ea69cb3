//! QUIC: the hellos of its Initial packets, in versions 1 and 2 (RFC 9000, 9001, 9369), the drafts
//! 22 to 34, the versions of mvfst, and Google's with TLS.
//!
//! Initial packets are encrypted with keys that follow from the client's first
//! connection identifier, so that anybody on the way can read them. Found by
//! content on any port: a long header of a known version that opens with those
//! keys, authentication included. CRYPTO frames may come in any order and over
//! several packets. What is remembered of connections is bounded; the oldest go.

mod crypto;
mod keys;

use crate::engine::packet::bytes::{be16, be32};
use crate::engine::packet::payload::handshake::{self, hello};
use crate::engine::packet::{Config, Counters, Fault, Packet, Visitor};
use crate::engine::progress::bound;
use crypto::Crypto;
use hashbrown::HashMap;
use keys::Keys;
use std::collections::VecDeque;

/// Connections whose hellos are being read, of one share of a capture.
const MAX_CONNECTIONS: usize = bound(2048, 4);

/// Packets in one datagram that are looked at.
const MAX_COALESCED: usize = bound(8, 2);

const VERSION_1: u32 = 1;
const VERSION_2: u32 = 0x6b33_43cf;
/// Draft 22 is the first whose headers are those of version 1.
const FIRST_DRAFT: u32 = 0xff00_0016;
const LAST_DRAFT: u32 = 0xff00_0022;
/// What Facebook speaks: 0xfaceb001, b002, and experiments and aliases from then on.
const FIRST_MVFST: u32 = 0xface_b000;
const LAST_MVFST: u32 = 0xface_b0ff;
const T050: u32 = u32::from_be_bytes(*b"T050");
const T051: u32 = u32::from_be_bytes(*b"T051");

/// An Initial packet, still protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Initial<'a> {
    version: u32,
    destination: &'a [u8],
    /// From the first byte of the header to the last of the packet.
    bytes: &'a [u8],
    /// Where its number begins.
    number: usize,
}

/// A connection that is being opened.
#[derive(Debug)]
struct Connection {
    version: u32,
    keys: [Keys; 2],
    /// The client's first identifier, of which the keys of other versions are made, too.
    identifier: Box<[u8]>,
    crypto: [Crypto; 2],
    /// Whether the client is who opened the flow.
    is_client_opener: bool,
    serial: u64,
}

/// Connections by flow.
#[derive(Debug)]
pub(in crate::engine::packet) struct Connections {
    open: HashMap<u64, Connection>,
    order: VecDeque<(u64, u64)>,
    serial: u64,
    /// Bytes of hellos that are not whole, and the most of them.
    bytes: usize,
    most: usize,
}

/// Whether a UDP payload may be of QUIC: cheap, and mostly no.
fn is_likely(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & 0xc0 == 0xc0)
        && be32(payload, 1).is_some_and(is_known)
}

fn is_known(version: u32) -> bool {
    matches!(
        version,
        VERSION_1
            | VERSION_2
            | FIRST_DRAFT..=LAST_DRAFT
            | FIRST_MVFST..=LAST_MVFST
            | T050
            | T051
    )
}

impl Connections {
    pub(in crate::engine::packet) fn new(config: &Config) -> Self {
        Connections {
            open: HashMap::new(),
            order: VecDeque::new(),
            serial: 0,
            bytes: 0,
            most: config.most_quic_bytes,
        }
    }

    /// Forgets a flow.
    pub(in crate::engine::packet) fn remove(&mut self, flow_id: u64) {
        if !self.open.is_empty()
            && let Some(connection) = self.open.remove(&flow_id)
        {
            self.bytes -= connection.weight();
        }
    }

    /// Reads the Initial packets of a datagram; answers whether it is of QUIC.
    pub(in crate::engine::packet) fn inspect<V: Visitor>(
        &mut self,
        payload: &[u8],
        packet: &Packet<'_>,
        visitor: &mut V,
        counters: &mut Counters,
    ) -> bool {
        if !is_likely(payload) {
            return false;
        }
        let mut rest = payload;
        for _ in 0..MAX_COALESCED {
            let Some((initial, behind)) = split(rest) else { break };
            if let Some(initial) = initial {
                self.initial(&initial, packet, visitor, counters);
            }
            rest = behind;
        }
        true
    }

    fn initial<V: Visitor>(
        &mut self,
        initial: &Initial<'_>,
        packet: &Packet<'_>,
        visitor: &mut V,
        counters: &mut Counters,
    ) {
        if let Some(connection) = self.open.get_mut(&packet.flow_id) {
            let side = usize::from(packet.to_server != connection.is_client_opener);
            if let Some(plain) = connection.open(side, initial) {
                let before = connection.weight();
                connection.crypto[side].frames(&plain, packet, visitor, counters);
                self.bytes = self.bytes + connection.weight() - before;
                return self.make_room(counters);
            }
        }
        // It opens a connection, or begins anew behind a Retry: then its own
        // identifier makes the keys.
        let Some((keys, plain)) = keys::derive(initial.version, initial.destination)
            .find_map(|keys| keys[0].open(initial).map(|plain| (keys, plain)))
        else {
            return counters.note(Fault::BadQuic);
        };
        self.serial += 1;
        let mut connection = Connection {
            version: initial.version,
            keys,
            identifier: initial.destination.into(),
            crypto: [Crypto::default(), Crypto::default()],
            is_client_opener: packet.to_server,
            serial: self.serial,
        };
        connection.crypto[0].frames(&plain, packet, visitor, counters);
        self.remove(packet.flow_id);
        self.bytes += connection.weight();
        self.open.insert(packet.flow_id, connection);
        self.order.push_back((packet.flow_id, self.serial));
        self.make_room(counters);
    }

    fn make_room(&mut self, counters: &mut Counters) {
        while (self.order.len() > MAX_CONNECTIONS || self.bytes > self.most)
            && let Some((flow_id, serial)) = self.order.pop_front()
        {
            let Some(connection) = self.open.get(&flow_id) else { continue };
            if connection.serial == serial {
                if connection.weight() > 0 {
                    counters.note(Fault::QuicEvicted);
                }
                self.remove(flow_id);
            }
        }
    }
}

impl Connection {
    /// Bytes that are held of what is not whole.
    fn weight(&self) -> usize {
        self.crypto.iter().map(Crypto::weight).sum()
    }

    /// Takes the protection off a packet of a side. A server may choose another version than
    /// the client began with, and both go on in that one (RFC 9368, 2.3; RFC 9369, 4).
    fn open(&mut self, side: usize, initial: &Initial<'_>) -> Option<Vec<u8>> {
        if initial.version == self.version {
            return self.keys.get(side)?.open(initial);
        }
        let (keys, plain) = keys::derive(initial.version, &self.identifier)
            .find_map(|keys| keys.get(side)?.open(initial).map(|plain| (keys, plain)))?;
        (self.version, self.keys) = (initial.version, keys);
        Some(plain)
    }
}

/// A whole number in one to eight bytes, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let &first = bytes.first()?;
    let length = 1 << (first >> 6);
    let (number, rest) = bytes.split_at_checked(length)?;
    let start = u64::from(first & 0x3f);
    Some((number[1..].iter().fold(start, |sum, &byte| sum << 8 | u64::from(byte)), rest))
}

/// Splits off the first packet of a datagram, which may be of another sort.
fn split(datagram: &[u8]) -> Option<(Option<Initial<'_>>, &[u8])> {
    if !is_likely(datagram) {
        return None;
    }
    let (&first, version) = (datagram.first()?, be32(datagram, 1)?);
    let (destination, rest) = identifier(datagram.get(5..)?)?;
    let (_, mut rest) = identifier(rest)?;
    let kind = first >> 4 & 3;
    // Initial, 0-RTT, Handshake, Retry; in version 2 each is one further.
    let kind = if version == VERSION_2 { kind.wrapping_sub(1) & 3 } else { kind };
    match kind {
        0 => {
            let (token, behind) = varint(rest)?;
            rest = behind.get(usize::try_from(token).ok()?..)?;
        }
        3 => return None,
        _ => {}
    }
    let (length, rest) = varint(rest)?;
    let number = datagram.len() - rest.len();
    let end = number + usize::try_from(length).ok().filter(|&length| length <= rest.len())?;
    let (bytes, behind) = datagram.split_at_checked(end)?;
    let initial = Initial { version, destination, bytes, number };
    Some(((kind == 0).then_some(initial), behind))
}

fn identifier(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    (length <= 20).then(|| rest.split_at_checked(usize::from(length))).flatten()
}

/// Tells what a handshake message says, if it is a hello.
fn report<V: Visitor>(
    message: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    let Some(length) = be16(message, 2) else { return };
    let body = message.get(4..4 + usize::from(length)).unwrap_or_default();
    match message.first() {
        Some(&handshake::CLIENT_HELLO) => {
            if let Some(hello) = hello::parse_client(body) {
                handshake::report_client(&hello, handshake::Over::Quic, packet, visitor, counters);
            }
        }
        Some(&handshake::SERVER_HELLO) => {
            if let Some(hello) = hello::parse_server(body) {
                handshake::report_server(&hello, handshake::Over::Quic, packet, visitor);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
