//! What the client calls: when partitions come and go, offsets were committed, or statistics are
//! there. All calls come from the thread of the input, while it polls.

use super::consumer::Pending;
use super::errors::{ActiveErrors, ErrorSubject, about, is_passing};
use super::progress::{Partition, Progress};
use crate::clock::Stopwatch;
use crate::sensor::input::net::Count;
use crate::sensor::input::net::net_input::InputHandle;
use crate::sensor::kafka::reason;
use rdkafka::client::ClientContext;
use rdkafka::consumer::RebalanceProtocol;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long to wait for the answer of a broker while partitions are assigned.
const ANSWER: Duration = Duration::from_secs(10);

/// How often to check whether batches in flight are safe.
const ROUND: Duration = Duration::from_millis(2);

/// What the thread and the client's calls share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) progress: Mutex<Progress>,
    /// What was read and not passed on yet.
    pub(super) pending: Mutex<Pending>,
    pub(super) errors: Mutex<ActiveErrors>,
    pub(super) handle: InputHandle,
    /// How long a partition that is taken away may keep the group waiting.
    pub(super) patience: Duration,
    /// Whether the run ends at the present ends of the partitions.
    pub(super) is_once: bool,
}

pub(super) fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn set_error(&self, about: ErrorSubject, what: impl Into<String>) {
        let mut errors = locked(&self.errors);
        errors.set(about, what);
        self.handle.trouble(errors.first());
    }

    pub(super) fn clear_error(&self, about: ErrorSubject) {
        let mut errors = locked(&self.errors);
        if errors.has(about) {
            errors.clear(about);
            self.handle.trouble(errors.first());
        }
    }

    pub(super) fn has_error(&self, about: ErrorSubject) -> bool {
        locked(&self.errors).has(about)
    }

    pub(super) fn settle(&self) {
        locked(&self.progress).settle(|ticket| self.handle.is_safe(ticket));
    }
}

/// The client's context.
pub(super) struct ConsumerCallbacks(pub(super) Arc<Shared>);

/// The partitions of a list.
fn partitions(list: &TopicPartitionList) -> Vec<Partition> {
    let of = |it: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| Partition {
        topic: it.topic().into(),
        number: it.partition(),
    };
    list.elements().iter().map(of).collect()
}

/// A list of these offsets.
pub(super) fn list_of(offsets: &[(Partition, i64)]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in offsets {
        // Only negative offsets are refused, and there are none.
        let _ =
            list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(*offset));
    }
    list
}

impl ConsumerCallbacks {
    /// Partitions are ours from now on: finds out where to begin.
    fn assigned(&self, consumer: &BaseConsumer<Self>, list: &mut TopicPartitionList) {
        let partitions = partitions(list);
        let committed = match consumer.committed_offsets(list.clone(), ANSWER) {
            Ok(committed) => committed,
            Err(error) => {
                // The client asks again by itself; it can't know our own offsets.
                self.0.set_error(ErrorSubject::Commits, format!("offsets: {}", reason(&error)));
                TopicPartitionList::new()
            }
        };
        let mut begins = Vec::new();
        {
            let mut progress = locked(&self.0.progress);
            progress.has_joined = true;
            for partition in &partitions {
                let found = committed.find_partition(&partition.topic, partition.number);
                let group = found.and_then(|it| match it.offset() {
                    Offset::Offset(offset) => Some(offset),
                    _ => None,
                });
                begins.push(progress.assign(partition, group));
            }
        }
        for (partition, begin) in partitions.iter().zip(begins) {
            self.begin(consumer, list, partition, begin);
        }
    }

    /// Sets where a partition begins, and counts what is no longer there.
    fn begin(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &mut TopicPartitionList,
        partition: &Partition,
        begin: Option<i64>,
    ) {
        if let Some(begin) = begin {
            let _ = list.set_partition_offset(
                &partition.topic,
                partition.number,
                Offset::Offset(begin),
            );
        }
        let ends = consumer.fetch_watermarks(&partition.topic, partition.number, ANSWER);
        match ends {
            Ok((low, high)) => {
                let gone = begin.map_or(0, |begin| low.saturating_sub(begin).max(0) as u64);
                self.0.handle.count(Count::Expired, gone);
                let mut progress = locked(&self.0.progress);
                progress.set_end(partition, high);
                if self.0.is_once {
                    progress.set_until(partition, if low == high { 0 } else { high });
                }
            }
            Err(error) => self.0.set_error(ErrorSubject::Reading, reason(&error)),
        }
    }

    /// Partitions go to others: finishes what is in flight, and commits it.
    fn revoked(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let partitions = partitions(list);
        // Nobody has seen these: the next member reads them.
        locked(&self.0.pending).forget(&partitions);
        // What others have already must not be committed.
        let is_lost = || consumer.assignment_lost();
        let since = Stopwatch::start();
        loop {
            self.0.settle();
            let is_idle = !locked(&self.0.progress).are_under_way(&partitions);
            let is_over = since.elapsed() >= self.0.patience || self.0.handle.is_gone();
            if is_idle || is_over || is_lost() {
                break;
            }
            std::thread::sleep(ROUND);
        }
        let mut offsets = locked(&self.0.progress).to_commit();
        offsets.retain(|(partition, _)| partitions.contains(partition));
        if !offsets.is_empty() && !is_lost() && !self.0.has_error(ErrorSubject::Brokers) {
            let outcome = consumer.commit(&list_of(&offsets), CommitMode::Sync);
            self.0.committed(outcome, &offsets);
        }
        locked(&self.0.progress).revoke(&partitions);
    }
}

impl Shared {
    /// Takes the outcome of a commit.
    pub(super) fn committed(&self, outcome: KafkaResult<()>, offsets: &[(Partition, i64)]) {
        match outcome {
            Ok(()) => {
                let mut progress = locked(&self.progress);
                offsets.iter().for_each(|(it, offset)| progress.committed(it, *offset));
                drop(progress);
                self.clear_error(ErrorSubject::Commits);
            }
            Err(error) if error.rdkafka_error_code().is_some_and(is_passing) => {}
            Err(error) => {
                self.set_error(ErrorSubject::Commits, format!("cannot commit: {}", reason(&error)));
            }
        }
    }
}

impl ClientContext for ConsumerCallbacks {
    fn stats_raw(&self, statistics: &[u8]) {
        // A version of the library whose statistics can't be read has none.
        let Ok(statistics) = serde_json::from_slice::<Statistics>(statistics) else { return };
        if statistics.brokers.values().any(|broker| broker.nodeid >= 0 && broker.state == "UP") {
            self.0.clear_error(ErrorSubject::Brokers);
        }
        let mut progress = locked(&self.0.progress);
        for (topic, of) in &statistics.topics {
            let topic: Arc<str> = topic.as_str().into();
            for (number, ends) in &of.partitions {
                let number = number.parse().unwrap_or(-1);
                let end = if ends.ls_offset >= 0 { ends.ls_offset } else { ends.hi_offset };
                progress.set_end(&Partition { topic: Arc::clone(&topic), number }, end);
            }
        }
        self.0.handle.show(progress.view());
    }

    fn error(&self, error: KafkaError, words: &str) {
        if let Some((about, what)) = error.rdkafka_error_code().and_then(about) {
            let words = if words.is_empty() { what } else { format!("{what}: {words}") };
            self.0.set_error(about, words);
        }
    }
}

impl ConsumerContext for ConsumerCallbacks {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        self.0.handle.count(Count::Rebalances, 1);
        let is_cooperative =
            matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let is_assigned = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if is_assigned {
            self.assigned(consumer, list);
        } else {
            self.revoked(consumer, list);
        }
        let outcome = match (is_assigned, is_cooperative) {
            (true, true) => consumer.incremental_assign(list),
            (true, false) => consumer.assign(list),
            (false, true) => consumer.incremental_unassign(list),
            (false, false) => consumer.unassign(),
        };
        if let Err(error) = outcome {
            self.0.set_error(ErrorSubject::Reading, format!("cannot rebalance: {error}"));
        }
        self.0.handle.show(locked(&self.0.progress).view());
    }

    fn commit_callback(&self, outcome: KafkaResult<()>, offsets: &TopicPartitionList) {
        let mut done = Vec::new();
        for it in offsets.elements() {
            if let (Ok(()), Offset::Offset(offset)) = (it.error(), it.offset()) {
                let partition = Partition { topic: it.topic().into(), number: it.partition() };
                done.push((partition, offset));
            }
        }
        self.0.committed(outcome, &done);
    }
}

/// The members of librdkafka's statistics that are needed here.
#[derive(Deserialize)]
struct Statistics {
    #[serde(default)]
    brokers: BTreeMap<String, Broker>,
    #[serde(default)]
    topics: BTreeMap<String, Topic>,
}

#[derive(Deserialize)]
struct Broker {
    nodeid: i64,
    state: String,
}

#[derive(Deserialize)]
struct Topic {
    partitions: BTreeMap<String, Ends>,
}

#[derive(Deserialize)]
struct Ends {
    hi_offset: i64,
    ls_offset: i64,
}
