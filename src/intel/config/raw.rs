//! The file as written, and its conversion to what it means.

use super::{Access, Config, Credential, Exchange, INTERVAL, Kind, MAX_SIZE, Origin, Subscription};
use super::{List, ListEffect, TIMEOUT};
use crate::engine::indicator::{Scope, Severity, Tlp};
use crate::engine::progress::bound;
use crate::engine::settings::{check_bounds, duration, size};
use crate::intel::feed::{Filter, Format, Options};
use crate::{Error, Result};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The length limit of a feed's name.
const MAX_NAME: usize = bound(64, 8);

/// The top level of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Top {
    #[serde(default)]
    state: Option<PathBuf>,
    #[serde(default)]
    database: Option<PathBuf>,
    #[serde(default)]
    interval: Option<String>,
    #[serde(default)]
    allow_wide: bool,
    #[serde(default)]
    allow_suffix: bool,
    #[serde(default)]
    allow: Vec<PathBuf>,
    #[serde(default)]
    suppress: Suppress,
    #[serde(default)]
    annotate: Vec<PathBuf>,
    #[serde(default)]
    warninglists: Vec<PathBuf>,
    // These are taken out before. They are here so that the error about an unknown key names them.
    #[serde(default, rename = "feed")]
    _feed: IgnoredAny,
    #[serde(default, rename = "daemon")]
    _daemon: IgnoredAny,
    #[serde(default, rename = "input")]
    _input: IgnoredAny,
    #[serde(default, rename = "sink")]
    _sink: IgnoredAny,
}

/// The tables of `wiresift run`, which `sensor::config` reads.
const OF_SENSOR: [&str; 3] = ["daemon", "input", "sink"];

/// `suppress` at the top level: warning lists, or the table `[suppress]` of `wiresift run`, whose
/// `lists` they are.
#[derive(Default)]
struct Suppress(Vec<PathBuf>);

impl<'de> Deserialize<'de> for Suppress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(SuppressVisitor)
    }
}

struct SuppressVisitor;

impl<'de> Visitor<'de> for SuppressVisitor {
    type Value = Suppress;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of paths, or a table")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<Suppress, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Suppress)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> std::result::Result<Suppress, A::Error> {
        let mut lists = Suppress::default();
        while let Some(key) = table.next_key::<String>()? {
            match &*key {
                "lists" => lists.0 = table.next_value()?,
                _ => drop(table.next_value::<IgnoredAny>()?),
            }
        }
        Ok(lists)
    }
}

/// A `[[feed]]` table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Feed {
    name: String,
    #[serde(default = "list")]
    kind: String,
    #[serde(default = "yes")]
    enabled: bool,
    url: Option<String>,
    path: Option<PathBuf>,
    command: Option<Vec<String>>,
    format: Option<String>,
    columns: Option<String>,
    delimiter: Option<char>,
    interval: Option<String>,
    timeout: Option<String>,
    max_size: Option<String>,
    confidence: Option<u8>,
    severity: Option<String>,
    tlp: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    scope: Option<String>,
    lifetime: Option<String>,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    misp_all: bool,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
    min_confidence: Option<u8>,
    #[serde(default)]
    suppress: Vec<PathBuf>,
    #[serde(default)]
    annotate: Vec<PathBuf>,
    #[serde(default)]
    warninglists: Vec<PathBuf>,
    key_env: Option<String>,
    key_file: Option<PathBuf>,
    key_header: Option<String>,
    user: Option<String>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
    ca: Option<PathBuf>,
    #[serde(default)]
    collections: Vec<String>,
    #[serde(default)]
    event_tags: Vec<String>,
    #[serde(default)]
    unpublished: bool,
    lookback: Option<String>,
}

fn list() -> String {
    Kind::List.name().into()
}

fn yes() -> bool {
    true
}

/// Parses a text: the parts of it that are valid, and an error for each that is not, in the order of
/// the file.
pub(super) fn parse(text: &str, path: &Path) -> (Config, Vec<Error>) {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut errors = Errors { text, path, found: Vec::new() };
    let mut config = Config {
        path: path.to_path_buf(),
        state: folder.join("wiresift-state"),
        database: folder.join("wiresift.wsdb"),
        allow_wide: false,
        allow_suffix: false,
        lists: Vec::new(),
        allow: Vec::new(),
        feeds: Vec::new(),
    };
    let parsed = check_bounds(text).map_err(|error| errors.add(0, error)).and_then(|()| {
        DeTable::parse(text).map_err(|error| {
            let whole = Error::format(error.message().to_string());
            match error.span() {
                Some(span) => errors.add(span.start, whole),
                None => errors.add(0, whole),
            }
        })
    });
    if let Ok(document) = parsed {
        document_into(document, folder, &mut config, &mut errors);
    }
    (config, errors.into_sorted())
}

/// Reads a document.
fn document_into(
    mut document: Spanned<DeTable<'_>>,
    folder: &Path,
    config: &mut Config,
    errors: &mut Errors<'_>,
) {
    let tables = document.get_mut();
    OF_SENSOR.iter().for_each(|name| drop(tables.remove(*name)));
    let feeds = tables.remove("feed").map(|feeds| (feeds.span().start, feeds.into_inner()));
    let interval_at = tables.get("interval").map_or(0, |value| value.span().start);
    let Some(top) = table::<Top>(document, errors) else { return };
    let interval = top.interval.as_deref().map(duration).transpose();
    let interval = interval.unwrap_or_else(|why| {
        errors.add(interval_at, wrong("interval", &why));
        None
    });
    config.lists = lists(folder, [&top.suppress.0, &top.annotate, &top.warninglists], None);
    let own = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    config.state = own(top.state).unwrap_or_else(|| std::mem::take(&mut config.state));
    config.database = own(top.database).unwrap_or_else(|| std::mem::take(&mut config.database));
    (config.allow_wide, config.allow_suffix) = (top.allow_wide, top.allow_suffix);
    config.allow = top.allow.iter().map(|path| folder.join(path)).collect();
    let feeds = match feeds {
        Some((_, DeValue::Array(feeds))) => feeds,
        Some((at, _)) => {
            let error = Error::format("feed must be a list of tables").remedy("write [[feed]]");
            return errors.add(at, error);
        }
        None => return,
    };
    let mut names = HashSet::new();
    for feed in feeds {
        let (at, before) = (feed.span().start, errors.found.len());
        let DeValue::Table(members) = feed.into_inner() else {
            errors.add(at, Error::format("feed must be a list of tables").remedy("write [[feed]]"));
            continue;
        };
        let Some(feed) = table::<Feed>(Spanned::new(at..at, members), errors) else { continue };
        let is_partial = errors.found.len() > before;
        let own = [&feed.suppress, &feed.annotate, &feed.warninglists];
        config.lists.extend(lists(folder, own, Some(&feed.name)));
        if !names.insert(feed.name.clone()) {
            let error = Error::format(format!("two feeds have the name “{}”", feed.name));
            let remedy = "names distinguish feeds in alerts and in the state directory";
            errors.add(at, error.remedy(remedy));
        }
        let mut checks = Checks { errors: &mut *errors, at, name: feed.name.clone(), is_partial };
        let read = subscription(feed, folder, interval.unwrap_or(INTERVAL), &mut checks);
        if errors.found.len() == before {
            config.feeds.extend(read);
        }
    }
}

/// Reads a table. Members that it can't have are errors, and the others are read without them.
/// Returns `None` if what is left is no such table.
fn table<'d, T: Deserialize<'d>>(
    mut table: Spanned<DeTable<'d>>,
    errors: &mut Errors<'_>,
) -> Option<T> {
    let before = errors.found.len();
    loop {
        let error = match T::deserialize(toml::de::Deserializer::from(table.clone())) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let at = error.span().map_or(table.span().start, |span| span.start);
        let is_in = |it: std::ops::Range<usize>| it.contains(&at);
        let mut members = table.get_ref().iter();
        let member = members.find(|(key, value)| is_in(key.span()) || is_in(value.span()));
        let member = member.map(|(key, _)| key.get_ref().to_string());
        // A required member may be missing because its name is misspelt.
        if member.is_some() || errors.found.len() == before {
            errors.add(at, Error::format(error.message().to_string()));
        }
        if errors.is_full() {
            return None;
        }
        table.get_mut().remove(&*member?);
    }
}

/// The maximum number of errors that are looked for: each costs a pass over its table.
const MAX_ERRORS: usize = 50;

/// Errors, with their places.
struct Errors<'t> {
    text: &'t str,
    path: &'t Path,
    found: Vec<(u64, Error)>,
}

impl Errors<'_> {
    /// Adds an error at a place in the text.
    fn add(&mut self, at: usize, error: Error) {
        if !self.is_full() {
            let line = 1 + self.text.bytes().take(at).filter(|b| *b == b'\n').count() as u64;
            self.found.push((line, error.at_path(self.path).at_line(line)));
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= MAX_ERRORS
    }

    fn into_sorted(mut self) -> Vec<Error> {
        self.found.sort_by_key(|(line, _)| *line);
        self.found.into_iter().map(|(_, error)| error).collect()
    }
}

/// The checks of a feed.
struct Checks<'e, 't> {
    errors: &'e mut Errors<'t>,
    at: usize,
    name: String,
    /// Whether members were left out because they are invalid.
    is_partial: bool,
}

impl Checks<'_, '_> {
    /// The value, unless it is an error.
    fn keep<T>(&mut self, outcome: Result<T>) -> Option<T> {
        let in_feed = |error: Error| error.remedy(format!("in feed “{}”", self.name));
        outcome.map_err(|error| self.errors.add(self.at, in_feed(error))).ok()
    }

    /// A time, if it is set.
    fn time(&mut self, member: &str, text: &Option<String>) -> Option<Option<Duration>> {
        let time = text.as_deref().map(duration).transpose();
        self.keep(time.map_err(|why| wrong(member, &why)))
    }
}

/// Warning lists that suppress, that annotate, and that have the usual effect.
fn lists(folder: &Path, paths: [&Vec<PathBuf>; 3], feed: Option<&str>) -> Vec<List> {
    let effects = [ListEffect::Suppress, ListEffect::Annotate, ListEffect::Usual];
    let feeds: Vec<String> = feed.into_iter().map(str::to_string).collect();
    let of = |(paths, effect): (&Vec<PathBuf>, ListEffect)| -> Vec<List> {
        let list = |path: &PathBuf| List { path: folder.join(path), effect, feeds: feeds.clone() };
        paths.iter().map(list).collect()
    };
    paths.into_iter().zip(effects).flat_map(of).collect()
}

/// An error about the value of a key.
fn wrong(member: &str, why: &str) -> Error {
    Error::format(format!("{member}: {why}"))
}

/// Checks a feed; all its errors are reported.
fn subscription(
    feed: Feed,
    folder: &Path,
    interval: Duration,
    checks: &mut Checks<'_, '_>,
) -> Option<Subscription> {
    let name = checks.keep(check_name(&feed.name));
    let kind = checks.keep(Kind::from_name(&feed.kind).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        wrong("kind", &format!("unknown kind “{}”", feed.kind)).remedy(names.join(", "))
    }));
    let max_size = feed.max_size.as_deref().map(size).transpose();
    let origin = match kind {
        // A misspelt `url` has been reported.
        Some(_) if checks.is_partial && origins(&feed) == 0 => None,
        Some(kind) => checks.keep(origin(&feed, kind, folder)),
        None => None,
    };
    let options = kind.and_then(|kind| checks.keep(options(&feed, kind)));
    let filter = checks.keep(Filter::new(&feed.allow, &feed.deny, feed.min_confidence));
    let lifetime = checks.time("lifetime", &feed.lifetime);
    let own_interval = checks.time("interval", &feed.interval);
    let timeout = checks.time("timeout", &feed.timeout);
    let max_size = checks.keep(max_size.map_err(|why| wrong("max_size", &why)));
    let lookback = checks.time("lookback", &feed.lookback);
    let access = checks.keep(access(&feed, origin.as_ref(), folder));
    name?;
    Some(Subscription {
        enabled: feed.enabled,
        kind: kind?,
        options: options?,
        filter: filter?,
        lifetime: lifetime?,
        interval: own_interval?.unwrap_or(interval),
        timeout: timeout?.unwrap_or(TIMEOUT),
        max_size: max_size?.unwrap_or(MAX_SIZE),
        access: access?,
        exchange: Exchange {
            collections: feed.collections,
            event_tags: feed.event_tags,
            unpublished: feed.unpublished,
            lookback: lookback?,
        },
        origin: origin?,
        name: feed.name,
    })
}

/// Checks a feed's name. Names become folders and appear in alerts, so they must
/// need no quoting and must not lead out of the state directory.
///
/// # Errors
///
/// The message says what a name may contain.
pub fn check_name(name: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if name.len() <= MAX_NAME && starts && name.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::format(format!("invalid feed name “{}”", name.escape_default())).remedy(
        "up to 64 lower-case letters, digits, dots, dashes and underscores, a letter or \
                 digit first",
    ))
}

/// How many origins are set; it has to be one.
fn origins(feed: &Feed) -> usize {
    usize::from(feed.url.is_some())
        + usize::from(feed.path.is_some())
        + usize::from(feed.command.is_some())
}

fn origin(feed: &Feed, kind: Kind, folder: &Path) -> Result<Origin> {
    let count = origins(feed);
    if count != 1 {
        return Err(Error::format(format!("{count} of url, path and command are set"))
            .remedy("set exactly one of them"));
    }
    if let Some(url) = &feed.url {
        return check_url(url).map(|()| Origin::Url(url.clone()));
    }
    if let Some(path) = &feed.path {
        if matches!(kind, Kind::Otx | Kind::Taxii) {
            return Err(wrong("path", &format!("kind {} is a server", kind.name()))
                .remedy("set url instead"));
        }
        return Ok(Origin::Path(folder.join(path)));
    }
    let words = feed.command.clone().unwrap_or_default();
    if words.is_empty() || !kind.is_document() {
        return Err(wrong("command", "needs a program, and kind list, stix or allow"));
    }
    Ok(Origin::Command(words))
}

fn check_url(url: &str) -> Result<()> {
    let lower = url.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(wrong("url", "expected https:// or http://")
            .remedy("set path for a file, or command for a program"));
    }
    if url.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err(wrong("url", "contains spaces or control characters"));
    }
    if super::configuration::without_user(url) != url {
        return Err(wrong("url", "contains a user or password")
            .remedy("set user and key_env or key_file instead"));
    }
    Ok(())
}

fn options(feed: &Feed, kind: Kind) -> Result<Options> {
    let known = |member: &str, name: &str, names: &str| {
        wrong(member, &format!("unknown value “{name}”")).remedy(format!("expected {names}"))
    };
    let format = match (feed.format.as_deref(), kind) {
        (None | Some("auto"), Kind::List | Kind::Allow) => None,
        (Some(name), Kind::List | Kind::Allow) => {
            Some(Format::from_name(name).ok_or_else(|| {
                let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
                known("format", name, &format!("auto, {}", names.join(", ")))
            })?)
        }
        (Some(_), _) => return Err(wrong("format", "only kinds list and allow have a format")),
        (None, Kind::Stix | Kind::Taxii) => Some(Format::Stix),
        (None, Kind::Otx) => Some(Format::Otx),
        (None, Kind::Misp) => Some(Format::Misp),
    };
    let confidence = match feed.confidence {
        Some(101..) => return Err(wrong("confidence", "expected 0 to 100")),
        confidence => confidence,
    };
    let severity = feed.severity.as_deref().map(|name| {
        Severity::from_name(name)
            .ok_or_else(|| known("severity", name, "low, medium, high or critical"))
    });
    let tlp = feed.tlp.as_deref().map(|name| {
        Tlp::from_name(name)
            .ok_or_else(|| known("tlp", name, "clear, green, amber, amber+strict or red"))
    });
    let scope = feed.scope.as_deref().map(|name| match name {
        "exact" => Ok(Scope::Exact),
        "subtree" => Ok(Scope::Subtree),
        "subtree_no_apex" | "subtree-no-apex" => Ok(Scope::SubtreeNoApex),
        _ => Err(known("scope", name, "exact, subtree or subtree_no_apex")),
    });
    let is_allow = kind == Kind::Allow;
    // Someone who allows `example.com` means `www.example.com`, too.
    let scope = scope.transpose()?.or(is_allow.then_some(Scope::Subtree));
    Ok(Options {
        allow: is_allow,
        feed: feed.name.clone(),
        format,
        columns: feed.columns.as_deref().unwrap_or("").parse()?,
        delimiter: feed.delimiter,
        internal: feed.internal,
        domain_scope: scope,
        misp_all: feed.misp_all,
        stix_domain_subtree: scope == Some(Scope::Subtree),
        confidence,
        severity: severity.transpose()?,
        tlp: tlp.transpose()?,
        tags: feed.tags.clone(),
        ..Options::default()
    })
}

fn access(feed: &Feed, origin: Option<&Origin>, folder: &Path) -> Result<Access> {
    let key = match (&feed.key_env, &feed.key_file) {
        (Some(_), Some(_)) => {
            return Err(
                Error::format("key_env and key_file are both set").remedy("remove one of them")
            );
        }
        (Some(name), None) => Some(Credential::Env(name.clone())),
        (None, Some(path)) => Some(Credential::File(folder.join(path))),
        (None, None) => None,
    };
    let is_needed = feed.key_header.is_some() || feed.user.is_some();
    if is_needed && key.is_none() {
        return Err(Error::format("key_header or user is set, but no credential")
            .remedy("set key_env or key_file"));
    }
    if let Some(Origin::Url(url)) = origin
        && url.contains("{key}")
        && key.is_none()
    {
        return Err(wrong("url", "the URL contains {key}, but no credential is set")
            .remedy("set key_env or key_file"));
    }
    if feed.client_cert.is_some() != feed.client_key.is_some() {
        return Err(Error::format("client_cert and client_key must be set together")
            .remedy("a certificate needs its private key"));
    }
    if let Some(header) = &feed.key_header
        && (header.is_empty() || !header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    {
        return Err(wrong("key_header", "not a valid header name"));
    }
    let at = |path: &Option<PathBuf>| path.as_ref().map(|path| folder.join(path));
    Ok(Access {
        key,
        header: feed.key_header.clone(),
        user: feed.user.clone(),
        client_cert: at(&feed.client_cert),
        client_key: at(&feed.client_key),
        ca: at(&feed.ca),
    })
}
