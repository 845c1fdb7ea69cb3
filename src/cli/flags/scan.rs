//! The flags of `wiresift scan`.

use super::alerts::{Alerts, Following, Packets};
use crate::cli::choice::{self, Choice};
use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
The database is reloaded when it changes if a pipe is read, else with --watch. Alerts for one input
may then come from several databases; each alert names its own.

Exit status: 0 match, 1 no match, 2 error.

Examples:
  wiresift scan --db iocs.wsdb /var/log/
  wiresift scan --db bad-addresses.txt /var/log/auth.log
  wiresift scan /var/log/ --summary --min-severity high --since 7d
  wiresift scan --db iocs.wsdb 'archive/**/*.gz' --format eve -o alerts.json
  wiresift scan --db iocs.wsdb capture.pcapng --stats
  journalctl -f | wiresift scan --db iocs.wsdb -")]
pub(in crate::cli) struct Scan {
    /// The database, or a list or folder of lists to compile in memory; default: the database
    /// of wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) db: Option<PathBuf>,
    /// Logs, captures, folders, patterns, or - for standard input; compressed or not.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) following: Following,
    #[command(flatten)]
    pub(in crate::cli) alerts: Alerts,
    #[command(flatten)]
    pub(in crate::cli) choice: Choice,
    /// Skip inputs whose name or path matches; repeatable: '*.gz', 'old/**'.
    #[arg(long, value_name = "GLOB", value_parser = choice::pattern)]
    pub(in crate::cli) exclude: Vec<glob::Pattern>,
    /// Print only the number of alerts per input.
    #[arg(short, long, conflicts_with_all = ["observables", "json"])]
    pub(in crate::cli) count: bool,
    /// Print only the paths of inputs with alerts; can be combined with -c.
    #[arg(short = 'l', long = "files-with-matches",
          conflicts_with_all = ["observables", "json"])]
    pub(in crate::cli) paths: bool,
    /// Stop reading an input after N alerts.
    #[arg(short, long, value_name = "N", conflicts_with = "observables",
          value_parser = choice::at_least_one)]
    pub(in crate::cli) max_count: Option<u64>,
    #[command(flatten)]
    pub(in crate::cli) packets: Packets,
    /// Write alerts to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Check validity at the time of the packet or line ("event"), "now", or at a given time.
    #[arg(long, value_name = "TIME", default_value = "event")]
    pub(in crate::cli) at: String,
    /// Time zone of log times without one: Europe/Berlin, +02:00 or local; default: UTC.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(in crate::cli) timezone: Option<String>,
    /// Undo defanging in the inputs, for reports rather than logs.
    #[arg(long)]
    pub(in crate::cli) refang: bool,
    /// Print all observables, one JSON object per line; needs no database.
    #[arg(long, conflicts_with_all = ["db", "format", "json", "allow", "watch", "min_severity",
          "min_confidence", "feeds", "kinds", "since", "first", "summary"])]
    pub(in crate::cli) observables: bool,
    /// Threads, up to 1024; default: 0, one per core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, value_parser = threads)]
    pub(in crate::cli) threads: usize,
    /// Print counts of what was read, seen, matched, suppressed and dropped to standard error.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(in crate::cli) stats: Option<String>,
    /// Bytes of a chunk. The result does not depend on it.
    #[arg(long, value_name = "BYTES", default_value_t = 0, hide = true)]
    pub(in crate::cli) chunk_size: usize,
}

/// The limit of `--threads`: more cores than machines have today, and few enough to start.
const MAX_THREADS: usize = 1024;

pub(super) fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= MAX_THREADS);
    number.ok_or_else(|| format!("expected a number from 0 to {MAX_THREADS}"))
}
