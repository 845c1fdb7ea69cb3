//! `wiresift.toml`: which feeds to subscribe to, and how to read each of them.
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
//! A [`Config`] holds the validated contents of the file: every error names the
//! file, the line and a remedy. It contains no secrets, only where to find them
//! ([`Credential`]), so it may be shown and logged. [`edit`] changes the file and
//! keeps its comments; [`catalogue`] lists public feeds.

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
