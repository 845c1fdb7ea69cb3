//! The command line: flags, subcommands, messages, exit codes.
//!
//! It stands on the public interface of the library and on nothing else. Exit
//! codes are grep's: 0 something matched, 1 nothing did, 2 an error, also when
//! some of the inputs could be scanned. A broken pipe ends quietly.

mod compile;
mod feed;
mod flags;
mod inspect;
mod lookup;
mod manual;
mod messages;
mod progress;
mod scan;
mod statistics;
mod tap;

use clap::{CommandFactory, FromArgMatches};
use flags::{Cli, Command};
use std::process::ExitCode;
use wiresift::Result;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Something matched, or all went well.
    Yes,
    /// Nothing matched.
    No,
    /// Something could not be done.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
            Outcome::Failed => 2,
        })
    }
}

/// Runs the command that the process was started with.
pub(crate) fn run() -> ExitCode {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are asked for; everything else is an error. A reader
            // that went away is none.
            let failed = error.use_stderr();
            let _ = error.print();
            return if failed { Outcome::Failed.into() } else { Outcome::Yes.into() };
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match dispatch(cli, &matches) {
        Ok(outcome) => outcome.into(),
        Err(error) if error.is_broken_pipe() => Outcome::Yes.into(),
        Err(error) => {
            messages::error(&error);
            Outcome::Failed.into()
        }
    }
}

fn dispatch(cli: Cli, matches: &clap::ArgMatches) -> Result<Outcome> {
    match cli.command {
        Command::Compile(flags) => {
            let matches = matches.subcommand_matches("compile");
            compile::run(flags, matches)
        }
        Command::Feed(flags) => feed::run(flags),
        Command::Scan(flags) => scan::run(flags),
        Command::Tap(flags) => tap::run(flags),
        Command::Lookup(flags) => lookup::run(flags),
        Command::Inspect(flags) => inspect::inspect(flags),
        Command::Verify(flags) => inspect::verify(flags),
        Command::Completions(flags) => manual::completions(flags),
        Command::Man(flags) => manual::man(flags),
    }
}
