//! The Huffman code of HPACK (RFC 7541, 5.2 and appendix B), incrementally.
//!
//! The code is canonical: codes of the same length are in the order of their symbols, and longer
//! ones follow shorter ones. So the lengths define all of it.

use super::Broken;

/// Bits of each symbol's code; the last one is the end-of-string symbol, which is never sent.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// Bits of the shortest and of the longest code.
const SHORTEST: usize = 5;
const LONGEST: usize = 30;

/// Codes of up to this many bits are found by one lookup.
const FAST: usize = 8;

struct Tables {
    /// Symbols in code order.
    symbols: [u16; 257],
    /// By length: the end of its codes, shifted to the top of 32 bits.
    limit: [u64; LONGEST + 1],
    /// By length: the position in `symbols` minus the code.
    offset: [i32; LONGEST + 1],
    /// By the next bits: symbol and length; length 0 for longer codes.
    fast: [(u8, u8); 1 << FAST],
}

const fn build() -> Tables {
    let mut tables = Tables {
        symbols: [0; 257],
        limit: [0; LONGEST + 1],
        offset: [0; LONGEST + 1],
        fast: [(0, 0); 1 << FAST],
    };
    let (mut code, mut place, mut length) = (0_u32, 0, SHORTEST);
    while length <= LONGEST {
        tables.offset[length] = place as i32 - code as i32;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                tables.symbols[place] = symbol as u16;
                if length <= FAST {
                    let (start, mut at) = ((code as usize) << (FAST - length), 0);
                    while at < 1 << (FAST - length) {
                        tables.fast[start + at] = (symbol as u8, length as u8);
                        at += 1;
                    }
                }
                place += 1;
                code += 1;
            }
            symbol += 1;
        }
        tables.limit[length] = (code as u64) << (32 - length);
        code <<= 1;
        length += 1;
    }
    tables
}

static TABLES: Tables = build();

/// A string that is being decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Huffman {
    /// Bits of an incomplete code, the last `count` of them.
    bits: u64,
    count: usize,
}

impl Huffman {
    /// Decodes the next bytes; at most `max` bytes are written to `out`.
    pub(super) fn push(
        &mut self,
        data: &[u8],
        out: &mut Vec<u8>,
        max: usize,
    ) -> Result<(), Broken> {
        let (fours, rest) = data.as_chunks();
        for &four in fours {
            self.add(u32::from_be_bytes(four).into(), 32, out, max)?;
        }
        for &byte in rest {
            self.add(byte.into(), 8, out, max)?;
        }
        Ok(())
    }

    /// Takes more bits, and decodes all complete codes.
    #[inline]
    fn add(
        &mut self,
        bits: u64,
        count: usize,
        out: &mut Vec<u8>,
        max: usize,
    ) -> Result<(), Broken> {
        // Fewer than 30 bits are left over from the codes before.
        let mut left = self.count + count;
        // Shifted to the top; missing bits are 0, and then no code is long enough to match.
        let mut top = (self.bits << count | bits) << (64 - left);
        while let Some((symbol, length)) = next(top, left) {
            (top, left) = (top << length, left - length);
            let Ok(symbol) = u8::try_from(symbol) else {
                *self = Huffman::default();
                return Err(Broken);
            };
            if out.len() < max {
                out.push(symbol);
            }
        }
        self.count = left;
        self.bits = top.checked_shr((64 - left) as u32).unwrap_or(0);
        Ok(())
    }

    /// The end of the string: what is left must be less than a byte, all ones.
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        let Huffman { bits, count } = std::mem::take(self);
        let ones = (1 << count) - 1;
        if count < 8 && bits & ones == ones { Ok(()) } else { Err(Broken) }
    }
}

/// The next code, if it is complete: there are `count` bits, at the top.
#[inline]
fn next(bits: u64, count: usize) -> Option<(u16, usize)> {
    let (symbol, length) = TABLES.fast[(bits >> (64 - FAST)) as usize];
    if length > 0 {
        let length = usize::from(length);
        return (length <= count).then_some((u16::from(symbol), length));
    }
    let top = bits >> 32;
    let length = (FAST + 1..=LONGEST).find(|&length| top < TABLES.limit[length])?;
    if length > count {
        return None;
    }
    let code = (top >> (32 - length)) as i32;
    let symbol = TABLES.symbols.get((code + TABLES.offset[length]) as usize)?;
    Some((*symbol, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Appendix B of RFC 7541: symbol and code.
    const CODES: &str = include_str!("huffman.tsv");

    fn codes() -> Vec<&'static str> {
        CODES.lines().map(|line| line.split_once('\t').unwrap().1).collect()
    }

    /// Bit by bit, with the table of the RFC.
    fn naive(data: &[u8]) -> Result<Vec<u8>, Broken> {
        let codes = codes();
        let (mut out, mut bits) = (Vec::new(), String::new());
        for at in 0..8 * data.len() {
            bits.push(if data[at / 8] & (0x80 >> (at % 8)) == 0 { '0' } else { '1' });
            if let Some(symbol) = codes.iter().position(|code| *code == bits) {
                out.push(u8::try_from(symbol).map_err(|_| Broken)?);
                bits.clear();
            }
        }
        if bits.len() < 8 && !bits.contains('0') { Ok(out) } else { Err(Broken) }
    }

    fn encode(text: &[u8]) -> Vec<u8> {
        let mut bits: String = text.iter().map(|&byte| codes()[usize::from(byte)]).collect();
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        bits.as_bytes()
            .chunks(8)
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .collect()
    }

    fn decode(parts: &[&[u8]]) -> Result<Vec<u8>, Broken> {
        let (mut huffman, mut out) = (Huffman::default(), Vec::new());
        for part in parts {
            huffman.push(part, &mut out, usize::MAX)?;
        }
        huffman.end().map(|()| out)
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let codes = codes();
        assert_eq!(codes.len(), LENGTHS.len());
        for (code, length) in codes.iter().zip(LENGTHS) {
            assert_eq!(code.len(), usize::from(length));
        }
        assert_eq!(TABLES.symbols[256], 256);
        assert_eq!(TABLES.limit[LONGEST], 1 << 32);
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&[&encode(&all)]), Ok(all));
    }

    #[test]
    fn bad_padding_and_the_code_that_is_never_sent() {
        assert_eq!(decode(&[b"\xff"]), Err(Broken));
        assert_eq!(decode(&[b"\x18"]), Err(Broken));
        assert_eq!(decode(&[b"\x1f"]), Ok(b"a".to_vec()));
        assert_eq!(decode(&[b"\xff\xff\xff\xff"]), Err(Broken));
        assert_eq!(decode(&[]), Ok(vec![]));
        let (mut huffman, mut out) = (Huffman::default(), Vec::new());
        huffman.push(&encode(b"abcdef"), &mut out, 3).unwrap();
        assert_eq!(out, b"abc");
    }

    proptest! {
        #[test]
        fn any_bytes_decode_like_the_table(
            data in proptest::collection::vec(any::<u8>(), 0..40),
            text in proptest::collection::vec(any::<u8>(), 0..40),
            cut in any::<prop::sample::Index>(),
        ) {
            let (a, b) = data.split_at(cut.index(data.len() + 1));
            prop_assert_eq!(decode(&[a, b]), naive(&data));
            let coded = encode(&text);
            let (a, b) = coded.split_at(cut.index(coded.len() + 1));
            prop_assert_eq!(decode(&[a, b]), Ok(text));
        }
    }
}
