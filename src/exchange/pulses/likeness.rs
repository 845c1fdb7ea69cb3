//! How alike the texts and the values of two pulses are: similarity hashes (SimHash; Charikar,
//! “Similarity estimation techniques from rounding algorithms”, 2002).
//!
//! Each feature of a pulse, three words in a row or an indicator, votes on each of 64 bits. Texts
//! that share most features differ in few bits; and of two that differ in three at most, one of
//! four parts is equal, by which they are found.

use super::{IndicatorDraft, MAX_INDICATORS};
use xxhash_rust::xxh3::xxh3_64;

/// The fewest features that are compared: of less, everything is alike.
const FEATURES: usize = 8;

/// Bits in which hashes of like pulses differ at most.
const DISTANCE: u32 = 3;

/// A similarity hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness(pub i64);

impl Likeness {
    /// That of texts and indicators; `None` if there is too little of both.
    pub fn of(texts: &[&str], indicators: &[IndicatorDraft]) -> Option<Likeness> {
        let mut votes = [0_i32; 64];
        let mut count = 0;
        let mut add = |feature: u64| {
            count += 1;
            for (bit, vote) in votes.iter_mut().enumerate() {
                *vote += if feature >> bit & 1 == 1 { 1 } else { -1 };
            }
        };
        for text in texts {
            let words: Vec<String> = text
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(str::to_lowercase)
                .collect();
            words.windows(3).for_each(|three| add(xxh3_64(three.join(" ").as_bytes())));
        }
        for of in indicators.iter().take(MAX_INDICATORS) {
            add(xxh3_64(of.norm.as_bytes()));
        }
        if count < FEATURES {
            return None;
        }
        let bits = votes
            .iter()
            .enumerate()
            .fold(0, |bits: u64, (bit, vote)| bits | u64::from(*vote > 0) << bit);
        Some(Likeness(bits.cast_signed()))
    }

    /// Whether two are of pulses that are nearly the same.
    pub fn is_like(self, other: Likeness) -> bool {
        (self.0 ^ other.0).count_ones() <= DISTANCE
    }

    /// Its four parts, each with its place: hashes of like pulses have one in common.
    pub fn parts(self) -> [i64; 4] {
        let bits = self.0.cast_unsigned();
        [0, 1, 2, 3].map(|place| (place << 16 | bits >> (16 * place) & 0xffff).cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::pulses::Type;

    fn indicators(from: usize, to: usize) -> Vec<IndicatorDraft> {
        let value = |at| IndicatorDraft::new(Type::Domain, &format!("h{at}.example")).unwrap();
        (from..to).map(value).collect()
    }

    #[test]
    fn variations_are_alike_and_others_are_not() {
        let text = "cheap pills and watches, visit our shop at the end of the street today, \
                    all brands, all sizes, delivery within two days, satisfaction guaranteed";
        let one = Likeness::of(&[text], &indicators(0, 200)).unwrap();
        let varied = text.replace("two days", "a week");
        let other = Likeness::of(&[&varied], &indicators(0, 200)).unwrap();
        assert!(one.is_like(other), "{}", (one.0 ^ other.0).count_ones());
        assert!(one.parts().iter().zip(other.parts()).any(|(one, other)| *one == other));
        let unlike = Likeness::of(&[text], &indicators(1000, 1200)).unwrap();
        assert!(!one.is_like(unlike), "{}", (one.0 ^ unlike.0).count_ones());
        assert_eq!(Likeness::of(&["Some short text"], &indicators(0, 3)), None);
    }

    /// Whatever the bits, two hashes that are alike share a part.
    #[test]
    fn like_hashes_share_a_part() {
        let one = Likeness(0x0123_4567_89ab_cdef);
        for (a, b, c) in [(0, 1, 2), (5, 20, 40), (16, 32, 48), (63, 47, 31)] {
            let other = Likeness(one.0 ^ (1 << a) ^ (1 << b) ^ (1_u64 << c).cast_signed());
            assert!(one.is_like(other));
            assert!(one.parts().iter().any(|part| other.parts().contains(part)));
        }
    }
}
