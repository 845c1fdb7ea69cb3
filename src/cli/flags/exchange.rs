//! The flags of `wiresift exchange`.

use super::feed::{FeedAdd, FeedName};
use clap::{Args, Subcommand, ValueHint};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
The first `serve` prints a link by which the first account is taken. Clients of OTX, such as its SDK
and `wiresift feed add otx --url`, use the server's address and a key.

Exit status: 0 success, 1 `check` found damage, 2 error.

Examples:
  wiresift exchange serve --data /var/lib/exchange
  wiresift exchange serve --data x --tls-cert c.pem --tls-key k.pem
  wiresift exchange user --data x add alice --role trusted
  wiresift exchange key --data x add alice --scopes read,feed
  wiresift exchange import --data x --author alice --name \"Our list\" list.txt
  wiresift exchange source --data x add urlhaus
  wiresift exchange export --data x --scope public --format csv pulses.csv
  wiresift exchange backup --data x backup.sqlite")]
pub(in crate::cli) struct Exchange {
    #[command(subcommand)]
    pub(in crate::cli) command: ExchangeCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ExchangeCommand {
    /// Run the server.
    Serve(Box<ExchangeServe>),
    /// Manage accounts.
    User(ExchangeUser),
    /// Manage groups and their members.
    Group(ExchangeGroup),
    /// Manage API keys.
    Key(ExchangeKey),
    /// Make pulses of feed files, or bring them up to date.
    Import(ExchangeImport),
    /// Import other exchanges and lists, and keep up with them.
    Source(ExchangeSource),
    /// Write pulses to a file or a folder, in any format of the feeds.
    Export(ExchangeExport),
    /// Copy the database to a file, also while the server runs.
    Backup(ExchangeBackup),
    /// Put a backup in a directory that has no database.
    Restore(ExchangeRestore),
    /// Check the database for damage.
    Check(ExchangeData),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExchangeData {
    /// Directory of the exchange.
    #[arg(long = "data", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) directory: PathBuf,
    /// PostgreSQL database, instead of one in the directory; PGPASSWORD has its password.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) database: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExchangeServe {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(in crate::cli) listen: SocketAddr,
    /// Loopback address to serve metrics on, without a key.
    #[arg(long, value_name = "ADDRESS")]
    pub(in crate::cli) metrics: Option<SocketAddr>,
    /// URL by which clients reach the server; default: the address.
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// Certificate chain for TLS (PEM), read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// Key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// Let everybody read public pulses of TLP clear, without a key.
    #[arg(long)]
    pub(in crate::cli) anonymous_read: bool,
    /// Take the client's address from X-Forwarded-For, which a proxy in front sets.
    #[arg(long)]
    pub(in crate::cli) behind_proxy: bool,
    /// Author that new users are subscribed to.
    #[arg(long, value_name = "NAME", default_value = "wiresift")]
    pub(in crate::cli) house: String,
    /// Warning lists (MISP's JSON): what is on them stays out of exports.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) warning_list: Vec<PathBuf>,
    /// Requests per minute with one key; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub(in crate::cli) limit_key: u32,
    /// Requests per minute of one address without a key; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(in crate::cli) limit_address: u32,
    /// Writes and searches per minute with one key; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(in crate::cli) limit_writes: u32,
    /// Attempts to log in per minute of one address; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(in crate::cli) limit_login: u32,
    /// Attempts to log in per hour to one account; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) limit_login_account: u32,
    /// Who may create an account: closed, invited or open.
    #[arg(long, value_name = "WHO", default_value = "closed")]
    pub(in crate::cli) sign_up: String,
    /// Pulses per day of accounts younger than two weeks; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(in crate::cli) quota_pulses: u64,
    /// Indicators per day of accounts younger than two weeks; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(in crate::cli) quota_indicators: u64,
    /// Fill a new exchange with invented pulses.
    #[arg(long)]
    pub(in crate::cli) demo: bool,
    /// Routes that the tests of OTX's SDK need. Loopback only.
    #[arg(long, hide = true)]
    pub(in crate::cli) test_routes: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExchangeUser {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    #[command(subcommand)]
    pub(in crate::cli) command: ExchangeUserCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ExchangeUserCommand {
    /// Create an account and print the path of its one-time link.
    Add {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
        /// What it may do: member, trusted, moderator or admin.
        #[arg(long, value_name = "ROLE", default_value = "member")]
        role: String,
        /// Address to write to.
        #[arg(long, value_name = "ADDRESS", default_value = "")]
        email: String,
    },
    /// Print a new one-time link for an account.
    Invite {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// List the accounts.
    List,
    /// Change a role.
    Role {
        /// Name of the account.
        #[arg(value_name = "NAME")]
        name: String,
        /// What it may do: member, trusted, moderator or admin.
        #[arg(value_name = "ROLE")]
        role: String,
    },
    /// Lock an account and hide what it published.
    Suspend {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// End the sessions of an account, remove its second factor and print a one-time link.
    Reset {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Undo `suspend`.
    Resume {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExchangeGroup {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    #[command(subcommand)]
    pub(in crate::cli) command: ExchangeGroupCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ExchangeGroupCommand {
    /// Create a group and print its number.
    Add {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
        /// Account that owns it.
        #[arg(long, value_name = "NAME")]
        owner: String,
        /// Let everybody with an account know of it.
        #[arg(long)]
        public: bool,
        /// Description.
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// Number; default: the next one.
        #[arg(long, value_name = "N")]
        id: Option<i64>,
    },
    /// Set the rank of a member: read, post, admin, owner, or none to remove it.
    Member {
        /// Number of the group.
        #[arg(value_name = "GROUP")]
        group: i64,
        /// Name of the account.
        #[arg(value_name = "NAME")]
        name: String,
        /// Rank.
        #[arg(value_name = "RANK")]
        rank: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExchangeKey {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    #[command(subcommand)]
    pub(in crate::cli) command: ExchangeKeyCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ExchangeKeyCommand {
    /// Create a key and print it, this once.
    Add {
        /// Name of the account.
        #[arg(value_name = "NAME")]
        user: String,
        /// Name of the key.
        #[arg(long, value_name = "TEXT", default_value = "key")]
        name: String,
        /// What it is good for: read, write, report, feed, account.
        #[arg(long, value_name = "SCOPES", default_value = "read,write,report,feed,account")]
        scopes: String,
    },
    /// List the keys of an account.
    List {
        /// Name of the account.
        #[arg(value_name = "NAME")]
        user: String,
    },
    /// Revoke a key.
    Revoke {
        /// Name of the account.
        #[arg(value_name = "NAME")]
        user: String,
        /// Number of the key.
        #[arg(value_name = "N")]
        key: i64,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExchangeImport {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    /// Account that the pulses belong to.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) author: String,
    /// Name of the pulse.
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) name: String,
    /// TLP of the pulses: clear, green, amber, amber+strict or red.
    #[arg(long, value_name = "TLP", default_value = "green")]
    pub(in crate::cli) tlp: String,
    /// Tag of the pulses.
    #[arg(long, value_name = "TAG")]
    pub(in crate::cli) tag: Vec<String>,
    /// Feed files, in any format that `wiresift compile` reads.
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(in crate::cli) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each source becomes pulses of an account with its name that nobody can log in to. The server fetches
sources when they are due, also those that are added while it runs.

Examples:
  wiresift exchange source --data x add urlhaus                          a public feed
  wiresift exchange source --data x add other --kind otx --url https://exchange.example --key-file k
  wiresift exchange source --data x add ours --path lists/ --tlp clear
  wiresift exchange source --data x list")]
pub(in crate::cli) struct ExchangeSource {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    #[command(subcommand)]
    pub(in crate::cli) command: ExchangeSourceCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ExchangeSourceCommand {
    /// Add a source: a public feed by its name, or any other.
    #[command(after_help = "The options are those of `wiresift feed add`.")]
    Add(Box<FeedAdd>),
    /// Show the sources, their pulses and their state.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Fetch sources now, and bring their pulses up to date.
    Update {
        /// Only these sources; default: all enabled sources.
        #[arg(value_name = "SOURCE")]
        names: Vec<String>,
        /// Accept updates that were held because a source shrank or grew too much.
        #[arg(long)]
        accept: bool,
        /// Skip sources that are not due yet.
        #[arg(long)]
        due: bool,
        /// Warning lists, as for `serve`.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        warning_list: Vec<PathBuf>,
    },
    /// Remove a source and its pulses.
    Remove {
        /// The source.
        #[arg(value_name = "SOURCE")]
        name: String,
        /// Keep its pulses.
        #[arg(long)]
        keep: bool,
    },
    /// Fetch a source again.
    Enable(FeedName),
    /// Stop fetching a source, keeping its pulses.
    Disable(FeedName),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Formats are those of /feeds: list, csv, stix, openioc, zeek, rpz, suricata/rules, database and so on;
`misp` is a folder that MISP reads as a feed, and `otx` is one pulse per line, as the API shows it.

Examples:
  wiresift exchange export --data x --format otx pulses.jsonl
  wiresift exchange export --data x --scope user/alice --format misp feed/
  wiresift exchange export --data x --scope pulse/6565a1… --format csv -")]
pub(in crate::cli) struct ExchangeExport {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    /// What to export: all, public, user/NAME, group/NUMBER or pulse/ID. `all` includes what only
    /// some may see.
    #[arg(long, value_name = "SCOPE", default_value = "public")]
    pub(in crate::cli) scope: String,
    /// Format.
    #[arg(long, value_name = "FORMAT", default_value = "otx")]
    pub(in crate::cli) format: String,
    /// Only these types, such as domain,IPv4.
    #[arg(long, value_name = "TYPES", default_value = "")]
    pub(in crate::cli) types: String,
    /// URL of the server, for links in the export.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(in crate::cli) url: String,
    /// File to write, or `-` for standard output; for `misp` a folder. It must not exist.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) output: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExchangeBackup {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    /// File to write; it must not exist.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExchangeRestore {
    #[command(flatten)]
    pub(in crate::cli) data: ExchangeData,
    /// Backup to restore.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) file: PathBuf,
}
