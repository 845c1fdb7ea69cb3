//! Inputs cut into pieces of work, and the threads that do them.
//!
//! A plain file is cut into chunks that any thread can fetch; a stream (a pipe,
//! compressed data) is done by one thread from beginning to end, while the others go on
//! with the next inputs. A capture is begun by one thread, and those that have nothing
//! else to do help it. What is found is handed on in the order of the inputs, whoever
//! found it.

use super::crew::{Crew, Lane, Packets};
use super::findings::{Findings, Records, Waiting};
use super::ordered::{Ordered, Piece, Place};
use super::{Notice, Notify, Swaps, default_threads};
use crate::indicator::Timestamp;
use crate::input::{Bounds, Chunk, Chunker, FileChunks, Input, Opened, Pool, Target};
use crate::packet;
use crate::scan::{self, Origin};
use crate::sink::Sink;
use crate::text::fields::Format;
use crate::{Error, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How much of a file's head says what its lines are.
const FORMAT_HEAD: usize = 16 << 10;

/// What a scan read, found and dropped.
#[derive(Clone, Debug, Default)]
pub struct ScanReport {
    /// Inputs that were opened.
    pub inputs: u64,
    /// Bytes that were read, after decompression: of text and of captures.
    pub bytes: u64,
    /// Lines of text; a last one without a line break counts.
    pub lines: u64,
    /// Captures among the inputs.
    pub captures: u64,
    /// What the packets were.
    pub packets: packet::Counters,
    /// Records that were written.
    pub records: u64,
    /// What was looked up, matched and held back.
    pub counters: scan::Counters,
    /// Things that could not be done.
    pub errors: u64,
    /// Inputs that were passed over, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// How often the database was replaced under way.
    pub swaps: Swaps,
}

/// What is done to the inputs: hits are hunted, or observables listed.
pub(super) trait Work: Sync {
    /// Scratch of one thread.
    type Scratch: Send;
    /// What is found in a piece.
    type Found: Send;
    /// What a piece of a capture is held against.
    type Against: Send + Sync;

    fn scratch(&self) -> Self::Scratch;
    /// Takes what a scratch counted.
    fn counters(&self, scratch: &mut Self::Scratch) -> scan::Counters;
    fn chunk(&self, scratch: &mut Self::Scratch, chunk: &Chunk, origin: &Origin) -> Self::Found;
    /// What the next piece of a capture is held against.
    fn against(&self) -> Self::Against;
    /// How packets are decoded.
    fn packets(&self) -> &packet::Config;
    /// Decodes the packets of a share in a piece of the capture at `path`.
    fn decode(
        &self,
        scratch: &mut Self::Scratch,
        against: &Self::Against,
        path: &Arc<str>,
        packets: &Packets,
        lane: &mut Lane,
        findings: &mut Findings,
    );
    /// Writes the record of what had to wait, where something has to.
    fn late(&self, waiting: &Waiting, out: &mut Vec<u8>) {
        let _ = (waiting, out);
    }
    /// Writes it; `lines` come before the chunk, and its first line has `columns`
    /// bytes before it. Returns how many records there were.
    fn encode(&self, found: Self::Found, lines: u64, columns: u64, out: &mut Vec<u8>) -> u64;
    /// What it weighs, about.
    fn weight(&self, found: &Self::Found) -> usize;
}

/// What a worker hands in.
struct Finished<F> {
    found: Option<F>,
    /// What is encoded already.
    records: Records,
    weight: usize,
    bytes: u64,
    newlines: u64,
    /// Offset behind the last newline, if there is one.
    line_start: Option<u64>,
    /// Offset of the chunk.
    offset: u64,
    ends_open: bool,
    is_live: bool,
    is_last: bool,
}

impl<F> Finished<F> {
    fn new(found: Option<F>, weight: usize) -> Self {
        Finished {
            found,
            records: Records::default(),
            weight: weight + 64,
            bytes: 0,
            newlines: 0,
            line_start: None,
            offset: 0,
            ends_open: false,
            is_live: false,
            is_last: false,
        }
    }

    fn last(mut self) -> Self {
        self.is_last = true;
        self
    }
}

impl<F> Piece for Finished<F> {
    fn weight(&self) -> usize {
        self.weight
    }

    fn is_last(&self) -> bool {
        self.is_last
    }
}

/// A plain file that is being cut up.
struct Cutting {
    chunks: Arc<FileChunks>,
    format: Arc<Format>,
    next: u64,
}

struct Given<'p, W: Work> {
    targets: VecDeque<(usize, Target)>,
    /// Captures that are being decoded, by their numbers.
    captures: BTreeMap<usize, Shared<'p, W>>,
    /// By their numbers: a file that was opened late still comes before its
    /// successors. Else all workers could wait with pieces of a later one for a
    /// piece of this one, which nobody would take.
    cutting: BTreeMap<usize, Cutting>,
    /// Workers that are about to find out whether their input can be cut up; then
    /// there will be work for others.
    opening: usize,
}

/// A capture that others may help with.
struct Shared<'p, W: Work> {
    number: usize,
    crew: Arc<Crew<'p, W>>,
    is_live: bool,
    /// Pieces that were handed in.
    pieces: Arc<AtomicU64>,
}

impl<W: Work> Clone for Shared<'_, W> {
    fn clone(&self) -> Self {
        let Shared { number, crew, is_live, pieces } = self;
        let (crew, pieces) = (Arc::clone(crew), Arc::clone(pieces));
        Shared { number: *number, crew, is_live: *is_live, pieces }
    }
}

/// What the passing side keeps.
struct Passing<'s> {
    sink: &'s mut dyn Sink,
    out: Vec<u8>,
    lines: u64,
    line_start: u64,
    done: u64,
    total: u64,
    report: ScanReport,
    failed: Option<Error>,
}

/// Where inputs come from and how they are cut.
pub(super) struct Plan {
    pub(super) targets: Vec<Target>,
    pub(super) threads: usize,
    pub(super) chunk: usize,
    pub(super) read_at: Timestamp,
}

struct Pipeline<'p, 's, W: Work> {
    work: &'p W,
    bounds: Bounds,
    read_at: Timestamp,
    given: Mutex<Given<'p, W>>,
    opened: Condvar,
    ordered: Ordered<Finished<W::Found>>,
    passing: Mutex<Passing<'s>>,
    notify: Notify<'p>,
    pool: Pool,
}

/// Does `work` to every input of the plan.
///
/// # Errors
///
/// When the output cannot be written. What concerns one input alone is told
/// through a notice and counted.
pub(super) fn run<W: Work>(
    work: &W,
    plan: Plan,
    sink: &mut dyn Sink,
    notify: Notify<'_>,
) -> Result<ScanReport> {
    let threads = if plan.threads == 0 { default_threads() } else { plan.threads };
    let bounds = if plan.chunk == 0 { Bounds::default() } else { Bounds::new(plan.chunk) };
    let total = plan.targets.iter().map(size_of_target).sum();
    let pipeline = Pipeline {
        work,
        bounds,
        read_at: plan.read_at,
        given: Mutex::new(Given {
            targets: plan.targets.into_iter().enumerate().collect(),
            captures: BTreeMap::new(),
            cutting: BTreeMap::new(),
            opening: 0,
        }),
        opened: Condvar::new(),
        ordered: Ordered::new(),
        passing: Mutex::new(Passing {
            sink,
            out: Vec::new(),
            lines: 0,
            line_start: 0,
            done: 0,
            total,
            report: ScanReport::default(),
            failed: None,
        }),
        notify,
        pool: Pool::new(threads + 1),
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
    let passing = pipeline.passing.into_inner().unwrap_or_else(PoisonError::into_inner);
    match passing.failed {
        Some(error) => Err(error),
        None => {
            passing.sink.flush()?;
            Ok(passing.report)
        }
    }
}

fn size_of_target(target: &Target) -> u64 {
    match target {
        Target::Path(path) => std::fs::metadata(path).map_or(0, |m| m.len()),
        Target::Stdin => 0,
    }
}

/// A piece of work that was given to a worker.
enum Task<'p, W: Work> {
    Chunk { number: usize, k: u64, chunks: Arc<FileChunks>, format: Arc<Format>, is_last: bool },
    Open { number: usize, target: Target },
    Help(Shared<'p, W>),
}

impl<'p, 's, W: Work> Pipeline<'p, 's, W> {
    fn worker(&self) {
        let mut scratch = self.work.scratch();
        while let Some(task) = self.task() {
            let go_on = match task {
                Task::Chunk { number, k, chunks, format, is_last } => {
                    self.file_chunk(&mut scratch, (number, k), &chunks, &format, is_last)
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

    fn passing(&self) -> MutexGuard<'_, Passing<'s>> {
        self.passing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given(&self) -> MutexGuard<'_, Given<'p, W>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece of work: a chunk of the first file that has any left, or else
    /// the next input, or else a part of the first capture.
    fn task(&self) -> Option<Task<'p, W>> {
        let mut given = self.given();
        loop {
            if let Some(mut first) = given.cutting.first_entry() {
                let number = *first.key();
                let file = first.get_mut();
                let k = file.next;
                file.next += 1;
                let is_last = file.next == file.chunks.count();
                let task = Task::Chunk {
                    number,
                    k,
                    chunks: Arc::clone(&file.chunks),
                    format: Arc::clone(&file.format),
                    is_last,
                };
                if is_last {
                    first.remove();
                }
                return Some(task);
            }
            if let Some((number, target)) = given.targets.pop_front() {
                given.opening += 1;
                return Some(Task::Open { number, target });
            }
            if let Some((_, shared)) = given.captures.first_key_value() {
                return Some(Task::Help(shared.clone()));
            }
            if given.opening == 0 {
                return None;
            }
            given = self.opened.wait(given).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The input that a worker was opening is cut up, or will never be.
    fn opened(&self, cutting: Option<(usize, Cutting)>) {
        let mut given = self.given();
        given.opening -= 1;
        given.cutting.extend(cutting);
        self.opened.notify_all();
    }

    fn fail(&self, error: &Error) {
        self.passing().report.errors += 1;
        (self.notify)(Notice::Failed(error));
    }

    fn open(&self, scratch: &mut W::Scratch, number: usize, target: &Target) -> bool {
        let input = match Input::open(target) {
            Ok(input) => input,
            Err(error) => {
                self.opened(None);
                self.fail(&error);
                return self.hand_in((number, 0), Finished::new(None, 0).last());
            }
        };
        self.passing().report.inputs += 1;
        if crate::input::capture::is_capture(input.head()) {
            return self.capture(scratch, number, input);
        }
        match input.into_opened() {
            Opened::Seekable(file) => {
                let mut head = vec![0; FORMAT_HEAD];
                let filled = file.read_at(&mut head, 0).unwrap_or(0);
                let format = Arc::new(Format::of_head(&head[..filled]));
                let chunks = Arc::new(FileChunks::new(file, self.bounds));
                if chunks.count() == 0 {
                    self.opened(None);
                    return self.hand_in((number, 0), Finished::new(None, 0).last());
                }
                self.opened(Some((number, Cutting { chunks, format, next: 0 })));
                true
            }
            Opened::Stream(stream) => {
                self.opened(None);
                let is_live = stream.is_live();
                let chunker = Chunker::new(stream, self.bounds, self.pool.clone());
                self.stream(scratch, number, chunker, is_live)
            }
        }
    }

    fn file_chunk(
        &self,
        scratch: &mut W::Scratch,
        place: Place,
        chunks: &FileChunks,
        format: &Arc<Format>,
        is_last: bool,
    ) -> bool {
        let path = chunks.file().path();
        let finished = match chunks.read(place.1, self.pool.take()) {
            Ok(Some(chunk)) => {
                let origin = self.origin(path, format, &chunk, self.read_at);
                self.finished(scratch, chunk, &origin)
            }
            Ok(None) => Finished::new(None, 0),
            Err(error) => {
                self.fail(&error);
                Finished::new(None, 0)
            }
        };
        if is_last && let Err(error) = chunks.finish() {
            self.fail(&error);
        }
        self.hand_in(place, if is_last { finished.last() } else { finished })
    }

    fn origin(
        &self,
        path: &Arc<str>,
        format: &Arc<Format>,
        chunk: &Chunk,
        read_at: Timestamp,
    ) -> Origin {
        Origin { path: Arc::clone(path), format: Arc::clone(format), offset: chunk.offset, read_at }
    }

    /// Scans a chunk and gives its buffer back.
    fn finished(
        &self,
        scratch: &mut W::Scratch,
        chunk: Chunk,
        origin: &Origin,
    ) -> Finished<W::Found> {
        let found = self.work.chunk(scratch, &chunk, origin);
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

    fn stream(
        &self,
        scratch: &mut W::Scratch,
        number: usize,
        mut chunker: Chunker,
        is_live: bool,
    ) -> bool {
        let path = Arc::clone(chunker.path());
        let mut format = None;
        let mut k = 0;
        let mut held: Option<Finished<W::Found>> = None;
        loop {
            let next = chunker.next_chunk();
            let is_over = !matches!(next, Ok(Some(_)));
            // A piece is handed in once it is known whether another one follows; but
            // nobody at a live pipe waits for that.
            if let Some(finished) = held.take() {
                let finished = if is_over { finished.last() } else { finished };
                if !self.hand_in((number, k), finished) {
                    return false;
                }
                k += 1;
                if is_over {
                    return self.stream_ends(next);
                }
            }
            let Ok(Some(chunk)) = next else {
                let go_on = self.stream_ends(next);
                return self.hand_in((number, k), Finished::new(None, 0).last()) && go_on;
            };
            let format = format.get_or_insert_with(|| {
                let head = &chunk.buffer[chunk.start..];
                Arc::new(Format::of_head(&head[..head.len().min(FORMAT_HEAD)]))
            });
            let read_at = if is_live { super::now() } else { self.read_at };
            let origin = self.origin(&path, format, &chunk, read_at);
            let finished = Finished { is_live, ..self.finished(scratch, chunk, &origin) };
            if is_live {
                if !self.hand_in((number, k), finished) {
                    return false;
                }
                k += 1;
            } else {
                held = Some(finished);
            }
        }
    }

    fn stream_ends(&self, end: Result<Option<Chunk>>) -> bool {
        if let Err(error) = end {
            self.fail(&error);
        }
        true
    }

    /// Decodes a capture, with whoever has nothing else to do.
    fn capture(&self, scratch: &mut W::Scratch, number: usize, input: Input) -> bool {
        let path = Arc::clone(input.path());
        let is_live = input.is_live();
        let capture = super::capture::opened(input);
        let crew = Arc::new(Crew::new(self.work, capture, Arc::clone(&path)));
        let shared = Shared { number, crew, is_live, pieces: Arc::default() };
        {
            let mut given = self.given();
            given.opening -= 1;
            given.captures.insert(number, shared.clone());
            self.opened.notify_all();
        }
        let go_on = self.help(scratch, &shared);
        let (counters, bytes, outcome) = shared.crew.end();
        if let Err(error) = outcome {
            self.fail(&error.at_path(&*path));
        }
        {
            let mut passing = self.passing();
            passing.report.captures += 1;
            passing.report.packets.add(&counters);
        }
        let last = Finished { bytes, ..Finished::new(None, 0).last() };
        go_on && self.hand_in((number, shared.pieces.load(Ordering::Relaxed)), last)
    }

    /// Works on a capture until it is done. Returns whether to go on.
    fn help(&self, scratch: &mut W::Scratch, shared: &Shared<'p, W>) -> bool {
        let Shared { number, crew, is_live, pieces } = shared;
        let go_on = crew.work(scratch, &|records: Records| {
            // By one thread at a time.
            let piece = pieces.fetch_add(1, Ordering::Relaxed);
            let weight = records.0.len();
            let finished = Finished { is_live: *is_live, records, ..Finished::new(None, weight) };
            self.hand_in((*number, piece), finished)
        });
        self.given().captures.remove(number);
        go_on
    }

    fn hand_in(&self, place: Place, finished: Finished<W::Found>) -> bool {
        self.ordered.hand_in(place, finished, |_, finished| self.pass(finished))
    }

    /// Encodes and writes a piece whose turn it is.
    fn pass(&self, finished: Finished<W::Found>) -> bool {
        let mut passing = self.passing();
        let passing = &mut *passing;
        let columns = finished.offset.saturating_sub(passing.line_start);
        passing.out.clear();
        let (encoded, count) = finished.records;
        passing.out.extend_from_slice(&encoded);
        passing.report.records += count;
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
        if finished.is_last {
            let open_line = u64::from(finished.ends_open && finished.bytes > 0);
            passing.report.lines += passing.lines + open_line;
            (passing.lines, passing.line_start) = (0, 0);
        }
        (self.notify)(Notice::Progress { done: passing.done, total: passing.total });
        let mut written = Ok(());
        if !passing.out.is_empty() {
            written = passing.sink.write(&passing.out);
            if finished.is_live && written.is_ok() {
                written = passing.sink.flush();
            }
        }
        match written {
            Ok(()) => true,
            Err(error) => {
                passing.failed.get_or_insert(error);
                false
            }
        }
    }
}
