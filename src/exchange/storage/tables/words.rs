//! Pulses that a search finds.
//!
//! The best come first: those that have the value that was searched for, then those that have all
//! words in the name, then in the names of families, actors, tags and so on, then anywhere; of
//! each kind the newest. A word that is in most pulses would find them all, and to rank or count
//! tens of thousands takes a while that nobody waits for: so a search ends when it has enough,
//! and looks at the newest ones of each kind first.

use super::rows::pulse_of;
use super::search::condition;
use super::statements::{Param, all, failed};
use super::view::View;
use crate::engine::error::Result;
use crate::exchange::accounts::Viewer;
use crate::exchange::pulses::Pulse;
use crate::exchange::storage::engine::{Place, WordsQuery};
use crate::exchange::storage::{PulseQuery, Search, Sort};
use std::collections::{HashMap, HashSet};

/// How many pulses a search finds, before it ends: counts are exact up to that.
const ENOUGH: usize = 1000;

/// Pulses that are looked at together.
const BATCH: usize = 1000;

/// Indicators that are looked at, of those with the value or below the host of a search.
const VALUES: usize = 20_000;

/// Keys as a parameter.
pub(super) fn listed(keys: &[i64]) -> String {
    let keys: Vec<String> = keys.iter().map(i64::to_string).collect();
    format!("[{}]", keys.join(","))
}

/// A pulse that was found, and what it is ordered by.
struct Match {
    key: i64,
    /// How good it is; less is better.
    tier: u8,
    modified: i64,
    created: i64,
    subscribers: i64,
    votes: i64,
}

impl View<'_> {
    /// The keys of pulses that the search of a query finds, in its order. `None` if the query
    /// has none.
    pub(super) fn matches(&self, viewer: Viewer, query: &PulseQuery) -> Result<Option<Vec<i64>>> {
        let Some(search) = &query.search else { return Ok(None) };
        let mut found = Found { seen: HashSet::new(), matches: Vec::new() };
        let by_value = self.by_value(search)?;
        for keys in by_value.chunks(BATCH) {
            self.add_visible(viewer, query, (keys, 0), &mut found)?;
        }
        if !search.terms.is_empty() {
            for (place, tier) in [Place::Name, Place::Labels, Place::Anywhere].into_iter().zip(1..)
            {
                if let Some(words) = self.connection.search_words_in(place, &search.terms) {
                    self.by_words(viewer, query, (&words, tier), &mut found)?;
                }
            }
        }
        let mut matches = found.matches;
        matches.sort_by_key(|of| {
            let first = match query.sort {
                Sort::Relevance => i64::from(of.tier),
                Sort::Modified => 0,
                Sort::Created => -of.created,
                Sort::Subscribers => -of.subscribers,
                Sort::Votes => -of.votes,
            };
            (first, -of.modified)
        });
        if query.is_ascending {
            matches.reverse();
        }
        Ok(Some(matches.into_iter().map(|of| of.key).collect()))
    }

    /// Adds the visible pulses with some words, the newest first, until there are enough.
    fn by_words(
        &self,
        viewer: Viewer,
        query: &PulseQuery,
        (words, tier): (&WordsQuery, u8),
        found: &mut Found,
    ) -> Result<()> {
        let mut before = i64::MAX;
        while found.matches.len() < ENOUGH {
            let sql = format!(
                "SELECT w.found FROM {} w WHERE w.found < :before \
                 ORDER BY w.found DESC LIMIT :most",
                words.relation
            );
            let most = BATCH as i64;
            let params: [Param<'_>; 3] =
                [(":words", &words.words), (":before", &before), (":most", &most)];
            let keys: Vec<i64> =
                all(self.connection, &sql, &params, |row| row.get(0)).map_err(failed)?;
            self.add_visible(viewer, query, (&keys, tier), found)?;
            match keys.last() {
                Some(last) if keys.len() == BATCH => before = *last,
                _ => break,
            }
        }
        Ok(())
    }

    /// The pulses that have the value of a search, or values at its host.
    fn by_value(&self, search: &Search) -> Result<Vec<i64>> {
        let mut ways = Vec::new();
        let mut params: Vec<(String, &str)> = Vec::new();
        for (at, (kind, norm)) in search.values.iter().enumerate() {
            let param = format!(":norm{at}");
            ways.push(format!("v.norm = {param} AND v.kind = {}", *kind as u8));
            params.push((param, norm));
        }
        if let Some(host) = &search.host {
            ways.push("v.host = :host".into());
            ways.push("v.host >= :host || '.' AND v.host < :host || '/'".into());
            params.push((":host".into(), host));
        }
        let mut keys = Vec::new();
        // One after the other, so that each uses its index.
        for way in ways {
            let sql = format!(
                "SELECT DISTINCT x.pulse FROM (SELECT e.pulse AS pulse FROM value v \
                 JOIN entry e ON e.value = v.id WHERE {way} AND e.state <> 2 LIMIT {VALUES}) x"
            );
            let params: Vec<Param<'_>> =
                params.iter().map(|(name, value)| (name.as_str(), value as _)).collect();
            let found: Vec<i64> =
                all(self.connection, &sql, &params, |row| row.get(0)).map_err(failed)?;
            keys.extend(found);
        }
        Ok(keys)
    }

    /// Adds those of some pulses that fulfil the rest of the query.
    fn add_visible(
        &self,
        viewer: Viewer,
        query: &PulseQuery,
        (keys, tier): (&[i64], u8),
        found: &mut Found,
    ) -> Result<()> {
        let new: Vec<i64> = keys.iter().copied().filter(|key| found.seen.insert(*key)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let condition = condition(query);
        let sql = format!(
            "SELECT p.id, p.modified, p.created, p.subscribers, p.score \
             FROM pulse p WHERE {} AND {}",
            self.among_keys(),
            condition.all(query.selection)
        );
        let keys = listed(&new);
        let extra: [Param<'_>; 1] = [(":keys", &keys)];
        let matches = self.ask(viewer, query, &condition, (&sql, &extra), |row| {
            Ok(Match {
                key: row.get(0)?,
                tier,
                modified: row.get(1)?,
                created: row.get(2)?,
                subscribers: row.get(3)?,
                votes: row.get(4)?,
            })
        })?;
        found.matches.extend(matches);
        Ok(())
    }

    /// The condition that the key of a pulse is in the list `:keys`, see [`listed`].
    pub(super) fn among_keys(&self) -> String {
        format!("p.id IN {}", self.connection.numbers_of(":keys"))
    }

    /// Pulses by their keys, in that order.
    pub(super) fn by_keys(
        &self,
        viewer: Viewer,
        query: &PulseQuery,
        keys: &[i64],
    ) -> Result<Vec<Pulse>> {
        let condition = condition(query);
        let sql = format!(
            "SELECT {} FROM pulse p JOIN account a ON a.id = p.author WHERE {} AND {}",
            super::rows::pulse_columns(),
            self.among_keys(),
            condition.all(query.selection)
        );
        let text = listed(keys);
        let extra: [Param<'_>; 1] = [(":keys", &text)];
        let pulses = self.ask(viewer, query, &condition, (&sql, &extra), pulse_of)?;
        let mut by_key: HashMap<i64, Pulse> =
            pulses.into_iter().map(|pulse| (pulse.key, pulse)).collect();
        Ok(keys.iter().filter_map(|key| by_key.remove(key)).collect())
    }
}

/// What a search has found so far.
struct Found {
    /// Pulses that were looked at.
    seen: HashSet<i64>,
    matches: Vec<Match>,
}
