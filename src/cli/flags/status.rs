//! The flags of `wiresift status`.

use clap::Args;
use std::time::Duration;
use wiresift::intel::config::duration;

#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal the page is shown again and again, until Ctrl-C. Rates are those since the page before.

Exit status: 0 running and nothing in the way, 1 something is in the way, 2 not reachable.

Examples:
  wiresift status
  wiresift status http://127.0.0.1:9751 --every 10s
  wiresift status --once
  wiresift status --json | jq .inputs")]
pub(in crate::cli) struct Status {
    /// Where `metrics` of the configuration has the pages.
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:9750")]
    pub(in crate::cli) url: String,
    /// Print what the process says, as JSON, once.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print it once, on a terminal, too.
    #[arg(long)]
    pub(in crate::cli) once: bool,
    /// How often to look.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub(in crate::cli) every: Duration,
}
