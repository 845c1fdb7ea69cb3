//! The flags of `wiresift feed`.

use crate::cli::complete;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;
use std::time::Duration;
use wiresift::intel::config::{self, duration};

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
pub(in crate::cli) struct Feed {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "wiresift.toml", global = true)]
    pub(in crate::cli) config: PathBuf,
    #[command(subcommand)]
    pub(in crate::cli) command: FeedCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FeedCommand {
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
  wiresift feed add misp --kind misp --url https://misp.example.net --key-env K --set ca=cert.pem
  wiresift feed add allow --url https://exchange.example.net --key-file k   its false positives")]
pub(in crate::cli) struct FeedAdd {
    /// Name of a feed in the catalogue (`feed list --catalogue`), or a new name for another feed.
    #[arg(value_name = "FEED", add = complete::known_feeds())]
    pub(in crate::cli) what: String,
    /// Use another name for it.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,
    /// Kind of source: list, stix, otx, taxii, misp or allow.
    #[arg(long, value_name = "KIND")]
    pub(in crate::cli) kind: Option<String>,
    /// Its URL; {key} stands for the credential.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// A local file or folder.
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) path: Option<String>,
    /// Program that prints the feed, with its arguments.
    #[arg(long, value_name = "WORD", num_args = 1.., allow_hyphen_values = true)]
    pub(in crate::cli) command: Vec<String>,
    /// Format of a list; default: detected from the content.
    #[arg(long, value_name = "FORMAT", add = complete::formats())]
    pub(in crate::cli) format: Option<String>,
    /// How often to fetch it: 30m, 6h, 1d.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) interval: Option<String>,
    /// Confidence, 0 to 100, for indicators without one.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) confidence: Option<u8>,
    /// Severity for indicators without one.
    #[arg(long, value_name = "LEVEL")]
    pub(in crate::cli) severity: Option<String>,
    /// TLP for indicators without one.
    #[arg(long, value_name = "TLP")]
    pub(in crate::cli) tlp: Option<String>,
    /// A tag for every indicator; repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    pub(in crate::cli) tags: Vec<String>,
    /// Scope of domains: exact, subtree or subtree_no_apex.
    #[arg(long, value_name = "SCOPE")]
    pub(in crate::cli) scope: Option<String>,
    /// Lifetime of indicators without an expiry date.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) lifetime: Option<String>,
    /// Include only what matches a term: kind:url, tag:phish*, a network, a name, value:*.php.
    #[arg(long, value_name = "TERM")]
    pub(in crate::cli) allow: Vec<String>,
    /// Exclude what matches a term.
    #[arg(long, value_name = "TERM")]
    pub(in crate::cli) deny: Vec<String>,
    /// Environment variable that holds the credential.
    #[arg(long, value_name = "VARIABLE")]
    pub(in crate::cli) key_env: Option<String>,
    /// File whose first line is the credential.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) key_file: Option<String>,
    /// Header to send the credential in.
    #[arg(long, value_name = "HEADER")]
    pub(in crate::cli) key_header: Option<String>,
    /// User name; the credential is the password.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,
    /// The feed describes internal networks: accept private addresses.
    #[arg(long)]
    pub(in crate::cli) internal: bool,
    /// Set any other key of the configuration: max_size=2G.
    #[arg(long = "set", value_name = "MEMBER=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Print the resulting configuration without writing it.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

impl FeedAdd {
    /// The flags as keys of the configuration. An empty value removes a key.
    pub(in crate::cli) fn members(&self) -> Vec<(String, toml_edit::Value)> {
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
#[command(after_help = "\
Exit status: 0 success, 1 a feed failed or is held, 2 error.

Examples:
  wiresift feed list
  wiresift feed list --catalogue
  wiresift bench --db iocs.wsdb logs/ --json > report.json; wiresift feed list --quality report.json")]
pub(in crate::cli) struct FeedList {
    /// List the public feeds known by name.
    #[arg(long)]
    pub(in crate::cli) catalogue: bool,
    /// Add columns from a `wiresift bench` report: which feeds are worth keeping.
    #[arg(long, value_name = "REPORT", value_hint = ValueHint::FilePath,
          conflicts_with = "catalogue")]
    pub(in crate::cli) quality: Option<PathBuf>,
    /// Print one JSON object per line.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 success, 2 a feed failed or is held, or another error.

Examples:
  wiresift feed update --compile
  wiresift feed update urlhaus --dry-run
  wiresift feed update --due --compile --quiet        in a cron job")]
pub(in crate::cli) struct FeedUpdate {
    /// Only these feeds; default: all enabled feeds.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(in crate::cli) names: Vec<String>,
    /// Accept updates that were held because a feed shrank or grew too much.
    #[arg(long)]
    pub(in crate::cli) accept: bool,
    /// Skip feeds that are not due yet.
    #[arg(long)]
    pub(in crate::cli) due: bool,
    /// Compile the subscribed feeds afterwards, unless nothing changed.
    #[arg(long)]
    pub(in crate::cli) compile: bool,
    /// Keep running and update at this interval: 30m, 1h.
    #[arg(long, value_name = "TIME", value_parser = round, conflicts_with_all = ["dry_run", "accept"])]
    pub(in crate::cli) every: Option<Duration>,
    /// Fetch and report what would change, without changing anything.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Print errors only.
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FeedRemove {
    /// The feed.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(in crate::cli) name: String,
    /// Keep its data.
    #[arg(long)]
    pub(in crate::cli) keep: bool,
    /// Report what would be deleted.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FeedName {
    /// The feed.
    #[arg(value_name = "FEED", add = complete::subscribed_feeds())]
    pub(in crate::cli) name: String,
    /// Report what would change.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wiresift feed show urlhaus
  wiresift feed show urlhaus --rejects")]
pub(in crate::cli) struct FeedShow {
    /// The feed.
    #[arg(value_name = "FEED")]
    pub(in crate::cli) name: String,
    /// List its rejected values: path, line, value, reason, detail, remedy.
    #[arg(long)]
    pub(in crate::cli) rejects: bool,
}

/// The shortest interval between two rounds of the service. Feeds have intervals of minutes;
/// this only keeps a typo (`--every 1ms`) from spinning.
const MIN_WAIT: Duration = Duration::from_millis(100);

/// Parses the interval of `feed update --every`.
fn round(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let is_long_enough = time >= MIN_WAIT;
    is_long_enough.then_some(time).ok_or_else(|| "expected at least 100ms".to_string())
}
