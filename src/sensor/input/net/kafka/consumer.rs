//! The thread that reads topics.

use super::context::{ConsumerCallbacks, Shared, list_of, locked};
use super::errors::{ErrorSubject, is_unreadable};
use super::progress::{Partition, Progress, Saved};
use crate::clock::Stopwatch;
use crate::engine::indicator::Timestamp;
use crate::sensor::input::net::batch::{FULL, Writer};
use crate::sensor::input::net::net_input::Outgoing;
use crate::sensor::input::net::{Batch, Count, NetInput};
use crate::sensor::kafka::{Access, created, words};
use crate::{Error, Result};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rustix::event::Timespec;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a poll waits when nothing is there.
const WAIT: Duration = Duration::from_millis(50);

/// How long to wait for room in the queue before partitions are paused.
const ROOM: Duration = Duration::from_millis(500);

/// How long records are collected before they are passed on.
const COLLECT: Duration = Duration::from_millis(100);

/// How long a run that ends waits for its partitions, besides the session timeout.
const JOINING: Duration = Duration::from_secs(60);

/// How often to ask for a topic that doesn't exist.
const MISSING: Duration = Duration::from_secs(5);

/// How long that may take.
const ASKING: Duration = Duration::from_secs(2);

/// The longest pause between restarts, in seconds.
const MAX_BACKOFF: i64 = 60;

/// How long the brokers have to answer when a client ends.
const LAST: Duration = Duration::from_secs(5);

/// Topics to read, as a member of a group.
#[derive(Clone, Debug)]
pub struct Topics {
    /// How to connect.
    pub access: Access,
    /// Their names.
    pub topics: Vec<String>,
    /// The group.
    pub group: String,
    /// A name of this member that survives restarts.
    pub instance: Option<String>,
    /// Whether to skip what exists in partitions without a committed offset.
    pub from_end: bool,
    /// How long until a silent member counts as dead.
    pub session_timeout: Duration,
    /// How often offsets are committed.
    pub commit_every: Duration,
    /// Where the last run was: the parts and cursors of its last safe batches.
    pub saved: Vec<(String, String)>,
    /// Whether to end at the present ends of the partitions.
    pub once: bool,
}

/// What was read of each partition and not passed on yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    batches: BTreeMap<Partition, (Batch, i64)>,
    bytes: usize,
    since: Option<Stopwatch>,
}

impl Pending {
    /// Drops what was read of these partitions.
    pub(super) fn forget(&mut self, partitions: &[Partition]) {
        self.batches.retain(|partition, _| !partitions.contains(partition));
        self.bytes = self.batches.values().map(|(batch, _)| batch.bytes.len()).sum();
    }

    /// Adds a record; returns whether it had a line.
    fn add(&mut self, partition: &Partition, offset: i64, text: &[u8], time: Option<i64>) -> bool {
        self.since.get_or_insert_with(Stopwatch::start);
        let (batch, next) = self.batches.entry(partition.clone()).or_default();
        let peer = Arc::clone(batch.part.get_or_insert_with(|| partition.to_string().into()));
        *next = offset.saturating_add(1);
        let first = batch.lines.len();
        let time = time.map(|millis| Timestamp(millis.saturating_mul(1000)));
        let writer = Writer { host: None, app: None, peer, time };
        let before = batch.bytes.len();
        let has_lines = batch.add(text, &writer, false) > 0;
        if has_lines {
            batch.records.push((first, offset));
        }
        self.bytes += batch.bytes.len() - before;
        has_lines
    }

    fn is_due(&self) -> bool {
        self.bytes >= FULL || self.since.is_some_and(|since| since.elapsed() >= COLLECT)
    }

    fn take(&mut self) -> Option<(Partition, Batch, i64)> {
        let Some((partition, (batch, next))) = self.batches.pop_first() else {
            self.since = None;
            return None;
        };
        self.bytes = self.bytes.saturating_sub(batch.bytes.len());
        Some((partition, batch, next))
    }

    /// Puts one back. What was read of the partition meanwhile comes after it.
    fn put_back(&mut self, partition: Partition, (mut batch, mut next): (Batch, i64)) {
        if let Some((later, end)) = self.batches.remove(&partition) {
            let (lines, bytes) = (batch.lines.len(), batch.bytes.len());
            batch.bytes.extend_from_slice(&later.bytes);
            let moved = later.lines.into_iter().map(|mut line| {
                line.start += bytes;
                line
            });
            batch.lines.extend(moved);
            batch.records.extend(later.records.iter().map(|(at, offset)| (at + lines, *offset)));
            next = end;
        }
        self.batches.insert(partition, (batch, next));
        self.bytes = self.batches.values().map(|(batch, _)| batch.bytes.len()).sum();
        self.since.get_or_insert_with(Stopwatch::start);
    }
}

impl Topics {
    /// Starts to read.
    ///
    /// # Errors
    ///
    /// If a setting is invalid, or a secret or certificate can't be read. With
    /// [`once`](Self::once), also if no broker answers, or a topic doesn't exist; otherwise the
    /// input waits for both.
    pub fn start(self) -> Result<NetInput> {
        // Creates a client, which checks every property.
        self.client()?.create::<BaseConsumer>().map_err(|e| created(&e))?;
        if self.once
            && let Some(missing) = self.access.missing(&self.topics, JOINING / 2)?.first()
        {
            return Err(Error::usage(format!("the topic {missing} does not exist"))
                .remedy("check topics, or create it"));
        }
        let (mut net_input, outgoing) = NetInput::new()?;
        let saved = self
            .saved
            .iter()
            .filter_map(|(part, cursor)| Some((Partition::parse(part)?, Saved::parse(cursor)?)));
        let shared = Arc::new(Shared {
            progress: Mutex::new(Progress::new(&saved.collect())),
            pending: Mutex::default(),
            errors: Mutex::default(),
            handle: outgoing.handle(),
            patience: self.session_timeout / 2,
            is_once: self.once,
        });
        net_input.start("kafka", move || run(&self, &shared, outgoing))?;
        Ok(net_input)
    }

    fn client(&self) -> Result<rdkafka::ClientConfig> {
        let session = self.session_timeout.as_millis().to_string();
        let mut config = self.access.client(&[
            // Members of a group keep what they have when another one comes.
            ("partition.assignment.strategy", "cooperative-sticky"),
            // A topic that is created later is found within this time.
            ("topic.metadata.refresh.interval.ms", "10000"),
            // What waits inside the client, besides our own queue.
            ("queued.max.messages.kbytes", "16384"),
            ("heartbeat.interval.ms", &(self.session_timeout.as_millis() / 10).max(1).to_string()),
            // Not less than a session.
            ("max.poll.interval.ms", &self.session_timeout.as_millis().max(300_000).to_string()),
        ])?;
        for (name, value) in [
            ("group.id", &*self.group),
            ("session.timeout.ms", &session),
            ("auto.offset.reset", if self.from_end { "latest" } else { "earliest" }),
            // Offsets are committed when the alerts of their records are.
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", if self.once { "true" } else { "false" }),
            ("statistics.interval.ms", "1000"),
        ] {
            config.set(name, value);
        }
        if let Some(instance) = &self.instance {
            config.set("group.instance.id", instance);
        }
        Ok(config)
    }
}

/// Reads until the halt, with another client after a fatal error.
fn run(topics: &Topics, shared: &Arc<Shared>, outgoing: Outgoing) {
    let mut backoff = 1;
    loop {
        let (fatal, kept) = match Reader::new(topics, shared, &outgoing) {
            Ok(mut reader) => (reader.read(), Some(reader.consumer)),
            Err(error) => (Some(error.to_string()), None),
        };
        let Some(fatal) = fatal else {
            // The end of the queue: what is in it is still matched.
            drop(outgoing);
            if let Some(consumer) = kept {
                finish(shared, &consumer);
                close(consumer);
            }
            return;
        };
        shared.set_error(ErrorSubject::Client, fatal);
        kept.into_iter().for_each(close);
        let pause = Timespec { tv_sec: backoff, tv_nsec: 0 };
        let is_over = outgoing.halt.pause(pause).is_err() || outgoing.halt.is_set();
        if is_over || topics.once {
            return;
        }
        backoff = (2 * backoff).min(MAX_BACKOFF);
        outgoing.count(Count::Restarts, 1);
    }
}

/// Waits until everything that was passed on is safe, and commits it.
fn finish(shared: &Shared, consumer: &BaseConsumer<ConsumerCallbacks>) {
    let unread = consumer.assignment();
    // Messages that were not asked for would end the membership: nobody would take them.
    let pause = || unread.as_ref().is_ok_and(|it| consumer.pause(it).is_ok());
    pause();
    loop {
        shared.settle();
        let is_idle = !locked(&shared.progress).is_under_way();
        if is_idle || shared.handle.is_gone() {
            break;
        }
        drop(consumer.poll(Duration::from_millis(5)));
    }
    shared.settle();
    let since = Stopwatch::start();
    let mut asked = Vec::new();
    loop {
        let offsets = locked(&shared.progress).to_commit();
        let is_hopeless = shared.has_error(ErrorSubject::Brokers) || since.elapsed() >= LAST;
        if offsets.is_empty() || is_hopeless {
            return;
        }
        if offsets != asked {
            // The answer comes to the context.
            let _ = consumer.commit(&list_of(&offsets), CommitMode::Async);
            asked = offsets;
        }
        drop(consumer.poll(Duration::from_millis(5)));
    }
}

/// Leaves the group and ends the client.
///
/// The client waits for the answer to its last commit as long as a session lasts, even when the
/// brokers went away unnoticed. Whoever ends waits [`LAST`]: the offsets are safe without it, in
/// our own checkpoint.
fn close(consumer: BaseConsumer<ConsumerCallbacks>) {
    let (closed, is_closed) = std::sync::mpsc::sync_channel::<()>(0);
    let closing = std::thread::Builder::new().name("kafka-close".into()).spawn(move || {
        drop(consumer);
        drop(closed);
    });
    if closing.is_ok() {
        // Nothing is sent: this returns when the other end is dropped.
        let _ = is_closed.recv_timeout(LAST);
    }
}

struct Reader<'r> {
    topics: &'r Topics,
    shared: &'r Arc<Shared>,
    outgoing: &'r Outgoing,
    consumer: BaseConsumer<ConsumerCallbacks>,
    begun: Stopwatch,
    committed: Stopwatch,
    asked: Stopwatch,
    /// The partition of the last record: most have the same as the one before.
    last: Partition,
}

impl<'r> Reader<'r> {
    fn new(topics: &'r Topics, shared: &'r Arc<Shared>, outgoing: &'r Outgoing) -> Result<Self> {
        // What an earlier client had read and not passed on is read again.
        locked(&shared.progress).revoke_all();
        *locked(&shared.pending) = Pending::default();
        let context = ConsumerCallbacks(Arc::clone(shared));
        let client = topics.client()?;
        let consumer: BaseConsumer<ConsumerCallbacks> =
            client.create_with_context(context).map_err(|e| created(&e))?;
        let names: Vec<&str> = topics.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(|e| created(&e))?;
        let now = Stopwatch::start();
        let last = Partition { topic: "".into(), number: -1 };
        Ok(Reader {
            topics,
            shared,
            outgoing,
            consumer,
            begun: now,
            committed: now,
            asked: now,
            last,
        })
    }

    /// Reads until the halt, or until there is nothing more to read; returns a fatal error.
    fn read(&mut self) -> Option<String> {
        let mut is_waiting = true;
        while !self.outgoing.halt.is_set() {
            let polled = self.consumer.poll(if is_waiting { WAIT } else { Duration::ZERO });
            let is_idle = polled.is_none();
            match polled {
                Some(Ok(message)) => {
                    take(self.shared, partition_of(&mut self.last, &message), &message);
                }
                Some(Err(error)) => {
                    if let Some(fatal) = self.failed(&error) {
                        return Some(fatal);
                    }
                }
                None => {}
            }
            let is_due = locked(&self.shared.pending).is_due();
            if (is_idle || is_due) && !self.pass_on() {
                return None;
            }
            is_waiting = is_idle;
            if is_idle || is_due {
                self.attend();
                if self.topics.once && self.is_over() {
                    return None;
                }
            }
        }
        None
    }

    /// Passes on what was read; returns whether to continue. While there is no room, the partitions
    /// are paused, and it stays in the group.
    fn pass_on(&mut self) -> bool {
        let mut is_paused = false;
        while !self.offer() {
            if self.outgoing.halt.is_set() {
                // The next run reads the rest.
                return false;
            }
            if let Ok(assignment) = self.consumer.assignment() {
                is_paused |= self.consumer.pause(&assignment).is_ok();
            }
            // Serves rebalances; a record may still be on its way.
            if let Some(Ok(message)) = self.consumer.poll(WAIT) {
                take(self.shared, partition_of(&mut self.last, &message), &message);
            }
            self.attend();
        }
        if is_paused && let Ok(assignment) = self.consumer.assignment() {
            let _ = self.consumer.resume(&assignment);
        }
        true
    }

    /// Passes on what was read, if there is room; returns whether that is all.
    fn offer(&mut self) -> bool {
        loop {
            let Some((partition, mut batch, next)) = locked(&self.shared.pending).take() else {
                return true;
            };
            let ticket = Arc::<AtomicU64>::default();
            let saved = locked(&self.shared.progress).saved(&partition, next);
            (batch.cursor, batch.ticket) = (Some(saved.to_string()), Some(Arc::clone(&ticket)));
            match self.outgoing.send_within(batch, ROOM) {
                None => locked(&self.shared.progress).sent(&partition, next, ticket),
                Some(batch) => {
                    locked(&self.shared.pending).put_back(partition, (batch, next));
                    return false;
                }
            }
        }
    }

    /// Commits what is safe, now and then, and looks for topics that were missing.
    fn attend(&mut self) {
        self.shared.settle();
        if self.committed.elapsed() >= self.topics.commit_every {
            self.committed = Stopwatch::start();
            let offsets = locked(&self.shared.progress).to_commit();
            if !offsets.is_empty() {
                let outcome = self.consumer.commit(&list_of(&offsets), CommitMode::Async);
                if let Err(error) = outcome {
                    self.shared.committed(Err(error), &offsets);
                }
            }
        }
        if self.shared.has_error(ErrorSubject::Topics) && self.asked.elapsed() >= MISSING {
            self.asked = Stopwatch::start();
            self.look_for_topics();
        }
    }

    fn look_for_topics(&self) {
        let is_missing = |topic: &&String| {
            let metadata = self.consumer.fetch_metadata(Some(topic), ASKING);
            metadata.is_ok_and(|all| {
                !all.topics().iter().any(|it| it.name() == **topic && !it.partitions().is_empty())
            })
        };
        match self.topics.topics.iter().find(is_missing) {
            Some(topic) => {
                let what = format!("the topic {topic} does not exist yet");
                self.shared.set_error(ErrorSubject::Topics, what);
            }
            None => self.shared.clear_error(ErrorSubject::Topics),
        }
    }

    /// Whether a run that ends is done.
    fn is_over(&self) -> bool {
        let progress = locked(&self.shared.progress);
        if progress.is_done() {
            return true;
        }
        let is_late = self.begun.elapsed() >= JOINING + self.topics.session_timeout;
        if is_late && !progress.has_joined {
            drop(progress);
            self.shared.set_error(ErrorSubject::Client, "the group assigned no partitions in time");
            return true;
        }
        false
    }

    /// Takes an error; returns it if the client can't go on.
    fn failed(&self, error: &KafkaError) -> Option<String> {
        match error {
            KafkaError::PartitionEOF(number) => {
                // Pass on the last records first: the end counts after them.
                locked(&self.shared.progress).ended(*number);
                return None;
            }
            KafkaError::MessageConsumptionFatal(code) => {
                let why = self.consumer.client().fatal_error().map(|(_, why)| why);
                return Some(why.unwrap_or_else(|| words(*code)));
            }
            _ => {}
        }
        // The callbacks have recorded the error.
        if error.rdkafka_error_code().is_some_and(is_unreadable) {
            self.outgoing.count(Count::Unreadable, 1);
        }
        None
    }
}

/// Takes a record.
fn take(shared: &Shared, partition: &Partition, message: &BorrowedMessage<'_>) {
    let (offset, time) = (message.offset(), message.timestamp().to_millis());
    let text = message.payload().unwrap_or_default();
    let has_lines = locked(&shared.pending).add(partition, offset, text, time);
    shared.handle.count(Count::Records, 1);
    shared.handle.count(Count::Empty, u64::from(!has_lines));
    shared.clear_error(ErrorSubject::Reading);
    shared.clear_error(ErrorSubject::Client);
}

fn partition_of<'l>(last: &'l mut Partition, message: &BorrowedMessage<'_>) -> &'l Partition {
    if *last.topic != *message.topic() || last.number != message.partition() {
        *last = Partition { topic: message.topic().into(), number: message.partition() };
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> Partition {
        Partition { topic: "logs".into(), number }
    }

    #[test]
    fn records_become_lines_with_offsets() {
        let mut pending = Pending::default();
        assert!(pending.add(&partition(0), 7, b"one\ntwo\n", Some(1000)));
        assert!(!pending.add(&partition(0), 8, b"", None));
        assert!(pending.add(&partition(1), 3, b"x", None));
        assert!(pending.add(&partition(0), 10, b"three", Some(-1)));
        let (of, batch, next) = pending.take().unwrap();
        assert_eq!((of, next), (partition(0), 11));
        assert_eq!(batch.bytes, b"one\ntwo\nthree\n");
        assert_eq!(batch.records, [(0, 7), (2, 10)]);
        let records: Vec<_> = (0..3).map(|line| batch.record_of(line)).collect();
        assert_eq!(records, [Some((7, 0)), Some((7, 0)), Some((10, 2))]);
        assert_eq!(batch.part.as_deref(), Some("logs/0"));
        assert_eq!(&*batch.lines[0].peer, "logs/0");
        assert_eq!(batch.lines[0].time, Some(Timestamp(1_000_000)));
        // Put back, it comes before what was read later.
        assert!(pending.add(&partition(0), 11, b"four\nfive", None));
        pending.put_back(partition(0), (batch, next));
        let (_, batch, next) = pending.take().unwrap();
        assert_eq!((&batch.bytes[..], next), (&b"one\ntwo\nthree\nfour\nfive\n"[..], 12));
        assert_eq!(batch.record_of(4), Some((11, 3)));
        assert_eq!(&batch.bytes[batch.lines[4].start..], b"five\n");
        pending.forget(&[partition(1)]);
        assert!(pending.take().is_none() && pending.bytes == 0);
    }
}
