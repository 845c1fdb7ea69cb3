//! Phase one: 64 bytes to bit masks.

/// Classes of a block of 64 bytes; bit `i` speaks of byte `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// Letters, digits, `_`, `-`, and every byte of a character beyond ASCII.
    pub names: u64,
    /// `.`
    pub dots: u64,
    /// Letters and digits.
    pub alnums: u64,
    /// Hex digits of either case.
    pub hexes: u64,
    /// `:`
    pub colons: u64,
    /// `@`
    pub at_signs: u64,
    /// `/`
    pub slashes: u64,
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

/// Whether `byte` is of one of these classes.
#[inline]
pub(super) fn is(byte: u8, classes: u8) -> bool {
    CLASSES[usize::from(byte)] & classes != 0
}

/// Classifies a block, byte by byte: the oracle of every faster way.
#[inline]
pub fn classify(block: &[u8; 64]) -> Masks {
    let mut masks = Masks::default();
    for (at, &byte) in block.iter().enumerate() {
        let classes = u64::from(CLASSES[usize::from(byte)]);
        masks.names |= (classes & 1) << at;
        masks.dots |= (classes >> 1 & 1) << at;
        masks.alnums |= (classes >> 2 & 1) << at;
        masks.hexes |= (classes >> 3 & 1) << at;
        masks.colons |= (classes >> 4 & 1) << at;
        masks.at_signs |= (classes >> 5 & 1) << at;
        masks.slashes |= (classes >> 6 & 1) << at;
    }
    masks
}

impl Masks {
    /// Dots with a name character on both sides.
    #[inline]
    pub fn inner_dots(&self, previous: &Masks, next: &Masks) -> u64 {
        let before = self.names << 1 | previous.names >> 63;
        let behind = self.names >> 1 | next.names << 63;
        self.dots & before & behind
    }

    /// Colons with a hex digit or a colon on both sides.
    #[inline]
    pub fn inner_colons(&self, previous: &Masks, next: &Masks) -> u64 {
        let both = self.hexes | self.colons;
        let before = both << 1 | (previous.hexes | previous.colons) >> 63;
        let behind = both >> 1 | (next.hexes | next.colons) << 63;
        self.colons & before & behind
    }

    /// Slashes that are followed by a slash.
    #[inline]
    pub fn double_slashes(&self, next: &Masks) -> u64 {
        self.slashes & (self.slashes >> 1 | next.slashes << 63)
    }

    /// Places from which on 32 hex digits stand.
    #[inline]
    pub fn long_hexes(&self, next: &Masks) -> u64 {
        let mut run = u128::from(self.hexes) | u128::from(next.hexes) << 64;
        for step in [1, 2, 4, 8, 16] {
            run &= run >> step;
        }
        run as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte() {
        for byte in 0..=255u8 {
            let mut block = [b' '; 64];
            block[17] = byte;
            let masks = classify(&block);
            let bit = |mask: u64| {
                assert_eq!(mask & !(1 << 17), 0);
                mask >> 17 & 1 == 1
            };
            assert_eq!(
                bit(masks.names),
                byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || byte >= 0x80
            );
            assert_eq!(bit(masks.dots), byte == b'.');
            assert_eq!(bit(masks.alnums), byte.is_ascii_alphanumeric());
            assert_eq!(bit(masks.hexes), byte.is_ascii_hexdigit());
            assert_eq!(bit(masks.colons), byte == b':');
            assert_eq!(bit(masks.at_signs), byte == b'@');
            assert_eq!(bit(masks.slashes), byte == b'/');
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
    }
}
