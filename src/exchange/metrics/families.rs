//! What is counted.

use super::counted::{Counter, Gauge, Histogram};
use crate::clock::Stopwatch;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests of a route.
#[derive(Debug)]
pub struct OfRoute {
    /// The pattern of its path; empty for requests that no route takes.
    pub route: &'static str,
    /// By the first digit of the status: 1 to 5.
    statuses: [Counter; 5],
    /// From the whole request to the beginning of the answer.
    times: Histogram,
}

impl OfRoute {
    /// Counts an answer.
    pub fn answered(&self, status: u16, watch: Stopwatch) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        if let Some(counter) = self.statuses.get(class) {
            counter.count();
        }
        self.times.time(watch.elapsed());
    }

    /// How many answers there were, by the first digit of their status.
    pub(super) fn statuses(&self) -> impl Iterator<Item = (usize, u64)> {
        self.statuses.iter().zip(1..).map(|(counter, class)| (class, counter.get()))
    }

    pub(super) fn times(&self) -> &Histogram {
        &self.times
    }
}

/// What a server counts about itself.
#[derive(Debug)]
pub struct Metrics {
    pub(super) routes: Mutex<Vec<Arc<OfRoute>>>,
    /// Requests that were refused because somebody sent too many: by key, of those that write or
    /// search, by address.
    pub limited_keys: Counter,
    /// See [`Metrics::limited_keys`].
    pub limited_writes: Counter,
    /// See [`Metrics::limited_keys`].
    pub limited_addresses: Counter,
    /// Requests that were refused because the server had too many.
    pub busy: Counter,
    /// Connections that are open.
    pub connections: Gauge,
    /// Changes that wait for the writer.
    pub queue: Gauge,
    /// Changes that were refused because too many waited.
    pub refused: Counter,
    /// How long commits took, until they were on the disk.
    pub commits: Histogram,
    /// Changes of a commit.
    pub changes: Histogram,
    /// Readers of the storage that are in use.
    pub readers: Gauge,
    /// How long requests waited for a reader.
    pub waits: Histogram,
    /// Exports that were there already.
    pub exports_kept: Counter,
    /// Exports that were made.
    pub exports_made: Counter,
    /// Since when the server runs.
    pub(super) start: Stopwatch,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            routes: Mutex::default(),
            limited_keys: Counter::default(),
            limited_writes: Counter::default(),
            limited_addresses: Counter::default(),
            busy: Counter::default(),
            connections: Gauge::default(),
            queue: Gauge::default(),
            refused: Counter::default(),
            commits: Histogram::of_times(),
            changes: Histogram::of_counts(),
            readers: Gauge::default(),
            waits: Histogram::of_times(),
            exports_kept: Counter::default(),
            exports_made: Counter::default(),
            start: Stopwatch::start(),
        }
    }
}

impl Metrics {
    /// The counters of a route, which routes of the same path share.
    pub fn route(&self, route: &'static str) -> Arc<OfRoute> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = routes.iter().find(|known| known.route == route) {
            return Arc::clone(known);
        }
        let new = OfRoute { route, statuses: Default::default(), times: Histogram::of_times() };
        let new = Arc::new(new);
        routes.push(Arc::clone(&new));
        new
    }
}

/// How much is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Accounts.
    pub accounts: u64,
    /// Pulses that were not deleted.
    pub pulses: u64,
    /// Indicators that were not removed.
    pub indicators: u64,
    /// Bytes of the database, if they are known.
    pub bytes: Option<u64>,
}
