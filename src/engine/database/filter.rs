//! Small filters that can exclude a value before the exact structure is read.
//!
//! They may say “maybe” by mistake, but never “no”. It is the filter that must fit
//! into the cache, not the set it represents.

use super::layout::u64_at;
pub(super) use crate::engine::indicator::fold::hash;
use crate::engine::indicator::fold::{TAILS, has_bit, tail_slot, tail_slot_of};

/// The bits per key. With four probes in one word, about one in a hundred absent
/// keys passes.
const BITS_PER_KEY: usize = 16;

/// A Bloom filter with all probes of a key in one 64-bit word: one load, one
/// comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bloom<'a>(pub(super) &'a [u8]);

impl Bloom<'_> {
    /// Whether the key with this hash may be in the set.
    #[inline]
    pub(super) fn may_hold(self, hash: u64) -> bool {
        let words = (self.0.len() / 8) as u64;
        let Some(word) = u64_at(self.0, word_of(hash, words) * 8) else { return false };
        // Two of the bits exclude nearly everything that is absent.
        let first = 1 << (hash & 63) | 1 << (hash >> 6 & 63);
        if word & first != first {
            return false;
        }
        let mask = mask_of(hash);
        word & mask == mask
    }
}

#[inline]
fn word_of(hash: u64, words: u64) -> usize {
    (((hash >> 32) * words) >> 32) as usize
}

#[inline]
fn mask_of(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

/// Builds a filter over hashes.
pub(super) fn build_bloom(hashes: &[u64]) -> Vec<u8> {
    let words = (hashes.len() * BITS_PER_KEY).div_ceil(64).max(1) as u64;
    let mut filter = vec![0u64; words as usize];
    for &hash in hashes {
        filter[word_of(hash, words)] |= mask_of(hash);
    }
    filter.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// Mixed into the hash of a registered name with so many indicators below it that
/// the next label must be checked, too: `co.uk`, `duckdns.org`.
const CROWDED: u64 = 0x9e37_79b9_7f4a_7c15;
/// The number of indicators below a pair of labels that makes it crowded.
const CROWD: usize = 16;

/// The filter for domains: over the last two labels of every indicator, and below
/// crowded pairs over the last three.
#[derive(Clone, Copy, Debug)]
pub(super) struct DomainFilter<'a> {
    pub(super) tails: &'a [u8],
    pub(super) bloom: Bloom<'a>,
}

impl DomainFilter<'_> {
    /// Whether a name that ends in `label` (lower case) can match at all.
    #[inline]
    pub(super) fn may_end_in(self, label: &[u8]) -> bool {
        has_bit(self.tails, tail_slot(label))
    }

    /// Whether `name` (any case, no trailing dot) or a parent of it may be listed.
    #[inline]
    pub(super) fn may_hold(self, name: &[u8]) -> bool {
        // Most networks have names of their own, with endings that no indicator
        // has.
        let word = word_before(name, name.len());
        let dots = dots_of(word);
        let label = (dots.leading_zeros() / 8).min(name.len() as u32);
        if !has_bit(self.tails, tail_slot_of(word, label)) {
            return false;
        }
        match last_labels_by(dots, name, 2) {
            Some(pair) => self.may_hold_pair(name, pair),
            None => self.bloom.may_hold(hash(name)),
        }
    }

    /// Like [`Self::may_hold`], given the last two labels.
    #[inline]
    pub(super) fn may_hold_pair(self, name: &[u8], pair: &[u8]) -> bool {
        // Single labels are only accepted on request; then they cost time for every
        // name. A bitmap that is one byte longer marks this.
        let bare = self.tails.len() > TAILS;
        if bare && last_labels(name, 1).is_some_and(|label| self.bloom.may_hold(hash(label))) {
            return true;
        }
        let whole = hash(pair);
        if self.bloom.may_hold(whole) {
            return true;
        }
        if !self.bloom.may_hold(whole ^ CROWDED) {
            return false;
        }
        last_labels(name, 3).is_none_or(|triple| self.bloom.may_hold(hash(triple)))
    }
}

/// The last `count` labels of a name, if it has that many.
///
/// Names are short, so taking eight bytes at a time from the end is faster than
/// calling `memrchr` for each dot.
#[inline]
pub(super) fn last_labels(name: &[u8], count: usize) -> Option<&[u8]> {
    last_labels_by(dots_of(word_before(name, name.len())), name, count)
}

/// Like [`last_labels`], given the dots among the last eight bytes.
#[inline]
fn last_labels_by(dots: u64, name: &[u8], count: usize) -> Option<&[u8]> {
    let mut dots_left = count;
    let mut end = name.len();
    let mut dots = dots;
    loop {
        while dots != 0 {
            dots_left = dots_left.saturating_sub(1);
            let after = dots.leading_zeros() & 0x38;
            if dots_left == 0 {
                return name.get(end - after as usize / 8..);
            }
            dots ^= 1 << 63 >> after;
        }
        end = end.saturating_sub(8);
        if end == 0 {
            return (dots_left == 1).then_some(name);
        }
        dots = dots_of(word_before(name, end));
    }
}

/// The eight bytes before `end`, the last one on top; zeros if there are fewer.
#[inline]
fn word_before(name: &[u8], end: usize) -> u64 {
    if let Some(word) = end.checked_sub(8).and_then(|start| name.get(start..)?.first_chunk()) {
        return u64::from_le_bytes(*word);
    }
    match name.first_chunk() {
        Some(first) => u64::from_le_bytes(*first) << (8 * (8 - end)),
        None => name.iter().fold(0, |word, &byte| word >> 8 | u64::from(byte) << 56),
    }
}

/// The top bit of each byte that is a dot.
#[inline]
fn dots_of(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let zero_where_dot = word ^ 0x2e2e_2e2e_2e2e_2e2e;
    // No carry leaves a byte, so this is exact.
    !(((zero_where_dot & LOW) + LOW) | zero_where_dot | LOW)
}

/// A bitmap of last labels that only contains `arpa`: reverse names stand for
/// addresses, whatever names are listed.
pub(super) fn empty_tails() -> Vec<u8> {
    let mut tails = vec![0u8; TAILS];
    add_tail(&mut tails, b"arpa");
    tails
}

/// Sets the bit of a last label.
pub(super) fn add_tail(tails: &mut [u8], label: &[u8]) {
    let slot = tail_slot(label);
    tails[slot >> 3] |= 1 << (slot & 7);
}

/// Builds both parts of the filter. `names` must be sorted such that those with the
/// same last labels are adjacent, as they are when reversed.
pub(super) fn build_domain_filter<'n>(
    names: impl Iterator<Item = &'n [u8]> + Clone,
) -> (Vec<u8>, Vec<u8>) {
    let mut tails = empty_tails();
    let mut bare = false;
    let mut hashes: Vec<u64> = Vec::new();
    let mut group: Vec<&[u8]> = Vec::new();
    let mut flush = |group: &mut Vec<&[u8]>| {
        let Some(&first) = group.first() else { return };
        let pair = last_labels(first, 2).unwrap_or(first);
        // An indicator for the pair itself covers everything below it.
        let crowded = group.len() > CROWD && group.iter().all(|name| name.len() > pair.len());
        if crowded {
            hashes.push(hash(pair) ^ CROWDED);
            let mut triples: Vec<u64> =
                group.iter().map(|name| hash(last_labels(name, 3).unwrap_or(name))).collect();
            triples.sort_unstable();
            triples.dedup();
            hashes.extend(triples);
        } else {
            hashes.push(hash(pair));
        }
        group.clear();
    };
    for name in names {
        add_tail(&mut tails, crate::engine::indicator::domain::last_label(name));
        bare |= !name.contains(&b'.');
        let same = group.first().is_none_or(|first| {
            last_labels(first, 2).unwrap_or(first) == last_labels(name, 2).unwrap_or(name)
        });
        if !same {
            flush(&mut group);
        }
        group.push(name);
    }
    flush(&mut group);
    if bare {
        tails.push(1);
    }
    (tails, build_bloom(&hashes))
}

/// A bitmap over the top bits of IPv4 addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct AddressBitmap<'a>(pub(super) &'a [u8]);

impl AddressBitmap<'_> {
    /// Whether an indicator may cover `address`.
    #[inline]
    pub(super) fn may_hold(self, address: u32) -> bool {
        let bits = self.0.len() as u64 * 8;
        let slot = ((u64::from(address) * bits) >> 32) as usize;
        self.0.get(slot >> 3).is_some_and(|byte| byte >> (slot & 7) & 1 != 0)
    }
}

/// Builds the bitmap over inclusive ranges: a bit for each /24, or for each /16 if
/// there is little to store.
pub(super) fn build_bitmap(ranges: &[(u32, u32)]) -> Vec<u8> {
    let slots = if ranges.len() < 4096 { 1u64 << 16 } else { 1 << 24 };
    let mut bitmap = vec![0u8; (slots / 8) as usize];
    let slot_of = |address: u32| ((u64::from(address) * slots) >> 32) as usize;
    for &(first, last) in ranges {
        for slot in slot_of(first)..=slot_of(last) {
            bitmap[slot >> 3] |= 1 << (slot & 7);
        }
    }
    bitmap
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_false_negative(names in prop::collection::btree_set("[ab]{1,2}(\\.[abc]{1,2}){0,3}", 1..120)) {
            let mut reversed: Vec<Vec<u8>> = names.iter().map(|n| n.bytes().rev().collect()).collect();
            reversed.sort();
            let names: Vec<Vec<u8>> =
                reversed.into_iter().map(|n| n.into_iter().rev().collect()).collect();
            let (tails, bloom) = build_domain_filter(names.iter().map(|n| &n[..]));
            let filter = DomainFilter { tails: &tails, bloom: Bloom(&bloom) };
            for name in &names {
                for below in ["", "x.", "www.x."] {
                    let name = [below.as_bytes(), name].concat();
                    prop_assert!(filter.may_hold(&name));
                    prop_assert!(filter.may_end_in(crate::engine::indicator::domain::last_label(&name)));
                }
            }
        }

        #[test]
        fn last_labels_are_counted_from_the_end(
            name in "[ab\\.\\x80é/]{0,40}", count in 1..5usize) {
            let name = name.as_bytes();
            let labels: Vec<&[u8]> = name.split(|b| *b == b'.').collect();
            let want = (labels.len() >= count)
                .then(|| labels[labels.len() - count..].join(&b'.'));
            prop_assert_eq!(last_labels(name, count), want.as_deref());
        }

        #[test]
        fn bitmap_covers(ranges in prop::collection::vec((any::<u32>(), 0..100_000u32), 0..50)) {
            let ranges: Vec<_> = ranges.into_iter().map(|(a, n)| (a, a.saturating_add(n))).collect();
            let bitmap = build_bitmap(&ranges);
            for (first, last) in ranges {
                prop_assert!(AddressBitmap(&bitmap).may_hold(first));
                prop_assert!(AddressBitmap(&bitmap).may_hold(last));
            }
        }
    }

    #[test]
    fn most_absent_keys_are_refused() {
        let key = |n: u32| hash(format!("h{n}.com").as_bytes());
        let bloom = build_bloom(&(0..10_000).map(key).collect::<Vec<u64>>());
        let absent = (10_000..110_000).filter(|&n| Bloom(&bloom).may_hold(key(n))).count();
        assert!(absent < 2_500, "{absent} of 100,000 absent keys pass");
    }
}
