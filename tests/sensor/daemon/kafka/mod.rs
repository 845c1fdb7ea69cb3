//! Kafka, against librdkafka's mock cluster, and against Tansu, a broker of others.

mod groups;
mod input;
mod sink;
mod tansu;

use super::{LIMIT, Post, wait_for};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wiresift::clock::Stopwatch;

/// How long a request of a test may take.
const REQUEST: Duration = Duration::from_secs(30);

/// A cluster inside of the test.
struct Cluster {
    mock: MockCluster<'static, DefaultProducerContext>,
    brokers: String,
}

impl Cluster {
    fn new(topics: &[(&str, i32)]) -> Cluster {
        let mock = MockCluster::new(1).unwrap();
        for (topic, partitions) in topics {
            mock.create_topic(topic, *partitions, 1).unwrap();
        }
        let brokers = mock.bootstrap_servers();
        Cluster { mock, brokers }
    }
}

/// A producer for tests, whose messages are there when a call returns.
struct Sender {
    producer: BaseProducer,
}

impl Sender {
    fn new(brokers: &str, codec: &str) -> Sender {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("compression.type", codec)
            .create();
        Sender { producer: producer.unwrap() }
    }

    /// Sends these values; `None` is a tombstone.
    fn send(&self, topic: &str, partition: i32, values: &[Option<&str>]) {
        for value in values {
            let mut record = BaseRecord::<str, str>::to(topic).partition(partition).key("k");
            record.payload = *value;
            self.put(record);
        }
        self.producer.flush(REQUEST).unwrap();
    }

    /// Sends a line that matches the database for each number, spread over the partitions.
    fn numbers(&self, topic: &str, partitions: i32, numbers: std::ops::Range<u64>) {
        for n in numbers {
            let line = format!("{n} query for host{n}.evil.example");
            let partition = i32::try_from(n % u64::try_from(partitions).unwrap()).unwrap();
            self.put(BaseRecord::<str, str>::to(topic).partition(partition).payload(&line));
        }
        self.producer.flush(REQUEST).unwrap();
    }

    fn put(&self, record: BaseRecord<'_, str, str>) {
        let mut record = record;
        loop {
            match self.producer.send(record) {
                Ok(()) => return,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    self.producer.poll(Duration::from_millis(10));
                    record = back;
                }
                Err((error, _)) => panic!("{error}"),
            }
        }
    }
}

/// A message, as read by others: key, the header `id`, value.
struct Received {
    partition: i32,
    key: Option<String>,
    id: Option<String>,
    value: Value,
}

/// Reads this many messages of a topic from its beginning.
#[track_caller]
fn receive(brokers: &str, topic: &str, partitions: i32, count: usize) -> Vec<Received> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut all, began) = (Vec::new(), Stopwatch::start());
    while all.len() < count {
        assert!(began.elapsed() < LIMIT, "{} of {count} messages", all.len());
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let id = message
            .headers()
            .and_then(|headers| headers.iter().find(|header| header.key == "id")?.value.map(text));
        all.push(Received {
            partition: message.partition(),
            key: message.key().map(text),
            id,
            value: serde_json::from_slice(message.payload().unwrap()).unwrap(),
        });
    }
    all
}

/// The offset that a group has committed.
fn committed(brokers: &str, group: &str, topic: &str, partition: i32) -> Option<i64> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let list = consumer.committed_offsets(list, REQUEST).ok()?;
    list.elements().first().and_then(|it| match it.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    })
}

/// The tables of an input, with a session that is short and still bears a busy machine.
fn input(brokers: &str, topic: &str) -> String {
    format!(
        "[suppress]\nenabled = false\n\n[[input]]\nkind = \"kafka\"\nbrokers = \"{brokers}\"\n\
         topics = \"{topic}\"\ngroup = \"sensors\"\nsession_timeout = \"6s\"\n\
         commit_every = \"200ms\"\n\
         properties = {{ \"topic.metadata.refresh.interval.ms\" = 500 }}\n\n\
         [[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"
    )
}

/// The tables of a sink for the alerts of logs.
fn sink(brokers: &str, topic: &str, rest: &str) -> String {
    format!(
        "[suppress]\nenabled = false\n\n[[input]]\nkind = \"files\"\npatterns = \"logs/*.log\"\n\n\
         [[sink]]\nkind = \"kafka\"\nbrokers = \"{brokers}\"\ntopic = \"{topic}\"\n\
         batch_age = \"50ms\"\n{rest}\n"
    )
}

/// The ids of alerts.
fn ids(alerts: &[Value]) -> Vec<String> {
    alerts.iter().map(|alert| alert["id"].as_str().unwrap().to_string()).collect()
}

/// How often each id occurs in all of them.
fn ids_of(posts: &[&Post]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for post in posts {
        for id in ids(&post.alerts("alerts.json")) {
            *counts.entry(id).or_default() += 1;
        }
    }
    counts
}

/// The numbers of all lines that have an alert in any of them.
fn numbers_of(posts: &[&Post]) -> BTreeSet<u64> {
    posts.iter().flat_map(|post| post.numbers("alerts.json").into_keys()).collect()
}
