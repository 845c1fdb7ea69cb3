//! Timeouts, and the clock.

use crate::clock::{self, Stopwatch};
use crate::engine::indicator::Timestamp;
use crate::sensor::halt::Halt;
use rustix::event::Timespec;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The time, and waiting, for everything except sockets: retries, and repeated polling. Tests have
/// one that doesn't wait.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start; never goes back.
    fn uptime(&self) -> Duration;

    /// Waits, but not longer than until the halt.
    fn wait(&self, time: Duration, halt: &Halt);
}

/// The system clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Stopwatch);

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock(Stopwatch::start())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn uptime(&self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&self, time: Duration, halt: &Halt) {
        let waiting = Stopwatch::start();
        while !halt.is_set() {
            let left = time.saturating_sub(waiting.elapsed());
            // A signal may end a pause early.
            if left.is_zero() || halt.pause(timespec(left)).is_err() {
                return;
            }
        }
    }
}

fn timespec(time: Duration) -> Timespec {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    // Never zero, or the loop would spin on a rest below the timer's resolution.
    Timespec { tv_sec: seconds, tv_nsec: time.subsec_nanos().max(1).into() }
}

/// The timeouts of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For connecting, including TLS.
    pub connect: Duration,
    /// For a request and its response.
    pub request: Duration,
    /// For everything that is left to do after a halt.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}

/// The timeouts and the clock of an outlet, and the halt that ends it. After the halt, everything
/// that waits shares the drain time, and then fails as if it had timed out. Clones share that time.
#[derive(Clone)]
pub struct Pace {
    clock: Arc<dyn Clock>,
    halt: Halt,
    timeouts: Timeouts,
    halted: Arc<OnceLock<Stopwatch>>,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}

impl Default for Pace {
    /// The system's clock, the default timeouts, and no halt.
    fn default() -> Self {
        Pace::new(Arc::new(SystemClock::default()), Halt::default(), Timeouts::default())
    }
}

impl Pace {
    /// Combines them.
    pub fn new(clock: Arc<dyn Clock>, halt: Halt, timeouts: Timeouts) -> Self {
        Pace { clock, halt, timeouts, halted: Arc::default() }
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The timeouts.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Whether it is time to stop.
    pub fn is_halted(&self) -> bool {
        self.halt.is_set()
    }

    /// How much of a time is left to something that began at `since`; `None` if it is over. Sockets
    /// always use the system's time, whatever the clock says.
    pub(crate) fn left(&self, since: &Stopwatch, time: Duration) -> Duration {
        let left = time.saturating_sub(since.elapsed());
        if !self.is_halted() {
            return left;
        }
        let halted = self.halted.get_or_init(Stopwatch::start);
        left.min(self.timeouts.drain.saturating_sub(halted.elapsed()))
    }

    /// Whether the time after a halt is over.
    pub fn is_over(&self) -> bool {
        self.left(&Stopwatch::start(), Duration::MAX).is_zero()
    }

    /// Waits by the clock; returns false when it is time to stop.
    pub fn wait(&self, time: Duration) -> bool {
        self.clock.wait(time, &self.halt);
        !self.is_halted()
    }
}
