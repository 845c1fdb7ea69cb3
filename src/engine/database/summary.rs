//! The counts of a compilation, as `inspect` shows them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of a database, stored in it as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of the program that compiled it.
    pub compiler: String,
    /// Distinct values, by kind.
    pub values: BTreeMap<String, u64>,
    /// The number of indicators, including duplicates.
    pub indicators: u64,
    /// The number of entries of allow lists among them.
    pub allowed: u64,
    /// Withheld or changed by a guard, by reason.
    pub guarded: BTreeMap<String, u64>,
    /// Identifies the subscribed set that it was compiled from, so that the same
    /// set is not compiled again. Empty for files.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub subscribed: String,
    /// By feed.
    pub feeds: BTreeMap<String, FeedSummary>,
}

/// The counts of one feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedSummary {
    /// The number of its indicators.
    pub indicators: u64,
    /// The number of these that a guard withheld.
    pub guarded: u64,
    /// The number withdrawn by the source.
    pub inactive: u64,
    /// The earliest expiry, in microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_expiry: Option<i64>,
    /// The latest expiry, in microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_expiry: Option<i64>,
}

impl Summary {
    /// The number of distinct values of all kinds.
    pub fn total(&self) -> u64 {
        self.values.values().sum()
    }
}
