//! One capture, decoded by as many threads as are free.
//!
//! The capture is cut into pieces as it is read. Whoever is free takes one of three kinds of
//! work: the next piece is read and split by hosts; a share's packets of a piece are decoded,
//! once those of all pieces before it were; what was found in a piece is handed on, once all
//! shares are done with it. Nobody waits for a thread of a certain kind, and one thread alone
//! does all of it, piece by piece, while its bytes are still in the cache.
//!
//! The shares are the same for any number of threads, and so is what is found. Two hosts that
//! move more than all others are decoded by one thread at a time.

use super::dedup::SeenValues;
use super::findings::{Findings, Merger, Ready, Waiting};
use super::pipeline::Work;
use crate::clock::now;
use crate::engine::indicator::Timestamp;
use crate::engine::packet::{self, Config, Counters, Fault, Frame};
use crate::engine::packet::{SHARDS, Shard, Split, Splitter, Visitor};
use crate::sensor::input::Halt;
use crate::sensor::input::capture::{self, Batch, CaptureStream, Note};
use crate::{Error, Result};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Pieces that are under way for each thread beyond the first, which needs one.
const PIECES: usize = 2;

/// Pieces that a share is left behind before another thread takes it over.
const STEAL: u64 = 2;

/// Bytes under way beyond which no other piece is read: records of a capture may be long.
const MAX_BYTES: usize = 16 << 20;

/// The largest piece whose memory is used again.
const MAX_KEPT: usize = 2 << 20;

/// A share, and what is remembered for it beside its flows.
pub(super) struct ShardState {
    pub(super) share: Shard,
    pub(super) told: SeenValues,
    /// The same for a second database.
    pub(super) told_other: SeenValues,
    /// The turn of the database that it worked with last.
    pub(super) turn: Option<u64>,
}

/// The packets of all shares in a piece of the capture.
#[derive(Default)]
pub(super) struct Packets {
    batch: Batch,
    split: Split,
    /// There are none, and none will come.
    is_end: bool,
}

impl Packets {
    /// Shows those of a share to a visitor.
    pub(super) fn show<V: Visitor>(&self, share: &mut Shard, visitor: &mut V) {
        if self.is_end {
            share.finish(visitor);
        } else {
            share.take(self.batch.bytes(), &self.split, visitor);
        }
    }

    /// The texts in a piece of the capture: one thread looks into them.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note<'_>> {
        self.batch.notes()
    }

    /// Prepares [`Self::show`] by another thread than the one that read them.
    fn prefetch_bytes(&self, share: &Shard) {
        share.prefetch_bytes(self.batch.bytes(), &self.split);
    }

    fn weight(&self) -> usize {
        self.batch.weight() + self.split.weight()
    }
}

struct Piece<A> {
    packets: Box<Packets>,
    against: A,
    /// Who read it.
    reader: u64,
    findings: [Mutex<Findings>; SHARDS],
}

/// A piece that is under way, and how many shares are not done with it.
struct UnderWay<A> {
    piece: Arc<Piece<A>>,
    left: usize,
    weight: usize,
}

struct State<A> {
    pieces: VecDeque<UnderWay<A>>,
    /// Number of the first of them.
    first: u64,
    /// The piece that each share takes next, and whether it is at one.
    next: [u64; SHARDS],
    is_busy: [bool; SHARDS],
    /// Who decoded each share last, and has its flows in the cache.
    last: [u64; SHARDS],
    weight: usize,
    #[expect(clippy::vec_box, reason = "they go from hand to hand")]
    spare: Vec<Box<Packets>>,
    /// Who works on the capture, who ever did, and who waits for something to do.
    workers: usize,
    joined: u64,
    idle: usize,
    is_reading: bool,
    /// What was found in a piece is being handed on.
    is_handing_on: bool,
    /// The last piece was read.
    is_read: bool,
    /// Nobody takes what is found any more.
    is_stopped: bool,
    outcome: Result<()>,
}

struct Reader {
    capture: CaptureStream,
    splitter: Splitter,
    /// When what has no time of its own is said to have been seen.
    read_at: Timestamp,
    /// Interfaces whose link type is not decoded, and were told of.
    unknown: BTreeSet<(u32, u32)>,
}

/// Interfaces that are told of. More of them with link types that nobody knows are no capture.
const MAX_UNKNOWN: usize = 64;

impl Reader {
    /// Reads and splits the next packets; false at the end, or where it `is_over`. `tell` is given what could not be
    /// looked into.
    fn read(&mut self, packets: &mut Packets, is_over: bool, tell: &dyn Fn(Error)) -> Result<bool> {
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
            self.tell_unknown(batch, tell);
        }
        Ok(true)
    }

    /// Tells of interfaces whose link type is not decoded, of each once.
    #[cold]
    fn tell_unknown(&mut self, batch: &Batch, tell: &dyn Fn(Error)) {
        for packet in batch.packets() {
            let Some(linktype) = packet::unknown_link(packet.linktype, packet.data) else {
                continue;
            };
            if self.unknown.len() < MAX_UNKNOWN && self.unknown.insert((packet.interface, linktype))
            {
                tell(unknown_link(packet.interface, linktype));
            }
        }
    }
}

fn unknown_link(interface: u32, linktype: u32) -> Error {
    let name = packet::link_name(linktype).map(|name| format!(" ({name})")).unwrap_or_default();
    let what = format!("interface {interface}: link type {linktype}{name} is not decoded");
    Error::format(what).remedy("its packets were not searched")
}

/// Everybody who works on a capture.
pub(super) struct CaptureWorkers<'w, W: Work> {
    work: &'w W,
    path: Arc<str>,
    reader: Mutex<Reader>,
    lanes: [Mutex<ShardState>; SHARDS],
    state: Mutex<State<W::Against>>,
    changed: Condvar,
    merger: Mutex<Merger>,
    halt: Halt,
}

enum Task<A> {
    /// Into memory that is used again.
    Read(Box<Packets>),
    Decode(usize, Arc<Piece<A>>),
    HandOn(Arc<Piece<A>>),
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'w, W: Work> CaptureWorkers<'w, W> {
    /// `read_at` is the time of packets that have none.
    pub(super) fn new(
        work: &'w W,
        capture: CaptureStream,
        path: Arc<str>,
        read_at: Timestamp,
        halt: Halt,
    ) -> Self {
        let config: &Config = work.packets();
        let lane = |share| {
            Mutex::new(ShardState {
                share,
                told: SeenValues::default(),
                told_other: SeenValues::default(),
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
            lanes: Shard::all(config).map(lane),
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
                is_handing_on: false,
                is_read: false,
                is_stopped: false,
                outcome: Ok(()),
            }),
            changed: Condvar::new(),
            merger: Mutex::new(Merger::default()),
            halt,
        }
    }

    /// Works until all is done. `hand_on` is given what was found, in order and by one thread
    /// at a time; it answers whether anybody wants more. `tell` is given what was not looked into.
    /// Returns whether somebody did to the end.
    pub(super) fn work(
        &self,
        scratch: &mut W::Scratch,
        hand_on: &dyn Fn(Ready) -> bool,
        tell: &dyn Fn(Error),
    ) -> bool {
        let number = {
            let mut state = locked(&self.state);
            (state.workers, state.joined) = (state.workers + 1, state.joined + 1);
            state.joined
        };
        let _guard = StopAll(self);
        while let Some(task) = self.task(number) {
            match task {
                Task::Read(packets) => self.read(packets, number, tell),
                Task::Decode(share, piece) => {
                    self.decode(scratch, share, &piece, piece.reader != number);
                }
                Task::HandOn(piece) => self.hand_on(piece, hand_on),
            }
        }
        let mut state = locked(&self.state);
        state.workers -= 1;
        !state.is_stopped
    }

    /// What the capture is called.
    pub(super) fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// What was counted, how many bytes were read, and whether all could be. For the time
    /// when all is done.
    pub(super) fn end(&self) -> (Counters, u64, Result<()>) {
        let reader = locked(&self.reader);
        let mut counters = reader.splitter.counters().clone();
        for lane in &self.lanes {
            counters.add(locked(lane).share.counters());
        }
        counters.count(Fault::BlockNotRead, reader.capture.skipped());
        let outcome = std::mem::replace(&mut locked(&self.state).outcome, Ok(()));
        (counters, reader.capture.bytes(), outcome)
    }

    /// What is to be done next, by the worker of this number; none when all is.
    fn task(&self, number: u64) -> Option<Task<W::Against>> {
        let mut state = locked(&self.state);
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(task) = state.task(number) {
                return Some(task);
            }
            if state.is_read && state.pieces.is_empty() && !state.is_handing_on {
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Calls those who wait. To call nobody would be a system call, too.
    fn call(&self, state: MutexGuard<'_, State<W::Against>>) {
        let is_anybody = state.idle > 0;
        drop(state);
        if is_anybody {
            self.changed.notify_all();
        }
    }

    fn read(&self, mut packets: Box<Packets>, reader: u64, tell: &dyn Fn(Error)) {
        // At a halt the streams of what was read end as they do with the capture.
        let read = locked(&self.reader).read(&mut packets, self.halt.is_set(), tell);
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
        state.pieces.push_back(UnderWay { piece, left: SHARDS, weight });
        self.call(state);
    }

    fn decode(
        &self,
        scratch: &mut W::Scratch,
        share: usize,
        piece: &Piece<W::Against>,
        is_others: bool,
    ) {
        if share == 0
            && !piece.packets.is_end
            && piece.packets.notes().next().is_some()
            && let Some(findings) = piece.findings.first()
        {
            let Piece { packets, against, .. } = piece;
            self.work.notes(scratch, against, &self.path, packets, &mut locked(findings));
        }
        if let (Some(lane), Some(findings)) = (self.lanes.get(share), piece.findings.get(share))
            && (piece.packets.is_end || !piece.packets.split.is_empty(share))
        {
            let (lane, findings) = (&mut *locked(lane), &mut *locked(findings));
            let Piece { packets, against, .. } = piece;
            if is_others {
                packets.prefetch_bytes(&lane.share);
            }
            self.work.decode(scratch, against, &self.path, packets, lane, findings);
        }
        let mut state = locked(&self.state);
        let place = (state.next[share] - state.first) as usize;
        state.is_busy[share] = false;
        state.next[share] += 1;
        if let Some(under_way) = state.pieces.get_mut(place) {
            under_way.left -= 1;
        }
        self.call(state);
    }

    fn hand_on(&self, piece: Arc<Piece<W::Against>>, hand_on: &dyn Fn(Ready) -> bool) {
        let late = |waiting: &Waiting, out: &mut Vec<u8>| self.work.late(waiting, out);
        let findings = std::array::from_fn(|share| {
            piece.findings.get(share).map(|own| std::mem::take(&mut *locked(own)))
        });
        let records = {
            let mut merger = locked(&self.merger);
            let mut records = merger.add(findings.map(Option::unwrap_or_default), &late);
            if piece.packets.is_end {
                records.extend(merger.finish(&late));
            }
            records
        };
        let goes_on = records.is_empty() || hand_on(records);
        let mut state = locked(&self.state);
        // The others are done with it, but one may just be letting go of it.
        if let Some(piece) = Arc::into_inner(piece)
            && piece.packets.weight() <= MAX_KEPT
        {
            state.spare.push(piece.packets);
        }
        state.is_handing_on = false;
        state.is_stopped |= !goes_on;
        self.call(state);
    }
}

impl<A> State<A> {
    fn task(&mut self, number: u64) -> Option<Task<A>> {
        if !self.is_handing_on
            && self.pieces.front().is_some_and(|front| front.left == 0)
            && let Some(UnderWay { piece, weight, .. }) = self.pieces.pop_front()
        {
            self.is_handing_on = true;
            self.first += 1;
            self.weight -= weight;
            return Some(Task::HandOn(piece));
        }
        let most = PIECES * self.workers.saturating_sub(1) + 1;
        let is_room =
            self.pieces.is_empty() || (self.pieces.len() < most && self.weight < MAX_BYTES);
        if is_room && !self.is_reading && !self.is_read {
            self.is_reading = true;
            return Some(Task::Read(self.spare.pop().unwrap_or_default()));
        }
        let end = self.first + self.pieces.len() as u64;
        let free = (0..SHARDS).filter(|&share| !self.is_busy[share] && self.next[share] < end);
        // The one that is behind the others holds them up; but for one that others had, memory
        // has to come from their caches, and so they may keep it for a piece or two.
        let share = free.min_by_key(|&share| {
            let is_others = self.last[share] != number;
            (self.next[share] + if is_others { STEAL } else { 0 }, is_others)
        })?;
        let under_way = self.pieces.get((self.next[share] - self.first) as usize)?;
        self.is_busy[share] = true;
        self.last[share] = number;
        Some(Task::Decode(share, Arc::clone(&under_way.piece)))
    }
}

/// A packet as the decoder takes it. Without a time of its own it has that of reading.
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

/// Stops the others when a thread panics: they would wait for it.
struct StopAll<'c, 'w, W: Work>(&'c CaptureWorkers<'w, W>);

impl<W: Work> Drop for StopAll<'_, '_, W> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            locked(&self.0.state).is_stopped = true;
            self.0.changed.notify_all();
        }
    }
}
