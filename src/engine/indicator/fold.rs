//! Case-insensitive hashes.
//!
//! The database's filters are built with them, and text is checked as it is,
//! without a copy in lower case. Folding sets one bit, which also makes a few other
//! characters equal (`@` and a backtick): a filter may say “maybe” too often, but
//! never too rarely. The hashes are part of the database format.

/// The size of a bitmap of last labels, in bytes.
pub const TAILS: usize = 8192;

const FOLD: u64 = 0x2020_2020_2020_2020;
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
const OTHER: u64 = 0xd6e8_feb8_6659_fd93;

/// The bit for a last label in a bitmap of [`TAILS`] bytes: a hash of its last
/// eight bytes.
#[inline]
pub fn tail_slot(label: &[u8]) -> usize {
    let mut bytes = [0; 8];
    let len = label.len().min(8);
    bytes[8 - len..].copy_from_slice(&label[label.len() - len..]);
    tail_slot_of(u64::from_le_bytes(bytes), len as u32)
}

/// [`tail_slot`] for the label of `len` bytes that ends with the top byte of
/// `word`.
#[inline]
pub fn tail_slot_of(word: u64, len: u32) -> usize {
    let kept = u64::MAX << (64 - 8 * len.clamp(1, 8));
    (((word | FOLD) & kept).wrapping_mul(ODD) >> 48) as usize
}

/// Whether a bit of a bitmap is set; beyond its end none is.
#[inline]
pub fn has_bit(bitmap: &[u8], slot: usize) -> bool {
    bitmap.get(slot >> 3).is_some_and(|byte| byte >> (slot & 7) & 1 != 0)
}

/// Hashes all bytes with folded multiplications over words of eight bytes, the last
/// of which may overlap the previous one.
#[inline]
pub fn hash(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    if len < 8 {
        let mut word = [0; 8];
        word[..len].copy_from_slice(bytes);
        return mix((u64::from_le_bytes(word) | FOLD) ^ ODD, OTHER ^ len as u64);
    }
    let mut state = OTHER ^ len as u64;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        if after.is_empty() {
            break;
        }
        state = mix((u64::from_le_bytes(*word) | FOLD) ^ ODD, state);
        rest = after;
    }
    let last = bytes.last_chunk::<8>().map_or(0, |word| u64::from_le_bytes(*word));
    mix((last | FOLD) ^ OTHER, state)
}

#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn case_is_folded_and_little_else() {
        for (a, b) in [("evil.example", "EVIL.Example"), ("a.b", "A.B"), ("x-1.com", "X-1.COM")] {
            assert_eq!(hash(a.as_bytes()), hash(b.as_bytes()));
        }
        assert_eq!(tail_slot(b"COM"), tail_slot(b"com"));
        assert_eq!(tail_slot(b"xn--p1ai"), tail_slot(b"XN--P1AI"));
        let names: Vec<String> = (0..20_000).map(|n| format!("host{n}.example")).collect();
        let hashes: HashSet<u64> = names.iter().map(|name| hash(name.as_bytes())).collect();
        assert_eq!(hashes.len(), names.len());
        // The parts that filters use are well distributed, too.
        let places: HashSet<u64> = hashes.iter().map(|h| h >> 48).collect();
        assert!(places.len() > 16_000, "{}", places.len());
        let masks: HashSet<u64> = hashes.iter().map(|h| h & 0xff_ffff).collect();
        assert!(masks.len() > 19_900, "{}", masks.len());
    }
}
