//! What the ledgers of the subscribed feeds say: for `lookup` in which feeds a value is or was, and
//! when; for `bench` the same of all values.

use super::database::CONFIG;
use super::{messages, outputs};
use ipnet::IpNet;
use serde_json::{Value as Json, json};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp, Value};
use wiresift::engine::scan::Explanation;
use wiresift::intel::config::Config;
use wiresift::intel::store::{Ledger, Stay, Store};
use wiresift::sensor::bench::{self, Span};
use wiresift::{Error, Result};

/// The open ledgers, with the names of their feeds.
#[derive(Default)]
pub(super) struct Ledgers(Vec<(String, Ledger)>);

/// A value in a feed.
pub(super) struct InFeed {
    feed: String,
    value: String,
    stay: Stay,
    /// Whether it is the value that was asked for, and not one that covers it.
    is_asked: bool,
}

impl Ledgers {
    /// Opens the ledgers of a configuration, or of the one in the current folder if the database
    /// is its own. A ledger that cannot be read is reported and left out.
    pub(super) fn of_database(named: Option<&Path>, config: Option<&Path>) -> Ledgers {
        let path = config.unwrap_or(Path::new(CONFIG));
        let opened = match Config::open(path) {
            Ok(opened) => opened,
            Err(error) => {
                // Nobody asked for the one in the current folder.
                config.iter().for_each(|_| messages::error(&error));
                return Ledgers::default();
            }
        };
        let real = |path: &Path| path.canonicalize().ok();
        let is_other =
            named.is_some_and(|path| real(path).is_none() || real(path) != real(&opened.database));
        if is_other && config.is_none() {
            return Ledgers::default();
        }
        let config = opened;
        let store = Store::at(&config.state);
        let mut ledgers = Vec::new();
        // Also feeds whose subscription has ended, if their data was kept.
        for name in store.names() {
            match store.feed_dir(&name).open_ledger() {
                Ok(ledger) => ledgers.extend(ledger.map(|ledger| (name, ledger))),
                Err(error) => messages::error(&error),
            }
        }
        Ledgers(ledgers)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The feeds with the value, with what covers it, or with the indicators that match it.
    pub(super) fn find(&self, explanation: &Explanation<'_>) -> Vec<InFeed> {
        let mut found = Vec::new();
        if self.0.is_empty() {
            return found;
        }
        let candidates = candidates(explanation);
        for (feed, ledger) in &self.0 {
            if let Err(error) = find_in((feed.as_str(), ledger), &candidates, &mut found) {
                messages::error(&error.about(&format!("ledger of {feed}")));
            }
        }
        found
    }
}

/// Refuses an output among the files of the feeds.
///
/// # Errors
///
/// It is in the state directory of the configuration, or is its database.
pub(super) fn refuse(output: Option<&Path>, config: Option<&Path>) -> Result<()> {
    let Some(output) = outputs::file(output) else { return Ok(()) };
    let Ok(config) = Config::open(config.unwrap_or(Path::new(CONFIG))) else { return Ok(()) };
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    let (Ok(folder), Ok(state)) = (folder, config.state.canonicalize()) else { return Ok(()) };
    if !folder.starts_with(&state) {
        return Ok(());
    }
    let what = "the output is in the folder of the feeds and their ledgers; nothing was written";
    Err(Error::usage(what).at_path(output).remedy("name a file in another folder"))
}

impl bench::Ledger for Ledgers {
    fn feeds(&self) -> Vec<String> {
        self.0.iter().map(|(feed, _)| feed.clone()).collect()
    }

    /// Stays of values that are too long for a ledger are left out. A damaged one is reported, and
    /// ends the iteration.
    fn spans<'l>(&'l self, feed: &str) -> Box<dyn Iterator<Item = Span> + 'l> {
        let found = self.0.iter().find(|(name, _)| name == feed);
        let stays = found.and_then(|(name, ledger)| match ledger.stays() {
            Ok(stays) => Some((name, stays)),
            Err(error) => {
                messages::error(&error.about(&format!("ledger of {name}")));
                None
            }
        });
        Box::new(stays.into_iter().flat_map(|(name, stays)| {
            stays.filter_map(move |stay| match stay {
                Ok(stay) => span(stay),
                Err(error) => {
                    messages::error(&error.about(&format!("ledger of {name}")));
                    None
                }
            })
        }))
    }

    fn changed(&self, feed: &str) -> Option<Timestamp> {
        let (_, ledger) = self.0.iter().find(|(name, _)| name == feed)?;
        let change = ledger.index().changes.last()?;
        change.published.or(change.at)
    }
}

/// A stay as benchmarks take it.
fn span(stay: Stay) -> Option<Span> {
    Some(Span {
        kind: stay.kind,
        // Of a very long value the ledger has only a hash.
        value: stay.value?.to_string(),
        first_seen: stay.first_seen,
        last_seen: stay.last_seen,
        absent_since: stay.absent_since,
        stood_at_first_fetch: stay.stood_at_first_fetch,
    })
}

/// A value to look for.
struct Candidate {
    kind: Kind,
    value: Value,
    scope: Scope,
    is_asked: bool,
}

fn find_in(
    (feed, ledger): (&str, &Ledger),
    candidates: &[Candidate],
    found: &mut Vec<InFeed>,
) -> Result<()> {
    for Candidate { kind, value, scope, is_asked } in candidates {
        for stay in ledger.find(*kind, value, *scope)? {
            let (feed, value) = (feed.to_string(), value.to_string());
            found.push(InFeed { feed, value, stay, is_asked: *is_asked });
        }
    }
    Ok(())
}

/// The value as it was read, the indicators that match it, and what would cover it.
fn candidates(explanation: &Explanation<'_>) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    let mut add = |kind, text: &str, scope, is_asked| {
        let context = Arc::new(Context::default());
        let Ok(indicator) = Indicator::new(kind, text, scope, context) else { return };
        let Indicator { kind, value, scope, .. } = indicator;
        let is_same = |other: &Candidate| {
            other.kind == kind
                && other.value == value
                && other.scope.is_pattern() == scope.is_pattern()
        };
        if !all.iter().any(is_same) {
            all.push(Candidate { kind, value, scope, is_asked });
        }
    };
    if let Some((kind, value)) = &explanation.read_as {
        add(*kind, value, Scope::Exact, true);
        if kind.is_string() {
            // What a string is depends on who lists it.
            let kinds = Kind::ALL.iter().filter(|kind| kind.is_string());
            kinds.for_each(|kind| add(*kind, value, Scope::Exact, true));
        }
        for (kind, value) in covering(*kind, value) {
            add(kind, &value, Scope::Exact, false);
        }
    }
    for found in &explanation.matches {
        add(found.kind, &found.value, found.scope, false);
    }
    for held in &explanation.held {
        add(held.kind, &held.value, held.scope, false);
    }
    all
}

/// The parents of a name, and the networks with an address.
fn covering(kind: Kind, value: &str) -> Vec<(Kind, String)> {
    match kind {
        Kind::Domain => {
            let dots = value.match_indices('.').map(|(at, _)| &value[at + 1..]);
            dots.filter(|name| name.contains('.')).map(|name| (kind, name.to_string())).collect()
        }
        Kind::Ip | Kind::Net => {
            let net = value.parse().ok().or_else(|| value.parse().ok().map(address));
            let parents = std::iter::successors(net, IpNet::supernet).skip(1);
            parents.map(|net| (Kind::Net, net.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

fn address(address: IpAddr) -> IpNet {
    IpNet::from(address)
}

/// The day of a time.
fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.split('T').next().unwrap_or(&text).to_string()
}

impl InFeed {
    /// In words: “in feed x since 2026-11-01”.
    pub(super) fn text(&self) -> String {
        let Stay { kind, first_seen, last_seen, absent_since, stays, .. } = &self.stay;
        let earlier = if self.stay.stood_at_first_fetch { " or earlier" } else { "" };
        let first = day(*first_seen);
        let when = match absent_since {
            Some(_) => format!("from {first}{earlier} to {}", day(*last_seen)),
            None => format!("since {first}{earlier}"),
        };
        let often = if *stays > 1 { format!(" (came {stays} times)") } else { String::new() };
        let what = match self.is_asked {
            true => String::new(),
            false => format!("{kind} {}: ", self.value),
        };
        format!("{what}in feed {} {when}{often}", self.feed)
    }

    /// As JSON.
    pub(super) fn json(&self) -> Json {
        json!({
            "feed": self.feed,
            "kind": self.stay.kind.name(),
            "value": self.value,
            "first_seen": self.stay.first_seen.to_string(),
            "last_seen": self.stay.last_seen.to_string(),
            "absent_since": self.stay.absent_since.map(|time| time.to_string()),
            "stood_at_first_fetch": self.stay.stood_at_first_fetch,
            "stays": self.stay.stays,
        })
    }
}
