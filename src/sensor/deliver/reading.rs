//! The fields of an alert's JSON that messages for people and filters need.

use serde::Deserialize;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Some members of the record of `docs/alert.schema.json`. Missing ones are empty: a record of
/// another version is read as far as it is known.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reading<'a> {
    /// When it happened.
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    /// From 1, low, to 4, critical.
    pub severity: u8,
    /// The sensor.
    #[serde(borrow)]
    pub host: Cow<'a, str>,
    /// The name of the configured input.
    #[serde(borrow)]
    pub input: Cow<'a, str>,
    /// The local side of the traffic.
    #[serde(borrow)]
    pub local: Cow<'a, str>,
    /// Whether it was suppressed, and is only for archives.
    pub suppressed: bool,
    /// The observable.
    #[serde(borrow)]
    pub seen: Seen<'a>,
    /// The indicators that it matched.
    #[serde(borrow)]
    pub indicators: Vec<Indicator<'a>>,
    #[serde(borrow)]
    log: Log<'a>,
    #[serde(borrow)]
    packet: Packet<'a>,
    #[serde(borrow)]
    repeat: Repeat<'a>,
}

/// An observable.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Seen<'a> {
    /// Its kind.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// Its normalised value.
    #[serde(borrow)]
    pub value: Cow<'a, str>,
    /// Where it was seen.
    #[serde(borrow, rename = "where")]
    pub at: Cow<'a, str>,
    #[serde(borrow)]
    field: Cow<'a, str>,
}

/// An indicator.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Indicator<'a> {
    /// Its kind.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// Its canonical form.
    #[serde(borrow)]
    pub value: Cow<'a, str>,
    /// How far it reaches: `exact`, `subtree`…
    #[serde(borrow)]
    pub scope: Cow<'a, str>,
    /// The sources that list it.
    #[serde(borrow)]
    pub sources: Vec<Source<'a>>,
}

/// A source of an indicator.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Source<'a> {
    /// The subscription.
    #[serde(borrow)]
    pub feed: Cow<'a, str>,
    /// Its confidence, from 0 to 100.
    pub confidence: Option<u8>,
    /// Labels.
    #[serde(borrow)]
    pub tags: Vec<Cow<'a, str>>,
    /// Malware families.
    #[serde(borrow)]
    pub malware: Vec<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Log<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    line: u64,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Packet<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow)]
    interface: Cow<'a, str>,
    #[serde(borrow)]
    src_ip: Cow<'a, str>,
    src_port: Option<u16>,
    #[serde(borrow)]
    dst_ip: Cow<'a, str>,
    dst_port: Option<u16>,
    #[serde(borrow)]
    proto: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Repeat<'a> {
    count: u64,
    #[serde(borrow)]
    key: Key<'a>,
    #[serde(borrow)]
    values: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    places: Vec<Cow<'a, str>>,
}

/// What the alerts of a repeat record have in common, as far as a headline names it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Key<'a> {
    /// Kind and value.
    #[serde(borrow)]
    indicator: Cow<'a, str>,
    #[serde(borrow, rename = "where")]
    at: Cow<'a, str>,
}

impl Repeat<'_> {
    /// The indicator if it is part of the key, else the first value, and where.
    fn headline(&self) -> String {
        let Key { indicator, at } = &self.key;
        let what = match (&**indicator, self.values.first()) {
            ("", None) => "an alert".to_string(),
            ("", Some(value)) => defanged(value),
            (indicator, _) => defanged(indicator),
        };
        if at.is_empty() { what } else { format!("{what} in {at}") }
    }
}

/// No link to click on.
fn defanged(value: &str) -> String {
    value.replace('.', "[.]").replace("http", "hxxp")
}

impl<'a> Reading<'a> {
    /// Reads a record; `None` if it is not a JSON object with these members.
    pub fn of(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// The name of the severity.
    pub fn level(&self) -> &'static str {
        level(self.severity)
    }

    /// All sources of all indicators.
    pub fn sources(&self) -> impl Iterator<Item = &Source<'a>> {
        self.indicators.iter().flat_map(|indicator| &indicator.sources)
    }

    /// The names of the feeds, without duplicates.
    pub fn feeds(&self) -> Vec<&str> {
        distinct(self.sources().map(|source| &*source.feed))
    }

    /// The malware families, without duplicates.
    pub fn malware(&self) -> Vec<&str> {
        distinct(self.sources().flat_map(|source| &source.malware).map(|name| &**name))
    }

    /// `domain cdn[.]evil[.]example in dns.query`: people must not get a clickable link.
    ///
    /// A repeat record may lack an alert. The headline then names what its alerts have in common.
    pub fn headline(&self) -> String {
        let Seen { kind, value, at, field } = &self.seen;
        if value.is_empty() {
            return self.repeat.headline();
        }
        let value = defanged(value);
        if field.is_empty() {
            format!("{kind} {value} in {at}")
        } else {
            format!("{kind} {value} in field {field}")
        }
    }

    /// Where it was: a line of a log, or the ends of a packet.
    pub fn place(&self) -> String {
        let mut place = String::new();
        let Packet { path, interface, src_ip, src_port, dst_ip, dst_port, proto } = &self.packet;
        if !self.log.path.is_empty() {
            let _ = write!(place, "{}:{}", self.log.path, self.log.line);
        } else if !src_ip.is_empty() {
            let port = |port: &Option<u16>| port.map_or(String::new(), |port| format!(":{port}"));
            let (from, to) = (port(src_port), port(dst_port));
            let _ = write!(place, "{proto} {src_ip}{from} to {dst_ip}{to}");
        }
        let input = if interface.is_empty() { path } else { interface };
        if !input.is_empty() {
            let _ = write!(place, "{}{input}", if place.is_empty() { "" } else { " on " });
        }
        if place.is_empty() {
            place = self.repeat.places.first().map(ToString::to_string).unwrap_or_default();
        }
        place
    }

    /// The line of the log.
    pub fn text(&self) -> &str {
        &self.log.text
    }

    /// How many alerts a repeat record stands for; 0 for other records.
    pub fn repeats(&self) -> u64 {
        self.repeat.count
    }
}

/// The name of a severity.
pub(super) fn level(severity: u8) -> &'static str {
    match severity {
        4.. => "critical",
        3 => "high",
        2 => "medium",
        _ => "low",
    }
}

fn distinct<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut kept: Vec<&str> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
