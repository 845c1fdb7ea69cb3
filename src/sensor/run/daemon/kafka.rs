//! Kafka, from the configuration to clients.

use super::convert::client_tls;
use super::followed::KAFKA;
use crate::sensor::checkpoint::CheckpointState;
use crate::sensor::config::{
    self, From, KafkaAccess, KafkaCompression, KafkaInput, KafkaKey, KafkaMechanism, KafkaSink,
};
use crate::sensor::deliver::{Kafka, KafkaSettings, Key, Pace};
use crate::sensor::input::net::NetInput;
use crate::sensor::input::net::kafka::Topics;
use crate::sensor::kafka::{Access, Login, Roots, Tls};
use crate::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

/// How long a check waits for a broker.
const CHECK: Duration = Duration::from_secs(10);

/// How to connect.
fn access(of: &KafkaAccess) -> Access {
    let login = of.user.clone().zip(of.password.clone());
    Access {
        brokers: of.brokers.iter().map(ToString::to_string).collect(),
        tls: of.tls.then(|| tls(&of.trust)),
        login: login.map(|(user, password)| Login {
            user,
            password,
            mechanism: match of.mechanism {
                KafkaMechanism::Plain => "PLAIN",
                KafkaMechanism::ScramSha256 => "SCRAM-SHA-256",
                KafkaMechanism::ScramSha512 => "SCRAM-SHA-512",
            },
        }),
        properties: of.properties.clone(),
    }
}

fn tls(of: &config::ClientTls) -> Tls {
    let settings = client_tls(of);
    let (client, insecure) = (settings.client.clone(), settings.insecure);
    // The system's are OpenSSL's default.
    let roots = of.ca_file.is_some().then(|| Arc::new(move || settings.pem_roots()) as Roots);
    Tls { roots, client, insecure }
}

/// The name in commits of an input's offsets.
pub(super) fn cursor_name(input: &str) -> String {
    format!("{KAFKA}{input}")
}

/// Begins to read topics.
///
/// # Errors
///
/// Those of [`Topics::start`].
pub(super) fn read(
    name: &str,
    of: &KafkaInput,
    state: &CheckpointState,
    once: bool,
) -> Result<NetInput> {
    let prefix = cursor_name(name) + "/";
    let saved = state.others.iter().filter_map(|(key, value)| {
        let part = key.strip_prefix(&prefix)?;
        Some((part.to_string(), String::from_utf8_lossy(value).into_owned()))
    });
    let topics = Topics {
        access: access(&of.access),
        topics: of.topics.clone(),
        group: of.group.clone(),
        instance: of.instance.clone(),
        from_end: of.from == From::End,
        session_timeout: of.session_timeout,
        commit_every: of.commit_every,
        saved: saved.collect(),
        once,
    };
    topics.start()
}

/// The client of a sink.
///
/// # Errors
///
/// If a secret or a certificate can't be read, or a property is invalid.
pub(super) fn deliver(to: &KafkaSink, pace: Pace) -> Result<Kafka> {
    let settings = KafkaSettings {
        access: access(&to.access),
        topic: to.topic.clone(),
        format: to.format,
        compression: match to.compression {
            KafkaCompression::None => "none",
            KafkaCompression::Gzip => "gzip",
            KafkaCompression::Snappy => "snappy",
            KafkaCompression::Lz4 => "lz4",
            KafkaCompression::Zstd => "zstd",
        },
        max_message: to.max_message,
        key: match to.key {
            KafkaKey::Value => Key::Value,
            KafkaKey::Id => Key::Id,
            KafkaKey::None => Key::None,
        },
    };
    Kafka::new(settings, pace)
}

/// Asks the brokers for topics, for a check of the configuration; waits for them at most 10
/// seconds. Returns the topics that don't exist.
///
/// # Errors
///
/// If a setting is invalid, a secret can't be read, or no broker answers.
pub fn missing_topics(of: &KafkaAccess, topics: &[String]) -> Result<Vec<String>> {
    missing(of, topics, CHECK)
}

/// The same, with another time to wait.
///
/// # Errors
///
/// Those of [`missing_topics`].
pub(super) fn missing(of: &KafkaAccess, topics: &[String], max: Duration) -> Result<Vec<String>> {
    if (of.tls || of.user.is_some()) && !cfg!(feature = "kafka-tls") {
        return Err(Error::usage("wiresift was built without the feature kafka-tls"));
    }
    access(of).missing(topics, max)
}
