//! Distinct values, as sorted keys of a ledger.

use std::cmp::Ordering;

/// Distinct keys in ascending order.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// Where a key is, and its first bytes: most comparisons need no more than these.
#[derive(Clone, Copy, Debug)]
struct Span {
    prefix: u64,
    start: usize,
    length: usize,
}

impl Values {
    /// Appends a key that `put` appends to what it is given. Keys may come in any order, and
    /// more than once, if [`Self::sort`] is called afterwards.
    pub(super) fn push_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        put(&mut self.bytes);
        let key = &self.bytes[start..];
        let mut prefix = [0; 8];
        let length = key.len().min(8);
        prefix[..length].copy_from_slice(&key[..length]);
        self.spans.push(Span { prefix: u64::from_be_bytes(prefix), start, length: key.len() });
    }

    /// Appends a key.
    pub(super) fn push(&mut self, key: &[u8]) {
        self.push_with(|bytes| bytes.extend_from_slice(key));
    }

    /// Sorts the keys, and removes repeated ones.
    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        let key = |span: &Span| &bytes[span.start..span.start + span.length];
        let order = |a: &Span, b: &Span| match a.prefix.cmp(&b.prefix) {
            Ordering::Equal => key(a).cmp(key(b)),
            order => order,
        };
        self.spans.sort_unstable_by(order);
        self.spans.dedup_by(|a, b| order(a, b) == Ordering::Equal);
    }

    /// The number of keys.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|span| &self.bytes[span.start..span.start + span.length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorted_and_distinct(keys in prop::collection::vec("[\\x00ab]{0,10}", 0..60)) {
            let mut values = Values::default();
            keys.iter().for_each(|key| values.push(key.as_bytes()));
            values.sort();
            let want: std::collections::BTreeSet<&[u8]> = keys.iter().map(|k| k.as_bytes()).collect();
            prop_assert_eq!(values.len(), want.len());
            prop_assert!(values.iter().eq(want));
        }
    }
}
