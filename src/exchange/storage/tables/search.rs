//! Conditions of queries about pulses, and what else is found by words.

use super::rows::ACTIVE;
use super::statements::{Param, all, count, failed};
use super::view::View;
use super::visible::{parameters, selected, visible, visible_when_alive};
use super::words::listed;
use crate::engine::error::Result;
use crate::exchange::accounts::Viewer;
use crate::exchange::storage::{Among, LabelKind, PulseQuery, Selection};

/// The rows of a facet, and of related names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The name.
    pub name: String,
    /// How many visible pulses have it.
    pub count: u64,
}

/// The statement's parts of a query, but for its search.
pub(super) struct Condition {
    parts: Vec<String>,
    /// The parameters of the parts.
    pub(super) params: Vec<(String, String)>,
    /// Whether tombstones count.
    has_deleted: bool,
}

impl Condition {
    /// The whole condition for a selection, visibility included.
    pub(super) fn all(&self, selection: Selection) -> String {
        let seen = match self.has_deleted {
            true => visible_when_alive("p", ":me", ":open"),
            false => visible("p"),
        };
        let mut all = format!("{seen} AND {}", selected(selection));
        for part in &self.parts {
            all.push_str(" AND ");
            all.push_str(part);
        }
        all
    }
}

/// The condition of a query.
pub(super) fn condition(query: &PulseQuery) -> Condition {
    let has_deleted = query.has_deleted;
    let mut condition = Condition { parts: Vec::new(), params: Vec::new(), has_deleted };
    let mut part = |text: &str| condition.parts.push(text.to_string());
    if query.since.is_some() {
        part("p.modified >= :since");
    }
    if query.before.is_some() {
        part("p.modified < :before");
    }
    if query.author.is_some() {
        part("p.author = :author");
    }
    if query.kind.is_some() {
        part(&format!(
            "EXISTS (SELECT 1 FROM entry e JOIN value v ON v.id = e.value \
             WHERE e.pulse = p.id AND v.kind = :kind AND {ACTIVE})"
        ));
    }
    if let Some(tlp) = query.tlp {
        part(&format!("p.tlp = {}", tlp as u8));
    }
    for (at, (kind, name)) in query.labels.iter().enumerate() {
        let param = format!(":label{at}");
        condition.parts.push(format!(
            "EXISTS (SELECT 1 FROM label b WHERE b.kind = {} AND b.folded = {param} \
             AND b.pulse = p.id)",
            *kind as u8
        ));
        condition.params.push((param, name.to_lowercase()));
    }
    if let Some(among) = &query.among {
        condition.parts.push(among_of(among, &mut condition.params));
    }
    condition
}

/// The condition that a pulse `p` is one of some. An index finds them.
pub(super) fn among_of(among: &Among, params: &mut Vec<(String, String)>) -> String {
    let mut ways = Vec::new();
    if !among.ends.is_empty() {
        let names: Vec<String> = (0..among.ends.len()).map(|at| format!(":end{at}")).collect();
        ways.push(format!("SUBSTR(p.name_id, 13) IN ({})", names.join(", ")));
        params.extend(names.into_iter().zip(among.ends.iter().cloned()));
    }
    if !among.authors.is_empty() {
        let numbers: Vec<String> = among.authors.iter().map(i64::to_string).collect();
        ways.push(format!("p.author IN ({})", numbers.join(", ")));
    }
    if ways.is_empty() { "1 = 0".into() } else { format!("({})", ways.join(" OR ")) }
}

impl View<'_> {
    /// The most frequent names of a kind among the pulses of a query.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn facet(
        &self,
        viewer: Viewer,
        query: &PulseQuery,
        kind: LabelKind,
        limit: usize,
    ) -> Result<Vec<Found>> {
        let condition = condition(query);
        let found = self.matches(viewer, query)?;
        let among = if found.is_some() { self.among_keys() } else { "TRUE".into() };
        let sql = format!(
            "SELECT b2.folded, COUNT(*) FROM label b2 JOIN pulse p ON p.id = b2.pulse \
             WHERE b2.kind = :facet AND {} AND {among} \
             GROUP BY b2.folded ORDER BY 2 DESC, 1 LIMIT :limit",
            condition.all(query.selection)
        );
        let kind = kind as u8;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let keys = listed(found.as_deref().unwrap_or_default());
        let extra: [Param<'_>; 3] = [(":facet", &kind), (":limit", &limit), (":keys", &keys)];
        self.ask(viewer, query, &condition, (&sql, &extra), |row| {
            Ok(Found { name: row.get(0)?, count: count(row.get(1)?) })
        })
    }

    /// The keys of pulses that share active values, families or actors with a pulse, those with
    /// the most in common first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn related(&self, viewer: Viewer, pulse: i64, limit: usize) -> Result<Vec<i64>> {
        let (me, open) = parameters(viewer);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // Of each value, a bounded number of pulses is looked at: some are in all of them.
        let sql = format!(
            "SELECT p.id, COUNT(*) FROM (\
             SELECT other.pulse AS pulse FROM (SELECT value FROM entry WHERE pulse = :pulse \
             AND state = 0 LIMIT 1000) mine JOIN entry other ON other.value = mine.value \
             AND other.state = 0 AND other.pulse <> :pulse \
             UNION ALL \
             SELECT b.pulse FROM label a JOIN label b ON b.kind = a.kind AND b.folded = a.folded \
             WHERE a.pulse = :pulse AND a.kind IN (2, 3) AND b.pulse <> :pulse LIMIT 20000) x \
             JOIN pulse p ON p.id = x.pulse WHERE {} GROUP BY p.id \
             ORDER BY 2 DESC, p.modified DESC LIMIT :limit",
            visible("p")
        );
        let params: [Param<'_>; 4] =
            [(":me", &me), (":open", &open), (":pulse", &pulse), (":limit", &limit)];
        all(self.connection, &sql, &params, |row| row.get(0)).map_err(failed)
    }
}
