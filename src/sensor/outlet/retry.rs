//! How long to wait between attempts.

use crate::clock::Stopwatch;
use std::fmt;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

/// The pause after the first failed attempt.
const FIRST: Duration = Duration::from_secs(1);

/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// If someone has to fix something, an attempt costs nothing but a line in the receiver's log.
const HOLD: Duration = Duration::from_secs(60);

/// Picks a random pause up to the given one, so that sensors whose receiver comes back do not all
/// connect at once. Tests use the given pause.
pub type Jitter = Box<dyn FnMut(Duration) -> Duration + Send>;

/// Counts attempts. There is no limit.
pub struct Retry {
    tries: u32,
    jitter: Jitter,
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("tries", &self.tries).finish_non_exhaustive()
    }
}

impl Default for Retry {
    /// With a jitter that differs between sinks and processes.
    fn default() -> Self {
        let since = Stopwatch::start();
        let process = std::process::id();
        let mut round = 0u64;
        Retry::new(Box::new(move |max| {
            round += 1;
            let seed = format!("{process}{:p}{round}{:?}", &raw const round, since.elapsed());
            let random = xxh3_64(seed.as_bytes());
            max.mul_f64((random >> 11) as f64 / (1u64 << 53) as f64)
        }))
    }
}

impl Retry {
    /// With the caller's jitter.
    pub fn new(jitter: Jitter) -> Self {
        Retry { tries: 0, jitter }
    }

    /// The pause after another failed attempt: anything up to 1 s, 2 s, 4 s and so on.
    pub fn pause(&mut self) -> Duration {
        let max = doubled(FIRST, self.tries).min(MAX_PAUSE);
        self.tries = self.tries.saturating_add(1);
        (self.jitter)(max).min(max)
    }

    /// The pause after another denied attempt: 1, 2, 4 and 5 minutes.
    pub fn hold(&mut self) -> Duration {
        let pause = doubled(HOLD, self.tries).min(MAX_PAUSE);
        self.tries = self.tries.saturating_add(1);
        pause
    }

    /// The next attempt counts as the first one again.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// Failed attempts since the last success.
    pub fn tries(&self) -> u32 {
        self.tries
    }
}

fn doubled(time: Duration, times: u32) -> Duration {
    time.saturating_mul(1u32.checked_shl(times).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let mut retry = Retry::new(Box::new(|max| max));
        let pauses: Vec<u64> = (0..11).map(|_| retry.pause().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        retry.tries = u32::MAX;
        assert_eq!(retry.pause(), MAX_PAUSE);
        retry.reset();
        let holds: Vec<u64> = (0..4).map(|_| retry.hold().as_secs()).collect();
        assert_eq!(holds, [60, 120, 240, 300]);
    }

    #[test]
    fn jitter_is_full() {
        let mut retry = Retry::default();
        let mut pauses = Vec::new();
        for _ in 0..200 {
            retry.tries = 5;
            pauses.push(retry.pause());
        }
        assert!(pauses.iter().all(|pause| *pause < Duration::from_secs(32)));
        for quarter in 0..4 {
            let range = Duration::from_secs(8 * quarter)..Duration::from_secs(8 * quarter + 8);
            assert!(pauses.iter().filter(|pause| range.contains(pause)).count() > 20);
        }
    }
}
