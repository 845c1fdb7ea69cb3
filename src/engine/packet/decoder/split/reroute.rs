//! Connections of two hosts that must be decoded together with what a third one sends.
//!
//! FTP may announce a connection to an address other than that of the sender (RFC 959, 5.2;
//! server-to-server transfers, and servers whose data has its own address). Only the shard that
//! decodes the announcement can name the transferred file. So the splitter looks for
//! announcements too, and assigns a connection that is opened to an announced end to the shard of
//! the announcement. Connections that are already open stay where they are: otherwise anyone who
//! talks to one of their hosts could have them torn apart.
//!
//! This recognises an announcement at the beginning of a segment, which is how all programs send
//! it, and a connection whose SYN was captured.

use super::shard_of;
use crate::engine::indicator::Timestamp;
use crate::engine::packet::contract::expectations::{End, TIMEOUT};
use crate::engine::packet::dispatch;
use crate::engine::packet::view::Ports;
use crate::engine::packet::wire::layers::{IpPacket, Part};
use crate::engine::packet::wire::transport::{ACK, SYN, Segment, TCP};
use crate::engine::progress::bound;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::hash::Hash;
use std::net::IpAddr;

/// Announcements and connections that are kept, of each.
const MAX_ENTRIES: usize = bound(4096, 8);

/// The shards of connections that are not assigned by their hosts.
#[derive(Debug, Default)]
pub(super) struct Reroutes {
    announced: Recent<End>,
    open: Recent<Connection>,
}

/// Both ends of a connection, the same for both directions.
type Connection = [(IpAddr, u16); 2];

impl Reroutes {
    /// The shard of a packet whose hosts have the shard `own`.
    #[inline(always)]
    pub(super) fn shard(&mut self, unit: &IpPacket<'_>, own: usize) -> usize {
        if unit.proto != TCP {
            return own;
        }
        let Ok([_, _, _, _, _, _, _, _, _, _, _, _, length, flags, rest @ ..]) = unit.payload
        else {
            return own;
        };
        let payload =
            rest.get((usize::from(length >> 4) * 4).saturating_sub(14)..).unwrap_or_default();
        let is_opened = flags & (SYN | ACK) == SYN && !self.announced.is_empty();
        if is_opened || !self.open.is_empty() || is_likely(payload) {
            return self.look(unit, own);
        }
        own
    }

    #[cold]
    fn look(&mut self, unit: &IpPacket<'_>, own: usize) -> usize {
        if unit.part == Part::Quoted {
            return own;
        }
        let segment = unit.segment();
        let Ports::Pair(src, dst) = segment.ports else { return own };
        // Nothing is looked up once all of it has expired.
        self.open.forget(unit.time);
        self.announced.forget(unit.time);
        if unit.part == Part::Later || segment.fault.is_some() {
            return own;
        }
        let mut connection = [(unit.src, src), (unit.dst, dst)];
        connection.sort_unstable();
        if let Some(shard) = self.open.find(&connection, unit.time) {
            return shard;
        }
        let end = End { address: unit.dst, port: dst, peer: unit.src };
        if segment.flags & (SYN | ACK) == SYN
            && let Some(shard) = self.announced.find(&end, unit.time)
        {
            self.open.put(connection, shard, unit.time);
            return shard;
        }
        self.note(unit, &segment, own);
        own
    }

    /// Notes what a packet announces, if it is for another host and another shard.
    fn note(&mut self, unit: &IpPacket<'_>, segment: &Segment<'_>, own: usize) {
        if is_likely(segment.payload)
            && let Some((address, port)) = dispatch::announced(segment.payload)
            && address != unit.src
            && shard_of(address, unit.dst) != own
        {
            self.announced.put(End { address, port, peer: unit.dst }, own, unit.time);
        }
    }
}

/// Whether a segment may begin with an announcement.
fn is_likely(payload: &[u8]) -> bool {
    let Some(word) = payload.first_chunk::<4>() else { return false };
    // Setting this bit makes letters lower case; digits and the space have it anyway.
    let word = (u32::from_be_bytes(*word) | 0x2020_2020).to_be_bytes();
    matches!(&word, b"port" | b"eprt" | b"227 ")
}

/// Shards by recently used keys: what is old is dropped, and the oldest if there are too many.
#[derive(Debug)]
struct Recent<K> {
    shards: HashMap<K, Entry>,
    order: VecDeque<(K, u64)>,
    serial: u64,
}

#[derive(Debug)]
struct Entry {
    shard: usize,
    /// When it was last used.
    time: Timestamp,
    serial: u64,
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Recent { shards: HashMap::new(), order: VecDeque::new(), serial: 0 }
    }
}

impl<K: Copy + Eq + Hash> Recent<K> {
    fn is_empty(&self) -> bool {
        self.shards.is_empty()
    }

    /// The shard of a key, which is now used.
    fn find(&mut self, key: &K, now: Timestamp) -> Option<usize> {
        let entry = self.shards.get_mut(key)?;
        if now.0.abs_diff(entry.time.0) > TIMEOUT.unsigned_abs() {
            self.shards.remove(key);
            return None;
        }
        entry.time = now;
        Some(entry.shard)
    }

    fn put(&mut self, key: K, shard: usize, time: Timestamp) {
        self.serial += 1;
        let serial = self.serial;
        self.shards.insert(key, Entry { shard, time, serial });
        self.order.push_back((key, serial));
        self.forget(time);
    }

    /// Drops what has expired, and what is too much.
    fn forget(&mut self, now: Timestamp) {
        while let Some((key, serial)) = self.order.front() {
            let entry = self.shards.get(key).filter(|entry| entry.serial == *serial);
            let is_old =
                entry.is_none_or(|entry| now.0.abs_diff(entry.time.0) > TIMEOUT.unsigned_abs());
            if self.order.len() <= MAX_ENTRIES && !is_old {
                break;
            }
            if entry.is_some() {
                self.shards.remove(key);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_are_recognised_by_their_first_bytes() {
        for payload in [&b"PORT 1,2"[..], b"port 1", b"EPRT |1|", b"227 Entering"] {
            assert!(is_likely(payload));
        }
        for payload in [&b"POR"[..], b"227-", b"220 a", b"RETR a", b""] {
            assert!(!is_likely(payload));
        }
    }

    #[test]
    fn what_is_old_goes() {
        let mut recent = Recent::default();
        for number in 0..2 * MAX_ENTRIES {
            recent.put(number, number % 8, Timestamp(0));
            recent.put(0, 3, Timestamp(0));
        }
        assert!(recent.shards.len() <= MAX_ENTRIES && recent.order.len() == MAX_ENTRIES);
        assert_eq!(recent.find(&0, Timestamp(TIMEOUT)), Some(3));
        assert_eq!(recent.find(&0, Timestamp(2 * TIMEOUT)), Some(3), "used meanwhile");
        assert_eq!(recent.find(&0, Timestamp(4 * TIMEOUT)), None);
        assert_eq!(recent.find(&1, Timestamp(0)), None);
        recent.forget(Timestamp(8 * TIMEOUT));
        assert!(recent.is_empty() && recent.order.is_empty());
        recent.put(1, 1, Timestamp(9 * TIMEOUT));
        assert_eq!((recent.shards.len(), recent.order.len()), (1, 1));
    }
}
