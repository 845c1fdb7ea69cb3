//! The contents of `wiresift.toml`, validated.

use super::raw;
use crate::engine::settings::did_you_mean;
use crate::intel::feed::{Filter, Options};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The default interval between two fetches of a feed.
pub const INTERVAL: Duration = Duration::from_secs(30 * 60);

/// The default time limit of a fetch.
pub const TIMEOUT: Duration = Duration::from_secs(120);

/// The default size limit of a document, both as sent and unpacked.
///
/// The largest public lists need a tenth of it. Documents are read and unpacked in
/// memory, so a decompression bomb must not exhaust the memory of a small machine.
pub const MAX_SIZE: u64 = 256 << 20;

/// The size limit of a configuration.
const MAX_CONFIG: u64 = 16 << 20;

/// The contents of the file.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The folder for everything that feeds send.
    pub state: PathBuf,
    /// The database to compile the subscribed feeds into.
    pub database: PathBuf,
    /// Accept networks wider than /8 (IPv6: /16).
    pub allow_wide: bool,
    /// Accept whole public suffixes.
    pub allow_suffix: bool,
    /// Warning lists, for all feeds or for some.
    pub lists: Vec<List>,
    /// Allow lists: files with known good values.
    pub allow: Vec<PathBuf>,
    /// The subscriptions, in the order of the file.
    pub feeds: Vec<Subscription>,
}

/// A warning list, or a folder with several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Where it is.
    pub path: PathBuf,
    /// What it does.
    pub effect: ListEffect,
    /// The feeds that it applies to; empty for all.
    pub feeds: Vec<String>,
}

/// What a warning list does to the indicators on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListEffect {
    /// Excludes them.
    Suppress,
    /// Tags them.
    Annotate,
    /// The usual effect for a list with its name.
    Usual,
}

/// One `[[feed]]` table.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its name, which is also the name of its folder.
    pub name: String,
    /// Whether it is fetched and compiled.
    pub enabled: bool,
    /// What kind of source this is.
    pub kind: Kind,
    /// Where it is.
    pub origin: Origin,
    /// How to read it.
    pub options: Options,
    /// Which indicators to keep.
    pub filter: Filter,
    /// The lifetime of indicators without an expiry date.
    pub lifetime: Option<Duration>,
    /// How often to fetch it.
    pub interval: Duration,
    /// The time limit of a fetch.
    pub timeout: Duration,
    /// The size limit of a document, in bytes.
    pub max_size: u64,
    /// How to authenticate.
    pub access: Access,
    /// Settings that only some kinds have.
    pub exchange: Exchange,
}

/// The kind of source of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A document in any format.
    List,
    /// STIX bundles.
    Stix,
    /// OTX DirectConnect.
    Otx,
    /// A TAXII 2.1 server.
    Taxii,
    /// A MISP feed folder, or a server.
    Misp,
    /// A list of what must not alert, in any format; of an exchange, its accepted false positives.
    Allow,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Kind] =
        &[Kind::List, Kind::Stix, Kind::Otx, Kind::Taxii, Kind::Misp, Kind::Allow];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::List => "list",
            Kind::Stix => "stix",
            Kind::Otx => "otx",
            Kind::Taxii => "taxii",
            Kind::Misp => "misp",
            Kind::Allow => "allow",
        }
    }

    /// Finds the kind with this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it is one document, and not a server that is asked for what is new.
    pub const fn is_document(self) -> bool {
        matches!(self, Kind::List | Kind::Stix | Kind::Allow)
    }
}

/// Where a document comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A URL (HTTP or HTTPS). It may contain `{key}`, which stands for the
    /// credential.
    Url(String),
    /// A file or a folder.
    Path(PathBuf),
    /// The output of a program: the program and its arguments.
    Command(Vec<String>),
}

/// Where a credential is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// In an environment variable.
    Env(String),
    /// In the first line of a file.
    File(PathBuf),
}

/// How to authenticate to a server, and which certificates to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The credential: a key, a token, or a password.
    pub key: Option<Credential>,
    /// The header to send the credential in; by default the usual one for the kind.
    pub header: Option<String>,
    /// The user name, if the credential is a password.
    pub user: Option<String>,
    /// The client certificate, in PEM.
    pub client_cert: Option<PathBuf>,
    /// The client certificate's private key, in PEM.
    pub client_key: Option<PathBuf>,
    /// Certificates to trust instead of the built-in ones, in PEM.
    pub ca: Option<PathBuf>,
}

/// Settings that only some kinds have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// TAXII: the collections, by identifier or title; empty for all that are
    /// readable.
    pub collections: Vec<String>,
    /// MISP: limits a server to events with one of these tags; a leading `!`
    /// excludes events with the tag.
    pub event_tags: Vec<String>,
    /// MISP: include unpublished events of a server.
    pub unpublished: bool,
    /// How far back the first walk goes.
    pub lookback: Option<Duration>,
}

impl Config {
    /// Reads and validates a file.
    ///
    /// # Errors
    ///
    /// It cannot be read or is invalid; the error has the line and a remedy.
    pub fn open(path: &Path) -> Result<Config> {
        let missing = |e: std::io::Error| {
            let is_missing = e.kind() == std::io::ErrorKind::NotFound;
            let error = Error::io("open", e).at_path(path);
            if is_missing {
                error.remedy(
                    "create one with `wiresift feed add`, or name another with --config FILE",
                )
            } else {
                error
            }
        };
        let length = std::fs::metadata(path).map_err(missing)?.len();
        if length > MAX_CONFIG {
            return Err(Error::format(format!("the configuration is too large: {length} bytes"))
                .at_path(path)
                .remedy("put long lists into separate files"));
        }
        let text = std::fs::read_to_string(path).map_err(missing)?;
        Config::parse(&text, path)
    }

    /// Parses the text of a configuration that is, or would be, at `path`. Relative
    /// paths in it start at its folder.
    ///
    /// # Errors
    ///
    /// Like [`Config::open`].
    pub fn parse(text: &str, path: &Path) -> Result<Config> {
        let (config, errors) = Config::parse_valid(text, path);
        errors.into_iter().next().map_or(Ok(config), Err)
    }

    /// Parses the parts of a text that are valid. Returns all errors as well, in the order of the
    /// file, 50 at most.
    pub fn parse_valid(text: &str, path: &Path) -> (Config, Vec<Error>) {
        raw::parse(text, path)
    }

    /// Finds a subscription by name.
    ///
    /// # Errors
    ///
    /// It does not exist; the error lists the names.
    pub fn feed(&self, name: &str) -> Result<&Subscription> {
        self.feeds.iter().find(|feed| feed.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.feeds.iter().map(|feed| &*feed.name).collect();
            let has = match names.is_empty() {
                true => "there are no feeds".to_string(),
                false => format!("expected one of {}", names.join(", ")),
            };
            let meant = did_you_mean(name, names.iter().copied());
            Error::usage(format!("unknown feed “{name}”{meant}")).at_path(&self.path).remedy(has)
        })
    }
}

impl Subscription {
    /// Everything that determines how a document is read, as text. When it changes,
    /// documents must be read again.
    pub fn reading(&self) -> String {
        let Subscription { name, kind, options, filter, lifetime, max_size, .. } = self;
        format!("{name} {kind:?} {options:?} {filter:?} {lifetime:?} {max_size}")
    }
}

impl Subscription {
    /// Whether this is a MISP server rather than a folder of events. Servers require a key, so its
    /// presence distinguishes them.
    pub fn is_misp_server(&self) -> bool {
        self.kind == Kind::Misp
            && matches!(self.origin, Origin::Url(_))
            && self.access.key.is_some()
            && self.access.user.is_none()
            && self.access.header.is_none()
    }
}

impl Config {
    /// Warnings about credentials that others can read, in a file or in transit.
    pub fn warnings(&self) -> Vec<String> {
        self.feeds.iter().filter(|feed| feed.enabled).flat_map(Subscription::warnings).collect()
    }
}

impl Subscription {
    /// Like [`Config::warnings`], for this feed.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let name = &self.name;
        let key = self.access.key.as_ref();
        if let Some(Credential::File(path)) = key
            && let Ok(metadata) = std::fs::metadata(path)
            && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o007 != 0
        {
            warnings.push(format!(
                "{name}: any user of this machine can read its key in {} (fix it with chmod 600)",
                crate::engine::error::escape_file_name(path.as_os_str())
            ));
        }
        if let Origin::Url(url) = &self.origin
            && key.is_some()
            && is_in_the_clear(url)
        {
            warnings.push(format!(
                "{name}: its key is sent over plain http, where anyone on the network path can read it \
                 (use https)"
            ));
        }
        warnings
    }
}

/// Whether data sent to a URL can be read in transit.
fn is_in_the_clear(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    };
    let is_own = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    !(is_own || host == "localhost" || host.ends_with(".localhost"))
}

impl Origin {
    /// Formats the origin for people: the URL without what may be secret, the path,
    /// or the program.
    pub fn shown(&self) -> String {
        match self {
            Origin::Url(url) => without_user(url),
            Origin::Path(path) => {
                crate::engine::error::name_text(path.as_os_str().as_encoded_bytes()).into_owned()
            }
            Origin::Command(words) => words.join(" "),
        }
    }
}

/// Removes `user:password@` from a URL.
pub(super) fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_string(),
    }
}

impl Credential {
    /// Reads the credential.
    ///
    /// # Errors
    ///
    /// The variable is not set or the file cannot be read. The message names the
    /// place, never the contents.
    pub fn reveal(&self) -> Result<String> {
        let secret = match self {
            Credential::Env(name) => std::env::var(name).map_err(|_| {
                Error::usage(format!("environment variable {name} is not set, or is not UTF-8"))
                    .remedy("it holds the feed's credential; set it for the process that updates")
            })?,
            Credential::File(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|e| Error::io("read the credential", e).at_path(path))?;
                text.lines().next().unwrap_or_default().to_string()
            }
        };
        let secret = secret.trim().to_string();
        if secret.is_empty() || secret.chars().any(char::is_control) {
            let error = Error::usage("the credential is empty or contains control characters");
            return Err(match self {
                Credential::Env(name) => {
                    error.remedy(format!("it comes from environment variable {name}"))
                }
                Credential::File(path) => error.at_path(path),
            });
        }
        Ok(secret)
    }
}
