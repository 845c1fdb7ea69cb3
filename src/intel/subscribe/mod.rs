//! From feeds to the store, and from the store to the database.
//!
//! ```
//! use wiresift::engine::indicator::Timestamp;
//! use wiresift::intel::feed;
//! use wiresift::intel::subscribe::{CompileJob, FeedInput, Notice, compile};
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let (list, output) = (folder.path().join("list.txt"), folder.path().join("our.wsdb"));
//! std::fs::write(&list, "evil.example\n203.0.113.5\n").unwrap();
//! let job = CompileJob {
//!     inputs: vec![FeedInput { path: list, options: feed::Options::default() }],
//!     output: output.clone(),
//!     built: Timestamp::from_seconds(0),
//!     ..CompileJob::default()
//! };
//! compile(job, &|notice| {
//!     if let Notice::Failed(error) = notice {
//!         panic!("{error}");
//!     }
//! })?;
//! assert_eq!(wiresift::Database::open(&output)?.summary().total(), 2);
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! [`update()`] fetches the subscribed feeds: each independently, several at a
//! time, so that one that fails or hangs does not delay the others. A document is
//! parsed before it counts; if it cannot be read, the last good copy stays.
//! `settle` then updates the normalised form and judges the change: a feed that
//! shrinks or grows too much is held until someone accepts it. What came and what left is
//! recorded in the feed's [`Ledger`](crate::intel::store::Ledger).
//!
//! [`publish_subscribed`] compiles what was accepted, unless the database is
//! already made from exactly that. [`compile()`] compiles feeds that are named one
//! by one, and [`compile_in_memory`] and [`compile_allow_lists`] lists for a single run.

mod command;
mod compile;
mod exchange;
mod http;
mod in_memory;
mod ledger;
mod local;
mod notice;
mod report;
mod settle;
mod stop_signal;
mod time;
mod update;

pub use crate::intel::store::PendingReview;
pub use compile::{
    CompileJob, CompileReport, FeedInput, ListInput, Subscribed, compile, list_rejects,
    open_warning_lists,
};
pub use in_memory::{compile_allow_lists, compile_in_memory};
pub use notice::{Notice, Notify};
pub use report::{FeedOutcome, FeedUpdate, UpdateReport};
pub use stop_signal::StopSignal;
pub use update::{
    Published, UpdateJob, next_due, publish_subscribed, subscribed, update, write_lock,
};
