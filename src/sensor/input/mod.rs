//! Bytes, and their origin.
//!
//! ```
//! use wiresift::sensor::input::{Contents, Input};
//!
//! let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\0\x20\x30\x3a\x36\x06\0\0\0";
//! let input = Input::of("log.gz", &packed[..])?;
//! assert_eq!(input.contents(), Contents::Text);
//! assert_eq!(input.read_all(1 << 20)?, b"hello\n");
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! [`expand()`] turns command line arguments into [`Target`]s. [`Input::open`] opens one,
//! decompresses it and shows its first bytes ([`Input::head`]), by which the caller distinguishes
//! captures from logs. The rest is read either from a [`PlainFile`], by many threads at once and by
//! position ([`FileChunks`]), or from a [`Stream`], which one thread cuts into blocks of whole
//! lines ([`Chunker`]). Both limit memory, however long a line is.
//!
//! This room does not know what is searched for in the bytes.

mod allowance;
mod archive;
pub mod capture;
mod carried;
mod chunk;
mod contents;
mod decode;
mod evtx;
mod expand;
mod file;
mod halt;
mod lz4;
mod lzma;
mod mailbox;
#[cfg(feature = "daemon")]
pub mod net;
mod open;
mod path;
mod stream;
pub mod tail;
#[cfg(test)]
mod tests;
mod wide;

pub use archive::{Archive, Member};
pub use carried::{Carrier, Spool};
pub use chunk::{Bounds, Chunk, Pool};
pub use contents::Contents;
pub use decode::Packing;
pub use evtx::Events;
pub use expand::{Expansion, Skipped, Target, expand};
pub use file::{FileChunks, PlainFile};
pub use mailbox::{is_count_line, is_from_line};
pub use open::{HEAD, Input, MAX_DEPTH, Opened, Stream};
pub use path::display;
pub use stream::Chunker;
pub use wide::Wide;
