//! Values that were no indicators.

use crate::engine::indicator::Reason;
use std::collections::BTreeSet;

/// Values that were no indicators and are remembered all the same, so that a look-up can
/// tell why. They are for people: what a feed full of rubbish has beyond that many is in
/// the list of rejects.
const MAX_REFUSED: usize = 1 << 15;

/// The longest of them.
const LONGEST_REFUSED: usize = 256;

/// A value that was no indicator. The order is that of a hash, so that which of them are
/// remembered depends neither on the order of the feeds nor on how values are spelt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Refused {
    hash: u64,
    pub(super) value: Box<str>,
    pub(super) reason: Reason,
    pub(super) feed: Box<str>,
}

/// Those that are remembered.
#[derive(Debug, Default)]
pub(super) struct RefusedValues(BTreeSet<Refused>);

impl RefusedValues {
    /// Remembers a value of a feed, cut where it is long, if there is room.
    pub(super) fn add(&mut self, value: &str, reason: Reason, feed: &str) {
        let value = value.trim();
        let value = &value[..value.floor_char_boundary(LONGEST_REFUSED)];
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

    /// Takes them, in their order.
    pub(super) fn take(&mut self) -> BTreeSet<Refused> {
        std::mem::take(&mut self.0)
    }
}
