//! The workers: each matches one piece at a time.

use super::queue::{Queue, QueueItem, Worker};
use super::source::Step;
#[cfg(feature = "daemon")]
use super::task::Lines;
use super::task::{Done, Identity, Matched, Message, Task, Work};
use crate::engine::indicator::{Place, Timestamp};
use crate::engine::scan::{Options, Origin, Scanner};
use crate::engine::text::fields::Layout;
use crate::sensor::input::tail::Piece;
use crate::sensor::run::Current;
use crate::sensor::run::reload::Lease;
use crate::sensor::run::scan::ChunkHits;
use crate::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

/// The scanner options, which may change.
#[derive(Debug)]
pub(in crate::sensor::run) struct Settings {
    options: Mutex<Options>,
    /// How many times they have changed.
    turn: AtomicU64,
}

impl Settings {
    pub(in crate::sensor::run) fn new(options: Options) -> Self {
        Settings { options: Mutex::new(options), turn: AtomicU64::new(0) }
    }

    /// Sets the options that apply from the next piece on.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) fn set(&self, options: Options) {
        *self.options.lock().unwrap_or_else(PoisonError::into_inner) = options;
        self.turn.fetch_add(1, Ordering::Release);
    }

    fn get(&self) -> (Options, u64) {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner);
        (options.clone(), self.turn.load(Ordering::Acquire))
    }
}

/// What all workers share.
pub(in crate::sensor::run) struct Shared<'p, 'q> {
    pub(in crate::sensor::run) current: &'p Current,
    pub(in crate::sensor::run) settings: &'p Settings,
    pub(in crate::sensor::run) queue: &'p Queue<'q>,
    /// Called by each worker when it begins a piece (true) and when it finishes it (false), so that
    /// a stuck worker can be detected.
    pub(in crate::sensor::run) busy: &'p (dyn Fn(usize, bool) + Sync),
}

/// Starts the matching threads. If not all of them can be started, fewer do the same work.
///
/// # Errors
///
/// If none can be started.
pub(in crate::sensor::run) fn start_workers<'scope>(
    scope: &'scope Scope<'scope, '_>,
    threads: usize,
    shared: &'scope Shared<'_, '_>,
    committer: &SyncSender<Message>,
) -> Result<usize> {
    for number in 0..threads {
        let (done, worker) = (committer.clone(), shared.queue.worker());
        let spawned = std::thread::Builder::new()
            .name(format!("match-{number}"))
            .spawn_scoped(scope, move || work(number, shared, &worker, &done));
        match spawned {
            Ok(_) => {}
            Err(error) if number == 0 => return Err(Error::io("start a thread", error)),
            Err(_) => return Ok(number),
        }
    }
    Ok(threads)
}

/// What a worker matches with.
struct Matcher<'m> {
    current: &'m Current,
    settings: &'m Settings,
    scanner: Scanner,
    /// The version of the scanner's settings.
    turn: u64,
    lease: Lease,
}

impl<'m> Matcher<'m> {
    fn new(current: &'m Current, settings: &'m Settings) -> Self {
        let (options, turn) = settings.get();
        let (scanner, lease) = (Scanner::new(options), Lease::new(current));
        Matcher { current, settings, scanner, turn, lease }
    }

    fn matched(&mut self, task: Task) -> Box<Done> {
        if self.settings.turn.load(Ordering::Acquire) != self.turn {
            let (options, newer) = self.settings.get();
            (self.scanner, self.turn) = (Scanner::new(options), newer);
        }
        self.lease.renew(self.current);
        Box::new(matched(&mut self.scanner, &self.lease, task))
    }
}

/// Matches pieces until all sources have ended, or the committer is gone.
fn work<'q>(
    number: usize,
    shared: &Shared<'_, 'q>,
    worker: &Worker<'_, 'q>,
    done: &SyncSender<Message>,
) {
    let mut matcher = Matcher::new(shared.current, shared.settings);
    while let Some(item) = worker.take() {
        (shared.busy)(number, true);
        let task = match item {
            QueueItem::Task(task) => Some(task),
            QueueItem::Turn(turn) => match turn.step() {
                Step::Task(task) => {
                    // Another worker reads the next piece meanwhile.
                    shared.queue.put(turn);
                    Some(task)
                }
                Step::Nothing | Step::Over => None,
            },
        };
        let matched = task.map(|task| matcher.matched(task));
        (shared.busy)(number, false);
        if let Some(matched) = matched
            && done.send(Message::Done(matched)).is_err()
        {
            break;
        }
    }
}

fn matched(scanner: &mut Scanner, lease: &Lease, task: Task) -> Done {
    let Task { source, serial, work, read_at } = task;
    let (hits, bytes, lines, identity) = match work {
        Work::Piece(piece, layout) => {
            let hits = of_piece(scanner, lease, &piece, layout, read_at);
            let lines = piece.lines();
            (hits, piece.bytes.len() as u64, lines, Identity::Stream(piece.stream))
        }
        #[cfg(feature = "daemon")]
        Work::Lines(lines) => {
            let hits = of_lines(scanner, lease, &lines, read_at);
            let (bytes, count) = (lines.batch.bytes.len() as u64, lines.batch.lines.len() as u64);
            (hits, bytes, count, lines.identity)
        }
    };
    let (counters, matched) = (scanner.take_counters(), Matched::Hits(hits));
    Done { source, serial, read_at, bytes, lines, identity, counters, matched }
}

/// The hits of a piece, with their positions in the stream.
fn of_piece(
    scanner: &mut Scanner,
    lease: &Lease,
    piece: &Piece,
    layout: Layout,
    read_at: Timestamp,
) -> ChunkHits {
    let path = Arc::clone(&piece.path);
    let origin = Origin { path, layout, offset: piece.offset, read_at };
    let lines = piece.line.map(|line| line.saturating_sub(1));
    ChunkHits::new(Arc::clone(&lease.known), |known| {
        let mut hits = Vec::new();
        let text = &piece.bytes[..];
        scanner.scan_text(&known.database, text, 0..text.len(), &origin, |mut hit| {
            if let Place::Log(place) = &mut hit.place {
                // If the position of the first line is unknown, all are.
                place.line = lines.map_or(0, |lines| place.line + lines);
                // Wide characters take more bytes in the file than in the text.
                let at = usize::try_from(place.offset - piece.offset).unwrap_or(usize::MAX);
                place.offset = piece.offset_of(at);
            }
            hits.push(hit);
        });
        hits
    })
}

/// The hits of lines that others sent, each with its sender.
#[cfg(feature = "daemon")]
fn of_lines(scanner: &mut Scanner, lease: &Lease, lines: &Lines, read_at: Timestamp) -> ChunkHits {
    use crate::engine::indicator::Sender;
    let Lines { batch, path, identity, offset: base, lines: before } = lines;
    let origin = Origin { path: Arc::clone(path), read_at, ..Origin::new("") };
    ChunkHits::new(Arc::clone(&lease.known), |known| {
        let mut hits = Vec::new();
        let text = &batch.bytes[..];
        // Most hits are alone on their line, and most lines of a batch have the same sender.
        let mut last: Option<(usize, Arc<Sender>)> = None;
        scanner.scan_text(&known.database, text, 0..text.len(), &origin, |mut hit| {
            if let Place::Log(place) = &mut hit.place {
                let at = usize::try_from(place.offset).unwrap_or(usize::MAX);
                if let Some((number, line)) = batch.line_at(at) {
                    let record = batch.record_of(number);
                    let sender = match &last {
                        Some((of, sender)) if *of == number => Arc::clone(sender),
                        _ => Arc::new(Sender {
                            host: line.host.clone(),
                            app: line.app.clone(),
                            peer: Some(match record {
                                Some((offset, _)) => format!("{}@{offset}", line.peer).into(),
                                None => Arc::clone(&line.peer),
                            }),
                        }),
                    };
                    last = Some((number, Arc::clone(&sender)));
                    place.sender = Some(sender);
                    place.time = place.time.or(line.time);
                    match (identity, record) {
                        // Lines that belong to no stream have no position in one.
                        (Identity::Line, _) => {
                            (place.line, place.offset) = (0, (at - line.start) as u64);
                        }
                        // Within the record, wherever this batch begins.
                        (Identity::Record, Some((_, first))) => {
                            let begin = batch.lines.get(first).map_or(0, |line| line.start);
                            place.line = (number - first) as u64 + 1;
                            place.offset = at.saturating_sub(begin) as u64;
                        }
                        _ => {
                            place.line += before;
                            place.offset += base;
                        }
                    }
                }
            }
            hits.push(hit);
        });
        hits
    })
}
