//! Reads a ledger.

use super::index::LedgerIndex;
use super::merge::{STOOD, newest};
use crate::engine::indicator::{Kind, Scope, Timestamp, Value};
use crate::engine::segment::{Merge, Row, Segment, key};
use crate::{Error, Result};
use std::collections::VecDeque;

/// A value in a feed, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The kind.
    pub kind: Kind,
    /// The value; `None` if it is longer than [`key::MAX_VALUE`], of which only a hash is kept.
    pub value: Option<Value>,
    /// Whether it is a wildcard or a regular expression.
    pub is_pattern: bool,
    /// The first fetch with it.
    pub first_seen: Timestamp,
    /// The last fetch with it.
    pub last_seen: Timestamp,
    /// The first fetch without it; `None` while it is in the feed.
    pub absent_since: Option<Timestamp>,
    /// Whether it was there already when the ledger began, or came with a change of the feed's
    /// settings: nobody knows since when it had been in the feed.
    pub stood_at_first_fetch: bool,
    /// The number of stays that it stands for: those of a value that came and went many times
    /// are joined.
    pub stays: u64,
}

/// The ledger of a feed, open for reading. It does not change, whatever updates do meanwhile.
#[derive(Debug)]
pub struct Ledger {
    index: LedgerIndex,
    segments: Vec<Segment>,
    seen: Timestamp,
}

impl Ledger {
    pub(super) fn new(index: LedgerIndex, segments: Vec<Segment>, seen: Option<Timestamp>) -> Self {
        let seen = index.at.max(seen).unwrap_or_default();
        Ledger { index, segments, seen }
    }

    /// When it began, the number of values in the feed, and the latest changes.
    pub fn index(&self) -> &LedgerIndex {
        &self.index
    }

    /// Its size in bytes.
    pub fn length(&self) -> u64 {
        self.segments.iter().map(Segment::length).sum()
    }

    /// All stays, in the order of kinds and values; those of a value in the order of time.
    ///
    /// # Errors
    ///
    /// The first block of a segment is damaged.
    pub fn stays(&self) -> Result<Stays<'_>> {
        let merge = Merge::new(&self.segments)?;
        Ok(Stays { ledger: self, merge, waiting: VecDeque::new(), is_over: false })
    }

    /// The stays of a value, in the order of time.
    ///
    /// # Errors
    ///
    /// A segment is damaged.
    pub fn find(&self, kind: Kind, value: &Value, scope: Scope) -> Result<Vec<Stay>> {
        let mut wanted = Vec::new();
        key::put(kind, value, scope.is_pattern(), &mut wanted);
        let mut rows = Vec::new();
        self.segments.iter().try_for_each(|segment| segment.find(&wanted, &mut rows))?;
        newest(&mut rows);
        rows.iter().map(|row| self.stay(&wanted, row)).collect()
    }

    fn stay(&self, bytes: &[u8], row: &Row) -> Result<Stay> {
        let parts =
            key::parse(bytes).ok_or_else(|| Error::format("the ledger contains an invalid key"))?;
        let last_seen = match row.ended {
            Some(_) => Timestamp::from_seconds(row.last),
            None => self.seen.max(Timestamp::from_seconds(row.first)),
        };
        Ok(Stay {
            kind: parts.kind,
            value: parts.value,
            is_pattern: parts.is_pattern,
            first_seen: Timestamp::from_seconds(row.first),
            last_seen,
            absent_since: row.ended.map(Timestamp::from_seconds),
            stood_at_first_fetch: row.marks & STOOD != 0,
            stays: row.count,
        })
    }
}

/// Goes through the stays of a ledger. After an error it ends.
#[derive(Debug)]
pub struct Stays<'l> {
    ledger: &'l Ledger,
    merge: Merge<'l>,
    waiting: VecDeque<Stay>,
    is_over: bool,
}

impl Stays<'_> {
    /// Reads the stays of the next value. Without any, the ledger is at its end.
    fn fill(&mut self) -> Result<()> {
        if let Some((key, rows)) = self.merge.next_key()? {
            newest(rows);
            for row in rows.iter() {
                self.waiting.push_back(self.ledger.stay(key, row)?);
            }
        }
        Ok(())
    }
}

impl Iterator for Stays<'_> {
    type Item = Result<Stay>;

    fn next(&mut self) -> Option<Result<Stay>> {
        if self.is_over {
            return None;
        }
        if self.waiting.is_empty()
            && let Err(error) = self.fill()
        {
            self.is_over = true;
            self.waiting.clear();
            return Some(Err(error));
        }
        self.waiting.pop_front().map(Ok)
    }
}
