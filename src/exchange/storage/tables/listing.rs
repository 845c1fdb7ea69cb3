//! What pages for people show of pulses: their indicators a page at a time, and what two pulses
//! have in common.
//!
//! A page begins after the key where the last one ended, so that the tenth of a thousand costs no
//! more than the first.

use super::rows::{ACTIVE, INDICATOR, indicator_of, kind_of};
use super::search::condition;
use super::statements::{Fetched, Param, Row, all, count, failed};
use super::view::View;
use super::visible::{parameters, visible};
use crate::engine::error::Result;
use crate::engine::indicator::Tlp;
use crate::exchange::accounts::Viewer;
use crate::exchange::pulses::{Indicator, Type};
use crate::exchange::storage::{LabelKind, PulseQuery};

/// Other pulses that are counted of each value.
const OTHERS: i64 = 100;

/// Entries of a value that are looked at for that.
const LOOKED_AT: i64 = 1000;

/// Names of a facet at most.
const NAMES: usize = 20;

/// Which indicators of a pulse a page shows, in the order in which their values became known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryQuery {
    /// Only this type.
    pub kind: Option<Type>,
    /// Only those with this text in the value or the title.
    pub text: String,
    /// Inactive ones, too.
    pub has_inactive: bool,
    /// Only those after this position.
    pub after: i64,
    /// How many at most.
    pub limit: usize,
}

/// An indicator of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The indicator.
    pub indicator: Indicator,
    /// Its position, after which the next page begins.
    pub position: i64,
    /// In how many other visible pulses it is; a hundred may be more.
    pub others: u64,
}

/// Pulses whose names are counted for the facets of a list: the newest of it.
const COUNTED: usize = 1000;

/// What the newest pulses of a list have in common: each name with the number of those with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// How many pulses were looked at.
    pub pulses: usize,
    /// Whether there are more than those.
    pub has_more: bool,
    /// Names of a kind, the most frequent first.
    pub labels: Vec<(LabelKind, String, u64)>,
    /// TLPs.
    pub tlps: Vec<(Tlp, u64)>,
    /// Names of authors, the most frequent first.
    pub authors: Vec<(String, u64)>,
}

/// A value that visible pulses have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownValue {
    /// What it is.
    pub kind: Type,
    /// Normalised.
    pub norm: String,
    /// How many visible pulses have it.
    pub pulses: u64,
}

impl View<'_> {
    /// A page of the indicators of a pulse that was found for a viewer.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn entries(&self, viewer: Viewer, pulse: i64, query: &EntryQuery) -> Result<Vec<Entry>> {
        let (me, open) = parameters(viewer);
        let mut condition = String::from(if query.has_inactive { "e.state <> 2" } else { ACTIVE });
        if let Some(kind) = query.kind {
            condition.push_str(&format!(" AND v.kind = {}", kind as u8));
        }
        let text = pattern(&query.text);
        if !query.text.is_empty() {
            condition.push_str(
                " AND (LOWER(v.norm) LIKE :text ESCAPE '!' OR LOWER(e.title) LIKE :text ESCAPE '!')",
            );
        }
        let sql = format!(
            "SELECT {INDICATOR}, e.value, (SELECT COUNT(*) FROM (SELECT 1 FROM \
             (SELECT o.pulse AS pulse FROM entry o WHERE o.value = e.value AND o.state <> 2 \
             LIMIT {LOOKED_AT}) x JOIN pulse p ON p.id = x.pulse WHERE p.id <> :pulse AND {} \
             LIMIT {OTHERS}) y) FROM entry e JOIN value v ON v.id = e.value \
             WHERE e.pulse = :pulse AND e.value > :after AND {condition} \
             ORDER BY e.value LIMIT :limit",
            visible("p")
        );
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let now = self.now();
        let params: [Param<'_>; 7] = [
            (":me", &me),
            (":open", &open),
            (":pulse", &pulse),
            (":after", &query.after),
            (":text", &text),
            (":limit", &limit),
            (":now", &now.0),
        ];
        let read = |row: &Row<'_>| {
            Ok(Entry {
                indicator: indicator_of(row, now)?,
                position: row.get(13)?,
                others: count(row.get(14)?),
            })
        };
        all(self.connection, &sql, &params, read).map_err(failed)
    }

    /// Facets of the newest pulses of a query.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn facets(&self, viewer: Viewer, query: &PulseQuery) -> Result<Facets> {
        let mut keys = match self.matches(viewer, query)? {
            Some(keys) => keys,
            None => self.newest(viewer, query)?,
        };
        let has_more = keys.len() > COUNTED;
        keys.truncate(COUNTED);
        let listed = super::words::listed(&keys);
        let params: [Param<'_>; 1] = [(":keys", &listed)];
        let among = self.connection.numbers_of(":keys");
        let labels = format!(
            "SELECT b.kind, b.folded, COUNT(*) FROM label b WHERE b.pulse IN {among} \
             GROUP BY b.kind, b.folded ORDER BY 3 DESC, 1, 2"
        );
        let tlps = format!(
            "SELECT p.tlp, COUNT(*) FROM pulse p WHERE p.id IN {among} GROUP BY p.tlp ORDER BY p.tlp"
        );
        let authors = format!(
            "SELECT a.name, COUNT(*) FROM pulse p JOIN account a ON a.id = p.author \
             WHERE p.id IN {among} GROUP BY a.name ORDER BY 2 DESC, 1 LIMIT {NAMES}"
        );
        let read = || -> Fetched<Facets> {
            let labels = all(self.connection, &labels, &params, |row| {
                let number: u8 = row.get(0)?;
                let kind = LabelKind::ALL.into_iter().find(|(of, _)| *of as u8 == number);
                Ok((kind.map(|of| of.0), row.get(1)?, count(row.get(2)?)))
            })?;
            Ok(Facets {
                pulses: keys.len(),
                has_more,
                labels: most_frequent(labels),
                tlps: all(self.connection, &tlps, &params, |row| {
                    Ok((Tlp::from_number(row.get(0)?).unwrap_or(Tlp::Red), count(row.get(1)?)))
                })?,
                authors: all(self.connection, &authors, &params, |row| {
                    Ok((row.get(0)?, count(row.get(1)?)))
                })?,
            })
        };
        read().map_err(failed)
    }

    /// The keys of the newest pulses of a query without a search, and one more than are counted.
    fn newest(&self, viewer: Viewer, query: &PulseQuery) -> Result<Vec<i64>> {
        let condition = condition(query);
        let sql = format!(
            "SELECT p.id FROM pulse p WHERE {} ORDER BY p.modified DESC LIMIT {}",
            condition.all(query.selection),
            COUNTED + 1
        );
        self.ask(viewer, query, &condition, (&sql, &[]), |row| row.get(0))
    }

    /// Active values that two pulses which were found for a viewer have in common.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn shared(&self, one: i64, other: i64, limit: usize) -> Result<Vec<(Type, String)>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT v.kind, v.norm FROM (SELECT value FROM entry WHERE pulse = :one \
                   AND state = 0 LIMIT 1000) mine JOIN entry o ON o.value = mine.value \
                   AND o.pulse = :other AND o.state = 0 JOIN value v ON v.id = mine.value \
                   ORDER BY v.id LIMIT :limit";
        let params: [Param<'_>; 3] = [(":one", &one), (":other", &other), (":limit", &limit)];
        all(self.connection, sql, &params, |row| Ok((kind_of(row.get(0)?), row.get(1)?)))
            .map_err(failed)
    }

    /// Those of some values that visible pulses have, with the number of these.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn known_values(
        &self,
        viewer: Viewer,
        values: &[(Type, String)],
    ) -> Result<Vec<KnownValue>> {
        let (me, open) = parameters(viewer);
        let norms: Vec<&str> = values.iter().map(|(_, norm)| norm.as_str()).collect();
        let norms = serde_json::to_string(&norms).unwrap_or_default();
        let sql = format!(
            "SELECT v.kind, v.norm, COUNT(*) FROM value v JOIN entry e ON e.value = v.id \
             JOIN pulse p ON p.id = e.pulse WHERE v.norm IN {} AND e.state <> 2 AND {} \
             GROUP BY v.kind, v.norm",
            self.connection.texts_of(":norms"),
            visible("p")
        );
        let params: [Param<'_>; 3] = [(":me", &me), (":open", &open), (":norms", &norms)];
        let found = all(self.connection, &sql, &params, |row| {
            Ok(KnownValue {
                kind: kind_of(row.get(0)?),
                norm: row.get(1)?,
                pulses: count(row.get(2)?),
            })
        });
        let mut found = found.map_err(failed)?;
        let place = |of: &KnownValue| {
            values.iter().position(|(kind, norm)| *kind == of.kind && *norm == of.norm)
        };
        found.retain(|of| place(of).is_some());
        found.sort_by_key(place);
        Ok(found)
    }
}

/// The first names of each kind.
fn most_frequent(all: Vec<(Option<LabelKind>, String, u64)>) -> Vec<(LabelKind, String, u64)> {
    let mut seen = [0; 7];
    let mut kept = Vec::new();
    for (kind, name, count) in all {
        let Some(kind) = kind else { continue };
        let before = &mut seen[kind as usize];
        if *before < NAMES {
            *before += 1;
            kept.push((kind, name, count));
        }
    }
    kept
}

/// A text as a pattern of LIKE that finds it anywhere.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_are_looked_for_as_they_are() {
        assert_eq!(super::pattern("A_b%!"), "%a!_b!%!!%");
    }
}
