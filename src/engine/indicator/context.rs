//! What a feed says about an indicator besides its value.

use super::Timestamp;
use std::borrow::Cow;

/// How severe an indicator is. Higher is worse (`spec/alert.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Severity {
    /// 1
    Low = 1,
    /// 2
    Medium = 2,
    /// 3
    High = 3,
    /// 4
    Critical = 4,
}

impl Severity {
    /// The severity with this number, from 1 to 4.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Severity::Low),
            2 => Some(Severity::Medium),
            3 => Some(Severity::High),
            4 => Some(Severity::Critical),
            _ => None,
        }
    }

    /// The severity with this name, or with this number as text.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "low" | "1" | "info" | "informational" => Some(Severity::Low),
            "medium" | "med" | "moderate" | "2" => Some(Severity::Medium),
            "high" | "3" => Some(Severity::High),
            "critical" | "crit" | "4" => Some(Severity::Critical),
            _ => None,
        }
    }
}

/// Traffic Light Protocol 2.0. Later variants are more restrictive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tlp {
    /// Called white in TLP 1.
    Clear = 1,
    /// Community.
    Green = 2,
    /// Organisation and its clients.
    Amber = 3,
    /// Organisation only.
    AmberStrict = 4,
    /// Named recipients only.
    Red = 5,
}

impl Tlp {
    /// The name used in alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Tlp::Clear => "clear",
            Tlp::Green => "green",
            Tlp::Amber => "amber",
            Tlp::AmberStrict => "amber+strict",
            Tlp::Red => "red",
        }
    }

    /// Parses `white`, `TLP:AMBER+STRICT`, `tlp:green` and so on, ignoring case.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        match name.strip_prefix("tlp:").unwrap_or(&name) {
            "clear" | "white" => Some(Tlp::Clear),
            "green" => Some(Tlp::Green),
            "amber" => Some(Tlp::Amber),
            "amber+strict" | "amber strict" | "amber-strict" => Some(Tlp::AmberStrict),
            "red" => Some(Tlp::Red),
            _ => None,
        }
    }

    /// The TLP with this number in a database.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Tlp::Clear),
            2 => Some(Tlp::Green),
            3 => Some(Tlp::Amber),
            4 => Some(Tlp::AmberStrict),
            5 => Some(Tlp::Red),
            _ => None,
        }
    }
}

/// The end of a connection that the feed means. A hint that never filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Direction {
    /// The indicator is the source.
    Source = 1,
    /// The indicator is the destination.
    Destination = 2,
}

/// Whether an entry is an indicator or an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Role {
    /// An indicator: a hit alerts.
    #[default]
    Alert = 0,
    /// Known good: a hit keeps the observable from alerting, and is counted.
    Allow = 1,
}

/// Everything a source says about an indicator besides its value and scope.
///
/// The same type serves both directions: feeds build it with owned text and share
/// it between the indicators of a pulse; the database returns it with text borrowed
/// from the map. Members that a source does not give are `None` or empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Context<'a> {
    /// The subscription's name (`source_id` of the specification).
    pub feed: Cow<'a, str>,
    /// The name of the pulse, event, bundle or list within the feed.
    pub collection: Option<Cow<'a, str>>,
    /// The identifier of that pulse, event, bundle or list.
    pub collection_id: Option<Cow<'a, str>>,
    /// The identifier of the indicator at its source.
    pub id: Option<Cow<'a, str>>,
    /// The indicator's title.
    pub name: Option<Cow<'a, str>>,
    /// Free text.
    pub description: Option<Cow<'a, str>>,
    /// The source's confidence, 0 to 100.
    pub confidence: Option<u8>,
    /// 1 to 4.
    pub severity: Option<Severity>,
    /// Whom it may be shared with.
    pub tlp: Option<Tlp>,
    /// A hit counts from this time…
    pub valid_from: Option<Timestamp>,
    /// …until, but not including, this time.
    pub valid_until: Option<Timestamp>,
    /// When the source first saw it.
    pub first_seen: Option<Timestamp>,
    /// When the source last saw it.
    pub last_seen: Option<Timestamp>,
    /// Withdrawn by its source (`is_active` 0, `revoked`). It is kept for `lookup`,
    /// but never alerts.
    pub inactive: bool,
    /// Indicator or exception.
    pub role: Role,
    /// It describes internal networks, so the guard for private addresses does not
    /// apply.
    pub internal: bool,
    /// The end of the connection that it means.
    pub direction: Option<Direction>,
    /// `tcp` or `udp`, if the source says so.
    pub proto: Option<Cow<'a, str>>,
    /// Labels.
    pub tags: Vec<Cow<'a, str>>,
    /// Malware families.
    pub malware: Vec<Cow<'a, str>>,
    /// Threat actors, intrusion sets, campaigns.
    pub adversary: Vec<Cow<'a, str>>,
    /// ATT&CK technique identifiers.
    pub attack: Vec<Cow<'a, str>>,
    /// Where to read more.
    pub references: Vec<Cow<'a, str>>,
}

impl Context<'_> {
    /// The context of a list that only gives its name.
    pub fn of_feed(feed: impl Into<String>) -> Context<'static> {
        Context { feed: Cow::Owned(feed.into()), ..Context::default() }
    }

    /// Whether `time` is within the half-open validity, and the source has not
    /// withdrawn the indicator.
    pub fn is_live(&self, time: Timestamp) -> bool {
        !self.inactive
            && self.valid_from.is_none_or(|from| from <= time)
            && self.valid_until.is_none_or(|until| time < until)
    }

    /// Converts all borrowed text to owned text.
    pub fn into_owned(self) -> Context<'static> {
        fn own(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        fn own_all(texts: Vec<Cow<'_, str>>) -> Vec<Cow<'static, str>> {
            texts.into_iter().map(own).collect()
        }
        Context {
            feed: own(self.feed),
            collection: self.collection.map(own),
            collection_id: self.collection_id.map(own),
            id: self.id.map(own),
            name: self.name.map(own),
            description: self.description.map(own),
            confidence: self.confidence,
            severity: self.severity,
            tlp: self.tlp,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            inactive: self.inactive,
            role: self.role,
            internal: self.internal,
            direction: self.direction,
            proto: self.proto.map(own),
            tags: own_all(self.tags),
            malware: own_all(self.malware),
            adversary: own_all(self.adversary),
            attack: own_all(self.attack),
            references: own_all(self.references),
        }
    }
}
