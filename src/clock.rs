//! The clock: the only file that reads the time.
//!
//! ```
//! use wiresift::clock::{self, Stopwatch};
//!
//! let (watch, before) = (Stopwatch::start(), clock::now());
//! assert!(before.0 > 0);
//! // For durations: the system's time may jump, a stopwatch does not.
//! assert!(watch.elapsed().as_secs() < 3600);
//! ```
//!
//! The engine gets the time as an argument, so that its results are reproducible; `intel` and
//! `sensor` use this module.

use crate::engine::indicator::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The current time.
#[expect(clippy::disallowed_methods, reason = "the only clock")]
pub fn now() -> Timestamp {
    let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
    };
    Timestamp(micros)
}

/// The time of a build: `SOURCE_DATE_EPOCH` if it is set, so that builds are reproducible
/// (<https://reproducible-builds.org/specs/source-date-epoch/>), otherwise now.
pub fn build_time() -> Timestamp {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| seconds.trim().parse().ok())
        .map_or_else(now, Timestamp::from_seconds)
}

/// `MONOTONIC_USEC` for systemd: microseconds of the monotonic clock.
#[cfg(feature = "daemon")]
pub fn monotonic_micros() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000 + now.tv_nsec.unsigned_abs() / 1_000
}

/// When the machine was started, in microseconds since 1970, as the present clock has it: the same
/// until the next start, unless the clock is set.
#[cfg(feature = "sensor")]
pub fn booted() -> u64 {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let since = since.tv_sec.saturating_mul(1_000_000).saturating_add(since.tv_nsec / 1_000);
    u64::try_from(now().0.saturating_sub(since)).unwrap_or(0)
}

/// Measures a duration.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the only clock")]
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Measures the processor time of the calling thread, which other programs do not add to.
#[cfg(feature = "sensor")]
#[derive(Clone, Copy, Debug)]
pub struct ThreadTime(u64);

#[cfg(feature = "sensor")]
impl ThreadTime {
    /// Starts now, on this thread.
    pub fn start() -> Self {
        ThreadTime(thread_nanos())
    }

    /// Nanoseconds that the thread has worked since the start. Only the same thread may ask.
    pub fn nanos(&self) -> u64 {
        thread_nanos().saturating_sub(self.0)
    }
}

#[cfg(feature = "sensor")]
fn thread_nanos() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}
