//! What became of an update.

use crate::Error;
use crate::intel::store::PendingReview;
use std::time::Duration;

/// The result for one feed.
#[derive(Debug)]
pub struct FeedUpdate {
    /// The feed.
    pub name: String,
    /// The result.
    pub outcome: FeedOutcome,
    /// The number of accepted indicators before.
    pub before: u64,
    /// The number of accepted indicators now.
    pub indicators: u64,
    /// The number of distinct ones; 0 if unknown.
    pub distinct: u64,
    /// The duration of the update.
    pub took: Duration,
    /// The number of documents that could not be read. Their previous versions
    /// count.
    pub unreadable: usize,
}

/// The result of updating a feed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FeedOutcome {
    /// Nothing changed.
    Unchanged,
    /// Indicators were added or removed.
    Changed {
        /// The number added.
        added: u64,
        /// The number removed.
        removed: u64,
    },
    /// It changed too much and is held for review.
    PendingReview(PendingReview),
    /// It could not be fetched or read. What was accepted before stays.
    Failed(Error),
    /// It was skipped.
    Skipped(String),
}

/// The result of an update.
#[derive(Debug, Default)]
pub struct UpdateReport {
    /// The feeds, in the order of the configuration.
    pub feeds: Vec<FeedUpdate>,
}

impl UpdateReport {
    /// The number of feeds that failed, entirely or in part.
    pub fn failed(&self) -> usize {
        let failed = |feed: &&FeedUpdate| {
            feed.unreadable > 0 || matches!(feed.outcome, FeedOutcome::Failed(_))
        };
        self.feeds.iter().filter(failed).count()
    }

    /// The number of feeds that are held.
    pub fn held(&self) -> usize {
        self.feeds
            .iter()
            .filter(|feed| matches!(feed.outcome, FeedOutcome::PendingReview(_)))
            .count()
    }
}
