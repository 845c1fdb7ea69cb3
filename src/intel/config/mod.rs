//! `wiresift.toml`: which feeds are subscribed, and how each is to be read.
//!
//! A [`Config`] is what the file says, checked: every error names the file, the line
//! and the remedy. It holds no secret, only where one is to be found ([`Credential`]),
//! so that it may be shown and logged as it is. [`edit`] changes the file and
//! keeps its comments; [`catalogue`] knows the public feeds.

pub mod catalogue;
mod configuration;
pub mod edit;
mod raw;

pub use configuration::{
    Access, Config, Credential, Exchange, INTERVAL, Kind, List, ListEffect, MAX_SIZE, Origin,
    Subscription, TIMEOUT, duration, size,
};
pub use raw::check_name;

#[cfg(test)]
mod tests;
