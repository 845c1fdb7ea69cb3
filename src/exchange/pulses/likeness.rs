//! How alike the texts and the values of two pulses are: similarity hashes (MinHash; Broder, “On
//! the resemblance and containment of documents”, 1997).
//!
//! The features of a pulse are each three words in a row, and each indicator. Of every one of 32
//! orders of all features, the hash has the first that the pulse has: two pulses agree in as many
//! of them as the share of features that they have in common. Pulses that have most in common
//! agree in two neighbours somewhere, by which they are found.

use super::{IndicatorDraft, MAX_INDICATORS};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The fewest features that are compared: of less, everything is alike.
const FEATURES: usize = 8;

/// Orders of the features.
const ORDERS: usize = 32;

/// Orders in which pulses agree that are nearly the same: of those that have 70% in common, almost
/// all do in so many, and of those with 40% almost none.
const LIKE: usize = 19;

/// A similarity hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness([u32; ORDERS]);

impl Likeness {
    /// That of texts and indicators; `None` if there is too little of both.
    pub fn of(texts: &[&str], indicators: &[IndicatorDraft]) -> Option<Likeness> {
        let mut first = [u64::MAX; ORDERS];
        let mut count = 0;
        let mut add = |feature: u64| {
            count += 1;
            // Each order is a multiplication by another odd number, which permutes all numbers.
            let mut factor = 0x9e37_79b9_7f4a_7c15_u64;
            for least in &mut first {
                *least = (*least).min((feature ^ factor >> 1).wrapping_mul(factor));
                factor = factor.wrapping_mul(0xd134_2543_de82_ef95) | 1;
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
        // The least numbers have zeros at their head.
        (count >= FEATURES)
            .then(|| Likeness(first.map(|least| xxh3_64(&least.to_le_bytes()) as u32)))
    }

    /// The share of features that two pulses have in common, as far as the hashes tell.
    pub fn share(&self, other: &Likeness) -> f64 {
        self.agreements(other) as f64 / ORDERS as f64
    }

    /// Whether two are of pulses that are nearly the same.
    pub fn is_like(&self, other: &Likeness) -> bool {
        self.agreements(other) >= LIKE
    }

    fn agreements(&self, other: &Likeness) -> usize {
        self.0.iter().zip(&other.0).filter(|(one, other)| one == other).count()
    }

    /// Its parts, two neighbours and their place each: hashes of like pulses have one in common.
    pub fn parts(&self) -> Vec<i64> {
        let pairs = self.0.as_chunks::<2>().0.iter().zip(0_u64..);
        pairs
            .map(|(pair, place)| {
                let bytes = [pair[0].to_le_bytes(), pair[1].to_le_bytes()].concat();
                xxh3_64_with_seed(&bytes, place).cast_signed()
            })
            .collect()
    }

    /// What is stored of it.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|of| of.to_le_bytes()).collect()
    }

    /// The hash of which these are the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Likeness> {
        let (parts, rest) = bytes.as_chunks::<4>();
        let parts: Vec<u32> = parts.iter().map(|part| u32::from_le_bytes(*part)).collect();
        Some(Likeness(parts.try_into().ok()?)).filter(|_| rest.is_empty())
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
        let one = Likeness::of(&[text], &[]).unwrap();
        let varied = Likeness::of(&[&text.replace("two days", "two weeks")], &[]).unwrap();
        assert!(one.is_like(&varied) && one.share(&varied) < 1.0, "{}", one.share(&varied));
        let other = "an analysis of a loader that was seen in mails to banks, with the domains \
                     that it asks for its configuration, and what its operators did after that";
        let unlike = Likeness::of(&[other], &[]).unwrap();
        assert!(one.share(&unlike) < 0.1, "{}", one.share(&unlike));
        assert_eq!(Likeness::of(&["Some short text"], &indicators(0, 3)), None);
        assert_eq!(Likeness::from_bytes(&one.bytes()), Some(one));
        assert_eq!(Likeness::from_bytes(&one.bytes()[1..]), None);
    }

    /// The estimate follows the share of common features, and like pulses are found by a part.
    #[test]
    fn shares_are_estimated() {
        let base = Likeness::of(&[], &indicators(0, 1000)).unwrap();
        for (moved, share) in [(0, 1.0), (50, 0.9), (100, 0.82), (500, 0.33), (1000, 0.0)] {
            let other = Likeness::of(&[], &indicators(moved, 1000 + moved)).unwrap();
            assert!((base.share(&other) - share).abs() < 0.25, "{moved}: {}", base.share(&other));
            assert_eq!(base.is_like(&other), share > 0.6, "{moved}: {}", base.share(&other));
            let is_found = base.parts().iter().any(|part| other.parts().contains(part));
            assert!(is_found || share < 0.6, "{moved}");
        }
    }
}
