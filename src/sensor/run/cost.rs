//! What groups of a rule set cost: the same text is scanned with the set, with a copy of it, and
//! with the set without each group.
//!
//! The text is in memory and one thread scans it, whose processor time is measured; what others do
//! to caches and clock rates remains. So all databases take turns: a round scans with each of them
//! once, every second round in reverse order, and only differences within a round count.

use super::threads::default_threads;
use crate::clock::ThreadTime;
use crate::engine::database::Database;
use crate::engine::indicator::Kind;
use crate::engine::scan::{FilterCounts, Options, Origin, Scanner};
use crate::sensor::bench::{Bench, Block, Measured, Subset, Weight};
use crate::sensor::halt::Halt;
use crate::sensor::input::Chunk;
use crate::sensor::run::{Notice, Notify};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most memory for databases that are measured together. Larger ones take turns in blocks.
const BLOCK: usize = 1 << 30;

/// The most databases of a block: a round should not take minutes.
const MAX_BLOCK: usize = 32;

/// The first bytes of a corpus, to be scanned repeatedly.
#[derive(Debug, Default)]
pub struct Sample {
    limit: u64,
    bytes: u64,
    pieces: Vec<Piece>,
}

/// A piece of a log.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    chunk: Chunk,
    origin: Origin,
}

impl Piece {
    pub(super) fn new(chunk: &Chunk, origin: &Origin) -> Piece {
        Piece { chunk: chunk.clone(), origin: origin.clone() }
    }

    /// Its size in memory.
    pub(super) fn size(&self) -> usize {
        self.chunk.buffer.len()
    }
}

impl Sample {
    /// An empty sample that takes this many bytes, and the rest of the line that they end in.
    pub fn new(limit: u64) -> Sample {
        Sample { limit, ..Sample::default() }
    }

    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.limit
    }

    pub(super) fn push(&mut self, mut piece: Piece) {
        if self.is_full() {
            return;
        }
        let Chunk { buffer, start, end, .. } = &mut piece.chunk;
        let room = usize::try_from(self.limit - self.bytes).unwrap_or(usize::MAX);
        if *end - *start > room {
            // Up to the end of the line in which it becomes full; there is room for a byte.
            let line = memchr::memchr(b'\n', &buffer[*start + room - 1..*end]);
            *end = line.map_or(*end, |line| *start + room + line);
            buffer.truncate(*end);
        }
        self.bytes += (*end - *start) as u64;
        self.pieces.push(piece);
    }

    /// How often it is scanned to reach its limit.
    fn repeats(&self) -> u64 {
        if self.bytes == 0 { 0 } else { self.limit.div_ceil(self.bytes).max(1) }
    }

    fn scan(&self, scanner: &mut Scanner, database: &Database) {
        for Piece { chunk, origin } in &self.pieces {
            let core = chunk.start..chunk.end;
            scanner.scan_text(database, &chunk.buffer, core, origin, |hit| {
                std::hint::black_box(&hit);
            });
        }
    }

    /// How far its candidates get, in all repetitions.
    fn filters(&self, options: &Options, database: &Database) -> FilterCounts {
        let mut scanner = Scanner::new(options.clone());
        let mut once = FilterCounts::default();
        for Piece { chunk, origin } in &self.pieces {
            let core = chunk.start..chunk.end;
            once.add(scanner.count_filters(database, &chunk.buffer, core, origin));
        }
        let repeats = self.repeats();
        FilterCounts {
            asked: once.asked * repeats,
            passed: once.passed * repeats,
            walked: once.walked * repeats,
            met: once.met * repeats,
        }
    }
}

/// What to measure.
pub struct CostJob<'c> {
    /// The set.
    pub bench: &'c Bench<'c>,
    /// The text; an empty one is not scanned, and only sizes are found out.
    pub sample: &'c Sample,
    /// How it is scanned.
    pub options: Options,
    /// Rounds.
    pub rounds: usize,
    /// Whether to measure each kind of each group, too, with these numbers of alerts.
    pub kinds: Option<BTreeMap<(u32, Kind), u64>>,
    /// Threads that compile; 0 for one per core. One thread measures.
    pub threads: usize,
    /// Ends it: then there is no result.
    pub halt: Halt,
}

/// Measures what the groups of a set cost. `None` if it was ended.
///
/// # Errors
///
/// A part of the set cannot be compiled, or a thread cannot be started.
pub fn cost(job: &CostJob<'_>, notify: Notify<'_>) -> Result<Option<Measured>> {
    let groups = job.bench.groups().count() as u32;
    let mut measured = Measured {
        machine: machine(),
        bytes: job.sample.bytes * job.sample.repeats(),
        rounds: if job.sample.bytes > 0 { job.rounds as u64 } else { 0 },
        alerts: job.kinds.clone().unwrap_or_default(),
        ..Measured::default()
    };
    let whole = job.bench.compile(Subset::Whole)?;
    let size = whole.len().max(1);
    let [set, copy] = [whole.clone(), whole].map(Database::from_known_bytes);
    let (set, copy) = (set?, copy?);
    measured.weights.insert(Subset::Whole, job.weight(&set, true));
    let mut parts: Vec<Subset> = (0..groups).map(Subset::Without).collect();
    if job.kinds.is_some() {
        let kinds = job.bench.kinds().into_keys();
        parts.extend(kinds.map(|(group, kind)| Subset::WithoutKind(group, kind)));
    }
    let alone: Vec<Subset> = (0..groups).map(Subset::Alone).collect();
    let per_block = (BLOCK / size).clamp(1, MAX_BLOCK);
    let threads = if job.threads == 0 { default_threads() } else { job.threads };
    for some in alone.chunks(threads) {
        let Some(databases) = job.compile(some, threads)? else { return Ok(None) };
        let weights = some.iter().zip(&databases);
        measured.weights.extend(weights.map(|(subset, it)| (*subset, job.weight(it, false))));
    }
    let rounds = job.rounds as u64 * parts.len().div_ceil(per_block) as u64;
    for (some, block) in parts.chunks(per_block).zip(0..) {
        let begin = |round| {
            let round = block * job.rounds as u64 + round;
            notify(Notice::Measuring { round, rounds });
        };
        let Some(databases) = job.compile(some, threads)? else { return Ok(None) };
        let weights = some.iter().zip(&databases);
        measured.weights.extend(weights.map(|(subset, it)| (*subset, job.weight(it, true))));
        if job.sample.bytes > 0 {
            let Some(block) = job.measure(&[&set, &copy], some, &databases, &begin) else {
                return Ok(None);
            };
            measured.blocks.push(block);
        }
    }
    Ok(Some(measured))
}

impl CostJob<'_> {
    fn weight(&self, database: &Database, has_text: bool) -> Weight {
        let has_text = has_text && self.sample.bytes > 0;
        let filters = has_text.then(|| self.sample.filters(&self.options, database));
        Weight { bytes: database.size() as u64, filters }
    }

    /// Compiles parts of the set, several at once.
    fn compile(&self, subsets: &[Subset], threads: usize) -> Result<Option<Vec<Database>>> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(BTreeMap::new());
        let work = || {
            while !self.halt.is_set() {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(subset) = subsets.get(number) else { break };
                let database = self.bench.compile(*subset).and_then(Database::from_known_bytes);
                done.lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .insert(number, database);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(subsets.len()) {
                let thread = std::thread::Builder::new().name("compile".into());
                thread.spawn_scoped(scope, work).map_err(|e| Error::io("start a thread", e))?;
            }
            work();
            Ok::<(), Error>(())
        })?;
        let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.halt.is_set() {
            return Ok(None);
        }
        done.into_values().collect::<Result<Vec<_>>>().map(Some)
    }

    /// Measures the set, its copy and parts of it in turns. `begin` is called with each round, from
    /// 1. `None` if it was ended.
    fn measure(
        &self,
        pair: &[&Database; 2],
        parts: &[Subset],
        databases: &[Database],
        begin: &dyn Fn(u64),
    ) -> Option<Block> {
        let all: Vec<&Database> = pair.iter().copied().chain(databases).collect();
        let mut times = vec![Vec::with_capacity(self.rounds); all.len()];
        let mut scanner = Scanner::new(self.options.clone());
        // A round that does not count brings everything into memory.
        for round in 0..=self.rounds {
            begin(round.max(1) as u64);
            let mut order: Vec<usize> = (0..all.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for number in order {
                if self.halt.is_set() {
                    return None;
                }
                let time = ThreadTime::start();
                let repeats = if round == 0 { 1 } else { self.sample.repeats() };
                (0..repeats).for_each(|_| self.sample.scan(&mut scanner, all[number]));
                if round > 0 {
                    times[number].push(time.nanos());
                }
            }
        }
        let mut times = times.into_iter();
        let (set, copy) = (times.next()?, times.next()?);
        Some(Block { set, copy, parts: parts.iter().copied().zip(times).collect() })
    }
}

/// What the machine is called, and how many processors it has.
fn machine() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |name: &str| {
        let line = about.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_string())
    };
    let model = of("model name").or_else(|| of("CPU part")).unwrap_or_else(|| "unknown".into());
    format!("{model}, {}, {} processors", std::env::consts::ARCH, default_threads())
}

#[cfg(test)]
mod tests;
