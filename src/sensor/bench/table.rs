//! The set alone: one pass over the entries of a database.

use super::covering::{ClaimState, Entry, View};
use super::decay::{days_between, has_decayed};
use super::groups::{Groups, Standing, earliest};
use super::hit_claims::HitClaims;
use super::masks::{EMPTY, MaskId, Masks};
use super::risk::{EntryRisk, Risk};
use crate::engine::database::{Listed, Posting};
use crate::engine::indicator::url::Scheme;
use crate::engine::indicator::{Kind, Reason, Role, Scope, Timestamp};
use hashbrown::{HashMap, HashSet};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::Xxh3;

/// The most indicators that are listed.
pub(super) const MAX_FLAGGED: usize = 1000;

/// What a group contains.
#[derive(Clone, Debug, Default)]
pub(super) struct Contained {
    pub(super) values: u64,
    pub(super) live: u64,
    pub(super) expired: u64,
    pub(super) withheld: BTreeMap<&'static str, u64>,
    /// Seconds since the dated live entries were last confirmed.
    pub(super) ages: Vec<u32>,
    pub(super) undated: u64,
    pub(super) decayed: u64,
    /// Live entries by the month in which they were first seen, as year × 12 + month − 1.
    pub(super) months: BTreeMap<i32, u64>,
    pub(super) popular: u64,
    pub(super) rank: Option<u64>,
    pub(super) listed: BTreeMap<u16, u64>,
    pub(super) shared: u64,
}

/// A flagged entry without regard to alerts, in the order in which it is listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flagged {
    /// The best rank of a popular name that it matches, else the largest number.
    pub(super) rank: u64,
    pub(super) kind: Kind,
    pub(super) value: String,
    pub(super) scope: Scope,
    pub(super) groups: Vec<u32>,
    pub(super) lists: Vec<u16>,
    pub(super) is_shared: bool,
}

impl Flagged {
    /// What tells it from others.
    pub(super) fn key(&self) -> u64 {
        key(self.kind.name(), self.scope.name(), &self.value)
    }
}

/// An entry in few bytes: a set may have millions that are flagged.
pub(super) fn key(kind: &str, scope: &str, value: &str) -> u64 {
    let mut hash = Xxh3::new();
    // Names of kinds and scopes have no spaces.
    [kind, " ", scope, " ", value].iter().for_each(|part| hash.update(part.as_bytes()));
    hash.digest()
}

/// What a pass over the entries counts.
#[derive(Debug, Default)]
pub(super) struct SetTable {
    pub(super) masks: Masks,
    /// Live entries by the groups that hold them, and those that cover them by another entry.
    pub(super) entries: BTreeMap<(MaskId, MaskId), u64>,
    /// Live values by the groups that hold them.
    pub(super) values: BTreeMap<MaskId, u64>,
    /// Different values and entries of all groups.
    pub(super) totals: (u64, u64),
    /// By the number of the group.
    pub(super) groups: Vec<Contained>,
    pub(super) flagged: BTreeSet<Flagged>,
    /// All that are flagged, listed or not.
    pub(super) flagged_keys: HashSet<u64>,
}

/// A claim of a value that is being counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) scheme: Scheme,
    pub(super) scope: Scope,
    pub(super) group: u32,
    state: ClaimState,
    pub(super) context: u32,
}

impl Row {
    /// Whether the claim alerts at the reference time.
    pub(super) fn is_live(&self) -> bool {
        self.state == ClaimState::Live
    }
}

/// Counts entries while they are passed on.
struct Counting<'c, 'd, 't> {
    view: View<'d>,
    at: Timestamp,
    risk: &'c Risk<'c>,
    hits: &'c mut HitClaims<'t>,
    table: SetTable,
    /// What [`Masks`] has of the pairs, until they are put in order.
    pairs: HashMap<(MaskId, MaskId), u64>,
    rows: Vec<Row>,
    buffer: Vec<u32>,
}

impl SetTable {
    /// Counts the entries of a database at an instant, and notes what is said of those that
    /// alerted.
    pub(super) fn of(
        view: View<'_>,
        groups: &Groups,
        at: Timestamp,
        risk: &Risk<'_>,
        hits: &mut HitClaims<'_>,
    ) -> SetTable {
        let table =
            SetTable { groups: vec![Contained::default(); groups.len()], ..SetTable::default() };
        let mut counting = Counting {
            view,
            at,
            risk,
            hits,
            table,
            pairs: HashMap::new(),
            rows: Vec::new(),
            buffer: Vec::new(),
        };
        view.database.each_value(&mut |listed, posting| counting.value(listed, posting));
        counting.withheld();
        let Counting { mut table, pairs, .. } = counting;
        table.entries = pairs.into_iter().collect();
        for group in &mut table.groups {
            group.ages.sort_unstable();
        }
        table
    }

    /// The groups that cover an entry, by itself or by another, for each different pair, with the
    /// number of entries.
    pub(super) fn covers(&mut self) -> Vec<(MaskId, u64)> {
        let pairs: Vec<_> = self.entries.iter().map(|(pair, count)| (*pair, *count)).collect();
        pairs.into_iter().map(|((a, b), count)| (self.masks.union(a, b), count)).collect()
    }
}

impl Counting<'_, '_, '_> {
    /// Counts a value with all its claims.
    fn value(&mut self, listed: Listed<'_>, posting: Posting) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        for claim in self.view.database.claims(posting) {
            if let Some((group, state)) = self.view.state(&listed, &claim) {
                let (kind, scheme, scope) = (claim.kind, claim.scheme, claim.scope);
                rows.push(Row { kind, scheme, scope, group, state, context: claim.context });
            }
        }
        rows.sort_unstable();
        self.hits.meet(&listed, &rows, self.view.standings);
        for of_value in rows.chunk_by(|a, b| (a.kind, a.scheme) == (b.kind, b.scheme)) {
            self.table.totals.0 += 1;
            self.count_value(of_value);
            let lists = self.lists(&listed, of_value);
            for of_entry in of_value.chunk_by(|a, b| a.scope == b.scope) {
                self.table.totals.1 += 1;
                self.entry(listed, posting, of_entry, &lists);
            }
        }
        self.rows = rows;
    }

    /// Counts a value for its groups.
    fn count_value(&mut self, rows: &[Row]) {
        self.buffer.clear();
        self.buffer.extend(rows.iter().map(|row| row.group));
        self.buffer.sort_unstable();
        self.buffer.dedup();
        for group in &self.buffer {
            self.table.groups[*group as usize].values += 1;
        }
        self.buffer.clear();
        let live = rows.iter().filter(|row| row.state == ClaimState::Live);
        self.buffer.extend(live.map(|row| row.group));
        let mask = self.table.masks.of(&mut self.buffer);
        if mask != EMPTY {
            *self.table.values.entry(mask).or_default() += 1;
        }
    }

    /// The warning lists that a value is on; they are counted for the groups where it is live.
    fn lists(&mut self, listed: &Listed<'_>, rows: &[Row]) -> Vec<u16> {
        let Some(first) = rows.first().filter(|_| self.risk.has_lists()) else { return Vec::new() };
        let lists = self.risk.lists(first.kind, &listed.value(first.scheme));
        if lists.is_empty() {
            return lists;
        }
        self.buffer.clear();
        let live = rows.iter().filter(|row| row.state == ClaimState::Live);
        self.buffer.extend(live.map(|row| row.group));
        self.buffer.sort_unstable();
        self.buffer.dedup();
        for group in &self.buffer {
            for list in &lists {
                *self.table.groups[*group as usize].listed.entry(*list).or_default() += 1;
            }
        }
        lists
    }

    /// Counts an entry for its groups, with what covers it.
    fn entry(&mut self, listed: Listed<'_>, posting: Posting, rows: &[Row], lists: &[u16]) {
        let Some(&Row { kind, scheme, scope, .. }) = rows.first() else { return };
        let mut holders = std::mem::take(&mut self.buffer);
        holders.clear();
        for of_group in rows.chunk_by(|a, b| a.group == b.group) {
            if self.count_entry(of_group) {
                holders.push(of_group[0].group);
            }
        }
        let holds = self.table.masks.of(&mut holders);
        if holds != EMPTY {
            let entry = Entry { listed, kind, scheme, scope };
            self.flag(&entry, &holders, lists);
            holders.clear();
            self.view.covering(&entry, posting, &mut holders);
            let covers = self.table.masks.of(&mut holders);
            *self.pairs.entry((holds, covers)).or_default() += 1;
        }
        self.buffer = holders;
    }

    /// Counts an entry of one group; returns whether it is live.
    fn count_entry(&mut self, rows: &[Row]) -> bool {
        let Some(first) = rows.first() else { return false };
        let group = &mut self.table.groups[first.group as usize];
        // States are ordered: a single live claim makes the entry live.
        match first.state {
            ClaimState::Live => group.live += 1,
            ClaimState::Expired => group.expired += 1,
            ClaimState::Private => *group.withheld.entry(Reason::Private.name()).or_default() += 1,
            ClaimState::EmptyHash => {
                *group.withheld.entry(Reason::EmptyHash.name()).or_default() += 1
            }
        }
        if first.state != ClaimState::Live {
            return false;
        }
        let standing = |row: &Row| self.view.standings.get(row.context as usize);
        // It was first seen when any of the claims says so, even one that has expired.
        let first_seen = earliest(rows.iter().map(|row| standing(row)?.first_seen));
        let live = rows.iter().filter(|row| row.state == ClaimState::Live);
        // Of several claims the one that was confirmed last counts.
        let Some(newest) = live.filter_map(standing).max_by_key(|standing| standing.dated) else {
            return true;
        };
        match newest.dated {
            Some(dated) => {
                let days = days_between(dated, self.at);
                group.ages.push((days * 86_400.0) as u32);
                let decayed = has_decayed(newest.confidence, days, newest.is_phishing);
                group.decayed += u64::from(decayed);
            }
            None => group.undated += 1,
        }
        if let Some(month) = first_seen.and_then(month_of) {
            *group.months.entry(month).or_default() += 1;
        }
        true
    }

    /// Counts the flags of a live entry, and keeps it if it has any.
    fn flag(&mut self, entry: &Entry<'_>, holders: &[u32], lists: &[u16]) {
        let EntryRisk { rank, is_shared } = self.risk.of_entry(entry);
        if rank.is_none() && !is_shared && lists.is_empty() {
            return;
        }
        for group in holders {
            let group = &mut self.table.groups[*group as usize];
            group.shared += u64::from(is_shared);
            group.popular += u64::from(rank.is_some());
            group.rank = [group.rank, rank].into_iter().flatten().min();
        }
        let flagged = Flagged {
            rank: rank.unwrap_or(u64::MAX),
            kind: entry.kind,
            value: entry.listed.value(entry.scheme).to_string(),
            scope: entry.scope,
            groups: holders.to_vec(),
            lists: lists.to_vec(),
            is_shared,
        };
        let table = &mut self.table;
        table.flagged_keys.insert(flagged.key());
        table.flagged.insert(flagged);
        if table.flagged.len() > MAX_FLAGGED {
            table.flagged.pop_last();
        }
    }

    /// Counts what guards and warning lists withheld when the database was compiled.
    fn withheld(&mut self) {
        let database = self.view.database;
        let mut values: HashSet<(u32, Kind, &str)> = HashSet::new();
        for row in database.withheld() {
            let mut groups: Vec<u32> = Vec::new();
            for claim in database.claims(row.posting) {
                // The warning list that withheld it stands beside the feed.
                let is_list = database.context(claim.context).is_none_or(|c| c.role != Role::Alert);
                let standing = self.view.standing(&claim);
                groups.extend(standing.filter(|_| !is_list).and_then(Standing::group));
            }
            groups.sort_unstable();
            groups.dedup();
            for number in groups {
                let group = &mut self.table.groups[number as usize];
                *group.withheld.entry(row.reason.name()).or_default() += 1;
                group.values += u64::from(values.insert((number, row.kind, row.value)));
            }
        }
    }
}

/// The month of a time, as year × 12 + month − 1.
fn month_of(time: Timestamp) -> Option<i32> {
    let time = jiff::Timestamp::from_microsecond(time.0).ok()?;
    let date = jiff::tz::Offset::UTC.to_datetime(time).date();
    Some(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
}

/// The month as people write it: `2026-11`.
pub(super) fn month_text(month: i32) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}
