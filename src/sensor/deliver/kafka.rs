//! A Kafka topic: one message for each record.
//!
//! The client keeps a message until a broker has it, however long that takes, and sends it again
//! under the same number, so that it is there once and in order (`acks=all`, idempotence). So a
//! record that was handed to it is not handed over again when the attempt times out: the next
//! attempt waits for the same message.

use super::contract::{Class, Deliver, DeliveryError, Outcome, Verdict};
use super::pace::Pace;
use super::reading::Reading;
use crate::Result;
use crate::clock::Stopwatch;
use crate::engine::alert::Format;
use crate::sensor::kafka::{Access, created, words};
use crate::sensor::spool::RecordRef;
use hashbrown::HashMap;
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often to look for reports.
const ROUND: Duration = Duration::from_millis(5);

/// The header that has the alert's id.
const ID: &str = "id";

/// What the key of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The observed value: the alerts of one value are in one partition, in order.
    Value,
    /// The alert's id.
    Id,
    /// None: messages are spread over the partitions.
    None,
}

/// The settings of a Kafka sink.
#[derive(Clone, Debug)]
pub struct KafkaSettings {
    /// How to connect.
    pub access: Access,
    /// The topic.
    pub topic: String,
    /// The format of alerts.
    pub format: Format,
    /// librdkafka's name of the compression.
    pub compression: &'static str,
    /// The largest message, in bytes; larger ones are refused.
    pub max_message: u64,
    /// What the key is.
    pub key: Key,
}

/// Sends records to a topic.
pub struct Kafka {
    settings: KafkaSettings,
    pace: Pace,
    /// `None` until the first batch, and after a fatal error.
    client: Option<Client>,
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kafka").field("settings", &self.settings).finish_non_exhaustive()
    }
}

struct Client {
    producer: BaseProducer<ProducerCallbacks>,
    reports: Arc<Mutex<Reports>>,
    /// Messages that the client has, or had when it last reported, by the ids of their records.
    numbers: HashMap<[u8; 16], usize>,
    last: usize,
}

/// What the client reported.
#[derive(Default)]
struct Reports {
    /// The outcome of each message, by its number.
    done: HashMap<usize, std::result::Result<(), Code>>,
    /// The last error of the client itself.
    error: Option<(Code, String)>,
}

struct ProducerCallbacks(Arc<Mutex<Reports>>);

fn locked(of: &Mutex<Reports>) -> MutexGuard<'_, Reports> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for ProducerCallbacks {
    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            locked(&self.0).error = Some((code, reason.to_string()));
        }
    }
}

impl ProducerContext for ProducerCallbacks {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let outcome = match result {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(error.rdkafka_error_code().unwrap_or(Code::Unknown)),
        };
        locked(&self.0).done.insert(number, outcome);
    }
}

impl Kafka {
    /// A client that connects with the first batch.
    ///
    /// # Errors
    ///
    /// If a property is invalid, or a secret or certificate can't be read.
    pub fn new(settings: KafkaSettings, pace: Pace) -> Result<Kafka> {
        let mut kafka = Kafka { settings, pace, client: None };
        kafka.client()?;
        kafka.client = None;
        Ok(kafka)
    }

    fn client(&mut self) -> Result<&mut Client> {
        let client = match self.client.take() {
            Some(client) => client,
            None => Client::new(self.config()?)?,
        };
        Ok(self.client.insert(client))
    }

    fn config(&self) -> Result<ClientConfig> {
        let mut config = self.settings.access.client(&[])?;
        for (name, value) in [
            ("acks", "all"),
            ("enable.idempotence", "true"),
            // The spool keeps what can't be sent, for as long as it takes.
            ("message.timeout.ms", "0"),
            ("compression.type", self.settings.compression),
            ("message.max.bytes", &self.settings.max_message.to_string()),
        ] {
            config.set(name, value);
        }
        Ok(config)
    }

    /// Hands the records over that the client doesn't have yet, and waits for the reports. Returns
    /// the outcome of each; `None` if it isn't known in time.
    fn send(&mut self, batch: &[RecordRef<'_>], since: &Stopwatch) -> Vec<Option<Sent>> {
        let Some(client) = &mut self.client else { return vec![None; batch.len()] };
        let left = || self.pace.left(since, self.pace.timeouts().request);
        let mut outcomes: Vec<Option<Sent>> = Vec::with_capacity(batch.len());
        for record in batch {
            let mut outcome = client.offer(&self.settings, record);
            while outcome == Err(Code::QueueFull) && !left().is_zero() {
                client.producer.poll(ROUND);
                outcome = client.offer(&self.settings, record);
            }
            outcomes.push(outcome.err().map(Err));
        }
        loop {
            let mut is_waiting = false;
            for (record, outcome) in batch.iter().zip(&mut outcomes) {
                *outcome = outcome.take().or_else(|| client.outcome(record));
                is_waiting |= outcome.is_none();
            }
            if !is_waiting || left().is_zero() || client.fatal().is_some() {
                return outcomes;
            }
            client.producer.poll(ROUND);
        }
    }

    /// Sends each record of a batch by itself, if it was refused only because the whole batch is
    /// larger than the topic allows.
    fn alone(&mut self, batch: &[RecordRef<'_>], outcomes: &mut [Option<Sent>]) {
        for (record, outcome) in batch.iter().zip(outcomes) {
            if matches!(outcome, Some(Err(code)) if is_too_large(*code)) && batch.len() > 1 {
                if let Some(client) = &mut self.client {
                    client.forget(record);
                }
                let again = self.send(std::slice::from_ref(record), &Stopwatch::start());
                *outcome = again.into_iter().next().flatten();
            }
        }
    }

    /// Why records are not there yet.
    fn delivery_error(&self) -> DeliveryError {
        let error = self.client.as_ref().and_then(|client| locked(&client.reports).error.clone());
        match error {
            Some((code, reason)) => DeliveryError::new(class(code), reason),
            None => DeliveryError::new(Class::TimedOut, "no broker has acknowledged in time"),
        }
    }
}

/// The outcome of a message.
type Sent = std::result::Result<(), Code>;

impl Client {
    fn new(config: ClientConfig) -> Result<Client> {
        let reports = Arc::<Mutex<Reports>>::default();
        let context = ProducerCallbacks(Arc::clone(&reports));
        let producer = config.create_with_context(context).map_err(|e| created(&e))?;
        Ok(Client { producer, reports, numbers: HashMap::new(), last: 0 })
    }

    /// Hands a record over, unless the client has it.
    fn offer(&mut self, settings: &KafkaSettings, record: &RecordRef<'_>) -> Sent {
        if self.numbers.contains_key(&record.id) {
            return Ok(());
        }
        let id = record.hex();
        let value;
        let key = match settings.key {
            Key::Value => {
                value = Reading::of(record.json).map(|it| it.seen.value.into_owned());
                value.as_deref().unwrap_or_default()
            }
            Key::Id => &*id,
            Key::None => "",
        };
        let headers = OwnedHeaders::new().insert(Header { key: ID, value: Some(&id) });
        let number = self.last + 1;
        let mut message = BaseRecord::with_opaque_to(&settings.topic, number)
            .payload(record.form(settings.format).unwrap_or_default())
            .timestamp(record.time.0.div_euclid(1000).max(0))
            .headers(headers);
        if !key.is_empty() {
            message = message.key(key);
        }
        match self.producer.send(message) {
            Ok(()) => {
                self.last = number;
                self.numbers.insert(record.id, number);
                Ok(())
            }
            Err((error, _)) => Err(error.rdkafka_error_code().unwrap_or(Code::Unknown)),
        }
    }

    /// What became of a record.
    fn outcome(&self, record: &RecordRef<'_>) -> Option<Sent> {
        let number = self.numbers.get(&record.id)?;
        locked(&self.reports).done.get(number).copied()
    }

    /// Forgets records that failed: they are no longer with the client.
    fn forget(&mut self, record: &RecordRef<'_>) {
        if let Some(number) = self.numbers.remove(&record.id) {
            locked(&self.reports).done.remove(&number);
        }
    }

    fn fatal(&self) -> Option<(Code, String)> {
        self.producer.client().fatal_error()
    }
}

impl Deliver for Kafka {
    fn format(&self) -> Format {
        self.settings.format
    }

    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        let since = Stopwatch::start();
        if let Err(error) = self.client() {
            return Outcome::again(
                batch.len(),
                DeliveryError::new(Class::Denied, error.to_string()),
            );
        }
        let mut outcomes = self.send(batch, &since);
        self.alone(batch, &mut outcomes);
        let mut outcome = Outcome::default();
        for (record, sent) in batch.iter().zip(outcomes) {
            if let (Some(Err(_)), Some(client)) = (&sent, &mut self.client) {
                client.forget(record);
            }
            outcome.verdicts.push(match sent {
                Some(Ok(())) => Verdict::Delivered,
                Some(Err(code)) if is_permanent(code) => {
                    let error = DeliveryError::new(Class::Refused, words(code));
                    outcome.error.get_or_insert(error);
                    let status = u16::try_from(code as i32).unwrap_or(0);
                    Verdict::Refused { status, reason: words(code) }
                }
                Some(Err(code)) => {
                    outcome.error = Some(DeliveryError::new(class(code), words(code)));
                    Verdict::Again
                }
                None => {
                    outcome.error.get_or_insert_with(|| self.delivery_error());
                    Verdict::Again
                }
            });
        }
        self.tidy(&outcome);
        outcome
    }

    fn renew(&mut self) {
        // Secrets are read again. What is in flight is sent again, under the same ids.
        self.client = None;
    }
}

impl Kafka {
    /// Forgets what is settled, and a client that can't go on.
    fn tidy(&mut self, outcome: &Outcome) {
        let Some(client) = &mut self.client else { return };
        if client.fatal().is_some() {
            self.client = None;
        } else if !outcome.has_again() {
            client.numbers.clear();
            let mut reports = locked(&client.reports);
            reports.done.clear();
            reports.error = None;
        }
    }
}

/// Whether no broker will ever accept a record.
fn is_permanent(code: Code) -> bool {
    is_too_large(code) || matches!(code, Code::InvalidRecord | Code::InvalidTimestamp)
}

fn is_too_large(code: Code) -> bool {
    matches!(
        code,
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidMessageSize
    )
}

fn class(code: Code) -> Class {
    match code {
        Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve => Class::Connection,
        Code::NetworkException => Class::Connection,
        Code::SSL => Class::Tls,
        Code::MessageTimedOut | Code::RequestTimedOut | Code::OperationTimedOut => Class::TimedOut,
        Code::QueueFull | Code::ThrottlingQuotaExceeded => Class::Busy,
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed => Class::Denied,
        _ => Class::Server,
    }
}
