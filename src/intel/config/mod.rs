//! `wiresift.toml`: which feeds are subscribed, and how each is to be read.
//!
//! ```
//! use std::path::Path;
//! use wiresift::intel::config::Config;
//!
//! let text = "[[feed]]\nname = \"ours\"\npath = \"lists\"\ninterval = \"6h\"\n";
//! let config = Config::parse(text, Path::new("/etc/wiresift/wiresift.toml"))?;
//! assert_eq!(config.feed("ours")?.interval.as_secs(), 6 * 3600);
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! A [`Config`] is what the file says, checked: every error names the file, the line
//! and the remedy. It holds no secret, only where one is to be found ([`Credential`]),
//! so that it may be shown and logged as it is. [`edit`] changes the file and
//! keeps its comments; [`catalogue`] knows the public feeds.

pub mod catalogue;
mod configuration;
pub mod edit;
mod raw;

pub use crate::engine::settings::{duration, size};
pub use configuration::{
    Access, Config, Credential, Exchange, INTERVAL, Kind, List, ListEffect, MAX_SIZE, Origin,
    Subscription, TIMEOUT,
};
pub use raw::check_name;

#[cfg(test)]
mod tests;
