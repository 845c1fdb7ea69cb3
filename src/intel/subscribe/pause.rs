//! Waiting that a signal ends.

use crate::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a signal is looked for.
const ROUND: Duration = Duration::from_millis(50);

/// Waits between two rounds of a service, until it is told to end.
#[derive(Debug)]
pub struct StopSignal {
    over: Arc<AtomicBool>,
}

impl StopSignal {
    /// Listens for SIGINT and SIGTERM. The second one ends the process at once.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn new() -> Result<StopSignal> {
        let over = Arc::new(AtomicBool::new(false));
        for number in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            let status = 128 + number;
            signal_hook::flag::register_conditional_shutdown(number, status, Arc::clone(&over))
                .and_then(|_| signal_hook::flag::register(number, Arc::clone(&over)))
                .map_err(|e| Error::io("listen for signals", e))?;
        }
        Ok(StopSignal { over })
    }

    /// Waits; false when it is over.
    pub fn wait(&self, time: Duration) -> bool {
        let waiting = crate::clock::Stopwatch::start();
        while !self.over.load(Ordering::Relaxed) {
            let left = time.saturating_sub(waiting.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(ROUND));
        }
        false
    }
}
