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
    #[serde(default)]
    feed: Vec<toml::Spanned<Feed>>,
    // The tables of `wiresift run`, which `sensor::config` reads.
    #[serde(default, rename = "daemon")]
    _daemon: IgnoredAny,
    #[serde(default, rename = "input")]
    _input: IgnoredAny,
    #[serde(default, rename = "sink")]
    _sink: IgnoredAny,
}

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

pub(super) fn parse(text: &str, path: &Path) -> Result<Config> {
    let line = |at: usize| 1 + text.bytes().take(at).filter(|b| *b == b'\n').count() as u64;
    check_bounds(text).map_err(|error| error.at_path(path))?;
    let top: Top = toml::from_str(text).map_err(|error| {
        let error_at_path = Error::format(error.message().to_string()).at_path(path);
        match error.span() {
            Some(span) => error_at_path.at_line(line(span.start)),
            None => error_at_path,
        }
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let interval = top.interval.as_deref().map(duration).transpose();
    let interval = interval.map_err(|why| wrong("interval", &why).at_path(path))?;
    let mut feeds = Vec::with_capacity(top.feed.len());
    let mut names = HashSet::new();
    let mut lists = lists(folder, [&top.suppress.0, &top.annotate, &top.warninglists], None);
    for feed in top.feed {
        let at = line(feed.span().start);
        let feed = feed.into_inner();
        let own = [&feed.suppress, &feed.annotate, &feed.warninglists];
        lists.extend(self::lists(folder, own, Some(&feed.name)));
        let read = subscription(feed, folder, interval.unwrap_or(INTERVAL));
        let feed = read.map_err(|error| error.at_path(path).at_line(at))?;
        if !names.insert(feed.name.clone()) {
            return Err(Error::format(format!("two feeds have the name “{}”", feed.name))
                .at_path(path)
                .at_line(at)
                .remedy("names distinguish feeds in alerts and in the state directory"));
        }
        feeds.push(feed);
    }
    Ok(Config {
        path: path.to_path_buf(),
        state: folder.join(top.state.unwrap_or_else(|| "wiresift-state".into())),
        database: folder.join(top.database.unwrap_or_else(|| "wiresift.wsdb".into())),
        allow_wide: top.allow_wide,
        allow_suffix: top.allow_suffix,
        lists,
        allow: top.allow.iter().map(|path| folder.join(path)).collect(),
        feeds,
    })
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

fn subscription(feed: Feed, folder: &Path, interval: Duration) -> Result<Subscription> {
    let name = feed.name.clone();
    check_name(&name)?;
    let in_feed = |error: Error| error.remedy(format!("in feed “{name}”"));
    let kind = Kind::from_name(&feed.kind).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        wrong("kind", &format!("unknown kind “{}”", feed.kind)).remedy(names.join(", "))
    })?;
    let time = |member: &'static str, text: &Option<String>| -> Result<Option<Duration>> {
        text.as_deref().map(duration).transpose().map_err(|why| in_feed(wrong(member, &why)))
    };
    let max_size = feed.max_size.as_deref().map(size).transpose();
    let origin = origin(&feed, kind, folder).map_err(in_feed)?;
    Ok(Subscription {
        enabled: feed.enabled,
        kind,
        options: options(&feed, kind).map_err(in_feed)?,
        filter: Filter::new(&feed.allow, &feed.deny, feed.min_confidence).map_err(in_feed)?,
        lifetime: time("lifetime", &feed.lifetime)?,
        interval: time("interval", &feed.interval)?.unwrap_or(interval),
        timeout: time("timeout", &feed.timeout)?.unwrap_or(TIMEOUT),
        max_size: max_size.map_err(|why| in_feed(wrong("max_size", &why)))?.unwrap_or(MAX_SIZE),
        access: access(&feed, &origin, folder).map_err(in_feed)?,
        exchange: Exchange {
            collections: feed.collections.clone(),
            event_tags: feed.event_tags.clone(),
            unpublished: feed.unpublished,
            lookback: time("lookback", &feed.lookback)?,
        },
        origin,
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

fn origin(feed: &Feed, kind: Kind, folder: &Path) -> Result<Origin> {
    let count = usize::from(feed.url.is_some())
        + usize::from(feed.path.is_some())
        + usize::from(feed.command.is_some());
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

fn access(feed: &Feed, origin: &Origin, folder: &Path) -> Result<Access> {
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
    if let Origin::Url(url) = origin
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
