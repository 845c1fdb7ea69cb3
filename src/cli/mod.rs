//! The command line: flags, subcommands, messages, exit codes.
//!
//! Commands parse flags, call the public interface of the library and print; anything that a
//! service would need, too, belongs in the library.
//!
//! Exit codes are grep's: 0 for a match, 1 for none, 2 for an error, even if other inputs
//! could be scanned. A broken pipe is a quiet success: `head` has what it wanted. A scan ended
//! by a signal exits with 128 plus its number, as shells report it.

mod choice;
mod compile;
mod complete;
mod database;
mod feed;
mod flags;
mod hints;
mod inspect;
mod lookup;
mod manual;
mod messages;
mod outputs;
mod progress;
mod scan;
mod statistics;
mod summary;
mod tap;

use clap::{CommandFactory, FromArgMatches};
use flags::{Cli, Command};
use std::process::ExitCode;
use wiresift::Result;
use wiresift::engine::error::is_harmful;

/// The result of a command, from which the exit code follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Something matched, or the command succeeded.
    Yes,
    /// Nothing matched.
    No,
    /// Something failed, although the command may have done the rest.
    Failed,
    /// A signal with this number ended the command.
    Ended(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
            Outcome::Failed => 2,
            // The convention of sh, bash and zsh.
            Outcome::Ended(signal) => 128 + signal,
        })
    }
}

/// Runs the command that the process was started with.
pub(crate) fn run() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(Cli::command).var(complete::VARIABLE).complete();
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(mut error) => {
            let words: Vec<String> = std::env::args().skip(1).collect();
            hints::mend(&mut error, &Cli::command(), &words);
            // Help and version go to standard output and succeed; everything else is an error.
            // A closed pipe is none.
            let failed = error.use_stderr();
            let text = error.render().to_string();
            // The error quotes arguments, and a shell glob may have put any file name there.
            // clap colours its message, so only print it ourselves if something must be
            // escaped.
            let is_clean = |c: char| c == '\n' || c == '\t' || !is_harmful(c);
            if failed && !text.chars().all(is_clean) {
                text.trim_end().split('\n').for_each(messages::say);
            } else {
                let _ = error.print();
            }
            return if failed { Outcome::Failed.into() } else { Outcome::Yes.into() };
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match wiresift::sensor::run::outlive_signals().and_then(|()| dispatch(cli, &matches)) {
        Ok(outcome) => outcome.into(),
        Err(error) if error.is_broken_pipe() => Outcome::Yes.into(),
        Err(error) => {
            messages::error(&error);
            Outcome::Failed.into()
        }
    }
}

/// Runs a command. `matches` preserves the order of the arguments, which `compile`
/// needs.
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
