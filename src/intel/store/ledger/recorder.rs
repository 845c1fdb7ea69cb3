//! Records what an update changed.

use super::dir::{LedgerDir, is_damage};
use super::index::{LedgerChange, LedgerIndex, LedgerSegment};
use super::merge::{STOOD, cutoff, merge, newest, run};
use crate::engine::indicator::Timestamp;
use crate::engine::segment::{Merge, Row, Segment, SegmentWriter};
use crate::intel::store::difference::{Difference, ValueChanges, values_of};
use crate::intel::store::normal::Normal;
use crate::intel::store::values::Values;
use crate::{Error, Result};
use std::cmp::Ordering;
use std::io::Write;

/// The fetch that found a feed as it is now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fetch {
    /// Its time.
    pub at: Timestamp,
    /// The last successful one before it.
    pub before: Option<Timestamp>,
    /// A hash of the settings with which the feed was read.
    pub reading: u64,
    /// When the feed's document was published, as far as its server or its file says so.
    pub published: Option<Timestamp>,
}

impl LedgerDir {
    /// Whether the ledger describes this normalised form, read with these settings.
    pub fn is_current(&self, identity: (u64, u64), reading: u64) -> bool {
        let index = self.index().ok().flatten();
        index.is_some_and(|index| index.identity == identity && index.reading == reading)
    }

    /// Records what is in the feed now. `change` is the difference from the form before; without
    /// it, or if the ledger describes another form, all values are compared.
    ///
    /// A damaged ledger is moved away and a new one begun; the error that it had is returned.
    ///
    /// # Errors
    ///
    /// The folder cannot be read or written. The old ledger stays, and the next call catches up.
    pub fn record(
        &self,
        fetch: &Fetch,
        change: Option<&Difference>,
        new: &Normal,
    ) -> Result<Option<Error>> {
        match self.try_record(fetch, change, new) {
            Ok(()) => Ok(None),
            Err(error) if is_damage(&error) => {
                let error = self.set_aside(error)?;
                self.try_record(fetch, change, new)?;
                Ok(Some(error))
            }
            Err(error) => Err(error),
        }
    }

    fn try_record(&self, fetch: &Fetch, change: Option<&Difference>, new: &Normal) -> Result<()> {
        self.make()?;
        let old = self.index()?;
        let segments = old.as_ref().map(|old| self.segments(old)).transpose()?.unwrap_or_default();
        let described = old.as_ref().map(|old| old.identity);
        let compared;
        let changes = match change.filter(|change| change.base == described) {
            Some(change) => &change.changes,
            None => {
                compared = compare(&segments, &values_of(new))?;
                &compared
            }
        };
        let moment = Moment::of(fetch, old.as_ref());
        let mut index = old.unwrap_or_else(|| LedgerIndex::new(moment.at));
        let (came, left) = (changes.came.len() as u64, changes.left.len() as u64);
        (index.identity, index.reading) = (new.identity(), fetch.reading);
        if came + left > 0 {
            index.at = Some(moment.at);
            index.values = index.values.saturating_add(came).saturating_sub(left);
            let (at, stood) = (Some(moment.at), moment.marks & STOOD != 0);
            index.add(LedgerChange { at, published: fetch.published, came, left, stood });
            let rows = open_rows(&segments, &changes.left)?;
            self.append(&mut index, segments, came + left, |writer| {
                moment.write(changes, &rows, writer)
            })?;
        }
        self.publish(&index)
    }

    /// Adds a segment, merged with older ones of its size.
    fn append(
        &self,
        index: &mut LedgerIndex,
        mut segments: Vec<Segment>,
        expected: u64,
        fill: impl Fn(&mut dyn Push) -> Result<()>,
    ) -> Result<()> {
        let kept = index.segments.len() - run(&index.segments, expected);
        if kept == index.segments.len() {
            index.segments.push(self.write(expected, |writer| fill(writer))?);
            return Ok(());
        }
        let mut writer = SegmentWriter::new(Vec::new(), expected)?;
        fill(&mut writer)?;
        let mut merged = segments.split_off(kept);
        merged.push(Segment::from_bytes(writer.finish()?.0)?);
        let now = index.at.unwrap_or_default().0.div_euclid(MICROS);
        let cutoff = match kept {
            0 => Some(cutoff(&merged, now, index.values)?),
            _ => None,
        };
        let mut forgotten = 0;
        let rows = merged.iter().map(Segment::rows).sum();
        let written: LedgerSegment = self.write(rows, |writer| {
            forgotten = merge(&merged, cutoff, |key, row| writer.push(key, row))?;
            Ok(())
        })?;
        index.forgotten = index.forgotten.saturating_add(forgotten);
        index.segments.truncate(kept);
        index.segments.push(written);
        Ok(())
    }
}

/// Microseconds in a second.
pub(super) const MICROS: i64 = 1_000_000;

/// The times and marks of the rows to write.
struct Moment {
    at: Timestamp,
    /// The last fetch before that found what has left now.
    before: Timestamp,
    /// The marks of values that came.
    marks: u64,
}

impl Moment {
    fn of(fetch: &Fetch, old: Option<&LedgerIndex>) -> Moment {
        let recorded = old.and_then(|old| old.at).unwrap_or(fetch.at);
        // A clock that was set back must not end a stay before it began.
        let at = fetch.at.max(recorded);
        let before = fetch.before.filter(|before| (recorded..at).contains(before));
        let is_known = old.is_some_and(|old| old.reading == fetch.reading);
        let marks = if is_known { 0 } else { STOOD };
        Moment { at, before: before.unwrap_or(recorded), marks }
    }

    /// Writes the rows of the values that came and left, in order.
    fn write(
        &self,
        changes: &ValueChanges,
        rows: &[Option<Row>],
        out: &mut dyn Push,
    ) -> Result<()> {
        let (at, before) = (self.at.0.div_euclid(MICROS), self.before.0.div_euclid(MICROS));
        let new = Row { marks: self.marks, ..Row::at(at) };
        let mut came = changes.came.iter().peekable();
        let left = changes.left.iter().zip(rows);
        for (key, row) in left.filter_map(|(key, row)| row.map(|row| (key, row))) {
            while let Some(key) = came.next_if(|came| *came < key) {
                out.push(key, &new)?;
            }
            out.push(key, &Row { last: before.max(row.first), ended: Some(at), ..row })?;
        }
        came.try_for_each(|key| out.push(key, &new))
    }
}

/// Where rows are written to: a file, or memory.
trait Push {
    fn push(&mut self, key: &[u8], row: &Row) -> Result<()>;
}

impl<W: Write> Push for SegmentWriter<W> {
    fn push(&mut self, key: &[u8], row: &Row) -> Result<()> {
        SegmentWriter::push(self, key, row)
    }
}

/// The row of each value's stay that has not ended.
fn open_rows(segments: &[Segment], values: &Values) -> Result<Vec<Option<Row>>> {
    let mut latest: Vec<Option<Row>> = vec![None; values.len()];
    for segment in segments {
        let mut cursor = segment.cursor();
        for (key, latest) in values.iter().zip(&mut latest) {
            if !segment.may_hold(key) {
                continue;
            }
            cursor.seek(key)?;
            while let Some((_, row)) = cursor.get().filter(|(found, _)| *found == key) {
                if latest.is_none_or(|latest| latest.first <= row.first) {
                    *latest = Some(*row);
                }
                cursor.advance()?;
            }
        }
    }
    Ok(latest.into_iter().map(|row| row.filter(|row| row.ended.is_none())).collect())
}

/// Compares a whole ledger with the values of the feed.
fn compare(segments: &[Segment], values: &Values) -> Result<ValueChanges> {
    let mut changes = ValueChanges::default();
    let mut values = values.iter().peekable();
    let mut merge = Merge::new(segments)?;
    while let Some((key, rows)) = merge.next_key()? {
        newest(rows);
        let is_open = rows.last().is_some_and(|row| row.ended.is_none());
        while let Some(value) = values.next_if(|value| value.cmp(&key) == Ordering::Less) {
            changes.came.push(value);
        }
        let is_there = values.next_if(|value| *value == key).is_some();
        match (is_open, is_there) {
            (false, true) => changes.came.push(key),
            (true, false) => changes.left.push(key),
            _ => {}
        }
    }
    values.for_each(|value| changes.came.push(value));
    Ok(changes)
}
