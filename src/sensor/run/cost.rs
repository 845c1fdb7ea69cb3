//! What groups of a rule set cost: the same text is scanned with the set, with a copy of it, and
//! with the set without each group.
//!
//! The text is in memory, one thread scans it with one database, and its processor time is
//! measured; what others do to caches and clock rates remains. So all databases take turns: a round
//! scans with each of them once, every second round in reverse order, and only differences within
//! a round count. Two threads share the rounds, each with rounds of both orders: they disturb each
//! other no more than a machine does by itself, and it takes half as long.

use super::threads::default_threads;
use crate::clock::ThreadTime;
use crate::engine::database::Database;
use crate::engine::indicator::Kind;
use crate::engine::scan::{FilterCounts, Options, Origin, Scanner};
use crate::sensor::bench::{Bench, Block, Measured, Parts, Subset, Weight};
use crate::sensor::halt::Halt;
use crate::sensor::input::Chunk;
use crate::sensor::run::{Notice, Notify};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

/// The most memory for databases that are measured together. Larger ones take turns in blocks.
const BLOCK: usize = 1 << 30;

/// The most databases of a block: a round should not take minutes.
const MAX_BLOCK: usize = 32;

/// The most threads that measure. More would compete for memory, and so measure that.
const MAX_MEASURING: usize = 2;

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
    /// Threads that compile; 0 for one per core. At most two measure.
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
    let sources = job.bench.parts();
    let whole = sources.compile(Subset::Whole)?;
    let size = whole.len().max(1);
    let [set, copy] = [whole.clone(), whole].map(Database::from_known_bytes);
    let (set, copy) = (set?, copy?);
    measured.weights.insert(Subset::Whole, job.weight(&set, true));
    // Brings the copy into memory, too.
    job.weight(&copy, true);
    let mut parts: Vec<Subset> = (0..groups).map(Subset::Without).collect();
    if job.kinds.is_some() {
        let kinds = job.bench.kinds().into_keys();
        parts.extend(kinds.map(|(group, kind)| Subset::WithoutKind(group, kind)));
    }
    let alone: Vec<Subset> = (0..groups).map(Subset::Alone).collect();
    let per_block = (BLOCK / size).clamp(1, MAX_BLOCK);
    let threads = if job.threads == 0 { default_threads() } else { job.threads };
    for some in alone.chunks(threads) {
        let Some(compiled) = job.compile(&sources, some, threads, false)? else { return Ok(None) };
        let weights = some.iter().zip(compiled);
        measured.weights.extend(weights.map(|(subset, (_, weight))| (*subset, weight)));
    }
    let rounds = job.rounds as u64 * parts.len().div_ceil(per_block) as u64;
    for (some, block) in parts.chunks(per_block).zip(0..) {
        let begin = |round| {
            let round = block * job.rounds as u64 + round;
            notify(Notice::Measuring { round, rounds });
        };
        let Some(compiled) = job.compile(&sources, some, threads, true)? else { return Ok(None) };
        let (databases, weights): (Vec<_>, Vec<_>) = compiled.into_iter().unzip();
        measured.weights.extend(some.iter().copied().zip(weights));
        if job.sample.bytes > 0 {
            let all: Vec<&Database> = [&set, &copy].into_iter().chain(&databases).collect();
            let Some(times) = job.measure(&all, threads.min(MAX_MEASURING), &begin)? else {
                return Ok(None);
            };
            let mut times = times.into_iter();
            let (set, copy) = (times.next().unwrap_or_default(), times.next().unwrap_or_default());
            let parts = some.iter().copied().zip(times).collect();
            measured.blocks.push(Block { set, copy, parts });
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

    /// Compiles and weighs parts of the set, several at once.
    fn compile(
        &self,
        sources: &Parts<'_>,
        subsets: &[Subset],
        threads: usize,
        has_text: bool,
    ) -> Result<Option<Vec<(Database, Weight)>>> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(BTreeMap::new());
        let work = || {
            while !self.halt.is_set() {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(subset) = subsets.get(number) else { break };
                let compiled = sources.compile(*subset).and_then(|bytes| {
                    let database = Database::from_known_bytes(bytes)?;
                    let weight = self.weight(&database, has_text);
                    Ok((database, weight))
                });
                done.lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .insert(number, compiled);
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

    /// Measures databases in turns: the times of each, in the order of the rounds. Weighing has
    /// brought them into memory. `begin` is called with each round, from 1. `None` if it was ended.
    fn measure(
        &self,
        databases: &[&Database],
        threads: usize,
        begin: &dyn Fn(u64),
    ) -> Result<Option<Vec<Vec<u64>>>> {
        let (begins, begun) = mpsc::channel();
        let mut rounds = std::thread::scope(|scope| {
            let mut handles = Vec::new();
            for number in 0..threads {
                let begins = begins.clone();
                // Two rounds that follow each other have both orders.
                let mine = (1..=self.rounds).filter(move |round| round / 2 % threads == number);
                let work = move || self.rounds(databases, mine, &begins);
                let thread = std::thread::Builder::new().name("measure".into());
                let handle = thread.spawn_scoped(scope, work);
                handles.push(handle.map_err(|e| Error::io("start a thread", e))?);
            }
            drop(begins);
            begun.into_iter().zip(1..).for_each(|((), round)| begin(round));
            let of = |handle: std::thread::ScopedJoinHandle<'_, Vec<_>>| {
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            Ok::<_, Error>(handles.into_iter().flat_map(of).collect::<Vec<(usize, Vec<u64>)>>())
        })?;
        if self.halt.is_set() {
            return Ok(None);
        }
        rounds.sort_unstable_by_key(|(round, _)| *round);
        let of = |number: usize| rounds.iter().map(|(_, times)| times[number]).collect();
        Ok(Some((0..databases.len()).map(of).collect()))
    }

    /// Measures some of the rounds: their numbers, and the time of each database.
    fn rounds(
        &self,
        databases: &[&Database],
        mine: impl Iterator<Item = usize>,
        begins: &mpsc::Sender<()>,
    ) -> Vec<(usize, Vec<u64>)> {
        let mut scanner = Scanner::new(self.options.clone());
        let mut done = Vec::new();
        for round in mine {
            // Nobody may be listening any more.
            let _ = begins.send(());
            let mut order: Vec<usize> = (0..databases.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            let mut times = vec![0; databases.len()];
            for number in order {
                if self.halt.is_set() {
                    return done;
                }
                let time = ThreadTime::start();
                let repeats = self.sample.repeats();
                (0..repeats).for_each(|_| self.sample.scan(&mut scanner, databases[number]));
                times[number] = time.nanos();
            }
            done.push((round, times));
        }
        done
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
