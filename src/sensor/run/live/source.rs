//! The trait for everything that keeps coming, and the thread that waits for it.

use super::member::Command;
use super::queue::{Offered, Queue};
use super::task::{Done, Identity, Matched, Message, Task, Work};
use super::turn::Table;
use crate::clock::now;
use crate::engine::scan::Counters;
use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::Notice;
use crate::sensor::run::owned_hit::OwnedHit;
use crate::{Error, Result};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::Duration;

/// How long a source waits for input before it checks for commands.
const ROUND: Duration = Duration::from_millis(20);

/// How long it waits for the workers before it does other work.
const PAUSE: Duration = Duration::from_millis(2);

/// What a source delivers.
pub(in crate::sensor::run) enum Taken {
    /// Something to match.
    Work(Work),
    /// What was found elsewhere, and the number of bytes it was found in.
    Found(Vec<OwnedHit>, u64),
    /// Nothing arrived.
    Nothing,
    /// The source has ended.
    End,
}

/// A source of text. Its pieces are numbered from 0, in the order in which they are taken.
pub(in crate::sensor::run) trait Source: Send {
    /// The next piece; waits at most `wait` for it.
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken>;

    /// All pieces before this one are processed; returns what the next commit has to record.
    fn keep(&mut self, before: u64) -> Commit;

    /// All pieces before this one are in a commit.
    fn safe(&mut self, _before: u64) {}

    /// Keeps up with external changes while no pieces are being taken.
    fn keep_up(&mut self) {}

    /// Messages for operators since the last call.
    fn notices(&mut self) -> Vec<Notice> {
        Vec::new()
    }

    /// Called in each round, between pieces, to publish the source's status.
    fn publish(&mut self) {}

    /// Whether taking a piece is work in itself, such as reading a file. Workers then do it, so that
    /// what they match is in their caches.
    fn is_read(&self) -> bool {
        false
    }
}

impl<S: Source + ?Sized> Source for &mut S {
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken> {
        (**self).take(halt, wait)
    }

    fn keep(&mut self, before: u64) -> Commit {
        (**self).keep(before)
    }

    fn safe(&mut self, before: u64) {
        (**self).safe(before);
    }

    fn keep_up(&mut self) {
        (**self).keep_up();
    }

    fn notices(&mut self) -> Vec<Notice> {
        (**self).notices()
    }

    fn publish(&mut self) {
        (**self).publish();
    }

    fn is_read(&self) -> bool {
        (**self).is_read()
    }
}

/// The ends of the channels between a source and the committer.
pub(in crate::sensor::run) struct Ends {
    pub(in crate::sensor::run) number: usize,
    pub(in crate::sensor::run) committer: SyncSender<Message>,
    pub(in crate::sensor::run) commands: Receiver<Command>,
    pub(in crate::sensor::run) halt: Halt,
    /// Set while it must not deliver anything.
    pub(in crate::sensor::run) paused: Arc<AtomicBool>,
}

/// A source, and how much was taken from it.
pub(in crate::sensor::run) struct Reading<'e> {
    source: Box<dyn Source + 'e>,
    ends: Ends,
    /// Pieces that were taken, and pieces that are in a commit.
    pieces: u64,
    safe: u64,
    is_over: bool,
    error: Option<Error>,
}

/// The result of a step.
pub(super) enum Step {
    /// Something to match.
    Task(Task),
    /// Nothing, for now.
    Nothing,
    /// The source has ended.
    Over,
}

impl<'e> Reading<'e> {
    pub(in crate::sensor::run) fn new(source: Box<dyn Source + 'e>, ends: Ends) -> Self {
        Reading { source, ends, pieces: 0, safe: 0, is_over: false, error: None }
    }

    /// Handles the committer's commands, and takes the next piece if one arrives within `wait`.
    pub(super) fn step(&mut self, wait: Duration) -> Step {
        if !self.attend() {
            return Step::Over;
        }
        self.source.publish();
        for notice in self.source.notices() {
            let _ = self.ends.committer.send(Message::Notice(notice));
        }
        let Ends { halt, paused, .. } = &self.ends;
        if paused.load(Ordering::Relaxed) && !halt.is_set() {
            self.source.keep_up();
            std::thread::sleep(wait);
            return Step::Nothing;
        }
        match self.source.take(halt, wait) {
            Ok(Taken::Work(work)) => {
                let (source, serial) = (self.ends.number, self.pieces);
                self.pieces += 1;
                return Step::Task(Task { source, serial, work, read_at: now() });
            }
            Ok(Taken::Found(found, bytes)) => self.found(found, bytes),
            Ok(Taken::Nothing) => {}
            Ok(Taken::End) => self.is_over = true,
            Err(error) => (self.is_over, self.error) = (true, Some(error)),
        }
        if self.is_over { Step::Over } else { Step::Nothing }
    }

    /// Passes on what was found elsewhere: there is nothing to match.
    fn found(&mut self, found: Vec<OwnedHit>, bytes: u64) {
        let done = Done {
            source: self.ends.number,
            serial: self.pieces,
            read_at: now(),
            bytes,
            lines: 0,
            identity: Identity::Path,
            counters: Counters::default(),
            matched: Matched::Found(found),
        };
        self.pieces += 1;
        // Without a committer there is nothing left to do.
        self.is_over |= self.ends.committer.send(Message::Done(Box::new(done))).is_err();
    }

    /// Handles the committer's commands; returns whether to continue.
    fn attend(&mut self) -> bool {
        self.is_over |= !self.is_over && self.poll_commands() == Polled::Gone;
        !self.is_over
    }

    /// Handles the committer's commands. If one of them is `End`, only this source stops: what it
    /// has already received is still delivered.
    fn poll_commands(&mut self) -> Polled {
        let Ends { commands, committer, .. } = &self.ends;
        let polled = handle_commands(&mut *self.source, commands, committer, &mut self.safe);
        #[cfg(feature = "daemon")]
        if polled == Polled::End {
            self.ends.halt = Halt::ended();
        }
        polled
    }

    /// Handles commands while the workers have no room for a piece; returns whether the committer
    /// is gone. `End` takes effect after the piece, which was already taken.
    fn attend_full(&mut self) -> bool {
        let is_gone = self.poll_commands() == Polled::Gone;
        self.is_over |= is_gone;
        self.source.keep_up();
        is_gone
    }

    /// Handles commands while no pieces are being taken.
    fn attend_idle(&mut self) {
        if self.attend() {
            self.source.keep_up();
        }
    }

    /// Waits until everything that was taken is in a commit, or the committer is gone.
    fn finish(&mut self) {
        let Ends { number, committer, commands, .. } = &self.ends;
        let (source, pieces, error) = (*number, self.pieces, self.error.take());
        let _ = committer.send(Message::Ended { source, pieces, error });
        while self.safe < pieces
            && let Ok(command) = commands.recv()
        {
            handle(&mut *self.source, command, committer, &mut self.safe);
        }
    }
}

/// Reads a source to its end, or until the halt, and has its pieces matched. Returns when everything
/// is in a commit, or the job is gone.
pub(in crate::sensor::run) fn run<'e>(reading: Reading<'e>, queue: &Queue<'e>) {
    let is_read = reading.source.is_read();
    let table = Table::new(reading);
    loop {
        match table.with(|reading| reading.step(ROUND)) {
            Step::Task(task) => {
                if table.with(|reading| give(reading, queue, task)).is_break() {
                    return;
                }
            }
            Step::Nothing => continue,
            Step::Over => break,
        }
        if is_read {
            // There is something to read: workers read until nothing is left.
            queue.put(table.turn());
            table.wait(ROUND, Reading::attend_idle);
        }
    }
    table.with(Reading::finish);
}

/// Hands a piece over, and waits for room for it.
fn give(reading: &mut Reading<'_>, queue: &Queue<'_>, task: Task) -> ControlFlow<()> {
    let mut offered = queue.offer(task);
    loop {
        match offered {
            Offered::Taken => return ControlFlow::Continue(()),
            Offered::Gone => return ControlFlow::Break(()),
            Offered::Full(_) if reading.attend_full() => return ControlFlow::Break(()),
            Offered::Full(task) => {
                queue.wait_for_room(PAUSE);
                offered = queue.offer(task);
            }
        }
    }
}

/// The result of polling the committer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polled {
    Nothing,
    /// It asked the source to end.
    #[cfg(feature = "daemon")]
    End,
    /// The committer is gone.
    Gone,
}

/// Handles the committer's commands, and records how many pieces are in a commit.
fn handle_commands(
    source: &mut dyn Source,
    commands: &Receiver<Command>,
    committer: &SyncSender<Message>,
    safe: &mut u64,
) -> Polled {
    let mut polled = Polled::Nothing;
    loop {
        match commands.try_recv() {
            #[cfg(feature = "daemon")]
            Ok(Command::End) => polled = Polled::End,
            Ok(command) => handle(source, command, committer, safe),
            Err(TryRecvError::Empty) => return polled,
            Err(TryRecvError::Disconnected) => return Polled::Gone,
        }
    }
}

fn handle(
    source: &mut dyn Source,
    command: Command,
    committer: &SyncSender<Message>,
    safe: &mut u64,
) {
    match command {
        Command::Keep(before) => {
            let kept = source.keep(before);
            // If the committer is gone, no answer is needed.
            let _ = committer.send(Message::Kept(Box::new(kept)));
        }
        Command::Safe(before) => {
            source.safe(before);
            *safe = before;
        }
        #[cfg(feature = "daemon")]
        Command::End => {}
    }
}
