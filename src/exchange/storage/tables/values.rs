//! Values: which pulses have them, and what is known about them.

use super::rows::{ACTIVE, INDICATOR, indicator_of, kind_of};
use super::statements::{Fetched, Param, Row, all, count, failed, first, number};
use super::view::View;
use super::visible::{parameters, selected, selected_number, visible};
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::Viewer;
use crate::exchange::metrics::Sizes;
use crate::exchange::pulses::Type;
use crate::exchange::storage::{Selection, ValueHit};

/// Counts of the whole exchange, within what the viewer may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Pulses.
    pub pulses: u64,
    /// Active indicators by type.
    pub indicators: Vec<(Type, u64)>,
    /// Pulses created per day of the last thirty, the oldest first: days since 1970, and counts.
    pub days: Vec<(i64, u64)>,
    /// Accounts.
    pub accounts: u64,
}

impl View<'_> {
    /// The indicators of visible pulses that have a value, the newest pulses first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn hits(
        &self,
        viewer: Viewer,
        (kind, norm): (Type, &str),
        limit: usize,
    ) -> Result<Vec<ValueHit>> {
        let (me, open) = parameters(viewer);
        let kind = kind as u8;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {INDICATOR}, e.pulse FROM value v JOIN entry e ON e.value = v.id \
             JOIN pulse p ON p.id = e.pulse WHERE v.norm = :norm AND v.kind = :kind \
             AND e.state <> 2 AND {} ORDER BY p.modified DESC LIMIT :limit",
            visible("p")
        );
        let params: [Param<'_>; 5] = [
            (":me", &me),
            (":open", &open),
            (":norm", &norm),
            (":kind", &kind),
            (":limit", &limit),
        ];
        let read = |row: &Row<'_>| {
            Ok(ValueHit { indicator: indicator_of(row, self.now())?, pulse: row.get(13)? })
        };
        all(self.connection, &sql, &params, read).map_err(failed)
    }

    /// How many visible pulses have a value.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn count_hits(&self, viewer: Viewer, (kind, norm): (Type, &str)) -> Result<u64> {
        let (me, open) = parameters(viewer);
        let kind = kind as u8;
        let sql = format!(
            "SELECT COUNT(*) FROM value v JOIN entry e ON e.value = v.id \
             JOIN pulse p ON p.id = e.pulse WHERE v.norm = :norm AND v.kind = :kind \
             AND e.state <> 2 AND {}",
            visible("p")
        );
        let params: [Param<'_>; 4] =
            [(":me", &me), (":open", &open), (":norm", &norm), (":kind", &kind)];
        Ok(count(number(self.connection, &sql, &params).map_err(failed)?))
    }

    /// URLs in visible pulses at a host or below it, the newest first, after some.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn urls_below(
        &self,
        viewer: Viewer,
        host: &str,
        (limit, offset): (usize, usize),
    ) -> Result<Vec<ValueHit>> {
        let (me, open) = parameters(viewer);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {INDICATOR}, e.pulse FROM (SELECT MAX(e.id) AS entry FROM value v \
             JOIN entry e ON e.value = v.id JOIN pulse p ON p.id = e.pulse WHERE (v.host = :host \
             OR v.host >= :host || '.' AND v.host < :host || '/') AND v.kind = {} \
             AND e.state <> 2 AND {} GROUP BY v.id ORDER BY 1 DESC LIMIT :limit OFFSET :offset) x \
             JOIN entry e ON e.id = x.entry JOIN value v ON v.id = e.value ORDER BY e.id DESC",
            Type::Url as u8,
            visible("p")
        );
        let params: [Param<'_>; 5] = [
            (":me", &me),
            (":open", &open),
            (":host", &host),
            (":limit", &limit),
            (":offset", &offset),
        ];
        let read = |row: &Row<'_>| {
            Ok(ValueHit { indicator: indicator_of(row, self.now())?, pulse: row.get(13)? })
        };
        all(self.connection, &sql, &params, read).map_err(failed)
    }

    /// The distinct active values of a selection, each once: of pulses modified at a time or
    /// later, of some types; after an id of a value.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn values(
        &self,
        viewer: Viewer,
        selection: Selection,
        (kinds, since): (&[Type], Option<Timestamp>),
        (limit, offset): (usize, usize),
    ) -> Result<Vec<ValueHit>> {
        let (me, open) = parameters(viewer);
        let of = selected_number(selection);
        let since = since.map_or(0, |time| time.0);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {INDICATOR}, e.pulse FROM (SELECT MIN(e.id) AS entry FROM pulse p \
             JOIN entry e ON e.pulse = p.id JOIN value v ON v.id = e.value \
             WHERE p.modified >= :since AND {} AND {} AND {ACTIVE} AND e.suppressed = 0 {} \
             GROUP BY v.id ORDER BY v.id LIMIT :limit OFFSET :offset) x \
             JOIN entry e ON e.id = x.entry JOIN value v ON v.id = e.value ORDER BY v.id",
            visible("p"),
            selected(selection),
            of_kinds(kinds)
        );
        let params: [Param<'_>; 7] = [
            (":me", &me),
            (":open", &open),
            (":selected", &of),
            (":since", &since),
            (":now", &self.now().0),
            (":limit", &limit),
            (":offset", &offset),
        ];
        let read = |row: &Row<'_>| {
            Ok(ValueHit { indicator: indicator_of(row, self.now())?, pulse: row.get(13)? })
        };
        all(self.connection, &sql, &params, read).map_err(failed)
    }

    /// How many distinct values [`View::values`] has.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn count_values(
        &self,
        viewer: Viewer,
        selection: Selection,
        (kinds, since): (&[Type], Option<Timestamp>),
    ) -> Result<u64> {
        let (me, open) = parameters(viewer);
        let of = selected_number(selection);
        let since = since.map_or(0, |time| time.0);
        let sql = format!(
            "SELECT COUNT(DISTINCT v.id) FROM pulse p JOIN entry e ON e.pulse = p.id \
             JOIN value v ON v.id = e.value WHERE p.modified >= :since AND {} AND {} \
             AND {ACTIVE} AND e.suppressed = 0 {}",
            visible("p"),
            selected(selection),
            of_kinds(kinds)
        );
        let params: [Param<'_>; 5] = [
            (":me", &me),
            (":open", &open),
            (":selected", &of),
            (":since", &since),
            (":now", &self.now().0),
        ];
        Ok(count(number(self.connection, &sql, &params).map_err(failed)?))
    }

    /// The decided reports that a value is a false positive: when it was reported and decided,
    /// and whether it was accepted.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn false_positives(
        &self,
        (kind, norm): (Type, &str),
    ) -> Result<Vec<(Timestamp, Option<Timestamp>, bool)>> {
        let kind = kind as u8;
        let sql = "SELECT r.created, r.decided, r.state FROM report r \
                   JOIN value v ON v.id = r.value WHERE v.norm = :norm AND v.kind = :kind \
                   AND r.state > 0 ORDER BY r.id DESC LIMIT 20";
        let params: [Param<'_>; 2] = [(":norm", &norm), (":kind", &kind)];
        all(self.connection, sql, &params, |row| {
            let decided = row.get::<Option<i64>>(1)?.map(Timestamp);
            Ok((Timestamp(row.get(0)?), decided, row.get::<i64>(2)? == 1))
        })
        .map_err(failed)
    }

    /// Counts within what the viewer may see.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn statistics(&self, viewer: Viewer) -> Result<Statistics> {
        let (me, open) = parameters(viewer);
        const DAY: i64 = 86_400_000_000;
        let from = (self.now().0 / DAY - 29) * DAY;
        let params: [Param<'_>; 4] =
            [(":me", &me), (":open", &open), (":now", &self.now().0), (":from", &from)];
        let seen = visible("p");
        let pulses = format!("SELECT COUNT(*) FROM pulse p WHERE {seen}");
        let kinds = format!(
            "SELECT v.kind, COUNT(*) FROM pulse p JOIN entry e ON e.pulse = p.id \
             JOIN value v ON v.id = e.value WHERE {seen} AND {ACTIVE} \
             GROUP BY v.kind ORDER BY 2 DESC"
        );
        let days = format!(
            "SELECT p.created / {DAY}, COUNT(*) FROM pulse p WHERE p.created >= :from AND {seen} \
             GROUP BY 1 ORDER BY 1"
        );
        let accounts = "SELECT COUNT(*) FROM account WHERE suspended = 0";
        let connection = self.connection;
        let read = || -> Fetched<Statistics> {
            Ok(Statistics {
                pulses: count(number(connection, &pulses, &params)?),
                indicators: all(connection, &kinds, &params, |row| {
                    Ok((kind_of(row.get(0)?), count(row.get(1)?)))
                })?,
                days: all(connection, &days, &params, |row| Ok((row.get(0)?, count(row.get(1)?))))?,
                accounts: count(number(connection, accounts, &params)?),
            })
        };
        read().map_err(failed)
    }

    /// How much is stored, whoever may see it.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn sizes(&self) -> Result<Sizes> {
        let counted = |sql| number(self.connection, sql, &[]).map(count).map_err(failed);
        // Each of them reads an index and no rows.
        let entries = counted("SELECT COUNT(*) FROM entry")?;
        let removed = counted("SELECT COUNT(*) FROM entry WHERE state = 2")?;
        let pulses = counted("SELECT COUNT(*) FROM pulse")?;
        let deleted = counted("SELECT COUNT(*) FROM pulse WHERE deleted = 1")?;
        Ok(Sizes {
            accounts: counted("SELECT COUNT(*) FROM account")?,
            pulses: pulses.saturating_sub(deleted),
            indicators: entries.saturating_sub(removed),
            bytes: self.connection.size().map_err(failed)?.map(count),
        })
    }

    /// The number of sightings of a value, and when the last was: days since 1970.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn sightings(&self, (kind, norm): (Type, &str)) -> Result<(u64, Option<i64>)> {
        let kind = kind as u8;
        let sql = "SELECT SUM(s.count), MAX(s.day) FROM sighting s JOIN value v ON v.id = s.value \
                   WHERE v.norm = :norm AND v.kind = :kind";
        let params: [Param<'_>; 2] = [(":norm", &norm), (":kind", &kind)];
        let found = first(self.connection, sql, &params, |row| {
            Ok((count(row.get::<Option<i64>>(0)?.unwrap_or(0)), row.get(1)?))
        });
        Ok(found.map_err(failed)?.unwrap_or_default())
    }
}

fn of_kinds(kinds: &[Type]) -> String {
    if kinds.is_empty() {
        return String::new();
    }
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind as u8).to_string()).collect();
    format!("AND v.kind IN ({})", kinds.join(", "))
}

impl View<'_> {
    /// What a user published in the last day: pulses and indicators.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn published_today(&self, user: crate::exchange::accounts::UserId) -> Result<(u64, u64)> {
        let from = self.now().0 - 86_400_000_000;
        let params: [Param<'_>; 2] = [(":me", &user.0), (":from", &from)];
        // Deleted ones count: who deletes may not publish more.
        let pulses = "SELECT COUNT(*) FROM pulse WHERE author = :me AND created >= :from";
        let entries = "SELECT COUNT(*) FROM pulse p JOIN entry e ON e.pulse = p.id \
                       WHERE p.author = :me AND e.created >= :from";
        let pulses = number(self.connection, pulses, &params).map_err(failed)?;
        Ok((count(pulses), count(number(self.connection, entries, &params).map_err(failed)?)))
    }
}
