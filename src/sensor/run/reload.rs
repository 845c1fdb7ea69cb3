//! The current database, and its replacement by a newer one at run time.
//!
//! Each scanning thread holds a [`Lease`] and checks, between two chunks or packets, whether the
//! [`Current`] database was replaced: a single load of a number that hardly ever changes. So a swap
//! blocks no thread, and what was begun with a database is finished with it.
//!
//! A [`Watcher`] on its own thread looks at the published file. It opens and checks a new one,
//! every byte of it, before any other thread sees it; a damaged one is reported and counted, and
//! the old one stays. The watcher also drops the old one: unmapping a large file takes
//! milliseconds, which would delay packets.
//!
//! It checks the file's status once a second instead of using inotify. One system call a second is
//! nothing compared to fetching feeds every half hour, and it sees what inotify does not: files on
//! NFS, links that are redirected to another folder, mounts over folders. It is also all that the
//! sandbox of a tap has to allow.

use super::Notice;
use crate::clock::{Stopwatch, now};
use crate::engine::alert::Provenance;
use crate::engine::database::{Database, Stamp};
use crate::engine::indicator::Timestamp;
use crate::{Error, Result};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the watcher checks for its end and for signals.
pub(super) const ROUND: Duration = Duration::from_millis(50);

/// A database, and what its alerts say about where they were created.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) database: Database,
    pub(super) origin: Arc<Provenance>,
    /// When it became current.
    #[cfg_attr(not(feature = "daemon"), allow(dead_code, reason = "the daemon shows it"))]
    loaded: Timestamp,
}

/// The current database.
#[derive(Debug)]
pub struct Current {
    known: Mutex<Arc<Known>>,
    /// How many times it was replaced. Readers compare it with what they remember.
    turn: AtomicU64,
    kept: AtomicU64,
    host: Option<String>,
}

/// How many times the database was replaced at run time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swaps {
    /// A newer database replaced it.
    pub taken: u64,
    /// A newer one could not be opened or was damaged, and the old one stayed.
    pub kept: u64,
}

impl Current {
    /// Makes a database current. Alerts name `host` as the sensor, if it is given.
    pub fn new(database: Database, host: Option<String>) -> Self {
        let known = Mutex::new(Arc::new(Known::new(database, host.as_deref())));
        Current { known, turn: AtomicU64::new(0), kept: AtomicU64::new(0), host }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a newer database current; the old one lives as long as a thread is using it.
    pub fn replace(&self, database: Database) {
        drop(self.swap(database));
    }

    fn swap(&self, database: Database) -> Arc<Known> {
        let known = Arc::new(Known::new(database, self.host.as_deref()));
        let mut place = self.lock();
        let old = std::mem::replace(&mut *place, known);
        self.turn.fetch_add(1, Ordering::Release);
        old
    }

    /// What was done to the file of the current database, if that may have changed the results.
    pub(super) fn damage(&self) -> Option<Error> {
        self.lock().database.damage()
    }

    /// The identifier of the current database, when it was built, and how many values it holds.
    #[cfg(feature = "daemon")]
    pub(super) fn facts(&self) -> (String, Timestamp, u64) {
        let known = self.lock();
        let Known { database, origin, .. } = &**known;
        (origin.database.clone(), origin.built, database.summary().total())
    }

    /// When it became current.
    #[cfg(feature = "daemon")]
    pub(super) fn loaded(&self) -> Timestamp {
        self.lock().loaded
    }

    /// What has happened so far.
    pub fn swaps(&self) -> Swaps {
        Swaps { taken: self.turn.load(Ordering::Relaxed), kept: self.kept.load(Ordering::Relaxed) }
    }
}

impl Known {
    fn new(database: Database, host: Option<&str>) -> Self {
        let origin = Arc::new(Provenance {
            database: database.build_id(),
            built: database.built(),
            host: host.map(str::to_owned),
        });
        Known { database, origin, loaded: now() }
    }
}

/// One worker's hold on the database that it works with.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) known: Arc<Known>,
    turn: u64,
}

impl Lease {
    pub(super) fn new(current: &Current) -> Self {
        let known = current.lock();
        // Read under the lock, so that the two belong together.
        Lease { known: Arc::clone(&known), turn: current.turn.load(Ordering::Acquire) }
    }

    /// How many times the database had been replaced.
    pub(super) fn turn(&self) -> u64 {
        self.turn
    }

    /// Whether another database is current by now.
    #[inline]
    fn is_over(&self, current: &Current) -> bool {
        current.turn.load(Ordering::Acquire) != self.turn
    }

    /// Takes the current database. Returns whether it is another one.
    #[inline]
    pub(super) fn renew(&mut self, current: &Current) -> bool {
        let is_over = self.is_over(current);
        if is_over {
            *self = Lease::new(current);
        }
        is_over
    }
}

/// Where newer databases come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The published file.
    pub path: PathBuf,
    /// How often to look at it.
    pub every: Duration,
    /// Whether SIGHUP triggers a look, too.
    pub on_hangup: bool,
}

/// The result of a look at the file.
#[derive(Debug)]
pub(super) enum Look {
    /// A newer database is current.
    Taken { id: String, values: u64 },
    /// The file contains the current database. Only reported if a look was requested.
    Same,
    /// The file could not be used.
    Kept(Error),
}

impl Look {
    /// As a notice to the caller of the job.
    pub(super) fn notice(&self) -> Notice<'_> {
        match self {
            Look::Taken { id, values } => Notice::Swapped { id, values: *values },
            Look::Same => Notice::NothingNewer,
            Look::Kept(error) => Notice::Kept(error),
        }
    }
}

/// Looks at the published file.
#[derive(Debug)]
pub(super) struct Watcher<'c> {
    current: &'c Current,
    follow: Follow,
    hangup: Arc<AtomicBool>,
    /// The file that was looked at last, valid or not; `None` if there was none.
    seen: Option<Stamp>,
    /// Old databases that may still be in use.
    retired: Vec<Arc<Known>>,
}

impl<'c> Watcher<'c> {
    /// Starts to wait for signals.
    pub(super) fn new(current: &'c Current, follow: Follow) -> Result<Self> {
        let hangup = Arc::new(AtomicBool::new(false));
        if follow.on_hangup {
            signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&hangup))
                .map_err(|e| Error::io("wait for signals", e))?;
        }
        let seen = current.lock().database.stamp();
        Ok(Watcher { current, follow, hangup, seen, retired: Vec::new() })
    }

    /// Looks until it is stopped.
    pub(super) fn run(mut self, stop: &Stop, mut report: impl FnMut(Look)) {
        let mut looked = Stopwatch::start();
        let round = self.follow.every.min(ROUND);
        while !stop.wait(round) {
            let is_called = self.hangup.swap(false, Ordering::Relaxed);
            if is_called || looked.elapsed() >= self.follow.every {
                looked = Stopwatch::start();
                if let Some(look) = self.look(is_called) {
                    report(look);
                }
            }
            self.retired.retain(|old| Arc::strong_count(old) > 1);
        }
    }

    /// Looks at the file, and takes it if it is another one. `is_called`: even if it seems to be
    /// the same.
    fn look(&mut self, is_called: bool) -> Option<Look> {
        let path = &self.follow.path;
        let stamp = std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata));
        if stamp == self.seen && !is_called {
            return None;
        }
        self.seen = stamp;
        match Database::load(path) {
            Ok(database) => {
                // It may have been replaced again since it was checked.
                self.seen = database.stamp();
                let id = database.build_id();
                if id == self.current.lock().origin.database {
                    return is_called.then_some(Look::Same);
                }
                let values = database.summary().total();
                self.retired.push(self.current.swap(database));
                Some(Look::Taken { id, values })
            }
            Err(error) => {
                self.current.kept.fetch_add(1, Ordering::Relaxed);
                Some(Look::Kept(error))
            }
        }
    }
}

/// Stops a watcher.
#[derive(Debug, Default)]
pub(super) struct Stop {
    is_set: Mutex<bool>,
    turn: Condvar,
}

impl Stop {
    /// Requests the end.
    fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.turn.notify_all();
    }

    /// Waits at most this long; returns whether the end was requested.
    pub(super) fn wait(&self, max: Duration) -> bool {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.turn.wait_timeout_while(is_set, max, |is_set| !*is_set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Runs `work` while the database is watched, if it is to be followed.
///
/// # Errors
///
/// If signals cannot be waited for, or the thread cannot be started.
pub(super) fn while_watched<T>(
    current: &Current,
    follow: Option<Follow>,
    report: impl FnMut(Look) + Send,
    work: impl FnOnce() -> T,
) -> Result<T> {
    let Some(follow) = follow else { return Ok(work()) };
    let watcher = Watcher::new(current, follow)?;
    let stop = Stop::default();
    std::thread::scope(|scope| {
        // Stop the watcher even if the work panics: otherwise it would never end.
        let _guard = StopAtEnd(&stop);
        let name = "watch-database".to_string();
        let spawned = std::thread::Builder::new()
            .name(name)
            .spawn_scoped(scope, || watcher.run(&stop, report));
        spawned.map_err(|e| Error::io("start a thread that watches the database", e))?;
        Ok(work())
    })
}

pub(super) struct StopAtEnd<'s>(pub(super) &'s Stop);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compile::Compiler;
    use crate::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
    use std::path::Path;

    fn compiled(name: &str) -> Compiler {
        let mut compiler = Compiler::default();
        let context = Arc::new(Context::of_feed("test"));
        compiler.add(Indicator::new(Kind::Domain, name, Scope::Subtree, context).unwrap());
        compiler
    }

    fn publish(name: &str, path: &Path) {
        compiled(name).publish(path, Timestamp(0)).unwrap();
    }

    #[test]
    fn what_was_begun_with_a_database_is_finished_with_it() {
        let bytes = |name| compiled(name).into_bytes(Timestamp(0)).unwrap();
        let open = |name| Database::from_bytes(bytes(name)).unwrap();
        let current = Current::new(open("a.example"), None);
        let mut lease = Lease::new(&current);
        let first = Arc::downgrade(&lease.known);
        assert!(!lease.is_over(&current) && !lease.renew(&current));
        current.replace(open("b.example"));
        assert!(lease.is_over(&current) && first.upgrade().is_some());
        assert!(lease.renew(&current) && !lease.is_over(&current));
        assert!(first.upgrade().is_none());
        assert_eq!(lease.known.origin.database, open("b.example").build_id());
        assert_eq!(current.swaps(), Swaps { taken: 1, kept: 0 });
    }

    #[test]
    fn looks_take_what_is_whole_and_new() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        publish("a.example", &path);
        let current = Current::new(Database::open(&path).unwrap(), Some("sensor".into()));
        let every = Duration::from_secs(1);
        let follow = Follow { path: path.clone(), every, on_hangup: false };
        let mut watcher = Watcher::new(&current, follow).unwrap();
        assert!(watcher.look(false).is_none());
        assert!(matches!(watcher.look(true), Some(Look::Same)));
        // Published again with the same contents: another file, but nothing new.
        publish("a.example", &path);
        assert!(watcher.look(false).is_none());
        assert_eq!(current.swaps(), Swaps::default());

        publish("b.example", &path);
        let Some(Look::Taken { values: 1, id }) = watcher.look(false) else { panic!() };
        let lease = Lease::new(&current);
        assert_eq!(lease.known.origin.database, id);
        assert_eq!(lease.known.origin.host.as_deref(), Some("sensor"));
        assert_eq!(watcher.retired.len(), 1);

        // Damaged, and missing: each reported once, and the current one stays.
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(watcher.look(false), Some(Look::Kept(_))));
        assert!(watcher.look(false).is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(watcher.look(false), Some(Look::Kept(_))));
        assert!(watcher.look(false).is_none());
        assert!(!lease.is_over(&current));
        assert_eq!(current.swaps(), Swaps { taken: 1, kept: 2 });

        publish("c.example", &path);
        assert!(matches!(watcher.look(false), Some(Look::Taken { .. })));
        drop(lease);
        watcher.retired.retain(|old| Arc::strong_count(old) > 1);
        assert!(watcher.retired.is_empty());
    }

    #[test]
    fn a_watcher_ends_with_the_work() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        publish("a.example", &path);
        let current = Current::new(Database::open(&path).unwrap(), None);
        let every = Duration::from_millis(1);
        let follow = Follow { path: path.clone(), every, on_hangup: false };
        let reported = AtomicU64::new(0);
        let report = |_: Look| {
            reported.fetch_add(1, Ordering::Relaxed);
        };
        let began = Stopwatch::start();
        let work = || {
            publish("b.example", &path);
            while reported.load(Ordering::Relaxed) == 0 && began.elapsed() < Duration::from_secs(20)
            {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        while_watched(&current, Some(follow), report, work).unwrap();
        assert_eq!((reported.into_inner(), current.swaps().taken), (1, 1));
    }
}
