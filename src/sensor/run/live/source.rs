//! What keeps coming, and the thread that waits for it.

use super::member::Order;
use super::pool::Room;
use super::task::{Done, Identity, Matched, Message, Task, Work};
use crate::Result;
use crate::clock::now;
use crate::engine::scan::Counters;
use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::Notice;
use crate::sensor::run::found::Found;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
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

/// The ends of the channels that a source's thread holds.
pub(in crate::sensor::run) struct Ends<'e> {
    pub(in crate::sensor::run) number: usize,
    pub(in crate::sensor::run) tasks: SyncSender<Task>,
    pub(in crate::sensor::run) room: &'e Room,
    pub(in crate::sensor::run) committer: SyncSender<Message>,
    pub(in crate::sensor::run) orders: Receiver<Order>,
    pub(in crate::sensor::run) halt: &'e Halt,
    /// Set while it is to give nothing more.
    pub(in crate::sensor::run) paused: Arc<AtomicBool>,
}

/// Reads a source to its end, or to the halt; after that it keeps what is processed, until all of it
/// is in a commit, or the committer is gone.
pub(in crate::sensor::run) fn run(source: &mut dyn Source, ends: Ends<'_>) {
    let Ends { number, tasks, room, committer, orders, halt, paused } = ends;
    // An end that is asked for is a halt of this source alone: what it has received is given out.
    let mut halt = halt.clone();
    let (mut pieces, mut safe) = (0, 0);
    let mut error = None;
    loop {
        match obey(source, &orders, &committer, &mut safe) {
            Heard::Nothing => {}
            Heard::End => halt = Halt::ended(),
            Heard::Gone => return,
        }
        source.publish();
        for notice in source.notices() {
            let _ = committer.send(Message::Notice(notice));
        }
        if paused.load(Ordering::Relaxed) && !halt.is_set() {
            source.keep_up();
            std::thread::sleep(ROUND);
            continue;
        }
        let work = match source.take(&halt, ROUND) {
            Ok(Taken::Work(work)) => work,
            Ok(Taken::Found(found, bytes)) => {
                let done = found_in(number, pieces, found, bytes);
                pieces += 1;
                if committer.send(Message::Done(Box::new(done))).is_err() {
                    return;
                }
                continue;
            }
            Ok(Taken::Nothing) => continue,
            Ok(Taken::End) => break,
            Err(failure) => {
                error = Some(failure);
                break;
            }
        };
        let mut task = Some(Task { source: number, serial: pieces, work, read_at: now() });
        pieces += 1;
        while let Some(waiting) = task.take() {
            match tasks.try_send(waiting) {
                Ok(()) => {}
                Err(TrySendError::Full(back)) => {
                    task = Some(back);
                    match obey(source, &orders, &committer, &mut safe) {
                        Heard::Nothing => {}
                        // It comes after this piece, which was taken.
                        Heard::End => halt = Halt::ended(),
                        Heard::Gone => return,
                    }
                    source.keep_up();
                    room.wait(PAUSE);
                }
                // The workers are gone, and with them the job.
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
    drop(tasks);
    let _ = committer.send(Message::Ended { source: number, pieces, error });
    while safe < pieces
        && let Ok(order) = orders.recv()
    {
        answer(source, order, &committer, &mut safe);
    }
}

/// A piece that is matched already.
fn found_in(source: usize, serial: u64, found: Vec<Found>, bytes: u64) -> Done {
    Done {
        source,
        serial,
        read_at: now(),
        bytes,
        lines: 0,
        identity: Identity::Path,
        counters: Counters::default(),
        matched: Matched::Found(found),
    }
}

/// What the committer said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// It asked for the end.
    End,
    /// There is none any more.
    Gone,
}

/// Does what the committer asked for. `safe` is how many pieces are in a commit.
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
            *safe = before;
            source.safe(before);
        }
        #[cfg(feature = "daemon")]
        Order::End => {}
    }
}
