//! How a command ended, and its exit code.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Something matched, or all went well.
    Yes,
    /// Nothing matched.
    No,
    /// Something could not be done.
    Failed,
    /// A signal of this number ended it.
    Ended(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
            Outcome::Failed => 2,
            // As shells say it.
            Outcome::Ended(signal) => 128 + signal,
        })
    }
}
