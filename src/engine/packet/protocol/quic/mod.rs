//! QUIC: the hellos of its Initial packets, in versions 1 and 2 (RFC 9000, 9001, 9369), the drafts
//! 22 to 34, the versions of mvfst, and Google's with TLS.
//!
//! Initial packets are encrypted with keys that follow from the client's first
//! connection identifier, so that anybody on the way can read them. Found by
//! content on any port: a long header of a known version that opens with those
//! keys, authentication included. CRYPTO frames may come in any order and over
//! several packets. What is remembered of connections is bounded; the oldest go.

mod connections;
mod crypto;
mod initial;
mod keys;

pub(in crate::engine::packet) use connections::Connections;

#[cfg(test)]
mod tests;
