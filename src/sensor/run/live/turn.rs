//! Sources that workers take turns reading.

use super::source::{Reading, Step};
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError};
use std::time::Duration;

/// A source that is read by its own thread and by the workers.
pub(super) struct Table<'e> {
    reading: Mutex<Reading<'e>>,
    /// Whether the turn is with a worker, or waiting for one.
    is_away: Mutex<bool>,
    back: Condvar,
}

impl<'e> Table<'e> {
    pub(super) fn new(reading: Reading<'e>) -> Arc<Self> {
        let (reading, is_away) = (Mutex::new(reading), Mutex::new(false));
        Arc::new(Table { reading, is_away, back: Condvar::new() })
    }

    /// Waits for the source, and calls `work` with it.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Reading<'e>) -> T) -> T {
        work(&mut self.reading.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The turn, to be given to workers. There must be no other.
    pub(super) fn turn(self: &Arc<Self>) -> Turn<'e> {
        *self.is_away.lock().unwrap_or_else(PoisonError::into_inner) = true;
        Turn(Arc::clone(self))
    }

    /// Waits until the turn has returned. Calls `attend` once in each interval `every`, unless a
    /// worker is reading, which does the same work.
    pub(super) fn wait(&self, every: Duration, attend: impl Fn(&mut Reading<'e>)) {
        loop {
            let is_away = self.is_away.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self.back.wait_timeout_while(is_away, every, |is_away| *is_away);
            if !*waited.unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
            match self.reading.try_lock() {
                Ok(mut reading) => attend(&mut reading),
                Err(TryLockError::Poisoned(poisoned)) => attend(&mut poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
    }
}

/// The turn to read a source. When it is dropped, it returns to the source's thread.
pub(super) struct Turn<'e>(Arc<Table<'e>>);

impl Turn<'_> {
    /// Takes the next piece, if one is ready.
    pub(super) fn step(&self) -> Step {
        self.0.with(|reading| reading.step(Duration::ZERO))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.is_away.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.back.notify_one();
    }
}
