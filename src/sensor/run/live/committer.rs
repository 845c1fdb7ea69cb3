//! Alerts written, progress committed.

use super::order::InOrder;
use super::output::Out;
use super::task::{Done, Message, Order};
use crate::clock::Stopwatch;
use crate::engine::alert::Alert;
use crate::sensor::checkpoint::{Commit, StateDir};
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::{Changes, Position};
use crate::sensor::run::{Notice, Notify, Yield};
use crate::{Error, Result};
use hashbrown::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// The longest that alerts wait for the commit that makes them safe.
const COMMIT_ALERTS: Duration = Duration::from_millis(100);

/// The longest that progress without alerts waits for one.
const COMMIT_PROGRESS: Duration = Duration::from_secs(1);

/// How often the committer looks whether something is due.
const ROUND: Duration = Duration::from_millis(20);

/// Messages that are heard in a row before the output is written.
const BURST: usize = 64;

/// How often an output or a state that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How often the committer looks whether the file of alerts was renamed.
const LOOK: Duration = Duration::from_secs(1);

/// How long what failed is tried again once the job is to end.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// What the committer works with.
pub(super) struct Committer<'c, 's> {
    pub(super) out: Out<'s>,
    /// Where commits go; none where nothing is kept.
    pub(super) state: Option<StateDir>,
    pub(super) messages: Receiver<Message>,
    /// To each source.
    pub(super) orders: Vec<Sender<Order>>,
    pub(super) notify: Notify<'c>,
    pub(super) halt: &'c Halt,
    /// Set by SIGHUP, if that has the output opened again.
    pub(super) hangup: Option<&'c AtomicBool>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Committed {
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) records: u64,
    pub(super) errors: u64,
    /// Alerts that could not be written.
    pub(super) lost: u64,
    pub(super) stopped: Option<Error>,
}

/// A source, as the committer sees it.
#[derive(Default)]
struct Track {
    pieces: InOrder<Box<Done>>,
    /// How far each stream is processed, since the last question.
    processed: HashMap<u64, Position>,
    /// How many pieces it has, once that is known.
    total: Option<u64>,
}

/// What is to be committed, and what is on its way there.
#[derive(Default)]
struct Pending {
    /// Since the first alert that is in no commit.
    alerts: Option<Stopwatch>,
    /// Since the first progress that is in no commit.
    progress: Option<Stopwatch>,
    /// A commit that sources are asked about, and how many answers are missing.
    asked: Option<(usize, Commit)>,
    /// One that could not be written, and since when.
    failed: Option<(Commit, Stopwatch)>,
}

impl Pending {
    fn is_due(&self, is_last: bool) -> bool {
        let is_over = |since: Option<Stopwatch>, most| {
            since.is_some_and(|since| is_last || since.elapsed() >= most)
        };
        is_over(self.alerts, COMMIT_ALERTS) || is_over(self.progress, COMMIT_PROGRESS)
    }

    fn is_idle(&self) -> bool {
        self.asked.is_none() && self.failed.is_none()
    }

    /// Whether everything is committed.
    fn is_empty(&self) -> bool {
        self.is_idle() && self.alerts.is_none() && self.progress.is_none()
    }
}

/// Writes and commits until every source has ended and all of it is committed, or the output is
/// gone for good.
pub(super) fn run(committer: Committer<'_, '_>) -> (Committed, Yield) {
    let tracks = committer.orders.iter().map(|_| Track::default()).collect();
    let mut run = Run {
        committer,
        tracks,
        pending: Pending::default(),
        came: Committed::default(),
        is_told: false,
        is_ended: false,
        turning: Turning::No,
        looked: Stopwatch::start(),
    };
    run.committer.out.begin();
    if let Err(error) = run.run() {
        run.came.lost = run.committer.out.waiting();
        run.came.stopped = Some(error);
    }
    run.came.records = run.committer.out.records.saturating_sub(run.came.lost);
    // Sources and workers that still wait find nobody there, and end.
    (run.came, run.committer.out.into_yield())
}

struct Run<'c, 's> {
    committer: Committer<'c, 's>,
    tracks: Vec<Track>,
    pending: Pending,
    came: Committed,
    /// Whether an operator was told that something can't be written.
    is_told: bool,
    /// Whether the output has its end.
    is_ended: bool,
    turning: Turning,
    looked: Stopwatch,
}

/// What is under way of a file of alerts that was renamed. Until it is done, alerts wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turning {
    #[default]
    No,
    /// What the old file holds is to be committed.
    Old,
    /// The new file is open, and is to be committed while nothing is in it.
    New,
}

impl Run<'_, '_> {
    fn run(&mut self) -> Result<()> {
        loop {
            if self.is_full() {
                std::thread::sleep(ROUND);
            } else {
                match self.committer.messages.recv_timeout(ROUND) {
                    Ok(message) => self.hear_all(message),
                    Err(RecvTimeoutError::Timeout) => {}
                    // Nobody is left, which only a panic does: what came is written.
                    Err(RecvTimeoutError::Disconnected) => return self.flush(),
                }
            }
            // What is processed is written before the file may be turned: a commit comes between.
            self.flush()?;
            self.turn();
            let is_last = self.tracks.iter().all(Track::is_over);
            if is_last && !self.is_ended {
                self.is_ended = true;
                self.committer.out.end();
            }
            self.flush()?;
            self.commit(is_last)?;
            if is_last && self.pending.is_empty() && self.turning == Turning::No {
                return Ok(());
            }
        }
    }

    /// Whether too much waits for the file to be turned, and no source is to be heard before.
    fn is_full(&self) -> bool {
        let waiting: usize = self.tracks.iter().map(|track| track.pieces.len()).sum();
        self.turning != Turning::No && self.pending.asked.is_none() && waiting > BURST
    }

    fn hear_all(&mut self, first: Message) {
        self.hear(first);
        for _ in 1..BURST {
            match self.committer.messages.try_recv() {
                Ok(message) => self.hear(message),
                Err(_) => return,
            }
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Done(done) => self.done(done),
            Message::Kept(changes) => self.kept(*changes),
            Message::Notice(notice) => (self.committer.notify)(Notice::Tail(&notice)),
            Message::Ended { source, pieces, error } => {
                if let Some(track) = self.tracks.get_mut(source) {
                    track.total = Some(pieces);
                }
                if let Some(error) = error {
                    self.came.errors += 1;
                    (self.committer.notify)(Notice::Failed(&error));
                }
            }
        }
    }

    fn done(&mut self, done: Box<Done>) {
        let source = done.task.source;
        if let Some(track) = self.tracks.get_mut(source) {
            track.pieces.put(done.task.serial, done);
            self.process(source);
        }
    }

    /// Takes the alerts of the pieces of a source that are in order. While the file is turned it
    /// takes none: what is processed would be committed before its alerts are written.
    fn process(&mut self, source: usize) {
        let Some(track) = self.tracks.get_mut(source) else { return };
        while self.turning == Turning::No
            && let Some(done) = track.pieces.take()
        {
            let Done { task, hits } = *done;
            let piece = *task.piece;
            self.came.bytes += piece.bytes.len() as u64;
            self.came.lines += memchr::memchr_iter(b'\n', &piece.bytes).count() as u64;
            let out = &mut self.committer.out;
            let mut has_alerts = false;
            hits.with_dependent(|known, hits| {
                for hit in hits {
                    let alert = Alert::new(hit, &known.origin, task.read_at);
                    has_alerts |= out.take(&alert.in_stream(piece.stream));
                }
            });
            track.processed.insert(piece.stream, piece.end);
            self.pending.progress.get_or_insert_with(Stopwatch::start);
            if has_alerts {
                self.pending.alerts.get_or_insert_with(Stopwatch::start);
            }
        }
    }

    /// Passes on what was encoded. A file that can't be written is tried again, and meanwhile
    /// nothing is taken from anybody.
    fn flush(&mut self) -> Result<()> {
        if self.turning != Turning::No {
            return Ok(());
        }
        let mut halted: Option<Stopwatch> = None;
        loop {
            let Err(error) = self.committer.out.flush() else {
                self.written();
                return Ok(());
            };
            if error.is_broken_pipe() {
                return Err(error);
            }
            self.failed(&error);
            if self.committer.halt.is_set() {
                let since = halted.get_or_insert_with(Stopwatch::start);
                if since.elapsed() >= LAST_PATIENCE {
                    return Err(error);
                }
            }
            std::thread::sleep(RETRY);
        }
    }

    fn failed(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.is_told, true) {
            (self.committer.notify)(Notice::OutputFailed(error));
        }
    }

    fn written(&mut self) {
        if self.pending.failed.is_none() && std::mem::take(&mut self.is_told) {
            (self.committer.notify)(Notice::OutputBack { lost: 0 });
        }
    }

    /// Goes on with another file once the one of alerts was renamed: at once after SIGHUP, else
    /// within a second.
    fn turn(&mut self) {
        let hangup = self.committer.hangup;
        let is_called = hangup.is_some_and(|hangup| hangup.swap(false, Ordering::Relaxed));
        if is_called {
            match self.committer.out.reopen() {
                Ok(true) => (self.committer.notify)(Notice::Reopened(None)),
                Ok(false) => {}
                Err(error) => (self.committer.notify)(Notice::Reopened(Some(&error))),
            }
        }
        match self.turning {
            Turning::No if is_called || self.looked.elapsed() >= LOOK => {
                self.looked = Stopwatch::start();
                if self.committer.out.is_moved() {
                    self.turning = Turning::Old;
                }
            }
            Turning::Old if self.pending.is_empty() => match self.committer.out.turn() {
                Ok(()) => {
                    self.turning = Turning::New;
                    self.pending.alerts = Some(Stopwatch::start());
                }
                Err(error) => {
                    // Tried again each second, and said once.
                    self.failed(&error);
                    self.turning = Turning::No;
                }
            },
            Turning::New if self.pending.is_empty() => {
                self.turning = Turning::No;
                (self.committer.notify)(Notice::Reopened(None));
            }
            _ => {}
        }
        (0..self.tracks.len()).for_each(|source| self.process(source));
    }

    /// Begins a commit that is due, and writes one that failed before.
    fn commit(&mut self, is_last: bool) -> Result<()> {
        if let Some((commit, since)) = self.pending.failed.take() {
            if since.elapsed() < RETRY && !is_last {
                self.pending.failed = Some((commit, since));
                return Ok(());
            }
            return self.write_commit(commit, is_last);
        }
        let is_due = self.pending.is_due(is_last || self.turning != Turning::No);
        if !self.pending.is_idle() || !is_due {
            return Ok(());
        }
        let output = match self.committer.out.sync() {
            Ok(output) => output,
            Err(error) if is_last => return Err(error),
            Err(error) => {
                self.failed(&error);
                return Ok(());
            }
        };
        // What is committed is how things are now: alerts that come from here on are after the
        // length of the output, and the lines that they are about after the offsets.
        (self.pending.alerts, self.pending.progress) = (None, None);
        let mut asked = 0;
        for (track, orders) in self.tracks.iter_mut().zip(&self.committer.orders) {
            let positions: Vec<Position> = track.processed.drain().map(|(_, it)| it).collect();
            if !positions.is_empty() && orders.send(Order::Keep(positions)).is_ok() {
                asked += 1;
            }
        }
        let commit = Commit { outputs: output.into_iter().collect(), ..Commit::default() };
        match asked {
            0 => self.write_commit(commit, is_last),
            _ => {
                self.pending.asked = Some((asked, commit));
                Ok(())
            }
        }
    }

    /// A source has kept what is processed.
    fn kept(&mut self, changes: Changes) {
        let Some((asked, commit)) = &mut self.pending.asked else { return };
        commit.files.extend(changes.files);
        commit.forgotten.extend(changes.forgotten);
        *asked = asked.saturating_sub(1);
        if *asked == 0
            && let Some((_, commit)) = self.pending.asked.take()
        {
            // One that fails is kept, and tried again.
            let _ = self.write_commit(commit, false);
        }
    }

    fn write_commit(&mut self, commit: Commit, is_last: bool) -> Result<()> {
        let Some(state) = &mut self.committer.state else { return Ok(()) };
        let Err(error) = state.commit(&commit) else {
            self.written();
            return Ok(());
        };
        if is_last && self.committer.halt.is_set() {
            return Err(error);
        }
        self.failed(&error);
        self.pending.failed = Some((commit, Stopwatch::start()));
        Ok(())
    }
}

impl Track {
    /// Whether all its pieces are processed.
    fn is_over(&self) -> bool {
        self.total.is_some_and(|total| self.pieces.taken() >= total)
    }
}
