//! What a job says while it runs.

use crate::Error;

/// Something that whoever started a job wants to know while it runs.
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
    /// A newer database took the place of the one that was in force.
    Swapped {
        /// Its build identifier.
        id: &'a str,
        /// Distinct values that it holds.
        values: u64,
    },
    /// SIGHUP asked for a newer database, and the file is still the same.
    NothingNewer,
    /// A newer database could not be taken; the one in force stays.
    Kept(&'a Error),
    /// So many of so many bytes are done; the total is 0 where nobody knows it.
    Progress {
        /// Bytes read so far.
        done: u64,
        /// Bytes in all, as far as they are known.
        total: u64,
    },
}

/// Takes notices; from any thread.
pub type Notify<'a> = &'a (dyn Fn(Notice<'_>) + Sync);
