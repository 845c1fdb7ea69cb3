//! Connections whose hellos are being assembled.

use super::crypto::Crypto;
use super::initial::{Initial, is_likely, split};
use super::keys::{self, Keys};
use crate::engine::packet::{Config, Counters, Fault, Packet, Visitor};
use crate::engine::progress::bound;
use hashbrown::HashMap;
use std::collections::VecDeque;

/// Connections whose hellos are being assembled, of one shard of a capture.
const MAX_CONNECTIONS: usize = bound(2048, 4);

/// Packets in one datagram that are examined.
const MAX_COALESCED: usize = bound(8, 2);

/// A connection that is being opened.
#[derive(Debug)]
struct Connection {
    version: u32,
    keys: [Keys; 2],
    /// The client's first identifier, from which the keys of other versions are derived, too.
    identifier: Box<[u8]>,
    crypto: [Crypto; 2],
    /// Whether the client opened the flow.
    is_client_opener: bool,
    serial: u64,
}

/// Connections by flow.
#[derive(Debug)]
pub(in crate::engine::packet) struct Connections {
    open: HashMap<u64, Connection>,
    order: VecDeque<(u64, u64)>,
    serial: u64,
    /// Bytes of incomplete hellos, and their limit.
    bytes: usize,
    max: usize,
}

impl Connections {
    pub(in crate::engine::packet) fn new(config: &Config) -> Self {
        Connections {
            open: HashMap::new(),
            order: VecDeque::new(),
            serial: 0,
            bytes: 0,
            max: config.max_quic_bytes,
        }
    }

    /// Drops a flow.
    pub(in crate::engine::packet) fn remove(&mut self, flow_id: u64) {
        if !self.open.is_empty()
            && let Some(connection) = self.open.remove(&flow_id)
        {
            self.bytes -= connection.weight();
        }
    }

    /// Processes the Initial packets of a datagram; returns whether it is QUIC.
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
            let Some((initial, after)) = split(rest) else { break };
            if let Some(initial) = initial {
                self.initial(&initial, packet, visitor, counters);
            }
            rest = after;
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
        // It opens a connection, or restarts after a Retry: then the keys are derived from its
        // own identifier.
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
        while (self.order.len() > MAX_CONNECTIONS || self.bytes > self.max)
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
    /// Bytes that are held of incomplete hellos.
    fn weight(&self) -> usize {
        self.crypto.iter().map(Crypto::weight).sum()
    }

    /// Removes the protection of a packet of a side. A server may choose another version than the
    /// client began with, and both continue with that one (RFC 9368, 2.3; RFC 9369, 4).
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
