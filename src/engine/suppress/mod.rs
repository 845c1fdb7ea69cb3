//! Suppression: the first alert of a kind goes out at once, those that only repeat it are
//! held back and come as one repeat record.
//!
//! ```
//! use std::time::Duration;
//! use wiresift::engine::indicator::{Kind, Severity, Timestamp};
//! use wiresift::engine::suppress::{Config, Facts, Suppressor, Verdict};
//!
//! let config = Config { window: Duration::from_secs(3600), ..Config::default() };
//! let mut suppressor = Suppressor::new(config);
//! let facts = Facts {
//!     local: "10.0.0.7".into(),
//!     place: "dns".into(),
//!     feeds: vec!["mine"],
//!     ..Facts::of_indicator(Kind::Domain, "evil.example")
//! };
//! let minute = |n| Timestamp::from_seconds(60 * n);
//! assert!(suppressor.judge(&facts, minute(0), Vec::new).is_pass());
//! for n in 1..60 {
//!     assert_eq!(suppressor.judge(&facts, minute(n), Vec::new), Verdict::HeldBack);
//! }
//! suppressor.advance(minute(60));
//! let repeats = suppressor.take_repeats();
//! assert_eq!(repeats[0].count, 59);
//! ```
//!
//! A [`Suppressor`] is a state machine: it reads no clock, does no I/O, and its state goes
//! into the commit of the caller as bytes ([`Suppressor::take_changes`], [`Suppressor::restore`]),
//! or else a restart would send everything once more.
//!
//! # Windows
//!
//! The members of an alert that [`Config::key`] names are its *key*. The first alert of a key
//! opens a window, whose length is fixed from then: it does not slide, or a beacon each
//! minute would be silent for ever. The first [`Config::first`] alerts of a window pass, and
//! the rest are counted. When the window ends, they come as one [`Repeat`]; the next alert
//! opens a new window. So for each key and window: what matched = what passed +
//! [`Repeat::count`].
//!
//! What is new always passes: a higher severity, an indicator or a feed that the window has
//! not seen; and whatever is critical, unless [`Config::critical`] is set.
//!
//! # Time
//!
//! The caller says what time it is, and which: that of the record (`scan`, `hunt`: a second run
//! gives the same), or one that only goes forward (live: the wall clock at the start, plus
//! what a monotonic clock has counted since; so a restart can go on with the windows).
//! [`Suppressor::advance`] ends windows. What comes later than it should counts as if it
//! came now: it never opens again what has ended.
//!
//! # Bounds
//!
//! At most [`Config::max_keys`] windows and [`Config::max_bytes`] bytes. Beyond either the
//! window that was used least recently goes, its repeat record early and marked
//! ([`Repeat::is_partial`]). A new key is never turned away.
//!
//! The room knows hits (`scan`), not alerts: `alert` stands above it and writes a [`Repeat`]
//! into its record.

mod bytes;
mod config;
mod facts;
mod key;
mod machine;
mod repeat;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod window;

pub use config::{Config, Member};
pub use facts::{Facts, HomeNetworks, log_stem};
pub use machine::{Reason, Suppressor, Verdict};
pub use repeat::{MAX_LISTED, Repeat};
