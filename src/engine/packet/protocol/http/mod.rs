//! HTTP/1: host, URL, Referer, User-Agent, Location, who proxies speak for, and whatever other headers
//! say of URLs and addresses of mail.
//!
//! Found by content on any port: a method, a target, a version, or a status line, as
//! servers take them (see `lines`). Heads are put together from their segments, requests may be pipelined, and
//! bodies end by their length, their chunks or with the connection. A head that breaks
//! off is read as far as it goes.
//!
//! A body is a file (or several, or a DNS message): see `content`. Where nobody asks for
//! digests, file names or DNS, it is skipped without a look.
//!
//! The URL is `http://`, the Host header as it stands (with its port if it names
//! one) and the target; a target with a scheme of its own is the URL already. A
//! request without Host goes to the address and port that its packet went to.
//! CONNECT names a host and no URL. The Location of an answer is a URL if it has a
//! scheme, or a host. The host of a URL is told by itself unless the Host header says the same.

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
