//! The flags of the commands that ask a database: `lookup`, `inspect`, `verify`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 match, 1 no match, 2 error.

Examples:
  wiresift lookup --db iocs.wsdb 203.0.113.7
  wiresift lookup --db iocs.wsdb 'hxxp://login[.]example/a' --explain
  cut -f3 conn.log | wiresift lookup --db iocs.wsdb --json -")]
pub(in crate::cli) struct Lookup {
    /// The database, or a list or folder of lists to compile in memory; default: the database
    /// of wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) db: Option<PathBuf>,
    /// The configuration whose database and ledgers of feeds are used; default: wiresift.toml in
    /// this folder, if the database is its own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Values of any kind, defanged or not; - reads them from standard input, one per line.
    #[arg(value_name = "VALUE", required = true)]
    pub(in crate::cli) values: Vec<String>,
    /// Print one JSON object per value.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Show the steps for matches too.
    #[arg(long)]
    pub(in crate::cli) explain: bool,
    /// Known good values, networks and domains.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) allow: Vec<PathBuf>,
    /// Check validity "now" or at a given time.
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub(in crate::cli) at: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 success, 2 error.

Examples:
  wiresift inspect iocs.wsdb
  wiresift inspect --withheld iocs.wsdb")]
pub(in crate::cli) struct Inspect {
    /// The database.
    #[arg(value_name = "DB")]
    pub(in crate::cli) db: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// List withheld indicators with their reasons.
    #[arg(long)]
    pub(in crate::cli) withheld: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 sound, 1 damaged, 2 unreadable.

Examples:
  wiresift verify iocs.wsdb && cp iocs.wsdb /srv/sensors/")]
pub(in crate::cli) struct Verify {
    /// The database.
    #[arg(value_name = "DB")]
    pub(in crate::cli) db: PathBuf,
}
