//! The state of a feed, in a file for people.

use crate::engine::indicator::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of changes to remember.
const HISTORY: usize = 50;

/// The state that `feed list` and `feed show` display. It only decides when the
/// feed is fetched again; losing it loses no indicators.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedState {
    /// The time of the last attempt to fetch it.
    #[serde(with = "time", skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<Timestamp>,
    /// The time of the last successful attempt.
    #[serde(with = "time", skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// When the accepted indicators last changed.
    #[serde(with = "time", skip_serializing_if = "Option::is_none")]
    pub last_change: Option<Timestamp>,
    /// The error of the last attempt, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The number of failures in a row.
    pub failures: u32,
    /// The server asked for no requests before this time.
    #[serde(with = "time", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Why the feed is not fetched any more until someone looks at it, such as a
    /// server that refuses access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// The number of accepted indicators.
    pub indicators: u64,
    /// The number of documents.
    pub documents: u64,
    /// The size of the documents in bytes.
    pub bytes: u64,
    /// The number of distinct indicators.
    pub distinct: u64,
    /// The number of rejected values, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// The number of indicators that the compiler's guards withhold or change, by
    /// reason.
    pub guarded: BTreeMap<String, u64>,
    /// The number of indicators that the last change added.
    pub added: u64,
    /// The number of indicators that it removed.
    pub removed: u64,
    /// The indicators held for review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<PendingReview>,
    /// The number of indicators after each change, the oldest first.
    pub history: Vec<Count>,
}

/// Indicators held for review.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReview {
    /// Since when they are held.
    #[serde(with = "time")]
    pub since: Option<Timestamp>,
    /// The number of indicators.
    pub indicators: u64,
    /// Why they are held.
    pub reason: String,
}

/// The number of indicators at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The time.
    #[serde(with = "time")]
    pub time: Option<Timestamp>,
    /// The number.
    pub indicators: u64,
}

impl FeedState {
    /// Records a success.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.last_attempt = Some(now);
        self.last_success = Some(now);
        self.last_error = None;
        self.failures = 0;
        self.not_before = None;
        self.stopped = None;
    }

    /// Records a failure.
    pub fn failed(&mut self, now: Timestamp, error: String) {
        self.last_attempt = Some(now);
        self.last_error = Some(error);
        self.failures = self.failures.saturating_add(1);
    }

    /// Records the current number of indicators.
    pub fn counted(&mut self, now: Timestamp, indicators: u64) {
        self.indicators = indicators;
        self.last_change = Some(now);
        self.history.push(Count { time: Some(now), indicators });
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
    }

    /// The change in the number of indicators over the last `span` microseconds.
    pub fn growth(&self, now: Timestamp, span: i64) -> Option<i64> {
        let from = Timestamp(now.0.saturating_sub(span));
        let before = self.history.iter().rev().find(|count| count.time.is_some_and(|t| t <= from));
        let before = before.or(self.history.first())?;
        Some(self.indicators as i64 - before.indicators as i64)
    }
}

/// Serialises times in the form that people read.
pub(super) mod time {
    use crate::engine::indicator::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes references")]
    pub(in crate::intel::store) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => out.collect_str(time),
            None => out.serialize_none(),
        }
    }

    pub(in crate::intel::store) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(text.as_deref().and_then(Timestamp::parse))
    }
}
