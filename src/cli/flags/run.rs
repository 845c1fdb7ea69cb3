//! The flags of `wiresift run`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
SIGHUP reads the configuration again; what did not change runs on. SIGINT and SIGTERM end it: what
was read is matched, and sinks get a few seconds to send what waits. The rest is kept for the next
start. The database is used as soon as a new one is published.

Exit status: 0 ended in order, 2 error, 78 the configuration is wrong, so that another start would
fail as well. With --once: 0 match, 1 no match, 2 or 78 likewise. With --check: 0 all is well,
2 something is wrong.

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
    /// Say what would run and what is wrong, without starting: everything that can be opened is.
    #[arg(long, conflicts_with_all = ["once", "setup"])]
    pub(in crate::cli) check: bool,
    /// End when everything that is there was read and delivered.
    #[arg(long)]
    pub(in crate::cli) once: bool,
    /// Ask what to watch, which feeds, where alerts go and how loud, and write the configuration.
    #[arg(long, conflicts_with = "once")]
    pub(in crate::cli) setup: bool,
    /// With --setup: replace a configuration that is there.
    #[arg(long, requires = "setup")]
    pub(in crate::cli) force: bool,
    /// Forget positions and open windows first: everything is read again, and alerts come again.
    #[arg(long, conflicts_with_all = ["check", "setup"])]
    pub(in crate::cli) reset: bool,
    /// Send every alert, also those that only repeat another one.
    #[arg(long, conflicts_with = "setup")]
    pub(in crate::cli) no_suppress: bool,
}
