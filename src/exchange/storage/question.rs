//! What can be asked of the storage.

use crate::engine::indicator::{Timestamp, Tlp};
use crate::exchange::accounts::{GroupId, UserId};
use crate::exchange::pulses::{Indicator, Type};

/// A set of pulses. Whatever it is, the viewer gets only those that it may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Selection {
    /// The viewer's feed: subscribed pulses and authors, its own, its groups', without those that
    /// it unsubscribed singly.
    Subscribed,
    /// The same, and pulses of followed authors.
    Activity,
    /// The viewer's own.
    Own,
    /// Those of an author.
    Author(UserId),
    /// Those of a group.
    Group(GroupId),
    /// One, by its key.
    Pulse(i64),
    /// Those that every account may see.
    Public,
    /// All.
    #[default]
    Everything,
}

/// The order of pulses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By the last change.
    #[default]
    Modified,
    /// By creation.
    Created,
    /// By the number of subscribers.
    Subscribers,
    /// By votes, each by what it weighs.
    Votes,
    /// By how well they match the words of a search.
    Relevance,
}

/// The kinds of names that pulses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LabelKind {
    /// A tag.
    Tag = 1,
    /// A malware family.
    Family = 2,
    /// The actor.
    Adversary = 3,
    /// An industry.
    Industry = 4,
    /// A country.
    Country = 5,
    /// An ATT&CK technique.
    Attack = 6,
}

impl LabelKind {
    /// Every kind, with its name in queries.
    pub const ALL: [(LabelKind, &'static str); 6] = [
        (LabelKind::Tag, "tag"),
        (LabelKind::Family, "malware_family"),
        (LabelKind::Adversary, "adversary"),
        (LabelKind::Industry, "industry"),
        (LabelKind::Country, "country"),
        (LabelKind::Attack, "attack_id"),
    ];
}

/// The words of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The terms, each of which must be found.
    pub terms: Vec<String>,
    /// The values that the whole text may be, normalised.
    pub values: Vec<(Type, String)>,
    /// The name that the whole text may be: pulses with values at hosts below it are found, too.
    pub host: Option<String>,
}

/// Some pulses, by what the identifiers of their objects say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Among {
    /// The second halves of identifiers.
    pub ends: Vec<String>,
    /// The numbers of authors.
    pub authors: Vec<i64>,
}

/// A question about pulses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PulseQuery {
    /// Which.
    pub selection: Selection,
    /// Only those modified at that time or later.
    pub since: Option<Timestamp>,
    /// Only those modified before.
    pub before: Option<Timestamp>,
    /// Only those of an author.
    pub author: Option<UserId>,
    /// Only those that have these words.
    pub search: Option<Search>,
    /// Only those that have these names.
    pub labels: Vec<(LabelKind, String)>,
    /// Only those with an active indicator of this type.
    pub kind: Option<Type>,
    /// Only those with this TLP.
    pub tlp: Option<Tlp>,
    /// Only those with such identifiers or authors.
    pub among: Option<Among>,
    /// Whether those are included that were deleted lately, for viewers that saw them.
    pub has_deleted: bool,
    /// Their order.
    pub sort: Sort,
    /// Whether the smallest come first.
    pub is_ascending: bool,
    /// How many at most; 0 for none.
    pub limit: usize,
    /// How many to skip.
    pub offset: usize,
}

impl PulseQuery {
    /// All of a selection, the newest first.
    pub fn of(selection: Selection) -> PulseQuery {
        PulseQuery { selection, limit: usize::MAX, ..PulseQuery::default() }
    }
}

/// Which indicators of a pulse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Which {
    /// Those to be matched.
    #[default]
    Active,
    /// Those to be matched that machines should get: nothing suppressed.
    Exported,
    /// Inactive ones, too.
    Inactive,
    /// Removed ones, too.
    Removed,
}

/// A question about the indicators of a pulse, in the order they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndicatorQuery {
    /// Which.
    pub which: Which,
    /// Only these types; empty for all.
    pub kinds: Vec<Type>,
    /// Only those that are this sure, from 0 to 100.
    pub min_confidence: u8,
    /// How many at most.
    pub limit: Option<usize>,
    /// How many to skip.
    pub offset: usize,
    /// Whether the newest come first.
    pub is_descending: bool,
}

/// The state of a selection. Equal marks mean that nothing has changed, but that indicators may
/// have expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The number of pulses.
    pub count: u64,
    /// The last change of any of them; 0 for none.
    pub modified: i64,
    /// When the viewer's subscriptions or groups last changed.
    pub membership: i64,
}

/// An indicator, and the pulse that it is in.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueHit {
    /// The key of the pulse.
    pub pulse: i64,
    /// The indicator.
    pub indicator: Indicator,
}
