//! What identifies events, so that two reports on the same inputs can say which are lost.

use crate::engine::indicator::Place;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use xxhash_rust::xxh3::Xxh3;

/// The most events that are identified.
pub(super) const MAX_EVENTS: usize = 1 << 16;

/// Hexadecimal digits of each.
const DIGITS: usize = 12;

/// The events of a corpus, by their places.
#[derive(Clone, Debug, Default)]
pub(super) struct EventIds {
    ids: BTreeSet<u64>,
    is_cut: bool,
}

impl EventIds {
    /// Adds the event of a place: its input, and its line or what identifies its flow.
    pub(super) fn add(&mut self, place: &Place, record: u64) {
        if self.is_cut {
            return;
        }
        let (path, tag) = match place {
            Place::Log(place) => (&place.path, 0),
            Place::Packet(place) => (&place.path, 1),
        };
        let mut hash = Xxh3::new();
        hash.update(&[tag]);
        hash.update(&record.to_le_bytes());
        hash.update(path.as_bytes());
        self.ids.insert(hash.digest() >> (64 - 4 * DIGITS));
        if self.ids.len() > MAX_EVENTS {
            self.is_cut = true;
            self.ids = BTreeSet::new();
        }
    }

    /// All of them as text, unless there are too many.
    pub(super) fn text(&self) -> Option<String> {
        if self.is_cut {
            return None;
        }
        let mut text = String::with_capacity(self.ids.len() * DIGITS);
        for id in &self.ids {
            let _ = write!(text, "{id:0width$x}", width = DIGITS);
        }
        Some(text)
    }
}

/// How many events of `old` are not in `new`.
pub(super) fn lost(old: &str, new: &str) -> u64 {
    let split = |text: &str| -> BTreeSet<Vec<u8>> {
        text.as_bytes().chunks(DIGITS).map(<[u8]>::to_vec).collect()
    };
    split(old).difference(&split(new)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_and_new_events_are_distinguished() {
        assert_eq!(lost("000000000001000000000002", "000000000002000000000003"), 1);
        assert_eq!((lost("", "000000000002"), lost("000000000002", "")), (0, 1));
        assert_eq!(lost("000000000001", "000000000001"), 0);
    }
}
