//! A source as the committer knows it, and the commands sent to it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;

/// A source, as the committer knows it.
pub(in crate::sensor::run) struct Member {
    /// Its name in alerts and metrics.
    pub(in crate::sensor::run) name: Arc<str>,
    /// Whether it can wait: what it hasn't delivered stays where it is.
    pub(in crate::sensor::run) can_wait: bool,
    pub(in crate::sensor::run) commands: Sender<Command>,
    /// Set while the source must not deliver anything.
    pub(in crate::sensor::run) paused: Arc<AtomicBool>,
}

/// A command to a source.
pub(in crate::sensor::run) enum Command {
    /// All pieces before this one are processed, and go into the next commit.
    Keep(u64),
    /// All pieces before this one are in a commit.
    Safe(u64),
    /// Stop delivering.
    #[cfg(feature = "daemon")]
    End,
}
