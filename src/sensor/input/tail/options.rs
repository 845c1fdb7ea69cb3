//! What to follow, and how.

use std::ffi::OsString;
use std::time::Duration;

/// Where files begin that nobody has read before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At their first byte.
    #[default]
    Beginning,
    /// At their end, if they are there when the tail is opened; those that appear later begin at
    /// their first byte.
    End,
}

/// How folders are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// By inotify, and by polling where that says nothing: network file systems, FUSE, folders
    /// beyond its limits.
    #[default]
    Notify,
    /// By polling alone.
    Poll,
}

/// What to follow, and how.
#[derive(Clone, Debug)]
pub struct TailOptions {
    /// Paths, folders, and patterns with `*`, `?`, `[…]` and `**`.
    pub patterns: Vec<OsString>,
    /// Files that are left out: patterns of whole paths or, without a slash, of names.
    pub exclude: Vec<OsString>,
    /// Where files begin at the first start: without saved records.
    pub from: Start,
    /// How folders are watched.
    pub watch: Watch,
    /// A file that was renamed or removed is done after so long without growth. Default: 30 s.
    pub rotate_wait: Duration,
    /// Files that weren't written to for so long are left alone until somebody does.
    pub ignore_older: Option<Duration>,
    /// A line without its line feed is given out after so long without growth.
    pub idle_flush: Option<Duration>,
    /// How many files are open at once. Default: half of `RLIMIT_NOFILE`.
    pub max_descriptors: usize,
    /// How much of a file is read before it is another one's turn. Default: 256 KiB.
    pub turn: usize,
    /// How often what sends no notices is looked at. Default: 1 s.
    pub poll: Duration,
}

impl Default for TailOptions {
    fn default() -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        TailOptions {
            patterns: Vec::new(),
            exclude: Vec::new(),
            from: Start::Beginning,
            watch: Watch::Notify,
            rotate_wait: Duration::from_secs(30),
            ignore_older: None,
            idle_flush: None,
            max_descriptors: usize::try_from(limit.unwrap_or(2048) / 2).unwrap_or(1024).max(8),
            turn: 256 << 10,
            poll: Duration::from_secs(1),
        }
    }
}
