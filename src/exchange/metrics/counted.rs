//! Numbers that many threads change.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number of things that are there.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Adds to it; what is negative takes away.
    pub fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of times, in microseconds.
const TIMES: &[u64] = &[
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000, 30_000_000,
];

/// Upper bounds of counts.
const COUNTS: &[u64] = &[1, 2, 4, 8, 16, 32, 64];

/// Observations, counted by size.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// What a unit of the bounds is of what is shown.
    unit: f64,
    /// One for each bound, and one for everything larger.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Histogram {
    /// Of times.
    pub fn of_times() -> Histogram {
        Histogram::new(TIMES, 1e-6)
    }

    /// Of counts.
    pub fn of_counts() -> Histogram {
        Histogram::new(COUNTS, 1.0)
    }

    fn new(bounds: &'static [u64], unit: f64) -> Histogram {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram { bounds, unit, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a time.
    pub fn time(&self, time: Duration) {
        self.number(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts a number, in units of the bounds.
    pub fn number(&self, number: u64) {
        let at = self.bounds.partition_point(|bound| *bound < number);
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(number, Ordering::Relaxed);
    }

    /// Each bound, and how many observations were not larger; the last one is of all.
    pub(super) fn rows(&self) -> Vec<(Option<f64>, u64)> {
        let mut total = 0;
        let bounds = self.bounds.iter().map(|bound| Some(*bound as f64 * self.unit));
        let rows = bounds.chain([None]).zip(&self.counts);
        rows.map(|(bound, count)| {
            total += count.load(Ordering::Relaxed);
            (bound, total)
        })
        .collect()
    }

    /// The sum of all observations.
    pub(super) fn sum(&self) -> f64 {
        self.sum.load(Ordering::Relaxed) as f64 * self.unit
    }

    /// How many observations there were.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}
