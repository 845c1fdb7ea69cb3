//! Frames to flows to protocol fields to observables.
//!
//! ```
//! use wiresift::engine::indicator::{Observable, Timestamp, Where};
//! use wiresift::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};
//!
//! struct Names(Vec<(Where, Vec<u8>)>);
//!
//! impl Visitor for Names {
//!     fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
//!         false
//!     }
//!
//!     fn seen(&mut self, what: Observable<'_>, at: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
//!         if let Observable::Name(name) = what {
//!             self.0.push((at, name.to_vec()));
//!         }
//!     }
//! }
//!
//! // IPv4 without a link layer: a UDP datagram that asks a DNS server for `a.test`.
//! let data = b"\x45\0\0\x34\0\0\0\0\x40\x11\0\0\x0a\0\0\x07\x0a\0\0\x35\
//!     \xc0\0\0\x35\0\x20\0\0\
//!     \0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\x04test\0\0\x01\0\x01";
//! let frame = Frame {
//!     number: 1,
//!     time: Timestamp::from_seconds(0),
//!     is_timed: true,
//!     linktype: 101,
//!     length: 52,
//!     data,
//! };
//! let mut names = Names(Vec::new());
//! let mut decoder = Decoder::new(Config::default());
//! decoder.frame(&frame, &mut names);
//! decoder.finish(&mut names);
//! assert_eq!(names.0, [(Where::DnsQuery, b"a.test".to_vec())]);
//! ```
//!
//! A [`Decoder`] takes [`Frame`]s in their order and calls a [`Visitor`] with what
//! it finds. Data flows
//!
//! ```text
//! frame ── link ── ip ── fragment ── transport ── flow ── stream ── protocol ── visitor
//!           └───────── tunnel ─────────┘
//! ```
//!
//! Each layer imports those before it: `view` (what goes in and comes out), `wire` (frames to
//! segments), `payload` (what several protocols carry), `contract` (what a parser gets and
//! returns), `protocol` (one folder or file each), `dispatch` (the list of protocols), `stream`
//! (segments in order), `decoder` (flows, and all of it together).
//!
//! The protocols are DNS, TLS, QUIC, HTTP/1 and HTTP/2, SMTP, POP3, IMAP, SSH, FTP, SMB,
//! TFTP, SOCKS, DHCP and syslog, found by content and not by port. The contents of
//! tunnels and reassembled fragments are decoded again, to a bounded depth.
//!
//! This room does no I/O and reads no clock: time comes from the packets, and flows
//! time out by it. Once the flow table has grown to its size, no packet needs an
//! allocation. What cannot be decoded is counted by reason in [`Counters`]; no input
//! makes it panic.

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
pub use decoder::{Decoder, MailFile, SHARDS, Shard, SharedFlows, Split, Splitter};
pub use payload::file::{Digested, Digests};
pub use protocol::{dns, ftp, http, smb, smtp, ssh, tls};
pub use view::{
    Attachment, AttachmentSink, Close, FileFacts, FlowEnd, Frame, MessageFacts, Order, Packet,
    Ports, ProtocolFacts, Visitor, community_id,
};
pub use wire::link::{link_name, unknown_link};

#[cfg(test)]
mod tests;
