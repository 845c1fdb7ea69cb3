//! The program and its commands.

use super::bench::Bench;
use super::compile::Compile;
use super::database::{Inspect, Lookup, Verify};
#[cfg(feature = "exchange")]
use super::exchange::Exchange;
use super::feed::Feed;
use super::manual::{Completions, Man};
use super::run::Run;
use super::scan::Scan;
use super::status::Status;
use super::tail::Tail;
use super::tap::Tap;
use clap::{Parser, Subcommand};

/// Matches indicators of compromise against logs, captures and live traffic.
#[derive(Debug, Parser)]
#[command(
    name = "wiresift",
    version,
    about,
    long_about = "wiresift compiles indicators of compromise (OTX pulses, STIX, MISP, abuse.ch, plain \
                  lists and more) into one memory-mapped database, matches logs, packet captures and \
                  live traffic against it, and writes an alert for every match.",
    after_help = "\
Exit status: 0 match, 1 no match, 2 error, even if some of the inputs could be scanned.

Examples:
  wiresift scan --db iocs.txt access.log capture.pcap      a list, compiled in memory
  wiresift feed add urlhaus && wiresift feed update --compile
  wiresift tail /var/log/*.log
  wiresift lookup 203.0.113.7 --explain

`wiresift help COMMAND` shows the flags and examples of a command.",
    max_term_width = 100
)]
pub(in crate::cli) struct Cli {
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Compile feeds into a database.
    Compile(Compile),
    /// Subscribe to feeds and fetch them.
    Feed(Feed),
    /// Run an exchange, where a community shares pulses.
    #[cfg(feature = "exchange")]
    Exchange(Exchange),
    /// Match logs and captures against a database.
    Scan(Scan),
    /// Follow logs as they grow and rotate.
    Tail(Tail),
    /// Match live traffic against a database.
    Tap(Tap),
    /// Run as a service, with the inputs, feeds and sinks of wiresift.toml.
    Run(Run),
    /// Show the state of the running service.
    Status(Status),
    /// Explain why a value matches, or why not.
    Lookup(Lookup),
    /// Judge a rule set: what it contains, finds and risks.
    Bench(Bench),
    /// Show what is in a database.
    Inspect(Inspect),
    /// Check every section and structure of a database.
    Verify(Verify),
    /// Print shell completions.
    Completions(Completions),
    /// Write man pages.
    Man(Man),
}
