//! Requests and answers as values: no sockets here.
//!
//! Clients of OTX put URLs into paths without encoding them, so that a request keeps its target
//! as it came, and nothing is decoded before a route is chosen.

mod failure;
mod query;
mod reply;
mod request;
mod target;

pub use failure::Failure;
pub use query::{Query, decode, encode};
pub use reply::{Body, Pieces, Reply};
pub use request::{Method, Request};
pub use target::{Pattern, split_path};
