//! A thread that makes the steps of an outlet.

use super::counters::Counters;
use super::outlet::{Outlet, Step};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// An outlet at work.
#[derive(Debug)]
pub struct Running {
    thread: JoinHandle<()>,
    ended: Receiver<()>,
    renew: Arc<AtomicBool>,
    counters: Arc<Counters>,
}

impl Running {
    /// Starts a thread for an outlet. It ends after the halt of the outlet's pace.
    ///
    /// # Errors
    ///
    /// When the system has no more threads.
    pub fn start(mut outlet: Outlet) -> io::Result<Running> {
        let (end, ended) = channel();
        let (renew, counters) = (outlet.renewal(), outlet.counters());
        let name = format!("sink {}", outlet.name());
        let thread = thread::Builder::new().name(name).spawn(move || {
            // Dropped however the thread ends.
            let _end = end;
            while outlet.step() != Step::Done {
                outlet.rest();
            }
        })?;
        Ok(Running { thread, ended, renew, counters })
    }

    /// What happened so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Opens connections and reads secrets again, and tries at once: after a SIGHUP.
    pub fn renew(&self) {
        self.renew.store(true, Ordering::Relaxed);
    }

    /// Whether the thread is there: one that is not has met a fault of ours.
    pub fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Waits for the end after a halt, at most for this time; returns whether it came. What
    /// was not delivered is in the spool.
    pub fn finish(self, most: Duration) -> bool {
        match self.ended.recv_timeout(most) {
            Err(RecvTimeoutError::Timeout) => false,
            _ => self.thread.join().is_ok(),
        }
    }
}
