//! The counters of an outlet.

use crate::sensor::deliver::{Class, DeliveryError};
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The upper bounds of the latency buckets, in milliseconds; the last bucket has none.
pub const LATENCIES: [u64; 12] =
    [1, 5, 10, 50, 100, 500, 1_000, 5_000, 30_000, 60_000, 300_000, 3_600_000];

/// The health of an outlet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// The last batch was delivered.
    #[default]
    Good,
    /// The last batch is being retried.
    Retrying,
    /// The receiver denies access: someone has to fix that.
    Held,
}

impl Health {
    /// The name in the status.
    pub const fn name(self) -> &'static str {
        match self {
            Health::Good => "good",
            Health::Retrying => "retrying",
            Health::Held => "held",
        }
    }
}

/// Counters, updated by one thread and read by any.
#[derive(Debug, Default)]
pub struct Counters {
    records: AtomicU64,
    filtered: AtomicU64,
    dead: AtomicU64,
    batches: AtomicU64,
    retries: AtomicU64,
    errors: [AtomicU64; Class::ALL.len()],
    latencies: [AtomicU64; LATENCIES.len() + 1],
    latency_micros: AtomicU64,
    health: AtomicU8,
    waiting_since: AtomicI64,
    trouble: Mutex<Option<String>>,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Records that were delivered.
    pub records: u64,
    /// Records that the filter left out.
    pub filtered: u64,
    /// Records that were refused, and are dead letters.
    pub dead: u64,
    /// Batches that are done.
    pub batches: u64,
    /// Attempts after the first one.
    pub retries: u64,
    /// Failed batches, by the class of the error.
    pub errors: Vec<(Class, u64)>,
    /// Records by the time from the spool to the receiver: one count for each bucket of
    /// [`LATENCIES`] alone, and one for longer times.
    pub latencies: Vec<u64>,
    /// The sum of these times.
    pub latency: Duration,
    /// The health.
    pub health: Health,
    /// When the oldest waiting record was appended, in microseconds since 1970; `None` if nothing
    /// waits.
    pub waiting_since: Option<i64>,
    /// The last error, while it persists.
    pub trouble: Option<String>,
}

impl Snapshot {
    /// Adds what another outlet counted. How either of them is stays out of it.
    pub fn add(&mut self, other: &Snapshot) {
        self.records += other.records;
        self.filtered += other.filtered;
        self.dead += other.dead;
        self.batches += other.batches;
        self.retries += other.retries;
        self.latency += other.latency;
        for (class, count) in &other.errors {
            match self.errors.iter_mut().find(|(own, _)| own == class) {
                Some((_, own)) => *own += count,
                None => self.errors.push((*class, *count)),
            }
        }
        self.latencies.resize(self.latencies.len().max(other.latencies.len()), 0);
        self.latencies.iter_mut().zip(&other.latencies).for_each(|(own, more)| *own += more);
    }
}

impl Counters {
    /// The current values.
    pub fn snapshot(&self) -> Snapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let waiting_since = self.waiting_since.load(Ordering::Relaxed);
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            records: get(&self.records),
            filtered: get(&self.filtered),
            dead: get(&self.dead),
            batches: get(&self.batches),
            retries: get(&self.retries),
            errors: Class::ALL.into_iter().zip(self.errors.iter().map(get)).collect(),
            latencies: self.latencies.iter().map(get).collect(),
            latency: Duration::from_micros(get(&self.latency_micros)),
            health: match self.health.load(Ordering::Relaxed) {
                0 => Health::Good,
                1 => Health::Retrying,
                _ => Health::Held,
            },
            waiting_since: (waiting_since != 0).then_some(waiting_since),
            trouble: trouble.clone(),
        }
    }

    pub(super) fn arrived(&self, latency: Duration) {
        self.records.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        let class = LATENCIES.partition_point(|end| *end < millis);
        if let Some(class) = self.latencies.get(class) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn left_out(&self, count: usize) {
        self.filtered.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn died(&self) {
        self.dead.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn batch_done(&self) {
        self.batches.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn tried_again(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn waits_since(&self, micros: Option<i64>) {
        self.waiting_since.store(micros.unwrap_or(0), Ordering::Relaxed);
    }

    /// Adds the result of a batch.
    pub(super) fn was(&self, health: Health, trouble: Option<&DeliveryError>) {
        self.health.store(health as u8, Ordering::Relaxed);
        if let Some(trouble) = trouble {
            let place = Class::ALL.iter().position(|class| *class == trouble.class);
            if let Some(counter) = place.and_then(|place| self.errors.get(place)) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut shown = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = trouble.map(|trouble| trouble.reason.clone());
    }
}
