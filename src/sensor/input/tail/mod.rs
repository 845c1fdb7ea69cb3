//! Follows logs while they are written, rotated, truncated, compressed and removed.
//!
//! ```
//! use std::time::Duration;
//! use wiresift::sensor::halt::Halt;
//! use wiresift::sensor::input::tail::{Next, Tail, TailOptions};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("x.log"), "one\ntwo\nhalf of th")?;
//! let patterns = vec![folder.path().join("*.log").into()];
//! let mut tail = Tail::open(TailOptions { patterns, ..TailOptions::default() }, Vec::new())?;
//! let Next::Piece(piece) = tail.next(&Halt::default(), Duration::ZERO)? else { panic!() };
//! assert_eq!((&*piece.bytes, piece.line), (&b"one\ntwo\n"[..], Some(1)));
//!
//! // When its lines are processed, that can be recorded.
//! tail.safe(&[piece.end]);
//! assert_eq!(tail.changed().files[0].position.offset, 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Tail`] returns [`Piece`]s of whole lines, each with its position: stream, offset and line.
//! The caller reports which [`Position`]s are processed ([`Tail::safe`]), and commits the resulting
//! changes ([`Tail::changed`]). A tail is opened with the records of the last commit: it resumes
//! exactly there, whatever happened to the files in the meantime.
//!
//! All work happens on the caller's thread. While it doesn't call, nothing is read, but nothing is
//! forgotten either; [`Tail::keep_up`] keeps files open that are rotated away in the meantime.
//!
//! [`Key`] identifies the file that a name leads to, `Content` identifies what was read of it,
//! `resolve.rs` decides by name and content which file continues another one, `siblings.rs`
//! decides which of several new files are copies, and `copies.rs` decides when a copy counts as read.

mod content;
mod copies;
mod cut;
mod descriptors;
mod folder_events;
mod folders;
mod follow;
mod key;
mod notice;
mod options;
mod patterns;
mod plain;
mod position;
mod read;
mod record;
mod resolve;
mod rotation;
mod round;
mod siblings;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod unpacking;

pub use content::{Content, Seen};
pub use follow::{Changes, Next, Tail};
pub use key::Key;
pub use notice::{Counters, FileStatus, Notice, Reason, Rotations};
pub use options::{Start, TailOptions, Watch};
pub use position::{Ending, Piece, Position, Within};
pub use record::FileRecord;
pub(crate) use record::{Fields, put_bytes, put_number};
pub use text::Text;
