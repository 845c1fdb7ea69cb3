//! Sockets that others connect to: listeners, connections, TLS, and sockets opened by systemd.
//!
//! ```
//! use wiresift::sensor::listen::Address;
//!
//! let address: Address = "tls://[::]:6514".parse()?;
//! assert_eq!(address, Address::Tls("[::]:6514".to_string()));
//! let wrong = "514".parse::<Address>().unwrap_err();
//! assert!(wrong.to_string().contains("udp://ADDRESS:PORT"));
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! Everything waits with a [`Halt`](crate::sensor::halt::Halt), so that it can be stopped:
//! connections are only read when there is something to read. Each connection has its own thread,
//! and [`ConnectionLimiter`] limits their number.
//!
//! # Socket activation without `unsafe`
//!
//! systemd passes sockets as descriptors 3, 4… Taking ownership of one by its number is `unsafe` in
//! Rust. Instead the process asks the kernel for a duplicate of each (`pidfd_getfd` on itself,
//! Linux 5.6). systemd counts that call as `@debug`: a unit with `SystemCallFilter=@system-service`
//! has to list `pidfd_getfd` as well.

mod activation;
mod address;
mod connection;
mod limiter;
mod listener;
mod socket_file;
mod tls;

pub use activation::{Activated, Socket};
pub use address::Address;
pub use connection::Connection;
pub use limiter::{ConnectionCounts, ConnectionLimiter};
pub use listener::{Bound, Datagrams, Listener, RECEIVE_BUFFER};
pub use tls::{Tls, TlsFiles};
