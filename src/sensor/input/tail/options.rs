//! What to follow, and how.

use std::ffi::OsString;
use std::time::Duration;

/// Where to start in files that were not read before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At their first byte.
    #[default]
    Beginning,
    /// At their end, if they exist when the tail is opened; files that appear later are read from
    /// their first byte.
    End,
}

/// How folders are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// By inotify, and by polling where that doesn't work: network file systems, FUSE, folders
    /// beyond its limits.
    #[default]
    Notify,
    /// Only by polling.
    Poll,
}

/// What to follow, and how.
#[derive(Clone, Debug)]
pub struct TailOptions {
    /// Paths, folders, and patterns with `*`, `?`, `[…]` and `**`.
    pub patterns: Vec<OsString>,
    /// Files to skip: patterns of whole paths or, without a slash, of names.
    pub exclude: Vec<OsString>,
    /// What the process itself writes, as the beginnings of real paths: never read, whatever link
    /// leads to it.
    pub own: Vec<OsString>,
    /// Where to start in files at the first start: without saved records.
    pub from: Start,
    /// How folders are watched.
    pub watch: Watch,
    /// How long to wait for more data in a file that was renamed or removed. Default: 30 s.
    pub rotate_wait: Duration,
    /// Files that were not written to for this long are ignored until they are written to again.
    pub ignore_older: Option<Duration>,
    /// How long to wait for more data before a line without its line feed is returned.
    pub idle_flush: Option<Duration>,
    /// How many files are open at once. Default: half of `RLIMIT_NOFILE`.
    pub max_descriptors: usize,
    /// How much of a file is read in a turn. Default: 256 KiB.
    pub turn: usize,
    /// How often to poll where there are no notifications. Default: 1 s.
    pub poll: Duration,
}

impl Default for TailOptions {
    fn default() -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        TailOptions {
            patterns: Vec::new(),
            exclude: Vec::new(),
            own: Vec::new(),
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
