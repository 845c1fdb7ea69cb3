//! How a command ended, and its exit code.

use std::process::ExitCode;

/// The result of a command, from which the exit code follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Something matched, or the command succeeded.
    Yes,
    /// Nothing matched.
    No,
    /// Something failed, although the command may have done the rest.
    Failed,
    /// The configuration is wrong: as long as nobody changes it, nothing is to be gained by another
    /// start.
    Misconfigured,
    /// A signal with this number ended the command.
    Ended(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
            Outcome::Failed => 2,
            // EX_CONFIG of sysexits.h: the unit of systemd is not started again.
            Outcome::Misconfigured => 78,
            // The convention of sh, bash and zsh.
            Outcome::Ended(signal) => 128 + signal,
        })
    }
}
