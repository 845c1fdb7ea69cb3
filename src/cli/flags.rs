//! Every flag, with its help. Help texts, completions and the man page come from
//! these definitions.

use super::choice::Choice;
use super::complete;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;
use wiresift::intel::config::{self, duration};

/// Matches indicators of compromise against logs, captures and live traffic.
#[derive(Debug, Parser)]
#[command(
    name = "wiresift",
    version,
    about,
    long_about = "wiresift compiles indicators of compromise (OTX pulses, STIX, MISP, abuse.ch, plain \
                  lists and more) into one memory-mapped database, matches logs, packet captures and \
                  live traffic against it, and writes an alert for every match.",
    after_help = "Exit status: 0 match, 1 no match, 2 error, even if some of the inputs could be \
                  scanned.",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compile feeds into a database.
    Compile(Compile),
    /// Subscribe to feeds and fetch them.
    Feed(Feed),
    /// Match logs and captures against a database.
    Scan(Scan),
    /// Match live traffic against a database.
    Tap(Tap),
    /// Explain why a value matches, or why not.
    Lookup(Lookup),
    /// Show what is in a database.
    Inspect(Inspect),
    /// Check every section and structure of a database.
    Verify(Verify),
    /// Print shell completions.
    Completions(Completions),
    /// Write man pages.
    Man(Man),
}

#[derive(Debug, Args)]
#[command(after_help = "\
--internal, --as and --feed apply to the inputs that follow them.

Examples:
  wiresift compile -o iocs.wsdb feeds/
  wiresift compile -o iocs.wsdb otx.json --feed ipsum ipsum.txt --internal our-hosts.txt
  wiresift compile -o iocs.wsdb --as csv --columns indicator=2,type=3 export.csv --rejects rejects.tsv")]
pub(super) struct Compile {
    /// The database to write; an existing one is replaced atomically.
    #[arg(short, long, value_name = "DB", required_unless_present = "config")]
    pub(super) output: Option<PathBuf>,
    /// Files, folders, MISP feed folders, or - for standard input.
    #[arg(value_name = "INPUT", required_unless_present = "config")]
    pub(super) inputs: Vec<PathBuf>,
    /// Compile the subscribed feeds, into the configured database unless --output is given.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "wiresift.toml")]
    pub(super) config: Option<PathBuf>,
    /// The following inputs describe internal networks: accept private addresses.
    #[arg(long)]
    pub(super) internal: bool,
    /// Format of the following inputs; default: "auto", detected from the content.
    #[arg(long = "as", value_name = "FORMAT", add = complete::formats())]
    pub(super) formats: Vec<String>,
    /// Name of the feed in alerts, for the following inputs; default: the file name.
    #[arg(long = "feed", value_name = "NAME")]
    pub(super) feeds: Vec<String>,
    /// Known good values, networks and domains: hits on them are counted and do not alert.
    /// A value may be followed by until=DATE and by # with a reason.
    #[arg(long, value_name = "FILE")]
    pub(super) allow: Vec<PathBuf>,
    /// Exclude indicators on a warning list (MISP's, or any list), or a folder of lists.
    /// FEED,FEED:LIST limits it to these feeds.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(super) suppress: Vec<String>,
    /// Tag indicators on a warning list, and limit names on it to their exact value.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(super) annotate: Vec<String>,
    /// MISP's warning lists, each with its usual effect: lists of what cannot be
    /// malicious (private networks, public resolvers, whole suffixes) suppress, all others annotate.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(super) warninglists: Vec<String>,
    /// Skip files in folders whose name or path below the folder matches: '*.md'.
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    pub(super) exclude: Vec<glob::Pattern>,
    /// List rejected values: path, line, value, reason, detail, remedy.
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
    /// Which column of a table is what, by number (from 1) or name.
    #[arg(long, value_name = "ROLE=COLUMN,…")]
    pub(super) columns: Option<String>,
    /// Column separator of a table.
    #[arg(long, value_name = "CHAR")]
    pub(super) delimiter: Option<char>,
    /// Whether to undo defanging such as hxxp://evil[.]example.
    #[arg(long, value_enum, default_value_t = Refang::Auto)]
    pub(super) refang: Refang,
    /// Scope of names if the format does not define it.
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub(super) domains: Option<DomainScope>,
    /// Include MISP attributes that are not for detection (to_ids false).
    #[arg(long)]
    pub(super) misp_all: bool,
    /// Apply STIX domain-name:value to subdomains too.
    #[arg(long)]
    pub(super) stix_domain_subtree: bool,
    /// Read addresses with leading zeros as decimal instead of rejecting them.
    #[arg(long)]
    pub(super) zero_padded: bool,
    /// Accept networks wider than /8 (IPv6: /16).
    #[arg(long)]
    pub(super) allow_wide: bool,
    /// Accept whole public suffixes such as co.uk.
    #[arg(long)]
    pub(super) allow_suffix: bool,
    /// Confidence, 0 to 100, for indicators without one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) confidence: Option<u8>,
    /// Severity for indicators without one: low, medium, high, critical.
    #[arg(long, value_name = "LEVEL")]
    pub(super) severity: Option<String>,
    /// TLP for indicators without one: clear, green, amber, amber+strict, red.
    #[arg(long, value_name = "TLP")]
    pub(super) tlp: Option<String>,
    /// A tag for every indicator; repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
    /// Replace the output even if it is not a database.
    #[arg(long)]
    pub(super) force: bool,
    /// Print all counts (accepted, rejected, downgraded, suppressed) by reason, feed and list to standard
    /// output as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// Print errors only.
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 success, 1 `list` shows a feed that failed or is held, 2 a feed failed or is held
now, or another error. The last good copy of a feed stays in use.

Examples:
  wiresift feed add urlhaus
  wiresift feed add ours --path iocs.txt --confidence 90 --internal
  wiresift feed add partner --kind stix --url https://example.net/bundle.json --key-env PARTNER_KEY
  wiresift feed update --compile
  wiresift feed update --compile --every 30m")]
pub(super) struct Feed {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "wiresift.toml", global = true)]
    pub(super) config: PathBuf,
    #[command(subcommand)]
    pub(super) command: FeedCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum FeedCommand {
    /// Subscribe to a feed of the catalogue, or to any other.
    Add(Box<FeedAdd>),
    /// Show the state of the feeds, or the catalogue of public feeds.
    List(FeedList),
    /// Fetch feeds.
    Update(FeedUpdate),
    /// End a subscription and delete its data.
    Remove(FeedRemove),
    /// Include a feed again.
    Enable(FeedName),
    /// Exclude a feed, keeping its data.
    Disable(FeedName),
    /// Show the details of a feed.
    Show(FeedShow),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wiresift feed add urlhaus                                        a public feed
  wiresift feed add urlhaus --name malware-urls --interval 15m     under another name
  wiresift feed add bad --url https://example.net/bad.csv --set columns=indicator=2,type=3
  wiresift feed add ours --path lists/ --internal                  a file or a folder
  wiresift feed add made --command ./make-list --days 7            the output of a program
  wiresift feed add partner --kind taxii --url https://example.net/taxii2/ --user us --key-file p.key
  wiresift feed add otx --key-env OTX_API_KEY                      with a credential
  wiresift feed add misp --kind misp --url https://misp.example.net --key-env K --set ca=cert.pem")]
pub(super) struct FeedAdd {
    /// Name of a feed in the catalogue (`feed list --catalogue`), or a new name for another feed.
    #[arg(value_name = "FEED", add = complete::known_feeds())]
    pub(super) what: String,
    /// Use another name for it.
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Kind of source: list, stix, otx, taxii or misp.
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Option<String>,
    /// Its URL; {key} stands for the credential.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// A local file or folder.
    #[arg(long, value_name = "PATH")]
    pub(super) path: Option<String>,
    /// A program that prints it, with its arguments.
    #[arg(long, value_name = "WORD", num_args = 1.., allow_hyphen_values = true)]
    pub(super) command: Vec<String>,
    /// Format of a list; default: detected from the content.
    #[arg(long, value_name = "FORMAT", add = complete::formats())]
    pub(super) format: Option<String>,
    /// How often to fetch it: 30m, 6h, 1d.
    #[arg(long, value_name = "TIME")]
    pub(super) interval: Option<String>,
    /// Confidence, 0 to 100, for indicators without one.
    #[arg(long, value_name = "N")]
    pub(super) confidence: Option<u8>,
    /// Severity for indicators without one.
    #[arg(long, value_name = "LEVEL")]
    pub(super) severity: Option<String>,
    /// TLP for indicators without one.
    #[arg(long, value_name = "TLP")]
    pub(super) tlp: Option<String>,
    /// A tag for every indicator; repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
    /// Scope of names: exact, subtree or subtree_no_apex.
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Option<String>,
    /// Lifetime of indicators without an expiry date.
    #[arg(long, value_name = "TIME")]
    pub(super) lifetime: Option<String>,
    /// Include only what matches a term: kind:url, tag:phish*, a network, a name, value:*.php.
    #[arg(long, value_name = "TERM")]
    pub(super) allow: Vec<String>,
    /// Exclude what matches a term.
    #[arg(long, value_name = "TERM")]
    pub(super) deny: Vec<String>,
    /// Environment variable that holds the credential.
    #[arg(long, value_name = "VARIABLE")]
    pub(super) key_env: Option<String>,
    /// File whose first line is the credential.
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<String>,
    /// Header to send the credential in.
    #[arg(long, value_name = "HEADER")]
    pub(super) key_header: Option<String>,
    /// User name; the credential is the password.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// It describes internal networks: accept private addresses.
    #[arg(long)]
    pub(super) internal: bool,
    /// Set any other key of the configuration: max_size=2G.
    #[arg(long = "set", value_name = "MEMBER=VALUE")]
    pub(super) set: Vec<String>,
    /// Print the resulting configuration without writing it.
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl FeedAdd {
    /// The flags as keys of the configuration. An empty value removes a key.
    pub(super) fn members(&self) -> Vec<(String, toml_edit::Value)> {
        let mut members = Vec::new();
        let texts = [
            ("kind", &self.kind),
            ("url", &self.url),
            ("path", &self.path),
            ("format", &self.format),
            ("interval", &self.interval),
            ("severity", &self.severity),
            ("tlp", &self.tlp),
            ("scope", &self.scope),
            ("lifetime", &self.lifetime),
            ("key_env", &self.key_env),
            ("key_file", &self.key_file),
            ("key_header", &self.key_header),
            ("user", &self.user),
        ];
        for (name, text) in texts {
            members.extend(text.iter().map(|text| (name.to_string(), text.as_str().into())));
        }
        let lists = [
            ("command", &self.command),
            ("tags", &self.tags),
            ("allow", &self.allow),
            ("deny", &self.deny),
        ];
        for (name, texts) in lists.into_iter().filter(|(_, texts)| !texts.is_empty()) {
            let texts: toml_edit::Array = texts.iter().map(String::as_str).collect();
            members.push((name.to_string(), texts.into()));
        }
        let confidence = self.confidence.map(|n| ("confidence".into(), i64::from(n).into()));
        members.extend(confidence);
        members.extend(self.internal.then(|| ("internal".to_string(), true.into())));
        for pair in &self.set {
            let (name, value) = pair.split_once('=').unwrap_or((pair, "true"));
            members.push((name.trim().to_string(), config::edit::value(value.trim())));
        }
        members
    }
}

#[derive(Debug, Args)]
pub(super) struct FeedList {
    /// List the public feeds known by name.
    #[arg(long)]
    pub(super) catalogue: bool,
    /// Print one JSON object per line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct FeedUpdate {
    /// Only these feeds; default: all enabled feeds.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(super) names: Vec<String>,
    /// Accept updates that were held because a feed shrank or grew too much.
    #[arg(long)]
    pub(super) accept: bool,
    /// Skip feeds that are not due yet.
    #[arg(long)]
    pub(super) due: bool,
    /// Compile the subscribed feeds afterwards, unless nothing changed.
    #[arg(long)]
    pub(super) compile: bool,
    /// Keep running and update at this interval: 30m, 1h.
    #[arg(long, value_name = "TIME", value_parser = round, conflicts_with_all = ["dry_run", "accept"])]
    pub(super) every: Option<Duration>,
    /// Fetch and report what would change, without changing anything.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print errors only.
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// Parses a wildcard pattern for file names.
fn pattern(text: &str) -> Result<glob::Pattern, String> {
    glob::Pattern::new(text).map_err(|error| error.to_string())
}

/// Parses the interval of `feed update --every`.
fn round(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let is_long_enough = time >= super::feed::MIN_WAIT;
    is_long_enough.then_some(time).ok_or_else(|| "expected at least 100ms".to_string())
}

#[derive(Debug, Args)]
pub(super) struct FeedRemove {
    /// The feed.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(super) name: String,
    /// Keep its data.
    #[arg(long)]
    pub(super) keep: bool,
    /// Report what would be deleted.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct FeedName {
    /// The feed.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(super) name: String,
    /// Report what would change.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct FeedShow {
    /// The feed.
    #[arg(value_name = "FEED")]
    pub(super) name: String,
    /// List its rejected values: path, line, value, reason, detail, remedy.
    #[arg(long)]
    pub(super) rejects: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Refang {
    /// In formats that people write.
    Auto,
    /// In every format.
    Yes,
    /// Never.
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DomainScope {
    /// The name alone.
    Exact,
    /// The name and everything below it.
    Subtree,
    /// Everything below the name.
    SubtreeNoApex,
}

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
pub(super) struct Scan {
    /// The database, or a list or folder of lists to compile in memory; default: the database
    /// of wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(super) db: Option<PathBuf>,
    /// Logs, captures, folders, patterns, or - for standard input; compressed or not.
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(super) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) following: Following,
    #[command(flatten)]
    pub(super) alerts: Alerts,
    #[command(flatten)]
    pub(super) choice: Choice,
    /// Skip inputs whose name or path matches; repeatable: '*.gz', 'old/**'.
    #[arg(long, value_name = "GLOB", value_parser = super::choice::pattern)]
    pub(super) exclude: Vec<glob::Pattern>,
    /// Print only the number of alerts per input.
    #[arg(short, long, conflicts_with = "observables")]
    pub(super) count: bool,
    /// Print only the paths of inputs with alerts; can be combined with -c.
    #[arg(short = 'l', long = "files-with-matches", conflicts_with = "observables")]
    pub(super) paths: bool,
    /// Stop reading an input after N alerts.
    #[arg(short, long, value_name = "N", conflicts_with = "observables",
          value_parser = super::choice::at_least_one)]
    pub(super) max_count: Option<u64>,
    #[command(flatten)]
    pub(super) packets: Packets,
    /// Write alerts to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Check validity at the time of the packet or line ("event"), "now", or at a given time.
    #[arg(long, value_name = "TIME", default_value = "event")]
    pub(super) at: String,
    /// Time zone of log times without one: Europe/Berlin, +02:00 or local; default: UTC.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(super) timezone: Option<String>,
    /// Undo defanging in the inputs, for reports rather than logs.
    #[arg(long)]
    pub(super) refang: bool,
    /// Print all observables, one JSON object per line; needs no database.
    #[arg(long, conflicts_with_all = ["db", "format", "json", "allow", "watch", "min_severity",
          "min_confidence", "feeds", "kinds", "since", "first", "summary"])]
    pub(super) observables: bool,
    /// Threads, up to 1024; default: 0, one per core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, value_parser = threads)]
    pub(super) threads: usize,
    /// Print counts of what was read, seen, matched, suppressed and dropped to standard error.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(super) stats: Option<String>,
    /// Bytes of a chunk. The result does not depend on it.
    #[arg(long, value_name = "BYTES", default_value_t = 0, hide = true)]
    pub(super) chunk_size: usize,
}

/// Whether the database is reloaded.
#[derive(Debug, Args)]
pub(super) struct Following {
    /// Reload the database when it changes, checking at this interval, and on SIGHUP unless
    /// alerts go to a terminal; default interval: 1s.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true,
          default_missing_value = "1s", value_parser = duration, overrides_with = "no_watch")]
    pub(super) watch: Option<Duration>,
    /// Never reload the database.
    #[arg(long, overrides_with = "watch")]
    pub(super) no_watch: bool,
}

/// How packets of captures and interfaces are decoded.
#[derive(Debug, Args)]
pub(super) struct Packets {
    /// Also search packets of unknown protocols for text.
    #[arg(long)]
    pub(super) unknown_text: bool,
    /// Distinguish flows also by "vlan", "tunnel", or both.
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub(super) flow_by: Vec<FlowBy>,
}

impl Packets {
    pub(super) fn config(&self) -> wiresift::engine::packet::Config {
        wiresift::engine::packet::Config {
            unknown_text: self.unknown_text,
            flow_by_vlan: self.flow_by.contains(&FlowBy::Vlan),
            flow_by_tunnel: self.flow_by.contains(&FlowBy::Tunnel),
            ..wiresift::engine::packet::Config::default()
        }
    }
}

/// What `--flow-by` can add to a flow's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FlowBy {
    /// The innermost VLAN.
    Vlan,
    /// The tunnels that carried the packet.
    Tunnel,
}

/// How `scan` and `tap` write alerts.
#[derive(Debug, Args)]
pub(super) struct Alerts {
    /// Output format of alerts; default: text on a terminal, else json.
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(
        wiresift::engine::alert::Format::ALL.iter().map(|f| f.name())))]
    pub(super) format: Option<String>,
    /// Same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
    /// Known good values, networks and domains: hits on them are counted and do not alert.
    #[arg(long, value_name = "FILE")]
    pub(super) allow: Vec<PathBuf>,
    /// Colour for the text format.
    #[arg(long, value_enum, default_value_t = Colour::Auto, alias = "colour")]
    pub(super) color: Colour,
    /// Print no alerts, only set the exit status. Everything is read all the same.
    #[arg(short, long, conflicts_with = "output")]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The filter uses tcpdump's syntax: see pcap-filter(7). SIGINT and SIGTERM stop the tap: what was
received is processed first, and --stats prints the totals. The database is reloaded as soon as a
new one is published, unless --no-watch is given.

Capturing requires CAP_NET_RAW only: sudo setcap cap_net_raw=ep $(command -v wiresift)

Exit status: 0 match, 1 no match, 2 error.

Examples:
  wiresift tap --db iocs.wsdb -i eth0
  wiresift tap --db iocs.wsdb -i eth0 -i eth1 'not port 22' --format eve -o alerts.json
  wiresift tap --db iocs.wsdb -i eth0 --ring 64M --stats-every 10 --stats=json")]
pub(super) struct Tap {
    /// The database, or a list or folder of lists to compile in memory; default: the database
    /// of wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(super) db: Option<PathBuf>,
    /// An interface; repeatable; "any" for all.
    #[arg(short = 'i', long = "interface", value_name = "IF", required_unless_present = "list",
          add = complete::interfaces())]
    pub(super) interfaces: Vec<String>,
    /// A filter in tcpdump's syntax; default: all packets.
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// List the available interfaces.
    #[arg(short = 'D', long = "list-interfaces")]
    pub(super) list: bool,
    #[command(flatten)]
    pub(super) following: Following,
    #[command(flatten)]
    pub(super) alerts: Alerts,
    #[command(flatten)]
    pub(super) choice: Choice,
    #[command(flatten)]
    pub(super) packets: Packets,
    /// Append alerts to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Check validity at the time of the packet ("event"), "now", or at a given time.
    #[arg(long, value_name = "TIME", default_value = "event")]
    pub(super) at: String,
    /// Capture packets addressed to others too (the default).
    #[arg(long, overrides_with = "no_promiscuous")]
    pub(super) promiscuous: bool,
    /// Capture only what the interface receives anyway.
    #[arg(long, overrides_with = "promiscuous")]
    pub(super) no_promiscuous: bool,
    /// Bytes to capture per packet.
    #[arg(long, value_name = "BYTES", default_value_t = 262_144,
          value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub(super) snaplen: u32,
    /// Size of the kernel's ring, per worker and interface: 64M, 512K.
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = ring)]
    pub(super) ring: usize,
    /// Stop after this time: 90, 1.5s, 10m, 8h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) duration: Option<Duration>,
    /// Stop after N packets.
    #[arg(short, long, value_name = "N")]
    pub(super) count: Option<u64>,
    /// Workers; default: 0, one per core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0)]
    pub(super) threads: usize,
    /// Print counts of what was received, seen, matched and dropped to standard error at the end.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(super) stats: Option<String>,
    /// Print rates and drops at this interval: 10, 0.5s, 1m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) stats_every: Option<Duration>,
    /// Keep all capabilities, file access and system calls.
    #[arg(long)]
    pub(super) no_sandbox: bool,
}

/// The limit of `--threads`: more cores than machines have today, and few enough to start.
const MAX_THREADS: usize = 1024;

fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= MAX_THREADS);
    number.ok_or_else(|| format!("expected a number from 0 to {MAX_THREADS}"))
}

/// Parses the size of a ring: bytes, or binary units with K, M or G.
fn ring(text: &str) -> Result<usize, String> {
    // Below the minimum libpcap has no room for its blocks; it takes the size as an `int`.
    match config::size(text)? {
        bytes @ 0x8_0000..=0x7fff_ffff => Ok(bytes as usize),
        _ => Err("expected 512K or more, and less than 2G".into()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 match, 1 no match, 2 error.")]
pub(super) struct Lookup {
    /// The database, or a list or folder of lists to compile in memory; default: the database
    /// of wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(super) db: Option<PathBuf>,
    /// Values of any kind, defanged or not; - reads them from standard input, one per line.
    #[arg(value_name = "VALUE", required = true)]
    pub(super) values: Vec<String>,
    /// Print one JSON object per value.
    #[arg(long)]
    pub(super) json: bool,
    /// Show the steps for matches too.
    #[arg(long)]
    pub(super) explain: bool,
    /// Known good values, networks and domains.
    #[arg(long, value_name = "FILE")]
    pub(super) allow: Vec<PathBuf>,
    /// Check validity "now" or at a given time.
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub(super) at: String,
}

#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The database.
    #[arg(value_name = "DB")]
    pub(super) db: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// List withheld indicators with their reasons.
    #[arg(long)]
    pub(super) withheld: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 sound, 1 damaged, 2 unreadable.")]
pub(super) struct Verify {
    /// The database.
    #[arg(value_name = "DB")]
    pub(super) db: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// bash, zsh, fish, elvish or powershell.
    #[arg(value_enum)]
    pub(super) shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder to write them to; default: print the main page.
    #[arg(value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        assert_eq!(ring("64M"), Ok(64 << 20));
        assert_eq!(ring("1GiB"), Ok(1 << 30));
        assert_eq!(ring("1048576"), Ok(1 << 20));
        for wrong in ["", "M", "1", "4G", "-1", "1T", "99999999999999999999", "1M5"] {
            assert!(ring(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        for wrong in ["", "s", "0", "-1", "1w", "inf", "nan", "1e300", "1 µ"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
