//! Sockets, TLS, the start and the end of the server.
//!
//! [`start`] opens the storage, and makes what a new exchange needs; [`run`] answers requests
//! until it is told to stop. Handlers are plain functions, so each runs on a thread that may
//! block; the runtime only moves bytes. A client that is slow holds a socket and no thread.

mod body;
mod connection;
mod demo;
mod first;
mod patient;
mod server;
mod tls;

pub use demo::fill;
pub use first::{Started, start};
pub use server::{Options, Stop, routes, run, site};
