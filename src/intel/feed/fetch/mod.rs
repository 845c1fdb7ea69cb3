//! What is fetched over HTTP, under caps.
//!
//! A [`Client`] belongs to one feed: it knows the credentials, and what an answer may
//! cost (bytes, seconds, redirects). An answer that breaks a cap, ends before its
//! declared length, or leads to another scheme is an error, never a shorter feed.
//! Credentials go to the host that they are for and to no other, and no error, log or
//! `Debug` shows them.
//!
//! Time comes from outside: a [`Clock`] is handed in by whoever runs the update.

mod client;
mod lenient;
mod tls;
mod url;

pub use client::{Access, Answer, Caps, Client, Clock, Request, Secret, is_passing};
pub use url::{Url, encode};
