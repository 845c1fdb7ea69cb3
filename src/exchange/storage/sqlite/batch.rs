//! Many indicators at once: statements of several rows.
//!
//! A pulse has hundreds of indicators, and each statement has a price of its own: a way over the
//! network, where the database is another process. So rows go in chunks of a few sizes, each of
//! which is a statement that stays prepared. Parameters have numbers here: to find one among
//! hundreds by its name takes longer than the row.

use super::writer::Writes;
use crate::exchange::pulses::{IndicatorDraft, reversed_host};
use crate::exchange::storage::Outcome;
use rusqlite::{Row, ToSql};
use std::collections::HashMap;

/// Rows of a statement. Few sizes, so that few statements are prepared.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];

/// Slices of those sizes, one after the other.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= rows.len())?;
        let (some, rest) = rows.split_at(size);
        rows = rest;
        Some(some)
    })
}

/// The parameters of `rows` rows with `columns` columns: `(?1, ?2), (?3, ?4)`.
fn places(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            text.push_str(if column == 1 { "?" } else { ", ?" });
            text.push_str(&(row * columns + column).to_string());
        }
        text.push(')');
    }
    text
}

impl Writes<'_> {
    /// The numbers of values, in the order of the drafts. Those that no pulse has had are added.
    pub(super) fn values_of(&self, drafts: &[IndicatorDraft]) -> Outcome<Vec<i64>> {
        let mut all = Vec::with_capacity(drafts.len());
        for some in chunks(drafts) {
            let key = |draft: &'_ IndicatorDraft| (draft.kind as u8, draft.norm.clone());
            let mut numbers: HashMap<(u8, String), i64> = HashMap::with_capacity(some.len());
            self.add_values(some, &mut |row| {
                numbers.insert((row.get(1)?, row.get(2)?), row.get(0)?);
                Ok(())
            })?;
            let missing: Vec<&IndicatorDraft> =
                some.iter().filter(|draft| !numbers.contains_key(&key(draft))).collect();
            for some in chunks(&missing) {
                self.find_values(some, &mut |row| {
                    numbers.insert((row.get(1)?, row.get(2)?), row.get(0)?);
                    Ok(())
                })?;
            }
            all.extend(some.iter().map(|draft| numbers.get(&key(draft)).copied().unwrap_or(0)));
        }
        Ok(all)
    }

    /// Adds values, and passes on those that were not there.
    fn add_values(
        &self,
        drafts: &[IndicatorDraft],
        note: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Outcome<()> {
        let sql = format!(
            "INSERT INTO value (kind, norm, host) VALUES {} \
             ON CONFLICT (norm, kind) DO NOTHING RETURNING id, kind, norm",
            places(drafts.len(), 3)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        for (draft, at) in drafts.iter().zip((1..).step_by(3)) {
            statement.raw_bind_parameter(at, draft.kind as u8)?;
            statement.raw_bind_parameter(at + 1, &draft.norm)?;
            statement.raw_bind_parameter(at + 2, reversed_host(draft.kind, &draft.norm))?;
        }
        each(&mut statement, note)
    }

    /// Passes on values that are there.
    fn find_values(
        &self,
        drafts: &[&IndicatorDraft],
        note: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Outcome<()> {
        let sql = format!(
            "SELECT id, kind, norm FROM value WHERE (norm, kind) IN (VALUES {})",
            places(drafts.len(), 2)
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        for (draft, at) in drafts.iter().zip((1..).step_by(2)) {
            statement.raw_bind_parameter(at, &draft.norm)?;
            statement.raw_bind_parameter(at + 1, draft.kind as u8)?;
        }
        each(&mut statement, note)
    }

    /// Adds entries of a pulse, or renews those that are there. Answers number and stamp of each,
    /// in the order of the drafts, no two of which have the same value.
    pub(super) fn put_entries(
        &self,
        pulse: i64,
        drafts: &[IndicatorDraft],
        values: &[i64],
    ) -> Outcome<Vec<(i64, i64)>> {
        let rows: Vec<(&IndicatorDraft, i64, i64)> =
            drafts.iter().zip(values).map(|(draft, value)| (draft, *value, self.stamp())).collect();
        let mut numbers: HashMap<i64, i64> = HashMap::with_capacity(rows.len());
        for some in chunks(&rows) {
            let sql = format!(
                "INSERT INTO entry (pulse, value, display, created, changed, expiration, \
                 state, suppressed, role, title, description, content) VALUES {} \
                 ON CONFLICT (pulse, value) DO UPDATE SET changed = excluded.changed, \
                 expiration = excluded.expiration, state = excluded.state, \
                 title = excluded.title, role = excluded.role, \
                 description = excluded.description, content = excluded.content \
                 RETURNING id, value",
                places(some.len(), 12)
            );
            let mut statement = self.connection.prepare_cached(&sql)?;
            for ((draft, value, stamp), at) in some.iter().zip((1..).step_by(12)) {
                let display = (draft.value != draft.norm).then_some(&draft.value);
                let expiration = draft.expiry.at(draft.kind, self.now).map(|time| time.0);
                let row: [&dyn ToSql; 12] = [
                    &pulse,
                    value,
                    &display,
                    &self.now.0,
                    stamp,
                    &expiration,
                    &i64::from(!draft.is_active),
                    &draft.is_flagged,
                    &draft.role,
                    &draft.title,
                    &draft.description,
                    &draft.content,
                ];
                for (value, at) in row.into_iter().zip(at..) {
                    statement.raw_bind_parameter(at, value)?;
                }
            }
            each(&mut statement, &mut |row| {
                numbers.insert(row.get(1)?, row.get(0)?);
                Ok(())
            })?;
        }
        let number = |value: &i64| numbers.get(value).copied().unwrap_or(0);
        Ok(rows.iter().map(|(_, value, stamp)| (number(value), *stamp)).collect())
    }
}

/// Runs a statement, and passes on its rows.
fn each(
    statement: &mut rusqlite::CachedStatement<'_>,
    note: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Outcome<()> {
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        note(row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_chunk() {
        for count in [0, 1, 3, 4, 5, 63, 64, 65, 500] {
            let rows: Vec<usize> = (0..count).collect();
            let all: Vec<usize> = chunks(&rows).flatten().copied().collect();
            assert_eq!(all, rows);
            assert!(chunks(&rows).all(|some| CHUNKS.contains(&some.len())));
        }
        assert_eq!(places(2, 3), "(?1, ?2, ?3), (?4, ?5, ?6)");
    }
}
