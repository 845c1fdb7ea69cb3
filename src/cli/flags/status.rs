//! The flags of `wiresift status`.

use clap::Args;
use std::time::Duration;
use wiresift::intel::config::duration;

#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal the status is refreshed until Ctrl-C. Rates cover the time since the last refresh.

Exit status: 0 running without problems, 1 running with problems, 2 not reachable.

Examples:
  wiresift status
  wiresift status http://127.0.0.1:9751 --every 10s
  wiresift status --once
  wiresift status --json | jq .inputs")]
pub(in crate::cli) struct Status {
    /// Address of the service, as set by `metrics` in its configuration.
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:9750")]
    pub(in crate::cli) url: String,
    /// Print the service's status page as JSON, once.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print the status once, even on a terminal.
    #[arg(long)]
    pub(in crate::cli) once: bool,
    /// How often to refresh.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub(in crate::cli) every: Duration,
}
