//! The externally visible state of the daemon: metrics, the status, and its health.

use super::departed::{Departed, InputTotals};
use super::serve::spool_folder;
use super::watch::Watch;
use crate::clock::now;
use crate::engine::indicator::Kind;
use crate::engine::indicator::Timestamp;
use crate::engine::scan;
use crate::sensor::config::{Config, Input, InputKind};
use crate::sensor::metrics::{
    DatabaseStatus, FailedReload, Family, Heartbeats, InputStatus, Metrics, NotReadyReason, Pages,
    Readiness, Sets, SinkStatus, Status,
};
use crate::sensor::outlet::{Counters, Health};
use crate::sensor::run::Current;
use crate::sensor::run::live::output::Failures;
use crate::sensor::spool::Spool;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The externally visible state. Clones share it.
#[derive(Clone)]
pub(super) struct Board(Arc<Inner>);

struct Inner {
    metrics: Arc<Mutex<Metrics>>,
    heartbeats: Heartbeats,
    readiness: Readiness,
    current: Arc<Current>,
    started: Timestamp,
    reloads: AtomicU64,
    parts: Mutex<Parts>,
}

/// What is running.
#[derive(Default)]
struct Parts {
    watches: Vec<Watch>,
    departed: Departed,
    /// Names of all inputs that should run.
    inputs: Vec<String>,
    topics: Vec<String>,
    sinks: Vec<SinkPart>,
    /// Which local destinations fail.
    failures: Failures,
    /// Inputs that could not be opened by a reload, and why.
    unopened: BTreeMap<String, String>,
    /// The last reload, if it failed.
    failed_reload: Option<FailedReload>,
    spool: Option<Spool>,
    spool_folder: String,
    /// When feeds were last fetched.
    feeds: BTreeMap<String, Timestamp>,
    /// The values of labels.
    sets: Sets,
    database: String,
    max_age: Option<Duration>,
}

/// A sink.
#[derive(Clone)]
pub(super) struct SinkPart {
    pub(super) name: String,
    pub(super) kind: &'static str,
    /// `None` for a sink that is written directly.
    pub(super) counters: Option<Arc<Counters>>,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The values of labels.
pub(super) fn sets(config: &Config, feeds: &[String]) -> Sets {
    Sets {
        inputs: config.active_inputs().map(|input| input.name.clone()).collect(),
        sinks: config.active_sinks().map(|sink| sink.name.clone()).collect(),
        feeds: feeds.to_vec(),
        topics: topics(config),
    }
}

/// The topics of Kafka that are read, each once.
fn topics(config: &Config) -> Vec<String> {
    let of = |input: &Input| match &input.kind {
        InputKind::Kafka(kafka) => kafka.topics.clone(),
        _ => Vec::new(),
    };
    let all: BTreeSet<String> = config.active_inputs().flat_map(of).collect();
    all.into_iter().collect()
}

impl Board {
    pub(super) fn new(config: &Config, feeds: &[String], current: Arc<Current>) -> Self {
        let sets = sets(config, feeds);
        let metrics = Metrics::new(sets.clone());
        let board = Board(Arc::new(Inner {
            metrics: Arc::new(Mutex::new(metrics)),
            heartbeats: Heartbeats::default(),
            readiness: Readiness::default(),
            current,
            started: now(),
            reloads: AtomicU64::new(0),
            parts: Mutex::new(Parts { sets, ..Parts::default() }),
        }));
        board.configured(config);
        board
    }

    /// Applies a configuration.
    fn configured(&self, config: &Config) {
        let mut parts = locked(&self.0.parts);
        parts.database = config.database.display().to_string();
        parts.max_age = config.daemon.max_age;
        parts.spool_folder = spool_folder(config).display().to_string();
        parts.topics = topics(config);
        parts.inputs = config.active_inputs().map(|input| input.name.clone()).collect();
    }

    /// Switches to the names of another configuration.
    pub(super) fn reconfigure(&self, config: &Config) {
        self.relabel(|own| *own = sets(config, &own.feeds));
        self.configured(config);
    }

    /// Changes the values of labels.
    fn relabel(&self, change: impl FnOnce(&mut Sets)) {
        let mut parts = locked(&self.0.parts);
        change(&mut parts.sets);
        let mut metrics = locked(&self.0.metrics);
        *metrics = metrics.with(parts.sets.clone());
    }

    pub(super) fn metrics(&self) -> Metrics {
        locked(&self.0.metrics).clone()
    }

    pub(super) fn heartbeats(&self) -> &Heartbeats {
        &self.0.heartbeats
    }

    pub(super) fn set(&self, reason: NotReadyReason, is_there: bool) {
        self.0.readiness.set(reason, is_there);
    }

    pub(super) fn is_ready(&self) -> bool {
        self.0.readiness.reasons().is_empty()
    }

    pub(super) fn set_watches(&self, watches: Vec<Watch>) {
        let mut parts = locked(&self.0.parts);
        let old = std::mem::take(&mut parts.watches);
        parts.departed.replace_watches(old, &watches);
        parts.watches = watches;
    }

    pub(super) fn set_sinks(&self, sinks: Vec<SinkPart>, spool: Option<Spool>) {
        let mut parts = locked(&self.0.parts);
        let old = std::mem::take(&mut parts.sinks);
        parts.departed.replace_sinks(old, &sinks);
        (parts.sinks, parts.spool) = (sinks, spool);
    }

    /// Shows which local destinations fail.
    pub(super) fn set_failures(&self, failures: Failures) {
        locked(&self.0.parts).failures = failures;
    }

    /// Records that an input could not be opened by a reload, or that it was.
    pub(super) fn set_unopened(&self, input: &str, error: Option<&crate::Error>) {
        let mut parts = locked(&self.0.parts);
        match error {
            Some(error) => drop(parts.unopened.insert(input.to_string(), error.to_string())),
            None => drop(parts.unopened.remove(input)),
        }
    }

    /// Records which feeds there are, and when they were last fetched.
    pub(super) fn set_feeds(&self, feeds: &[(String, Option<Timestamp>)]) {
        let times = feeds.iter().filter_map(|(name, at)| Some((name.clone(), (*at)?)));
        let mut parts = locked(&self.0.parts);
        parts.feeds = times.collect();
        let is_same = parts.sets.feeds.iter().eq(feeds.iter().map(|(name, _)| name));
        drop(parts);
        if !is_same {
            let names = feeds.iter().map(|(name, _)| name.clone()).collect();
            self.relabel(|own| own.feeds = names);
        }
    }

    /// Records that a configuration was loaded, or why it was not.
    pub(super) fn reloaded(&self, failure: Option<String>) {
        self.0.reloads.fetch_add(1, Ordering::Relaxed);
        let result = if failure.is_none() { "loaded" } else { "failed" };
        locked(&self.0.parts).failed_reload =
            failure.map(|message| FailedReload { time: now(), message });
        self.metrics().counter(Family::ConfigReloads, &[result]).add(1);
    }

    /// Counts a matched piece.
    pub(super) fn counted(&self, input: &str, bytes: u64, lines: u64, counters: &scan::Counters) {
        let metrics = locked(&self.0.metrics).clone();
        metrics.counter(Family::Bytes, &[input]).add(bytes);
        metrics.counter(Family::Lines, &[input]).add(lines);
        for (kind, count) in counters.matches() {
            metrics.counter(Family::Hits, &[group(kind)]).add(count);
        }
        let allowed: u64 = counters.suppressed().map(|(_, _, count)| count).sum();
        if allowed > 0 {
            metrics.counter(Family::Suppressed, &["allowed"]).add(allowed);
        }
        if let Some(watch) = locked(&self.0.parts).watches.iter().find(|it| **it.name() == *input) {
            watch.counted(bytes, lines);
        }
    }

    /// Returns what makes the daemon unhealthy or not ready, if anything.
    pub(super) fn look(&self) {
        let parts = locked(&self.0.parts);
        let is_full = parts.spool.as_ref().is_some_and(Spool::is_full);
        self.0.readiness.set(NotReadyReason::Spool, is_full);
        self.0.readiness.set(NotReadyReason::Output, !parts.failures.is_empty());
        let age = now().0.saturating_sub(self.0.current.facts().1.0);
        let is_old = |max: Duration| i128::from(age) > max.as_micros() as i128;
        self.0.readiness.set(NotReadyReason::Age, parts.max_age.is_some_and(is_old));
    }

    /// The pages that show all of this.
    pub(super) fn pages(&self) -> Pages {
        let (before, status) = (self.clone(), self.clone());
        Pages {
            metrics: Arc::clone(&self.0.metrics),
            before: Arc::new(move || before.gather()),
            status: Arc::new(move || status.status()),
            heartbeats: self.0.heartbeats.clone(),
            readiness: self.0.readiness.clone(),
        }
    }

    /// Updates the metrics of components that keep their own counts.
    fn gather(&self) {
        let metrics = self.metrics();
        let mut parts = locked(&self.0.parts);
        parts.departed.settle();
        for name in &parts.inputs {
            metrics.gauge(Family::InputUp, &[name]).set(0.0);
        }
        gather_inputs(&parts, &metrics);
        gather_sinks(&parts, &metrics);
        let (_, built, indicators) = self.0.current.facts();
        metrics.gauge(Family::DatabaseBuilt, &[]).set(built.0 as f64 / 1e6);
        metrics.gauge(Family::DatabaseIndicators, &[]).set(indicators as f64);
        let swaps = self.0.current.swaps();
        metrics.counter(Family::DatabaseReloads, &["loaded"]).set(swaps.taken);
        metrics.counter(Family::DatabaseReloads, &["failed"]).set(swaps.kept);
        for (feed, at) in &parts.feeds {
            let age = now().0.saturating_sub(at.0).max(0);
            metrics.gauge(Family::FeedAge, &[feed]).set(age as f64 / 1e6);
        }
    }

    fn status(&self) -> Status {
        let metrics = self.metrics();
        let parts = locked(&self.0.parts);
        let (id, built, indicators) = self.0.current.facts();
        let mut inputs: Vec<_> = parts.watches.iter().map(Watch::status).collect();
        let unopened = parts.unopened.iter().filter(|(name, _)| parts.inputs.contains(name));
        inputs.extend(unopened.map(|(name, why)| InputStatus {
            name: name.clone(),
            state: "closed".to_string(),
            trouble: Some(why.clone()),
            ..InputStatus::default()
        }));
        let sinks: Vec<_> =
            parts.sinks.iter().map(|sink| sink_status(sink, &parts, &metrics)).collect();
        let is_well = self.is_ready()
            && parts.failed_reload.is_none()
            && inputs.len() == parts.inputs.len()
            && inputs.iter().all(|input| input.trouble.is_none())
            && sinks.iter().all(|sink| sink.trouble.is_none());
        let is_stopping = self.0.readiness.reasons().contains(&NotReadyReason::Stopping);
        let state = match (is_stopping, is_well) {
            (true, _) => "stopping",
            (false, true) => "running",
            (false, false) => "degraded",
        };
        let keys = metrics.gauge(Family::SuppressionKeys, &[]).get();
        Status {
            version: env!("CARGO_PKG_VERSION").to_string(),
            state: state.to_string(),
            started: self.0.started,
            failed_reload: parts.failed_reload.clone(),
            database: Some(DatabaseStatus {
                path: parts.database.clone(),
                id,
                built,
                loaded: self.0.current.loaded(),
                indicators,
            }),
            inputs,
            sinks,
            spool_bytes: parts.spool.as_ref().map_or(0, |spool| spool.counters().bytes),
            suppression_keys: keys as usize,
            ..Status::default()
        }
    }
}

fn gather_inputs(parts: &Parts, metrics: &Metrics) {
    let mut totals = parts.departed.inputs();
    let (mut open, mut unreadable, mut modes) = (0, 0, [0; 2]);
    for watch in &parts.watches {
        let name = &**watch.name();
        let (bytes, age) = watch.lag();
        metrics.gauge(Family::InputLagBytes, &[name]).set(bytes as f64);
        metrics.gauge(Family::InputLagSeconds, &[name]).set(age.as_secs_f64());
        metrics.gauge(Family::InputUp, &[name]).set(f64::from(u8::from(watch.is_up())));
        if let Some(connections) = watch.connections() {
            metrics.gauge(Family::ConnectionsOpen, &[name]).set(connections.open as f64);
        }
        totals.count(watch);
        let tail = watch.tail().counters;
        (open, unreadable) = (open + tail.open, unreadable + tail.unreadable);
        modes = [modes[0] + tail.watched, modes[1] + tail.polled];
    }
    metrics.gauge(Family::FilesOpen, &[]).set(open as f64);
    metrics.gauge(Family::FilesUnreadable, &[]).set(unreadable as f64);
    for (mode, count) in ["notified", "polled"].iter().zip(modes) {
        metrics.gauge(Family::FilesWatched, &[mode]).set(count as f64);
    }
    set_totals(&totals, metrics);
    set_kafka_lag(parts, metrics);
}

/// Sets what is not committed of each topic. Partitions of other members are theirs to report.
fn set_kafka_lag(parts: &Parts, metrics: &Metrics) {
    let mut lags: BTreeMap<String, u64> = BTreeMap::new();
    for partition in parts.watches.iter().flat_map(Watch::partitions) {
        *lags.entry(partition.topic).or_default() += partition.lag.unwrap_or(0);
    }
    for topic in &parts.topics {
        let lag = lags.get(topic).copied().unwrap_or(0);
        metrics.gauge(Family::KafkaLag, &[topic]).set(lag as f64);
    }
}

fn set_totals(totals: &InputTotals, metrics: &Metrics) {
    metrics.counter(Family::DatagramsDropped, &[]).set(totals.datagrams);
    metrics.counter(Family::Packets, &[]).set(totals.packets);
    metrics.counter(Family::LinesCut, &[]).set(totals.cut);
    for (name, received) in &totals.received {
        metrics.counter(Family::ConnectionsRefused, &[name]).set(received.refused);
        metrics.counter(Family::InputRestarts, &[name]).set(received.restarts);
        metrics.counter(Family::SocketsRestored, &[name]).set(received.restored);
        for (reason, count) in Sets::INPUT_ERRORS.iter().zip(received.errors) {
            metrics.counter(Family::InputErrors, &[name, reason]).set(count);
        }
    }
    let counters = |family: Family, labels: &[&str], values: &[u64]| {
        for (label, value) in labels.iter().zip(values) {
            metrics.counter(family, &[label]).set(*value);
        }
    };
    counters(Family::PacketsDropped, &["kernel", "interface", "queue"], &totals.dropped);
    let kinds = ["renamed", "truncated", "replaced", "packed", "removed"];
    counters(Family::Rotations, &kinds, &totals.rotations);
    counters(Family::LostBytes, &["truncated", "removed", "damaged", "holes"], &totals.lost);
}

fn gather_sinks(parts: &Parts, metrics: &Metrics) {
    let skipped = parts.spool.as_ref().map(|spool| spool.counters().skipped).unwrap_or_default();
    if let Some(spool) = &parts.spool {
        metrics.gauge(Family::SpoolBytes, &[]).set(spool.counters().bytes as f64);
    }
    for sink in &parts.sinks {
        let name = &*sink.name;
        let skipped = skipped.get(name).copied().unwrap_or(0);
        metrics.counter(Family::Dropped, &[name, "backlog"]).set(skipped);
        let Some(counters) = &sink.counters else { continue };
        let mut counts = counters.snapshot();
        counts.add(&parts.departed.sink(name));
        metrics.counter(Family::SinkRecords, &[name]).set(counts.records);
        metrics.counter(Family::SinkRetries, &[name]).set(counts.retries);
        metrics.counter(Family::DeadLetters, &[name]).set(counts.dead);
        metrics.histogram(Family::SinkLatency, &[name]).set(&counts.latencies, counts.latency);
        for (class, count) in counts.errors {
            metrics.counter(Family::SinkErrors, &[name, class.name()]).set(count);
        }
        let age = counts.waiting_since.map_or(0, |since| now().0.saturating_sub(since).max(0));
        metrics.gauge(Family::SpoolOldest, &[name]).set(age as f64 / 1e6);
    }
}

fn sink_status(sink: &SinkPart, parts: &Parts, metrics: &Metrics) -> SinkStatus {
    let counts = sink.counters.as_ref().map(|counters| counters.snapshot()).unwrap_or_default();
    let spool = parts.spool.as_ref().filter(|_| sink.counters.is_some());
    let skipped = spool.and_then(|spool| spool.counters().skipped.get(&sink.name).copied());
    let failing = parts.failures.of(&sink.name);
    let state = match counts.health {
        Health::Good if failing.is_some() => "retrying",
        Health::Good => "ok",
        Health::Retrying => "retrying",
        Health::Held => "held",
    };
    let pending_bytes = spool.map_or(0, |spool| spool.backlog(&sink.name).bytes);
    SinkStatus {
        name: sink.name.clone(),
        kind: sink.kind.to_string(),
        state: state.to_string(),
        trouble: counts.trouble.or(failing),
        records: match sink.counters {
            Some(_) => counts.records,
            None => metrics.counter(Family::SinkRecords, &[&sink.name]).get(),
        },
        pending_bytes,
        spool: (pending_bytes > 0).then(|| parts.spool_folder.clone()),
        dropped: skipped.unwrap_or(0),
        dead_letters: counts.dead,
    }
}

/// Kinds of indicators, as labels of metrics.
fn group(kind: Kind) -> &'static str {
    match kind {
        Kind::Ip => "ip",
        Kind::Net => "net",
        Kind::Endpoint => "endpoint",
        Kind::Domain => "domain",
        Kind::Url | Kind::UrlPath => "url",
        Kind::Email => "email",
        Kind::CertMd5 | Kind::CertSha1 | Kind::CertSha256 => "certificate",
        kind if kind.digest_len().is_some() => "digest",
        _ => "other",
    }
}
