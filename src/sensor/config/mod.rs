//! The configuration of `wiresift run`: the tables of `wiresift.toml` that belong to the sensor.
//!
//! ```
//! use std::path::Path;
//! use wiresift::sensor::config::Config;
//!
//! let text = "[[input]]\nkind = \"files\"\npatterns = \"/var/log/nginx/*.log\"\n";
//! let config = Config::parse(text, Path::new("/etc/wiresift.toml")).unwrap();
//! assert_eq!(config.inputs[0].name, "files");
//! assert_eq!(config.sinks[0].kind.name(), "stdout");
//!
//! let wrong = Config::parse(&text.replace("patterns", "patern"), Path::new("x.toml"));
//! let problems = wrong.unwrap_err().to_string();
//! assert!(problems.contains("x.toml:3:1: input “files”: unknown key “patern”"), "{problems}");
//! assert!(problems.contains("did you mean “patterns”?"), "{problems}");
//! ```
//!
//! There is one file, and each house parses its own tables: feeds belong to `intel::config`, and
//! are skipped here. A [`Config`] is plain, validated data: nothing in it is open, nothing runs,
//! and it contains no secrets, only their locations ([`Credential`](super::secret::Credential)).
//! All errors are returned at once ([`Problems`]), each with line, column and remedy.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `configuration` | [`Config`], and how its text is parsed |
//! | `input`, `sink`, `filter`, `daemon` | the tables, as plain types |
//! | `table`, `field`, `form` | how types become tables: a row for each key with its form, default and text |
//! | `reader`, `problem`, `places` | one table while it is read from TOML; what is wrong, and where |
//! | `rules` | relations between tables |
//! | `check` | what can be verified without starting |
//! | `describe`, `changes` | what would run; what a reload changes |
//! | `setup` | a first file from four answers |
//! | `schema`, `reference` | every key, and `docs/config.md`, generated from them |

mod address;
mod changes;
mod check;
mod configuration;
mod daemon;
mod describe;
mod field;
mod filter;
mod form;
mod input;
mod key;
mod places;
mod problem;
mod reader;
mod reference;
mod rules;
mod schema;
mod setup;
mod sink;
mod table;

pub use address::{Address, HostPort};
pub use changes::{Changed, Changes, Tables};
pub use check::Built;
pub use configuration::Config;
pub use daemon::{Daemon, Suppress, SuppressKey};
pub use filter::Filter;
#[cfg(not(feature = "kafka"))]
pub(in crate::sensor) use input::without_kafka;
pub use input::{
    CapturesInput, Done, EveInput, FilesInput, From, HecInput, Input, InputKind, JournalInput,
    JournalSince, KafkaAccess, KafkaInput, KafkaMechanism, ServerTls, SyslogFraming, SyslogInput,
    TapInput, Watch,
};
pub use key::{Fallback, Key};
pub use problem::{Location, Problem, Problems};
pub use reference::reference;
pub use schema::{Schema, schema};
pub use setup::{Answers, FeedAnswer, SinkAnswer, Verbosity, WatchAnswer, setup};
pub use sink::{
    ClientTls, Delivery, ElasticsearchSink, ExchangeSink, FileSink, Framing, KafkaCompression,
    KafkaKey, KafkaSink, MailSink, MailTls, Sink, SinkKind, SplunkSink, StdoutSink, SyslogSink,
    UnixSink, WebhookForm, WebhookSink,
};

#[cfg(test)]
mod tests;
