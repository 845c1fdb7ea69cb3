//! One log on disk between what finds alerts and the sinks that send them on.
//!
//! Alerts are appended once, in every form that a sink wants; each sink has a [`Cursor`] of its
//! own and reads at its own speed. What all cursors have passed is removed, a segment at a time.
//! So a collector that is away for an hour costs disk and no alert, and a slow one keeps nobody
//! else waiting.
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
//! The log may hold any bytes when it is opened: a crash tears its last record, a disk rots. A
//! torn end is cut off, and from a record whose checksum is wrong the rest of its segment is
//! skipped, which is counted; opening never fails for what is in the files. A full disk is the
//! same as a full spool: [`Stored::Full`], and no error.
//!
//! Checksums are CRC-32, by `crc32fast`. The log has no version: no release has written one yet, so
//! its form may change, and what was written in another is skipped as damaged.
//!
//! The room doesn't know who reads, and keeps no cursor on disk: the caller commits
//! [`Spool::cursors`] together with the positions of its inputs, after [`Spool::sync`].
//!
//! | file | what it holds |
//! | --- | --- |
//! | `record` | [`Record`], and its form in the log |
//! | `segment` | files of the log, and what of them is whole |
//! | `log` | the [`Spool`]: appending, reading, removing |
//! | `room` | how much may be in it, who waits, and what is shed |

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
