//! What operators must hear, and what they count.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Something that an operator should hear of. Each is said once, until it changes.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// inotify is not there, or has no room for this folder and perhaps others: they are polled.
    NotWatched {
        /// The first such folder; none if it is all of them.
        path: Option<PathBuf>,
        /// Why.
        error: io::Error,
    },
    /// The kernel dropped notices, and everything was looked at.
    Overflowed,
    /// A file or folder can't be read; it is tried again.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that could not be read can be.
    Readable(PathBuf),
    /// Bytes are gone before they were read.
    Lost {
        /// The file that held them.
        path: PathBuf,
        /// How many, as far as anybody knows.
        bytes: u64,
        /// Where they went.
        reason: Reason,
    },
    /// A packed file is damaged, or ends in the middle; what could be read was.
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        error: io::Error,
    },
    /// A file is no log that could be followed.
    NotText {
        /// Which.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A line was longer than a line may be: its rest was skipped. Said once for each file.
    Cut {
        /// The file.
        path: PathBuf,
        /// Where its rest begins.
        offset: u64,
    },
    /// The system has no more descriptors: fewer files stay open from now on.
    TooManyOpen(usize),
}

/// Why bytes were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The file was truncated or overwritten, and no copy of it appeared.
    Truncated,
    /// The file was removed while nobody had it open.
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
    /// The file or folder that it is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Notice::NotWatched { path, .. } => path.as_deref(),
            Notice::Overflowed | Notice::TooManyOpen(_) => None,
            Notice::Readable(path)
            | Notice::Unreadable { path, .. }
            | Notice::Lost { path, .. }
            | Notice::Damaged { path, .. }
            | Notice::NotText { path, .. }
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
                "cannot be watched, so it is polled, as perhaps others: {error} \
                 (see /proc/sys/fs/inotify)"
            ),
            Notice::Overflowed => {
                f.write_str("inotify's queue was full: all files were looked at again")
            }
            Notice::Unreadable { error, .. } => write!(f, "cannot be read now: {error}"),
            Notice::Readable(_) => f.write_str("can be read now"),
            Notice::Lost { bytes, reason, .. } => {
                write!(f, "{} before {bytes} bytes were read", reason.name())
            }
            Notice::Damaged { error, .. } => {
                write!(f, "{error} (what comes before it was read)")
            }
            Notice::NotText { what, .. } => {
                write!(f, "not followed: it is no text, but {what} (`wiresift scan` may read it)")
            }
            Notice::Cut { offset, .. } => {
                write!(f, "a line is longer than 1 MiB: skipped from byte {offset} to its end")
            }
            Notice::TooManyOpen(open) => {
                write!(f, "no more descriptors: at most {open} files stay open from now on")
            }
        }
    }
}

/// What was counted since the tail was opened, and what is the case now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Lines that were given out, whole or not.
    pub lines: u64,
    /// Bytes of the streams that were given out.
    pub bytes: u64,
    /// Rotations by kind.
    pub rotations: Rotations,
    /// Bytes that were gone before they were read, because a file was truncated.
    pub lost_truncated: u64,
    /// And because it was removed.
    pub lost_removed: u64,
    /// Lines that were cut, being too long.
    pub lines_cut: u64,
    /// Bytes of them that were skipped.
    pub bytes_skipped: u64,
    /// NULs that were skipped: holes, and space that was never written.
    pub nuls_skipped: u64,
    /// Times that inotify dropped notices.
    pub overflows: u64,
    /// Packed files that were damaged.
    pub damaged: u64,
    /// Files that are followed.
    pub files: usize,
    /// Of them open.
    pub open: usize,
    /// Of them unreadable.
    pub unreadable: usize,
    /// Files that are no logs, and are left alone.
    pub not_text: usize,
    /// Folders that are watched by inotify.
    pub watched: usize,
    /// Folders that are polled.
    pub polled: usize,
}

/// Rotations by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotations {
    /// A file got another name.
    pub renamed: u64,
    /// A file lost its last name.
    pub removed: u64,
    /// A file was truncated or overwritten.
    pub truncated: u64,
    /// A copy of a file went on where it was read to.
    pub copied: u64,
    /// A packed file did.
    pub packed: u64,
}

/// How far a file was read, for people who ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// The file, as alerts call it.
    pub path: String,
    /// Its stream.
    pub stream: u64,
    /// Bytes of the stream that are processed.
    pub offset: u64,
    /// Bytes that are stored and not processed; of packed files, all of them until it is done.
    pub lag_bytes: u64,
    /// For how long some were not.
    pub lag: std::time::Duration,
    /// Whether the file is open.
    pub is_open: bool,
    /// Whether it lost its name, or left what patterns take.
    pub is_rotated: bool,
}
