//! What a feed says about an indicator, apart from its value.

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

impl Direction {
    /// The direction with this number, 1 or 2.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Direction::Source),
            2 => Some(Direction::Destination),
            _ => None,
        }
    }
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

/// A table of the members of a [`Context`] after its feed: name, type, bit in a database, name in
/// JSON lines.
///
/// The type, [`into_owned`](Context::into_owned) and three codecs follow from these rows:
/// `engine::database::contexts`, `intel::store::contexts` and `intel::feed::format::native`. Each
/// passes a macro that receives the rows. Contexts are compared in the order of the rows, and
/// encodings contain the members of each type in that order. A bit is never reused. Adding a row
/// does not change databases that do not use it, but it changes the format of the store.
macro_rules! context_members {
    ($with:ident) => {
        $with! {
            /// The name of the pulse, event, bundle or list within the feed.
            collection: Option<Cow<'a, str>>, 0, "collection";
            /// The identifier of that pulse, event, bundle or list.
            collection_id: Option<Cow<'a, str>>, 1, "collection_id";
            /// The identifier of the indicator at its source.
            id: Option<Cow<'a, str>>, 2, "id";
            /// The indicator's title.
            name: Option<Cow<'a, str>>, 3, "name";
            /// Free text.
            description: Option<Cow<'a, str>>, 4, "description";
            /// The source's confidence, 0 to 100.
            confidence: Option<u8>, 6, "confidence";
            /// 1 to 4.
            severity: Option<Severity>, 7, "severity";
            /// With whom it may be shared.
            tlp: Option<Tlp>, 8, "tlp";
            /// A hit counts from this time…
            valid_from: Option<Timestamp>, 13, "valid_from";
            /// …until, but not including, this time.
            valid_until: Option<Timestamp>, 14, "valid_until";
            /// When the source first saw it.
            first_seen: Option<Timestamp>, 15, "first_seen";
            /// When the source last saw it.
            last_seen: Option<Timestamp>, 16, "last_seen";
            /// When the source last changed what it says of it.
            modified: Option<Timestamp>, 22, "modified";
            /// Withdrawn by its source (`is_active` 0, `revoked`). It is kept for `lookup`,
            /// but never alerts.
            inactive: bool, 10, "inactive";
            /// Indicator or exception.
            role: Role, 11, "allow";
            /// It describes internal networks, so the guard for private addresses does not
            /// apply.
            internal: bool, 12, "internal";
            /// The end of the connection that it means.
            direction: Option<Direction>, 9, "direction";
            /// `tcp` or `udp`, if the source says so.
            proto: Option<Cow<'a, str>>, 5, "proto";
            /// Labels.
            tags: Vec<Cow<'a, str>>, 17, "tags";
            /// Malware families.
            malware: Vec<Cow<'a, str>>, 18, "malware";
            /// Threat actors, intrusion sets, campaigns.
            adversary: Vec<Cow<'a, str>>, 19, "adversary";
            /// ATT&CK technique identifiers.
            attack: Vec<Cow<'a, str>>, 20, "attack";
            /// Where to read more.
            references: Vec<Cow<'a, str>>, 21, "references";
        }
    };
}
pub(crate) use context_members;

macro_rules! define {
    ($($(#[$doc:meta])* $name:ident: $type:ty, $bit:literal, $json:literal;)*) => {
        /// Everything a source says about an indicator, apart from its value and scope.
        ///
        /// The same type serves both directions: feeds build it with owned text and share
        /// it between the indicators of a pulse; the database returns it with text borrowed
        /// from the map. Members that a source does not give are `None` or empty.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct Context<'a> {
            /// The subscription's name (`source_id` of the specification).
            pub feed: Cow<'a, str>,
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Context<'_> {
            /// Converts all borrowed text to owned text.
            pub fn into_owned(self) -> Context<'static> {
                Context { feed: own(self.feed), $($name: self.$name.into_owned(),)* }
            }
        }
    };
}
context_members!(define);

/// What every member can do: convert its text to owned text.
trait Member {
    type Owned;

    fn into_owned(self) -> Self::Owned;
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

impl Member for Option<Cow<'_, str>> {
    type Owned = Option<Cow<'static, str>>;

    fn into_owned(self) -> Self::Owned {
        self.map(own)
    }
}

impl Member for Vec<Cow<'_, str>> {
    type Owned = Vec<Cow<'static, str>>;

    fn into_owned(self) -> Self::Owned {
        self.into_iter().map(own).collect()
    }
}

macro_rules! without_text {
    ($($type:ty),*) => {
        $(impl Member for $type {
            type Owned = $type;

            fn into_owned(self) -> $type {
                self
            }
        })*
    };
}
without_text!(Option<u8>, Option<Severity>, Option<Tlp>, Option<Direction>);
without_text!(Option<Timestamp>, bool, Role);

/// A member with a few values, which codecs write as numbers. None of them is 0.
pub(crate) trait Numbered: Copy {
    /// Its number.
    fn number(self) -> u8;
    /// The value with this number.
    fn of_number(number: u8) -> Option<Self>;
}

macro_rules! numbered {
    ($($type:ty),*) => {
        $(impl Numbered for $type {
            fn number(self) -> u8 {
                self as u8
            }

            fn of_number(number: u8) -> Option<Self> {
                Self::from_number(number)
            }
        })*
    };
}
numbered!(Severity, Tlp, Direction);

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
}
