//! The flags of `wiresift compile`.

use crate::cli::complete;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
--internal, --as and --feed apply to the inputs that follow them.

Examples:
  wiresift compile -o iocs.wsdb feeds/
  wiresift compile -o iocs.wsdb otx.json --feed ipsum ipsum.txt --internal our-hosts.txt
  wiresift compile -o iocs.wsdb --as csv --columns indicator=2,type=3 export.csv --rejects rejects.tsv")]
pub(in crate::cli) struct Compile {
    /// The database to write; an existing one is replaced atomically.
    #[arg(short, long, value_name = "DB", required_unless_present = "config")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Files, folders, MISP feed folders, or - for standard input.
    #[arg(value_name = "INPUT", required_unless_present = "config")]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    /// Compile the subscribed feeds, into the configured database unless --output is given.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "wiresift.toml")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// The following inputs describe internal networks: accept private addresses.
    #[arg(long)]
    pub(in crate::cli) internal: bool,
    /// Format of the following inputs; default: "auto", detected from the content.
    #[arg(long = "as", value_name = "FORMAT", add = complete::formats())]
    pub(in crate::cli) formats: Vec<String>,
    /// Name of the feed in alerts, for the following inputs; default: the file name.
    #[arg(long = "feed", value_name = "NAME")]
    pub(in crate::cli) feeds: Vec<String>,
    /// Known good values, networks and domains: hits on them are counted and do not alert.
    /// A value may be followed by until=DATE and by # with a reason.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) allow: Vec<PathBuf>,
    /// Exclude indicators on a warning list (MISP's, or any list), or a folder of lists.
    /// FEED,FEED:LIST limits it to these feeds.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(in crate::cli) suppress: Vec<String>,
    /// Tag indicators on a warning list, and limit domains on it to their exact value.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(in crate::cli) annotate: Vec<String>,
    /// MISP's warning lists, each with its usual effect: lists of what cannot be
    /// malicious (private networks, public resolvers, whole suffixes) suppress, all others annotate.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(in crate::cli) warninglists: Vec<String>,
    /// Skip files in folders whose name or path below the folder matches: '*.md'.
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    pub(in crate::cli) exclude: Vec<glob::Pattern>,
    /// List rejected values in FILE, with path, line, value, reason, detail and remedy.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) rejects: Option<PathBuf>,
    /// Which column of a table is what, by number (from 1) or name.
    #[arg(long, value_name = "ROLE=COLUMN,…")]
    pub(in crate::cli) columns: Option<String>,
    /// Column separator of a table.
    #[arg(long, value_name = "CHAR")]
    pub(in crate::cli) delimiter: Option<char>,
    /// Whether to undo defanging such as hxxp://evil[.]example.
    #[arg(long, value_enum, default_value_t = Refang::Auto)]
    pub(in crate::cli) refang: Refang,
    /// Scope of domains if the format does not define it.
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub(in crate::cli) domains: Option<DomainScope>,
    /// Include MISP attributes that are not for detection (to_ids false).
    #[arg(long)]
    pub(in crate::cli) misp_all: bool,
    /// Apply STIX domain-name:value to subdomains too.
    #[arg(long)]
    pub(in crate::cli) stix_domain_subtree: bool,
    /// Read addresses with leading zeros as decimal instead of rejecting them.
    #[arg(long)]
    pub(in crate::cli) zero_padded: bool,
    /// Accept networks wider than /8 (IPv6: /16).
    #[arg(long)]
    pub(in crate::cli) allow_wide: bool,
    /// Accept whole public suffixes such as co.uk.
    #[arg(long)]
    pub(in crate::cli) allow_suffix: bool,
    /// Confidence, 0 to 100, for indicators without one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(in crate::cli) confidence: Option<u8>,
    /// Severity for indicators without one: low, medium, high, critical.
    #[arg(long, value_name = "LEVEL")]
    pub(in crate::cli) severity: Option<String>,
    /// TLP for indicators without one: clear, green, amber, amber+strict, red.
    #[arg(long, value_name = "TLP")]
    pub(in crate::cli) tlp: Option<String>,
    /// A tag for every indicator; repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    pub(in crate::cli) tags: Vec<String>,
    /// Replace the output even if it is not a database.
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Print all counts (accepted, rejected, downgraded, suppressed) by reason, feed and list to standard
    /// output as one JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print errors only.
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Refang {
    /// In formats that people write.
    Auto,
    /// In every format.
    Yes,
    /// Never.
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DomainScope {
    /// The name alone.
    Exact,
    /// The name and everything below it.
    Subtree,
    /// Everything below the name.
    SubtreeNoApex,
}

/// Parses a wildcard pattern for file names.
fn pattern(text: &str) -> Result<glob::Pattern, String> {
    glob::Pattern::new(text).map_err(|error| error.to_string())
}
