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
pub(super) enum Job<'q> {
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
    /// Signalled when a job is added, or when no more will come.
    job: Condvar,
    /// Signalled when a piece was taken.
    room: Condvar,
    max: usize,
}

struct Inner<'q> {
    jobs: VecDeque<Job<'q>>,
    /// How many of them are pieces.
    pieces: usize,
    givers: usize,
    workers: usize,
}

/// The outcome of offering a piece.
pub(super) enum Offered {
    Taken,
    /// There is no room for it at the moment.
    Full(Task),
    /// The workers are gone, and the job with them.
    Gone,
}

impl<'q> Queue<'q> {
    /// A queue for this number of workers.
    pub(in crate::sensor::run) fn new(threads: usize) -> Self {
        let inner = Inner { jobs: VecDeque::new(), pieces: 0, givers: 0, workers: 0 };
        let (job, room) = (Condvar::new(), Condvar::new());
        Queue { inner: Mutex::new(inner), job, room, max: threads + QUEUE }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<'q>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a thread that adds jobs: workers wait as long as there is one.
    pub(in crate::sensor::run) fn giver(&self) -> Giver<'_, 'q> {
        self.inner().givers += 1;
        Giver(self)
    }

    /// Registers a worker that takes jobs.
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
        inner.jobs.push_back(Job::Turn(turn));
        drop(inner);
        self.job.notify_one();
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
        inner.jobs.push_back(Job::Task(task));
        drop(inner);
        self.job.notify_one();
        Offered::Taken
    }

    /// Waits for room for a piece, or until the timeout.
    pub(super) fn wait_for_room(&self, max: Duration) {
        let inner = self.inner();
        let is_full = |inner: &mut Inner<'q>| inner.pieces >= self.max && inner.workers > 0;
        drop(self.room.wait_timeout_while(inner, max, is_full));
    }

    fn take(&self) -> Option<Job<'q>> {
        let is_waiting = |inner: &mut Inner<'q>| inner.jobs.is_empty() && inner.givers > 0;
        let waited = self.job.wait_while(self.inner(), is_waiting);
        let mut inner = waited.unwrap_or_else(PoisonError::into_inner);
        let job = inner.jobs.pop_front()?;
        if let Job::Task(_) = &job {
            inner.pieces -= 1;
            drop(inner);
            self.room.notify_one();
        }
        Some(job)
    }
}

/// Keeps workers waiting until it is dropped.
pub(in crate::sensor::run) struct Giver<'a, 'q>(&'a Queue<'q>);

impl Drop for Giver<'_, '_> {
    fn drop(&mut self) {
        self.0.inner().givers -= 1;
        self.0.job.notify_all();
    }
}

/// Takes jobs. Once the last worker is gone, nothing waits for room, and sources get their turns
/// back.
pub(super) struct Worker<'a, 'q>(&'a Queue<'q>);

impl<'q> Worker<'_, 'q> {
    /// Waits for the next job; `None` if no more will come.
    pub(super) fn take(&self) -> Option<Job<'q>> {
        self.0.take()
    }
}

impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        let mut inner = self.0.inner();
        inner.workers -= 1;
        let left =
            if inner.workers == 0 { std::mem::take(&mut inner.jobs) } else { VecDeque::new() };
        drop(inner);
        drop(left);
        self.0.room.notify_all();
    }
}
