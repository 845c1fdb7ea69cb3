//! Waits that a signal can interrupt.

use crate::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often to look for a signal.
const ROUND: Duration = Duration::from_millis(50);

/// Waits between the rounds of a service until a signal ends it. The default listens for no
/// signals, and only [`StopSignal::stop`] ends it. Clones end together.
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    over: Arc<AtomicBool>,
}

impl StopSignal {
    /// Listens for SIGINT and SIGTERM. A second signal ends the process
    /// immediately.
    ///
    /// # Errors
    ///
    /// The handlers cannot be installed.
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

    /// Ends the waiting, as a signal does.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether it was stopped.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits for `time`. Returns false if a signal ended it.
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
