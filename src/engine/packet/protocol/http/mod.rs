//! HTTP/1: host, URL, Referer, User-Agent, Location, clients of proxies, and URLs and e-mail
//! addresses in any other header.
//!
//! Recognised by content on any port: a method, a target, a version, or a status line, as servers
//! accept them (see `lines`). Heads are assembled from their segments, requests may be pipelined,
//! and bodies end by their length, their chunks or with the connection. An incomplete head is
//! parsed as far as it goes.
//!
//! A body is a file (or several, or a DNS message): see `content`. If digests, file names and DNS
//! are not needed, it is skipped.
//!
//! The URL is `http://`, the Host header as it was sent (with its port if it has one) and the
//! target; a target with its own scheme is the URL already. A request without Host goes to the
//! address and port of its packet. CONNECT names a host and no URL. The Location of a response is
//! a URL if it has a scheme, or a host. The host of a URL is reported separately unless the Host
//! header contains the same.

mod content;
mod context;
mod doh;
mod framing;
mod host;
pub(in crate::engine::packet) mod http2;
mod kept;
mod lines;
mod message;
mod names;
mod naming;
mod parts;
mod pieces;
mod report;
mod requests;
mod search;
mod side;

pub use message::{Request, Response};
pub(in crate::engine::packet) use requests::Requests;
pub(in crate::engine::packet) use side::Side;

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
