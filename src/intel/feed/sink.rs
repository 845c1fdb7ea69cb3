//! What takes the indicators of a feed, and what is said of those that are none.

use super::Format;
use crate::engine::indicator::{Indicator, Reason};
use std::collections::BTreeMap;
use std::path::Path;

/// What takes the indicators of a feed.
pub trait Sink {
    /// A value that was understood, and its line, from 1, in formats that have lines.
    fn indicator(&mut self, indicator: Indicator, line: Option<u64>);

    /// A value that was not, or that is not for matching.
    fn reject(&mut self, reject: Reject);

    /// What follows comes from this file of this feed. Called by [`open()`](super::open()) only.
    fn file(&mut self, path: &Path, feed: &str) {
        let _ = (path, feed);
    }

    /// Files of this folder that are no feeds by their names. Called by [`open()`](super::open()) only.
    fn passed_over(&mut self, folder: &Path, names: &[String]) {
        let _ = (folder, names);
    }
}

/// A value that did not become an indicator, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line, from 1, in formats that have lines.
    pub line: Option<u64>,
    /// The value as it stood, cut when long.
    pub value: String,
    /// Why; it knows the remedy.
    pub reason: Reason,
    /// What the reason alone does not say.
    pub detail: Option<String>,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How it was read.
    pub format: Format,
    /// How many indicators it yielded, duplicates and all.
    pub indicators: u64,
    /// How many values it did not, by reason.
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

    /// How many values were rejected, for whatever reason.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }
}

/// Everything a feed yielded, in memory: for small feeds and for tests.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// What was understood, in the order of the file.
    pub indicators: Vec<Indicator>,
    /// What was not.
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
