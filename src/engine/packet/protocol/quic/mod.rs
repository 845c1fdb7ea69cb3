//! QUIC: the hellos of its Initial packets, in versions 1 and 2 (RFC 9000, 9001, 9369), the drafts
//! 22 to 34, the versions of mvfst, and Google's with TLS.
//!
//! Initial packets are encrypted with keys derived from the client's first connection identifier,
//! so that anyone on the path can decrypt them. Recognised by content on any port: a long header
//! of a known version, and a packet that decrypts with those keys, including authentication.
//! CRYPTO frames may come in any order and in several packets. The state of connections is
//! bounded; the oldest are dropped.

mod connections;
mod crypto;
mod initial;
mod keys;

pub(in crate::engine::packet) use connections::Connections;

#[cfg(test)]
mod tests;
