//! Phase one: turns 64 bytes into bit masks.

use super::escapes::begins_escape;
use super::vector;

/// The number of blocks in a [`Tile`]: 16 KiB of text, whose masks take as much
/// again, stay in the first-level cache until phase two has processed them.
pub const TILE: usize = 256;

/// The classes of a block of 64 bytes; bit `i` is for byte `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Letters, digits, `_`, `-`, and every byte of a character beyond ASCII.
    pub names: u64,
    /// `.`
    pub dots: u64,
    /// Decimal digits.
    pub digits: u64,
    /// Hex digits of either case.
    pub hexes: u64,
    /// `:`
    pub colons: u64,
    /// `@`
    pub at_signs: u64,
    /// `/`
    pub slashes: u64,
    /// Bytes that send a candidate next to them to the slow path: `%`, and every
    /// byte beyond ASCII.
    pub odds: u64,
    /// First bytes of other escapes: `\`, `&`, `#`, `^`, ESC. They are read
    /// separately (`pieces`) and do not affect candidates.
    pub escapes: u64,
    /// `(` and `[`
    pub opens: u64,
}

/// Classes of a byte, as bits of the table.
pub(super) mod class {
    pub(in super::super) const NAME: u8 = 1;
    pub(in super::super) const DOT: u8 = 2;
    pub(in super::super) const ALNUM: u8 = 4;
    pub(in super::super) const HEX: u8 = 8;
    pub(in super::super) const COLON: u8 = 16;
    pub(in super::super) const AT: u8 = 32;
    pub(in super::super) const SLASH: u8 = 64;
    pub(in super::super) const DIGIT: u8 = 128;
}

/// The classes of every byte.
pub(super) static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric() {
            table[byte] |= class::ALNUM | class::NAME;
        }
        if b == b'_' || b == b'-' || b >= 0x80 {
            table[byte] |= class::NAME;
        }
        if b.is_ascii_hexdigit() {
            table[byte] |= class::HEX;
        }
        if b.is_ascii_digit() {
            table[byte] |= class::DIGIT;
        }
        table[byte] |= match b {
            b'.' => class::DOT,
            b':' => class::COLON,
            b'@' => class::AT,
            b'/' => class::SLASH,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Whether `byte` is in one of these classes.
#[inline]
pub(super) fn is(byte: u8, classes: u8) -> bool {
    CLASSES[usize::from(byte)] & classes != 0
}

/// Classifies a block byte by byte: the oracle for every faster way.
pub fn classify(block: &[u8; 64]) -> Masks {
    let mut masks = Masks::default();
    for (at, &byte) in block.iter().enumerate() {
        let classes = u64::from(CLASSES[usize::from(byte)]);
        let bit = |class: u8| (classes >> class.trailing_zeros() & 1) << at;
        masks.names |= bit(class::NAME);
        masks.dots |= bit(class::DOT);
        masks.digits |= bit(class::DIGIT);
        masks.hexes |= bit(class::HEX);
        masks.colons |= bit(class::COLON);
        masks.at_signs |= bit(class::AT);
        masks.slashes |= bit(class::SLASH);
        let is_odd = byte >= 0x80 || byte == b'%';
        masks.odds |= u64::from(is_odd) << at;
        masks.escapes |= u64::from(byte < 0x80 && begins_escape(byte)) << at;
        masks.opens |= u64::from(matches!(byte, b'(' | b'[')) << at;
    }
    masks
}

/// The masks of up to [`TILE`] blocks, with one block before and one after them.
#[derive(Debug)]
pub struct Tile {
    masks: Box<[Masks; TILE + 2]>,
    len: usize,
}

impl Default for Tile {
    fn default() -> Self {
        Tile { masks: Box::new([Masks::default(); TILE + 2]), len: 0 }
    }
}

impl Tile {
    /// Classifies the blocks from `first`, a multiple of 64, up to `last` or the
    /// end of the tile. Beyond the text everything is a separator.
    pub fn fill(&mut self, text: &[u8], first: usize, last: usize) {
        let last = last.min(first + TILE * 64);
        self.len = (last - first).div_ceil(64);
        let from = first.checked_sub(64);
        let start = from.unwrap_or(0);
        let slots = if from.is_some() {
            &mut self.masks[..self.len + 2]
        } else {
            self.masks[0] = Masks::default();
            &mut self.masks[1..self.len + 2]
        };
        let whole = slots.len().min(text.len().saturating_sub(start) / 64);
        let (full, rest) = slots.split_at_mut(whole);
        if whole > 0 {
            vector::classify_all(&text[start..start + whole * 64], full);
        }
        let Some((part, beyond)) = rest.split_first_mut() else { return };
        let tail = text.get(start + whole * 64..).unwrap_or_default();
        let mut block = [b'\n'; 64];
        let len = tail.len().min(64);
        block[..len].copy_from_slice(&tail[..len]);
        vector::classify_all(&block, std::slice::from_mut(part));
        // Separators are in no class.
        beyond.fill(Masks::default());
    }

    /// The number of blocks.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no blocks.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The masks of all blocks, including the block before the first and the one
    /// after the last.
    pub(super) fn masks(&self) -> &[Masks] {
        &self.masks[..self.len + 2]
    }

    /// Block `at`, with the blocks before and after it.
    #[inline]
    pub fn around(&self, at: usize) -> (&Masks, &Masks, &Masks) {
        let masks: &[Masks; TILE + 2] = &self.masks;
        let at = at.min(TILE - 1);
        (&masks[at], &masks[at + 1], &masks[at + 2])
    }
}

impl Masks {
    /// Dots with a name character on both sides.
    #[inline]
    pub fn inner_dots(&self, previous: &Masks, next: &Masks) -> u64 {
        let before = self.names << 1 | previous.names >> 63;
        let after = self.names >> 1 | next.names << 63;
        self.dots & before & after
    }

    /// Colons with a hex digit or a colon on both sides.
    #[inline]
    pub fn inner_colons(&self, previous: &Masks, next: &Masks) -> u64 {
        let both = self.hexes | self.colons;
        let before = both << 1 | (previous.hexes | previous.colons) >> 63;
        let after = both >> 1 | (next.hexes | next.colons) << 63;
        self.colons & before & after
    }

    /// Slashes that are followed by a slash.
    #[inline]
    pub fn double_slashes(&self, next: &Masks) -> u64 {
        self.slashes & (self.slashes >> 1 | next.slashes << 63)
    }

    /// Whether 16 hex digits fill an aligned quarter of the block. Every run of 32
    /// does so somewhere.
    #[inline]
    fn has_hex_quarter(&self) -> bool {
        let missing = !self.hexes;
        missing.wrapping_sub(0x0001_0001_0001_0001) & self.hexes & 0x8000_8000_8000_8000 != 0
    }

    /// Positions at which 32 hex digits begin.
    #[inline]
    pub fn long_hexes(&self, next: &Masks) -> u64 {
        if !self.has_hex_quarter() && !next.has_hex_quarter() {
            return 0;
        }
        let mut run = u128::from(self.hexes) | u128::from(next.hexes) << 64;
        for step in [1, 2, 4, 8, 16] {
            run &= run >> step;
        }
        run as u64
    }

    /// Opening brackets that follow no name and precede a digit or a non-name
    /// character.
    #[inline]
    pub fn opens_of_digits(&self, previous: &Masks, next: &Masks) -> u64 {
        let letters = self.names & !self.digits;
        let after = letters >> 1 | (next.names & !next.digits) << 63;
        let before = self.names << 1 | previous.names >> 63;
        self.opens & !after & !before
    }
}

/// The 64 bits before bit `bit` of `mask`, the last of them on top.
#[inline]
pub(super) fn window(previous: u64, mask: u64, bit: u32) -> u64 {
    let both = u128::from(mask) << 64 | u128::from(previous);
    (both >> bit) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_classes() {
        for byte in 0..=255u8 {
            let mut block = [b' '; 64];
            block[17] = byte;
            let masks = classify(&block);
            let bit = |mask: u64| {
                assert_eq!(mask & !(1 << 17), 0);
                mask >> 17 & 1 == 1
            };
            let is_name = byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || byte >= 0x80;
            assert_eq!(bit(masks.names), is_name);
            assert_eq!(bit(masks.dots), byte == b'.');
            assert_eq!(bit(masks.digits), byte.is_ascii_digit());
            assert_eq!(bit(masks.hexes), byte.is_ascii_hexdigit());
            assert_eq!(bit(masks.colons), byte == b':');
            assert_eq!(bit(masks.at_signs), byte == b'@');
            assert_eq!(bit(masks.slashes), byte == b'/');
            assert_eq!(bit(masks.odds), byte >= 0x80 || byte == b'%');
            assert_eq!(bit(masks.escapes), b"\\&#^\x1b".contains(&byte));
            assert_eq!(bit(masks.opens), b"([".contains(&byte));
        }
    }

    #[test]
    fn neighbours_count() {
        let (a, b) = ([b'a'; 64], {
            let mut b = [b'a'; 64];
            b[0] = b'.';
            b
        });
        let (a, b) = (classify(&a), classify(&b));
        assert_eq!(b.inner_dots(&a, &a), 1);
        assert_eq!(b.inner_dots(&Masks::default(), &a), 0);
        assert_eq!(a.long_hexes(&a), u64::MAX);
        assert_eq!(a.long_hexes(&Masks::default()), (1 << 33) - 1);
        assert_eq!(window(0b1 << 63, 0b11, 0), 1 << 63);
        assert_eq!(window(1 << 63, 0b11, 2), 0b111 << 61);
    }

    #[test]
    fn tiles_are_blocks() {
        let text: Vec<u8> =
            (0..40_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let block = |at: Option<usize>| {
            let mut bytes = [b'\n'; 64];
            if let Some(tail) = at.and_then(|at| text.get(at..)) {
                let len = tail.len().min(64);
                bytes[..len].copy_from_slice(&tail[..len]);
            }
            if at.is_some() { classify(&bytes) } else { Masks::default() }
        };
        let mut tile = Tile::default();
        for (first, last) in [(0, 40_000), (64, 100), (16_384, 40_000), (39_936, 40_000), (0, 1)] {
            tile.fill(&text, first, last);
            for at in 0..tile.len() {
                let place = first + at * 64;
                let (before, here, after) = tile.around(at);
                assert_eq!(*before, block(place.checked_sub(64)), "{first} {at}");
                assert_eq!(*here, block(Some(place)));
                assert_eq!(*after, block(Some(place + 64)));
            }
        }
    }
}
