//! What a feed is of, and how it is read from the storage.

use super::source::{Source, Visit};
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{GroupId, Viewer};
use crate::exchange::pulses::{PulseId, Type};
use crate::exchange::storage::{IndicatorQuery, PulseQuery, Selection, View, Which};

/// Pulses that are read at once.
const BATCH: usize = 200;

/// What a feed is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The feed of the caller.
    Subscribed,
    /// What every account may see.
    Public,
    /// The pulses of a user.
    User(String),
    /// The pulses of a group.
    Group(GroupId),
    /// One pulse.
    Pulse(PulseId),
}

/// A scope that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) selection: Selection,
    /// See [`About::number`](super::About::number).
    pub(super) number: u32,
}

impl Scope {
    /// The scope in words.
    pub(super) fn title(&self) -> String {
        match self {
            Scope::Subscribed => "subscribed pulses".into(),
            Scope::Public => "public pulses".into(),
            Scope::User(name) => format!("pulses of {name}"),
            Scope::Group(group) => format!("pulses of group {}", group.0),
            Scope::Pulse(id) => format!("pulse {id}"),
        }
    }

    /// Finds the scope. `None`: there is none, or the viewer may not know of it.
    pub(super) fn find(&self, view: &View<'_>, viewer: Viewer) -> Result<Option<Found>> {
        // Four kinds of numbers, one after the other, so that no two scopes have the same.
        let found = |selection, key: i64, kind: i64| {
            let number = key.checked_mul(4).and_then(|number| number.checked_add(kind));
            let number =
                number.and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX / 64);
            Some(Found { selection, number: number.min(u32::MAX / 64) })
        };
        Ok(match self {
            Scope::Public => found(Selection::Public, 0, 0),
            Scope::Subscribed => {
                viewer.user().and_then(|user| found(Selection::Subscribed, user.0, 0))
            }
            Scope::User(name) => view
                .user(viewer, name)?
                .filter(|user| !user.is_suspended)
                .and_then(|user| found(Selection::Author(user.id), user.id.0, 1)),
            Scope::Group(group) => view
                .group(viewer, *group)?
                .filter(|group| group.rank.is_some())
                .and_then(|group| found(Selection::Group(group.id), group.id.0, 2)),
            Scope::Pulse(id) => view
                .pulse(viewer, id)?
                .and_then(|pulse| found(Selection::Pulse(pulse.key), pulse.key, 3)),
        })
    }
}

/// The pulses of a selection, read from the storage while they are exported.
pub struct Stored<'a> {
    /// The storage at one moment.
    pub view: &'a View<'a>,
    /// Who looks.
    pub viewer: Viewer,
    /// Which pulses.
    pub selection: Selection,
    /// Which indicators.
    pub which: Which,
    /// Only these types; empty for all.
    pub types: Vec<Type>,
    /// Only indicators that are this sure; 0 for all.
    pub min_confidence: u8,
    /// Whether pulses are passed on that were deleted.
    pub has_deleted: bool,
}

impl Source for Stored<'_> {
    fn values(&self, take: &mut dyn FnMut(Type, &str) -> Result<()>) -> Result<Option<Timestamp>> {
        // Confidence depends on more than the rows that are read at once.
        if self.which != Which::Exported || self.min_confidence > 0 {
            return Ok(None);
        }
        self.view.exported_values((self.viewer, self.selection), &self.types, take)
    }

    fn each(&self, visit: &mut dyn Visit) -> Result<()> {
        let query = IndicatorQuery {
            which: self.which,
            kinds: self.types.clone(),
            min_confidence: self.min_confidence,
            ..IndicatorQuery::default()
        };
        let mut before = None;
        loop {
            let pulses = PulseQuery {
                selection: self.selection,
                has_deleted: self.has_deleted,
                before,
                limit: BATCH,
                ..PulseQuery::default()
            };
            let pulses = self.view.pulses(self.viewer, &pulses)?;
            for pulse in &pulses {
                visit.pulse(pulse)?;
                for indicator in self.view.indicators(pulse.key, &query)? {
                    visit.indicator(pulse, &indicator)?;
                }
            }
            // The newest come first, and no two share the time of their change.
            match pulses.last() {
                Some(last) if pulses.len() == BATCH => before = Some(last.modified),
                _ => return Ok(()),
            }
        }
    }
}
