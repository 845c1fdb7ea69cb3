//! What a job of this room says while it runs.

use crate::Error;

/// Something that the caller of a job wants to know while it runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// Something could not be done; the job goes on.
    Failed(&'a Error),
    /// Something was passed over on purpose.
    Skipped(&'a str),
    /// How far the job is.
    Progress {
        /// Bytes read so far.
        done: u64,
    },
}

/// Takes notices; from any thread.
pub type Notify<'a> = &'a (dyn Fn(Notice<'_>) + Sync);
