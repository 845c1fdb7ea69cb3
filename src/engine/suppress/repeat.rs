//! The record of alerts that were held back.

use super::Member;
use crate::engine::indicator::{Severity, Timestamp};

/// Maximum number of values, and of places, that a repeat record lists.
pub const MAX_LISTED: usize = 8;

/// One record for all alerts of a key that a window held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// hash(key, window start): the same after a crash, so that a sink can drop the duplicate.
    /// Parts of one window have different identifiers, and so have windows that are opened again
    /// after an eviction.
    pub id: u128,
    /// The members that the alerts have in common.
    pub key: Vec<(Member, String)>,
    /// When the window began: the time of the alert that passed first.
    pub start: Timestamp,
    /// Number of alerts that were held back, at least one.
    pub count: u64,
    /// The earliest time of those that were held back.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
    /// The observed values, without duplicates, the first [`MAX_LISTED`] of them.
    pub values: Vec<String>,
    /// The places, likewise.
    pub places: Vec<String>,
    /// How many of the alerts have a value or a place that is not listed.
    pub more: u64,
    /// The highest severity of those that were held back.
    pub severity: Severity,
    /// Whether it comes before the window's end: at shutdown, or because the window was evicted.
    pub is_partial: bool,
    /// The last alert that was held back, as encoded by the caller. Empty if all were longer than
    /// 256 KiB.
    pub content: Vec<u8>,
}

impl Repeat {
    /// The identifier as text: 32 hex digits, like those of alerts.
    pub fn uid(&self) -> String {
        format!("{:032x}", self.id)
    }
}
