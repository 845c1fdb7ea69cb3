//! A blocked Bloom filter: all probes of a key are in one line of the cache.
//!
//! It can exclude a key before a block is read. Some two in a hundred absent keys pass.

use xxhash_rust::xxh3::xxh3_64;

/// The bits per key.
const BITS_PER_KEY: u64 = 10;

/// The bytes of a line.
pub(super) const LINE: usize = 64;

/// The bits set for each key, chosen by nine bits of its hash each.
const PROBES: u32 = 6;

/// The bits of a line.
const LINE_BITS: u64 = 8 * LINE as u64;

/// Spreads a hash over the bits that choose within a line: those that choose the line are
/// equal for all keys in it.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of a key.
pub(super) fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// Whether a key with this hash may have been added. Without lines nothing was.
pub(super) fn may_hold(lines: &[u8], hash: u64) -> bool {
    let count = lines.len() / LINE;
    let start = line_of(hash, count) * LINE;
    let Some(line) = lines.get(start..start + LINE) else { return false };
    places(hash).all(|bit| line[bit / 8] >> (bit % 8) & 1 != 0)
}

/// A filter under construction.
#[derive(Debug)]
pub(super) struct FilterBuilder(Vec<u8>);

impl FilterBuilder {
    /// Makes room for this number of keys. With more of them, more absent keys pass.
    pub(super) fn new(keys: u64) -> Self {
        let lines = keys.saturating_mul(BITS_PER_KEY).div_ceil(LINE_BITS).max(1);
        FilterBuilder(vec![0; usize::try_from(lines).unwrap_or(usize::MAX / LINE) * LINE])
    }

    /// Adds a key by its hash.
    pub(super) fn add(&mut self, hash: u64) {
        let start = line_of(hash, self.0.len() / LINE) * LINE;
        for bit in places(hash) {
            self.0[start + bit / 8] |= 1 << (bit % 8);
        }
    }

    /// The lines.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn line_of(hash: u64, lines: usize) -> usize {
    ((u128::from(hash) * lines as u128) >> 64) as usize
}

fn places(hash: u64) -> impl Iterator<Item = usize> {
    let spread = (hash ^ hash >> 32).wrapping_mul(ODD);
    (0..PROBES).map(move |probe| (spread >> (9 * probe) & (LINE_BITS - 1)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn present_keys_pass_and_few_absent_ones() {
        let key = |number: u32| hash(&number.to_be_bytes());
        let mut builder = FilterBuilder::new(100_000);
        (0..100_000).for_each(|number| builder.add(key(number)));
        let lines = builder.into_bytes();
        assert!(lines.len() <= 125_000 + LINE);
        assert!((0..100_000).all(|number| may_hold(&lines, key(number))));
        let passed = (100_000..200_000).filter(|&number| may_hold(&lines, key(number))).count();
        assert!(passed < 3_000, "{passed} of 100,000 absent keys pass");
        assert!(!may_hold(&[], key(0)));
    }
}
