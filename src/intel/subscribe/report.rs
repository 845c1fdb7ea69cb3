//! What became of an update.

use crate::Error;
use crate::intel::store::PendingReview;
use std::time::Duration;

/// What became of one feed.
#[derive(Debug)]
pub struct FeedUpdate {
    /// The feed.
    pub name: String,
    /// What became of it.
    pub outcome: FeedOutcome,
    /// How many indicators were accepted before.
    pub before: u64,
    /// How many are now.
    pub indicators: u64,
    /// How many of them are distinct; 0 where that is not known.
    pub distinct: u64,
    /// How long it took.
    pub took: Duration,
    /// Documents of it that could not be read; what they were before counts.
    pub unreadable: usize,
}

/// What became of a feed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FeedOutcome {
    /// It is as it was.
    Unchanged,
    /// Indicators came or went.
    Changed {
        /// How many came.
        added: u64,
        /// How many went.
        removed: u64,
    },
    /// It changed too much, and waits to be confirmed.
    PendingReview(PendingReview),
    /// It could not be fetched or read: what was accepted before stays.
    Failed(Error),
    /// It was left out.
    Skipped(String),
}

/// What became of an update.
#[derive(Debug, Default)]
pub struct UpdateReport {
    /// The feeds, in the order of the configuration.
    pub feeds: Vec<FeedUpdate>,
}

impl UpdateReport {
    /// Feeds that failed, in whole or in part.
    pub fn failed(&self) -> usize {
        let failed = |feed: &&FeedUpdate| {
            feed.unreadable > 0 || matches!(feed.outcome, FeedOutcome::Failed(_))
        };
        self.feeds.iter().filter(failed).count()
    }

    /// Feeds that are held back.
    pub fn held(&self) -> usize {
        self.feeds
            .iter()
            .filter(|feed| matches!(feed.outcome, FeedOutcome::PendingReview(_)))
            .count()
    }
}
