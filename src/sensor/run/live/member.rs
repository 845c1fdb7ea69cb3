//! A source, and what is said to it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;

/// A source, as the committer knows it.
pub(in crate::sensor::run) struct Member {
    /// What it is called in alerts and metrics.
    pub(in crate::sensor::run) name: Arc<str>,
    /// Whether it can wait: what it has not given stays where it is.
    pub(in crate::sensor::run) can_wait: bool,
    /// Whether it follows files, and commits know their streams.
    pub(in crate::sensor::run) is_followed: bool,
    pub(in crate::sensor::run) orders: Sender<Order>,
    /// Set while the source is to give nothing more.
    pub(in crate::sensor::run) paused: Arc<AtomicBool>,
}

/// What a source receives.
pub(in crate::sensor::run) enum Order {
    /// All pieces before this one are processed: they go into the next commit.
    Keep(u64),
    /// All pieces before this one are in a commit.
    Safe(u64),
    /// Give nothing more.
    #[cfg(feature = "daemon")]
    End,
}
