//! All series, and handles to them.

use super::families::{Family, Kind, Sets};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of a histogram's buckets, in seconds.
pub(super) const BUCKETS: [f64; 12] =
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 3600.0];

/// A number that only grows. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Sets it to a total that is counted elsewhere. A smaller total is ignored.
    pub fn set(&self, total: u64) {
        self.0.fetch_max(total, Ordering::Relaxed);
    }

    /// The current count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// The current value.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// Observations, counted by size. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Histogram(Arc<Observations>);

#[derive(Debug, Default)]
struct Observations {
    /// One per bucket; the last one counts everything that is larger.
    counts: [AtomicU64; BUCKETS.len() + 1],
    /// In microseconds.
    sum: AtomicU64,
}

impl Histogram {
    /// Counts an observation.
    pub fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = BUCKETS.iter().take_while(|&&bound| seconds > bound).count();
        if let Some(count) = self.0.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// Sets it to observations counted elsewhere: one count per bucket, the last one for everything
    /// that is larger, and their sum.
    pub fn set(&self, counts: &[u64], sum: Duration) {
        for (place, count) in self.0.counts.iter().zip(counts) {
            place.store(*count, Ordering::Relaxed);
        }
        let micros = u64::try_from(sum.as_micros()).unwrap_or(u64::MAX);
        self.0.sum.store(micros, Ordering::Relaxed);
    }

    /// For each bucket, how many observations were not larger than its bound, with the total last;
    /// and their sum in seconds.
    pub(super) fn read(&self) -> ([u64; BUCKETS.len() + 1], f64) {
        let mut total = 0;
        let counts = std::array::from_fn(|at| {
            total += self.0.counts.get(at).map_or(0, |count| count.load(Ordering::Relaxed));
            total
        });
        (counts, self.0.sum.load(Ordering::Relaxed) as f64 / 1e6)
    }
}

/// A series.
#[derive(Clone, Debug)]
pub(super) enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

/// The series of a family, by the values of its labels.
#[derive(Clone, Debug)]
pub(super) struct Members {
    /// In the order of the page.
    pub(super) rows: Vec<(Vec<String>, Series)>,
    by_labels: HashMap<Vec<String>, usize>,
}

/// All metrics of a sensor. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(super) families: Arc<[Members]>,
}

impl Metrics {
    /// All series for these names, at zero.
    pub fn new(sets: Sets) -> Metrics {
        Metrics { families: Family::ALL.iter().map(|&family| members(family, &sets)).collect() }
    }

    /// Switches to other names after a reload: series that stay keep their values, and their
    /// handles.
    #[must_use]
    pub fn with(&self, sets: Sets) -> Metrics {
        let new = Family::ALL.iter().map(|&family| {
            let mut new = members(family, &sets);
            for (labels, series) in &mut new.rows {
                if let Some(old) = self.find(family, labels) {
                    *series = old.clone();
                }
            }
            new
        });
        Metrics { families: new.collect() }
    }

    fn find(&self, family: Family, labels: &[impl AsRef<str>]) -> Option<&Series> {
        let labels: Vec<String> = labels.iter().map(|label| label.as_ref().to_string()).collect();
        let members = self.families.get(family as usize)?;
        members.rows.get(*members.by_labels.get(&labels)?).map(|(_, series)| series)
    }

    /// The handle of a counter; keep it. If there are no such labels, or the family is of another
    /// type, it is not shown anywhere: the set of series is closed.
    pub fn counter(&self, family: Family, labels: &[&str]) -> Counter {
        match self.find(family, labels) {
            Some(Series::Counter(counter)) => counter.clone(),
            _ => Counter::default(),
        }
    }

    /// The handle of a gauge, with the same rules.
    pub fn gauge(&self, family: Family, labels: &[&str]) -> Gauge {
        match self.find(family, labels) {
            Some(Series::Gauge(gauge)) => gauge.clone(),
            _ => Gauge::default(),
        }
    }

    /// The handle of a histogram, with the same rules.
    pub fn histogram(&self, family: Family, labels: &[&str]) -> Histogram {
        match self.find(family, labels) {
            Some(Series::Histogram(histogram)) => histogram.clone(),
            _ => Histogram::default(),
        }
    }
}

/// All combinations of a family's labels.
fn members(family: Family, sets: &Sets) -> Members {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for label in family.labels() {
        let values = label.values(sets);
        all = all
            .iter()
            .flat_map(|before| {
                values
                    .iter()
                    .map(move |value| [before.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    let series = || match family.kind() {
        Kind::Counter => Series::Counter(Counter::default()),
        Kind::Gauge => Series::Gauge(Gauge::default()),
        Kind::Histogram => Series::Histogram(Histogram::default()),
    };
    let by_labels = all.iter().cloned().zip(0..).collect();
    Members { rows: all.into_iter().map(|labels| (labels, series())).collect(), by_labels }
}
