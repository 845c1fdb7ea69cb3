//! What keeps coming, and the thread that waits for it.

use super::member::Order;
use super::queue::{Offered, Queue};
use super::task::{Done, Identity, Matched, Message, Task, Work};
use super::turn::Table;
use crate::clock::now;
use crate::engine::scan::Counters;
use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::Notice;
use crate::sensor::run::found::Found;
use crate::{Error, Result};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
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

    /// Whether taking a piece is work by itself, as reading a file is: workers do it then, so that
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
    pub(in crate::sensor::run) orders: Receiver<Order>,
    pub(in crate::sensor::run) halt: Halt,
    /// Set while it is to give nothing more.
    pub(in crate::sensor::run) paused: Arc<AtomicBool>,
}

/// A source, and how much was taken of it.
pub(in crate::sensor::run) struct Reading<'e> {
    source: Box<dyn Source + 'e>,
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
    pub(in crate::sensor::run) fn new(source: Box<dyn Source + 'e>, ends: Ends) -> Self {
        Reading { source, ends, pieces: 0, safe: 0, is_over: false, error: None }
    }

    /// Does what the committer asked for, and takes the next piece if there is one within so long.
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
        let heard = obey(&mut *self.source, orders, committer, &mut self.safe);
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
    fn attend_idle(&mut self) {
        if self.attend() {
            self.source.keep_up();
        }
    }

    /// Keeps what is processed, until all of it is in a commit, or the committer is gone.
    fn finish(&mut self) {
        let Ends { number, committer, orders, .. } = &self.ends;
        let (source, pieces, error) = (*number, self.pieces, self.error.take());
        let _ = committer.send(Message::Ended { source, pieces, error });
        while self.safe < pieces
            && let Ok(order) = orders.recv()
        {
            answer(&mut *self.source, order, committer, &mut self.safe);
        }
    }
}

/// Reads a source to its end, or to the halt, and has its pieces matched. Returns when all of it is
/// in a commit, or the job is gone.
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
            // There is something to read: workers do that, as long as it goes on.
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
