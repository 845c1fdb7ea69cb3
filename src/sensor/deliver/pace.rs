//! How long things may take.

use crate::clock::{self, Stopwatch};
use crate::engine::indicator::Timestamp;
use crate::sensor::halt::Halt;
use rustix::event::Timespec;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The time, and waiting, for what is not the business of a socket: retries, and answers that are
/// asked for again and again. Tests have one that doesn't wait.
pub trait Clock: Send + Sync {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Time since some beginning; never set back.
    fn uptime(&self) -> Duration;

    /// Waits, but no longer than until the halt.
    fn wait(&self, time: Duration, halt: &Halt);
}

/// The clock of the system.
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
    // Not zero, or a rest below a nanosecond's grain is asked for in circles.
    Timespec { tv_sec: seconds, tv_nsec: time.subsec_nanos().max(1).into() }
}

/// The longest times for one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection, with TLS.
    pub connect: Duration,
    /// For a request and its answer.
    pub request: Duration,
    /// For all that is still to be done after a halt.
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

/// The timeouts and the clock of an outlet, and the halt that ends it. After the halt everything
/// that waits has the drain time in all, and then fails as if its time were over. Clones share
/// that time.
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
    /// Puts them together.
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

    /// Whether it is time to end.
    pub fn is_halted(&self) -> bool {
        self.halt.is_set()
    }

    /// How much of a time is left to something that began at `since`; none when it is over. The
    /// time of sockets is the system's, whatever the clock says.
    pub(crate) fn left(&self, since: &Stopwatch, time: Duration) -> Duration {
        let left = time.saturating_sub(since.elapsed());
        if !self.is_halted() {
            return left;
        }
        let halted = self.halted.get_or_init(Stopwatch::start);
        left.min(self.timeouts.drain.saturating_sub(halted.elapsed()))
    }

    /// Whether the time that there was after a halt is over.
    pub fn is_over(&self) -> bool {
        self.left(&Stopwatch::start(), Duration::MAX).is_zero()
    }

    /// Waits by the clock; false when it is time to end.
    pub fn wait(&self, time: Duration) -> bool {
        self.clock.wait(time, &self.halt);
        !self.is_halted()
    }
}
