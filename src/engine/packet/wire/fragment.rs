//! Reassembly of IP fragments.
//!
//! Packets wait for their fragments in a bounded store: limited by bytes, where the oldest packet
//! is evicted, and by time, measured by packets. Bytes that two fragments contain are taken from
//! the one that came first, as on most hosts; overlaps are counted, and separately those whose
//! bytes differ.

use super::ip::Piece;
use crate::engine::indicator::Timestamp;
use crate::engine::packet::{Config, Counters, Fault};
use crate::engine::progress::bound;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;

/// A fragment of a packet.
#[derive(Clone, Copy)]
pub(in crate::engine::packet) struct Fragment<'a> {
    /// Where it belongs.
    pub(in crate::engine::packet) piece: Piece,
    /// The transport protocol that its header names.
    pub(in crate::engine::packet) proto: u8,
    pub(in crate::engine::packet) payload: &'a [u8],
}

/// The longest payload of a packet.
const LONGEST: usize = 65_535;

/// Separate runs of bytes of one packet.
const MAX_RUNS: usize = bound(128, 4);

/// The memory of a waiting packet besides its bytes.
const OVERHEAD: usize = 256;

/// Buffers that are kept for the next packets.
const MAX_SPARE: usize = bound(16, 2);

/// What all fragments of a packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::engine::packet) struct Key {
    pub(in crate::engine::packet) src: IpAddr,
    pub(in crate::engine::packet) dst: IpAddr,
    /// For IPv4; in IPv6 the identifier is sufficient.
    pub(in crate::engine::packet) proto: u8,
    pub(in crate::engine::packet) id: u32,
    /// VLAN and tunnel, if they distinguish flows.
    pub(in crate::engine::packet) realm: u64,
}

/// An incomplete packet.
#[derive(Debug)]
struct Waiting {
    data: Vec<u8>,
    /// The ranges that have arrived: separate and in order.
    runs: Vec<(usize, usize)>,
    /// Known from the last fragment.
    total: Option<usize>,
    /// The transport protocol, from the first fragment.
    proto: u8,
    arrived: Timestamp,
    serial: u64,
}

/// A complete packet.
#[derive(Debug)]
pub(in crate::engine::packet) struct Whole {
    pub(in crate::engine::packet) proto: u8,
    pub(in crate::engine::packet) payload: Vec<u8>,
}

/// The packets that wait for fragments.
#[derive(Debug)]
pub(in crate::engine::packet) struct Fragments {
    waiting: HashMap<Key, Waiting>,
    /// In order of arrival; an entry with an outdated serial number is obsolete.
    order: VecDeque<(Key, u64)>,
    serial: u64,
    bytes: usize,
    max_bytes: usize,
    timeout: i64,
    spare: Vec<Vec<u8>>,
}

impl Fragments {
    pub(in crate::engine::packet) fn new(config: &Config) -> Self {
        Fragments {
            waiting: HashMap::new(),
            order: VecDeque::new(),
            serial: 0,
            bytes: 0,
            max_bytes: config.max_fragment_bytes,
            timeout: i64::from(config.fragment_timeout) * 1_000_000,
            spare: Vec::new(),
        }
    }

    /// Adds a fragment; returns its packet if that is now complete.
    pub(in crate::engine::packet) fn add(
        &mut self,
        key: Key,
        fragment: Fragment<'_>,
        now: Timestamp,
        counters: &mut Counters,
    ) -> Option<Whole> {
        let Fragment { piece, proto, payload } = fragment;
        self.expire(now, counters);
        // An expired packet after those that have not expired, because the clock was set back
        // between them.
        if let Some(waiting) = self.waiting.get(&key).filter(|waiting| self.is_due(waiting, now)) {
            let serial = waiting.serial;
            self.give_up(&key, serial, Fault::FragmentsMissing, counters);
        }
        let end = piece.offset + payload.len();
        if end > LONGEST || (!piece.is_last && payload.is_empty()) {
            counters.note(Fault::BadFragment);
            return None;
        }
        let waiting = match self.waiting.entry(key) {
            hashbrown::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hashbrown::hash_map::Entry::Vacant(entry) => {
                self.serial += 1;
                self.bytes += OVERHEAD;
                self.order.push_back((key, self.serial));
                entry.insert(Waiting {
                    data: self.spare.pop().unwrap_or_default(),
                    runs: Vec::new(),
                    total: None,
                    proto,
                    arrived: now,
                    serial: self.serial,
                })
            }
        };
        let before = waiting.data.len();
        if !waiting.add(fragment, counters) {
            counters.note(Fault::BadFragment);
        }
        self.bytes += waiting.data.len() - before;
        let whole = if waiting.is_whole() { self.remove(&key) } else { None };
        self.make_room(counters);
        whole
    }

    /// Returns a buffer for reuse.
    pub(in crate::engine::packet) fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < MAX_SPARE {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Drops all incomplete packets.
    pub(in crate::engine::packet) fn finish(&mut self, counters: &mut Counters) {
        for (key, serial) in std::mem::take(&mut self.order) {
            self.give_up(&key, serial, Fault::FragmentsMissing, counters);
        }
    }

    fn expire(&mut self, now: Timestamp, counters: &mut Counters) {
        while let Some(&(key, serial)) = self.order.front() {
            let is_due = self
                .waiting
                .get(&key)
                .is_none_or(|waiting| waiting.serial != serial || self.is_due(waiting, now));
            if !is_due {
                return;
            }
            self.order.pop_front();
            self.give_up(&key, serial, Fault::FragmentsMissing, counters);
        }
    }

    fn is_due(&self, waiting: &Waiting, now: Timestamp) -> bool {
        now.0.abs_diff(waiting.arrived.0) > self.timeout.unsigned_abs()
    }

    fn make_room(&mut self, counters: &mut Counters) {
        while self.bytes > self.max_bytes
            && let Some((key, serial)) = self.order.pop_front()
        {
            self.give_up(&key, serial, Fault::FragmentsEvicted, counters);
        }
    }

    fn give_up(&mut self, key: &Key, serial: u64, fault: Fault, counters: &mut Counters) {
        if self.waiting.get(key).is_some_and(|waiting| waiting.serial == serial)
            && let Some(whole) = self.remove(key)
        {
            counters.note(fault);
            self.recycle(whole.payload);
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Whole> {
        let waiting = self.waiting.remove(key)?;
        self.bytes -= OVERHEAD + waiting.data.len();
        // Obsolete entries must not accumulate.
        if self.order.len() > 2 * self.waiting.len() + 64 {
            let waiting = &self.waiting;
            self.order.retain(|(key, serial)| {
                waiting.get(key).is_some_and(|waiting| waiting.serial == *serial)
            });
        }
        Some(Whole { proto: waiting.proto, payload: waiting.data })
    }
}

impl Waiting {
    fn is_whole(&self) -> bool {
        let Some(total) = self.total else { return false };
        total == 0 || self.runs.first().is_some_and(|&(start, end)| start == 0 && end >= total)
    }

    /// Adds a fragment; false if it contradicts others.
    fn add(&mut self, fragment: Fragment<'_>, counters: &mut Counters) -> bool {
        let Fragment { piece, proto, payload: bytes } = fragment;
        let (start, end) = (piece.offset, piece.offset + bytes.len());
        if self.total.is_some_and(|total| end > total || (piece.is_last && end != total))
            || (piece.is_last && self.data.len() > end)
            || self.runs.len() >= MAX_RUNS
        {
            return false;
        }
        if piece.is_last {
            self.total = Some(end);
        }
        if start == 0 {
            self.proto = proto;
        }
        if self.data.len() < end {
            self.data.resize(end, 0);
        }
        self.fill(start, bytes, counters);
        self.join(start, end);
        true
    }

    /// Writes the bytes that no fragment before has written.
    fn fill(&mut self, start: usize, bytes: &[u8], counters: &mut Counters) {
        let end = start + bytes.len();
        let (mut at, mut is_overlap, mut is_conflict) = (start, false, false);
        let overlapping = self.runs.iter().filter(|&&(from, to)| from < end && to > start);
        for &(from, to) in overlapping {
            let (from, to) = (from.max(start), to.min(end));
            // A repetition of the whole fragment does not count as an overlap.
            is_overlap |= (from, to) != (start, end);
            is_conflict |= self.data[from..to] != bytes[from - start..to - start];
            self.data[at..from].copy_from_slice(&bytes[at - start..from - start]);
            at = to;
        }
        self.data[at..end].copy_from_slice(&bytes[at - start..]);
        if is_conflict {
            counters.note(Fault::FragmentConflict);
        } else if is_overlap {
            counters.note(Fault::FragmentOverlap);
        }
    }

    /// Notes that these bytes have arrived.
    fn join(&mut self, mut start: usize, mut end: usize) {
        let first = self.runs.partition_point(|&(_, to)| to < start);
        let last = self.runs.partition_point(|&(from, _)| from <= end);
        if first < last {
            start = start.min(self.runs[first].0);
            end = end.max(self.runs[last - 1].1);
        }
        self.runs.splice(first..last, [(start, end)]);
    }
}

#[cfg(test)]
mod tests;
