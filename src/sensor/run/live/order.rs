//! Restores the order of each source's pieces.

use std::collections::BTreeMap;

/// Puts numbered things back in order. The number of things waiting is bounded by how many are in
/// flight at once.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    next: u64,
    waiting: BTreeMap<u64, T>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder { next: 0, waiting: BTreeMap::new() }
    }
}

impl<T> InOrder<T> {
    /// Adds the one with this number, counted from 0. Each number is added once.
    pub(super) fn put(&mut self, number: u64, item: T) {
        self.waiting.insert(number, item);
    }

    /// The next one, if it has arrived.
    pub(super) fn take(&mut self) -> Option<T> {
        let item = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(item)
    }

    /// How many are waiting.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many were taken.
    pub(super) fn taken(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_any_order_goes_in_one() {
        let mut order = InOrder::default();
        let mut out = Vec::new();
        for number in [2, 0, 1, 5, 4, 3, 6] {
            order.put(number, number);
            out.extend(std::iter::from_fn(|| order.take()));
            assert_eq!(order.taken(), out.len() as u64);
        }
        assert_eq!(out, [0, 1, 2, 3, 4, 5, 6]);
    }
}
