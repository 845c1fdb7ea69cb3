//! Many indicators at once: statements of several rows.
//!
//! A pulse has hundreds of indicators, and each statement has a price of its own: a way over the
//! network, where the database is another process. So rows go in chunks of a few sizes, each of
//! which is a statement that stays prepared. Parameters have numbers here: to find one among
//! hundreds by its name takes longer than the row.

use super::statements::{Fetched, Row, ToSql};
use super::writer::Writes;
use crate::exchange::pulses::{IndicatorDraft, reversed_host};
use crate::exchange::storage::Outcome;
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

/// The parameters of `rows` rows with `columns` columns: `(:1, :2), (:3, :4)`.
fn places(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            text.push_str(if column == 1 { ":" } else { ", :" });
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
                Ok(true)
            })?;
            let missing: Vec<&IndicatorDraft> =
                some.iter().filter(|draft| !numbers.contains_key(&key(draft))).collect();
            for some in chunks(&missing) {
                self.find_values(some, &mut |row| {
                    numbers.insert((row.get(1)?, row.get(2)?), row.get(0)?);
                    Ok(true)
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
        note: &mut dyn FnMut(&Row<'_>) -> Fetched<bool>,
    ) -> Outcome<()> {
        let sql = format!(
            "INSERT INTO value (kind, norm, host) VALUES {} \
             ON CONFLICT DO NOTHING RETURNING id, kind, norm",
            places(drafts.len(), 3)
        );
        let rows: Vec<(u8, Option<String>)> = drafts
            .iter()
            .map(|draft| (draft.kind as u8, reversed_host(draft.kind, &draft.norm)))
            .collect();
        let mut values: Vec<&dyn ToSql> = Vec::with_capacity(drafts.len() * 3);
        for (draft, (kind, host)) in drafts.iter().zip(&rows) {
            values.extend([kind as &dyn ToSql, &draft.norm, host]);
        }
        Ok(self.connection.query_rows(&sql, &values, note)?)
    }

    /// Passes on values that are there.
    fn find_values(
        &self,
        drafts: &[&IndicatorDraft],
        note: &mut dyn FnMut(&Row<'_>) -> Fetched<bool>,
    ) -> Outcome<()> {
        let sql = format!(
            "SELECT id, kind, norm FROM value WHERE (norm, kind) IN (VALUES {})",
            places(drafts.len(), 2)
        );
        let kinds: Vec<u8> = drafts.iter().map(|draft| draft.kind as u8).collect();
        let mut values: Vec<&dyn ToSql> = Vec::with_capacity(drafts.len() * 2);
        for (draft, kind) in drafts.iter().zip(&kinds) {
            values.extend([&draft.norm as &dyn ToSql, kind]);
        }
        Ok(self.connection.query_rows(&sql, &values, note)?)
    }

    /// Adds entries of a pulse, or renews those that are there. Answers number and stamp of each,
    /// in the order of the drafts, no two of which have the same value.
    pub(super) fn put_entries(
        &self,
        pulse: i64,
        drafts: &[IndicatorDraft],
        values: &[i64],
    ) -> Outcome<Vec<(i64, i64)>> {
        let rows: Vec<Stored<'_>> = drafts
            .iter()
            .zip(values)
            .map(|(draft, value)| Stored {
                draft,
                value: *value,
                display: (draft.value != draft.norm).then_some(draft.value.as_str()),
                stamp: self.stamp(),
                expiration: draft.expiry.at(draft.kind, self.now).map(|time| time.0),
                state: i64::from(!draft.is_active),
            })
            .collect();
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
            let mut values: Vec<&dyn ToSql> = Vec::with_capacity(some.len() * 12);
            for row in some {
                values.extend(row.values(&pulse, &self.now.0));
            }
            self.connection.query_rows(&sql, &values, &mut |row| {
                numbers.insert(row.get(1)?, row.get(0)?);
                Ok(true)
            })?;
        }
        let number = |value: &i64| numbers.get(value).copied().unwrap_or(0);
        Ok(rows.iter().map(|row| (number(&row.value), row.stamp)).collect())
    }
}

/// What is stored of an indicator.
struct Stored<'a> {
    draft: &'a IndicatorDraft,
    value: i64,
    display: Option<&'a str>,
    stamp: i64,
    expiration: Option<i64>,
    state: i64,
}

impl Stored<'_> {
    /// The columns of the table, but for the first.
    fn values<'r>(&'r self, pulse: &'r i64, now: &'r i64) -> [&'r dyn ToSql; 12] {
        let draft = self.draft;
        [
            pulse,
            &self.value,
            &self.display,
            now,
            &self.stamp,
            &self.expiration,
            &self.state,
            &draft.is_flagged,
            &draft.role,
            &draft.title,
            &draft.description,
            &draft.content,
        ]
    }
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
        assert_eq!(places(2, 3), "(:1, :2, :3), (:4, :5, :6)");
    }
}
