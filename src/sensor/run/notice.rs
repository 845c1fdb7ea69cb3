//! What a job reports while it runs.

use super::Report;
#[cfg(feature = "live")]
use super::Sandbox;
use crate::Error;

/// Something that the caller of a job should know while it runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// Something failed; the job goes on.
    Failed(&'a Error),
    /// Something was skipped on purpose.
    Skipped(&'a str),
    /// Something that cannot be searched inside: its raw bytes were searched, if it has any outside
    /// of an archive.
    Closed {
        /// The name that alerts would use for it.
        path: &'a str,
        /// What it is.
        what: &'static str,
    },
    /// A newer database replaced the one in use.
    Swapped {
        /// Its build identifier.
        id: &'a str,
        /// The number of distinct values in it.
        values: u64,
    },
    /// SIGHUP requested a newer database, but the file has not changed.
    NothingNewer,
    /// A newer database could not be used; the current one stays.
    Kept(&'a Error),
    /// The progress of the job.
    Progress {
        /// Bytes read so far.
        done: u64,
        /// Total bytes, as far as known; 0 if unknown.
        total: u64,
    },
    /// Costs are being measured.
    Measuring {
        /// The current round, from 1.
        round: u64,
        /// The number of rounds.
        rounds: u64,
    },
    /// An interface is being listened to.
    Listening {
        /// Its name.
        interface: &'a str,
        /// How many workers share its packets.
        workers: usize,
    },
    /// The privileges that the process dropped.
    #[cfg(feature = "live")]
    Sandboxed(&'a Sandbox),
    /// An interface disappeared; the job waits for it to return.
    Gone {
        /// Its name.
        interface: &'a str,
        /// How that was noticed.
        why: &'a str,
    },
    /// An interface returned, and is listened to again.
    Back {
        /// Its name.
        interface: &'a str,
    },
    /// The link of an interface is down: nothing can be received.
    Down {
        /// Its name.
        interface: &'a str,
    },
    /// The link of an interface is up again.
    Up {
        /// Its name.
        interface: &'a str,
    },
    /// Something about the followed logs.
    Tail(&'a crate::sensor::input::tail::Notice),
    /// The output can't be written; it is retried, and alerts wait.
    OutputFailed(&'a Error),
    /// The output can be written again.
    OutputBack {
        /// Alerts that were lost meanwhile.
        lost: u64,
    },
    /// SIGHUP reopened the output, or the error that prevented it.
    Reopened(Option<&'a Error>),
    /// Counts so far, at the requested interval.
    Report(&'a Report),
    /// Counts so far, because of SIGUSR1.
    Asked(&'a Report),
}

/// Receives notices, from any thread.
pub type Notify<'a> = &'a (dyn Fn(Notice<'_>) + Sync);
