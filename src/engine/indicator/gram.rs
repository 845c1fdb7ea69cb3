//! Windows of four bytes, by which strings that nothing else gives away are looked
//! for in text: paths, registry keys, mutexes.
//!
//! The compiler chooses an anchor in each string, [`STRIDE`] windows side by side,
//! and a scan looks at every [`STRIDE`]th window of the text. Both go through
//! [`fold`] and [`GramFilter`], so that they cannot disagree.

use super::Kind;

/// Bytes of a window.
pub const GRAM: usize = 4;
/// Of so many windows in a row a scan looks at one.
pub const STRIDE: usize = 3;
/// Bytes that the windows of an anchor cover: nothing shorter can be found.
pub const ANCHOR: usize = GRAM + STRIDE - 1;
/// An anchor begins among so many bytes of its string.
pub const MAX_PLACE: usize = 256;

/// Whether strings of this kind are looked for in text by their windows. CVE numbers
/// and their like are known by their form; names of users and numbers of autonomous
/// systems are words and numbers like any others, so that nothing looks for them.
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

/// Whether JSON has this byte as it is, whoever writes it.
#[inline]
pub const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
        && !matches!(byte, b'\\' | b'"' | b'/' | b'<' | b'>' | b'&' | b'\'' | b'+' | b'=')
}

/// A window with the difference of upper and lower case taken out. That it also
/// joins a few other bytes does no harm: a filter may say "maybe".
#[inline]
pub fn fold(window: [u8; GRAM]) -> u32 {
    u32::from_le_bytes(window) | 0x2020_2020
}

/// The folded window at `at` of `text`.
#[inline]
pub fn at(text: &[u8], at: usize) -> Option<u32> {
    text.get(at..)?.first_chunk().map(|window| fold(*window))
}

/// Spreads folded windows; the top bits are the good ones. Part of the format.
#[inline]
pub fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1)
}

/// One bit for the hash of each window that is in an anchor.
#[derive(Clone, Copy, Debug)]
pub struct GramFilter<'a> {
    bitmap: &'a [u8],
    shift: u32,
}

impl<'a> GramFilter<'a> {
    /// Takes a bitmap of `2^bits` bits. `None` if it is of another size.
    pub fn new(bitmap: &'a [u8], bits: u32) -> Option<Self> {
        let fits = (3..=30).contains(&bits) && bitmap.len() == 1 << (bits - 3);
        fits.then_some(GramFilter { bitmap, shift: 32 - bits })
    }

    /// Whether this window can be in an anchor.
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
