//! Writes alerts and commits progress.

use super::member::{Command, Member};
use super::order::InOrder;
use super::output::{Due, JobOutput, Sealed};
use super::task::{Done, Identity, Matched, Message};
use super::uncommitted::UncommittedStreams;
use super::writer::Writer;
use crate::clock::Stopwatch;
use crate::engine::alert::{Alert, Provenance};
use crate::engine::scan::{Counters, Hit};
#[cfg(feature = "daemon")]
use crate::sensor::checkpoint::CheckpointState;
use crate::sensor::checkpoint::{Commit, StateDir};
use crate::sensor::halt::Halt;
use crate::sensor::run::{Notice, Notify};
use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(feature = "daemon")]
use std::sync::mpsc::Sender;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// The longest that alerts may wait for the commit that makes them safe.
const COMMIT_ALERTS: Duration = Duration::from_millis(100);

/// The longest that progress without alerts may wait for a commit.
const COMMIT_PROGRESS: Duration = Duration::from_secs(1);

/// How often the committer checks whether something is due.
const ROUND: Duration = Duration::from_millis(20);

/// How often the committer checks whether a commit has been written: sources wait for the answer.
const WRITING: Duration = Duration::from_millis(1);

/// The number of messages received in a row before the output is written.
const BURST: usize = 64;

/// How often a failed output or state is retried.
const RETRY: Duration = Duration::from_secs(1);

/// How often the committer checks whether the alert file was renamed.
const LOOK: Duration = Duration::from_secs(1);

/// How long failures are retried once the job is about to end.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// What the committer works with.
pub(in crate::sensor::run) struct Committer<'c, 's> {
    pub(in crate::sensor::run) out: JobOutput<'s>,
    /// Where commits go; `None` if nothing is kept.
    pub(in crate::sensor::run) state: Option<StateDir>,
    pub(in crate::sensor::run) messages: Receiver<Message>,
    /// The sources that exist from the start.
    pub(in crate::sensor::run) members: Vec<Member>,
    /// Whether other sources may join.
    pub(in crate::sensor::run) is_open: bool,
    pub(in crate::sensor::run) notify: Notify<'c>,
    pub(in crate::sensor::run) halt: &'c Halt,
    /// Set by SIGHUP, if SIGHUP reopens the output.
    pub(in crate::sensor::run) hangup: Option<&'c AtomicBool>,
    /// Called for each matched piece.
    pub(in crate::sensor::run) counted: &'c (dyn Fn(&Member, &Counted<'_>) + Sync),
}

/// What was counted in a piece.
pub(in crate::sensor::run) struct Counted<'c> {
    pub(in crate::sensor::run) bytes: u64,
    pub(in crate::sensor::run) lines: u64,
    pub(in crate::sensor::run) counters: &'c Counters,
}

/// The result of a run.
#[derive(Debug, Default)]
pub(in crate::sensor::run) struct Committed {
    pub(in crate::sensor::run) bytes: u64,
    pub(in crate::sensor::run) lines: u64,
    pub(in crate::sensor::run) records: u64,
    pub(in crate::sensor::run) errors: u64,
    pub(in crate::sensor::run) counters: Counters,
    /// Alerts that could not be written.
    pub(in crate::sensor::run) lost: u64,
    pub(in crate::sensor::run) stopped: Option<Error>,
}

/// The result, and what the committer worked with.
pub(in crate::sensor::run) struct Ended<'s> {
    pub(in crate::sensor::run) came: Committed,
    pub(in crate::sensor::run) out: JobOutput<'s>,
    pub(in crate::sensor::run) state: Option<StateDir>,
}

/// A source, as the committer sees it.
struct Track {
    member: Member,
    pieces: InOrder<Box<Done>>,
    /// How many of its pieces the source was asked to keep, and how many are in a commit.
    asked: u64,
    safe: u64,
    /// A piece that the spool has no room for yet: it is not in a commit before that.
    #[cfg(feature = "daemon")]
    parked: Option<u64>,
    /// The total number of pieces, once known.
    total: Option<u64>,
}

impl Track {
    fn new(member: Member) -> Self {
        Track {
            member,
            pieces: InOrder::default(),
            asked: 0,
            safe: 0,
            #[cfg(feature = "daemon")]
            parked: None,
            total: None,
        }
    }

    /// How many of its pieces a commit may count as done.
    fn done(&mut self, is_behind: bool) -> u64 {
        #[cfg(feature = "daemon")]
        {
            self.parked = self.parked.filter(|_| is_behind);
            if let Some(parked) = self.parked {
                return parked;
            }
        }
        let _ = is_behind;
        self.pieces.taken()
    }

    /// Whether all its pieces are processed.
    fn is_over(&self) -> bool {
        self.total.is_some_and(|total| self.pieces.taken() >= total)
    }
}

/// What has to be committed, and what is being committed.
#[derive(Default)]
struct Pending {
    /// Set since the first alert that is in no commit.
    alerts: Option<Stopwatch>,
    /// Set since the first progress that is in no commit.
    progress: Option<Stopwatch>,
    /// A commit that is waiting for answers from sources, and how many answers are missing.
    asked: Option<(usize, Box<Sealed>)>,
    /// A commit that could not be written, and when it failed.
    failed: Option<(Box<Sealed>, Stopwatch)>,
}

impl Pending {
    fn is_due(&self, is_last: bool) -> bool {
        let is_over = |since: Option<Stopwatch>, max| {
            since.is_some_and(|since| is_last || since.elapsed() >= max)
        };
        is_over(self.alerts, COMMIT_ALERTS) || is_over(self.progress, COMMIT_PROGRESS)
    }

    fn is_idle(&self) -> bool {
        self.asked.is_none() && self.failed.is_none()
    }

    /// Whether nothing is waiting for a commit.
    fn is_empty(&self) -> bool {
        self.is_idle() && self.alerts.is_none() && self.progress.is_none()
    }
}

/// Writes and commits until every source has ended and everything is committed, or the output is
/// permanently gone.
pub(in crate::sensor::run) fn run<'s>(mut committer: Committer<'_, 's>) -> Ended<'s> {
    let members = std::mem::take(&mut committer.members);
    let known = committer.state.as_ref().map(|dir| dir.state().files.keys().copied());
    let uncommitted = UncommittedStreams::new(known);
    let writer = match Writer::start(committer.state.take()) {
        Ok(writer) => writer,
        Err(error) => {
            let came = Committed { stopped: Some(error), ..Committed::default() };
            return Ended { came, out: committer.out, state: None };
        }
    };
    let mut run = Run {
        committer,
        writer,
        tracks: members.into_iter().map(Track::new).collect(),
        pending: Pending::default(),
        uncommitted,
        came: Committed::default(),
        is_reported: false,
        is_ended: false,
        reopening: Reopening::No,
        looked: Stopwatch::start(),
        stuck: None,
        failing: None,
        halted: None,
        #[cfg(feature = "daemon")]
        room: Room::default(),
        #[cfg(feature = "daemon")]
        askers: Vec::new(),
    };
    if let Err(error) = run.run() {
        run.came.lost = run.committer.out.waiting();
        run.came.stopped = Some(error);
    }
    run.came.records = run.committer.out.records.saturating_sub(run.came.lost);
    let state = run.writer.end();
    // Dropping the channels ends sources and workers that are still waiting.
    let Committer { out, .. } = run.committer;
    Ended { came: run.came, out, state }
}

struct Run<'c, 's> {
    /// Without the state, which is moved to the writer.
    committer: Committer<'c, 's>,
    writer: Writer,
    tracks: Vec<Track>,
    pending: Pending,
    /// The streams that are in a commit.
    uncommitted: UncommittedStreams,
    came: Committed,
    /// Whether it was reported that something can't be written.
    is_reported: bool,
    /// Whether the end of the output was written.
    is_ended: bool,
    reopening: Reopening,
    looked: Stopwatch,
    /// Set since there is no room for the last pieces.
    stuck: Option<Stopwatch>,
    /// Set while a destination can't be written, since the last try: nothing more is processed, but
    /// a reload can replace the destination.
    failing: Option<Stopwatch>,
    /// Set since it failed after the halt.
    halted: Option<Stopwatch>,
    #[cfg(feature = "daemon")]
    room: Room,
    /// Threads that wait for the committed state.
    #[cfg(feature = "daemon")]
    askers: Vec<Sender<CheckpointState>>,
}

/// Whether inputs wait for room in the spool, and whether that was reported.
#[cfg(feature = "daemon")]
#[derive(Default)]
struct Room {
    /// Since when it has been full, or had room again after that was reported.
    since: Option<Stopwatch>,
    is_reported: bool,
}

#[cfg(feature = "daemon")]
impl Room {
    /// How long it has to last before it is reported: a spool that is full may have room for a
    /// moment whenever a segment is done.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Whether it has to be reported that inputs wait, or that they no longer do.
    fn is_news(&mut self, is_full: bool) -> bool {
        if is_full == self.is_reported {
            self.since = None;
            return false;
        }
        let is_news = self.since.get_or_insert_with(Stopwatch::start).elapsed() >= Self::PATIENCE;
        if is_news {
            (self.since, self.is_reported) = (None, is_full);
        }
        is_news
    }
}

/// The progress of switching from a renamed file to a new one. Until it is done, alerts wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reopening {
    #[default]
    No,
    /// The contents of the old file have to be committed.
    Old,
    /// The new file is open, and has to be committed while it is empty.
    New,
    /// Files of other sinks have to be committed. One that was renamed meanwhile is found in a
    /// later round.
    #[cfg(feature = "daemon")]
    Changed,
}

impl Run<'_, '_> {
    fn run(&mut self) -> Result<()> {
        loop {
            if self.is_full() {
                std::thread::sleep(ROUND);
            } else {
                let max = if self.writer.is_busy() { WRITING } else { ROUND };
                match self.committer.messages.recv_timeout(max) {
                    Ok(message) => self.receive_all(message),
                    Err(RecvTimeoutError::Timeout) => {}
                    // Sources have ended with a commit, and the last one is being written.
                    Err(RecvTimeoutError::Disconnected) if self.is_last() => {
                        std::thread::sleep(WRITING);
                    }
                    // All senders are gone, which only a panic can cause: write what has arrived.
                    Err(RecvTimeoutError::Disconnected) => return self.flush_all(),
                }
            }
            self.round();
            // Write what is processed before turning the file: a commit comes in between.
            self.flush()?;
            self.receive_outcome()?;
            self.turn();
            let is_last = self.is_last();
            if is_last && !self.is_ended {
                self.is_ended = true;
                self.committer.out.end();
            }
            self.flush()?;
            self.commit(is_last)?;
            if is_last && self.is_done() {
                return Ok(());
            }
        }
    }

    /// Whether everything is processed, or the rest can't be because there is no room for its
    /// results and it is time to end. The next run finds the rest where it is.
    fn is_last(&mut self) -> bool {
        if self.committer.is_open {
            return false;
        }
        if self.tracks.iter().all(Track::is_over) {
            return true;
        }
        let is_stuck = self.committer.halt.is_set()
            && self.committer.out.is_full()
            && self.tracks.iter().all(|track| track.total.is_some());
        match is_stuck {
            true => self.stuck.get_or_insert_with(Stopwatch::start).elapsed() >= LAST_PATIENCE,
            false => {
                self.stuck = None;
                false
            }
        }
    }

    /// Whether everything is committed.
    fn is_committed(&self) -> bool {
        self.pending.is_empty() && !self.writer.is_busy()
    }

    /// Whether everything is written and committed.
    fn is_done(&self) -> bool {
        self.is_committed() && self.reopening == Reopening::No && self.failing.is_none()
    }

    /// Does periodic work, and pauses sources while there is no room.
    fn round(&mut self) {
        match self.committer.out.round() {
            Due::Nothing => {}
            #[cfg(feature = "daemon")]
            Due::Progress => drop(self.pending.progress.get_or_insert_with(Stopwatch::start)),
            #[cfg(feature = "daemon")]
            Due::Alerts => drop(self.pending.alerts.get_or_insert_with(Stopwatch::start)),
        }
        let is_full = self.committer.out.is_full();
        #[cfg(feature = "daemon")]
        if self.room.is_news(is_full) {
            let text = self.committer.out.room_text(is_full);
            (self.committer.notify)(Notice::Skipped(&text));
        }
        let is_failing = self.failing.is_some();
        for track in &self.tracks {
            // Inputs that can't wait drop, and count, what comes while nothing can be written.
            let is_asked = track.member.can_wait || is_failing;
            let is_behind = is_full && track.member.can_wait || track.pieces.len() > BURST;
            track.member.paused.store(is_asked && is_behind, Ordering::Relaxed);
        }
    }

    /// Whether so many pieces wait for the file to be turned that no source may be read first.
    fn is_full(&self) -> bool {
        let waiting: usize = self.tracks.iter().map(|track| track.pieces.len()).sum();
        self.reopening != Reopening::No && self.pending.asked.is_none() && waiting > BURST
    }

    fn receive_all(&mut self, first: Message) {
        self.receive(first);
        for _ in 1..BURST {
            match self.committer.messages.try_recv() {
                Ok(message) => self.receive(message),
                Err(_) => return,
            }
        }
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Done(done) => self.done(done),
            Message::Kept(changes) => self.kept(*changes),
            Message::Notice(notice) => (self.committer.notify)(Notice::Tail(&notice)),
            #[cfg(feature = "daemon")]
            Message::Joined(member) => self.tracks.push(Track::new(member)),
            #[cfg(feature = "daemon")]
            Message::Closed => self.committer.is_open = false,
            #[cfg(feature = "daemon")]
            Message::State(to) => self.askers.push(to),
            #[cfg(feature = "daemon")]
            Message::Change(change) => {
                change(&mut self.committer.out);
                self.pending.alerts.get_or_insert_with(Stopwatch::start);
                self.reopening = Reopening::Changed;
                // What failed may be gone. What a remaining destination has not taken is tried again.
                if !self.committer.out.has_unwritten() {
                    (self.failing, self.halted) = (None, None);
                    self.written();
                }
            }
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
        let source = done.source;
        if let Some(track) = self.tracks.get_mut(source) {
            track.pieces.put(done.serial, done);
            self.process(source);
        }
    }

    /// Processes the pieces of a source that are in order. While the file is being turned it
    /// processes none: they would be committed before their alerts are written. While there is no
    /// room, it leaves the pieces of sources that can wait.
    fn process(&mut self, source: usize) {
        let Some(track) = self.tracks.get_mut(source) else { return };
        let (out, uncommitted) = (&mut self.committer.out, &mut self.uncommitted);
        let leaves = track.member.is_followed && out.leaves();
        while self.reopening == Reopening::No
            && self.failing.is_none()
            && !(track.member.can_wait && out.is_full())
            && let Some(next) = track.pieces.peek()
            && !(leaves
                && next.has_hits()
                && next.stream().is_some_and(|stream| uncommitted.hold(source, stream)))
            && let Some(done) = track.pieces.take()
        {
            let Done { read_at, bytes, lines, identity, counters, matched, .. } = *done;
            self.came.bytes += bytes;
            self.came.lines += lines;
            self.came.counters.add(&counters);
            let counted = Counted { bytes, lines, counters: &counters };
            (self.committer.counted)(&track.member, &counted);
            let mut has_alerts = false;
            #[cfg(feature = "daemon")]
            out.begin_piece();
            let mut take = |hit: &Hit<'_>, origin: &Provenance, read_at| {
                let alert = Alert::new(hit, origin, read_at);
                let alert = match identity {
                    Identity::Path => alert,
                    Identity::Stream(stream) => alert.in_stream(stream),
                    #[cfg(feature = "daemon")]
                    Identity::Line => alert.in_stream(line_identity(hit)),
                    #[cfg(feature = "daemon")]
                    Identity::Record => alert.in_stream(record_identity(hit)),
                };
                has_alerts |= out.take(&alert, &track.member);
            };
            match matched {
                Matched::Hits(hits) => hits.with_dependent(|known, hits| {
                    hits.iter().for_each(|hit| take(hit, &known.origin, read_at));
                }),
                Matched::Found(found) => {
                    found.iter().for_each(|it| take(&it.hit, &it.origin, it.read_at));
                }
            }
            #[cfg(feature = "daemon")]
            if track.member.can_wait && out.end_piece() {
                track.parked.get_or_insert(track.pieces.taken() - 1);
            }
            self.pending.progress.get_or_insert_with(Stopwatch::start);
            if has_alerts {
                self.pending.alerts.get_or_insert_with(Stopwatch::start);
            }
        }
    }

    /// Passes on what was encoded. If a destination can't be written, it is tried again each second,
    /// and nothing is processed in the meantime; messages are still received.
    fn flush(&mut self) -> Result<()> {
        let is_early = self.failing.is_some_and(|since| since.elapsed() < RETRY);
        if self.reopening != Reopening::No || is_early {
            return Ok(());
        }
        let Err(error) = self.committer.out.flush() else {
            (self.failing, self.halted) = (None, None);
            self.written();
            for notice in self.committer.out.take_notices() {
                (self.committer.notify)(Notice::Skipped(&notice));
            }
            #[cfg(feature = "daemon")]
            if self.committer.out.take_released() {
                self.pending.alerts.get_or_insert_with(Stopwatch::start);
            }
            return Ok(());
        };
        if error.is_broken_pipe() {
            return Err(error);
        }
        self.failing = Some(Stopwatch::start());
        self.failed(&error);
        if self.committer.halt.is_set() {
            let since = self.halted.get_or_insert_with(Stopwatch::start);
            if since.elapsed() >= LAST_PATIENCE {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Like [`flush`](Self::flush), until it succeeds.
    fn flush_all(&mut self) -> Result<()> {
        loop {
            self.flush()?;
            if self.failing.is_none() {
                return Ok(());
            }
            std::thread::sleep(ROUND);
        }
    }

    fn failed(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.is_reported, true) {
            (self.committer.notify)(Notice::OutputFailed(error));
        }
    }

    fn written(&mut self) {
        if self.pending.failed.is_none() && std::mem::take(&mut self.is_reported) {
            (self.committer.notify)(Notice::OutputBack { lost: 0 });
        }
    }

    /// Switches to a new alert file after the old one was renamed: at once after SIGHUP, otherwise
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
        match self.reopening {
            Reopening::No if self.failing.is_some() => {}
            Reopening::No if is_called || self.looked.elapsed() >= LOOK => {
                self.looked = Stopwatch::start();
                if self.committer.out.is_moved() {
                    self.reopening = Reopening::Old;
                }
            }
            Reopening::Old if self.is_committed() => match self.committer.out.turn() {
                Ok(()) => {
                    self.reopening = Reopening::New;
                    self.pending.alerts = Some(Stopwatch::start());
                }
                Err(error) => {
                    // Retried each second, but reported only once.
                    self.failed(&error);
                    self.reopening = Reopening::No;
                }
            },
            Reopening::New if self.is_committed() => {
                self.reopening = Reopening::No;
                (self.committer.notify)(Notice::Reopened(None));
            }
            #[cfg(feature = "daemon")]
            Reopening::Changed if self.is_committed() => self.reopening = Reopening::No,
            _ => {}
        }
        #[cfg(feature = "daemon")]
        self.answer();
        (0..self.tracks.len()).for_each(|source| self.process(source));
    }

    /// Answers those who asked for the committed state. What a reload changes is in a commit before
    /// the next reload sees the state: how long the files of its removed sinks are.
    #[cfg(feature = "daemon")]
    fn answer(&mut self) {
        if self.askers.is_empty() || self.reopening == Reopening::Changed {
            return;
        }
        let state = self.writer.state();
        for asker in std::mem::take(&mut self.askers) {
            // The thread that asked may have ended.
            let _ = asker.send(state.clone());
        }
    }

    /// Begins a commit if one is due, or retries one that failed.
    fn commit(&mut self, is_last: bool) -> Result<()> {
        if let Some((sealed, since)) = self.pending.failed.take() {
            match since.elapsed() < RETRY && !is_last {
                true => self.pending.failed = Some((sealed, since)),
                false => self.writer.write(sealed),
            }
            return Ok(());
        }
        // Pieces whose alerts are not written are in no commit. What a reload changed has to be.
        if self.failing.is_some() && self.reopening == Reopening::No {
            return Ok(());
        }
        let is_due = self.pending.is_due(is_last || self.reopening != Reopening::No);
        if !self.pending.is_idle()
            || self.writer.is_busy()
            || !(is_due || self.uncommitted.is_due())
        {
            return Ok(());
        }
        let sealed = match self.committer.out.seal() {
            Ok(sealed) => Box::new(sealed),
            Err(error) if is_last => return Err(error),
            Err(error) => {
                self.failed(&error);
                return Ok(());
            }
        };
        // The commit records the present state: alerts that arrive from here on are beyond the
        // committed length of the output, and their lines beyond the committed offsets.
        (self.pending.alerts, self.pending.progress) = (None, None);
        let mut asked = 0;
        let (is_behind, is_failing) = (self.committer.out.is_behind(), self.failing.is_some());
        for (source, track) in self.tracks.iter_mut().enumerate() {
            let before = if is_failing { track.asked } else { track.done(is_behind) };
            if before > track.asked || self.uncommitted.ask(source) {
                track.asked = before;
                asked += usize::from(track.member.commands.send(Command::Keep(before)).is_ok());
            }
        }
        match asked {
            0 => self.writer.write(sealed),
            _ => self.pending.asked = Some((asked, sealed)),
        }
        Ok(())
    }

    /// A source has recorded what is processed.
    fn kept(&mut self, kept: Commit) {
        let Some((asked, sealed)) = &mut self.pending.asked else { return };
        sealed.commit.add(kept);
        *asked = asked.saturating_sub(1);
        if *asked == 0
            && let Some((_, sealed)) = self.pending.asked.take()
        {
            self.writer.write(sealed);
        }
    }

    /// Takes the outcome of a commit that was being written. A failed commit is retried.
    fn receive_outcome(&mut self) -> Result<()> {
        let Some((sealed, outcome)) = self.writer.written()? else { return Ok(()) };
        #[cfg(feature = "daemon")]
        self.committer.out.failures.set(super::output::STATE, outcome.as_ref().err());
        let Err(error) = outcome else {
            self.uncommitted.committed(&sealed.commit);
            self.committed();
            self.written();
            return Ok(());
        };
        if self.committer.halt.is_set() && self.is_last() {
            return Err(error);
        }
        self.failed(&error);
        self.pending.failed = Some((sealed, Stopwatch::start()));
        Ok(())
    }

    /// Notifies each source of what is in a commit now.
    fn committed(&mut self) {
        for track in &mut self.tracks {
            if track.asked > track.safe {
                track.safe = track.asked;
                // A source that is gone needs no notification.
                let _ = track.member.commands.send(Command::Safe(track.safe));
            }
        }
    }
}

/// What identifies a line that belongs to no stream: its text, who wrote it, and when.
#[cfg(feature = "daemon")]
fn line_identity(hit: &Hit<'_>) -> u64 {
    use crate::engine::indicator::Place;
    let mut key = xxhash_rust::xxh3::Xxh3::new();
    if let Place::Log(log) = &hit.place {
        let sender = log.sender.as_deref();
        let host = sender.and_then(|it| it.host.as_deref()).unwrap_or_default();
        let app = sender.and_then(|it| it.app.as_deref()).unwrap_or_default();
        let time = log.time.map_or_else(String::new, |time| time.0.to_string());
        for part in [&*time, host, app, &log.text] {
            key.update(part.as_bytes());
            key.update(b"\0");
        }
    }
    key.digest()
}

/// What identifies a record: topic, partition and offset.
#[cfg(feature = "daemon")]
fn record_identity(hit: &Hit<'_>) -> u64 {
    let place = match &hit.place {
        crate::engine::indicator::Place::Log(log) => log.sender.as_deref(),
        crate::engine::indicator::Place::Packet(_) => None,
    };
    let peer = place.and_then(|sender| sender.peer.as_deref()).unwrap_or_default();
    xxhash_rust::xxh3::xxh3_64(peer.as_bytes())
}
