//! A thread that runs the steps of an outlet.

use super::counters::Counters;
use super::outlet::{Outlet, Step};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A running outlet.
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
            // Dropped no matter how the thread ends.
            let _end = end;
            while outlet.step() != Step::Done {
                outlet.rest();
            }
        })?;
        Ok(Running { thread, ended, renew, counters })
    }

    /// What has happened so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Reopens connections, reads secrets again, and retries at once: after a SIGHUP.
    pub fn renew(&self) {
        self.renew.store(true, Ordering::Relaxed);
    }

    /// Whether the thread is running: if not, it has panicked.
    pub fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Waits for the thread to end after a halt, at most for this time; returns whether it ended.
    /// What was not delivered is in the spool.
    pub fn finish(self, max: Duration) -> bool {
        match self.ended.recv_timeout(max) {
            Err(RecvTimeoutError::Timeout) => false,
            _ => self.thread.join().is_ok(),
        }
    }
}
