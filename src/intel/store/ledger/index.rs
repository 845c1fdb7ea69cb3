//! The index of a ledger.

use crate::engine::indicator::Timestamp;
use crate::intel::store::state::time;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The version of the file.
const VERSION: u32 = 1;

/// The number of changes to remember.
const MAX_CHANGES: usize = 500;

/// More segments than any ledger has: a limit for damaged files.
const MAX_SEGMENTS: usize = 64;

/// The ending of a segment's file name, after 32 hex digits.
const ENDING: &str = ".segment";

/// Which segments count, and what they describe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerIndex {
    version: u32,
    /// Identifies the normalised form that the ledger describes.
    pub identity: (u64, u64),
    /// A hash of the settings with which the feed was read.
    pub reading: u64,
    /// When the ledger began.
    #[serde(with = "time")]
    pub began: Option<Timestamp>,
    /// The fetch of the last recorded change.
    #[serde(with = "time")]
    pub at: Option<Timestamp>,
    /// The number of values that are in the feed.
    pub values: u64,
    /// The number of stays that were dropped because they ended too long ago.
    pub forgotten: u64,
    /// The segments, oldest first.
    pub segments: Vec<LedgerSegment>,
    /// The latest changes, oldest first.
    pub changes: Vec<LedgerChange>,
}

/// A file of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSegment {
    /// Its name: a hash of its contents.
    pub file: String,
    /// The number of its rows.
    pub rows: u64,
    /// Its length in bytes.
    pub length: u64,
}

/// A recorded change of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerChange {
    /// The fetch that found it.
    #[serde(with = "time")]
    pub at: Option<Timestamp>,
    /// When the feed's document was published, as far as its server or its file says so.
    #[serde(with = "time")]
    pub published: Option<Timestamp>,
    /// The number of values that came.
    pub came: u64,
    /// The number of values that left.
    pub left: u64,
    /// Whether nobody knows when the values came that are new: they stood at the first fetch, or
    /// the settings of the feed had changed.
    pub stood: bool,
}

impl LedgerIndex {
    /// The index of a ledger that begins at this time.
    pub(super) fn new(at: Timestamp) -> Self {
        LedgerIndex {
            version: VERSION,
            identity: (0, 0),
            reading: 0,
            began: Some(at),
            at: Some(at),
            values: 0,
            forgotten: 0,
            segments: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Parses the file.
    ///
    /// # Errors
    ///
    /// The bytes are not what [`LedgerIndex::to_bytes`] writes, or of another version.
    pub fn parse(bytes: &[u8]) -> Result<LedgerIndex> {
        let broken =
            |why: &str| Error::format(format!("the index of the ledger is damaged: {why}"));
        let index: LedgerIndex =
            serde_json::from_slice(bytes).map_err(|e| broken(&e.to_string()))?;
        if index.version != VERSION {
            return Err(broken(&format!("unknown version {}", index.version)));
        }
        if index.began.is_none() || index.at.is_none() {
            return Err(broken("a time is missing"));
        }
        if index.segments.len() > MAX_SEGMENTS {
            return Err(broken("too many segments"));
        }
        // A slash in a file name could lead out of the folder.
        match index.segments.iter().find(|segment| !is_name(&segment.file)) {
            Some(segment) => Err(broken(&format!("the segment {:?}", segment.file))),
            None => Ok(index),
        }
    }

    /// Formats the file.
    ///
    /// # Errors
    ///
    /// Never: what it contains has a form in JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::io("write the index of the ledger", e.into()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Appends a change, and forgets the oldest ones.
    pub(super) fn add(&mut self, change: LedgerChange) {
        self.changes.push(change);
        let surplus = self.changes.len().saturating_sub(MAX_CHANGES);
        self.changes.drain(..surplus);
    }
}

/// The name of a segment with this hash.
pub(super) fn file_name(hash: u128) -> String {
    format!("{hash:032x}{ENDING}")
}

/// Whether it is the name of a segment.
pub(super) fn is_name(name: &str) -> bool {
    let digits = name.strip_suffix(ENDING);
    digits.is_some_and(|it| it.len() == 32 && it.bytes().all(|b| b.is_ascii_hexdigit()))
}
