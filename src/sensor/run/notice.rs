//! What a job reports while it runs.

use super::Report;
#[cfg(feature = "live")]
use super::Sandbox;
use crate::Error;

/// Something that the caller of a job wants to know while it runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// Something could not be done; the job goes on.
    Failed(&'a Error),
    /// Something was passed over on purpose.
    Skipped(&'a str),
    /// Something that cannot be looked into: its bytes were searched as they are, if it has
    /// any outside of an archive.
    Closed {
        /// What alerts would call it.
        path: &'a str,
        /// What it is.
        what: &'static str,
    },
    /// A newer database replaced the one in use.
    Swapped {
        /// Its build identifier.
        id: &'a str,
        /// Distinct values that it holds.
        values: u64,
    },
    /// SIGHUP asked for a newer database, and the file has not changed.
    NothingNewer,
    /// A newer database could not be used; the one in use stays.
    Kept(&'a Error),
    /// How far the job is.
    Progress {
        /// Bytes read so far.
        done: u64,
        /// Bytes in all, as far as they are known; 0 if they are not.
        total: u64,
    },
    /// An interface is listened to.
    Listening {
        /// Its name.
        interface: &'a str,
        /// How many workers share its packets.
        workers: usize,
    },
    /// What the process gave up.
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
    /// The link of an interface is down: nothing can come in.
    Down {
        /// Its name.
        interface: &'a str,
    },
    /// The link of an interface is up again.
    Up {
        /// Its name.
        interface: &'a str,
    },
    /// The output can't be written; it is retried, and alerts wait.
    OutputFailed(&'a Error),
    /// The output can be written again.
    OutputBack {
        /// Alerts that were lost meanwhile.
        lost: u64,
    },
    /// SIGHUP had the output reopened, or this is why it could not be.
    Reopened(Option<&'a Error>),
    /// Counts so far, at the interval that was asked for.
    Report(&'a Report),
    /// Counts so far, because SIGUSR1 asked for them.
    Asked(&'a Report),
}

/// Takes notices; from any thread.
pub type Notify<'a> = &'a (dyn Fn(Notice<'_>) + Sync);
