//! Files that arrive in ranges (206 Partial Content, and uploads in pieces), joined across the
//! connections of a client and a server.
//!
//! A range that begins where the bytes so far end is hashed as it streams; a later one is held
//! until those before it have arrived, within a bound. No byte is taken twice. Ranges belong
//! together if both hosts, the URL, the total length and the entity tag are the same.

use crate::engine::packet::payload::coding::undo;
use crate::engine::packet::payload::coding::{Coding, InflateBudget, Spent};
use crate::engine::packet::payload::file::File;
use crate::engine::packet::{Counters, Fault, Packet, Visitor};
use crate::engine::progress::bound;
use std::collections::{BTreeMap, HashMap};
use xxhash_rust::xxh3::Xxh3;

/// Files with missing ranges, and the memory of one besides its bytes.
const MAX_FILES: usize = bound(256, 3);
const OVERHEAD: usize = 512;

/// Runs of bytes that wait in one file, and the memory of one besides its bytes.
const MAX_RUNS: usize = bound(512, 4);
const RUN_OVERHEAD: usize = 96;

/// Identifies a file by what its ranges have in common.
pub(in crate::engine::packet) type Key = u128;

/// `bytes 0-499/1234` (RFC 9110, 14.4): the start, the end (exclusive), and the total. `None` if
/// the total is unknown.
pub(in crate::engine::packet) fn parse(value: &[u8]) -> Option<(u64, u64, u64)> {
    let rest = value.strip_prefix(b"bytes").or_else(|| value.strip_prefix(b"Bytes"))?;
    let text = std::str::from_utf8(rest.strip_prefix(b" ").or(rest.strip_prefix(b"="))?).ok()?;
    let (range, total) = text.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| {
        let text = text.trim();
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok())?
    };
    let (first, last, total) = (number(first)?, number(last)?, number(total)?);
    (first <= last && last < total).then_some((first, last + 1, total))
}

/// The key of a file's ranges. Without a URL, only ranges of the same flow belong together, and
/// only with a tag.
pub(in crate::engine::packet) fn key(
    packet: &Packet<'_>,
    url: &[u8],
    total: u64,
    tag: &[u8],
) -> Option<Key> {
    let mut hash = Xxh3::new();
    let mut put = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    if url.is_empty() {
        if tag.is_empty() {
            return None;
        }
        put(&packet.flow_id.to_le_bytes());
    }
    for address in [packet.src, packet.dst] {
        match address {
            std::net::IpAddr::V4(address) => put(&address.octets()),
            std::net::IpAddr::V6(address) => put(&address.octets()),
        }
    }
    put(url);
    put(tag);
    put(&total.to_le_bytes());
    Some(hash.digest128())
}

/// A file of which a part has arrived.
#[derive(Debug)]
struct Partial {
    codings: Vec<Coding>,
    file: File,
    spent: Spent,
    /// Bytes from the beginning that were hashed.
    next: u64,
    total: u64,
    /// Later runs, by where they begin.
    waiting: BTreeMap<u64, Vec<u8>>,
    /// The number of their bytes.
    held: usize,
    touched: u64,
}

impl Partial {
    fn weight(&self) -> usize {
        let codings: usize = self.codings.iter().map(Coding::weight).sum();
        let runs = self.held + self.waiting.len() * RUN_OVERHEAD;
        OVERHEAD + self.file.weight() + codings + runs
    }

    /// Takes bytes at the offset `at`.
    fn write(&mut self, at: u64, data: &[u8], budget: &InflateBudget) -> Result<(), Fault> {
        let room = usize::try_from(self.total.saturating_sub(at)).unwrap_or(usize::MAX);
        let data = data.get(..room).unwrap_or(data);
        if at > self.next {
            return self.hold(at, data);
        }
        let known = usize::try_from(self.next - at).unwrap_or(usize::MAX);
        self.take(data.get(known..).unwrap_or_default(), budget)?;
        while let Some((&start, _)) = self.waiting.first_key_value()
            && start <= self.next
            && let Some((start, run)) = self.waiting.pop_first()
        {
            self.held -= run.len();
            let known = usize::try_from(self.next - start).unwrap_or(usize::MAX);
            self.take(run.get(known..).unwrap_or_default(), budget)?;
        }
        Ok(())
    }

    fn take(&mut self, data: &[u8], budget: &InflateBudget) -> Result<(), Fault> {
        self.next += data.len() as u64;
        let Partial { codings, file, spent, .. } = self;
        undo(codings, spent, budget, data, &mut |bytes| {
            file.update(bytes);
            Ok(())
        })
    }

    /// Holds bytes, appended to the run that they continue.
    fn hold(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        if let Some((&start, run)) = self.waiting.range_mut(..=at).next_back() {
            let end = start + run.len() as u64;
            if at <= end {
                let known = usize::try_from(end - at).unwrap_or(usize::MAX);
                let new = data.get(known..).unwrap_or_default();
                run.extend_from_slice(new);
                self.held += new.len();
                return Ok(());
            }
        }
        if self.waiting.len() >= MAX_RUNS {
            return Err(Fault::RangesEvicted);
        }
        if !data.is_empty() {
            self.held += data.len();
            self.waiting.insert(at, data.to_vec());
        }
        Ok(())
    }
}

/// The files with missing ranges.
#[derive(Debug)]
pub(in crate::engine::packet) struct Ranges {
    files: HashMap<Key, Partial>,
    bytes: usize,
    max: usize,
    clock: u64,
}

impl Ranges {
    /// Holds at most `max` bytes.
    pub(in crate::engine::packet) fn new(max: usize) -> Self {
        Ranges { files: HashMap::new(), bytes: 0, max, clock: 0 }
    }

    /// Drops everything.
    pub(in crate::engine::packet) fn clear(&mut self, counters: &mut Counters) {
        for _ in self.files.drain() {
            counters.note(Fault::RangesMissing);
        }
        self.bytes = 0;
    }

    pub(in crate::engine::packet) fn is_known(&self, key: Key) -> bool {
        self.files.contains_key(&key)
    }

    /// A file whose first range is about to arrive.
    pub(in crate::engine::packet) fn begin(
        &mut self,
        key: Key,
        total: u64,
        codings: Vec<Coding>,
        file: File,
        counters: &mut Counters,
    ) {
        self.clock += 1;
        let partial = Partial {
            codings,
            file,
            spent: Spent::default(),
            next: 0,
            total,
            waiting: BTreeMap::new(),
            held: 0,
            touched: self.clock,
        };
        self.bytes += partial.weight();
        if let Some(before) = self.files.insert(key, partial) {
            self.bytes -= before.weight();
        }
        self.make_room(counters);
    }

    /// Takes bytes of a range. Returns whether more of the file is wanted.
    pub(in crate::engine::packet) fn write<V: Visitor>(
        &mut self,
        key: Key,
        at: u64,
        data: &[u8],
        budget: &InflateBudget,
        (packet, visitor, counters): (&Packet<'_>, &mut V, &mut Counters),
    ) -> bool {
        let Some(partial) = self.files.get_mut(&key) else { return false };
        self.clock += 1;
        partial.touched = self.clock;
        let before = partial.weight();
        let outcome = partial.write(at, data, budget);
        self.bytes = self.bytes + partial.weight() - before;
        let is_whole = partial.next >= partial.total;
        if let Err(fault) = outcome {
            counters.note(fault);
            self.remove(key);
        } else if is_whole {
            if let Some(partial) = self.remove(key) {
                partial.file.finish(true, packet, visitor);
            }
        } else {
            self.make_room(counters);
        }
        self.files.contains_key(&key)
    }

    fn remove(&mut self, key: Key) -> Option<Partial> {
        let partial = self.files.remove(&key)?;
        self.bytes -= partial.weight();
        Some(partial)
    }

    /// Drops the files that were written to least recently.
    fn make_room(&mut self, counters: &mut Counters) {
        while self.bytes > self.max || self.files.len() > MAX_FILES {
            let oldest = self.files.iter().min_by_key(|(_, partial)| partial.touched);
            let Some(key) = oldest.map(|(&key, _)| key) else { return };
            counters.note(Fault::RangesEvicted);
            self.remove(key);
        }
    }
}
