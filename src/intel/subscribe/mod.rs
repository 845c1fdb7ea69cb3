//! Feeds to the store, and the store to the database.
//!
//! [`update()`] fetches what is subscribed: each feed by itself, several at a time, so
//! that one that fails or hangs holds up no other. What was fetched is read before it
//! counts; what cannot be read leaves the last good copy as it is. `settle` then brings the
//! normalised form up to date and judges the change: what shrinks or grows too much waits
//! until somebody confirms it.
//!
//! [`publish_subscribed`] compiles what is accepted, unless the database was made from
//! just that. [`compile()`] does the same for feeds that are named one by one, and
//! [`compile_in_memory`] and [`compile_allow_lists`] for lists that never become a file.

mod command;
mod compile;
mod exchange;
mod http;
mod in_memory;
mod local;
mod notice;
mod pause;
mod report;
mod settle;
mod time;
mod update;

pub use crate::intel::store::PendingReview;
pub use compile::{
    CompileJob, CompileReport, FeedInput, ListInput, Subscribed, compile, list_rejects,
};
pub use in_memory::{compile_allow_lists, compile_in_memory};
pub use notice::{Notice, Notify};
pub use pause::StopSignal;
pub use report::{FeedOutcome, FeedUpdate, UpdateReport};
pub use update::{Published, UpdateJob, publish_subscribed, subscribed, update, write_lock};
