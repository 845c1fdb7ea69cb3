//! What keeps coming, and the thread that waits for it.

use super::member::Order;
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

/// How long a source waits for more before it looks whether it was told something.
const ROUND: Duration = Duration::from_millis(20);

/// How long it waits for the workers at most before it does what else there is to do.
const PAUSE: Duration = Duration::from_millis(2);

/// What a source has to give.
pub(in crate::sensor::run) enum Taken {
    /// Something to match.
    Work(Work),
    /// What was found elsewhere, and how many bytes it was found in.
    Found(Vec<Found>, u64),
    /// Nothing came.
    Nothing,
    /// Nothing comes any more.
    End,
}

/// Something that text keeps coming from. Its pieces are numbered, from 0, in the order in which
/// they are taken.
pub(in crate::sensor::run) trait Source: Send {
    /// The next piece, for which it waits so long at most.
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken>;

    /// All pieces before this one are processed; returns what the next commit has to hold.
    fn keep(&mut self, before: u64) -> Commit;

    /// All pieces before this one are in a commit.
    fn safe(&mut self, _before: u64) {}

    /// Keeps up with what happens while nobody takes pieces.
    fn keep_up(&mut self) {}

    /// What operators should know, since the last call.
    fn notices(&mut self) -> Vec<Notice> {
        Vec::new()
    }

    /// Called each round, between pieces: to say elsewhere how things are.
    fn publish(&mut self) {}
}

/// The ends of the channels between a source and the committer.
pub(in crate::sensor::run) struct Ends {
    pub(in crate::sensor::run) number: usize,
    pub(in crate::sensor::run) committer: SyncSender<Message>,
    pub(in crate::sensor::run) orders: Receiver<Order>,
    pub(in crate::sensor::run) halt: Halt,
    /// Set while it is to give nothing more.
    pub(in crate::sensor::run) paused: Arc<AtomicBool>,
}

/// A source, and how much was taken of it.
pub(in crate::sensor::run) struct Reading<'e> {
    source: &'e mut dyn Source,
    ends: Ends,
    /// Pieces that were taken, and those that are in a commit.
    pieces: u64,
    safe: u64,
    is_over: bool,
    error: Option<Error>,
}

/// What a step gave.
pub(super) enum Step {
    /// Something to match.
    Task(Task),
    /// Nothing, for now.
    Nothing,
    /// Nothing comes any more.
    Over,
}

impl<'e> Reading<'e> {
    pub(in crate::sensor::run) fn new(source: &'e mut dyn Source, ends: Ends) -> Self {
        Reading { source, ends, pieces: 0, safe: 0, is_over: false, error: None }
    }

    /// Does what the committer asked for, and takes the next piece if there is one within a
    /// moment.
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

    /// Does what the committer asked for; returns whether to go on.
    fn attend(&mut self) -> bool {
        self.is_over |= !self.is_over && self.heard() == Heard::Gone;
        !self.is_over
    }

    /// Does what the committer asked for. An end that is asked for is a halt of this source alone:
    /// what it has received is given out.
    fn heard(&mut self) -> Heard {
        let Ends { orders, committer, .. } = &self.ends;
        let heard = obey(self.source, orders, committer, &mut self.safe);
        #[cfg(feature = "daemon")]
        if heard == Heard::End {
            self.ends.halt = Halt::ended();
        }
        heard
    }

    /// Does the same while the workers have no room for a piece; returns whether the committer is
    /// gone. An end that is asked for comes after the piece: it was taken.
    fn attend_full(&mut self) -> bool {
        let is_gone = self.heard() == Heard::Gone;
        self.is_over |= is_gone;
        self.source.keep_up();
        is_gone
    }

    /// Does the same while nobody takes pieces.
    fn attend_idle(&mut self) -> bool {
        let goes_on = self.attend();
        if goes_on {
            self.source.keep_up();
        }
        goes_on
    }

    /// Keeps what is processed, until all of it is in a commit, or the committer is gone.
    fn finish(&mut self) {
        let Ends { number, committer, orders, .. } = &self.ends;
        let (source, pieces, error) = (*number, self.pieces, self.error.take());
        let _ = committer.send(Message::Ended { source, pieces, error });
        while self.safe < pieces
            && let Ok(order) = orders.recv()
        {
            answer(self.source, order, committer, &mut self.safe);
        }
    }
}

/// Reads a source to its end, or to the halt, and hands its pieces to the workers.
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
                // The workers are gone, and with them the job.
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
    drop(tasks);
    reading.finish();
}

/// Stays with a source whose pieces the workers take themselves: while all of them are busy, it
/// has to keep up with its files and to answer the committer. Returns when all is in a commit.
pub(in crate::sensor::run) fn attend(reading: &Mutex<Reading<'_>>) {
    loop {
        match reading.try_lock() {
            Ok(mut reading) => {
                if !reading.attend_idle() {
                    return reading.finish();
                }
            }
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner().finish(),
            // Who holds it does the same.
            Err(TryLockError::WouldBlock) => {}
        }
        std::thread::sleep(ROUND);
    }
}

/// What the committer said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// It asked for the end.
    #[cfg(feature = "daemon")]
    End,
    /// There is none any more.
    Gone,
}

/// Does what the committer asked for, and notes how many pieces are in a commit.
fn obey(
    source: &mut dyn Source,
    orders: &Receiver<Order>,
    committer: &SyncSender<Message>,
    safe: &mut u64,
) -> Heard {
    let mut heard = Heard::Nothing;
    loop {
        match orders.try_recv() {
            #[cfg(feature = "daemon")]
            Ok(Order::End) => heard = Heard::End,
            Ok(order) => answer(source, order, committer, safe),
            Err(TryRecvError::Empty) => return heard,
            Err(TryRecvError::Disconnected) => return Heard::Gone,
        }
    }
}

fn answer(source: &mut dyn Source, order: Order, committer: &SyncSender<Message>, safe: &mut u64) {
    match order {
        Order::Keep(before) => {
            let kept = source.keep(before);
            // A committer that is gone needs no answer.
            let _ = committer.send(Message::Kept(Box::new(kept)));
        }
        Order::Safe(before) => {
            source.safe(before);
            *safe = before;
        }
        #[cfg(feature = "daemon")]
        Order::End => {}
    }
}
