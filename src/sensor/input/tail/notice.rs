//! Messages for operators, and counters.

use crate::engine::error::io_text;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A message for operators. Each is reported once, until the state changes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// inotify is unavailable, or its limit is reached for this folder and perhaps others: they are
    /// polled.
    NotWatched {
        /// The first such folder; `None` if all folders are affected.
        path: Option<PathBuf>,
        /// Why.
        error: io::Error,
    },
    /// The kernel dropped notifications, so everything was checked again.
    Overflowed,
    /// A file or folder can't be read; it is retried.
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that could not be read is readable again.
    Readable(PathBuf),
    /// Bytes were lost before they were read.
    Lost {
        /// The file that contained them.
        path: PathBuf,
        /// How many, as far as known.
        bytes: u64,
        /// How they were lost.
        reason: Reason,
    },
    /// A compressed file is damaged or incomplete; the readable part was processed.
    Damaged {
        /// The path.
        path: PathBuf,
        /// The damage.
        error: io::Error,
    },
    /// A file is not a log that could be followed.
    NotText {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file that a pattern matches is written by this process, so it is not read. Reported once for
    /// each of its outputs.
    Own(PathBuf),
    /// A line was too long: its rest was skipped. Reported once for each file.
    Cut {
        /// The file.
        path: PathBuf,
        /// Where the skipped part begins.
        offset: u64,
    },
    /// The system has no more descriptors: from now on fewer files stay open.
    TooManyOpen(usize),
}

/// Why bytes were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The file was truncated or overwritten, and no copy of it appeared.
    Truncated,
    /// The file was removed while it was not open.
    Removed,
}

impl Reason {
    /// Its name as a label of metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Truncated => "truncated",
            Reason::Removed => "removed",
        }
    }
}

impl Notice {
    /// The file or folder that it is about, if any.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Notice::NotWatched { path, .. } => path.as_deref(),
            Notice::Overflowed | Notice::TooManyOpen(_) => None,
            Notice::Readable(path)
            | Notice::Unreadable { path, .. }
            | Notice::Lost { path, .. }
            | Notice::Damaged { path, .. }
            | Notice::NotText { path, .. }
            | Notice::Own(path)
            | Notice::Cut { path, .. } => Some(path),
        }
    }
}

/// Without the path.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::NotWatched { error, .. } => write!(
                f,
                "cannot be watched, so it is polled, and others may be, too: {} \
                 (see /proc/sys/fs/inotify)",
                io_text(error)
            ),
            Notice::Overflowed => {
                f.write_str("the inotify queue was full: all files were checked again")
            }
            Notice::Unreadable { error, .. } => write!(f, "cannot be read: {}", io_text(error)),
            Notice::Readable(_) => f.write_str("can be read again"),
            Notice::Lost { bytes, reason, .. } => {
                write!(f, "{} before {bytes} bytes were read", reason.name())
            }
            Notice::Damaged { error, .. } => {
                write!(f, "{error} (what comes before it was read)")
            }
            Notice::NotText { what, .. } => {
                write!(f, "not followed, because it is {what} and not text (try `wiresift scan`)")
            }
            Notice::Own(_) => f.write_str(
                "not followed, because this process writes it: its alerts would cause alerts \
                 without end",
            ),
            Notice::Cut { offset, .. } => {
                write!(f, "a line is longer than 1 MiB: skipped from byte {offset} to its end")
            }
            Notice::TooManyOpen(open) => {
                write!(f, "no more descriptors: at most {open} files stay open from now on")
            }
        }
    }
}

/// Counters since the tail was opened, and the present state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Lines that were returned, complete or not.
    pub lines: u64,
    /// Bytes of streams that were returned.
    pub bytes: u64,
    /// Rotations by kind.
    pub rotations: Rotations,
    /// Bytes that were lost before they were read, because a file was truncated.
    pub lost_truncated: u64,
    /// The same, because a file was removed.
    pub lost_removed: u64,
    /// Lines that were cut, because they were too long.
    pub lines_cut: u64,
    /// Bytes of them that were skipped.
    pub bytes_skipped: u64,
    /// NULs that were skipped: holes, and space that was never written.
    pub nuls_skipped: u64,
    /// How many times inotify dropped notifications.
    pub overflows: u64,
    /// Compressed files that were damaged.
    pub damaged: u64,
    /// Followed files.
    pub files: usize,
    /// Open ones among them.
    pub open: usize,
    /// Unreadable ones among them.
    pub unreadable: usize,
    /// Files that are not logs, and are ignored.
    pub not_text: usize,
    /// Folders that are watched by inotify.
    pub watched: usize,
    /// Folders that are polled.
    pub polled: usize,
}

/// Rotations by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotations {
    /// A file was renamed.
    pub renamed: u64,
    /// A file lost its last name.
    pub removed: u64,
    /// A file was truncated or overwritten.
    pub truncated: u64,
    /// A copy of a file continued where the file had been read to.
    pub copied: u64,
    /// A compressed form of a file continued it.
    pub packed: u64,
}

/// How far a file was read, for status pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// The file, as named in alerts.
    pub path: String,
    /// Its stream.
    pub stream: u64,
    /// Bytes of the stream that are processed.
    pub offset: u64,
    /// Bytes that are stored but not processed; for compressed files, all of them until they are
    /// done.
    pub lag_bytes: u64,
    /// How long some of them have been waiting.
    pub lag: std::time::Duration,
    /// Whether the file is open.
    pub is_open: bool,
    /// Whether it lost its name, or no pattern matches it any more.
    pub is_rotated: bool,
}
