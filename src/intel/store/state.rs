//! How a feed is doing, in a file for people.

use crate::engine::indicator::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many changes of size are remembered.
const HISTORY: usize = 50;

/// What `feed list` and `feed show` tell. It decides nothing about what matches, but for
/// when the feed is asked again: losing it loses no indicator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// When it was last tried to be fetched.
    #[serde(with = "time", skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<Timestamp>,
    /// When that last went well.
    #[serde(with = "time", skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// When the accepted indicators last changed.
    #[serde(with = "time", skip_serializing_if = "Option::is_none")]
    pub last_change: Option<Timestamp>,
    /// What went wrong the last time, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// How often in a row it went wrong.
    pub failures: u32,
    /// Not to be asked again before that time, as its server said.
    #[serde(with = "time", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Not to be asked again at all before somebody looked: its server forbids it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Indicators that are accepted.
    pub indicators: u64,
    /// Documents that they come from.
    pub documents: u64,
    /// Bytes of the documents.
    pub bytes: u64,
    /// How many of them are distinct.
    pub distinct: u64,
    /// Values that are no indicators, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Indicators that the guards of the compiler refuse or cut down, by reason.
    pub guarded: BTreeMap<String, u64>,
    /// Indicators that the last change brought.
    pub added: u64,
    /// Indicators that left with it.
    pub removed: u64,
    /// What waits to be confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<PendingReview>,
    /// Numbers of indicators after changes, the oldest first.
    pub history: Vec<Count>,
}

/// Indicators that wait to be confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReview {
    /// Since when.
    #[serde(with = "time")]
    pub since: Option<Timestamp>,
    /// How many there are.
    pub indicators: u64,
    /// Why they wait.
    pub reason: String,
}

/// How many indicators there were at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// When.
    #[serde(with = "time")]
    pub time: Option<Timestamp>,
    /// How many.
    pub indicators: u64,
}

impl State {
    /// Notes a success.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.last_attempt = Some(now);
        self.last_success = Some(now);
        self.last_error = None;
        self.failures = 0;
        self.not_before = None;
        self.stopped = None;
    }

    /// Notes a failure.
    pub fn failed(&mut self, now: Timestamp, error: String) {
        self.last_attempt = Some(now);
        self.last_error = Some(error);
        self.failures = self.failures.saturating_add(1);
    }

    /// Notes how many indicators there are now.
    pub fn counted(&mut self, now: Timestamp, indicators: u64) {
        self.indicators = indicators;
        self.last_change = Some(now);
        self.history.push(Count { time: Some(now), indicators });
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
    }

    /// How many more or fewer indicators there are than `span` microseconds ago.
    pub fn growth(&self, now: Timestamp, span: i64) -> Option<i64> {
        let from = Timestamp(now.0.saturating_sub(span));
        let before = self.history.iter().rev().find(|count| count.time.is_some_and(|t| t <= from));
        let before = before.or(self.history.first())?;
        Some(self.indicators as i64 - before.indicators as i64)
    }
}

/// Times as people read them.
mod time {
    use crate::engine::indicator::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes references")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => out.collect_str(time),
            None => out.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(text.as_deref().and_then(Timestamp::parse))
    }
}
