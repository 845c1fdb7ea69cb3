//! Sources: lists and other exchanges that the operator subscribed the exchange to, so that a
//! fresh one is useful on the first day.
//!
//! `sources.toml` in the directory of the exchange is a file like `wiresift.toml`, and what its
//! feeds send is kept beside it, as a sensor keeps it: fetched when it is due, within limits,
//! reviewed when it changes too much, counted when it fails. What was accepted becomes pulses of
//! an account that bears the name of the source and that nobody can log in to.

mod bring;
mod collect;
mod keep;
mod target;

pub use bring::Brought;
pub use keep::{Update, config_file, keep, new_config, open, remove, update};
