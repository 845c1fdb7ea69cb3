//! `[[sink]]`: where alerts go.

use super::field::{Flat, Optional, Or, Pairs};
use super::filter::Filter;
use super::form::{FilePath, Flag, Number, Size, Time, days, kib, mib, ms};
use super::input::{Context, elsewhere, read_common, read_kind};
use super::reader::Reader;
use super::table::{Table as _, kinds, table};
use crate::engine::settings::{duration_text, size_text};
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeTable;

mod collectors;
mod local;
mod people;
mod syslog;

pub use collectors::{ElasticsearchSink, KafkaCompression, KafkaSink, SplunkSink};
pub use local::{FileSink, StdoutSink, UnixSink};
pub use people::{MailSink, MailTls, WebhookForm, WebhookSink};
pub use syslog::{Framing, SyslogSink};

kinds! {
    /// The kinds of sinks, with what only one kind has.
    pub enum SinkKind {
        /// A file.
        File(FileSink) = "file",
        /// Standard output.
        Stdout(StdoutSink) = "stdout",
        /// A socket on this machine.
        Unix(UnixSink) = "unix",
        /// A receiver of syslog.
        Syslog(SyslogSink) = "syslog",
        /// A webhook.
        Webhook(WebhookSink) = "webhook",
        /// Mail.
        Mail(MailSink) = "mail",
        /// Elasticsearch or OpenSearch.
        Elasticsearch(ElasticsearchSink) = "elasticsearch",
        /// Splunk.
        Splunk(SplunkSink) = "splunk",
        /// A topic of Kafka.
        Kafka(KafkaSink) = "kafka",
    }
}

/// A `[[sink]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Its name in metrics, messages and the spool; no other sink has it.
    pub name: String,
    /// Whether alerts are sent to it.
    pub enabled: bool,
    /// Whether it gets the alerts that suppression holds back, too, marked as such.
    pub suppressed: bool,
    /// Which alerts it gets.
    pub filter: Filter,
    /// What it is.
    pub kind: SinkKind,
}

table! {
    /// The keys that every sink has beside its name.
    pub(super) struct SinkCommon {
        /// Whether it gets the alerts that suppression holds back, too, marked as such: for an
        /// archive.
        suppressed: bool = Or(Flag, false);
        /// Which alerts it gets.
        filter: Filter = Flat::by(());
    }
}

/// What a batch of a kind is without further words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches {
    /// Records.
    pub(super) records: u32,
    /// Bytes.
    pub(super) size: u64,
    /// How long the first one waits.
    pub(super) age: Duration,
}

table! {
    /// Batches, and what waits in the spool while the receiver is away.
    pub struct Delivery(defaults: Batches) {
        /// The most alerts of a batch.
        batch_records: u32 = Or(Number::of(1..=100_000), defaults.records);
        /// The most bytes of a batch, before it is packed.
        batch_size: u64 = Or(Size(kib(1)..=mib(64)), defaults.size);
        /// How long an alert waits for others at most.
        batch_age: Duration = Or(Time(ms(1)..=days(1)), defaults.age);
        /// What may wait for this sink in the spool; beyond it the oldest alerts are dropped for
        /// it, and counted. Without it the spool's size counts.
        spool_size: Option<u64> = Optional(Size(mib(1)..=mib(1 << 20)));
        /// How long a connection may take to be made.
        connect_timeout: Duration = Or(Time(ms(100)..=ms(300_000)), ms(5000));
        /// How long the receiver may take to answer a batch.
        timeout: Duration = Or(Time(ms(100)..=ms(3_600_000)), ms(30_000));
    }
}

impl Delivery {
    fn describe(&self) -> String {
        let records = match self.batch_records {
            1 => "1 alert".to_string(),
            many => format!("{many} alerts"),
        };
        let mut text = format!(
            "batches of up to {records}, {} or {}",
            size_text(self.batch_size),
            duration_text(self.batch_age)
        );
        if let Some(size) = self.spool_size {
            text += &format!(", at most {} of the spool", size_text(size));
        }
        text
    }
}

table! {
    /// TLS towards a receiver. The certificates that the system trusts are trusted.
    pub struct ClientTls {
        /// Certificates in PEM form to trust beside those of the system: an authority's, or the
        /// receiver's own.
        ca_file: Option<PathBuf> = Optional(FilePath);
        /// Our certificate, in PEM form.
        client_cert: Option<PathBuf> = Optional(FilePath);
        /// The certificate's key, in PEM form.
        client_key: Option<PathBuf> = Optional(FilePath);
        /// Take any certificate. Then anybody on the way can read the alerts: each start warns.
        insecure: bool = Or(Flag, false);
    }
}

impl ClientTls {
    /// Reports what contradicts itself, and what has no effect without TLS.
    pub(super) fn check(&self, has_tls: bool, remedy: &str, reader: &mut Reader<'_, '_>) {
        let keys = ["ca_file", "client_cert", "client_key", "insecure"];
        let set =
            keys.into_iter().find(|key| reader.has(key) && (*key != "insecure" || self.insecure));
        if let (false, Some(key)) = (has_tls, set) {
            let what = format!("{key} is set, but the connection is not encrypted");
            reader.wrong(key, &what, &format!("{remedy}, or remove it"));
        }
        if self.client_cert.is_some() != self.client_key.is_some() {
            let (has, lacks) = match self.client_cert {
                Some(_) => ("client_cert", "client_key"),
                None => ("client_key", "client_cert"),
            };
            reader.wrong(has, &format!("{has} is set, but no {lacks}"), &format!("set {lacks}"));
        }
        if self.insecure && self.ca_file.is_some() {
            let why = "with insecure any certificate is taken: remove one of them";
            reader.conflict("ca_file", "insecure", why);
        }
    }
}

/// Whether a URL is one of HTTPS.
pub(super) fn is_https(url: &str) -> bool {
    url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

impl Sink {
    /// Reads a table. `None` if something is wrong, which is reported then.
    pub(super) fn read(
        table: &DeTable<'_>,
        at: usize,
        context: &mut Context<'_, '_>,
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

    /// How alerts are sent; `None` for what is written at once: files and standard output.
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
        }
    }

    /// What it says about TLS; `None` for what is not sent over a network.
    pub fn tls(&self) -> Option<&ClientTls> {
        match &self.kind {
            SinkKind::File(_) | SinkKind::Stdout(_) | SinkKind::Unix(_) => None,
            SinkKind::Syslog(sink) => Some(&sink.tls),
            SinkKind::Webhook(sink) => Some(&sink.tls),
            SinkKind::Mail(sink) => Some(&sink.trust),
            SinkKind::Elasticsearch(sink) => Some(&sink.tls),
            SinkKind::Splunk(sink) => Some(&sink.tls),
            SinkKind::Kafka(sink) => Some(&sink.access.trust),
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
