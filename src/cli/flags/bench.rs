//! The flags of `wiresift bench`.

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use ipnet::IpNet;
use std::path::PathBuf;
use wiresift::engine::indicator::address;
use wiresift::engine::settings;
use wiresift::sensor::bench::{Csv, GroupBy, POPULAR_RANK, PREVALENCE, Threshold};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    // “help” may be the name of an input.
    disable_help_subcommand = true,
    after_help = "\
Without inputs, only the set itself is judged. Flags and advice are suggestions; nothing is changed.

Exit status: 0 done and no --fail met, 1 a --fail met, 2 error, or a --fail cannot be computed.

Examples:
  wiresift bench --db iocs.wsdb
  wiresift bench --db iocs.wsdb /var/log/ --popular top-1m.csv --warninglists lists/
  wiresift bench --db iocs.wsdb archive/ --format html -o report.html
  wiresift bench --db iocs.wsdb archive/ --cost=kinds
  wiresift bench --db iocs.wsdb archive/ --format json -o today.json
  wiresift bench --db iocs.wsdb archive/ --baseline today.json --fail 'events_lost>0'
  wiresift bench diff old.wsdb new.wsdb archive/"
)]
pub(in crate::cli) struct Bench {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<BenchCommand>,
    /// The database, or a list or folder of lists to compile in memory; default: the database
    /// of wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) db: Option<PathBuf>,
    /// The configuration whose database and ledgers of feeds are used; default: wiresift.toml in
    /// this folder, if the database is its own.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Logs, captures, folders, patterns, or - for standard input, to match against.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    /// What to compare: feeds, or the pulses (collections) in them.
    #[arg(long, value_enum, value_name = "GROUP", default_value_t = Grouping::Feed)]
    pub(in crate::cli) by: Grouping,
    /// A network whose addresses are hosts; repeatable; default: the private networks.
    #[arg(long, value_name = "NET", value_parser = net)]
    pub(in crate::cli) home: Vec<IpNet>,
    /// File of popular domains, one RANK,NAME per line; indicators that match one are flagged.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) popular: Option<PathBuf>,
    /// Lowest rank that still counts as popular.
    #[arg(long, value_name = "RANK", default_value_t = POPULAR_RANK, requires = "popular")]
    pub(in crate::cli) popular_rank: u64,
    /// A warning list, or a folder of them: indicators on one are flagged; repeatable.
    #[arg(long, value_name = "LIST", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) warninglists: Vec<PathBuf>,
    /// File of verdicts, one VALUE,tp or VALUE,fp per line, for the precision of each group.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) verdicts: Option<PathBuf>,
    /// Expected share of compromised hosts; indicators seen on more are flagged.
    #[arg(long, value_name = "SHARE", default_value_t = PREVALENCE, value_parser = share)]
    pub(in crate::cli) prevalence: f64,
    /// Time at which validity and age are judged; default: the latest time in the inputs, and
    /// for each record its own.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: Option<String>,
    /// Known good values, networks and domains: hits on them are counted and do not alert.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) allow: Vec<PathBuf>,
    /// Time zone of log times without one: Europe/Berlin, +02:00 or local; default: UTC.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(in crate::cli) timezone: Option<String>,
    /// Measure what the groups cost; kinds: each kind of each group, too; default: feeds, if there
    /// are 1 MiB of logs or more, and 2 to 16 groups.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(in crate::cli) cost: Option<CostOf>,
    /// How many rounds to measure; small costs need many.
    #[arg(long, value_name = "N", default_value_t = ROUNDS, value_parser = rounds)]
    pub(in crate::cli) rounds: usize,
    /// How much of the logs to measure on: their first bytes, repeated if there are fewer.
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = settings::size)]
    pub(in crate::cli) cost_bytes: u64,
    /// Format of the report.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = BenchFormat::Text)]
    pub(in crate::cli) format: BenchFormat,
    /// Print this table as CSV.
    #[arg(long, value_enum, value_name = "TABLE", conflicts_with = "format")]
    pub(in crate::cli) csv: Option<Table>,
    /// Write the report to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Earlier report (--format json) to compare with; without --fail, shows what differs.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Exit with 1 if this condition holds: events_lost>0, risky_per_day>+20%, group:NAME.live<-50%;
    /// repeatable.
    #[arg(long, value_name = "EXPR", value_parser = threshold)]
    pub(in crate::cli) fail: Vec<Threshold>,
    /// Threads, up to 1024; default: 0, one per core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, value_parser = super::scan::threads)]
    pub(in crate::cli) threads: usize,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BenchCommand {
    /// Show what differs between two databases, and what they find.
    Diff(BenchDiff),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 same, 1 different, 2 error.

Examples:
  wiresift bench diff old.wsdb new.wsdb
  wiresift bench diff old.wsdb new.wsdb week.pcap --format json")]
pub(in crate::cli) struct BenchDiff {
    /// The old database, or a list or folder of lists.
    #[arg(value_name = "OLD", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) old: PathBuf,
    /// The new database.
    #[arg(value_name = "NEW", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) new: PathBuf,
    /// Logs, captures, folders, patterns, or - for standard input: shows which alerts differ.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    /// Check validity at this time instead of the time of the packet or line.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: Option<String>,
    /// Format of the difference.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DiffFormat::Text)]
    pub(in crate::cli) format: DiffFormat,
    /// Print one JSON object: short for --format json.
    #[arg(long, conflicts_with = "format")]
    pub(in crate::cli) json: bool,
    /// Threads, up to 1024; default: 0, one per core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, value_parser = super::scan::threads)]
    pub(in crate::cli) threads: usize,
}

/// What makes a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Grouping {
    /// The feed.
    Feed,
    /// The pulse, or whatever else a feed calls its collections.
    Pulse,
}

impl From<Grouping> for GroupBy {
    fn from(grouping: Grouping) -> GroupBy {
        match grouping {
            Grouping::Feed => GroupBy::Feed,
            Grouping::Pulse => GroupBy::Pulse,
        }
    }
}

/// Rounds of a measurement, unless something else is asked for.
const ROUNDS: usize = 21;

/// What costs are measured of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CostOf {
    /// Nothing.
    Off,
    /// Each group.
    Feeds,
    /// Each group, and each kind of indicator in it.
    Kinds,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum BenchFormat {
    /// Tables of 80 columns.
    Text,
    /// One object, as docs/bench.schema.json has it.
    Json,
    /// A row for each group.
    Csv,
    /// A page with charts, in one file.
    Html,
}

/// How a difference is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DiffFormat {
    /// Lines for people.
    Text,
    /// One object.
    Json,
}

/// A table other than that of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Table {
    /// Pairs of groups.
    Overlap,
    /// Indicators that are flagged or have alerts.
    Indicators,
    /// What each kind of each group costs, with --cost=kinds.
    Kinds,
}

impl From<Table> for Csv {
    fn from(table: Table) -> Csv {
        match table {
            Table::Overlap => Csv::Overlap,
            Table::Indicators => Csv::Indicators,
            Table::Kinds => Csv::Kinds,
        }
    }
}

fn net(text: &str) -> Result<IpNet, String> {
    let expected = "expected a network such as 192.0.2.0/24";
    address::parse_net(text).map_err(|_| expected.to_string())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "expected a share between 0 and 1, such as 0.05".to_string())
}

fn rounds(text: &str) -> Result<usize, String> {
    let rounds = text.parse().ok().filter(|rounds| (6..=200).contains(rounds));
    rounds.ok_or_else(|| "expected a number from 6 to 200".to_string())
}

fn threshold(text: &str) -> Result<Threshold, String> {
    Threshold::parse(text).map_err(|error| error.to_string())
}
