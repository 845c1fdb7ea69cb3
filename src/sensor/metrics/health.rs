//! Whether the workers make progress, and whether alerts can be found and sent.

use crate::clock::Stopwatch;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A worker without a heartbeat for this long is stuck.
pub const MAX_SILENCE: Duration = Duration::from_secs(30);

/// The heartbeats of all workers. Clones share them.
#[derive(Clone, Debug)]
pub struct Heartbeats {
    watch: Stopwatch,
    all: Arc<Mutex<Vec<Arc<Beat>>>>,
}

#[derive(Debug)]
struct Beat {
    name: String,
    /// The time of the last beat, in tenths of a second since the start.
    last: AtomicU32,
}

/// The heartbeat of one worker, which beats in each of its rounds, even if there is nothing to do.
/// A worker that ends drops it.
#[derive(Debug)]
pub struct Heartbeat {
    watch: Stopwatch,
    beat: Arc<Beat>,
    all: Arc<Mutex<Vec<Arc<Beat>>>>,
}

impl Default for Heartbeats {
    fn default() -> Self {
        Heartbeats { watch: Stopwatch::start(), all: Arc::default() }
    }
}

/// In tenths of a second, which last for 13 years.
fn tenths(time: Duration) -> u32 {
    u32::try_from(time.as_millis() / 100).unwrap_or(u32::MAX)
}

impl Heartbeats {
    /// The heartbeat of another worker.
    pub fn heartbeat(&self, name: impl Into<String>) -> Heartbeat {
        let last = AtomicU32::new(tenths(self.watch.elapsed()));
        let beat = Arc::new(Beat { name: name.into(), last });
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&beat));
        Heartbeat { watch: self.watch, beat, all: Arc::clone(&self.all) }
    }

    /// The workers without a heartbeat for longer than `max`, and for how long.
    pub fn silent(&self, max: Duration) -> Vec<(String, Duration)> {
        let now = tenths(self.watch.elapsed());
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let silences = all.iter().map(|beat| {
            let silence = now.saturating_sub(beat.last.load(Ordering::Relaxed));
            (beat.name.clone(), Duration::from_millis(u64::from(silence) * 100))
        });
        silences.filter(|(_, silence)| *silence > max).collect()
    }

    /// The time since the last beat of the worker that has been silent the longest. `None` if there
    /// are no workers.
    pub(super) fn longest_silence(&self) -> Option<Duration> {
        let now = tenths(self.watch.elapsed());
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let silences = all.iter().map(|beat| now.saturating_sub(beat.last.load(Ordering::Relaxed)));
        silences.max().map(|silence| Duration::from_millis(u64::from(silence) * 100))
    }
}

impl Heartbeat {
    /// Records that the worker makes progress.
    pub fn beat(&self) {
        self.beat.last.store(tenths(self.watch.elapsed()), Ordering::Relaxed);
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|beat| !Arc::ptr_eq(beat, &self.beat));
    }
}

macro_rules! not_ready_reasons {
    ($($(#[$doc:meta])* $variant:ident, $text:literal;)*) => {
        /// Why the sensor is not ready.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(usize)]
        pub enum NotReadyReason { $($(#[$doc])* $variant,)* }

        impl NotReadyReason {
            /// Every reason.
            pub const ALL: &'static [NotReadyReason] = &[$(NotReadyReason::$variant,)*];

            /// As text.
            pub const fn text(self) -> &'static str {
                match self { $(NotReadyReason::$variant => $text,)* }
            }
        }
    };
}

not_ready_reasons! {
    /// No database is open.
    Database, "no database is open";
    /// The inputs are not open yet.
    Inputs, "the inputs are not open";
    /// The spool is full.
    Spool, "the spool is full";
    /// A file, standard output, the spool or the state can't be written.
    Output, "alerts can't be written";
    /// The database is older than allowed.
    Age, "the database is too old";
    /// The sensor is shutting down.
    Stopping, "shutting down";
}

/// Whether the sensor is ready. At first it has no database and no inputs. Clones share it.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<[AtomicBool]>);

impl Default for Readiness {
    fn default() -> Self {
        let at_first = |reason: &NotReadyReason| {
            AtomicBool::new(matches!(reason, NotReadyReason::Database | NotReadyReason::Inputs))
        };
        Readiness(NotReadyReason::ALL.iter().map(at_first).collect())
    }
}

impl Readiness {
    /// Sets or removes a reason.
    pub fn set(&self, reason: NotReadyReason, is_there: bool) {
        if let Some(flag) = self.0.get(reason as usize) {
            flag.store(is_there, Ordering::Relaxed);
        }
    }

    /// The current reasons.
    pub fn reasons(&self) -> Vec<NotReadyReason> {
        let all = NotReadyReason::ALL.iter().zip(self.0.iter());
        all.filter(|(_, flag)| flag.load(Ordering::Relaxed)).map(|(reason, _)| *reason).collect()
    }
}
