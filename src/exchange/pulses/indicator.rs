//! The indicators of a pulse, as stored.

use super::Type;
use crate::engine::indicator::Timestamp;

/// What is to be done with an indicator, at the time of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// To be matched.
    Active,
    /// Expired, or switched off by its author.
    Inactive,
    /// Removed from its pulse, and kept for a while, so that subscribers notice.
    Removed,
}

/// An indicator of a pulse. The texts are never absent, because clients call their methods.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator {
    /// Its number, the same for as long as it is in its pulse.
    pub id: i64,
    /// What it is.
    pub kind: Type,
    /// The value as its author wrote it.
    pub value: String,
    /// The normalised value: equal for all spellings.
    pub norm: String,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last added, changed or removed. No two indicators of a server share this
    /// time, so that it can be the position of a reader.
    pub changed: Timestamp,
    /// When it ends. `None`: never.
    pub expiration: Option<Timestamp>,
    /// Whether it is to be matched, at the time of the query.
    pub state: State,
    /// Whether it is kept out of exports, feeds for machines and TAXII: it is on a warning list
    /// and nobody has confirmed it, or it was accepted as a false positive.
    pub is_suppressed: bool,
    /// Its role (free vocabulary).
    pub role: Option<String>,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// The text of a rule.
    pub content: String,
}

impl Indicator {
    /// Whether machines should get it.
    pub fn is_exported(&self) -> bool {
        self.state == State::Active && !self.is_suppressed
    }
}
