//! Bytes, and where they came from.
//!
//! [`expand()`] turns the command line's words into [`Target`]s; [`Input::open`]
//! opens one, looks through compression, and shows the first bytes
//! ([`Input::head`]) so that the caller can tell a capture from a log. What is
//! then read is either a [`PlainFile`], which many threads read at once by
//! position ([`FileChunks`]), or a [`Stream`], which one thread cuts into blocks
//! of whole lines ([`Chunker`]). Both cuttings keep memory bounded, however long
//! a line is.
//!
//! This room does not know what is looked for in the bytes.

pub mod capture;
mod chunk;
mod decode;
mod expand;
mod file;
mod open;
mod stream;
#[cfg(test)]
mod tests;

pub use chunk::{Bounds, Chunk, Pool};
pub use decode::Packing;
pub use expand::{Expansion, Skipped, Target, expand};
pub use file::{FileChunks, PlainFile};
pub use open::{HEAD, Input, Opened, Stream};
pub use stream::Chunker;
