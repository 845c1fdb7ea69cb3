//! Where alerts go: standard output and files.
//!
//! ```
//! use wiresift::sensor::sink::{FileSink, Records, Sink};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("alerts.jsonl");
//! let mut sink = FileSink::append(&path)?;
//! let mut records = Records::default();
//! records.record(|out| out.extend_from_slice(b"{\"value\":\"evil.example\"}\n"));
//! sink.write(&records)?;
//! sink.flush()?;
//! assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"value\":\"evil.example\"}\n");
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! A [`Sink`] takes encoded [`Records`] and writes them whole: each write to the operating system
//! ends where a record ends. With several writers to one file, or a reader that stops halfway, no
//! partial alert is ever seen. Records are buffered; the caller [flushes](Sink::flush) when it is
//! idle, so that alerts appear at once on a quiet line and cost few system calls on a busy one.
//!
//! This room does not know what a scan is. It never drops a record silently: if one cannot be
//! written, that is an error, and the caller still has the record.

mod buffered;
mod contract;
mod file;
mod gate;
mod null;
mod records;
mod rotator;
mod stdout;

pub use contract::Sink;
pub use file::FileSink;
pub use null::Null;
pub use records::Records;
pub use rotator::{Rotation, Rotator};
pub use stdout::StdoutSink;
