//! Segments: immutable sorted tables of what was seen, and when.
//!
//! ```
//! use wiresift::engine::segment::{Row, Segment, SegmentWriter};
//!
//! let mut writer = SegmentWriter::new(Vec::new(), 2)?;
//! writer.push(b"a", &Row::at(100))?;
//! writer.push(b"b", &Row { last: 160, count: 3, ..Row::at(40) })?;
//! let (bytes, summary) = writer.finish()?;
//! assert_eq!(summary.rows, 2);
//!
//! let segment = Segment::from_bytes(bytes)?;
//! let mut found = Vec::new();
//! segment.find(b"b", &mut found)?;
//! assert_eq!(found[0].last, 160);
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! A segment maps keys to rows: first seen, last seen, a count, marks, days, and when it
//! ended. It is written once, in order, and then only read: looked up, iterated and merged
//! into another segment.
//!
//! ```text
//! header      16 bytes: magic, version
//! blocks      up to 128 rows each: keys front-coded, columns bit-packed
//! dictionary  the distinct sets of marks, u64 each
//! index       where each block begins, its checksum, and its first key
//! filter      a Bloom filter over whole keys, 10 bits each
//! footer      counts, times, kinds, lengths and checksums of the parts
//! ```
//!
//! Everything is little-endian. What is known only at the end is in the footer, so that a
//! segment of any size is written in one pass. The first byte of a key is its kind; [`key`]
//! makes keys of values and values of keys, and callers may use others.
//!
//! Opening validates everything but the blocks, each of which has a checksum that is
//! verified when it is read. No bytes make this room panic, and the cost of any of them is
//! linear in their length.
//!
//! This room does no I/O but mapping a file and writing to what it is given, and reads no
//! clock. What rows mean, and which of them are one, is up to the caller.

mod bits;
mod block;
mod cursor;
mod file;
mod filter;
pub mod key;
mod layout;
mod merge;
mod row;
mod writer;

pub use cursor::Cursor;
pub use file::Segment;
pub use layout::{MAX_KEY, VERSION};
pub use merge::Merge;
pub use row::Row;
pub use writer::{SegmentSummary, SegmentWriter};

#[cfg(test)]
mod tests;
