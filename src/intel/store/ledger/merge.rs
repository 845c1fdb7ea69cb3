//! Which rows of a value are one stay, and which segments become one.

use super::index::LedgerSegment;
use crate::Result;
use crate::engine::segment::{Merge, Row, Segment};
use std::collections::BTreeMap;

/// Set in the rows of values of which nobody knows when they came.
pub(super) const STOOD: u64 = 1;

/// A value has at most this many stays after a complete merge: the oldest are joined.
const MAX_STAYS: usize = 16;

/// Seconds after which a stay that ended is forgotten.
const KEEP: i64 = 400 * DAY;

const DAY: i64 = 86_400;

/// Older segments are merged with the newer ones unless they have over this many times their
/// rows.
const RATIO: u64 = 4;

/// At least this many ended stays are kept, however few values the feed has.
const MIN_ENDED: u64 = 1 << 20;

/// Ended stays that are kept for each value that is in the feed: a feed that replaces everything
/// each time must not grow without end.
const ENDED_PER_VALUE: u64 = 4;

/// Sorts the rows of a value, and removes those that a newer segment replaces. `rows` are those
/// of the oldest segment first.
pub(super) fn newest(rows: &mut Vec<Row>) {
    if rows.len() < 2 {
        return;
    }
    // The sort keeps rows of the same time in the order of the segments.
    rows.sort_by_key(|row| row.first);
    rows.reverse();
    rows.dedup_by_key(|row| row.first);
    rows.reverse();
}

/// Removes stays that ended before `cutoff`, and joins the oldest ones. Returns how many were
/// removed. Only for all rows of a value: a row that is left out here must not come back from
/// an older segment.
fn shorten(rows: &mut Vec<Row>, cutoff: i64) -> u64 {
    let before = rows.len();
    rows.retain(|row| row.ended.is_none_or(|ended| ended >= cutoff));
    let forgotten = before - rows.len();
    if let Some(surplus) = rows.len().checked_sub(MAX_STAYS).filter(|surplus| *surplus > 0) {
        let joined = rows.drain(..=surplus).reduce(|old, new| Row {
            count: old.count.saturating_add(new.count),
            first: old.first,
            marks: old.marks,
            ..new
        });
        rows.splice(..0, joined);
    }
    forgotten as u64
}

/// The number of older segments to merge with a new one of `rows` rows.
pub(super) fn run(segments: &[LedgerSegment], mut rows: u64) -> usize {
    let mut count = 0;
    for segment in segments.iter().rev() {
        if segment.rows > rows.saturating_mul(RATIO) {
            break;
        }
        rows = rows.saturating_add(segment.rows);
        count += 1;
    }
    count
}

/// Merges segments, oldest first. With a cutoff they are all of the ledger, and stays that ended
/// before it are removed; returns how many.
pub(super) fn merge(
    segments: &[Segment],
    cutoff: Option<i64>,
    mut take: impl FnMut(&[u8], &Row) -> Result<()>,
) -> Result<u64> {
    let mut merge = Merge::new(segments)?;
    let mut forgotten = 0;
    while let Some((key, rows)) = merge.next_key()? {
        newest(rows);
        if let Some(cutoff) = cutoff {
            forgotten += shorten(rows, cutoff);
        }
        rows.iter().try_for_each(|row| take(key, row))?;
    }
    Ok(forgotten)
}

/// The time before which ended stays are forgotten, in a feed of this many values: a fixed age,
/// or less if there are too many.
pub(super) fn cutoff(segments: &[Segment], now: i64, values: u64) -> Result<i64> {
    let oldest = now.saturating_sub(KEEP);
    let most = values.saturating_mul(ENDED_PER_VALUE).max(MIN_ENDED);
    let rows: u64 = segments.iter().map(Segment::rows).sum();
    if rows <= most {
        return Ok(oldest);
    }
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    for segment in segments {
        let mut cursor = segment.cursor();
        cursor.advance()?;
        while let Some((_, row)) = cursor.get() {
            if let Some(ended) = row.ended.filter(|ended| *ended >= oldest) {
                *days.entry(ended.div_euclid(DAY)).or_default() += 1;
            }
            cursor.advance()?;
        }
    }
    let mut count = 0u64;
    for (day, ended) in days.into_iter().rev() {
        count = count.saturating_add(ended);
        if count > most {
            return Ok((day + 1).saturating_mul(DAY).max(oldest));
        }
    }
    Ok(oldest)
}
