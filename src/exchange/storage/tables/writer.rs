//! The one writer: a thread that commits the changes of many callers at once.
//!
//! A commit that reaches the disk takes longer than most changes. So whatever waits when a
//! commit begins is committed with it, each change within a savepoint of its own, and nobody is
//! answered before the commit has returned.

use super::statements::{Connection, Fetched, Param, failed, number, run};
use crate::clock::Stopwatch;
use crate::engine::error::{Error, Result};
use crate::engine::indicator::Timestamp;
use crate::exchange::metrics::Metrics;
use crate::exchange::storage::engine::{Access, Database, Session};
use crate::exchange::storage::{Denied, Outcome};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Changes that may wait. When there are more, the server says that it is busy.
const QUEUE: usize = 512;

/// Changes in one commit at most, so that the first does not wait for long.
const BATCH: usize = 64;

/// When a commit takes no further change, for the same reason.
const LONG: Duration = Duration::from_millis(50);

/// Times after the stamp of an indicator that no other stamp has: each object that follows from
/// the indicator has one (relationships of STIX).
pub const ENTRY_ROOM: i64 = 16;

/// The same for the last change of a pulse.
pub const PULSE_ROOM: i64 = 256;

/// A change that was made, and is answered when it is known whether the commit succeeded.
type Answer = Box<dyn FnOnce(Option<&str>) + Send>;

/// A change to be made; without a turn, because none could be begun, it is not.
type Job = Box<dyn FnOnce(Option<&Writes<'_>>) -> Answer + Send>;

/// The thread that writes.
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    metrics: Arc<Metrics>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        (database, connection): (Arc<dyn Database>, Box<dyn Session>),
        metrics: &Arc<Metrics>,
    ) -> Result<Writer> {
        let metrics = Arc::clone(metrics);
        let counted = Arc::clone(&metrics);
        let (queue, jobs) = sync_channel(QUEUE);
        let last = number(&*connection, "SELECT value FROM state WHERE name = 'stamp'", &[]);
        let last = last.map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("exchange-writer".into())
            .spawn(move || work((&*database, connection), &jobs, last, &counted))
            .map_err(|error| Error::io("start the writer", error))?;
        Ok(Writer { queue: Some(queue), thread: Some(thread), metrics })
    }

    /// Makes a change, and waits until it is on the disk.
    pub(super) fn run<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Writes<'_>) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let (answer, answered) = sync_channel(1);
        let job: Job = Box::new(move |writes| {
            let outcome = writes.map(|writes| writes.within_savepoint(change));
            Box::new(move |failure: Option<&str>| {
                let failed = |why: &str| {
                    let why = std::io::Error::other(why.to_string());
                    Err(Denied::Failed(Error::io("commit to the storage of the exchange", why)))
                };
                let outcome = match (failure, outcome) {
                    (None, Some(outcome)) => outcome,
                    (why, _) => failed(why.unwrap_or("there was no turn")),
                };
                // Nobody waits any more if the caller is gone.
                let _ = answer.send(outcome);
            })
        });
        let gone = || Denied::Failed(Error::refused("the storage is closed"));
        match self.send(job).ok_or_else(gone)? {
            Ok(()) => answered.recv().map_err(|_| gone())?,
            Err(TrySendError::Full(_)) => {
                self.metrics.refused.count();
                Err(Denied::Failed(Error::timed_out("too many changes wait for the writer")))
            }
            Err(TrySendError::Disconnected(_)) => Err(gone()),
        }
    }
}

impl Writer {
    /// Makes a change some time later, or not, if too many others wait: for what is only counted.
    pub(super) fn post(&self, change: impl FnOnce(&Writes<'_>) -> Outcome<()> + Send + 'static) {
        let job: Job = Box::new(move |writes| {
            // Nobody waits for the outcome.
            let _ = writes.map(|writes| writes.within_savepoint(change));
            Box::new(|_| {})
        });
        let _ = self.send(job);
    }

    /// Puts a change into the queue. `None` if there is none any more.
    fn send(&self, job: Job) -> Option<std::result::Result<(), TrySendError<Job>>> {
        // Before it is there, or the writer would take away what was not counted.
        self.metrics.queue.add(1);
        let sent = self.queue.as_ref().map(|queue| queue.try_send(job));
        if !matches!(sent, Some(Ok(()))) {
            self.metrics.queue.add(-1);
        }
        sent
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when it has done what waits.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Commits batch after batch.
fn work(
    (database, mut connection): (&dyn Database, Box<dyn Session>),
    jobs: &Receiver<Job>,
    mut last: i64,
    metrics: &Metrics,
) {
    while let Ok(first) = jobs.recv() {
        let mut begun = connection.begin(Access::Write);
        if begun.is_err() && !connection.reset() {
            // A server was started again, or closed what was idle.
            if let Ok(fresh) = database.connect(Access::Write) {
                connection = fresh;
                begun = connection.begin(Access::Write);
            }
        }
        let now = crate::clock::now();
        let writes = Writes { connection: &*connection, now, last: Cell::new(last) };
        let mut answers = Vec::new();
        let outcome = batch(&writes, begun, (first, jobs), (&mut answers, metrics));
        if outcome.is_ok() {
            last = writes.last.get();
        }
        let failure = outcome.err().map(|error| error.to_string());
        // What could not be rolled back is rolled back when the connection is closed.
        connection.reset();
        for answer in answers {
            answer(failure.as_deref());
        }
    }
    connection.tidy();
}

/// Makes the changes that wait, and commits them.
fn batch(
    writes: &Writes<'_>,
    begun: Fetched<()>,
    (first, jobs): (Job, &Receiver<Job>),
    (answers, metrics): (&mut Vec<Answer>, &Metrics),
) -> Fetched<()> {
    let watch = Stopwatch::start();
    metrics.queue.add(-1);
    let begun = begun.and_then(|()| catch_up(writes));
    answers.push(first(begun.is_ok().then_some(writes)));
    begun?;
    while answers.len() < BATCH && watch.elapsed() < LONG {
        match jobs.try_recv() {
            Ok(job) => {
                metrics.queue.add(-1);
                answers.push(job(Some(writes)));
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    let sql = "INSERT INTO state (name, value) VALUES ('stamp', :stamp) \
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    run(writes.connection, sql, &[(":stamp", &writes.last.get())])?;
    metrics.changes.number(answers.len() as u64);
    let watch = Stopwatch::start();
    writes.connection.commit()?;
    metrics.commits.time(watch.elapsed());
    Ok(())
}

/// Goes on with the stamps. Another process may have written since the last batch: an operator's
/// command, or another server.
fn catch_up(writes: &Writes<'_>) -> Fetched<()> {
    let sql = "SELECT value FROM state WHERE name = 'stamp'";
    let last = number(writes.connection, sql, &[])?;
    writes.last.set(writes.last.get().max(last));
    Ok(())
}

/// A turn on the writer.
pub struct Writes<'c> {
    pub(super) connection: &'c Connection,
    pub(super) now: Timestamp,
    /// The last stamp that was given.
    last: Cell<i64>,
}

impl<'c> Writes<'c> {
    /// The time of this turn.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A new stamp: now, or a little later, so that it is higher than all before it.
    pub(super) fn stamp(&self) -> i64 {
        self.stamp_with(ENTRY_ROOM)
    }

    /// A new stamp for the last change of a pulse.
    pub(super) fn pulse_stamp(&self) -> i64 {
        self.stamp_with(PULSE_ROOM)
    }

    fn stamp_with(&self, room: i64) -> i64 {
        let stamp = self.now.0.max(self.last.get() + 1);
        self.last.set(stamp + room - 1);
        stamp
    }

    /// Runs a statement. Returns how many rows it changed.
    pub(super) fn run(&self, sql: &str, params: &[Param<'_>]) -> Fetched<usize> {
        run(self.connection, sql, params)
    }

    /// Runs an insertion into a table with a numbered key. Returns the key of the new row.
    pub(super) fn insert(&self, sql: &str, params: &[Param<'_>]) -> Fetched<i64> {
        number(self.connection, &format!("{sql} RETURNING id"), params)
    }

    /// What a reader would see now, the changes of this turn included.
    pub fn view(&self) -> super::View<'c> {
        super::View::at(self.connection, self.now)
    }

    /// Makes a change, all of it or nothing. A panic in it is a failure of this change alone: the
    /// thread has to go on.
    fn within_savepoint<T>(&self, change: impl FnOnce(&Writes<'_>) -> Outcome<T>) -> Outcome<T> {
        self.connection.batch("SAVEPOINT change")?;
        let outcome = catch_unwind(AssertUnwindSafe(|| change(self))).unwrap_or_else(|_| {
            let why = std::io::Error::other("a change panicked");
            Err(Denied::Failed(Error::io("write to the storage of the exchange", why)))
        });
        let end = match outcome {
            Ok(_) => "RELEASE change",
            Err(_) => "ROLLBACK TO change; RELEASE change",
        };
        self.connection.batch(end)?;
        outcome
    }
}
