//! The flags of `wiresift run`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
SIGHUP reloads the configuration; whatever did not change keeps running. SIGINT and SIGTERM stop the
service: everything read so far is matched, and sinks get a few seconds to send pending alerts. The
rest is kept for the next start. A new database is used as soon as it is published.

Exit status: 0 stopped normally, 2 error, 78 invalid configuration. With --once: 0 match, 1 no match,
2 error, 78 invalid configuration. With --check: 0 no problems, 2 problems found.

Examples:
  wiresift run --setup
  wiresift run --check
  wiresift run
  wiresift run --config /etc/wiresift/wiresift.toml
  wiresift run --once --no-suppress")]
pub(in crate::cli) struct Run {
    /// The configuration; default: wiresift.toml in this folder, else
    /// /etc/wiresift/wiresift.toml.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Report what would run and any problems, without starting. Everything that can be opened is
    /// tried.
    #[arg(long, conflicts_with_all = ["once", "setup"])]
    pub(in crate::cli) check: bool,
    /// Exit once everything available has been read and delivered.
    #[arg(long)]
    pub(in crate::cli) once: bool,
    /// Ask what to watch, which feeds to use, where to send alerts and how many, then write the
    /// configuration.
    #[arg(long, conflicts_with = "once")]
    pub(in crate::cli) setup: bool,
    /// With --setup: replace an existing configuration.
    #[arg(long, requires = "setup")]
    pub(in crate::cli) force: bool,
    /// Discard saved positions and suppression windows first: everything is read again, and alerts
    /// repeat.
    #[arg(long, conflicts_with_all = ["check", "setup"])]
    pub(in crate::cli) reset: bool,
    /// Send every alert, including repeats.
    #[arg(long, conflicts_with = "setup")]
    pub(in crate::cli) no_suppress: bool,
}
