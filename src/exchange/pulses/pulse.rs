//! Pulses, as stored.

use super::{PulseId, Type};
use crate::engine::indicator::{Timestamp, Tlp};
use crate::exchange::accounts::{GroupId, UserId};
use serde::{Deserialize, Serialize};

/// The author of a pulse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The number of the account.
    pub id: UserId,
    /// Its name.
    pub name: String,
}

/// A group that a pulse is shared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRef {
    /// Its number.
    pub id: GroupId,
    /// Its name.
    pub name: String,
}

/// The lists of a pulse, as their author wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lists {
    /// Free labels.
    pub tags: Vec<String>,
    /// Where it is from: URLs mostly.
    pub references: Vec<String>,
    /// Names of countries.
    pub targeted_countries: Vec<String>,
    /// Names of industries.
    pub industries: Vec<String>,
    /// Names of malware families.
    pub malware_families: Vec<String>,
    /// Identifiers of ATT&CK techniques.
    pub attack_ids: Vec<String>,
    /// What its indicators were extracted from.
    pub extract_source: Vec<String>,
}

/// What is counted about a pulse, within what the viewer may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Active indicators by type.
    pub indicators: Vec<(Type, u64)>,
    /// Subscribers.
    pub subscribers: u64,
    /// Followers of its author.
    pub followers: u64,
    /// Comments.
    pub comments: u64,
    /// Exports.
    pub exports: u64,
    /// Votes for it.
    pub upvotes: u64,
    /// Votes against it.
    pub downvotes: u64,
}

impl Counts {
    /// The number of active indicators.
    pub fn total(&self) -> u64 {
        self.indicators.iter().map(|(_, count)| count).sum()
    }
}

/// A pulse without its indicators, as a viewer sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulse {
    /// Its row in the storage.
    pub key: i64,
    /// Its public identifier.
    pub id: PulseId,
    /// Its name: one clean line.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Who wrote it.
    pub author: Author,
    /// When it was created.
    pub created: Timestamp,
    /// When its content last changed; strictly rises over all pulses of a server.
    pub modified: Timestamp,
    /// The number of its revision, from 1.
    pub revision: u32,
    /// Whether everybody with an account may see it.
    pub is_public: bool,
    /// Its TLP.
    pub tlp: Tlp,
    /// The actor; empty if unknown.
    pub adversary: String,
    /// Its lists.
    pub lists: Lists,
    /// Those of its groups that the viewer may know of, in the order that its author gave.
    pub groups: Vec<GroupRef>,
    /// The pulse that it is a copy of.
    pub cloned_from: Option<PulseId>,
    /// Whether it was created by a program.
    pub is_from_api: bool,
    /// Whether only its author sees it, until a moderator has looked at it.
    pub is_held: bool,
    /// Counts.
    pub counts: Counts,
    /// Whether the viewer is subscribed to it.
    pub is_subscribing: bool,
    /// Whether the viewer is subscribed to its author.
    pub is_subscribed_to_author: bool,
    /// Whether the viewer follows its author.
    pub is_following_author: bool,
    /// The viewer's vote: 1, -1 or 0.
    pub vote: i8,
}

impl Pulse {
    /// Whether it is a tombstone: all that is left of a name is that there was one.
    pub fn is_deleted(&self) -> bool {
        self.name.is_empty()
    }
}

/// One change of a pulse.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its number, from 1.
    pub number: u32,
    /// Who changed it.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// What was asked for, as JSON.
    pub patch: String,
    /// Why, in the author's words.
    pub reason: String,
}
