//! TCP streams: both directions put in order, and fed to the protocol they speak.
//!
//! A stream has a slot here only while there is something to remember: from its
//! first bytes until both directions are of no protocol that is looked into, or
//! have said all that can be read. Segments that come in order are read where they
//! lie; only what is out of order, or a message that is not whole yet, is copied.
//!
//! Without a slot a direction is `Mode::Unidentified` — nothing is kept but the next
//! sequence number, and each segment is asked whether a protocol begins with it —
//! or `Mode::Over`.
//!
//! Memory is bounded. When it is used up, a hand goes round the slots and takes the one
//! that it points at from its flow, which is loose from then on: what was half said
//! there is lost, and counted.

mod side;
mod streams;
mod tcp;

pub(super) use side::Stamp;
pub(super) use streams::Streams;
pub(super) use tcp::Tcp;

#[cfg(test)]
pub(super) mod tests;
