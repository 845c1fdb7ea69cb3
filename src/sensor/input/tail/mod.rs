//! Following logs while they are written, rotated, truncated, packed and removed.
//!
//! ```
//! use std::time::Duration;
//! use wiresift::sensor::input::Halt;
//! use wiresift::sensor::input::tail::{Next, Tail, TailOptions};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("x.log"), "one\ntwo\nhalf of th")?;
//! let patterns = vec![folder.path().join("*.log").into()];
//! let mut tail = Tail::open(TailOptions { patterns, ..TailOptions::default() }, Vec::new())?;
//! let Next::Piece(piece) = tail.next(&Halt::default(), Duration::ZERO)? else { panic!() };
//! assert_eq!((&*piece.bytes, piece.line), (&b"one\ntwo\n"[..], Some(1)));
//!
//! // When its lines are processed, a checkpoint may say so.
//! tail.safe(&[piece.end]);
//! assert_eq!(tail.changed().files[0].position.offset, 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Tail`] gives out [`Piece`]s of whole lines, each with its place: stream, offset and line. The
//! caller says which [`Position`]s are processed ([`Tail::safe`]), and commits what changed by that
//! ([`Tail::changed`]). The records of the last commit are what a tail is opened with: it goes on
//! exactly there, whatever happened to the files meanwhile.
//!
//! Nothing but the caller's thread works here. While it doesn't call, nothing is read, and what has
//! been read is not forgotten; [`Tail::keep_up`] keeps files open that are rotated away meanwhile.
//!
//! What holds what: [`Key`] says which file a name leads to, `Content` what was read of it, and
//! kin by name and content which file continues another one (`resolve.rs`), and which of those that
//! are first seen together are copies (`siblings.rs`). `copies.rs` says what becomes of copies.

mod content;
mod copies;
mod cut;
mod descriptors;
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
mod sight;
mod state;
#[cfg(test)]
mod tests;
mod unpacking;

pub use content::Content;
pub use follow::{Changes, Next, Tail};
pub use key::Key;
pub use notice::{Counters, FileStatus, Notice, Reason, Rotations};
pub use options::{Start, TailOptions, Watch};
pub use position::{Ending, Piece, Position, Within};
pub use record::FileRecord;
pub(crate) use record::{Fields, put_bytes, put_number};
