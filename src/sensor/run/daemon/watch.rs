//! The status of inputs while they run, for metrics and the status page.

use crate::clock::Stopwatch;
use crate::engine::packet;
use crate::sensor::input::net::{Count, NetInputView, PartitionView};
use crate::sensor::input::tail::{Counters, FileStatus};
use crate::sensor::listen::ConnectionCounts;
use crate::sensor::metrics::{self, InputStatus, Sets};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a tail publishes the status of its files.
const FILES: Duration = Duration::from_secs(2);

/// A running input, as seen from outside. Clones share it.
#[derive(Clone)]
pub(super) struct Watch(Arc<Inner>);

struct Inner {
    name: Arc<str>,
    kind: &'static str,
    net_input: Option<NetInputView>,
    lines: AtomicU64,
    bytes: AtomicU64,
    /// Alerts of packets that were dropped before they reached the committer.
    dropped: Arc<AtomicU64>,
    /// Captures that could not be moved or deleted.
    captures_left: AtomicU64,
    /// It has ended without being asked to.
    has_failed: AtomicBool,
    trouble: Mutex<Option<String>>,
    tail: Mutex<TailFacts>,
    tap: Mutex<TapFacts>,
}

/// What a tail publishes about itself.
#[derive(Clone, Debug, Default)]
pub(super) struct TailFacts {
    pub(super) counters: Counters,
    pub(super) files: Vec<FileStatus>,
}

/// What a tap publishes about itself, since it began.
#[derive(Clone, Debug, Default)]
pub(super) struct TapFacts {
    pub(super) packets: packet::Counters,
    pub(super) by_kernel: u64,
    pub(super) by_interface: u64,
}

/// What an input counted that receives something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReceivedTotals {
    /// Connections that were refused.
    pub(super) refused: u64,
    /// In the order of [`Sets::INPUT_ERRORS`].
    pub(super) errors: [u64; Sets::INPUT_ERRORS.len()],
    pub(super) restarts: u64,
    /// Sockets that were created again.
    pub(super) restored: u64,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    pub(super) fn new(name: &str, kind: &'static str, net_input: Option<NetInputView>) -> Self {
        Watch(Arc::new(Inner {
            name: name.into(),
            kind,
            net_input,
            lines: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            dropped: Arc::default(),
            captures_left: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
            trouble: Mutex::default(),
            tail: Mutex::default(),
            tap: Mutex::default(),
        }))
    }

    /// Whether both are one.
    pub(super) fn is(&self, other: &Watch) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether nobody else has it.
    pub(super) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    pub(super) fn dropped(&self) -> &Arc<AtomicU64> {
        &self.0.dropped
    }

    /// Records that a capture could not be moved or deleted.
    pub(super) fn left_capture(&self) {
        self.0.captures_left.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counted(&self, bytes: u64, lines: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.lines.fetch_add(lines, Ordering::Relaxed);
    }

    /// Records that it can't continue, and why.
    pub(super) fn failed(&self, why: String) {
        self.0.has_failed.store(true, Ordering::Relaxed);
        *locked(&self.0.trouble) = Some(why);
    }

    pub(super) fn set_tail(&self, facts: TailFacts) {
        *locked(&self.0.tail) = facts;
    }

    pub(super) fn set_tap(&self, facts: TapFacts) {
        *locked(&self.0.tap) = facts;
    }

    pub(super) fn tail(&self) -> TailFacts {
        locked(&self.0.tail).clone()
    }

    pub(super) fn tap(&self) -> TapFacts {
        locked(&self.0.tap).clone()
    }

    fn of_net_input<T>(&self, of: impl FnOnce(&NetInputView) -> T) -> Option<T> {
        self.0.net_input.as_ref().map(of)
    }

    pub(super) fn datagrams_dropped(&self) -> u64 {
        self.of_net_input(|net_input| net_input.count(Count::DroppedDatagrams)).unwrap_or(0)
    }

    pub(super) fn connections(&self) -> Option<ConnectionCounts> {
        self.of_net_input(NetInputView::connections)
    }

    /// What it counted, if it receives something.
    pub(super) fn received(&self) -> Option<ReceivedTotals> {
        // In the order of the labels.
        const ERRORS: [Count; Sets::INPUT_ERRORS.len()] = [
            Count::Cut,
            Count::Oversize,
            Count::InvalidCounts,
            Count::BrokenConnections,
            Count::Unauthorized,
            Count::BadRequests,
            Count::Busy,
            Count::Unreadable,
            Count::Expired,
        ];
        self.of_net_input(|net_input| ReceivedTotals {
            refused: net_input.connections().refused,
            errors: ERRORS.map(|of| net_input.count(of)),
            restarts: net_input.count(Count::Restarts),
            restored: net_input.sockets_restored(),
        })
    }

    /// The partitions that are assigned to it, if it reads Kafka.
    pub(super) fn partitions(&self) -> Vec<PartitionView> {
        self.of_net_input(NetInputView::partitions).unwrap_or_default()
    }

    /// Whether it is working.
    pub(super) fn is_up(&self) -> bool {
        !self.0.has_failed.load(Ordering::Relaxed)
            && self.of_net_input(NetInputView::trouble).flatten().is_none()
    }

    /// Bytes that arrived and were not processed yet, and the age of the oldest of them.
    pub(super) fn lag(&self) -> (u64, Duration) {
        let files = &locked(&self.0.tail).files;
        let bytes = files.iter().map(|file| file.lag_bytes).sum();
        (bytes, files.iter().map(|file| file.lag).max().unwrap_or_default())
    }

    pub(super) fn status(&self) -> InputStatus {
        let trouble = locked(&self.0.trouble).clone();
        let trouble = trouble.or_else(|| self.of_net_input(NetInputView::trouble).flatten());
        let addresses =
            self.of_net_input(|net_input| net_input.addresses().to_vec()).unwrap_or_default();
        let state = match (self.0.has_failed.load(Ordering::Relaxed), &trouble) {
            (true, _) => "closed",
            (false, Some(_)) => "failing",
            (false, None) => "open",
        };
        InputStatus {
            name: self.0.name.to_string(),
            kind: self.0.kind.to_string(),
            state: state.to_string(),
            trouble,
            addresses: addresses.iter().map(ToString::to_string).collect(),
            lines: self.0.lines.load(Ordering::Relaxed),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            counts: self.counts(),
            files: self.tail().files.iter().map(file_status).collect(),
            partitions: self.partitions().into_iter().map(partition_status).collect(),
        }
    }

    fn counts(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut counts = serde_json::Map::new();
        let mut put = |name: &str, count: u64| {
            if count > 0 {
                counts.insert(name.to_string(), count.into());
            }
        };
        if let Some(all) = self.of_net_input(|net_input| {
            Count::ALL.iter().map(|&of| (of.name(), net_input.count(of))).collect::<Vec<_>>()
        }) {
            all.into_iter().for_each(|(name, count)| put(name, count));
        }
        let tap = self.tap();
        put("packets", tap.packets.packets);
        put("packets_dropped_by_kernel", tap.by_kernel);
        put("packets_dropped_by_interface", tap.by_interface);
        put("alerts_dropped", self.0.dropped.load(Ordering::Relaxed));
        put("captures_left", self.0.captures_left.load(Ordering::Relaxed));
        let Counters { rotations, lines_cut, lost_truncated, lost_removed, unreadable, .. } =
            self.tail().counters;
        put("files_unreadable", unreadable as u64);
        put("lines_cut", lines_cut);
        put("lost_bytes", lost_truncated + lost_removed);
        put("rotations", rotations.renamed + rotations.truncated + rotations.copied);
        counts
    }
}

fn file_status(file: &FileStatus) -> metrics::FileStatus {
    metrics::FileStatus {
        path: file.path.clone(),
        offset: file.offset,
        size: file.offset + file.lag_bytes,
        ..metrics::FileStatus::default()
    }
}

fn partition_status(of: PartitionView) -> metrics::PartitionStatus {
    let PartitionView { topic, partition, offset, lag } = of;
    metrics::PartitionStatus { topic, partition, offset, lag }
}

/// Publishes the status of a tail, now and then.
pub(super) struct TailWatch {
    watch: Watch,
    published: Option<Stopwatch>,
}

impl TailWatch {
    pub(super) fn new(watch: Watch) -> Self {
        TailWatch { watch, published: None }
    }

    pub(super) fn publish(&mut self, facts: impl FnOnce() -> TailFacts) {
        if self.published.is_none_or(|published| published.elapsed() >= FILES) {
            self.published = Some(Stopwatch::start());
            self.watch.set_tail(facts());
        }
    }

    /// Says how it was in the end: no files are followed any more.
    pub(super) fn publish_last(&mut self, counters: Counters) {
        self.watch.set_tail(TailFacts { counters, files: Vec::new() });
    }
}
