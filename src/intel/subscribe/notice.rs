//! What a job reports while it runs.

use crate::Error;

/// Something that a job reports while it runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// Something failed; the job continues.
    Failed(&'a Error),
    /// Something was skipped on purpose.
    Skipped(&'a str),
    /// How far the job is.
    Progress {
        /// Bytes read so far.
        done: u64,
    },
}

/// Receives notices, from any thread.
pub type Notify<'a> = &'a (dyn Fn(Notice<'_>) + Sync);
