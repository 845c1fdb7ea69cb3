//! Whether the workers move, and whether alerts can be found and sent.

use crate::clock::Stopwatch;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A worker that has not moved for so long is stuck.
pub const MAX_SILENCE: Duration = Duration::from_secs(30);

/// The heartbeats of all workers. Clones are one.
#[derive(Clone, Debug)]
pub struct Hearts {
    watch: Stopwatch,
    all: Arc<Mutex<Vec<Arc<Beat>>>>,
}

#[derive(Debug)]
struct Beat {
    name: String,
    /// Tenths of a second since the hearts began, of the last beat.
    last: AtomicU32,
}

/// The heart of one worker: it beats each time that the worker comes around, also when there
/// is nothing to do. A worker that ends drops it.
#[derive(Debug)]
pub struct Heart {
    watch: Stopwatch,
    beat: Arc<Beat>,
    all: Arc<Mutex<Vec<Arc<Beat>>>>,
}

impl Default for Hearts {
    fn default() -> Self {
        Hearts { watch: Stopwatch::start(), all: Arc::default() }
    }
}

/// Tenths of a second: 13 years of them.
fn tenths(time: Duration) -> u32 {
    u32::try_from(time.as_millis() / 100).unwrap_or(u32::MAX)
}

impl Hearts {
    /// The heart of another worker.
    pub fn heart(&self, name: impl Into<String>) -> Heart {
        let last = AtomicU32::new(tenths(self.watch.elapsed()));
        let beat = Arc::new(Beat { name: name.into(), last });
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&beat));
        Heart { watch: self.watch, beat, all: Arc::clone(&self.all) }
    }

    /// The workers that have not moved for longer than `most`, with how long that is.
    pub fn silent(&self, most: Duration) -> Vec<(String, Duration)> {
        let now = tenths(self.watch.elapsed());
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let silences = all.iter().map(|beat| {
            let silence = now.saturating_sub(beat.last.load(Ordering::Relaxed));
            (beat.name.clone(), Duration::from_millis(u64::from(silence) * 100))
        });
        silences.filter(|(_, silence)| *silence > most).collect()
    }

    /// How long ago the last beat was of the worker that moved least recently. `None` if there
    /// are no workers.
    pub(super) fn longest_silence(&self) -> Option<Duration> {
        let now = tenths(self.watch.elapsed());
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let silences = all.iter().map(|beat| now.saturating_sub(beat.last.load(Ordering::Relaxed)));
        silences.max().map(|silence| Duration::from_millis(u64::from(silence) * 100))
    }
}

impl Heart {
    /// The worker moves.
    pub fn beat(&self) {
        self.beat.last.store(tenths(self.watch.elapsed()), Ordering::Relaxed);
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|beat| !Arc::ptr_eq(beat, &self.beat));
    }
}

macro_rules! obstacles {
    ($($(#[$doc:meta])* $variant:ident, $text:literal;)*) => {
        /// Why the sensor is not ready.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(usize)]
        pub enum Obstacle { $($(#[$doc])* $variant,)* }

        impl Obstacle {
            /// Every obstacle.
            pub const ALL: &'static [Obstacle] = &[$(Obstacle::$variant,)*];

            /// In words.
            pub const fn text(self) -> &'static str {
                match self { $(Obstacle::$variant => $text,)* }
            }
        }
    };
}

obstacles! {
    /// No database is open.
    Database, "no database is open";
    /// The inputs are not open yet.
    Inputs, "the inputs are not open";
    /// The spool is full.
    Spool, "the spool is full";
    /// The database is older than it may be.
    Age, "the database is too old";
    /// It is time to end.
    Stopping, "shutting down";
}

/// Whether the sensor is ready. At first it has no database and no inputs. Clones are one.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<[AtomicBool]>);

impl Default for Readiness {
    fn default() -> Self {
        let at_first = |obstacle: &Obstacle| {
            AtomicBool::new(matches!(obstacle, Obstacle::Database | Obstacle::Inputs))
        };
        Readiness(Obstacle::ALL.iter().map(at_first).collect())
    }
}

impl Readiness {
    /// Puts an obstacle in the way, or takes it away.
    pub fn set(&self, obstacle: Obstacle, is_there: bool) {
        if let Some(flag) = self.0.get(obstacle as usize) {
            flag.store(is_there, Ordering::Relaxed);
        }
    }

    /// What is in the way.
    pub fn obstacles(&self) -> Vec<Obstacle> {
        let all = Obstacle::ALL.iter().zip(self.0.iter());
        all.filter(|(_, flag)| flag.load(Ordering::Relaxed))
            .map(|(obstacle, _)| *obstacle)
            .collect()
    }
}
