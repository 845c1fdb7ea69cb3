//! The flags of `wiresift tail`.

use super::alerts::{Alerts, Following};
use crate::cli::choice::Choice;
use clap::{Args, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use wiresift::intel::config::duration;

#[derive(Debug, Args)]
#[command(after_help = "\
Files are followed through rotation of any kind: renamed, copied and truncated, compressed, removed.
What matches a pattern later is read from its first byte. With a state, which -o FILE has by default
(FILE.state), a restart continues where the last run stopped, and every line's alerts are in FILE
exactly once, even after a crash. Quote the patterns, or the shell only expands them once.

Exit status: 0 match, 1 no match, 2 error.

Examples:
  wiresift tail --db iocs.wsdb /var/log/syslog /var/log/auth.log
  wiresift tail --db iocs.wsdb '/var/log/**/*.log*' -o alerts.json
  wiresift tail --db iocs.wsdb /opt/zeek/logs/current --from beginning --format ecs -o alerts.json
  wiresift tail --db iocs.wsdb '/var/log/*.log*' -o alerts.json --once")]
pub(in crate::cli) struct Tail {
    /// The database, or a list or folder of lists to compile in memory; default: the database
    /// of wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) db: Option<PathBuf>,
    /// Logs, folders, and patterns with *, ?, [...] and **.
    #[arg(value_name = "PATTERN", value_hint = ValueHint::AnyPath, required = true)]
    pub(in crate::cli) patterns: Vec<OsString>,
    #[command(flatten)]
    pub(in crate::cli) following: Following,
    #[command(flatten)]
    pub(in crate::cli) alerts: Alerts,
    #[command(flatten)]
    pub(in crate::cli) choice: Choice,
    /// Skip files whose name or path matches; repeatable: '*.gz', 'old/**'.
    #[arg(long, value_name = "GLOB")]
    pub(in crate::cli) exclude: Vec<OsString>,
    /// Where to begin in files that exist at the first start; default: the end if alerts go to a
    /// terminal, else the beginning.
    #[arg(long, value_name = "WHERE")]
    pub(in crate::cli) from: Option<From>,
    /// Append alerts to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// The folder for saved positions; default: FILE.state with -o FILE, else none.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Save no positions, even with -o.
    #[arg(long, conflicts_with_all = ["state", "reset"])]
    pub(in crate::cli) no_state: bool,
    /// Discard saved positions and start over.
    #[arg(long)]
    pub(in crate::cli) reset: bool,
    /// Exit once everything available has been read.
    #[arg(long)]
    pub(in crate::cli) once: bool,
    /// Poll files instead of using inotify.
    #[arg(long)]
    pub(in crate::cli) poll: bool,
    /// Finish a renamed or removed file after this time without growth.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(in crate::cli) rotate_wait: Duration,
    /// Ignore files that have not been written to for this long, until they are.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) ignore_older: Option<Duration>,
    /// Match an unterminated last line after this time without growth; default: wait for its line
    /// feed.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) idle_flush: Option<Duration>,
    /// Check validity at the time of the line ("event"), "now", or at a given time.
    #[arg(long, value_name = "TIME", default_value = "event")]
    pub(in crate::cli) at: String,
    /// Time zone of log times without one: Europe/Berlin, +02:00 or local; default: UTC.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(in crate::cli) timezone: Option<String>,
    /// Threads for matching; default: 0, one per core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) threads: usize,
    /// Print counts of what was read, seen, matched and dropped to standard error at the end.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(in crate::cli) stats: Option<String>,
}

/// Where to begin in files that have not been read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum From {
    /// At their first byte.
    Beginning,
    /// At their end.
    End,
}
