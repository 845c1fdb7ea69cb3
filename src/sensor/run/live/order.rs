//! Each source's pieces put back in order.

use std::collections::BTreeMap;

/// Puts things with numbers back in order. How many wait in it is bounded by how many are under
/// way at once.
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
    /// Takes the one with this number, from 0, each of which comes once.
    pub(super) fn put(&mut self, number: u64, item: T) {
        self.waiting.insert(number, item);
    }

    /// The next one, if it is there.
    pub(super) fn take(&mut self) -> Option<T> {
        let item = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(item)
    }

    /// Looks at the next one, if it is there.
    pub(super) fn peek(&self) -> Option<&T> {
        self.waiting.get(&self.next)
    }

    /// How many wait.
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
