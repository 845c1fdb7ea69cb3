//! Cuts inputs into pieces of work, and runs the threads that process them.
//!
//! A plain file is cut into chunks that any thread can fetch; a stream (a pipe, compressed data) is
//! processed by one thread from beginning to end, while the others continue with the next inputs. A
//! capture is begun by one thread, and idle threads help. The results are passed on in the order of
//! the inputs, no matter which thread found them.

use super::capture_workers::{CaptureWorkers, Packets, ShardState};
use super::findings::{Findings, Ready, Waiting};
use super::finished::{Finished, Remark, Slot, Turn};
use super::headers::{FileHeads, FileLayout, HEAD, StreamHeads};
use super::mails::Mails;
use super::ordered::{Ordered, PieceNumber};
use super::{Notice, Notify, Report, default_threads};
use crate::clock::now;
use crate::engine::indicator::Timestamp;
use crate::engine::packet;
use crate::engine::scan::{self, Origin};
use crate::engine::text::fields::{Layout, Paragraphs, whole_paragraphs};
use crate::sensor::halt::Halt;
use crate::sensor::input::{
    Bounds, Chunk, Chunker, Contents, FileChunks, Input, Opened, PlainFile, Pool, Stream, Target,
};
use crate::sensor::sink::{Records, Sink};
use crate::{Error, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What is done with texts: hits are found, or observables listed.
pub(super) trait Work: Sync {
    /// Scratch space of one thread.
    type Scratch: Send;
    /// The results of a chunk.
    type Found: Send;

    fn scratch(&self) -> Self::Scratch;
    /// Takes the counts of a scratch.
    fn counters(&self, scratch: &mut Self::Scratch) -> scan::Counters;
    fn chunk(&self, scratch: &mut Self::Scratch, chunk: &Chunk, origin: &Origin) -> Self::Found;
    /// Searches a chunk of a mail file: what the mails carry, and the raw lines.
    fn mails(
        &self,
        scratch: &mut Self::Scratch,
        mails: &mut Mails,
        chunk: &Chunk,
        origin: &Origin,
        is_last: bool,
    ) -> Self::Found;
    /// An input has ended, and all its results were encoded.
    fn ends(&self, input: &str, out: &mut Records) {
        let _ = (input, out);
    }
    /// Whether nothing more is wanted of the input whose turn it is.
    fn is_full(&self) -> bool {
        false
    }
    /// Writes the results of a chunk; `lines` lines come before the chunk, and its first line has
    /// `columns` bytes before it. Returns the number of records.
    fn encode(&self, found: Self::Found, lines: u64, columns: u64, out: &mut Records) -> u64;
    /// The approximate size of the results.
    fn weight(&self, found: &Self::Found) -> usize;
}

/// The same for captures.
pub(super) trait CaptureWork: Work {
    /// What a piece of a capture is matched against.
    type Against: Send + Sync;

    /// What the next piece of a capture is matched against.
    fn against(&self) -> Self::Against;
    /// How packets are decoded.
    fn packets(&self) -> &packet::Config;
    /// Decodes the packets of a shard in a piece of a capture.
    fn decode(
        &self,
        scratch: &mut Self::Scratch,
        piece: &CapturePiece<'_, Self::Against>,
        shard: &mut ShardState,
        findings: &mut Findings,
    );
    /// Searches the texts among the packets of a piece of a capture.
    fn notes(
        &self,
        scratch: &mut Self::Scratch,
        piece: &CapturePiece<'_, Self::Against>,
        findings: &mut Findings,
    );
    /// Writes the record of an alert that had to wait, if alerts are encoded early; returns false
    /// if that is left to [`Self::alert`].
    fn late(&self, waiting: &Waiting, out: &mut Vec<u8>) -> bool {
        let _ = (waiting, out);
        true
    }
    /// Writes an alert whose turn it is; returns whether it is wanted.
    fn alert(&self, alert: &Waiting, out: &mut Records) -> bool {
        let _ = (alert, out);
        true
    }
}

/// A piece of a capture, as work is done on it.
pub(super) struct CapturePiece<'a, A> {
    /// What it is matched against.
    pub(super) against: &'a A,
    /// The path of the capture.
    pub(super) path: &'a Arc<str>,
    pub(super) packets: &'a Packets,
}

/// Stands for no input, because no input has this number.
const NO_INPUT: usize = usize::MAX;

/// A plain file that is being cut.
struct Cutting {
    chunks: Arc<FileChunks>,
    layout: FileLayout,
    next: u64,
    /// The number of assigned pieces: the same as chunks, if there are no holes.
    pieces: u64,
}

struct WorkQueue<'p, W: CaptureWork> {
    targets: VecDeque<(usize, Target)>,
    /// Captures that are being decoded, by number.
    captures: BTreeMap<usize, Shared<'p, W>>,
    /// By number, so that a file that was opened late still comes before its successors. Otherwise
    /// all workers could end up holding pieces of a later file while no worker takes the piece of
    /// this one that they wait for.
    cutting: BTreeMap<usize, Cutting>,
    /// Workers that are finding out whether their input can be cut; if so, there will be work for
    /// others.
    opening: usize,
}

/// A capture that other workers may help with.
struct Shared<'p, W: CaptureWork> {
    number: usize,
    workers: Arc<CaptureWorkers<'p, W>>,
    is_live: bool,
    /// Pieces that were handed in.
    pieces: Arc<AtomicU64>,
}

impl<W: CaptureWork> Clone for Shared<'_, W> {
    fn clone(&self) -> Self {
        let Shared { number, workers, is_live, pieces } = self;
        let (workers, pieces) = (Arc::clone(workers), Arc::clone(pieces));
        Shared { number: *number, workers, is_live: *is_live, pieces }
    }
}

/// The state of the passing side.
pub(super) struct Passing<'s> {
    sink: &'s mut dyn Sink,
    out: Records,
    lines: u64,
    line_start: u64,
    /// The same for interrupted texts.
    stopped: Vec<(u64, u64)>,
    done: u64,
    total: u64,
    pub(super) report: Report,
}

impl Passing<'_> {
    /// Saves the count of lines, or restores it.
    fn turn(&mut self, turn: Turn) {
        let place = (self.lines, self.line_start);
        (self.lines, self.line_start) = match turn {
            Turn::None => return,
            Turn::Stops => {
                self.stopped.push(place);
                (0, 0)
            }
            Turn::GoesOn => self.stopped.pop().unwrap_or(place),
        };
    }
}

/// Where inputs come from and how they are cut.
pub(super) struct Plan {
    pub(super) targets: Vec<Target>,
    pub(super) threads: usize,
    pub(super) chunk: usize,
    pub(super) read_at: Timestamp,
    /// Ends it in an orderly way: what was read by then is searched.
    pub(super) halt: Halt,
}

pub(super) struct Pipeline<'p, 's, W: CaptureWork> {
    pub(super) work: &'p W,
    bounds: Bounds,
    pub(super) read_at: Timestamp,
    queue: Mutex<WorkQueue<'p, W>>,
    opened: Condvar,
    ordered: Ordered<Finished<W::Found>>,
    passing: Mutex<Passing<'s>>,
    pub(super) notify: Notify<'p>,
    pub(super) pool: Pool,
    halt: Halt,
    /// The names that alerts use for the inputs.
    names: Vec<Arc<str>>,
    /// The input of which nothing more is wanted.
    full: AtomicUsize,
}

/// Runs `work` on every input of the plan. What concerns only one input is reported through a
/// notice and counted.
pub(super) fn run<W: CaptureWork>(
    work: &W,
    plan: Plan,
    sink: &mut dyn Sink,
    notify: Notify<'_>,
) -> Report {
    let threads = if plan.threads == 0 { default_threads() } else { plan.threads };
    let bounds = if plan.chunk == 0 { Bounds::default() } else { Bounds::new(plan.chunk) };
    let total = plan.targets.iter().map(size_of_target).sum();
    let names = plan.targets.iter().map(Target::name).collect();
    let pipeline = Pipeline {
        work,
        bounds,
        read_at: plan.read_at,
        queue: Mutex::new(WorkQueue {
            targets: plan.targets.into_iter().enumerate().collect(),
            captures: BTreeMap::new(),
            cutting: BTreeMap::new(),
            opening: 0,
        }),
        opened: Condvar::new(),
        ordered: Ordered::new(),
        passing: Mutex::new(Passing {
            sink,
            out: Records::default(),
            lines: 0,
            line_start: 0,
            stopped: Vec::new(),
            done: 0,
            total,
            report: Report::default(),
        }),
        notify,
        pool: Pool::new(threads + 1),
        halt: plan.halt,
        names,
        full: AtomicUsize::new(NO_INPUT),
    };
    std::thread::scope(|scope| {
        for number in 1..threads {
            let name = format!("scan-{number}");
            let spawned =
                std::thread::Builder::new().name(name).spawn_scoped(scope, || pipeline.worker());
            if spawned.is_err() {
                // Fewer threads do the same work.
                break;
            }
        }
        pipeline.worker();
    });
    let mut passing = pipeline.passing.into_inner().unwrap_or_else(PoisonError::into_inner);
    // The rest of an input that was cut off by a halt.
    let stopped: u64 = passing.stopped.iter().map(|(lines, _)| lines).sum();
    passing.report.lines += passing.lines + stopped;
    passing.report
}

fn size_of_target(target: &Target) -> u64 {
    match target {
        Target::Path(path) => std::fs::metadata(path).map_or(0, |m| m.len()),
        Target::Stdin => 0,
    }
}

/// A piece of work that was assigned to a worker.
enum Task<'p, W: CaptureWork> {
    Chunk { place: PieceNumber, k: u64, chunks: Arc<FileChunks>, layout: FileLayout, is_last: bool },
    Open { number: usize, target: Target },
    Help(Shared<'p, W>),
}

impl<'p, 's, W: CaptureWork> Pipeline<'p, 's, W> {
    fn worker(&self) {
        let mut scratch = self.work.scratch();
        while let Some(task) = self.task() {
            let go_on = match task {
                Task::Chunk { place, k, chunks, layout, is_last } => {
                    self.file_chunk(&mut scratch, place, (&chunks, k), &layout, is_last)
                }
                Task::Open { number, target } => self.open(&mut scratch, number, &target),
                Task::Help(shared) => self.help(&mut scratch, &shared),
            };
            if !go_on {
                self.ordered.stop();
                break;
            }
        }
        let counters = self.work.counters(&mut scratch);
        self.passing().report.counters.add(&counters);
    }

    pub(super) fn passing(&self) -> MutexGuard<'_, Passing<'s>> {
        self.passing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, WorkQueue<'p, W>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece of work: a chunk of the first file that has any left, otherwise the next
    /// input, otherwise a part of the first capture.
    fn task(&self) -> Option<Task<'p, W>> {
        let mut queue = self.queue();
        loop {
            if self.halt.is_set() {
                return None;
            }
            if let Some(mut first) = queue.cutting.first_entry() {
                let number = *first.key();
                let file = first.get_mut();
                let k = file.chunks.after_hole(file.next);
                let place = (number, file.pieces);
                (file.next, file.pieces) = (k + 1, file.pieces + 1);
                let is_last = file.next == file.chunks.count();
                let task = Task::Chunk {
                    place,
                    k,
                    chunks: Arc::clone(&file.chunks),
                    layout: file.layout.clone(),
                    is_last,
                };
                if is_last {
                    first.remove();
                }
                return Some(task);
            }
            if let Some((number, target)) = queue.targets.pop_front() {
                queue.opening += 1;
                return Some(Task::Open { number, target });
            }
            if let Some((_, shared)) = queue.captures.first_key_value() {
                return Some(Task::Help(shared.clone()));
            }
            if queue.opening == 0 {
                return None;
            }
            queue = self.opened.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The input that a worker was opening is being cut, or never will be.
    fn opened(&self, cutting: Option<(usize, Cutting)>) {
        let mut queue = self.queue();
        queue.opening -= 1;
        queue.cutting.extend(cutting);
        self.opened.notify_all();
    }

    fn fail(&self, error: &Error) {
        self.passing().report.errors += 1;
        (self.notify)(Notice::Failed(error));
    }

    /// Reports a remark whose turn it is.
    fn report_remark(&self, passing: &mut Passing<'_>, remark: Remark) {
        match remark {
            Remark::Failed(error) => {
                passing.report.errors += 1;
                (self.notify)(Notice::Failed(&error));
            }
            Remark::Closed(path, what) => self.closed(passing, &path, what),
            Remark::Binary => passing.report.binary += 1,
        }
    }

    fn open(&self, scratch: &mut W::Scratch, number: usize, target: &Target) -> bool {
        let input = match Input::open_until(target, &self.halt) {
            Ok(input) => input,
            Err(error) => {
                self.opened(None);
                let nothing = Finished::new(None, 0).with_remark(Some(Remark::Failed(error)));
                return self.hand_in((number, 0), nothing.last());
            }
        };
        self.passing().report.inputs += 1;
        let mut slot = Slot { number, next: 0, is_member: false };
        if crate::sensor::input::capture::is_capture(input.head()) {
            return self.capture(scratch, &mut slot, input);
        }
        match input.contents() {
            Contents::Zip | Contents::Tar => {
                // Wake the others: there may be captures to help with.
                let go_on = self.archive(scratch, &mut slot, input);
                self.opened(None);
                return go_on && self.hand_in((number, slot.next), Finished::new(None, 0).last());
            }
            Contents::Mail | Contents::Events => {
                self.opened(None);
                return self.contents(scratch, &mut slot, input);
            }
            _ => {
                let remark = Self::closed_remark(&input);
                remark
                    .into_iter()
                    .for_each(|remark| self.report_remark(&mut self.passing(), remark));
            }
        }
        let head = input.head().to_vec();
        match input.into_opened() {
            Opened::Seekable(file) => self.cut(scratch, number, file),
            Opened::Stream(stream) => {
                self.opened(None);
                self.stream(scratch, &mut slot, stream, &head)
            }
        }
    }

    /// Cuts a plain file; a small one is processed right away.
    fn cut(&self, scratch: &mut W::Scratch, number: usize, file: PlainFile) -> bool {
        let mut head = vec![0; HEAD];
        let filled = file.read_at(&mut head, 0).unwrap_or(0);
        let chunks = Arc::new(FileChunks::new(file, self.bounds_for(&head[..filled]).0));
        let layout = FileHeads::of(&chunks, &head[..filled], &self.pool);
        match chunks.count() {
            0 => {
                self.opened(None);
                self.hand_in((number, 0), Finished::new(None, 0).last())
            }
            1 => {
                self.opened(None);
                self.file_chunk(scratch, (number, 0), (&chunks, 0), &layout, true)
            }
            _ => {
                self.opened(Some((number, Cutting { chunks, layout, next: 0, pieces: 0 })));
                true
            }
        }
    }

    /// How an input with this head is cut, and how its lines form records.
    fn bounds_for(&self, head: &[u8]) -> (Bounds, Paragraphs) {
        let paragraphs = Paragraphs::of(head);
        match paragraphs {
            Paragraphs::None => (self.bounds, paragraphs),
            _ => (self.bounds.with_records(), paragraphs),
        }
    }

    fn file_chunk(
        &self,
        scratch: &mut W::Scratch,
        place: PieceNumber,
        (chunks, k): (&FileChunks, u64),
        layout: &FileLayout,
        is_last: bool,
    ) -> bool {
        if self.is_full(place.0) {
            let nothing = Finished::new(None, 0);
            return self.hand_in(place, if is_last { nothing.last() } else { nothing });
        }
        let path = chunks.file().path();
        let finished = match chunks.read(k, self.pool.take()) {
            Ok(Some(chunk)) => {
                let layout = layout.note(k, Some(&chunk));
                let origin = self.origin(path, layout, &chunk, self.read_at);
                let found = self.work.chunk(scratch, &chunk, &origin);
                self.finished(found, chunk)
            }
            Ok(None) => {
                layout.note(k, None);
                Finished::new(None, 0)
            }
            Err(error) => {
                layout.note(k, None);
                Finished::new(None, 0).with_remark(Some(Remark::Failed(error)))
            }
        };
        let end = if is_last { chunks.finish() } else { Ok(()) };
        let finished = finished.with_remark(end.err().map(Remark::Failed));
        self.hand_in(place, if is_last { finished.last() } else { finished })
    }

    pub(super) fn origin(
        &self,
        path: &Arc<str>,
        layout: Layout,
        chunk: &Chunk,
        read_at: Timestamp,
    ) -> Origin {
        Origin { path: Arc::clone(path), layout, offset: chunk.offset, read_at }
    }

    /// Wraps the results of a chunk, and gives its buffer back.
    pub(super) fn finished(&self, found: W::Found, chunk: Chunk) -> Finished<W::Found> {
        let weight = self.work.weight(&found);
        let own = &chunk.buffer[chunk.start..chunk.end];
        let span = chunk.span();
        let finished = Finished {
            bytes: span.end - span.start,
            newlines: memchr::memchr_iter(b'\n', own).count() as u64,
            line_start: memchr::memrchr(b'\n', own).map(|at| span.start + at as u64 + 1),
            offset: span.start,
            ends_open: !own.ends_with(b"\n"),
            ..Finished::new(Some(found), weight)
        };
        self.pool.put(chunk.buffer);
        finished
    }

    /// Processes text that one thread reads.
    pub(super) fn stream(
        &self,
        scratch: &mut W::Scratch,
        slot: &mut Slot,
        stream: Stream,
        head: &[u8],
    ) -> bool {
        let is_live = stream.is_live();
        let (bounds, paragraphs) = self.bounds_for(head);
        let mut chunker =
            Chunker::new(stream, bounds, self.pool.clone()).held_by(whole_paragraphs(paragraphs));
        let path = Arc::clone(chunker.path());
        let mut heads = StreamHeads::default();
        let mut held: Option<Finished<W::Found>> = None;
        loop {
            // A live stream ends by itself, after what has already arrived.
            let is_over = !is_live && self.halt.is_set() || self.is_full(slot.number);
            let next = if is_over { Ok(None) } else { chunker.next_chunk() };
            let is_over = !matches!(next, Ok(Some(_)));
            // A piece is handed in once it is known whether another one follows; but results from a
            // live pipe must not wait for that.
            if let Some(finished) = held.take() {
                if is_over {
                    let last = finished.last_of(slot).with_remark(self.end_remark(next));
                    return self.hand_in_next(slot, last);
                }
                if !self.hand_in_next(slot, finished) {
                    return false;
                }
            }
            let Ok(Some(chunk)) = next else {
                let last = Finished::new(None, 0).last_of(slot).with_remark(self.end_remark(next));
                return self.hand_in_next(slot, last);
            };
            let layout = heads.next(&chunk);
            let read_at = if is_live { now() } else { self.read_at };
            let origin = self.origin(&path, layout, &chunk, read_at);
            let found = self.work.chunk(scratch, &chunk, &origin);
            let finished = Finished { is_live, ..self.finished(found, chunk) };
            if is_live {
                if !self.hand_in_next(slot, finished) {
                    return false;
                }
            } else {
                held = Some(finished);
            }
        }
    }

    /// The remark about how a stream ended. A stream that was cut off by a halt did not fail.
    pub(super) fn end_remark(&self, end: Result<Option<Chunk>>) -> Option<Remark> {
        end.err().filter(|_| !self.halt.is_set()).map(Remark::Failed)
    }

    /// Decodes a capture, with the help of idle workers.
    pub(super) fn capture(&self, scratch: &mut W::Scratch, slot: &mut Slot, input: Input) -> bool {
        let number = slot.number;
        let path = Arc::clone(input.path());
        let is_live = input.is_live();
        let capture = super::capture::opened(input);
        // A live one ends by itself, after what has already arrived.
        let halt = if is_live { Halt::default() } else { self.halt.clone() };
        let workers = Arc::new(CaptureWorkers::new(
            self.work,
            capture,
            Arc::clone(&path),
            self.read_at,
            halt,
        ));
        let pieces = Arc::new(AtomicU64::new(slot.next));
        let shared = Shared { number, workers, is_live, pieces };
        {
            let mut queue = self.queue();
            // An archive continues after it.
            queue.opening -= usize::from(!slot.is_member);
            queue.captures.insert(number, shared.clone());
            self.opened.notify_all();
        }
        let go_on = self.help(scratch, &shared);
        let (counters, bytes, outcome) = shared.workers.end();
        // Captures are read to their ends no matter what is wanted of them, so errors are always
        // reported.
        if let Err(error) = outcome
            && !self.halt.is_set()
        {
            self.fail(&error.at_path(&*path));
        }
        {
            let mut passing = self.passing();
            passing.report.captures += 1;
            passing.report.packets.add(&counters);
        }
        slot.next = shared.pieces.load(Ordering::Relaxed);
        let last = Finished { bytes, ..Finished::new(None, 0).last_of(slot) };
        go_on && self.hand_in_next(slot, last)
    }

    /// Works on a capture until it is done. Returns whether to continue.
    fn help(&self, scratch: &mut W::Scratch, shared: &Shared<'p, W>) -> bool {
        let Shared { number, workers, is_live, pieces } = shared;
        let pass_on = |ready: Ready| {
            // One thread at a time.
            let piece = pieces.fetch_add(1, Ordering::Relaxed);
            let weight = ready.weight();
            let finished = Finished { is_live: *is_live, ready, ..Finished::new(None, weight) };
            self.hand_in((*number, piece), finished)
        };
        let report = |error: Error| self.fail(&error.at_path(&**workers.path()));
        let go_on = workers.work(scratch, &pass_on, &report);
        self.queue().captures.remove(number);
        go_on
    }

    pub(super) fn hand_in_next(&self, slot: &mut Slot, finished: Finished<W::Found>) -> bool {
        let place = (slot.number, slot.next);
        slot.next += 1;
        self.hand_in(place, finished)
    }

    fn hand_in(&self, place: PieceNumber, finished: Finished<W::Found>) -> bool {
        self.ordered.hand_in(place, finished, |(number, _), finished| self.pass(number, finished))
    }

    /// Whether nothing more is wanted of an input.
    fn is_full(&self, number: usize) -> bool {
        self.full.load(Ordering::Relaxed) == number
    }

    /// Encodes and writes a piece whose turn it is.
    fn pass(&self, number: usize, finished: Finished<W::Found>) -> bool {
        let mut passing = self.passing();
        let passing = &mut *passing;
        let before = passing.report.records;
        passing.turn(finished.turn);
        for remark in finished.remarks {
            if !self.is_full(number) {
                self.report_remark(passing, remark);
            }
        }
        let columns = finished.offset.saturating_sub(passing.line_start);
        passing.out.clear();
        let mut ready = finished.ready;
        passing.report.records += ready.records.count();
        passing.out.append(&mut ready.records);
        for alert in &ready.alerts {
            passing.report.records += u64::from(self.work.alert(alert, &mut passing.out));
        }
        if let Some(found) = finished.found {
            let records = self.work.encode(found, passing.lines, columns, &mut passing.out);
            passing.report.records += records;
        }
        passing.lines += finished.newlines;
        if let Some(start) = finished.line_start {
            passing.line_start = start;
        }
        passing.report.bytes += finished.bytes;
        passing.done += finished.bytes;
        if finished.ends_text {
            let open_line = u64::from(finished.ends_open && finished.bytes > 0);
            passing.report.lines += passing.lines + open_line;
            (passing.lines, passing.line_start) = (0, 0);
        }
        if self.work.is_full() {
            self.full.store(number, Ordering::Relaxed);
        }
        if finished.is_last {
            let name = self.names.get(number).map_or("", |name| &**name);
            self.work.ends(name, &mut passing.out);
        }
        (self.notify)(Notice::Progress { done: passing.done, total: passing.total });
        if passing.out.is_empty() {
            return true;
        }
        let mut written = passing.sink.write(&passing.out);
        if written.is_err() {
            passing.report.output.lost = passing.report.records - before;
        } else if finished.is_live {
            written = passing.sink.flush();
        }
        let goes_on = written.is_ok();
        passing.report.stopped = written.err();
        goes_on
    }
}
