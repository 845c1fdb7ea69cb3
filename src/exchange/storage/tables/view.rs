//! Pulses and their indicators, as a viewer sees them.

use super::confidence::confidence;
use super::rows::{ACTIVE, INDICATOR, indicator_of, kind_of, pulse_columns, pulse_of};
use super::search::{Condition, among_of, condition};
use super::statements::{
    Connection, Fetched, Param, Row, ToSql, all, count, failed, first, number,
};
use super::visible::{parameters, selected, selected_number, visible, visible_when_alive};
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{GroupId, Viewer};
use crate::exchange::pulses::{GroupRef, Indicator, Pulse, PulseId, Revision};
use crate::exchange::storage::{
    Among, IndicatorQuery, Mark, PulseQuery, Selection, Sort, ValueHit, Which,
};

/// The storage at one moment.
pub struct View<'c> {
    pub(super) connection: &'c Connection,
    now: Timestamp,
}

impl<'c> View<'c> {
    pub(super) fn new(connection: &'c Connection) -> View<'c> {
        View::at(connection, crate::clock::now())
    }

    pub(super) fn at(connection: &'c Connection, now: Timestamp) -> View<'c> {
        View { connection, now }
    }

    /// The time of the view: what is expired depends on it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The last stamp of the storage. While it is the same, nothing at all has changed.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn stamp(&self) -> Result<i64> {
        let sql = "SELECT value FROM state WHERE name = 'stamp'";
        number(self.connection, sql, &[]).map_err(failed)
    }

    /// A pulse, if the viewer may see it. With all but the counts of its indicators, which
    /// [`View::completed`] adds.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn pulse(&self, viewer: Viewer, id: &PulseId) -> Result<Option<Pulse>> {
        self.pulse_if(viewer, id, &visible("p"))
    }

    /// A pulse, or what is left of it, if the viewer may see it or did so until it was deleted.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn pulse_or_tombstone(&self, viewer: Viewer, id: &PulseId) -> Result<Option<Pulse>> {
        self.pulse_if(viewer, id, &visible_when_alive("p", ":me", ":open"))
    }

    fn pulse_if(&self, viewer: Viewer, id: &PulseId, seen: &str) -> Result<Option<Pulse>> {
        let (me, open) = parameters(viewer);
        let id = id.to_string();
        let sql = format!(
            "SELECT {} FROM pulse p JOIN account a ON a.id = p.author \
             WHERE p.name_id = :id AND {seen}",
            pulse_columns()
        );
        let params: [Param<'_>; 3] = [(":me", &me), (":open", &open), (":id", &id)];
        let pulse = first(self.connection, &sql, &params, pulse_of).map_err(failed)?;
        pulse.map(|pulse| self.with_groups(viewer, pulse)).transpose()
    }

    /// Pulses that the viewer may see. With all but the counts of their indicators, which
    /// [`View::completed`] adds.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn pulses(&self, viewer: Viewer, query: &PulseQuery) -> Result<Vec<Pulse>> {
        let pulses = match self.matches(viewer, query)? {
            Some(keys) => self.some_of(viewer, query, &keys)?,
            None => self.selected(viewer, query)?,
        };
        pulses.into_iter().map(|pulse| self.with_groups(viewer, pulse)).collect()
    }

    /// Those of the pulses that were found that a query asks for.
    fn some_of(&self, viewer: Viewer, query: &PulseQuery, keys: &[i64]) -> Result<Vec<Pulse>> {
        let from = query.offset.min(keys.len());
        let to = from.saturating_add(query.limit).min(keys.len());
        self.by_keys(viewer, query, &keys[from..to])
    }

    /// The pulses of a query without a search.
    fn selected(&self, viewer: Viewer, query: &PulseQuery) -> Result<Vec<Pulse>> {
        let condition = condition(query);
        let direction = if query.is_ascending { "ASC" } else { "DESC" };
        let order = match query.sort {
            Sort::Modified | Sort::Relevance => format!("p.modified {direction}"),
            Sort::Created => format!("p.created {direction}, p.id {direction}"),
            Sort::Subscribers => format!("p.subscribers {direction}, p.modified DESC"),
            Sort::Votes => format!("p.score {direction}, p.modified DESC"),
        };
        let sql = format!(
            "SELECT {} FROM pulse p JOIN account a ON a.id = p.author WHERE {} \
             ORDER BY {order} LIMIT :limit OFFSET :offset",
            pulse_columns(),
            condition.all(query.selection)
        );
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(query.offset).unwrap_or(i64::MAX);
        let extra: [Param<'_>; 2] = [(":limit", &limit), (":offset", &offset)];
        self.ask(viewer, query, &condition, (&sql, &extra), pulse_of)
    }

    /// How many pulses of a query there are. Of a search that finds more than a thousand, about.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn count(&self, viewer: Viewer, query: &PulseQuery) -> Result<u64> {
        if let Some(found) = self.matches(viewer, query)? {
            return Ok(found.len() as u64);
        }
        let condition = condition(query);
        let all = condition.all(query.selection);
        let sql = format!("SELECT COUNT(*) FROM pulse p WHERE {all}");
        let counts = self.ask(viewer, query, &condition, (&sql, &[]), |row| row.get::<i64>(0))?;
        Ok(counts.first().copied().map_or(0, count))
    }

    /// How many pulses of a query there are, and some of them: those that `paged`, the same
    /// query with limit and offset, asks for.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn page(
        &self,
        viewer: Viewer,
        query: &PulseQuery,
        paged: &PulseQuery,
    ) -> Result<(u64, Vec<Pulse>)> {
        if query.search.is_none() || paged.before.is_some() {
            let count = self.count(viewer, query)?;
            // Most polls: nothing is newer.
            let pulses = if count > 0 { self.pulses(viewer, paged)? } else { Vec::new() };
            return Ok((count, pulses));
        }
        // A search is made once.
        let found = self.matches(viewer, query)?.unwrap_or_default();
        let pulses = self.some_of(viewer, paged, &found)?;
        let pulses = pulses.into_iter().map(|pulse| self.with_groups(viewer, pulse));
        Ok((found.len() as u64, pulses.collect::<Result<_>>()?))
    }

    /// Runs a statement about the pulses of a query.
    pub(super) fn ask<T>(
        &self,
        viewer: Viewer,
        query: &PulseQuery,
        condition: &Condition,
        (sql, extra): (&str, &[Param<'_>]),
        read: impl FnMut(&Row<'_>) -> Fetched<T>,
    ) -> Result<Vec<T>> {
        let (me, open) = parameters(viewer);
        let selected = selected_number(query.selection);
        let since = query.since.map_or(0, |time| time.0);
        let before = query.before.map_or(0, |time| time.0);
        let author = query.author.map_or(0, |author| author.0);
        let kind = query.kind.map_or(0, |kind| kind as u8);
        let mut params: Vec<Param<'_>> = vec![
            (":me", &me),
            (":open", &open),
            (":selected", &selected),
            (":since", &since),
            (":before", &before),
            (":author", &author),
            (":kind", &kind),
            (":now", &self.now.0),
        ];
        params.extend(condition.params.iter().map(|(name, value)| {
            let value: &dyn ToSql = value;
            (name.as_str(), value)
        }));
        params.extend_from_slice(extra);
        all(self.connection, sql, &params, read).map_err(failed)
    }

    /// Adds the groups that the viewer may know of.
    fn with_groups(&self, viewer: Viewer, mut pulse: Pulse) -> Result<Pulse> {
        let (me, _) = parameters(viewer);
        let is_author = pulse.author.id.0 == me;
        let sql = "SELECT t.id, t.name FROM pulse_team x JOIN team t ON t.id = x.team \
                   WHERE x.pulse = :pulse AND (:all = 1 OR t.public = 1 AND :me > 0 OR EXISTS \
                   (SELECT 1 FROM member m WHERE m.team = t.id AND m.account = :me)) \
                   ORDER BY x.place";
        let params: [Param<'_>; 3] = [(":pulse", &pulse.key), (":all", &is_author), (":me", &me)];
        pulse.groups = all(self.connection, sql, &params, |row| {
            Ok(GroupRef { id: GroupId(row.get(0)?), name: row.get(1)? })
        })
        .map_err(failed)?;
        Ok(pulse)
    }

    /// Adds how many active indicators of each type there are.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn completed(&self, mut pulse: Pulse) -> Result<Pulse> {
        let sql = format!(
            "SELECT v.kind, COUNT(*) FROM entry e JOIN value v ON v.id = e.value \
             WHERE e.pulse = :pulse AND {ACTIVE} GROUP BY v.kind ORDER BY v.kind"
        );
        let params: [Param<'_>; 2] = [(":pulse", &pulse.key), (":now", &self.now.0)];
        pulse.counts.indicators = all(self.connection, &sql, &params, |row| {
            Ok((kind_of(row.get(0)?), count(row.get(1)?)))
        })
        .map_err(failed)?;
        Ok(pulse)
    }

    /// The indicators of a pulse that was found for a viewer.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn indicators(&self, pulse: i64, query: &IndicatorQuery) -> Result<Vec<Indicator>> {
        let order = if query.is_descending { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT {INDICATOR} FROM entry e JOIN value v ON v.id = e.value \
             WHERE e.pulse = :pulse AND {} ORDER BY e.id {order} LIMIT :limit OFFSET :offset",
            which(query)
        );
        let limit = query.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let offset = i64::try_from(query.offset).unwrap_or(i64::MAX);
        let params: [Param<'_>; 4] =
            [(":pulse", &pulse), (":limit", &limit), (":offset", &offset), (":now", &self.now.0)];
        let read = |row: &Row<'_>| indicator_of(row, self.now);
        all(self.connection, &sql, &params, read).map_err(failed)
    }

    /// How many indicators of a pulse there are.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn count_indicators(&self, pulse: i64, query: &IndicatorQuery) -> Result<u64> {
        let sql = format!(
            "SELECT COUNT(*) FROM entry e JOIN value v ON v.id = e.value \
             WHERE e.pulse = :pulse AND {}",
            which(query)
        );
        let params: [Param<'_>; 2] = [(":pulse", &pulse), (":now", &self.now.0)];
        Ok(count(number(self.connection, &sql, &params).map_err(failed)?))
    }

    /// The indicators of a selection that were added, changed or removed after a time, those of
    /// deleted pulses too, in the order of [`Indicator::changed`].
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn changes(
        &self,
        viewer: Viewer,
        (selection, among): (Selection, Option<&Among>),
        (after, limit): (Timestamp, usize),
    ) -> Result<Vec<ValueHit>> {
        let (me, open) = parameters(viewer);
        let of = selected_number(selection);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut texts = Vec::new();
        // The sign keeps the order of changes from being walked through where the pulses are few.
        let (sign, part) = match among {
            Some(among) => ("+", format!("AND {}", among_of(among, &mut texts))),
            None => ("", String::new()),
        };
        let sql = format!(
            "SELECT {INDICATOR}, e.pulse FROM entry e JOIN value v ON v.id = e.value \
             JOIN pulse p ON p.id = e.pulse WHERE {sign}e.changed > :after AND {} AND {} {part} \
             ORDER BY {sign}e.changed LIMIT :limit",
            visible_when_alive("p", ":me", ":open"),
            selected(selection)
        );
        let mut params: Vec<Param<'_>> = vec![
            (":me", &me),
            (":open", &open),
            (":selected", &of),
            (":after", &after.0),
            (":limit", &limit),
        ];
        params.extend(texts.iter().map(|(name, value)| {
            let value: &dyn ToSql = value;
            (name.as_str(), value)
        }));
        let read = |row: &Row<'_>| {
            Ok(ValueHit { indicator: indicator_of(row, self.now)?, pulse: row.get(13)? })
        };
        all(self.connection, &sql, &params, read).map_err(failed)
    }

    /// The state of a selection.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn mark(&self, viewer: Viewer, selection: Selection) -> Result<Mark> {
        let (me, open) = parameters(viewer);
        let of = selected_number(selection);
        let sql = format!(
            "SELECT COUNT(*), MAX(p.modified), (SELECT a.marked FROM account a WHERE a.id = :me) \
             FROM pulse p WHERE {} AND {}",
            visible("p"),
            selected(selection)
        );
        let params: [Param<'_>; 3] = [(":me", &me), (":open", &open), (":selected", &of)];
        let mark = first(self.connection, &sql, &params, |row| {
            Ok(Mark {
                count: count(row.get(0)?),
                modified: row.get::<Option<i64>>(1)?.unwrap_or(0),
                membership: row.get::<Option<i64>>(2)?.unwrap_or(0),
            })
        });
        Ok(mark.map_err(failed)?.unwrap_or_default())
    }

    /// The revisions of a pulse that was found for a viewer, the newest first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn revisions(&self, pulse: i64, limit: usize, offset: usize) -> Result<Vec<Revision>> {
        let sql = "SELECT r.number, a.name, r.created, r.patch, r.reason FROM revision r \
                   JOIN account a ON a.id = r.account WHERE r.pulse = :pulse \
                   ORDER BY r.number DESC LIMIT :limit OFFSET :offset";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let params: [Param<'_>; 3] = [(":pulse", &pulse), (":limit", &limit), (":offset", &offset)];
        all(self.connection, sql, &params, |row| {
            Ok(Revision {
                number: row.get(0)?,
                author: row.get(1)?,
                created: Timestamp(row.get(2)?),
                patch: row.get(3)?,
                reason: row.get(4)?,
            })
        })
        .map_err(failed)
    }
}

/// The condition for some indicators.
fn which(query: &IndicatorQuery) -> String {
    let mut condition = match query.which {
        Which::Active => ACTIVE.to_string(),
        Which::Exported => format!("{ACTIVE} AND e.suppressed = 0"),
        Which::Inactive => "e.state <> 2".to_string(),
        Which::Removed => "TRUE".to_string(),
    };
    if query.min_confidence > 0 {
        condition.push_str(&format!(" AND {} >= {}", confidence(), query.min_confidence));
    }
    if !query.kinds.is_empty() {
        let kinds: Vec<String> = query.kinds.iter().map(|kind| (*kind as u8).to_string()).collect();
        condition.push_str(&format!(" AND v.kind IN ({})", kinds.join(", ")));
    }
    condition
}
