//! What came of the alerts that were held back.

use super::Member;
use crate::engine::indicator::{Severity, Timestamp};

/// The most values, and the most places, that a repeat record lists.
pub const MAX_LISTED: usize = 8;

/// One record for all alerts of a key that a window held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// hash(key, window start): the same after a crash, so that a sink can drop the second.
    /// Parts of one window have identifiers of their own, and so has what is opened again after
    /// windows had to go early.
    pub id: u128,
    /// The members that the alerts have in common.
    pub key: Vec<(Member, String)>,
    /// When the window began: the time of the alert that passed first.
    pub start: Timestamp,
    /// How many alerts were held back. At least one.
    pub count: u64,
    /// The earliest time of one that was held back.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
    /// What was seen, each once, the first [`MAX_LISTED`] of them.
    pub values: Vec<String>,
    /// Where, likewise.
    pub places: Vec<String>,
    /// How many of the alerts have a value or a place that is not listed.
    pub more: u64,
    /// The highest severity of those that were held back.
    pub severity: Severity,
    /// Whether it came before the window's end: at shutdown, or because the window had to go.
    pub is_partial: bool,
    /// The last alert that was held back, as the caller wrote it. Empty if all were longer than
    /// 256 KiB.
    pub content: Vec<u8>,
}

impl Repeat {
    /// The identifier as text: 32 hex digits, as those of alerts.
    pub fn uid(&self) -> String {
        format!("{:032x}", self.id)
    }
}
