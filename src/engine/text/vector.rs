//! Phase one with vector instructions, selected at run time.
//!
//! Two nibble look-ups and an AND give eight classes of a byte at once; rare single
//! characters are compared. Every implementation gives the same result as
//! [`classify`].
//!
//! This is the only file of this room with `unsafe` in it: for calls of functions
//! that need instructions which the processor is known to have, and for loads
//! through pointers to arrays of the right size.
//!
//! `WIRESIFT_VECTORS` (`portable`, `ssse3`, `avx2`, `avx512`, `neon`) overrides the
//! selection, for tests and for counting instructions under a tool that lacks some.
#![allow(unsafe_code)]

use super::classify::{Masks, classify};
use std::sync::OnceLock;

/// An implementation of the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Implementation {
    /// Byte by byte.
    Portable,
    /// 16 bytes at a time.
    Ssse3,
    /// 32 bytes at a time.
    Avx2,
    /// 64 bytes at a time, with masks in registers of their own.
    Avx512,
    /// 64 bytes at a time in four vectors.
    Neon,
}

impl Implementation {
    /// Every implementation, the slowest first.
    pub const ALL: &'static [Implementation] = &[
        Implementation::Portable,
        Implementation::Ssse3,
        Implementation::Avx2,
        Implementation::Avx512,
        Implementation::Neon,
    ];

    /// The name in `WIRESIFT_VECTORS`.
    pub const fn name(self) -> &'static str {
        match self {
            Implementation::Portable => "portable",
            Implementation::Ssse3 => "ssse3",
            Implementation::Avx2 => "avx2",
            Implementation::Avx512 => "avx512",
            Implementation::Neon => "neon",
        }
    }

    /// Whether this processor has the instructions.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            Implementation::Portable => true,
            Implementation::Ssse3 => is_x86_feature_detected!("ssse3"),
            Implementation::Avx2 => is_x86_feature_detected!("avx2"),
            Implementation::Avx512 => {
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
            }
            Implementation::Neon => false,
        };
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        return match self {
            Implementation::Portable => true,
            Implementation::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            Implementation::Ssse3 | Implementation::Avx2 | Implementation::Avx512 => false,
        };
        #[cfg(not(any(
            target_arch = "x86_64",
            all(target_arch = "aarch64", target_endian = "little")
        )))]
        return self == Implementation::Portable;
    }

    /// The implementation for this process: the requested one, or the fastest.
    pub fn chosen() -> Implementation {
        static CHOSEN: OnceLock<Implementation> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let wanted = std::env::var("WIRESIFT_VECTORS").unwrap_or_default();
            let available = || {
                Implementation::ALL
                    .iter()
                    .rev()
                    .copied()
                    .filter(|implementation| implementation.is_available())
            };
            available()
                .find(|implementation| implementation.name() == wanted)
                .or_else(|| available().next())
                .unwrap_or(Implementation::Portable)
        })
    }

    /// Classifies whole blocks: `text` has 64 bytes for each of `masks`.
    pub fn classify(self, text: &[u8], masks: &mut [Masks]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Implementation::Avx512 if self.is_available() => {
                // SAFETY: the processor has AVX-512 F and BW, as just checked.
                unsafe { x86::avx512(text, masks) }
            }
            #[cfg(target_arch = "x86_64")]
            Implementation::Avx2 if self.is_available() => {
                // SAFETY: the processor has AVX2, as just checked.
                unsafe { x86::avx2(text, masks) }
            }
            #[cfg(target_arch = "x86_64")]
            Implementation::Ssse3 if self.is_available() => {
                // SAFETY: the processor has SSSE3, as just checked.
                unsafe { x86::ssse3(text, masks) }
            }
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Implementation::Neon if self.is_available() => {
                // SAFETY: the processor has NEON, as just checked.
                unsafe { arm::neon(text, masks) }
            }
            _ => portable(text, masks),
        }
    }
}

/// Classifies whole blocks with the implementation for this process.
#[inline]
pub(super) fn classify_all(text: &[u8], masks: &mut [Masks]) {
    Implementation::chosen().classify(text, masks);
}

fn portable(text: &[u8], masks: &mut [Masks]) {
    for (block, masks) in text.as_chunks::<64>().0.iter().zip(masks) {
        *masks = classify(block);
    }
}

/// The classes of a byte: those that both its low and its high nibble allow.
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
mod nibbles {
    /// Classes that two nibbles determine.
    pub(super) const DIGIT: u8 = 1;
    /// `A` to `O` and `a` to `o`, with a high nibble of 4 or 6.
    pub(super) const LETTER_LOW: u8 = 2;
    /// `P` to `Z` and `p` to `z`, with a high nibble of 5 or 7.
    pub(super) const LETTER_HIGH: u8 = 4;
    /// `A` to `F` and `a` to `f`.
    pub(super) const HEX_LETTER: u8 = 8;
    pub(super) const DASH: u8 = 16;
    pub(super) const UNDERSCORE: u8 = 32;
    pub(super) const DOT: u8 = 64;
    pub(super) const SLASH: u8 = 128;

    pub(super) const NAMES: u8 = DIGIT | LETTER_LOW | LETTER_HIGH | DASH | UNDERSCORE;
    pub(super) const HEXES: u8 = DIGIT | HEX_LETTER;

    /// Classes that a low nibble allows.
    pub(super) const LOW: [u8; 16] = {
        let mut table = [0; 16];
        let mut nibble = 0;
        while nibble < 16 {
            let mut classes = 0;
            if nibble <= 9 {
                classes |= DIGIT;
            }
            if nibble >= 1 {
                classes |= LETTER_LOW;
            }
            if nibble <= 10 {
                classes |= LETTER_HIGH;
            }
            if nibble >= 1 && nibble <= 6 {
                classes |= HEX_LETTER;
            }
            classes |= match nibble {
                13 => DASH,
                14 => DOT,
                15 => UNDERSCORE | SLASH,
                _ => 0,
            };
            table[nibble] = classes;
            nibble += 1;
        }
        table
    };

    /// For each low nibble the only byte with it that begins an escape (or a byte
    /// with another low nibble, so that nothing is equal to it).
    pub(super) const ESCAPES: [u8; 16] = singles(b"#&\\^\x1b");

    /// The same for brackets.
    pub(super) const OPENS: [u8; 16] = singles(b"([");

    const fn singles(bytes: &[u8]) -> [u8; 16] {
        let mut table = [0xff; 16];
        table[15] = 0;
        let mut at = 0;
        while at < bytes.len() {
            table[(bytes[at] & 15) as usize] = bytes[at];
            at += 1;
        }
        table
    }

    /// Classes that a high nibble allows. From 8 there are none: the top bit of
    /// those bytes is set, for which a shuffle gives 0, and which can be used as a
    /// mask directly.
    pub(super) const HIGH: [u8; 16] = [
        0,
        0,
        DASH | DOT | SLASH,
        DIGIT,
        LETTER_LOW | HEX_LETTER,
        LETTER_HIGH | UNDERSCORE,
        LETTER_LOW | HEX_LETTER,
        LETTER_HIGH,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ];
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Masks;
    use super::nibbles::*;
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn avx512(text: &[u8], masks: &mut [Masks]) {
        // SAFETY: the tables are 16 bytes long; unaligned loads may be anywhere.
        let [low, high, escapes, opens] = unsafe {
            [LOW, HIGH, ESCAPES, OPENS]
                .map(|table| _mm512_broadcast_i32x4(_mm_loadu_si128(table.as_ptr().cast())))
        };
        let nibble = _mm512_set1_epi8(15);
        for (block, masks) in text.as_chunks::<64>().0.iter().zip(masks) {
            // SAFETY: a block is 64 bytes long; the load may be unaligned.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            // The low nibble with its top bit cleared: bytes beyond ASCII get the
            // classes of their low nibble here, and none from the high nibble.
            let by_low = _mm512_shuffle_epi8(low, _mm512_and_si512(bytes, nibble));
            let highs = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), nibble);
            let classes = _mm512_and_si512(by_low, _mm512_shuffle_epi8(high, highs));
            let of = |class: u8| _mm512_test_epi8_mask(classes, _mm512_set1_epi8(class as i8));
            let is = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
            // The byte that its low nibble allows; for a byte beyond ASCII it is 0.
            let is_in = |table| _mm512_cmpeq_epi8_mask(bytes, _mm512_shuffle_epi8(table, bytes));
            let beyond = _mm512_movepi8_mask(bytes);
            *masks = Masks {
                names: of(NAMES) | beyond,
                dots: of(DOT),
                digits: of(DIGIT),
                hexes: of(HEXES),
                colons: is(b':'),
                at_signs: is(b'@'),
                slashes: of(SLASH),
                odds: beyond | is(b'%'),
                escapes: is_in(escapes),
                opens: is_in(opens),
            };
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(text: &[u8], masks: &mut [Masks]) {
        // SAFETY: the tables are 16 bytes long; unaligned loads may be anywhere.
        let [low, high, escapes, opens] = unsafe {
            [LOW, HIGH, ESCAPES, OPENS]
                .map(|table| _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())))
        };
        let nibble = _mm256_set1_epi8(15);
        let zero = _mm256_setzero_si256();
        for (block, masks) in text.as_chunks::<64>().0.iter().zip(masks) {
            *masks = Masks::default();
            for half in 0..2 {
                // SAFETY: a block is 64 bytes long, so that 32 can be read at 0 and at 32.
                let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(32 * half).cast()) };
                let by_low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble));
                let highs = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
                let classes = _mm256_and_si256(by_low, _mm256_shuffle_epi8(high, highs));
                let put = |mask: &mut u64, lanes: __m256i| {
                    *mask |= u64::from(_mm256_movemask_epi8(lanes) as u32) << (32 * half);
                };
                // A lane without the class is zero, so take the complement.
                let of = |class: u8| {
                    let some = _mm256_and_si256(classes, _mm256_set1_epi8(class as i8));
                    _mm256_xor_si256(_mm256_cmpeq_epi8(some, zero), _mm256_set1_epi8(-1))
                };
                let is = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8));
                // The byte that its low nibble allows; for a byte beyond ASCII it
                // is 0.
                let is_in = |table| _mm256_cmpeq_epi8(bytes, _mm256_shuffle_epi8(table, bytes));
                put(&mut masks.names, _mm256_or_si256(of(NAMES), bytes));
                // Moves a class of one bit to the top of its byte.
                put(&mut masks.dots, _mm256_slli_epi16::<1>(classes));
                put(&mut masks.digits, _mm256_slli_epi16::<7>(classes));
                put(&mut masks.hexes, of(HEXES));
                put(&mut masks.colons, is(b':'));
                put(&mut masks.at_signs, is(b'@'));
                put(&mut masks.slashes, classes);
                put(&mut masks.odds, _mm256_or_si256(is(b'%'), bytes));
                put(&mut masks.escapes, is_in(escapes));
                put(&mut masks.opens, is_in(opens));
            }
        }
    }

    #[target_feature(enable = "ssse3")]
    pub(super) fn ssse3(text: &[u8], masks: &mut [Masks]) {
        // SAFETY: the tables are 16 bytes long; unaligned loads may be anywhere.
        let [low, high, escapes, opens] = unsafe {
            [LOW, HIGH, ESCAPES, OPENS].map(|table| _mm_loadu_si128(table.as_ptr().cast()))
        };
        let nibble = _mm_set1_epi8(15);
        let zero = _mm_setzero_si128();
        for (block, masks) in text.as_chunks::<64>().0.iter().zip(masks) {
            *masks = Masks::default();
            for quarter in 0..4 {
                // SAFETY: a block is 64 bytes long, so that 16 can be read at every
                // multiple of 16 below it.
                let bytes = unsafe { _mm_loadu_si128(block.as_ptr().add(16 * quarter).cast()) };
                let by_low = _mm_shuffle_epi8(low, _mm_and_si128(bytes, nibble));
                let highs = _mm_and_si128(_mm_srli_epi16::<4>(bytes), nibble);
                let classes = _mm_and_si128(by_low, _mm_shuffle_epi8(high, highs));
                let put = |mask: &mut u64, lanes: __m128i| {
                    *mask |= u64::from(_mm_movemask_epi8(lanes) as u16) << (16 * quarter);
                };
                let of = |class: u8| {
                    let some = _mm_and_si128(classes, _mm_set1_epi8(class as i8));
                    _mm_xor_si128(_mm_cmpeq_epi8(some, zero), _mm_set1_epi8(-1))
                };
                let is = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
                // The byte that its low nibble allows; for a byte beyond ASCII it
                // is 0.
                let is_in = |table| _mm_cmpeq_epi8(bytes, _mm_shuffle_epi8(table, bytes));
                put(&mut masks.names, _mm_or_si128(of(NAMES), bytes));
                put(&mut masks.dots, _mm_slli_epi16::<1>(classes));
                put(&mut masks.digits, _mm_slli_epi16::<7>(classes));
                put(&mut masks.hexes, of(HEXES));
                put(&mut masks.colons, is(b':'));
                put(&mut masks.at_signs, is(b'@'));
                put(&mut masks.slashes, classes);
                put(&mut masks.odds, _mm_or_si128(is(b'%'), bytes));
                put(&mut masks.escapes, is_in(escapes));
                put(&mut masks.opens, is_in(opens));
            }
        }
    }
}

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod arm {
    use super::Masks;
    use super::nibbles::*;
    use std::arch::aarch64::*;

    /// Four vectors that contain a block: the first every fourth byte from byte 0,
    /// the second from byte 1, and so on. So a mask can be assembled from top bits
    /// with four shifts; NEON has no instruction for that.
    #[target_feature(enable = "neon")]
    fn mask(lanes: [uint8x16_t; 4]) -> u64 {
        let [first, second, third, fourth] = lanes;
        // An insertion keeps as many top bits as it shifts by and fills in the
        // others from another vector, so the bits of four bytes form a nibble.
        let low = vsriq_n_u8::<1>(second, first);
        let high = vsriq_n_u8::<1>(fourth, third);
        let nibbles = vsriq_n_u8::<2>(high, low);
        // Twice in each byte; the narrowing takes one half of each.
        let twice = vreinterpretq_u16_u8(vsriq_n_u8::<4>(nibbles, nibbles));
        vget_lane_u64::<0>(vreinterpret_u64_u8(vshrn_n_u16::<4>(twice)))
    }

    #[target_feature(enable = "neon")]
    pub(super) fn neon(text: &[u8], masks: &mut [Masks]) {
        // SAFETY: the tables are 16 bytes long; loads may be anywhere.
        let [low, high, escapes, opens] =
            unsafe { [LOW, HIGH, ESCAPES, OPENS].map(|table| vld1q_u8(table.as_ptr())) };
        for (block, masks) in text.as_chunks::<64>().0.iter().zip(masks) {
            // SAFETY: a block is 64 bytes long; loads may be anywhere.
            let uint8x16x4_t(a, b, c, d) = unsafe { vld4q_u8(block.as_ptr()) };
            let bytes = [a, b, c, d];
            let classes = bytes.map(|bytes| {
                let by_low = vqtbl1q_u8(low, vandq_u8(bytes, vdupq_n_u8(15)));
                vandq_u8(by_low, vqtbl1q_u8(high, vshrq_n_u8::<4>(bytes)))
            });
            let of = |class: u8| classes.map(|classes| vtstq_u8(classes, vdupq_n_u8(class)));
            let is = |byte: u8| bytes.map(|bytes| vceqq_u8(bytes, vdupq_n_u8(byte)));
            // The byte that its low nibble allows.
            let is_in = |table| {
                bytes.map(|bytes| {
                    vceqq_u8(bytes, vqtbl1q_u8(table, vandq_u8(bytes, vdupq_n_u8(15))))
                })
            };
            let or = |one: [uint8x16_t; 4], other: [uint8x16_t; 4]| {
                std::array::from_fn(|at| vorrq_u8(one[at], other[at]))
            };
            *masks = Masks {
                // The top bit of a byte means that it is beyond ASCII.
                names: mask(or(of(NAMES), bytes)),
                // Moves a class of one bit to the top of its byte.
                dots: mask(classes.map(|classes| vshlq_n_u8::<1>(classes))),
                digits: mask(classes.map(|classes| vshlq_n_u8::<7>(classes))),
                hexes: mask(of(HEXES)),
                colons: mask(is(b':')),
                at_signs: mask(is(b'@')),
                slashes: mask(classes),
                odds: mask(or(is(b'%'), bytes)),
                escapes: mask(is_in(escapes)),
                opens: mask(is_in(opens)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agree(text: &[u8]) {
        let blocks = text.len() / 64;
        let mut want = vec![Masks::default(); blocks];
        portable(&text[..blocks * 64], &mut want);
        for implementation in
            Implementation::ALL.iter().filter(|implementation| implementation.is_available())
        {
            let mut got = vec![Masks::default(); blocks];
            implementation.classify(&text[..blocks * 64], &mut got);
            assert_eq!(got, want, "{}", implementation.name());
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=255u8 {
            for place in 0..64 {
                let mut block = [b' '; 64];
                block[place] = byte;
                agree(&block);
                block.fill(byte);
                agree(&block);
            }
        }
    }

    /// The recorded logs, and the real ones if available, from several offsets.
    #[test]
    fn every_log_at_several_alignments() {
        let project = env!("CARGO_MANIFEST_DIR");
        let (ours, real) =
            (format!("{project}/testdata/logs"), format!("{project}/../shared/data/logs"));
        let mut blocks = 0;
        for folder in [ours, real] {
            if !std::path::Path::new(&folder).exists() {
                eprintln!("SKIPPED: {folder} is not there");
                continue;
            }
            for entry in walkdir::WalkDir::new(folder) {
                let entry = entry.unwrap();
                if entry.file_type().is_file() {
                    let bytes = std::fs::read(entry.path()).unwrap();
                    for skip in [0, 1, 31, 63] {
                        agree(bytes.get(skip..).unwrap_or(&[]));
                    }
                    blocks += bytes.len() / 64;
                }
            }
        }
        assert!(blocks > 900, "only {blocks} blocks of our own logs");
    }

    proptest! {
        #[test]
        fn any_bytes_at_any_alignment(
            bytes in prop::collection::vec(any::<u8>(), 0..600), skip in 0..64usize) {
            agree(bytes.get(skip..).unwrap_or(&[]));
        }
    }
}
