//! Values that are not indicators.

use crate::engine::indicator::Reason;
use std::collections::BTreeSet;

/// The maximum number of rejected values to store, so that `lookup` can explain
/// them. They are for people: a feed full of garbage is better served by the list
/// of rejects.
const MAX_REFUSED: usize = 1 << 15;

/// The length limit of a stored rejected value.
const MAX_REFUSED_LEN: usize = 256;

/// A rejected value. They are ordered by hash, so the order of feeds does not
/// decide which ones are stored, and neither does the alphabet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Refused {
    hash: u64,
    pub(super) value: Box<str>,
    pub(super) reason: Reason,
    pub(super) feed: Box<str>,
}

/// The values to store.
#[derive(Debug, Default)]
pub(super) struct RefusedValues(BTreeSet<Refused>);

impl RefusedValues {
    /// Adds a value of a feed if there is room, and truncates it if it is too long.
    pub(super) fn add(&mut self, value: &str, reason: Reason, feed: &str) {
        let value = value.trim();
        let value = &value[..value.floor_char_boundary(MAX_REFUSED_LEN)];
        if value.is_empty() {
            return;
        }
        let hash = xxhash_rust::xxh3::xxh3_64(value.as_bytes());
        let is_full = self.0.len() >= MAX_REFUSED;
        if is_full && self.0.last().is_some_and(|last| hash > last.hash) {
            return;
        }
        self.0.insert(Refused { hash, value: value.into(), reason, feed: feed.into() });
        if self.0.len() > MAX_REFUSED {
            self.0.pop_last();
        }
    }

    /// Takes the values, in their order.
    pub(super) fn take(&mut self) -> BTreeSet<Refused> {
        std::mem::take(&mut self.0)
    }
}
