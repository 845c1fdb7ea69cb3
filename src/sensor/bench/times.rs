//! When something happened, with as many counts as fit into little memory.

use crate::engine::indicator::Timestamp;
use std::collections::BTreeMap;

/// The most different times that are kept. Of more, all are cut down to the next unit.
const MAX: usize = 1024;

/// Microseconds, seconds, minutes, hours and days.
const UNITS: [i64; 5] = [1, 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000];

/// Counts by time. The order in which times come does not matter: the unit is the smallest in
/// which few enough are different.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// The number of the unit.
    unit: usize,
    counts: BTreeMap<i64, u64>,
}

impl Times {
    /// Counts a time.
    pub(super) fn add(&mut self, Timestamp(time): Timestamp) {
        *self.counts.entry(time.div_euclid(UNITS[self.unit])).or_default() += 1;
        while self.counts.len() > MAX && self.unit + 1 < UNITS.len() {
            let factor = UNITS[self.unit + 1] / UNITS[self.unit];
            self.unit += 1;
            for (time, count) in std::mem::take(&mut self.counts) {
                *self.counts.entry(time.div_euclid(factor)).or_default() += count;
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many are surely before a time. Those in the same unit are not.
    pub(super) fn before(&self, Timestamp(time): Timestamp) -> u64 {
        self.counts.range(..time.div_euclid(UNITS[self.unit])).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(times: impl Iterator<Item = i64>) -> Times {
        let mut all = Times::default();
        times.for_each(|second| all.add(Timestamp(second * 1_000_000)));
        all
    }

    #[test]
    fn few_times_are_exact() {
        let times = seconds(0..MAX as i64);
        let before = [0, 1, 1_000_000, 1_000_001].map(|time| times.before(Timestamp(time)));
        assert_eq!(before, [0, 1, 1, 2]);
        assert_eq!((times.len(), times.unit), (MAX as u64, 0));
    }

    #[test]
    fn many_times_are_cut_down_whatever_their_order() {
        let count = 100 * MAX as i64;
        let (up, down) = (seconds(0..count), seconds((0..count).rev()));
        assert_eq!((up.unit, up.counts == down.counts), (3, true));
        assert_eq!((up.len(), down.unit), (count as u64, 3));
        assert_eq!(up.before(Timestamp(7200 * 1_000_000 + 5)), 7200);
        // What is left of days is not cut down further.
        let ages = seconds((0..5000).map(|day| day * 86_400));
        assert_eq!((ages.unit, ages.len()), (4, 5000));
        assert_eq!(ages.before(Timestamp(86_400_000_000 * 7)), 7);
    }
}
