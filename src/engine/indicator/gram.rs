//! Windows of four bytes, by which text is searched for strings that have no
//! recognisable form: paths, registry keys, mutexes.
//!
//! The compiler chooses an anchor in each string, [`STRIDE`] adjacent windows, and
//! a scan looks at every [`STRIDE`]th window of the text. Both use [`fold`] and
//! [`GramFilter`], so they cannot disagree.

use super::Kind;

/// The length of a window, in bytes.
pub const GRAM: usize = 4;
/// A scan looks at one of this many consecutive windows.
pub const STRIDE: usize = 3;
/// The bytes covered by the windows of an anchor. A shorter string cannot be found.
pub const ANCHOR: usize = GRAM + STRIDE - 1;
/// The first bytes of a string in which an anchor may begin.
pub const MAX_PLACE: usize = 256;

/// Whether text is searched for strings of this kind by their windows. CVE numbers
/// and the like are recognised by their form. User names and AS numbers are words
/// and numbers like any others, so text is not searched for them.
pub const fn is_sought(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Ssdeep
            | Kind::Telfhash
            | Kind::Vhash
            | Kind::Impfuzzy
            | Kind::SshKey
            | Kind::Filename
            | Kind::Filepath
            | Kind::Mutex
            | Kind::Regkey
            | Kind::UserAgent
            | Kind::Wallet
            | Kind::Pipe
    )
}

/// Whether every JSON encoder leaves this byte unescaped.
#[inline]
pub const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
        && !matches!(byte, b'\\' | b'"' | b'/' | b'<' | b'>' | b'&' | b'\'' | b'+' | b'=')
}

/// Folds the case of a window. This also makes a few other bytes equal, which does
/// no harm: a filter may say “maybe”.
#[inline]
pub fn fold(window: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(window) | 0x2020_2020
}

/// The folded window at `at` of `text`.
#[inline]
pub fn at(text: &[u8], at: usize) -> Option<u32> {
    text.get(at..)?.first_chunk().map(|window| fold(*window))
}

/// Spreads folded windows; the top bits are the best. Part of the format.
#[inline]
pub fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1)
}

/// A bit for the hash of each window in an anchor.
#[derive(Clone, Copy, Debug)]
pub struct GramFilter<'a> {
    bitmap: &'a [u8],
    shift: u32,
}

impl<'a> GramFilter<'a> {
    /// Wraps a bitmap of `2^bits` bits. `None` if it has another size.
    pub fn new(bitmap: &'a [u8], bits: u32) -> Option<Self> {
        let fits = (3..=30).contains(&bits) && bitmap.len() == 1 << (bits - 3);
        fits.then_some(GramFilter { bitmap, shift: 32 - bits })
    }

    /// Whether this window may be part of an anchor.
    #[inline]
    pub fn may_hold(self, gram: u32) -> bool {
        let slot = hash(gram) >> self.shift;
        let byte = self.bitmap.get((slot >> 3) as usize).copied().unwrap_or(0);
        byte >> (slot & 7) & 1 != 0
    }
}

/// Builds the bitmap of `2^bits` bits that [`GramFilter`] reads.
pub fn build_filter(grams: impl Iterator<Item = u32>, bits: u32) -> Vec<u8> {
    let mut bitmap = vec![0u8; 1 << (bits - 3)];
    for gram in grams {
        let slot = hash(gram) >> (32 - bits);
        bitmap[(slot >> 3) as usize] |= 1 << (slot & 7);
    }
    bitmap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_filters() {
        assert_eq!(at(b"xABcd", 1), Some(fold(*b"abCD")));
        assert_eq!(at(b"abc", 0), None);
        let bitmap = build_filter([fold(*b"evil")].into_iter(), 16);
        let filter = GramFilter::new(&bitmap, 16).unwrap();
        assert!(filter.may_hold(fold(*b"EVIL")));
        assert!(!filter.may_hold(fold(*b"good")));
        assert!(GramFilter::new(&bitmap, 15).is_none() && GramFilter::new(&[], 2).is_none());
    }
}
