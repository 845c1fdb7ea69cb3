//! Frames to flows to protocol fields to observables.
//!
//! A [`Decoder`] is fed with [`Frame`]s in their order and tells a [`Visitor`]
//! what it finds. Data flows
//!
//! ```text
//! frame ── link ── ip ── fragment ── transport ── flow ── stream ── protocol ── visitor
//!           └───────── tunnel ─────────┘
//! ```
//!
//! Each layer imports those before it: `view` (what goes in and comes out), `wire` (frames to
//! segments), `payload` (what several protocols carry), `contract` (what a parser gets and
//! answers), `protocol` (one folder or file each), `dispatch` (the one list of them), `stream`
//! (segments in order), `decoder` (flows, and all of it together).
//!
//! The protocols are DNS, TLS, QUIC, HTTP/1 and HTTP/2, SMTP, POP3, IMAP, SSH, FTP, SMB,
//! TFTP, SOCKS, DHCP and syslog, found by content and not by port. What comes out of a
//! tunnel or of fragments goes the same way again, to a bounded depth.
//!
//! This room does no I/O and reads no clock: time comes from the packets, and
//! flows end by it. Nothing is allocated for a packet once the flow table has
//! grown to its size. Whatever could not be looked into is counted by its reason
//! in [`Counters`]; no bytes make it panic.

mod bytes;
mod config;
mod contract;
mod counters;
mod decoder;
mod dispatch;
mod payload;
mod protocol;
mod stream;
mod view;
mod wire;

pub use config::Config;
pub use counters::{Counters, Fault};
pub use decoder::{Decoder, MailFile, SHARDS, Shard, Split, Splitter};
pub use payload::file::{Digested, Digests};
pub use protocol::{dns, ftp, http, smb, smtp, ssh, tls};
pub use view::{
    Attachment, Close, Facts, FileFacts, FlowEnd, Frame, Order, Packet, Parcel, Ports, Said,
    Visitor, community_id,
};
pub use wire::link::{link_name, unknown_link};

#[cfg(test)]
mod tests;
