//! Every flag, with its help. Help texts, completions and the man page come from
//! these definitions.

use super::choice::Choice;
use super::complete;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;
use wiresift::intel::config::{self, duration};

/// Holds indicators of compromise against packets and logs.
#[derive(Debug, Parser)]
#[command(
    name = "wiresift",
    version,
    about,
    long_about = "wiresift compiles indicators of compromise (OTX pulses, STIX, MISP, abuse.ch, plain \
                  lists and more) into one memory-mapped database, holds logs and packet captures \
                  against it, and writes an alert for every hit.",
    after_help = "Exit status: 0 something matched, 1 nothing did, 2 an error, also when some of the \
                  inputs could be scanned.",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read indicators and write a database.
    Compile(Compile),
    /// Subscribe to feeds, and fetch them.
    Feed(Feed),
    /// Hold logs and captures against a database.
    Scan(Scan),
    /// Hold live interfaces against a database.
    Tap(Tap),
    /// Tell what matches a value, from where, and if nothing does: why not.
    Lookup(Lookup),
    /// Show what is in a database.
    Inspect(Inspect),
    /// Check every section and structure of a database.
    Verify(Verify),
    /// Print the completions for a shell.
    Completions(Completions),
    /// Write the man pages.
    Man(Man),
}

#[derive(Debug, Args)]
#[command(after_help = "\
--internal, --as and --feed count for the inputs that follow them.

Examples:
  wiresift compile -o iocs.wsdb feeds/
  wiresift compile -o iocs.wsdb otx.json --feed ipsum ipsum.txt --internal our-hosts.txt
  wiresift compile -o iocs.wsdb --as csv --columns indicator=2,type=3 export.csv --rejects rejects.tsv")]
pub(super) struct Compile {
    /// The database to write; an old one is replaced at once when the new one is whole.
    #[arg(short, long, value_name = "DB", required_unless_present = "config")]
    pub(super) output: Option<PathBuf>,
    /// Files, folders, MISP feed folders, or - for standard input.
    #[arg(value_name = "INPUT", required_unless_present = "config")]
    pub(super) inputs: Vec<PathBuf>,
    /// Compile what is subscribed, into the configuration's database if there is no --output.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "wiresift.toml")]
    pub(super) config: Option<PathBuf>,
    /// What follows is meant for our own networks: no private-address guard for it.
    #[arg(long)]
    pub(super) internal: bool,
    /// Read what follows in this format instead of finding it out ("auto" finds it out again).
    #[arg(long = "as", value_name = "FORMAT", add = complete::formats())]
    pub(super) formats: Vec<String>,
    /// Name what follows in alerts; without it a file's name is its feed's.
    #[arg(long = "feed", value_name = "NAME")]
    pub(super) feeds: Vec<String>,
    /// Known good values, networks and domains: hits on them are counted and do not alert.
    /// Behind a value may stand until=DATE, and # with the reason.
    #[arg(long, value_name = "FILE")]
    pub(super) allow: Vec<PathBuf>,
    /// A warning list (MISP's, or any list), or a folder of them: indicators on it are kept out.
    /// With names of feeds before it, for these feeds only.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(super) suppress: Vec<String>,
    /// The same, but indicators on it are tagged, and names on it cut down to their exact value.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(super) annotate: Vec<String>,
    /// MISP's warning lists, each of which does what is usual for it: lists of what cannot be
    /// meant (private networks, public resolvers, whole suffixes) suppress, all others annotate.
    #[arg(long, value_name = "[FEED,…:]LIST")]
    pub(super) warninglists: Vec<String>,
    /// Leave out files of folders whose name or path below the folder fits a pattern: '*.md'.
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    pub(super) exclude: Vec<glob::Pattern>,
    /// List every value that was rejected: path, line, value, reason, remedy.
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
    /// Which column of a table is what, by number or by name.
    #[arg(long, value_name = "ROLE=COLUMN,…")]
    pub(super) columns: Option<String>,
    /// What separates the columns of a table.
    #[arg(long, value_name = "CHAR")]
    pub(super) delimiter: Option<char>,
    /// Whether to undo defanging such as hxxp://evil[.]example.
    #[arg(long, value_enum, default_value_t = Refang::Auto)]
    pub(super) refang: Refang,
    /// How far domains reach, where their format does not say.
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub(super) domains: Option<DomainScope>,
    /// Take MISP attributes that are not for detection (to_ids false), too.
    #[arg(long)]
    pub(super) misp_all: bool,
    /// Let STIX domain-name:value reach below the name, too.
    #[arg(long)]
    pub(super) stix_domain_subtree: bool,
    /// Read addresses with leading zeros as decimal instead of rejecting them.
    #[arg(long)]
    pub(super) zero_padded: bool,
    /// Take networks wider than /8 (IPv6: /16), too.
    #[arg(long)]
    pub(super) allow_wide: bool,
    /// Take whole public suffixes such as co.uk, too.
    #[arg(long)]
    pub(super) allow_suffix: bool,
    /// Confidence (0 to 100) of indicators whose feed gives none.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) confidence: Option<u8>,
    /// Severity of indicators whose feed gives none: low, medium, high, critical.
    #[arg(long, value_name = "LEVEL")]
    pub(super) severity: Option<String>,
    /// TLP of indicators whose feed gives none: clear, green, amber, amber+strict, red.
    #[arg(long, value_name = "TLP")]
    pub(super) tlp: Option<String>,
    /// A label for every indicator.
    #[arg(long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
    /// Replace a file that is no database, too.
    #[arg(long)]
    pub(super) force: bool,
    /// Print what was taken, rejected, cut down and suppressed, by reason and by feed, to standard
    /// output as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// Print nothing but errors.
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 all is well, 1 `list` shows a feed that failed or is held back, 2 a feed failed or
is held back now, or something else could not be done. What a feed had before stays.

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
    /// Subscribe to a public feed by its name, or to any other.
    Add(Box<FeedAdd>),
    /// Show how the feeds are doing, or which public ones are known.
    List(FeedList),
    /// Fetch feeds.
    Update(FeedUpdate),
    /// End a subscription, and forget what it sent.
    Remove(FeedRemove),
    /// Fetch and compile a feed again.
    Enable(FeedName),
    /// Neither fetch nor compile a feed, and keep what it sent.
    Disable(FeedName),
    /// Show all that is known of a feed.
    Show(FeedShow),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wiresift feed add urlhaus                                        a public feed
  wiresift feed add urlhaus --name malware-urls --interval 15m     under another name
  wiresift feed add bad --url https://example.net/bad.csv --set columns=indicator=2,type=3
  wiresift feed add ours --path lists/ --internal                  a file or a folder
  wiresift feed add made --command ./make-list --days 7            what a program prints
  wiresift feed add partner --kind taxii --url https://example.net/taxii2/ --user us --key-file p.key
  wiresift feed add otx --key-env OTX_API_KEY                      with a credential
  wiresift feed add misp --kind misp --url https://misp.example.net --key-env K --set ca=cert.pem")]
pub(super) struct FeedAdd {
    /// The name of a public feed (`feed list --catalogue`), or one for another feed.
    #[arg(value_name = "FEED", add = complete::known_feeds())]
    pub(super) what: String,
    /// Another name for it.
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// What is at the other end: list, stix, otx, taxii or misp.
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Option<String>,
    /// Where it is; {key} in it stands for the credential.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The file or folder that it is.
    #[arg(long, value_name = "PATH")]
    pub(super) path: Option<String>,
    /// The program that prints it, and each of its arguments.
    #[arg(long, value_name = "WORD", num_args = 1.., allow_hyphen_values = true)]
    pub(super) command: Vec<String>,
    /// The format of a list, where it shall not be found from the content.
    #[arg(long, value_name = "FORMAT", add = complete::formats())]
    pub(super) format: Option<String>,
    /// How often to fetch it: 30m, 6h, 1d.
    #[arg(long, value_name = "TIME")]
    pub(super) interval: Option<String>,
    /// Confidence (0 to 100) of indicators where the feed gives none.
    #[arg(long, value_name = "N")]
    pub(super) confidence: Option<u8>,
    /// Severity of indicators where the feed gives none.
    #[arg(long, value_name = "LEVEL")]
    pub(super) severity: Option<String>,
    /// TLP of indicators where the feed gives none.
    #[arg(long, value_name = "TLP")]
    pub(super) tlp: Option<String>,
    /// A label for every indicator.
    #[arg(long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
    /// How far names reach: exact, subtree or subtree_no_apex.
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Option<String>,
    /// How long indicators are valid where the feed does not say.
    #[arg(long, value_name = "TIME")]
    pub(super) lifetime: Option<String>,
    /// Take only what fits a term: kind:url, tag:phish*, a network, a name, value:*.php.
    #[arg(long, value_name = "TERM")]
    pub(super) allow: Vec<String>,
    /// Leave out what fits a term.
    #[arg(long, value_name = "TERM")]
    pub(super) deny: Vec<String>,
    /// The variable of the environment that the credential is in.
    #[arg(long, value_name = "VARIABLE")]
    pub(super) key_env: Option<String>,
    /// The file whose first line is the credential.
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<String>,
    /// The header that the credential is sent in.
    #[arg(long, value_name = "HEADER")]
    pub(super) key_header: Option<String>,
    /// The user whose password the credential is.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// It is about our own networks: no private-address guard for it.
    #[arg(long)]
    pub(super) internal: bool,
    /// Any other member of the configuration: max_size=2G.
    #[arg(long = "set", value_name = "MEMBER=VALUE")]
    pub(super) set: Vec<String>,
    /// Print what the configuration would become.
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl FeedAdd {
    /// What was given, as members of the configuration. An empty value takes one out.
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
    /// The public feeds that are known by name.
    #[arg(long)]
    pub(super) catalogue: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct FeedUpdate {
    /// These feeds alone; all that are enabled without it.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(super) names: Vec<String>,
    /// Confirm what is held back because it shrank or grew too much.
    #[arg(long)]
    pub(super) accept: bool,
    /// Leave out feeds whose interval is not over.
    #[arg(long)]
    pub(super) due: bool,
    /// Compile the subscribed set afterwards; an unchanged one is left as it is.
    #[arg(long)]
    pub(super) compile: bool,
    /// Go on, so often, until a signal ends it: 30m, 1h.
    #[arg(long, value_name = "TIME", value_parser = round, conflicts_with_all = ["dry_run", "accept"])]
    pub(super) every: Option<Duration>,
    /// Fetch, and say what would change, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print nothing but what went wrong.
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// A pattern of file names.
fn pattern(text: &str) -> Result<glob::Pattern, String> {
    glob::Pattern::new(text).map_err(|error| error.to_string())
}

/// The time between two rounds.
fn round(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let is_long_enough = time >= super::feed::SHORTEST;
    is_long_enough.then_some(time).ok_or_else(|| "not that often".to_string())
}

#[derive(Debug, Args)]
pub(super) struct FeedRemove {
    /// The feed.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(super) name: String,
    /// Keep what it sent.
    #[arg(long)]
    pub(super) keep: bool,
    /// Say what would go.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct FeedName {
    /// The feed.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(super) name: String,
    /// Change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct FeedShow {
    /// The feed.
    #[arg(value_name = "FEED")]
    pub(super) name: String,
    /// List every value of it that is not taken: path, line, value, reason, detail, remedy.
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
A newer database is taken up under way where a pipe is read, elsewhere with --watch. What is found
in one input then comes from several databases; each alert names its own.

Exit status: 0 something matched, 1 nothing did, 2 an error.

Examples:
  wiresift scan --db iocs.wsdb /var/log/
  wiresift scan --db bad-addresses.txt /var/log/auth.log
  wiresift scan /var/log/ --summary --min-severity high --since 7d
  wiresift scan --db iocs.wsdb 'archive/**/*.gz' --format eve -o alerts.json
  wiresift scan --db iocs.wsdb capture.pcapng --stats
  journalctl -f | wiresift scan --db iocs.wsdb -")]
pub(super) struct Scan {
    /// The database, or a list of indicators, which is compiled in memory. Without it that of
    /// wiresift.toml in this folder.
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
    /// Leave out inputs whose name or path fits; may be repeated: '*.gz', 'old/**'.
    #[arg(long, value_name = "GLOB", value_parser = super::choice::pattern)]
    pub(super) exclude: Vec<glob::Pattern>,
    /// Print how many alerts each input has, and not the alerts.
    #[arg(short, long, conflicts_with = "observables")]
    pub(super) count: bool,
    /// Print the paths of inputs that have alerts, and not the alerts; also together with -c.
    #[arg(short = 'l', long = "files-with-matches", conflicts_with = "observables")]
    pub(super) paths: bool,
    /// Stop reading an input after so many alerts.
    #[arg(short, long, value_name = "N", conflicts_with = "observables",
          value_parser = super::choice::at_least_one)]
    pub(super) max_count: Option<u64>,
    #[command(flatten)]
    pub(super) packets: Packets,
    /// Write alerts to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Judge validity at the time of the packet or line ("event"), "now", or at a given time.
    #[arg(long, value_name = "TIME", default_value = "event")]
    pub(super) at: String,
    /// The zone of times in logs that name none: Europe/Berlin, +02:00, or local; else UTC.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(super) timezone: Option<String>,
    /// Undo defanging in the inputs: for reports, not for logs.
    #[arg(long)]
    pub(super) refang: bool,
    /// Print what can be seen in the inputs, one JSON object a line; needs no database.
    #[arg(long, conflicts_with_all = ["db", "format", "json", "allow", "watch", "min_severity",
          "min_confidence", "feeds", "kinds", "since", "first", "summary"])]
    pub(super) observables: bool,
    /// Threads, up to 1024; 0 for one a core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, value_parser = threads)]
    pub(super) threads: usize,
    /// Print to standard error what was read, seen, matched, suppressed and dropped.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(super) stats: Option<String>,
    /// Bytes of a chunk. The result does not depend on it.
    #[arg(long, value_name = "BYTES", default_value_t = 0, hide = true)]
    pub(super) chunk_size: usize,
}

/// Whether a newer database is taken up.
#[derive(Debug, Args)]
pub(super) struct Following {
    /// Take up a newer database under way, and look for one so often; also on SIGHUP, unless
    /// alerts go to a terminal. Without a time each second.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true,
          default_missing_value = "1s", value_parser = duration, overrides_with = "no_watch")]
    pub(super) watch: Option<Duration>,
    /// Keep to the database of the beginning.
    #[arg(long, overrides_with = "watch")]
    pub(super) no_watch: bool,
}

/// How packets are decoded, wherever they come from.
#[derive(Debug, Args)]
pub(super) struct Packets {
    /// Search what is of no known protocol for text, too.
    #[arg(long)]
    pub(super) unknown_text: bool,
    /// What tells flows apart beside addresses and ports: "vlan", "tunnel", or both.
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

/// What can be part of a flow's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FlowBy {
    /// The innermost VLAN.
    Vlan,
    /// The tunnels that the packet came out of.
    Tunnel,
}

/// How hits are told, whatever they were found in.
#[derive(Debug, Args)]
pub(super) struct Alerts {
    /// How alerts are written; on a terminal text, elsewhere json.
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(
        wiresift::engine::alert::Format::ALL.iter().map(|f| f.name())))]
    pub(super) format: Option<String>,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
    /// Known good values, networks and domains: hits on them are counted and do not alert.
    #[arg(long, value_name = "FILE")]
    pub(super) allow: Vec<PathBuf>,
    /// Colour for the text format.
    #[arg(long, value_enum, default_value_t = Colour::Auto, alias = "colour")]
    pub(super) color: Colour,
    /// Write no alerts; the exit status tells. Everything is read all the same.
    #[arg(short, long, conflicts_with = "output")]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The filter is libpcap's, as in tcpdump: see pcap-filter(7). SIGINT and SIGTERM end it: what was
received is looked into first, and the totals are printed with --stats. A newer database is
taken up as soon as it is published, without --no-watch.

Capturing takes CAP_NET_RAW and nothing else: sudo setcap cap_net_raw=ep $(command -v wiresift)

Exit status: 0 something matched, 1 nothing did, 2 an error.

Examples:
  wiresift tap --db iocs.wsdb -i eth0
  wiresift tap --db iocs.wsdb -i eth0 -i eth1 'not port 22' --format eve -o alerts.json
  wiresift tap --db iocs.wsdb -i eth0 --ring 64M --stats-every 10 --stats=json")]
pub(super) struct Tap {
    /// The database, or a list of indicators, which is compiled in memory. Without it that of
    /// wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(super) db: Option<PathBuf>,
    /// An interface; may be repeated. "any" is all that there are.
    #[arg(short = 'i', long = "interface", value_name = "IF", required_unless_present = "list",
          add = complete::interfaces())]
    pub(super) interfaces: Vec<String>,
    /// Which packets to take, as in tcpdump; without it all.
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// List the interfaces that there are.
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
    /// Write alerts to the end of a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Judge validity at the time of the packet ("event"), "now", or at a given time.
    #[arg(long, value_name = "TIME", default_value = "event")]
    pub(super) at: String,
    /// Take packets that are meant for others, too (the default).
    #[arg(long, overrides_with = "no_promiscuous")]
    pub(super) promiscuous: bool,
    /// Take what the interface would receive anyway.
    #[arg(long, overrides_with = "promiscuous")]
    pub(super) no_promiscuous: bool,
    /// Bytes to capture of each packet.
    #[arg(long, value_name = "BYTES", default_value_t = 262_144,
          value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub(super) snaplen: u32,
    /// Size of the kernel's ring, one for each worker and interface: 64M, 512K.
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = ring)]
    pub(super) ring: usize,
    /// End after so long: 90, 1.5s, 10m, 8h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) duration: Option<Duration>,
    /// End after so many packets.
    #[arg(short, long, value_name = "N")]
    pub(super) count: Option<u64>,
    /// Workers; 0 for one a core.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0)]
    pub(super) threads: usize,
    /// Print to standard error, at the end, what was received, seen, matched and dropped.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(super) stats: Option<String>,
    /// Print rates and drops every so often: 10, 0.5s, 1m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) stats_every: Option<Duration>,
    /// Keep all capabilities, files and system calls.
    #[arg(long)]
    pub(super) no_sandbox: bool,
}

/// The most threads of a scan: more than any machine has cores, and few enough to start.
const MOST_THREADS: usize = 1024;

fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= MOST_THREADS);
    number.ok_or_else(|| format!("expected a number from 0 to {MOST_THREADS}"))
}

/// Bytes, with K, M or G for the binary units.
fn ring(text: &str) -> Result<usize, String> {
    // The least is what libpcap needs for its blocks, the most what it can be told.
    match config::size(text)? {
        bytes @ 0x8_0000..=0x7fff_ffff => Ok(bytes as usize),
        _ => Err("a ring has 512K at least, and less than 2G".into()),
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
#[command(after_help = "Exit status: 0 a value matched, 1 none did, 2 an error.")]
pub(super) struct Lookup {
    /// The database, or a list of indicators, which is compiled in memory. Without it that of
    /// wiresift.toml in this folder.
    #[arg(long, value_name = "DB", value_hint = ValueHint::FilePath)]
    pub(super) db: Option<PathBuf>,
    /// Values of any kind, defanged or not; - reads them from standard input, one a line.
    #[arg(value_name = "VALUE", required = true)]
    pub(super) values: Vec<String>,
    /// One JSON object a value.
    #[arg(long)]
    pub(super) json: bool,
    /// Show the steps also of values that match.
    #[arg(long)]
    pub(super) explain: bool,
    /// Known good values, networks and domains.
    #[arg(long, value_name = "FILE")]
    pub(super) allow: Vec<PathBuf>,
    /// Judge validity "now" or at a given time.
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub(super) at: String,
}

#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The database.
    #[arg(value_name = "DB")]
    pub(super) db: PathBuf,
    /// One JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// List what the guards kept out, with the reason.
    #[arg(long)]
    pub(super) withheld: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 it is sound, 1 it is damaged, 2 it cannot be read.")]
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
    /// The folder to write them to; without it the page of the program is printed.
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
