//! Rows as values.

use super::statements::{Fetched, Row, count};
use super::visible::visible;
use crate::engine::indicator::{Timestamp, Tlp};
use crate::exchange::accounts::UserId;
use crate::exchange::pulses::{Author, Counts, Indicator, Lists, Pulse, PulseId, State, Type};

/// The columns of a pulse, for [`pulse_of`], with `:me` and `:open`.
pub(super) fn pulse_columns() -> String {
    format!(
        "p.id, p.name_id, p.name, p.description, p.author, a.name, p.created, p.modified, \
         p.revision, p.public, p.tlp, p.adversary, p.lists, \
         (SELECT q.name_id FROM pulse q WHERE q.name_id = p.cloned_from AND {}), \
         p.from_api, p.held, p.subscribers, p.comments, p.exports, p.upvotes, p.downvotes, \
         (SELECT s.state FROM subscription s WHERE s.account = :me AND s.pulse = p.id), \
         EXISTS (SELECT 1 FROM author_link l WHERE l.account = :me AND l.author = p.author \
         AND l.kind = 1), \
         EXISTS (SELECT 1 FROM author_link l WHERE l.account = :me AND l.author = p.author \
         AND l.kind = 2), \
         (SELECT v.vote FROM vote v WHERE v.account = :me AND v.pulse = p.id), \
         (SELECT COUNT(*) FROM author_link l WHERE l.author = p.author AND l.kind = 2)",
        visible("q")
    )
}

/// A pulse without groups and counts of indicators.
pub(super) fn pulse_of(row: &Row<'_>) -> Fetched<Pulse> {
    let subscription: Option<i64> = row.get(21)?;
    let is_subscribed_to_author = row.get(22)?;
    let id: String = row.get(1)?;
    let lists: String = row.get(12)?;
    Ok(Pulse {
        key: row.get(0)?,
        id: PulseId::parse(&id).unwrap_or_else(|| PulseId::new(Timestamp(0), [0; 8])),
        name: row.get(2)?,
        description: row.get(3)?,
        author: Author { id: UserId(row.get(4)?), name: row.get(5)? },
        created: Timestamp(row.get(6)?),
        modified: Timestamp(row.get(7)?),
        revision: row.get(8)?,
        is_public: row.get(9)?,
        tlp: Tlp::from_number(row.get(10)?).unwrap_or(Tlp::Red),
        adversary: row.get(11)?,
        lists: lists_of(&lists),
        groups: Vec::new(),
        cloned_from: row.get::<Option<String>>(13)?.as_deref().and_then(PulseId::parse),
        is_from_api: row.get(14)?,
        is_held: row.get(15)?,
        counts: Counts {
            indicators: Vec::new(),
            subscribers: count(row.get(16)?),
            comments: count(row.get(17)?),
            exports: count(row.get(18)?),
            upvotes: count(row.get(19)?),
            downvotes: count(row.get(20)?),
            followers: count(row.get(25)?),
        },
        is_subscribing: subscription.map_or(is_subscribed_to_author, |state| state > 0),
        is_subscribed_to_author,
        is_following_author: row.get(23)?,
        vote: row.get::<Option<i8>>(24)?.unwrap_or(0),
    })
}

/// The lists as they are stored.
pub(super) fn lists_of(text: &str) -> Lists {
    serde_json::from_str(text).unwrap_or_default()
}

/// The columns of an indicator, for [`indicator_of`]: of the entry `e` and its value `v`.
pub(super) const INDICATOR: &str = "e.id, v.kind, v.norm, e.display, e.created, e.changed, \
    e.expiration, e.state, e.suppressed, e.role, e.title, e.description, e.content";

/// The condition that an entry `e` is to be matched at `:now`: not one that was accepted as a
/// false positive.
pub(super) const ACTIVE: &str = "(e.state = 0 AND e.suppressed <> 2 \
    AND (e.expiration IS NULL OR e.expiration > :now))";

/// An indicator at a time.
pub(super) fn indicator_of(row: &Row<'_>, now: Timestamp) -> Fetched<Indicator> {
    let norm: String = row.get(2)?;
    let expiration = row.get::<Option<i64>>(6)?.map(Timestamp);
    let suppressed: i64 = row.get(8)?;
    let state = match row.get::<i64>(7)? {
        2 => State::Removed,
        0 if suppressed != 2 && expiration.is_none_or(|end| end > now) => State::Active,
        _ => State::Inactive,
    };
    let display: Option<String> = row.get(3)?;
    Ok(Indicator {
        id: row.get(0)?,
        kind: kind_of(row.get(1)?),
        value: display.unwrap_or_else(|| norm.clone()),
        norm,
        created: Timestamp(row.get(4)?),
        changed: Timestamp(row.get(5)?),
        expiration,
        state,
        is_suppressed: suppressed != 0,
        role: row.get(9)?,
        title: row.get(10)?,
        description: row.get(11)?,
        content: row.get(12)?,
    })
}

/// The type with this number; the database has no others.
pub(super) fn kind_of(number: u8) -> Type {
    Type::from_number(number).unwrap_or(Type::Mutex)
}
