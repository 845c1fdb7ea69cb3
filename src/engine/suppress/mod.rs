//! Suppression: the first alert of its kind is delivered at once; repetitions are held back and
//! reported in one repeat record.
//!
//! ```
//! use std::time::Duration;
//! use wiresift::engine::indicator::{Kind, Severity, Timestamp};
//! use wiresift::engine::suppress::{Config, AlertFacts, Suppressor, Verdict};
//!
//! let config = Config { window: Duration::from_secs(3600), ..Config::default() };
//! let mut suppressor = Suppressor::new(config);
//! let facts = AlertFacts {
//!     local: "10.0.0.7".into(),
//!     place: "dns".into(),
//!     feeds: vec!["mine"],
//!     ..AlertFacts::of_indicator(Kind::Domain, "evil.example")
//! };
//! let minute = |n: i64| Timestamp::from_seconds(60 * n);
//! assert!(suppressor.judge(&facts, minute(0), Vec::new).is_pass());
//! for n in 1..60 {
//!     assert_eq!(suppressor.judge(&facts, minute(n), Vec::new), Verdict::HeldBack);
//! }
//! suppressor.advance(minute(60));
//! let repeats = suppressor.take_repeats();
//! assert_eq!(repeats[0].count, 59);
//! ```
//!
//! A [`Suppressor`] is a state machine: it reads no clock and does no I/O. Its state is part of
//! the caller's commit, as bytes ([`Suppressor::take_changes`], [`Suppressor::restore`]);
//! otherwise a restart would deliver everything again.
//!
//! # Windows
//!
//! The members of an alert that [`Config::key`] names are its *key*. The first alert of a key
//! opens a window of fixed length. It does not slide, because then a beacon every minute would be
//! silent forever. The first [`Config::first`] alerts of a window pass, and the rest are counted.
//! When the window ends, they are reported as one [`Repeat`]; the next alert opens a new window.
//! So for each key and window: matched = passed + [`Repeat::count`].
//!
//! Alerts that contain something new always pass: a higher severity, or an indicator or a feed that
//! is new in the window; and critical alerts, unless [`Config::critical`] is set.
//!
//! # Time
//!
//! The caller passes the time, and decides which: that of the record (`scan`, `hunt`: a second
//! run gives the same result), or one that never goes back (live: the wall clock at the start,
//! plus a monotonic clock since then, so that a restart can continue the windows).
//! [`Suppressor::advance`] ends windows. Late alerts count as if they came now: they never reopen
//! a window.
//!
//! # Bounds
//!
//! At most [`Config::max_keys`] windows and [`Config::max_bytes`] bytes. Beyond either bound the
//! least recently used window is evicted; its repeat record comes early and is marked
//! ([`Repeat::is_partial`]). A new key is never rejected.
//!
//! This module uses hits (`scan`), not alerts: `alert` builds on it and writes a [`Repeat`] into
//! its record.

mod bytes;
mod config;
mod facts;
mod key;
mod machine;
mod packed;
mod repeat;
mod restore;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod window;

pub use config::{Config, Member};
pub use facts::{AlertFacts, HomeNetworks, log_stem};
pub use machine::{Reason, Suppressor, Verdict};
pub use repeat::{MAX_LISTED, Repeat};
pub use restore::Restoring;
