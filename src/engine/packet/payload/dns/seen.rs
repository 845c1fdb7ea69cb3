//! The names of a message that have been reported.

use super::{HEADER, Name};
use crate::engine::progress::bound;

/// Names that are remembered. Others are reported again rather than lost.
const MAX_NAMES: usize = bound(64, 4);

/// As many are remembered in place.
const FEW: usize = 8;

/// What marks a pointer.
const POINTER: u16 = 0xc000;

/// Hashes of names in lower case, and their positions.
#[derive(Debug)]
pub(super) struct SeenNames<'m> {
    /// The name of the first question. It is reported first, and only hashed when there is
    /// another name.
    question: &'m Name,
    few: [u64; FEW],
    more: Vec<u64>,
    count: usize,
    /// Pointers to the positions of remembered names; 0 is none.
    places: [u16; FEW],
    placed: usize,
}

impl<'m> SeenNames<'m> {
    /// Starts with the name of the first question; empty without one.
    pub(super) fn new(question: &'m Name) -> Self {
        let (few, places) = ([0; FEW], [0; FEW]);
        let mut seen = SeenNames { question, few, more: Vec::new(), count: 0, places, placed: 0 };
        if !question.text().is_empty() {
            seen.note_place(question, HEADER);
        }
        seen
    }

    /// Whether a pointer leads to a remembered name.
    #[inline]
    pub(super) fn knows(&self, pointer: u16) -> bool {
        // All are compared at once.
        let is_known = self.places.iter().fold(false, |known, &place| known | (place == pointer));
        pointer >= POINTER && is_known
    }

    /// Notes the position of a remembered name.
    fn note_place(&mut self, name: &Name, at: usize) {
        if at < usize::from(!POINTER)
            && name.can_be_led_to()
            && let Some(place) = self.places.get_mut(self.placed)
        {
            *place = POINTER | at as u16;
            self.placed += 1;
        }
    }

    /// Notes a name at `start`; false if it was noted before.
    pub(super) fn is_first(&mut self, name: &Name, start: usize) -> bool {
        if self.count == 0 && !self.question.text().is_empty() {
            self.note(hash(self.question.text()));
        }
        let hash = hash(name.text());
        let few = self.few.get(..self.count.min(FEW)).unwrap_or_default();
        let is_first = !few.contains(&hash) && !self.more.contains(&hash);
        if is_first && !self.note(hash) {
            return true;
        }
        self.note_place(name, start);
        is_first
    }

    /// False if there is no more room.
    fn note(&mut self, hash: u64) -> bool {
        if let Some(place) = self.few.get_mut(self.count) {
            *place = hash;
        } else if self.count < MAX_NAMES {
            self.more.push(hash);
        } else {
            return false;
        }
        self.count += 1;
        true
    }
}

/// A hash of a name in lower case: folded multiplications over words of eight bytes, the last of
/// which may overlap the one before it.
fn hash(name: &[u8]) -> u64 {
    // Odd numbers with well-mixed bits; their exact values do not matter.
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    const OTHER: u64 = 0xd6e8_feb8_6659_fd93;
    let mix = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let (words, rest) = name.as_chunks::<8>();
    let mut state = OTHER ^ name.len() as u64;
    for &word in words {
        state = mix(lower(u64::from_le_bytes(word)) ^ ODD, state);
    }
    let last = match name.last_chunk() {
        Some(&last) => u64::from_le_bytes(last),
        None => rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    mix(lower(last) ^ OTHER, state)
}

/// Converts ASCII letters among eight bytes to lower case.
fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low = word & (ONES * 0x7f);
    let from_a = low + ONES * (0x80 - b'A' as u64);
    let beyond_z = low + ONES * (0x7f - b'Z' as u64);
    let is_upper = (from_a & !beyond_z & !word) & (ONES * 0x80);
    word | is_upper >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_lower_case() {
        for byte in 0..=255_u8 {
            for other in [0, b'@', b'A', b'Z', b'[', 0xff] {
                let bytes = [other, byte, other, b'x', byte, other, other, byte];
                let want = bytes.map(|byte| byte.to_ascii_lowercase());
                assert_eq!(lower(u64::from_le_bytes(bytes)).to_le_bytes(), want);
            }
        }
    }

    #[test]
    fn names_of_all_lengths_are_distinguished() {
        let mut hashes = std::collections::HashSet::new();
        let letters: Vec<u8> = (b'a'..=b'z').cycle().take(253).collect();
        for start in 0..9 {
            for name in (1..letters.len() - start).map(|length| &letters[start..start + length]) {
                assert!(hashes.insert(hash(name)));
                assert_eq!(hash(&name.to_ascii_uppercase()), hash(name));
            }
        }
    }
}
