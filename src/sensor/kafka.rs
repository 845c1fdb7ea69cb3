//! How to reach Kafka's brokers: what the input and the sink have in common.
//!
//! The protocol is librdkafka's, a C library that `rdkafka` builds and links statically. It has
//! threads of its own, which reconnect by themselves.

use crate::sensor::secret::Credential;
use crate::{Error, Result};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Reads certificates to trust, in PEM form.
pub type Roots = Arc<dyn Fn() -> Result<Vec<u8>> + Send + Sync>;

/// How to connect to a cluster.
#[derive(Clone)]
pub struct Access {
    /// Bootstrap brokers, `HOST:PORT`.
    pub brokers: Vec<String>,
    /// `None` for connections in plain text.
    pub tls: Option<Tls>,
    /// `None` for no authentication.
    pub login: Option<Login>,
    /// Properties of librdkafka. They may override its defaults, but nothing that is set here.
    pub properties: Vec<(String, String)>,
}

/// TLS settings.
#[derive(Clone)]
pub struct Tls {
    /// Which certificates to trust; `None` for those of the system.
    pub roots: Option<Roots>,
    /// Our certificate with its chain, and its key, in PEM form.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate is accepted.
    pub insecure: bool,
}

/// A user.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: Credential,
    /// The mechanism of SASL, such as `SCRAM-SHA-512`.
    pub mechanism: &'static str,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

impl Access {
    /// Plain connections to these brokers.
    pub fn plain(brokers: Vec<String>) -> Access {
        Access { brokers, tls: None, login: None, properties: Vec::new() }
    }

    /// The configuration of a client. `defaults` may be overridden by [`Access::properties`].
    ///
    /// # Errors
    ///
    /// If the password or a certificate can't be read.
    pub(in crate::sensor) fn client(&self, defaults: &[(&str, &str)]) -> Result<ClientConfig> {
        let mut config = ClientConfig::new();
        for (name, value) in defaults {
            config.set(*name, *value);
        }
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config.set("bootstrap.servers", self.brokers.join(","));
        config.set("client.id", "wiresift");
        let protocol = match (&self.login, &self.tls) {
            (None, None) => "plaintext",
            (None, Some(_)) => "ssl",
            (Some(_), None) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        if let Some(tls) = &self.tls {
            set_tls(tls, &mut config)?;
        }
        if let Some(login) = &self.login {
            config.set("sasl.mechanism", login.mechanism);
            config.set("sasl.username", &login.user);
            config.set("sasl.password", login.password.read()?.reveal());
        }
        Ok(config)
    }

    /// Asks a broker for topics, and returns those that don't exist.
    ///
    /// # Errors
    ///
    /// If the configuration is invalid, or no broker answers in time.
    pub fn missing(&self, topics: &[String], max: Duration) -> Result<Vec<String>> {
        let client: BaseConsumer = self.client(&[])?.create().map_err(|e| created(&e))?;
        let mut missing = Vec::new();
        for topic in topics {
            let metadata = client.fetch_metadata(Some(topic), max).map_err(|error| {
                Error::timed_out(format!("no broker answers: {}", reason(&error)))
                    .remedy(format!("check brokers: {}", self.brokers.join(", ")))
            })?;
            let is_there = |it: &rdkafka::metadata::MetadataTopic| {
                it.name() == topic && !it.partitions().is_empty()
            };
            if !metadata.topics().iter().any(is_there) {
                missing.push(topic.clone());
            }
        }
        Ok(missing)
    }
}

fn set_tls(tls: &Tls, config: &mut ClientConfig) -> Result<()> {
    if let Some(roots) = &tls.roots {
        config.set("ssl.ca.pem", String::from_utf8_lossy(&roots()?));
    }
    if let Some((certificate, key)) = &tls.client {
        config.set("ssl.certificate.location", certificate.to_string_lossy());
        config.set("ssl.key.location", key.to_string_lossy());
    }
    if tls.insecure {
        config.set("enable.ssl.certificate.verification", "false");
    }
    Ok(())
}

/// The error of a client that can't be created: a property is unknown or invalid.
pub(in crate::sensor) fn created(error: &KafkaError) -> Error {
    match error {
        // The value may be a password.
        KafkaError::ClientConfig(_, why, name, _) => {
            Error::usage(format!("property {name}: {why}"))
                .remedy("see librdkafka's CONFIGURATION.md for the properties and their values")
        }
        KafkaError::ClientCreation(why) => Error::usage(format!("invalid Kafka settings: {why}")),
        other => Error::usage(format!("invalid Kafka settings: {other}")),
    }
}

/// Why something failed, in librdkafka's words.
pub(in crate::sensor) fn reason(error: &KafkaError) -> String {
    match error.rdkafka_error_code() {
        Some(code) => words(code),
        None => error.to_string(),
    }
}

/// The text of a code: `UnknownTopic (Local: Unknown topic)` without the name of the variant.
pub(in crate::sensor) fn words(code: RDKafkaErrorCode) -> String {
    let text = code.to_string();
    match text.split_once(" (") {
        Some((_, words)) => words.strip_suffix(')').unwrap_or(words).to_string(),
        None => text,
    }
}
