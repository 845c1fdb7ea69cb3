//! One capture, decoded by as many threads as are free.
//!
//! The capture is cut into pieces as it is read. A free thread takes one of three kinds of work:
//! the next piece is read and split by hosts; a shard's packets of a piece are decoded, once those
//! of all earlier pieces are; the results of a piece are passed on, once all shards are done with
//! it. No kind of work is tied to a certain thread, and a single thread does all of it, piece by
//! piece, while the bytes are still in its cache.
//!
//! The shards are the same for any number of threads, and so are the results. Two hosts that move
//! more than all others are decoded by one thread at a time.

use super::dedup::SeenValues;
use super::findings::{Findings, Merger, Ready, Waiting};
use super::pipeline::{CapturePiece, CaptureWork};
use crate::clock::now;
use crate::engine::indicator::Timestamp;
use crate::engine::packet::{self, Config, Counters, Fault, Frame};
use crate::engine::packet::{SHARDS, Shard, Split, Splitter, Visitor};
use crate::sensor::halt::Halt;
use crate::sensor::input::capture::{self, Batch, CaptureStream, Note};
use crate::{Error, Result};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Pieces in flight for each thread beyond the first, which needs one.
const PIECES: usize = 2;

/// The number of pieces by which a shard may lag before another thread takes it over.
const STEAL: u64 = 2;

/// The number of bytes in flight beyond which no more pieces are read: records of a capture may be
/// long.
const MAX_BYTES: usize = 16 << 20;

/// The largest piece whose memory is reused.
const MAX_KEPT: usize = 2 << 20;

/// A shard, and what is remembered for it besides its flows.
pub(super) struct ShardState {
    pub(super) shard: Shard,
    pub(super) reported: SeenValues,
    /// The same for a second database.
    pub(super) reported_by_other: SeenValues,
    /// The generation of the database that it last worked with.
    pub(super) turn: Option<u64>,
}

/// The packets of all shards in a piece of the capture.
#[derive(Default)]
pub(super) struct Packets {
    batch: Batch,
    split: Split,
    /// There are no packets, and none will come.
    is_end: bool,
}

impl Packets {
    /// Passes the packets of a shard to a visitor.
    pub(super) fn show<V: Visitor>(&self, shard: &mut Shard, visitor: &mut V) {
        if self.is_end {
            shard.finish(visitor);
        } else {
            shard.take(self.batch.bytes(), &self.split, visitor);
        }
    }

    /// The texts in a piece of the capture, which one thread searches.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note<'_>> {
        self.batch.notes()
    }

    /// Prepares [`Self::show`] on another thread than the one that read the packets.
    fn prefetch_bytes(&self, shard: &Shard) {
        shard.prefetch_bytes(self.batch.bytes(), &self.split);
    }

    fn weight(&self) -> usize {
        self.batch.weight() + self.split.weight()
    }
}

struct Piece<A> {
    packets: Box<Packets>,
    against: A,
    /// The worker that read it.
    reader: u64,
    findings: [Mutex<Findings>; SHARDS],
}

/// A piece in flight, and how many shards are not done with it.
struct InFlight<A> {
    piece: Arc<Piece<A>>,
    left: usize,
    weight: usize,
}

struct State<A> {
    pieces: VecDeque<InFlight<A>>,
    /// Number of the first of them.
    first: u64,
    /// The piece that each shard takes next, and whether it is being decoded.
    next: [u64; SHARDS],
    is_busy: [bool; SHARDS],
    /// The worker that last decoded each shard, and has its flows in the cache.
    last: [u64; SHARDS],
    weight: usize,
    #[expect(clippy::vec_box, reason = "they move between threads")]
    spare: Vec<Box<Packets>>,
    /// The number of workers now, in total so far, and idle.
    workers: usize,
    joined: u64,
    idle: usize,
    is_reading: bool,
    /// The results of a piece are being passed on.
    is_passing_on: bool,
    /// The last piece was read.
    is_read: bool,
    /// The results are no longer wanted.
    is_stopped: bool,
    outcome: Result<()>,
}

struct Reader {
    capture: CaptureStream,
    splitter: Splitter,
    /// The time of packets that have none of their own.
    read_at: Timestamp,
    /// Interfaces with a link type that is not decoded, which were reported.
    unknown: BTreeSet<(u32, u32)>,
}

/// The maximum number of reported interfaces. A file with more unknown link types is not a capture.
const MAX_UNKNOWN: usize = 64;

impl Reader {
    /// Reads and splits the next packets; returns false at the end, or if `is_over`. What can't be
    /// decoded is passed to `report`.
    fn read(
        &mut self,
        packets: &mut Packets,
        is_over: bool,
        report: &dyn Fn(Error),
    ) -> Result<bool> {
        let is_more = if is_over { Ok(false) } else { self.capture.read(&mut packets.batch) };
        let Packets { batch, split, .. } = packets;
        if !matches!(is_more, Ok(true)) {
            self.splitter.finish();
            return is_more;
        }
        if self.capture.is_live() {
            self.read_at = now();
        }
        let Reader { splitter, read_at, .. } = self;
        let before = splitter.counters().fault(Fault::UnknownLink);
        splitter.split(
            batch.bytes(),
            batch.packets().map(|packet| frame(&packet, *read_at)),
            split,
        );
        if splitter.counters().fault(Fault::UnknownLink) > before {
            self.report_unknown(batch, report);
        }
        Ok(true)
    }

    /// Reports interfaces whose link type is not decoded, each once.
    #[cold]
    fn report_unknown(&mut self, batch: &Batch, report: &dyn Fn(Error)) {
        for packet in batch.packets() {
            let Some(linktype) = packet::unknown_link(packet.linktype, packet.data) else {
                continue;
            };
            if self.unknown.len() < MAX_UNKNOWN && self.unknown.insert((packet.interface, linktype))
            {
                report(unknown_link(packet.interface, linktype));
            }
        }
    }
}

fn unknown_link(interface: u32, linktype: u32) -> Error {
    let name = packet::link_name(linktype).map(|name| format!(" ({name})")).unwrap_or_default();
    let what = format!("interface {interface}: link type {linktype}{name} is not decoded");
    Error::format(what).remedy("its packets were not searched")
}

/// The workers of a capture.
pub(super) struct CaptureWorkers<'w, W: CaptureWork> {
    work: &'w W,
    path: Arc<str>,
    reader: Mutex<Reader>,
    shards: [Mutex<ShardState>; SHARDS],
    state: Mutex<State<W::Against>>,
    changed: Condvar,
    merger: Mutex<Merger>,
    halt: Halt,
}

enum Task<A> {
    /// Packets for the next read, in reused memory if possible.
    Read(Box<Packets>),
    Decode(usize, Arc<Piece<A>>),
    PassOn(Arc<Piece<A>>),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'w, W: CaptureWork> CaptureWorkers<'w, W> {
    /// `read_at` is the time of packets that have none.
    pub(super) fn new(
        work: &'w W,
        capture: CaptureStream,
        path: Arc<str>,
        read_at: Timestamp,
        halt: Halt,
    ) -> Self {
        let config: &Config = work.packets();
        let shard_state = |shard| {
            Mutex::new(ShardState {
                shard,
                reported: SeenValues::default(),
                reported_by_other: SeenValues::default(),
                turn: None,
            })
        };
        CaptureWorkers {
            work,
            path,
            reader: Mutex::new(Reader {
                capture,
                splitter: Splitter::new(config),
                read_at,
                unknown: BTreeSet::new(),
            }),
            shards: Shard::all(config).map(shard_state),
            state: Mutex::new(State {
                pieces: VecDeque::new(),
                first: 0,
                next: [0; SHARDS],
                is_busy: [false; SHARDS],
                last: [0; SHARDS],
                weight: 0,
                spare: Vec::new(),
                workers: 0,
                joined: 0,
                idle: 0,
                is_reading: false,
                is_passing_on: false,
                is_read: false,
                is_stopped: false,
                outcome: Ok(()),
            }),
            changed: Condvar::new(),
            merger: Mutex::new(Merger::default()),
            halt,
        }
    }

    /// Works until everything is done. The results are passed to `pass_on`, in order and by one
    /// thread at a time; it returns whether more are wanted. What can't be decoded is passed to
    /// `report`. Returns whether the capture was processed to its end.
    pub(super) fn work(
        &self,
        scratch: &mut W::Scratch,
        pass_on: &dyn Fn(Ready) -> bool,
        report: &dyn Fn(Error),
    ) -> bool {
        let number = {
            let mut state = locked(&self.state);
            (state.workers, state.joined) = (state.workers + 1, state.joined + 1);
            state.joined
        };
        let _guard = StopAll(self);
        while let Some(task) = self.task(number) {
            match task {
                Task::Read(packets) => self.read(packets, number, report),
                Task::Decode(shard, piece) => {
                    self.decode(scratch, shard, &piece, piece.reader != number);
                }
                Task::PassOn(piece) => self.pass_on(piece, pass_on),
            }
        }
        let mut state = locked(&self.state);
        state.workers -= 1;
        !state.is_stopped
    }

    /// The name of the capture.
    pub(super) fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// The counters, how many bytes were read, and whether all could be. To be called when
    /// everything is done.
    pub(super) fn end(&self) -> (Counters, u64, Result<()>) {
        let reader = locked(&self.reader);
        let mut counters = reader.splitter.counters().clone();
        for shard_state in &self.shards {
            counters.add(locked(shard_state).shard.counters());
        }
        counters.count(Fault::BlockNotRead, reader.capture.skipped());
        let outcome = std::mem::replace(&mut locked(&self.state).outcome, Ok(()));
        (counters, reader.capture.bytes(), outcome)
    }

    /// The next task of this worker; `None` when everything is done.
    fn task(&self, number: u64) -> Option<Task<W::Against>> {
        let mut state = locked(&self.state);
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(task) = state.task(number) {
                return Some(task);
            }
            if state.is_read && state.pieces.is_empty() && !state.is_passing_on {
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Wakes idle workers. Without any, this saves a system call.
    fn call(&self, state: MutexGuard<'_, State<W::Against>>) {
        let is_anybody = state.idle > 0;
        drop(state);
        if is_anybody {
            self.changed.notify_all();
        }
    }

    fn read(&self, mut packets: Box<Packets>, reader: u64, report: &dyn Fn(Error)) {
        // At a halt, the streams end as they do at the end of the capture.
        let read = locked(&self.reader).read(&mut packets, self.halt.is_set(), report);
        packets.is_end = !matches!(read, Ok(true));
        let outcome = read.map(|_| ());
        let is_end = packets.is_end;
        let weight = packets.weight();
        let against = self.work.against();
        let findings = std::array::from_fn(|_| Mutex::new(Findings::default()));
        let piece = Arc::new(Piece { packets, against, reader, findings });
        let mut state = locked(&self.state);
        state.is_reading = false;
        state.is_read = is_end;
        if outcome.is_err() {
            state.outcome = outcome;
        }
        state.weight += weight;
        state.pieces.push_back(InFlight { piece, left: SHARDS, weight });
        self.call(state);
    }

    fn decode(
        &self,
        scratch: &mut W::Scratch,
        shard: usize,
        piece: &Piece<W::Against>,
        is_others: bool,
    ) {
        if shard == 0
            && !piece.packets.is_end
            && piece.packets.notes().next().is_some()
            && let Some(findings) = piece.findings.first()
        {
            let Piece { packets, against, .. } = piece;
            let piece = CapturePiece { against, path: &self.path, packets };
            self.work.notes(scratch, &piece, &mut locked(findings));
        }
        if let (Some(shard_state), Some(findings)) =
            (self.shards.get(shard), piece.findings.get(shard))
            && (piece.packets.is_end || !piece.packets.split.is_empty(shard))
        {
            let (shard_state, findings) = (&mut *locked(shard_state), &mut *locked(findings));
            let Piece { packets, against, .. } = piece;
            if is_others {
                packets.prefetch_bytes(&shard_state.shard);
            }
            let piece = CapturePiece { against, path: &self.path, packets };
            self.work.decode(scratch, &piece, shard_state, findings);
        }
        let mut state = locked(&self.state);
        let place = (state.next[shard] - state.first) as usize;
        state.is_busy[shard] = false;
        state.next[shard] += 1;
        if let Some(in_flight) = state.pieces.get_mut(place) {
            in_flight.left -= 1;
        }
        self.call(state);
    }

    fn pass_on(&self, piece: Arc<Piece<W::Against>>, pass_on: &dyn Fn(Ready) -> bool) {
        let late = |waiting: &Waiting, out: &mut Vec<u8>| self.work.late(waiting, out);
        let findings = std::array::from_fn(|shard| {
            piece.findings.get(shard).map(|own| std::mem::take(&mut *locked(own)))
        });
        let records = {
            let mut merger = locked(&self.merger);
            let mut records = merger.add(findings.map(Option::unwrap_or_default), &late);
            if piece.packets.is_end {
                records.extend(merger.finish(&late));
            }
            records
        };
        let goes_on = records.is_empty() || pass_on(records);
        let mut state = locked(&self.state);
        // The others are done with it, but one of them may still be dropping its reference.
        if let Some(piece) = Arc::into_inner(piece)
            && piece.packets.weight() <= MAX_KEPT
        {
            state.spare.push(piece.packets);
        }
        state.is_passing_on = false;
        state.is_stopped |= !goes_on;
        self.call(state);
    }
}

impl<A> State<A> {
    fn task(&mut self, number: u64) -> Option<Task<A>> {
        if !self.is_passing_on
            && self.pieces.front().is_some_and(|front| front.left == 0)
            && let Some(InFlight { piece, weight, .. }) = self.pieces.pop_front()
        {
            self.is_passing_on = true;
            self.first += 1;
            self.weight -= weight;
            return Some(Task::PassOn(piece));
        }
        let max = PIECES * self.workers.saturating_sub(1) + 1;
        let is_room =
            self.pieces.is_empty() || (self.pieces.len() < max && self.weight < MAX_BYTES);
        if is_room && !self.is_reading && !self.is_read {
            self.is_reading = true;
            return Some(Task::Read(self.spare.pop().unwrap_or_default()));
        }
        let end = self.first + self.pieces.len() as u64;
        let free = (0..SHARDS).filter(|&shard| !self.is_busy[shard] && self.next[shard] < end);
        // The shard that lags most holds up the others; but for one that another worker decoded
        // last, memory has to come from that worker's cache, so that worker may keep it for a piece
        // or two.
        let shard = free.min_by_key(|&shard| {
            let is_others = self.last[shard] != number;
            (self.next[shard] + if is_others { STEAL } else { 0 }, is_others)
        })?;
        let in_flight = self.pieces.get((self.next[shard] - self.first) as usize)?;
        self.is_busy[shard] = true;
        self.last[shard] = number;
        Some(Task::Decode(shard, Arc::clone(&in_flight.piece)))
    }
}

/// A packet as the decoder takes it. If it has no time, it gets the time of reading.
#[inline(always)]
fn frame<'a>(packet: &capture::Packet<'a>, read_at: Timestamp) -> Frame<'a> {
    Frame {
        number: packet.number,
        time: if packet.is_timed { Timestamp(packet.time) } else { read_at },
        is_timed: packet.is_timed,
        linktype: packet.linktype,
        length: packet.length,
        data: packet.data,
    }
}

/// Stops the others when a thread panics: they would wait for it forever.
struct StopAll<'c, 'w, W: CaptureWork>(&'c CaptureWorkers<'w, W>);

impl<W: CaptureWork> Drop for StopAll<'_, '_, W> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            locked(&self.0.state).is_stopped = true;
            self.0.changed.notify_all();
        }
    }
}
