//! The normalised form of a feed's documents, so that compiling need not parse them
//! again.
//!
//! A file consists of a header with checksums, a table of [`Segment`]s, one per
//! document, and their payloads. A payload is a sequence of records: a context, the
//! number of an earlier context, or an indicator with the context that precedes it.
//! When a document changes, its segment is rebuilt and all others are copied.
//!
//! Reading is safe for any bytes: checksums are verified first, then every length
//! against the remaining bytes.

use super::bytes::{put_number, put_text, take_array, take_number, take_text};
use super::contexts;
use super::payload::{self, Record, Records};
use crate::engine::indicator::{Indicator, Reason};
use crate::{Error, Result};
use hashbrown::HashSet;
use std::collections::BTreeMap;
use std::ops::Range;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

const MAGIC: &[u8; 8] = b"wsnormal";

/// The version of the format. A file of another version is rebuilt. A new member of contexts raises
/// it, because all members are written.
pub(super) const VERSION: u32 = 1 + (contexts::MEMBERS - 22);

/// `{ magic [8], version u32, zero u32, reading u64, table length u64, table checksum u64,
/// payload length u64, payload checksum u64, checksum of all before u64 }`
pub(super) const HEADER: usize = 64;

/// The result of reading one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The document's name.
    pub name: String,
    /// A hash of its contents.
    pub hash: u128,
    /// The number of its indicators.
    pub indicators: u64,
    /// The number of its rejected values, by reason.
    pub rejects: BTreeMap<Reason, u64>,
    pub(super) payload: Vec<u8>,
}

/// A row of the table, with the position of its payload after the table.
#[derive(Clone, Debug)]
struct Row {
    head: Segment,
    place: Range<usize>,
}

/// All segments of a feed.
#[derive(Clone, Debug, Default)]
pub struct Normal {
    /// A hash of how the documents were read.
    pub reading: u64,
    rows: Vec<Row>,
    payload: Vec<u8>,
    payload_length: u64,
    payload_sum: u64,
}

impl Normal {
    /// Parses a file: its table and, if `whole`, its payload.
    ///
    /// # Errors
    ///
    /// The bytes are damaged, or of another version.
    pub fn parse(bytes: &[u8], whole: bool) -> Result<Normal> {
        let damaged = || {
            Error::format("the normalised form is damaged, or has another version")
                .remedy("rebuild it from the documents with `wiresift feed update`")
        };
        let (mut normal, table) = header(bytes).ok_or_else(damaged)?;
        let body = bytes.get(HEADER..).unwrap_or_default();
        let (table_length, table_sum) = table;
        let table = body.get(..table_length).filter(|table| xxh3_64(table) == table_sum);
        normal.rows =
            rows(table.ok_or_else(damaged)?, normal.payload_length).ok_or_else(damaged)?;
        if whole {
            let payload = body.get(table_length..).unwrap_or_default();
            let is_whole = payload.len() as u64 == normal.payload_length
                && xxh3_64(payload) == normal.payload_sum;
            if !is_whole {
                return Err(damaged());
            }
            normal.payload = payload.to_vec();
        }
        Ok(normal)
    }

    /// The length of header and table of a file that begins like this.
    pub(super) fn table_end(head: &[u8]) -> Option<usize> {
        header(head).and_then(|(_, (length, _))| HEADER.checked_add(length))
    }

    /// Joins segments, and returns the file's bytes in pieces.
    pub(super) fn lay_out<'s>(
        reading: u64,
        segments: &[(&'s Segment, &'s [u8])],
    ) -> (Vec<u8>, Vec<&'s [u8]>) {
        let mut table = Vec::new();
        table.extend_from_slice(&(segments.len() as u32).to_le_bytes());
        let mut sum = Xxh3Default::new();
        let mut length = 0u64;
        for (segment, payload) in segments {
            put_text(&mut table, &segment.name);
            table.extend_from_slice(&segment.hash.to_le_bytes());
            table.extend_from_slice(&segment.indicators.to_le_bytes());
            put_number(&mut table, segment.rejects.len() as u64);
            for (reason, count) in &segment.rejects {
                put_text(&mut table, reason.name());
                put_number(&mut table, *count);
            }
            put_number(&mut table, payload.len() as u64);
            sum.update(payload);
            length += payload.len() as u64;
        }
        let mut head = Vec::with_capacity(HEADER + table.len());
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&[0; 4]);
        for word in [reading, table.len() as u64, xxh3_64(&table), length, sum.digest()] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        let own = xxh3_64(&head);
        head.extend_from_slice(&own.to_le_bytes());
        head.extend_from_slice(&table);
        (head, segments.iter().map(|(_, payload)| *payload).collect())
    }

    /// Identifies the indicators with their order and contexts: two forms with the
    /// same identity compile to the same database.
    pub fn identity(&self) -> (u64, u64) {
        (self.payload_length, self.payload_sum)
    }

    /// The segments, without their payloads.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &Segment> {
        self.rows.iter().map(|row| &row.head)
    }

    /// Finds the segment of a document with these contents, and its payload.
    pub(super) fn find(&self, name: &str, hash: u128) -> Option<(&Segment, &[u8])> {
        let row = self.rows.iter().find(|row| row.head.name == name && row.head.hash == hash)?;
        Some((&row.head, self.payload.get(row.place.clone())?))
    }

    /// Finds the last segment of a document with this name, whatever its contents.
    pub(super) fn find_name(&self, name: &str) -> Option<(&Segment, &[u8])> {
        let row = self.rows.iter().find(|row| row.head.name == name)?;
        Some((&row.head, self.payload.get(row.place.clone())?))
    }

    /// The number of indicators.
    pub fn indicators(&self) -> u64 {
        self.segments().map(|segment| segment.indicators).sum()
    }

    /// The number of rejected values, by reason.
    pub fn rejects(&self) -> BTreeMap<Reason, u64> {
        let mut all = BTreeMap::new();
        for (reason, count) in self.segments().flat_map(|segment| &segment.rejects) {
            *all.entry(*reason).or_default() += count;
        }
        all
    }

    /// Passes every indicator to `take`.
    ///
    /// # Errors
    ///
    /// A payload is damaged in spite of its checksum.
    pub fn each(&self, mut take: impl FnMut(Indicator)) -> Result<()> {
        for row in &self.rows {
            let payload = self.payload.get(row.place.clone()).unwrap_or_default();
            payload::each(payload, &mut take).ok_or_else(|| {
                Error::format(format!("the segment {:?} is inconsistent", row.head.name))
            })?;
        }
        Ok(())
    }

    /// A hash of each distinct indicator, regardless of its context.
    pub fn keys(&self) -> HashSet<u64> {
        let mut keys = HashSet::with_capacity(self.indicators().min(1 << 24) as usize);
        self.each_record(|record| {
            if let Record::Indicator(bytes, ..) = record {
                keys.insert(xxh3_64(bytes));
            }
        });
        keys
    }

    /// Passes every record to `take`, up to the first that makes no sense in each segment.
    pub(super) fn each_record(&self, mut take: impl FnMut(Record<'_>)) {
        for row in &self.rows {
            let mut records = Records(self.payload.get(row.place.clone()).unwrap_or_default());
            while let Some(Some(record)) = records.next() {
                take(record);
            }
        }
    }
}

impl Segment {
    /// The payload of the segment.
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// Parses the header, and returns the length and checksum of the table after it.
fn header(bytes: &[u8]) -> Option<(Normal, (usize, u64))> {
    let head = bytes.get(..HEADER)?;
    let word = |at: usize| {
        head.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let is_ours = head.starts_with(MAGIC)
        && word(8) == u64::from(VERSION)
        && xxh3_64(&head[..HEADER - 8]) == word(HEADER - 8);
    let normal = Normal {
        reading: word(16),
        payload_length: word(40),
        payload_sum: word(48),
        ..Normal::default()
    };
    Some((normal, (usize::try_from(word(24)).ok()?, word(32)))).filter(|_| is_ours)
}

fn rows(mut table: &[u8], payload_length: u64) -> Option<Vec<Row>> {
    let count = u32::from_le_bytes(*take_array(&mut table)?);
    let mut rows = Vec::with_capacity((count as usize).min(table.len() / 32));
    let mut at = 0usize;
    for _ in 0..count {
        let name = take_text(&mut table)?.to_string();
        let hash = u128::from_le_bytes(*take_array(&mut table)?);
        let indicators = u64::from_le_bytes(*take_array(&mut table)?);
        let mut rejects = BTreeMap::new();
        for _ in 0..take_number(&mut table)? {
            let reason = Reason::from_name(take_text(&mut table)?);
            let count = take_number(&mut table)?;
            // A reason from a later version still means a rejected value.
            *rejects.entry(reason.unwrap_or(Reason::Malformed)).or_default() += count;
        }
        let end = at.checked_add(usize::try_from(take_number(&mut table)?).ok()?)?;
        let head = Segment { name, hash, indicators, rejects, payload: Vec::new() };
        rows.push(Row { head, place: at..end });
        at = end;
    }
    (table.is_empty() && at as u64 == payload_length).then_some(rows)
}
