//! SMB 1 to 3: names of files, and the files as they are read and written.
//!
//! Found by its magic behind the length of a NetBIOS session's message (RFC 1002, 4.3)
//! on any port. Both directions share a session: a read's request says of which file
//! and from where the bytes of its answer are. Reads and writes may come out of order
//! within a bound; a file is told once all of it was read, or when it is closed
//! after it was written from its first byte to its last. What is encrypted or compressed is
//! counted and gone over. Pipes are no files.

mod key;
mod message;
mod ntlm;
mod ranges;
mod session;
mod side;
mod v1;
mod v2;

pub use message::Facts;
pub(in crate::engine::packet) use session::Session;
pub(in crate::engine::packet) use side::Side;

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
