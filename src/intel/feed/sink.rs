//! Receives the indicators and rejects of a feed.

use super::Format;
use crate::engine::indicator::{Indicator, Reason};
use std::collections::BTreeMap;
use std::path::Path;

/// Receives the indicators of a feed.
pub trait Sink {
    /// Receives a value, with its line from 1 if the format has lines.
    fn indicator(&mut self, indicator: Indicator, line: Option<u64>);

    /// Receives a value that was rejected or is not for matching.
    fn reject(&mut self, reject: Reject);

    /// Starts a file: the values that follow come from it, and belong to this feed. Only called by
    /// [`open()`](super::open()).
    fn file(&mut self, path: &Path, feed: &str) {
        let _ = (path, feed);
    }

    /// Receives the names of files in a folder that are not feeds. Only called by
    /// [`open()`](super::open()).
    fn passed_over(&mut self, folder: &Path, names: &[String]) {
        let _ = (folder, names);
    }
}

/// A value that did not become an indicator, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line, from 1, if the format has lines.
    pub line: Option<u64>,
    /// The value as it was, truncated if long.
    pub value: String,
    /// The reason, which has a remedy.
    pub reason: Reason,
    /// Details that the reason does not cover.
    pub detail: Option<String>,
}

/// The result of reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The format it was read as.
    pub format: Format,
    /// The number of indicators, including duplicates.
    pub indicators: u64,
    /// The number of rejected values, by reason.
    pub rejects: BTreeMap<Reason, u64>,
}

impl Summary {
    pub(super) fn new(format: Format) -> Self {
        Summary { format, indicators: 0, rejects: BTreeMap::new() }
    }

    /// Adds the counts of another file.
    pub fn add(&mut self, other: &Summary) {
        self.indicators += other.indicators;
        for (reason, count) in &other.rejects {
            *self.rejects.entry(*reason).or_default() += count;
        }
    }

    /// The number of rejected values.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }
}

/// Collects everything in memory, for small feeds and tests.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// The indicators, in the order of the file.
    pub indicators: Vec<Indicator>,
    /// The rejected values.
    pub rejects: Vec<Reject>,
}

impl Sink for Collected {
    fn indicator(&mut self, indicator: Indicator, _: Option<u64>) {
        self.indicators.push(indicator);
    }

    fn reject(&mut self, reject: Reject) {
        self.rejects.push(reject);
    }
}
