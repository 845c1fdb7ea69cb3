//! Digests of one length: a sorted table with an index by the top bits.
//!
//! ```text
//!  0  count   u32
//!  4  bits    u32, of the index
//!  8  zero    u64
//! 16  index   2^bits + 1 times u32: the first digest of each cell
//!     keys    count digests, sorted
//!     values  count postings, u32
//! ```
//!
//! Digests are evenly distributed, so a cell contains a handful, and a look-up
//! costs two cache misses at any size.

use super::layout::{u32_at, u64_at};
use super::posting::Posting;

const HEAD: usize = 16;
/// Most cells contain at most this number of keys.
const USUAL: usize = 4;
/// Up to this number of keys is compared one by one.
const HANDFUL: usize = 16;

/// A table of digests of `len` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digests<'a> {
    index: &'a [u8],
    keys: &'a [u8],
    values: &'a [u8],
    bits: u32,
    len: usize,
}

impl<'a> Digests<'a> {
    /// Opens a section. `None` if its parts do not fit together.
    pub(super) fn open(section: &'a [u8], len: usize) -> Option<Self> {
        let count = u32_at(section, 0)? as usize;
        let bits = u32_at(section, 4)?;
        if bits > 28 {
            return None;
        }
        let rest = section.get(HEAD..)?;
        let (index, rest) = rest.split_at_checked(((1usize << bits) + 1) * 4)?;
        let (keys, values) = rest.split_at_checked(count.checked_mul(len)?)?;
        (values.len() == count * 4).then_some(Digests { index, keys, values, bits, len })
    }

    /// Every digest, in ascending order.
    #[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only benchmarks list values"))]
    pub(super) fn rows(self) -> impl Iterator<Item = (&'a [u8], Posting)> {
        let keys = self.keys.chunks_exact(self.len.max(1)).enumerate();
        keys.map_while(move |(at, key)| Some((key, Posting(u32_at(self.values, at * 4)?))))
    }

    /// The number of digests.
    pub(super) fn count(&self) -> usize {
        self.values.len() / 4
    }

    /// Looks up the posting of `digest`.
    #[inline]
    pub(super) fn get(&self, digest: &[u8]) -> Option<Posting> {
        let cell = cell_of(digest, self.bits) * 4;
        let low = u32_at(self.index, cell)? as usize;
        let high = (u32_at(self.index, cell + 4)? as usize).min(self.count());
        let (low, high) = self.narrowed(digest, low.min(high), high)?;
        // Binary search mispredicts at every step, and so does the end of a loop
        // over the actual number of keys. So the first bytes of as many keys as
        // most cells contain are always compared; except for a hit, they differ.
        let head = u64_at(digest, 0)?;
        let starts_alike = |at: usize| u64_at(self.keys, at * self.len) == Some(head);
        let mut may_hold = false;
        for at in low..low + USUAL {
            may_hold |= (at < high) & starts_alike(at);
        }
        if !may_hold && !(low + USUAL..high).any(starts_alike) {
            return None;
        }
        for at in low..high {
            if self.keys.get(at * self.len..(at + 1) * self.len)? == digest {
                return u32_at(self.values, at * 4).map(Posting);
            }
        }
        None
    }

    /// Halves a range of keys until few are left. Only damage or bad luck makes a
    /// larger cell.
    #[inline]
    fn narrowed(&self, digest: &[u8], low: usize, high: usize) -> Option<(usize, usize)> {
        let (mut low, mut high) = (low, high);
        while high.saturating_sub(low) > HANDFUL {
            let middle = low + (high - low) / 2;
            let key = self.keys.get(middle * self.len..(middle + 1) * self.len)?;
            if key <= digest {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some((low, high))
    }

    /// Checks the order, the index and the postings in one pass.
    pub(super) fn check(&self, is_posting: impl Fn(Posting) -> bool) -> Option<()> {
        let count = self.count();
        let mut keys = self.keys.chunks_exact(self.len.max(1));
        let mut before = keys.next();
        for key in keys {
            (before < Some(key)).then_some(())?;
            before = Some(key);
        }
        for at in 0..count {
            is_posting(Posting(u32_at(self.values, at * 4)?)).then_some(())?;
        }
        let mut last = 0;
        for cell in 0..=1usize << self.bits {
            let first = u32_at(self.index, cell * 4)?;
            (first >= last && first as usize <= count).then_some(())?;
            last = first;
        }
        Some(())
    }
}

#[inline]
fn cell_of(digest: &[u8], bits: u32) -> usize {
    let head = digest.first_chunk().map_or(0, |head| u32::from_be_bytes(*head));
    head.checked_shr(32 - bits).unwrap_or(0) as usize
}

/// Builds a section from `rows` that are sorted by digest, without duplicates.
pub(super) fn build<D: AsRef<[u8]>>(rows: &[(D, Posting)]) -> Vec<u8> {
    let bits = (rows.len() / 2).max(1).ilog2();
    let mut section = Vec::new();
    for word in [rows.len() as u32, bits, 0, 0] {
        section.extend_from_slice(&word.to_le_bytes());
    }
    let mut row = 0;
    for cell in 0..1usize << bits {
        while row < rows.len() && cell_of(rows[row].0.as_ref(), bits) < cell {
            row += 1;
        }
        section.extend_from_slice(&(row as u32).to_le_bytes());
    }
    section.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    for (digest, _) in rows {
        section.extend_from_slice(digest.as_ref());
    }
    for (_, posting) in rows {
        section.extend_from_slice(&posting.0.to_le_bytes());
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn digests_are_found_like_in_a_map(
            map in prop::collection::btree_map(any::<[u8; 16]>(), any::<u32>(), 0..300),
            absent in prop::collection::vec(any::<[u8; 16]>(), 0..50)) {
            let map: BTreeMap<[u8; 16], Posting> =
                map.into_iter().map(|(k, v)| (k, Posting(v))).collect();
            let rows: Vec<_> = map.iter().map(|(k, v)| (*k, *v)).collect();
            let section = build(&rows);
            let table = Digests::open(&section, 16).unwrap();
            table.check(|_| true).unwrap();
            for key in map.keys().chain(&absent) {
                prop_assert_eq!(table.get(key), map.get(key).copied());
            }
        }

        /// Digests that share a cell, and their first bytes.
        #[test]
        fn digests_that_share_a_cell_are_found(
            tails in prop::collection::btree_set(any::<[u8; 2]>(), 1..200),
            absent in any::<[u8; 2]>(), at in 6..15usize) {
            let key = |tail: &[u8; 2]| {
                let mut key = [7; 16];
                key[at - 6..at - 4].copy_from_slice(&tail[..]);
                key[15] = tail[0];
                key
            };
            let keys: std::collections::BTreeSet<[u8; 16]> = tails.iter().map(key).collect();
            let rows: Vec<_> = keys.iter().map(|key| (*key, Posting(u32::from(key[15])))).collect();
            let section = build(&rows);
            let table = Digests::open(&section, 16).unwrap();
            for key in keys.iter().chain([&key(&absent)]) {
                let want = keys.contains(key).then(|| Posting(u32::from(key[15])));
                prop_assert_eq!(table.get(key), want);
            }
        }

        #[test]
        fn damage_is_harmless(bytes in prop::collection::vec(any::<u8>(), 0..200), key in any::<[u8; 16]>()) {
            if let Some(table) = Digests::open(&bytes, 16) {
                let _ = table.check(|_| true);
                let _ = table.get(&key);
            }
        }
    }
}
