//! SMB 1 to 3: names of files, and the files as they are read and written.
//!
//! Recognised on any port by its magic number after the length of a NetBIOS session message (RFC
//! 1002, 4.3). Both directions share a session: the request of a read says which file, and which
//! part of it, the bytes of its response are. Reads and writes may come out of order within a
//! bound; a file is reported once all of it was read, or when it is closed after it was written
//! from its first byte to its last. Encrypted and compressed messages are counted and skipped.
//! Pipes are not files.

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
