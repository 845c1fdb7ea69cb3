//! Fetches documents over HTTP, within limits.
//!
//! A [`Client`] belongs to one feed: it has its credentials, and the limits of an
//! answer (bytes, seconds, redirects). An answer that exceeds a limit, ends before
//! its declared length, or leads to another scheme is an error, never a shorter
//! feed. Credentials are only sent to the host they are for, and no error, log or
//! `Debug` output shows them.
//!
//! The time comes from the caller, as a [`Clock`].

mod client;
mod lenient;
mod tls;
mod url;

pub use client::{Access, Answer, Caps, Client, Clock, Request, Secret, is_passing};
pub use url::{Url, encode};
