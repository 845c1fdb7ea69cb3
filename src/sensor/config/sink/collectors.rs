//! Sinks that can be searched: Elasticsearch, Splunk, Kafka.

use super::delivery::{Batches, ClientTls, Delivery, is_https};
use super::local::formats_of_records;
use crate::engine::alert::Format;
use crate::sensor::config::field::{Flat, Optional, Or, Required, Secret};
use crate::sensor::config::form::{
    Flag, Size, Text, Url, host_of, is_local, kib, line, mib, seconds, word, words,
};
use crate::sensor::config::input::KafkaAccess;
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::{Kind, table};
use crate::sensor::secret::Credential;

table! {
    /// Sends ECS documents to Elasticsearch or OpenSearch (`_bulk`), each once, with the id of the
    /// alert.
    pub struct ElasticsearchSink {
        /// The cluster, without `/_bulk`.
        url: String = Required(Url);
        /// The index or data stream.
        index: String = Or(index(), "wiresift-alerts".to_string());
        /// The variable that holds the API key.
        key: Option<Credential> = Secret { is_required: false };
        /// The user, for basic authentication instead of a key.
        user: Option<String> = Optional(line("a user", "wiresift"));
        /// The variable that holds the user's password.
        password: Option<Credential> = Secret { is_required: false };
        /// Whether to compress requests with gzip.
        gzip: bool = Or(Flag, true);
        /// TLS settings.
        tls: ClientTls = Flat::by(());
        /// Batches and the spool.
        delivery: Delivery = Flat::by(Batches { records: 1000, size: mib(5), age: seconds(1) });
    }
}

/// The name of an index.
fn index() -> Text {
    let is_right = |text: &str| {
        let is_bad = |c: char| c.is_uppercase() || c.is_control() || "\\/*?\"<>| ,#:".contains(c);
        let is_odd = text.is_empty() || text.len() > 255 || text.starts_with(['-', '_', '+', '.']);
        !is_odd && !text.chars().any(is_bad)
    };
    Text { what: "an index name, in lower case", example: "wiresift-alerts", is_right }
}

/// Reports a secret that could be intercepted.
pub(super) fn check_clear(url: &str, has_secret: bool, reader: &mut Reader<'_, '_>) {
    if has_secret && !is_https(url) && !is_local(host_of(url)) {
        reader.wrong("url", "the secret would be sent in plain text", "use https://");
    }
}

impl Kind for ElasticsearchSink {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        let key = if reader.has("key_env") { "key_env" } else { "key_file" };
        let password = if reader.has("password_env") { "password_env" } else { "password_file" };
        if self.key.is_some() && (self.user.is_some() || self.password.is_some()) {
            let other = if self.user.is_some() { "user" } else { password };
            reader.conflict(key, other, "use either a key or a password");
        } else if self.user.is_some() != self.password.is_some() {
            let (key, remedy) = match self.user {
                Some(_) => ("user", "set password_env or password_file"),
                None => (password, "set user"),
            };
            reader.wrong(key, "user and password must be set together", remedy);
        }
        check_clear(&self.url, self.key.is_some() || self.password.is_some(), reader);
        self.tls.check(is_https(&self.url), "use https://", reader);
    }

    fn describe(&self) -> String {
        format!("sends ECS documents to {}, index {}", self.url, self.index)
    }
}

table! {
    /// Sends to Splunk's HTTP Event Collector.
    pub struct SplunkSink {
        /// The collector, without `/services/collector/event`.
        url: String = Required(Url);
        /// The variable that holds the token.
        token: Option<Credential> = Secret { is_required: true };
        /// The index; default: the index of the token.
        index: Option<String> = Optional(line("an index name", "security"));
        /// The source type.
        sourcetype: String = Or(line("a source type", "wiresift:alert"), "wiresift:alert".to_string());
        /// Whether to wait until the indexers have a batch on disk; the token has to allow it.
        acks: bool = Or(Flag, false);
        /// Whether to compress requests with gzip.
        gzip: bool = Or(Flag, true);
        /// TLS settings.
        tls: ClientTls = Flat::by(());
        /// Batches and the spool.
        delivery: Delivery = Flat::by(Batches { records: 1000, size: mib(1), age: seconds(1) });
    }
}

impl Kind for SplunkSink {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        check_clear(&self.url, true, reader);
        self.tls.check(is_https(&self.url), "use https://", reader);
    }

    fn describe(&self) -> String {
        let index = self.index.as_ref().map(|index| format!(", index {index}"));
        let acks = if self.acks { ", with acknowledgements" } else { "" };
        format!("sends to Splunk at {}{}{acks}", self.url, index.unwrap_or_default())
    }
}

words! {
    /// What the key of a message for Kafka is.
    pub enum KafkaKey {
        /// The observed value.
        Value = "value",
        /// The alert's id.
        Id = "id",
        /// None.
        None = "none",
    }
}

words! {
    /// How messages for Kafka are compressed.
    pub enum KafkaCompression {
        /// Uncompressed.
        None = "none",
        /// gzip.
        Gzip = "gzip",
        /// Snappy.
        Snappy = "snappy",
        /// LZ4.
        Lz4 = "lz4",
        /// Zstandard.
        Zstd = "zstd",
    }
}

table! {
    /// Sends to a Kafka topic, each alert once per session (`acks=all`, idempotence); the header `id`
    /// of a message is the id of its alert. Requires a build with the feature `kafka`.
    pub struct KafkaSink {
        /// How to connect to the brokers.
        access: KafkaAccess = Flat::by(());
        /// The topic.
        topic: String = Required(crate::sensor::config::input::topic());
        /// The format of alerts.
        format: Format = Or(formats_of_records(), Format::Json);
        /// How messages are compressed.
        compression: KafkaCompression = Or(word(), KafkaCompression::Lz4);
        /// What the key of a message is, and so which messages are in one partition, in order.
        key: KafkaKey = Or(word(), KafkaKey::Value);
        /// The largest message before compression (`message.max.bytes`). Larger alerts become dead
        /// letters.
        max_message: u64 = Or(Size(kib(1)..=mib(256)), mib(1));
        /// Batches and the spool.
        delivery: Delivery = Flat::by(Batches { records: 10_000, size: mib(1), age: seconds(1) });
    }
}

impl Kind for KafkaSink {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        self.access.check(reader);
    }

    fn describe(&self) -> String {
        let (format, brokers) = (self.format.name(), self.access.describe());
        format!("sends {format} to the topic {} of {brokers}", self.topic)
    }
}
