//! The trait for everything that keeps coming, and the thread that waits for it.

use super::member::Command;
use super::pool::Room;
use super::task::{Done, Identity, Matched, Message, Task, Work};
use crate::clock::now;
use crate::engine::scan::Counters;
use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::Notice;
use crate::sensor::run::found::Found;
use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
use std::sync::{Arc, Mutex, TryLockError};
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
    Found(Vec<Found>, u64),
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
    source: &'e mut dyn Source,
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
    pub(in crate::sensor::run) fn new(source: &'e mut dyn Source, ends: Ends) -> Self {
        Reading { source, ends, pieces: 0, safe: 0, is_over: false, error: None }
    }

    /// Handles the committer's commands, and takes the next piece if one arrives within a moment.
    pub(super) fn step(&mut self) -> Step {
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
            std::thread::sleep(ROUND);
            return Step::Nothing;
        }
        match self.source.take(halt, ROUND) {
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
    fn found(&mut self, found: Vec<Found>, bytes: u64) {
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
        let polled = handle_commands(self.source, commands, committer, &mut self.safe);
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
    fn attend_idle(&mut self) -> bool {
        let goes_on = self.attend();
        if goes_on {
            self.source.keep_up();
        }
        goes_on
    }

    /// Waits until everything that was taken is in a commit, or the committer is gone.
    fn finish(&mut self) {
        let Ends { number, committer, commands, .. } = &self.ends;
        let (source, pieces, error) = (*number, self.pieces, self.error.take());
        let _ = committer.send(Message::Ended { source, pieces, error });
        while self.safe < pieces
            && let Ok(command) = commands.recv()
        {
            handle(self.source, command, committer, &mut self.safe);
        }
    }
}

/// Reads a source to its end, or until the halt, and passes its pieces to the workers.
pub(in crate::sensor::run) fn run(mut reading: Reading<'_>, tasks: SyncSender<Task>, room: &Room) {
    loop {
        let mut task = match reading.step() {
            Step::Task(task) => Some(task),
            Step::Nothing => continue,
            Step::Over => break,
        };
        while let Some(waiting) = task.take() {
            match tasks.try_send(waiting) {
                Ok(()) => {}
                Err(TrySendError::Full(back)) => {
                    task = Some(back);
                    if reading.attend_full() {
                        return;
                    }
                    room.wait(PAUSE);
                }
                // The workers are gone, and the job with them.
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
    drop(tasks);
    reading.finish();
}

/// Serves a source whose pieces the workers take themselves: while all of them are busy, this
/// thread keeps up with its files and answers the committer. Returns when everything is in a
/// commit.
pub(in crate::sensor::run) fn attend(reading: &Mutex<Reading<'_>>) {
    loop {
        match reading.try_lock() {
            Ok(mut reading) => {
                if !reading.attend_idle() {
                    return reading.finish();
                }
            }
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner().finish(),
            // The thread that holds the lock does the same work.
            Err(TryLockError::WouldBlock) => {}
        }
        std::thread::sleep(ROUND);
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
