//! A block: up to 128 rows.
//!
//! ```text
//! rows - 1    u8
//! keys        for each: how many bytes it shares with the one before, and the rest of it
//! first       the minimum (zigzag LEB128), then a column of differences
//! last        a column of last - first
//! count       a column of count - 1
//! marks       a column of numbers in the dictionary
//! days        a column
//! ended       a column of 1 + ended - last, or 0
//! ```
//!
//! The two lengths of a key are the halves of one byte; a half of 15 is followed by what exceeds
//! it. The first key shares bytes with the one in the index, which is the same.

use super::bits::{put_column, put_number, take, take_byte, take_column, take_number};
use super::layout::{BLOCK, MAX_KEY};
use super::row::Row;

/// The largest half of the byte of lengths.
const HALF: usize = 15;

/// The rows of a block, and their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    keys: Vec<u8>,
    ends: Vec<usize>,
    rows: Vec<Row>,
    column: Vec<u64>,
}

impl Block {
    /// Removes all rows.
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.ends.clear();
        self.rows.clear();
    }

    /// Appends a row.
    pub(super) fn push(&mut self, key: &[u8], row: Row) {
        self.keys.extend_from_slice(key);
        self.ends.push(self.keys.len());
        self.rows.push(row);
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// A row and its key.
    pub(super) fn get(&self, at: usize) -> Option<(&[u8], &Row)> {
        Some((self.key(at)?, self.rows.get(at)?))
    }

    fn key(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.keys.get(start..*self.ends.get(at)?)
    }

    /// The last key.
    pub(super) fn last_key(&self) -> Option<&[u8]> {
        self.key(self.len().checked_sub(1)?)
    }

    /// Appends the bytes of the block. `number` is the number of marks in the dictionary.
    pub(super) fn encode(&mut self, mut number: impl FnMut(u64) -> u64, out: &mut Vec<u8>) {
        out.push((self.len() - 1) as u8);
        let mut before = self.key(0).unwrap_or_default();
        for key in (0..self.len()).filter_map(|at| self.key(at)) {
            put_key(out, before, key);
            before = key;
        }
        let least = self.rows.iter().map(|row| row.first).min().unwrap_or(0);
        put_number(out, zigzag(least));
        self.put(out, |row| row.first.abs_diff(least));
        self.put(out, |row| row.last.abs_diff(row.first));
        self.put(out, |row| row.count - 1);
        self.put(out, |row| number(row.marks));
        self.put(out, |row| u64::from(row.days));
        self.put(out, |row| {
            row.ended.map_or(0, |ended| ended.abs_diff(row.last).saturating_add(1))
        });
    }

    fn put(&mut self, out: &mut Vec<u8>, number: impl FnMut(&Row) -> u64) {
        self.column.clear();
        self.column.extend(self.rows.iter().map(number));
        put_column(out, &self.column);
    }

    /// Replaces the rows by those of a block whose first key is `first_key`. `None` if the
    /// bytes make no sense; then there are no rows.
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        first_key: &[u8],
        marks: impl Fn(u64) -> Option<u64>,
    ) -> Option<()> {
        self.clear();
        let decoded = self.take(bytes, first_key, marks);
        if decoded.is_none() {
            self.clear();
        }
        decoded
    }

    fn take(
        &mut self,
        mut bytes: &[u8],
        first_key: &[u8],
        marks: impl Fn(u64) -> Option<u64>,
    ) -> Option<()> {
        let from = &mut bytes;
        let count = usize::from(take_byte(from)?) + 1;
        if count > BLOCK {
            return None;
        }
        self.take_keys(from, count, first_key)?;
        let least = unzigzag(take_number(from)?);
        self.rows.resize(count, Row::at(0));
        self.each(from, |row, number| {
            row.first = least.checked_add_unsigned(number)?;
            Some(())
        })?;
        self.each(from, |row, number| {
            row.last = row.first.checked_add_unsigned(number)?;
            Some(())
        })?;
        self.each(from, |row, number| {
            row.count = number.checked_add(1)?;
            Some(())
        })?;
        self.each(from, |row, number| {
            row.marks = marks(number)?;
            Some(())
        })?;
        self.each(from, |row, number| {
            row.days = u32::try_from(number).ok()?;
            Some(())
        })?;
        self.each(from, |row, number| {
            let ended = |number| row.last.checked_add_unsigned(number);
            row.ended = number.checked_sub(1).map_or(Some(None), |it| ended(it).map(Some))?;
            Some(())
        })?;
        let order = |at: usize| self.get(at).map(|(key, row)| (key, row.first));
        let is_sorted = (1..count).all(|at| order(at - 1) <= order(at));
        (from.is_empty() && is_sorted).then_some(())
    }

    fn take_keys(&mut self, from: &mut &[u8], count: usize, first_key: &[u8]) -> Option<()> {
        let mut start = 0;
        for at in 0..count {
            let (shared, rest) = take_key(from)?;
            let before = if at == 0 { first_key.len() } else { self.keys.len() - start };
            let length = shared.checked_add(rest.len())?;
            if shared > before || length == 0 || length > MAX_KEY {
                return None;
            }
            if at == 0 {
                self.keys.extend_from_slice(first_key.get(..shared)?);
            } else {
                self.keys.extend_from_within(start..start + shared);
                start += before;
            }
            self.keys.extend_from_slice(rest);
            self.ends.push(self.keys.len());
        }
        (self.key(0)? == first_key).then_some(())
    }

    /// Reads a column, and passes each number on with its row.
    fn each(
        &mut self,
        from: &mut &[u8],
        mut take: impl FnMut(&mut Row, u64) -> Option<()>,
    ) -> Option<()> {
        take_column(from, self.rows.len(), &mut self.column)?;
        self.rows.iter_mut().zip(&self.column).try_for_each(|(row, number)| take(row, *number))
    }
}

/// Appends what distinguishes a key from the one before.
fn put_key(out: &mut Vec<u8>, before: &[u8], key: &[u8]) {
    let shared = before.iter().zip(key).take_while(|(a, b)| a == b).count();
    let rest = &key[shared..];
    out.push((shared.min(HALF) << 4 | rest.len().min(HALF)) as u8);
    for length in [shared, rest.len()] {
        if length >= HALF {
            put_number(out, (length - HALF) as u64);
        }
    }
    out.extend_from_slice(rest);
}

/// The number of shared bytes, and the rest of a key.
fn take_key<'b>(from: &mut &'b [u8]) -> Option<(usize, &'b [u8])> {
    let halves = usize::from(take_byte(from)?);
    let mut lengths = [halves >> 4, halves & HALF];
    for length in &mut lengths {
        if *length == HALF {
            *length = HALF.checked_add(usize::try_from(take_number(from)?).ok()?)?;
        }
    }
    Some((lengths[0], take(from, lengths[1])?))
}

/// Small numbers of either sign to small numbers.
const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
