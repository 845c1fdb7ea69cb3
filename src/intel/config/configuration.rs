//! What `wiresift.toml` says, checked.

use super::raw;
use crate::intel::feed::{Filter, Options};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a feed is fetched when nobody says.
pub const INTERVAL: Duration = Duration::from_secs(30 * 60);

/// How long one fetch may take when nobody says.
pub const TIMEOUT: Duration = Duration::from_secs(120);

/// The most bytes that a document may have, as it is sent and unpacked, when nobody says.
///
/// The largest public lists have a tenth of it. A document is read as a whole, and what it
/// is unpacked to as well: a small bomb must not take the memory of a small machine.
pub const MAX_SIZE: u64 = 256 << 20;

/// The longest configuration that is read.
const MAX_CONFIG: u64 = 16 << 20;

/// What the file says.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The folder of everything that feeds sent.
    pub state: PathBuf,
    /// The database that the subscribed set is compiled to.
    pub database: PathBuf,
    /// Take networks wider than /8 and /16.
    pub allow_wide: bool,
    /// Take whole public suffixes.
    pub allow_suffix: bool,
    /// Warning lists, for all feeds or for some.
    pub lists: Vec<List>,
    /// Allow lists: files of what is known good.
    pub allow: Vec<PathBuf>,
    /// The subscriptions, in the order of the file.
    pub feeds: Vec<Subscription>,
}

/// A warning list, or a folder of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Where it is.
    pub path: PathBuf,
    /// What it does.
    pub effect: ListEffect,
    /// The feeds that it is for; all, when empty.
    pub feeds: Vec<String>,
}

/// What a warning list does with the indicators that are on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListEffect {
    /// Keeps them out.
    Suppress,
    /// Tags them.
    Annotate,
    /// What is usual for a list of its name.
    Usual,
}

/// One `[[feed]]`.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its name, which is also that of its folder.
    pub name: String,
    /// Whether it is fetched and compiled.
    pub enabled: bool,
    /// What is at the other end.
    pub kind: Kind,
    /// Where it is.
    pub origin: Origin,
    /// How it is read.
    pub options: Options,
    /// What of it is taken.
    pub filter: Filter,
    /// How long an indicator is valid whose feed does not say.
    pub lifetime: Option<Duration>,
    /// How often it is fetched.
    pub interval: Duration,
    /// How long one fetch may take.
    pub timeout: Duration,
    /// The most bytes of a document.
    pub max_size: u64,
    /// How we show who we are.
    pub access: Access,
    /// What only some kinds have.
    pub exchange: Exchange,
}

/// What is at the other end of a subscription.
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
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Kind] = &[Kind::List, Kind::Stix, Kind::Otx, Kind::Taxii, Kind::Misp];

    /// The name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::List => "list",
            Kind::Stix => "stix",
            Kind::Otx => "otx",
            Kind::Taxii => "taxii",
            Kind::Misp => "misp",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Where a document comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Over HTTP or HTTPS. May hold `{key}`, which stands for the secret.
    Url(String),
    /// A file or a folder.
    Path(PathBuf),
    /// What a program prints: the program, and its arguments.
    Command(Vec<String>),
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// In a variable of the environment.
    Env(String),
    /// The first line of a file.
    File(PathBuf),
}

/// How we show who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The secret: a key, a token, or a password.
    pub key: Option<Credential>,
    /// The header that the secret is sent in; without one each kind has its own.
    pub header: Option<String>,
    /// The user, where the secret is a password.
    pub user: Option<String>,
    /// Our certificate, in PEM.
    pub client_cert: Option<PathBuf>,
    /// Its private key, in PEM.
    pub client_key: Option<PathBuf>,
    /// Certificates to trust instead of the built-in ones, in PEM.
    pub ca: Option<PathBuf>,
}

/// What only some kinds have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// TAXII: the collections, by identifier or title; all that can be read, when empty.
    pub collections: Vec<String>,
    /// MISP: only events of a server with one of these tags; `!` before one leaves its
    /// events out.
    pub event_tags: Vec<String>,
    /// MISP: events of a server that are not published, too.
    pub unpublished: bool,
    /// How far back the first walk goes.
    pub lookback: Option<Duration>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read or does not say what it must, with line and remedy.
    pub fn open(path: &Path) -> Result<Config> {
        let missing = |e: std::io::Error| {
            let is_missing = e.kind() == std::io::ErrorKind::NotFound;
            let error = Error::io("open", e).at_path(path);
            if is_missing {
                error.remedy("`wiresift feed add` makes one; --config FILE names another")
            } else {
                error
            }
        };
        let length = std::fs::metadata(path).map_err(missing)?.len();
        if length > MAX_CONFIG {
            return Err(Error::format(format!("a configuration of {length} bytes"))
                .at_path(path)
                .remedy("put long lists into files of their own"));
        }
        let text = std::fs::read_to_string(path).map_err(missing)?;
        Config::parse(&text, path)
    }

    /// Reads the text of a file that is, or would be, at `path`.
    ///
    /// # Errors
    ///
    /// As [`Config::open`].
    pub fn parse(text: &str, path: &Path) -> Result<Config> {
        raw::parse(text, path)
    }

    /// The subscription of a name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn feed(&self, name: &str) -> Result<&Subscription> {
        self.feeds.iter().find(|feed| feed.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.feeds.iter().map(|feed| &*feed.name).collect();
            let has = match names.is_empty() {
                true => "it has none".to_string(),
                false => format!("it has {}", names.join(", ")),
            };
            Error::usage(format!("unknown feed “{name}”")).at_path(&self.path).remedy(has)
        })
    }
}

impl Subscription {
    /// Everything that decides what becomes of a document, as text: when it changes,
    /// documents have to be read again.
    pub fn reading(&self) -> String {
        let Subscription { name, kind, options, filter, lifetime, max_size, .. } = self;
        format!("{name} {kind:?} {options:?} {filter:?} {lifetime:?} {max_size}")
    }
}

impl Subscription {
    /// Whether it is a MISP server that is asked, and not a folder of events: servers
    /// want a key.
    pub fn is_misp_server(&self) -> bool {
        self.kind == Kind::Misp
            && matches!(self.origin, Origin::Url(_))
            && self.access.key.is_some()
            && self.access.user.is_none()
            && self.access.header.is_none()
    }
}

impl Config {
    /// What somebody should know who keeps a secret: which of them others can read, where
    /// it lies or on its way.
    pub fn warnings(&self) -> Vec<String> {
        self.feeds.iter().filter(|feed| feed.enabled).flat_map(Subscription::warnings).collect()
    }
}

impl Subscription {
    /// The same of one feed.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let name = &self.name;
        let key = self.access.key.as_ref();
        if let Some(Credential::File(path)) = key
            && let Ok(metadata) = std::fs::metadata(path)
            && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o007 != 0
        {
            warnings.push(format!(
                "{name}: everybody on this machine can read its key in {} (chmod 600 mends it)",
                crate::engine::error::spelt_name(path.as_os_str())
            ));
        }
        if let Origin::Url(url) = &self.origin
            && key.is_some()
            && is_in_the_clear(url)
        {
            warnings.push(format!(
                "{name}: its key is sent over plain http, where everybody on the way can read it \
                 (use https)"
            ));
        }
        warnings
    }
}

/// Whether what is sent to a URL can be read on the way.
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
    /// For people: the URL without what may be secret in it, the path, the program.
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

/// A URL without `user:password@`.
pub(super) fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_string(),
    }
}

impl Credential {
    /// Fetches the secret.
    ///
    /// # Errors
    ///
    /// When the variable is not set or the file cannot be read; the text names the
    /// place and never what is in it.
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
            let error = Error::usage("the credential is empty, or has control characters in it");
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

/// Seconds, or what s, m, h or d says behind a number.
///
/// # Errors
///
/// What a time looks like.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.strip_suffix(|c: char| c.is_ascii_alphabetic()) {
        Some(digits) => (digits, &text[digits.len()..]),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return Err("write seconds, or a number followed by s, m, h or d".into()),
    };
    let number = digits.parse::<f64>().ok().filter(|n| *n > 0.0);
    number
        .and_then(|number| Duration::try_from_secs_f64(number * seconds).ok())
        .filter(|time| *time >= Duration::from_millis(1))
        .ok_or_else(|| "a time is a number of seconds above 0, or of s, m, h or d".into())
}

/// Bytes, with K, M or G for the binary units.
///
/// # Errors
///
/// What a size looks like.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let shift = match unit.trim_end_matches('B').trim_end_matches('i') {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        _ => return Err("write a number of bytes, optionally followed by K, M or G".into()),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift));
    bytes.filter(|n| *n > 0).ok_or_else(|| "a size is a number of bytes above 0".into())
}
