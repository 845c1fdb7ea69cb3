//! Parses the arguments of the process into a command, and turns its outcome into the exit code.

use super::flags::{Cli, Command};
use super::outcome::Outcome;
use super::{
    bench, compile, complete, feed, hints, inspect, lookup, manual, messages, scan, status, tail,
    tap,
};
use clap::{CommandFactory, FromArgMatches};
use std::process::ExitCode;
use wiresift::Result;
use wiresift::engine::error::is_harmful;

/// Runs the command that the process was started with.
pub(crate) fn run() -> ExitCode {
    clap_complete::CompleteEnv::with_factory(Cli::command).var(complete::VARIABLE).complete();
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(mut error) => {
            let words: Vec<String> = std::env::args().skip(1).collect();
            hints::replace_suggestions(&mut error, &Cli::command(), &words);
            // Help and version go to standard output and succeed; everything else is an error,
            // except a closed pipe.
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
        #[cfg(feature = "exchange")]
        Command::Exchange(flags) => super::exchange::run(flags),
        Command::Scan(flags) => scan::run(flags),
        Command::Tail(flags) => tail::run(flags),
        Command::Tap(flags) => tap::run(flags),
        Command::Run(flags) => super::run::run(flags),
        Command::Status(flags) => status::run(flags),
        Command::Lookup(flags) => lookup::run(flags),
        Command::Bench(flags) => bench::run(flags),
        Command::Inspect(flags) => inspect::inspect(flags),
        Command::Verify(flags) => inspect::verify(flags),
        Command::Completions(flags) => manual::completions(flags),
        Command::Man(flags) => manual::man(flags),
    }
}
