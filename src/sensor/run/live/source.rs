//! What keeps coming, and the thread that waits for it.

use super::task::{Message, Order, Task};
use crate::Result;
use crate::clock::now;
use crate::engine::text::fields::Layout;
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::{Changes, Notice, Piece, Position};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
use std::time::Duration;

/// How long a source waits for more before it looks whether it was told something.
const ROUND: Duration = Duration::from_millis(20);

/// How long it waits when the workers are behind.
const PAUSE: Duration = Duration::from_millis(2);

/// What a source has to give.
pub(super) enum Taken {
    /// A piece, and how its lines name their fields.
    Piece(Box<Piece>, Layout),
    /// Nothing came.
    Nothing,
    /// Nothing comes any more.
    End,
}

/// Something that text keeps coming from.
pub(super) trait Source: Send {
    /// The next piece, for which it waits so long at most.
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken>;

    /// Keeps what is processed; returns what the next commit has to hold.
    fn keep(&mut self, positions: &[Position]) -> Changes;

    /// Keeps up with what happens while nobody takes pieces.
    fn keep_up(&mut self) {}

    /// What operators should hear of, since the last call.
    fn notices(&mut self) -> Vec<Notice> {
        Vec::new()
    }
}

/// The ends of the channels that a source's thread holds.
pub(super) struct Ends<'e> {
    pub(super) number: usize,
    pub(super) tasks: SyncSender<Task>,
    pub(super) committer: SyncSender<Message>,
    pub(super) orders: Receiver<Order>,
    pub(super) halt: &'e Halt,
}

/// Reads a source to its end, or to the halt; after that it keeps what is processed, until the
/// committer has made the last commit.
pub(super) fn run(source: &mut dyn Source, ends: Ends<'_>) {
    let Ends { number, tasks, committer, orders, halt } = ends;
    let mut pieces = 0;
    let mut error = None;
    loop {
        if !obey(source, &orders, &committer) {
            return;
        }
        for notice in source.notices() {
            let _ = committer.send(Message::Notice(notice));
        }
        let (piece, layout) = match source.take(halt, ROUND) {
            Ok(Taken::Piece(piece, layout)) => (piece, layout),
            Ok(Taken::Nothing) => continue,
            Ok(Taken::End) => break,
            Err(failure) => {
                error = Some(failure);
                break;
            }
        };
        let mut task = Some(Task { source: number, serial: pieces, piece, layout, read_at: now() });
        pieces += 1;
        while let Some(waiting) = task.take() {
            match tasks.try_send(waiting) {
                Ok(()) => {}
                Err(TrySendError::Full(back)) => {
                    task = Some(back);
                    if !obey(source, &orders, &committer) {
                        return;
                    }
                    source.keep_up();
                    std::thread::sleep(PAUSE);
                }
                // The workers are gone, and with them the job.
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
    drop(tasks);
    let _ = committer.send(Message::Ended { source: number, pieces, error });
    while let Ok(order) = orders.recv() {
        answer(source, order, &committer);
    }
}

/// Does what the committer asked for; answers whether there still is one.
fn obey(
    source: &mut dyn Source,
    orders: &Receiver<Order>,
    committer: &SyncSender<Message>,
) -> bool {
    loop {
        match orders.try_recv() {
            Ok(order) => answer(source, order, committer),
            Err(error) => return error == TryRecvError::Empty,
        }
    }
}

fn answer(source: &mut dyn Source, order: Order, committer: &SyncSender<Message>) {
    let Order::Keep(positions) = order;
    let changes = source.keep(&positions);
    // A committer that is gone needs no answer.
    let _ = committer.send(Message::Kept(Box::new(changes)));
}
