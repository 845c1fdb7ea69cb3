//! The list of protocols, and the choice between them.
//!
//! To add a protocol over TCP, write its folder in `protocol` and its row in `protocols.rs`; one
//! over UDP has its line in `datagrams.rs`.

mod datagrams;
mod protocols;

pub(super) use datagrams::Datagrams;
pub(super) use protocols::{ConnectionState, Parser, announced, begins};
