//! What is compared: feeds, or the collections of feeds.

use super::ledger::LedgerSummary;
use crate::engine::database::Database;
use crate::engine::indicator::{Context, Role, Timestamp};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// The feed.
    #[default]
    Feed,
    /// The collection: a pulse, an event, a bundle. What is in none counts for its feed.
    Pulse,
}

/// The number of a context that is in no group, because it allows and does not alert.
const NONE: u32 = u32::MAX;

/// The name of a group, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupName {
    /// The name, which no other group has.
    pub(super) name: String,
    /// The feed.
    pub(super) feed: String,
    /// The name of the collection.
    pub(super) collection: Option<String>,
}

/// Feed, and identifier or name of the collection.
type Key = (String, String);

/// What a context says about its claims, as far as it is needed for each of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    group: u32,
    /// Whether the claim is valid at the reference time.
    pub(super) is_valid: bool,
    /// Whether it is about internal networks.
    pub(super) is_internal: bool,
    /// Whether it is about phishing, which decays faster.
    pub(super) is_phishing: bool,
    /// The confidence that decays.
    pub(super) confidence: u8,
    /// When it was last confirmed.
    pub(super) dated: Option<Timestamp>,
    /// When it was first seen, else from when it is valid.
    pub(super) first_seen: Option<Timestamp>,
    /// When its source first saw it.
    pub(super) published: Option<Timestamp>,
}

impl Standing {
    /// The group of the claims, if they alert.
    pub(super) fn group(&self) -> Option<u32> {
        (self.group != NONE).then_some(self.group)
    }

    /// What a context says at an instant, for the group with this number.
    pub(super) fn of(context: &Context<'_>, group: Option<u32>, at: Timestamp) -> Standing {
        let is_phishing = context.tags.iter().any(|tag| tag.eq_ignore_ascii_case("phishing"));
        Standing {
            group: group.unwrap_or(NONE),
            is_valid: context.is_live(at),
            is_internal: context.internal,
            is_phishing,
            confidence: context.confidence.unwrap_or(super::decay::USUAL_BASE),
            dated: dated(context),
            first_seen: context.first_seen.or(context.valid_from),
            published: context.first_seen,
        }
    }
}

/// The earliest of several times that may not be known.
pub(super) fn earliest(times: impl IntoIterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    times.into_iter().flatten().min()
}

/// When a source last confirmed its claim: last seen, else modified, valid from, first seen.
pub(super) fn dated(context: &Context<'_>) -> Option<Timestamp> {
    context.last_seen.or(context.modified).or(context.valid_from).or(context.first_seen)
}

/// The groups of a database, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by: GroupBy,
    names: Vec<GroupName>,
    /// By feed, then by collection: looked up for each source of an alert, without copies.
    numbers: HashMap<String, HashMap<String, u32>>,
}

impl Groups {
    /// The groups of a database. Feeds that only allow are none.
    pub(super) fn of(database: &Database, by: GroupBy) -> Groups {
        let mut feeds: BTreeMap<String, BTreeMap<String, Option<String>>> = BTreeMap::new();
        for number in 0..database.contexts() as u32 {
            let Some(context) = database.context(number) else { continue };
            let id = collection_id(by, &context);
            // There may be as many contexts as indicators, so nothing is copied in vain.
            let known = feeds.get(&*context.feed).is_some_and(|all| all.contains_key(id));
            if context.role == Role::Alert && !known {
                let collection = context.collection.as_deref().filter(|_| by == GroupBy::Pulse);
                let of_feed = feeds.entry(context.feed.to_string()).or_default();
                of_feed.insert(id.to_string(), collection.map(str::to_string));
            }
        }
        let keys = feeds.into_iter().flat_map(|(feed, all)| {
            all.into_iter().map(move |(id, collection)| ((feed.clone(), id), collection))
        });
        let mut named: Vec<(GroupName, Key)> = keys
            .map(|((feed, id), collection)| {
                let title = collection.as_deref().or((!id.is_empty()).then_some(&id));
                let name = title.map_or(feed.clone(), |title| format!("{feed}/{title}"));
                (GroupName { name, feed: feed.clone(), collection }, (feed, id))
            })
            .collect();
        distinguish(&mut named);
        named.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let mut numbers: HashMap<String, HashMap<String, u32>> = HashMap::new();
        for ((_, (feed, id)), number) in named.iter().zip(0..) {
            numbers.entry(feed.clone()).or_default().insert(id.clone(), number);
        }
        Groups { by, names: named.into_iter().map(|(name, _)| name).collect(), numbers }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// What makes them.
    pub(super) fn by(&self) -> GroupBy {
        self.by
    }

    /// Their names, by their numbers.
    pub(super) fn names(&self) -> &[GroupName] {
        &self.names
    }

    /// The name of a group.
    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |group| &group.name)
    }

    /// The group of a context, if it alerts.
    pub(super) fn number(&self, context: &Context<'_>) -> Option<u32> {
        if context.role != Role::Alert {
            return None;
        }
        self.numbers.get(&*context.feed)?.get(collection_id(self.by, context)).copied()
    }

    /// What each context of the database says at an instant. A context without a date has that of
    /// the last change of its feed's document, if the ledger knows it.
    pub(super) fn standings(
        &self,
        database: &Database,
        at: Timestamp,
        ledger_summary: Option<&LedgerSummary>,
    ) -> Vec<Standing> {
        let of = |number| {
            let context = database.context(number).unwrap_or_default();
            let standing = Standing::of(&context, self.number(&context), at);
            let changed =
                || ledger_summary.and_then(|ledger_summary| ledger_summary.changed(&context.feed));
            Standing { dated: standing.dated.or_else(changed), ..standing }
        };
        (0..database.contexts() as u32).map(of).collect()
    }
}

/// What tells a collection from others of its feed; empty where collections do not count.
fn collection_id<'c>(by: GroupBy, context: &'c Context<'_>) -> &'c str {
    match by {
        GroupBy::Feed => "",
        GroupBy::Pulse => {
            let id = context.collection_id.as_deref().or(context.collection.as_deref());
            id.unwrap_or_default()
        }
    }
}

/// Adds the identifiers of collections to names that several have.
fn distinguish(named: &mut [(GroupName, Key)]) {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for (group, _) in named.iter() {
        *counts.entry(group.name.clone()).or_default() += 1;
    }
    for (group, (_, id)) in named {
        if counts.get(&group.name).is_some_and(|count| *count > 1) && !id.is_empty() {
            group.name = format!("{} ({id})", group.name);
        }
    }
}
