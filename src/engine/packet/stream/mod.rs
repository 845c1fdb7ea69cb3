//! TCP streams: both directions put in order, and passed to the parser of their protocol.
//!
//! A stream has a slot here only while there is state to keep: from its first bytes until both
//! directions are of an unknown protocol, or have sent all that can be parsed. Segments that
//! arrive in order are parsed in place; only data out of order, or an incomplete message, is
//! copied.
//!
//! Without a slot a direction is `Mode::Unidentified`, for which nothing is kept but the next
//! sequence number, and each segment is probed for the beginning of a protocol, or `Mode::Over`.
//!
//! Memory is bounded. When it is used up, a clock hand moves around the slots and takes the one
//! that it points at from its flow, which is unidentified from then on: an incomplete message is
//! lost, and counted.

mod side;
mod streams;
mod tcp;

pub(super) use side::Stamp;
pub(super) use streams::Streams;
pub(super) use tcp::Tcp;

#[cfg(test)]
pub(super) mod tests;
