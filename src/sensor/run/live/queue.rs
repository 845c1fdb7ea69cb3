//! What is waiting for a worker: pieces, and sources that are ready to be read.

use super::task::Task;
use super::turn::Turn;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pieces that wait for a worker, in addition to those that workers have: enough to keep the
/// workers busy while a source reads, and few enough that a commit comes soon.
pub(in crate::sensor::run) const QUEUE: usize = 4;

/// Work for a worker.
pub(super) enum QueueItem<'q> {
    /// A piece to match.
    Task(Task),
    /// A source to read a piece from. The worker that reads it also matches it: it is in the cache
    /// of that processor. Handing a piece to another processor costs a third of the time that
    /// matching takes.
    Turn(Turn<'q>),
}

/// The queue between sources and workers.
///
/// Pieces are bounded. Turns need no bound: each source has one.
pub(in crate::sensor::run) struct Queue<'q> {
    inner: Mutex<Inner<'q>>,
    /// Signalled when an item is added, or when no more will come.
    added: Condvar,
    /// Signalled when a piece was taken.
    room: Condvar,
    max: usize,
}

struct Inner<'q> {
    items: VecDeque<QueueItem<'q>>,
    /// How many of them are pieces.
    pieces: usize,
    producers: usize,
    workers: usize,
}

/// The outcome of offering a piece.
pub(super) enum Offered {
    Taken,
    /// There is no room for it at the moment.
    Full(Task),
    /// The workers are gone, and the piece with them.
    Gone,
}

impl<'q> Queue<'q> {
    /// A queue for this number of workers.
    pub(in crate::sensor::run) fn new(threads: usize) -> Self {
        let inner = Inner { items: VecDeque::new(), pieces: 0, producers: 0, workers: 0 };
        let (added, room) = (Condvar::new(), Condvar::new());
        Queue { inner: Mutex::new(inner), added, room, max: threads + QUEUE }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<'q>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a thread that adds items: workers wait as long as there is one.
    pub(in crate::sensor::run) fn producer(&self) -> ProducerGuard<'_, 'q> {
        self.inner().producers += 1;
        ProducerGuard(self)
    }

    /// Registers a worker that takes items.
    pub(super) fn worker(&self) -> Worker<'_, 'q> {
        self.inner().workers += 1;
        Worker(self)
    }

    /// Adds a source after everything that is waiting: sources are served in turn.
    pub(super) fn put(&self, turn: Turn<'q>) {
        let mut inner = self.inner();
        if inner.workers == 0 {
            // The turn returns to its source, which must not happen under the lock.
            drop(inner);
            return drop(turn);
        }
        inner.items.push_back(QueueItem::Turn(turn));
        drop(inner);
        self.added.notify_one();
    }

    /// Adds a piece, if there is room.
    pub(super) fn offer(&self, task: Task) -> Offered {
        let mut inner = self.inner();
        if inner.workers == 0 {
            return Offered::Gone;
        }
        if inner.pieces >= self.max {
            return Offered::Full(task);
        }
        inner.pieces += 1;
        inner.items.push_back(QueueItem::Task(task));
        drop(inner);
        self.added.notify_one();
        Offered::Taken
    }

    /// Waits for room for a piece, or until the timeout.
    pub(super) fn wait_for_room(&self, max: Duration) {
        let inner = self.inner();
        let is_full = |inner: &mut Inner<'q>| inner.pieces >= self.max && inner.workers > 0;
        drop(self.room.wait_timeout_while(inner, max, is_full));
    }

    fn take(&self) -> Option<QueueItem<'q>> {
        let is_waiting = |inner: &mut Inner<'q>| inner.items.is_empty() && inner.producers > 0;
        let waited = self.added.wait_while(self.inner(), is_waiting);
        let mut inner = waited.unwrap_or_else(PoisonError::into_inner);
        let item = inner.items.pop_front()?;
        if let QueueItem::Task(_) = &item {
            inner.pieces -= 1;
            drop(inner);
            self.room.notify_one();
        }
        Some(item)
    }
}

/// Keeps workers waiting until it is dropped.
pub(in crate::sensor::run) struct ProducerGuard<'a, 'q>(&'a Queue<'q>);

impl Drop for ProducerGuard<'_, '_> {
    fn drop(&mut self) {
        self.0.inner().producers -= 1;
        self.0.added.notify_all();
    }
}

/// Takes items. Once the last worker is gone, nothing waits for room, and sources get their turns
/// back.
pub(super) struct Worker<'a, 'q>(&'a Queue<'q>);

impl<'q> Worker<'_, 'q> {
    /// Waits for the next item; `None` if no more will come.
    pub(super) fn take(&self) -> Option<QueueItem<'q>> {
        self.0.take()
    }
}

impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        let mut inner = self.0.inner();
        inner.workers -= 1;
        let left =
            if inner.workers == 0 { std::mem::take(&mut inner.items) } else { VecDeque::new() };
        drop(inner);
        drop(left);
        self.0.room.notify_all();
    }
}
