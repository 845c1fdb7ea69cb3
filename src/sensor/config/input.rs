//! `[[input]]`: what is read.

use super::field::{Or, Pairs};
use super::form::{Flag, Text};
use super::problem::{alternatives, quoted};
use super::reader::Reader;
use super::table::{kinds, table};
use crate::engine::settings::nearest;
use toml::de::DeTable;

mod files;
mod kafka;
mod listeners;
mod packets;

pub use files::{FilesInput, From, JournalInput, JournalSince, Watch};
#[cfg(not(feature = "kafka"))]
pub(in crate::sensor) use kafka::without_kafka;
pub use kafka::{KafkaAccess, KafkaInput, KafkaMechanism};
pub(super) use kafka::{WITH_KAFKA, WITH_TLS, WITHOUT_KAFKA, WITHOUT_TLS, topic};
pub use listeners::{EveInput, HecInput, ServerTls, SyslogFraming, SyslogInput};
pub use packets::{CapturesInput, Done, TapInput};

kinds! {
    /// The kinds of inputs, with their specific settings.
    pub enum InputKind {
        /// Log files.
        Files(FilesInput) = "files",
        /// The systemd journal.
        Journal(JournalInput) = "journal",
        /// Syslog over the network.
        Syslog(SyslogInput) = "syslog",
        /// Kafka topics.
        Kafka(KafkaInput) = "kafka",
        /// Suricata, through a socket.
        Eve(EveInput) = "eve",
        /// Senders for Splunk's HTTP Event Collector.
        Hec(HecInput) = "hec",
        /// Network interfaces.
        Tap(TapInput) = "tap",
        /// A folder of captures.
        Captures(CapturesInput) = "captures",
    }
}

/// An `[[input]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name in metrics, messages and the state folder, unique among inputs.
    pub name: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// What it reads.
    pub kind: InputKind,
}

table! {
    /// The keys of every input and sink.
    pub(super) struct Common {
        /// Its name in metrics, messages and the state folder, which must be unique. A reload and a
        /// restart recognise it by the name; default: the kind.
        name: String = Or(name(), String::new());
        /// `false` disables it, but keeps its state.
        enabled: bool = Or(Flag, true);
    }
}

/// Names are used as labels and folders, so they contain nothing that needs quoting.
fn name() -> Text {
    let is_right = |text: &str| {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        text.len() <= 64 && starts && text.bytes().all(is_plain)
    };
    Text {
        what: "up to 64 lower-case letters, digits, dots, dashes and underscores",
        example: "web-logs",
        is_right,
    }
}

/// The value of `kind`, if it is one of `names`.
pub(super) fn read_kind<'r>(reader: &mut Reader<'r, '_>, names: &[&str]) -> Option<&'r str> {
    let Some(value) = reader.value("kind") else {
        let remedy = format!("add kind = …: {}", alternatives(names));
        reader.wrong("kind", "kind is missing", &remedy);
        return None;
    };
    let Some(kind) = value.get_ref().as_str() else {
        let wrong = super::form::mistyped(value, "a text", &alternatives(names));
        wrong.into_iter().for_each(|wrong| reader.wrong_value("kind", wrong));
        return None;
    };
    if names.contains(&kind) {
        return Some(kind);
    }
    let remedy = match nearest(kind, names.iter().copied()) {
        Some(name) => format!("did you mean “{name}”?"),
        None => format!("expected {}", alternatives(names)),
    };
    reader.wrong("kind", &format!("unknown kind {}", quoted(kind)), &remedy);
    None
}

/// Reads the keys common to all, and tells the reader the name.
pub(super) fn read_common(
    reader: &mut Reader<'_, '_>,
    what: &str,
    kind: Option<&str>,
) -> Option<Common> {
    let common = <Common as super::table::Table>::read(&(), reader);
    let mut common = common?;
    if common.name.is_empty() {
        common.name = kind?.to_string();
    }
    reader.call(format!("{what} “{}”", common.name));
    Some(common)
}

/// Which other kinds have a key.
pub(super) fn elsewhere(
    tables: &[(&'static str, String, Vec<super::Key>)],
    key: &str,
) -> Option<String> {
    let has = |keys: &[super::Key]| keys.iter().any(|other| other.name == key);
    let kinds: Vec<&str> =
        tables.iter().filter(|(_, _, keys)| has(keys)).map(|(kind, _, _)| *kind).collect();
    let word = if kinds.len() == 1 { "kind" } else { "the kinds" };
    let verb = if kinds.len() == 1 { "has" } else { "have" };
    let kinds = super::problem::listed(&kinds);
    (!kinds.is_empty()).then(|| format!("only {word} {kinds} {verb} this key"))
}

impl Input {
    /// Reads a table. Returns `None` if something is invalid, after reporting it.
    pub(super) fn read(
        table: &DeTable<'_>,
        at: usize,
        context: &mut ReadContext<'_, '_>,
    ) -> Option<Self> {
        let mut reader = Reader::new(table, at, "input", context.parsing);
        let kind = read_kind(&mut reader, InputKind::NAMES);
        let common = read_common(&mut reader, "input", kind);
        let read = kind.and_then(|kind| InputKind::read(kind, &mut reader));
        if let Some(common) = &common {
            context.places.remember("input", &common.name, at, &reader);
        }
        // Without a kind it is unclear which keys are unknown.
        if kind.is_some() {
            reader.finish(|key| elsewhere(&InputKind::tables(), key));
        }
        let common = common?;
        Some(Input { name: common.name, enabled: common.enabled, kind: read? })
    }

    /// Its keys and values in TOML.
    pub(super) fn pairs(&self) -> Pairs {
        let text = |name: &str, value: &str| (name.to_string(), super::form::write_text(value));
        let mut pairs = vec![text("name", &self.name), text("kind", self.kind.name())];
        pairs.push(("enabled".into(), self.enabled.to_string()));
        pairs.extend(self.kind.pairs());
        pairs
    }

    /// What would run, in plain English.
    pub(super) fn describe(&self) -> String {
        format!("{} ({}): {}", self.name, self.kind.name(), self.kind.describe())
    }
}

/// What reading a table needs besides it.
pub(super) struct ReadContext<'c, 's> {
    pub(super) parsing: &'c mut super::reader::Parsing<'s>,
    pub(super) places: &'c mut super::places::Places,
}
