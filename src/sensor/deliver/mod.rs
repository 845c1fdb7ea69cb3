//! Receivers of alerts over the network, and their protocols.
//!
//! ```
//! use wiresift::engine::indicator::Timestamp;
//! use wiresift::sensor::deliver::{Deliver, Pace, UnixSocket, Verdict};
//! use wiresift::sensor::spool::{Record, RecordRef};
//! use std::io::{BufRead, BufReader};
//! use std::os::unix::net::UnixListener;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("alerts.sock");
//! let listener = UnixListener::bind(&path).unwrap();
//! let reader = std::thread::spawn(move || {
//!     let mut line = String::new();
//!     BufReader::new(listener.accept().unwrap().0).read_line(&mut line).unwrap();
//!     line
//! });
//! let time = Timestamp::from_seconds(1_795_478_400);
//! let record = Record::new([7; 16], 3, time, br#"{"severity":3}"#);
//! let mut socket = UnixSocket::new(path, Pace::default());
//! let outcome = socket.deliver(&[RecordRef::of(&record, time)]);
//! assert_eq!(outcome.verdicts, [Verdict::Delivered]);
//! drop(socket);
//! assert_eq!(reader.join().unwrap(), "{\"severity\":3}\n");
//! ```
//!
//! Each receiver is a file that implements [`Deliver`]: it takes a batch of records, sends it, and
//! returns for every record whether it was delivered, has to be sent again, or was permanently
//! refused. It never drops one. Pauses between attempts, batching and dead letters belong to
//! `outlet`.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `contract` | [`Deliver`], and the result of a batch |
//! | `pace` | timeouts, the clock, and the time limit when the program ends |
//! | `unix`, `syslog`, `webhook`, `elasticsearch`, `splunk`, `mail`, `kafka`, `exchange` | one receiver each |
//! | `slack`, `digest` | alerts for people, from the fields of `reading` |
//! | `http` | a POST and its response |
//! | `connection`, `tls` | sockets with timeouts, and trusted certificates |
//! | `kept` | secrets between batches |
//! | `halving` | finds the record of a batch that the receiver refused |

mod cached_secret;
mod connection;
mod contract;
mod digest;
mod elasticsearch;
mod exchange;
mod halving;
mod http;
#[cfg(feature = "kafka")]
mod kafka;
mod mail;
mod pace;
mod reach;
mod reading;
mod slack;
mod smtp;
mod splunk;
mod syslog;
#[cfg(test)]
mod tests;
mod tls;
mod unix;
mod webhook;

pub use contract::{Class, Deliver, DeliveryError, Outcome, Verdict};
pub use elasticsearch::{Elasticsearch, ElasticsearchAuth, ElasticsearchSettings};
pub use exchange::{Counted, Exchange, ExchangeSettings};
pub use http::{Endpoint, retry_after};
#[cfg(feature = "kafka")]
pub use kafka::{Kafka, KafkaSettings, Key};
pub use mail::{Mail, MailSettings, MailTls};
pub use pace::{Clock, Pace, SystemClock, Timeouts};
pub use reach::Receiver;
pub use reading::{Indicator, Reading, Source};
pub use splunk::{Splunk, SplunkSettings};
pub use syslog::{Framing, Syslog, SyslogSettings, Transport};
pub use tls::TlsSettings;
pub use unix::UnixSocket;
pub use webhook::{Webhook, WebhookForm, WebhookSettings};
