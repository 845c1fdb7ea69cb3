//! A log on disk between the threads that find alerts and the sinks that send them.
//!
//! ```
//! use wiresift::engine::indicator::Timestamp;
//! use wiresift::sensor::spool::{Batch, Limits, Record, Sink, Spool, Stored};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let sinks = [("siem".to_string(), Sink::default())];
//! let (spool, _) = Spool::open(folder.path(), Limits::default(), sinks)?;
//! let now = Timestamp::from_seconds(1_795_478_400);
//! let record = Record::new([7; 16], 3, now, br#"{"severity":3}"#);
//! assert_eq!(spool.append(&record, now, true)?, Stored::Yes);
//!
//! let mut batch = Batch::default();
//! spool.read(spool.cursor("siem"), 100, 1 << 20, &mut batch);
//! assert_eq!(batch.records().next().unwrap().json, br#"{"severity":3}"#);
//! spool.advance("siem", batch.end());
//! assert_eq!(spool.backlog("siem").bytes, 0);
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! Alerts are appended once, in every format that some sink wants; each sink has its own [`Cursor`]
//! and reads at its own speed. What all cursors have passed is removed, one segment at a time. So a
//! collector that is unreachable for an hour costs disk space but no alerts, and a slow one doesn't
//! delay the others.
//!
//! The log may contain any bytes when it is opened: a crash tears its last record, a disk decays. A
//! torn end is cut off, and after a record with a wrong checksum the rest of its segment is skipped
//! and counted; opening never fails because of the contents of files. A full disk is the same as a
//! full spool: [`Stored::Full`], not an error.
//!
//! Checksums are CRC-32, by `crc32fast`. The log has no version: no release has written one yet, so
//! its format may change, and what was written in another format is skipped as damaged.
//!
//! The room doesn't know the readers, and keeps no cursors on disk: the caller commits
//! [`Spool::cursors`] together with the positions of its inputs, after [`Spool::sync`].
//!
//! | file | what it holds |
//! | --- | --- |
//! | `record` | [`Record`], and its encoding in the log |
//! | `segment` | files of the log, and how much of them is intact |
//! | `log` | the [`Spool`]: appending, reading, removing |
//! | `room` | how much it may hold, which inputs wait, and what is shed |

mod log;
mod record;
mod room;
mod segment;
#[cfg(test)]
mod tests;

pub use log::{Backlog, Batch, Counters, Recovery, Sink, Spool, Stored};
pub use record::{MAX_RECORD, Record, RecordRef, hex};
pub use room::Limits;
pub use segment::Cursor;
