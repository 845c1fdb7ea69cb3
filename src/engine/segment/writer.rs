//! Writes a segment in one pass.

use super::block::Block;
use super::filter::{self, FilterBuilder};
use super::layout::{BLOCK, HEADER, Layout, MAX_KEY, Parts, block_sum, header};
use super::row::Row;
use crate::{Error, Result};
use hashbrown::HashMap;
use std::io::Write;
use xxhash_rust::xxh3::Xxh3Default;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentSummary {
    /// The number of rows.
    pub rows: u64,
    /// The length in bytes.
    pub length: u64,
    /// A hash of all bytes (XXH3-128), to name the file after.
    pub hash: u128,
}

/// Writes a segment to anything: a file, or memory.
///
/// Besides one block it keeps the index and the filter in memory, 1.5 to 2 bytes for each row.
#[derive(Debug)]
pub struct SegmentWriter<W> {
    out: Hashed<W>,
    block: Block,
    bytes: Vec<u8>,
    parts: Parts,
    numbers: HashMap<u64, u64>,
    filter: FilterBuilder,
    layout: Layout,
}

impl<W: Write> SegmentWriter<W> {
    /// Starts a segment with at most about `expected` rows, which decides the size of the
    /// filter.
    ///
    /// # Errors
    ///
    /// Writing failed.
    pub fn new(out: W, expected: u64) -> Result<Self> {
        let mut out = Hashed { out, sum: Xxh3Default::new(), length: 0 };
        out.write(&header())?;
        Ok(SegmentWriter {
            out,
            block: Block::default(),
            bytes: Vec::new(),
            parts: Parts::default(),
            numbers: HashMap::new(),
            filter: FilterBuilder::new(expected),
            layout: Layout { first: i64::MAX, last: i64::MIN, ..Layout::default() },
        })
    }

    /// Appends a row. A `last` before `first` counts as `first`, an `ended` before `last` as
    /// `last`, and a count of 0 as 1.
    ///
    /// # Errors
    ///
    /// The key is empty or too long, the row is not in the order of keys and first times, or
    /// writing failed.
    pub fn push(&mut self, key: &[u8], row: &Row) -> Result<()> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(Error::usage(format!("key too long: {} bytes", key.len())));
        }
        let before = self.block.len().checked_sub(1).and_then(|at| self.block.get(at));
        let is_new = before.is_none_or(|(before, _)| before != key);
        if before.is_some_and(|(before, last)| (before, last.first) > (key, row.first)) {
            return Err(Error::usage("the rows of a segment are out of order"));
        }
        if is_new {
            self.filter.add(filter::hash(key));
        }
        let last = row.last.max(row.first);
        let ended = row.ended.map(|ended| ended.max(last));
        let row = Row { last, ended, count: row.count.max(1), ..*row };
        self.layout.rows += 1;
        self.layout.first = self.layout.first.min(row.first);
        self.layout.last = self.layout.last.max(last);
        self.layout.kinds |= 1 << (key[0] & 0x7f);
        if self.block.len() == BLOCK {
            self.flush()?;
        }
        self.block.push(key, row);
        Ok(())
    }

    /// Writes the rest, and returns what was written to.
    ///
    /// # Errors
    ///
    /// Writing failed.
    pub fn finish(mut self) -> Result<(W, SegmentSummary)> {
        self.flush()?;
        if self.layout.rows == 0 {
            (self.layout.first, self.layout.last) = (0, 0);
        }
        let blocks = self.out.length - HEADER as u64;
        self.parts.filter = self.filter.into_bytes();
        let tail = self.parts.into_tail(&self.layout, blocks);
        self.out.write(&tail)?;
        let Hashed { mut out, sum, length } = self.out;
        out.flush().map_err(|e| Error::io("write a segment", e))?;
        Ok((out, SegmentSummary { rows: self.layout.rows, length, hash: sum.digest128() }))
    }

    /// Writes the block, and its entry in the index.
    fn flush(&mut self) -> Result<()> {
        let Some((first_key, _)) = self.block.get(0) else { return Ok(()) };
        let offset = self.out.length - HEADER as u64;
        self.parts.keys.extend_from_slice(first_key);
        let end = u32::try_from(self.parts.keys.len())
            .map_err(|_| Error::usage("too many keys in a segment"))?;
        self.bytes.clear();
        let (numbers, dictionary) = (&mut self.numbers, &mut self.parts.dictionary);
        let number = |marks: u64| {
            *numbers.entry(marks).or_insert_with(|| {
                dictionary.extend_from_slice(&marks.to_le_bytes());
                (dictionary.len() / 8 - 1) as u64
            })
        };
        self.block.encode(number, &mut self.bytes);
        self.out.write(&self.bytes)?;
        let entries = &mut self.parts.entries;
        entries.extend_from_slice(&offset.to_le_bytes());
        entries.extend_from_slice(&block_sum(&self.bytes).to_le_bytes());
        entries.extend_from_slice(&end.to_le_bytes());
        self.block.clear();
        Ok(())
    }
}

/// Hashes what it writes.
struct Hashed<W> {
    out: W,
    sum: Xxh3Default,
    length: u64,
}

impl<W> std::fmt::Debug for Hashed<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hashed").field("length", &self.length).finish_non_exhaustive()
    }
}

impl<W: Write> Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sum.update(bytes);
        self.length += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|e| Error::io("write a segment", e))
    }
}
