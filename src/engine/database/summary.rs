//! What was compiled, as `inspect` shows it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of a database, kept in it as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the program that compiled it.
    pub compiler: String,
    /// Distinct values, by kind.
    pub values: BTreeMap<String, u64>,
    /// Indicators that came in, before duplicates were joined.
    pub indicators: u64,
    /// Indicators of allow lists among them.
    pub allowed: u64,
    /// Kept out or changed by a guard, by reason.
    pub guarded: BTreeMap<String, u64>,
    /// Names the subscribed set that it was compiled from, so that the same set is not
    /// compiled again; empty where files were given.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub subscribed: String,
    /// By feed.
    pub feeds: BTreeMap<String, FeedSummary>,
}

/// Counts of one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedSummary {
    /// Indicators that it brought.
    pub indicators: u64,
    /// Of these, kept out by a guard.
    pub guarded: u64,
    /// Withdrawn by their source.
    pub inactive: u64,
    /// The earliest end of a validity, microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_expiry: Option<i64>,
    /// The latest end of a validity, microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_expiry: Option<i64>,
}

impl Summary {
    /// Distinct values of all kinds.
    pub fn total(&self) -> u64 {
        self.values.values().sum()
    }
}
