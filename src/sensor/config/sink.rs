//! `[[sink]]`: where alerts go.

use super::field::{Flat, Or, Pairs};
use super::filter::Filter;
use super::form::Flag;
use super::input::{ReadContext, elsewhere, read_common, read_kind};
use super::reader::Reader;
use super::table::{Table as _, kinds, table};
use toml::de::DeTable;

mod collectors;
mod delivery;
mod exchange;
mod local;
mod people;
mod syslog;

pub use collectors::{ElasticsearchSink, KafkaCompression, KafkaKey, KafkaSink, SplunkSink};
pub(super) use delivery::is_https;
pub use delivery::{ClientTls, Delivery};
pub use exchange::ExchangeSink;
pub use local::{FileSink, StdoutSink, UnixSink};
pub use people::{MailSink, MailTls, WebhookForm, WebhookSink};
pub use syslog::{Framing, SyslogSink};

kinds! {
    /// The kinds of sinks, with their specific settings.
    pub enum SinkKind {
        /// A file.
        File(FileSink) = "file",
        /// Standard output.
        Stdout(StdoutSink) = "stdout",
        /// A socket on this machine.
        Unix(UnixSink) = "unix",
        /// A syslog receiver.
        Syslog(SyslogSink) = "syslog",
        /// A webhook.
        Webhook(WebhookSink) = "webhook",
        /// Mail.
        Mail(MailSink) = "mail",
        /// Elasticsearch or OpenSearch.
        Elasticsearch(ElasticsearchSink) = "elasticsearch",
        /// Splunk.
        Splunk(SplunkSink) = "splunk",
        /// A Kafka topic.
        Kafka(KafkaSink) = "kafka",
        /// An exchange.
        Exchange(ExchangeSink) = "exchange",
    }
}

/// A `[[sink]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Its name in metrics, messages and the spool, unique among sinks.
    pub name: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Whether it also gets the alerts that suppression holds back, marked as such.
    pub suppressed: bool,
    /// Which alerts it gets.
    pub filter: Filter,
    /// What it sends to.
    pub kind: SinkKind,
}

table! {
    /// The keys of every sink, besides its name.
    pub(super) struct SinkCommon {
        /// Whether it also gets the alerts that suppression holds back, marked as such: for an
        /// archive.
        suppressed: bool = Or(Flag, false);
        /// Which alerts it gets.
        filter: Filter = Flat::by(());
    }
}

impl Sink {
    /// Reads a table. Returns `None` if something is invalid, after reporting it.
    pub(super) fn read(
        table: &DeTable<'_>,
        at: usize,
        context: &mut ReadContext<'_, '_>,
    ) -> Option<Self> {
        let mut reader = Reader::new(table, at, "sink", context.parsing);
        let kind = read_kind(&mut reader, SinkKind::NAMES);
        let common = read_common(&mut reader, "sink", kind);
        let more = SinkCommon::read(&(), &mut reader);
        let read = kind.and_then(|kind| SinkKind::read(kind, &mut reader));
        if let Some(more) = &more {
            more.filter.check(&mut reader);
        }
        if let Some(common) = &common {
            context.places.remember("sink", &common.name, at, &reader);
        }
        if kind.is_some() {
            reader.finish(|key| elsewhere(&SinkKind::tables(), key));
        }
        let (common, more) = (common?, more?);
        Some(Sink {
            name: common.name,
            enabled: common.enabled,
            suppressed: more.suppressed,
            filter: more.filter,
            kind: read?,
        })
    }

    /// How alerts are sent; `None` for files and standard output, which are written directly.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.kind {
            SinkKind::File(_) | SinkKind::Stdout(_) => None,
            SinkKind::Unix(sink) => Some(&sink.delivery),
            SinkKind::Syslog(sink) => Some(&sink.delivery),
            SinkKind::Webhook(sink) => Some(&sink.delivery),
            SinkKind::Mail(sink) => Some(&sink.delivery),
            SinkKind::Elasticsearch(sink) => Some(&sink.delivery),
            SinkKind::Splunk(sink) => Some(&sink.delivery),
            SinkKind::Kafka(sink) => Some(&sink.delivery),
            SinkKind::Exchange(sink) => Some(&sink.delivery),
        }
    }

    /// Its TLS settings; `None` if nothing is sent over a network.
    pub fn tls(&self) -> Option<&ClientTls> {
        match &self.kind {
            SinkKind::File(_) | SinkKind::Stdout(_) | SinkKind::Unix(_) => None,
            SinkKind::Syslog(sink) => Some(&sink.tls),
            SinkKind::Webhook(sink) => Some(&sink.tls),
            SinkKind::Mail(sink) => Some(&sink.trust),
            SinkKind::Elasticsearch(sink) => Some(&sink.tls),
            SinkKind::Splunk(sink) => Some(&sink.tls),
            SinkKind::Kafka(sink) => Some(&sink.access.trust),
            SinkKind::Exchange(sink) => Some(&sink.tls),
        }
    }

    /// Its keys and values in TOML.
    pub(super) fn pairs(&self) -> Pairs {
        let text = |name: &str, value: &str| (name.to_string(), super::form::write_text(value));
        let mut pairs = vec![text("name", &self.name), text("kind", self.kind.name())];
        pairs.push(("enabled".into(), self.enabled.to_string()));
        pairs.push(("suppressed".into(), self.suppressed.to_string()));
        pairs.extend(self.filter.pairs(&()));
        pairs.extend(self.kind.pairs());
        pairs
    }

    /// What would run, in plain English.
    pub(super) fn describe(&self) -> String {
        let mut text = format!("{} ({}): ", self.name, self.kind.name());
        text += &self.kind.describe();
        if let Some(delivery) = self.delivery() {
            text += &format!(", in {}", delivery.describe());
        }
        text += &self.filter.describe();
        if self.suppressed {
            text += "; also alerts that suppression holds back";
        }
        text
    }
}
