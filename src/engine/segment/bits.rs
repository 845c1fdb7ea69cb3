//! Columns of numbers, bit-packed against their minimum.
//!
//! A column of a block is a byte that says how it is packed, the minimum, and the packed
//! differences:
//!
//! ```text
//! 0         every number is 0
//! 1 + w     dense: minimum (LEB128), then w bits for each number
//! 128 + w   sparse: minimum, a bitmap of the numbers that are not 0, then w bits for each of these
//! ```
//!
//! The writer takes the shorter form. So a column that a caller does not use costs a byte for
//! each block, and one that few rows need costs a bit for each.

/// Added to the width of a sparse column.
const SPARSE: u8 = 128;

/// The widest number, in bits.
const MAX_WIDTH: u8 = 64;

/// Appends a number in groups of seven bits, the lowest first (LEB128).
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The next bytes, if there are enough.
pub(super) fn take<'b>(from: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (head, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(head)
}

/// The next byte.
pub(super) fn take_byte(from: &mut &[u8]) -> Option<u8> {
    let (&byte, rest) = from.split_first()?;
    *from = rest;
    Some(byte)
}

/// What [`put_number`] wrote.
pub(super) fn take_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(from)?;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Appends a column.
pub(super) fn put_column(out: &mut Vec<u8>, numbers: &[u64]) {
    let there = || numbers.iter().copied().filter(|&number| number != 0);
    let Some(least_there) = there().min() else {
        return out.push(0);
    };
    let most = there().max().unwrap_or(0);
    let least = numbers.iter().copied().min().unwrap_or(0);
    let (dense, sparse) = (width(most - least), width(most - least_there));
    let dense_bits = usize::from(dense) * numbers.len();
    let sparse_bits = numbers.len() + usize::from(sparse) * there().count();
    if dense_bits <= sparse_bits {
        out.push(1 + dense);
        put_number(out, least);
        return pack(out, numbers.iter().map(|number| number - least), dense);
    }
    out.push(SPARSE + sparse);
    put_number(out, least_there);
    pack(out, numbers.iter().map(|&number| u64::from(number != 0)), 1);
    pack(out, there().map(|number| number - least_there), sparse);
}

/// Reads a column of `count` numbers.
pub(super) fn take_column(from: &mut &[u8], count: usize, numbers: &mut Vec<u64>) -> Option<()> {
    numbers.clear();
    let form = take_byte(from)?;
    if form == 0 {
        numbers.resize(count, 0);
        return Some(());
    }
    let is_sparse = form >= SPARSE;
    let width = if is_sparse { form - SPARSE } else { form - 1 };
    if width > MAX_WIDTH {
        return None;
    }
    let least = take_number(from)?;
    if !is_sparse {
        let packed = take(from, (count * usize::from(width)).div_ceil(8))?;
        numbers.extend((0..count).map(|at| least.saturating_add(unpack(packed, at, width))));
        return Some(());
    }
    let bitmap = take(from, count.div_ceil(8))?;
    let is_there = |at: usize| unpack(bitmap, at, 1) != 0;
    let there = (0..count).filter(|&at| is_there(at)).count();
    let packed = take(from, (there * usize::from(width)).div_ceil(8))?;
    let mut next = 0;
    numbers.extend((0..count).map(|at| {
        if !is_there(at) {
            return 0;
        }
        next += 1;
        least.saturating_add(unpack(packed, next - 1, width))
    }));
    Some(())
}

/// The bits that a number needs.
fn width(number: u64) -> u8 {
    (u64::BITS - number.leading_zeros()) as u8
}

/// Appends numbers of `width` bits, the first in the lowest bits.
fn pack(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>, width: u8) {
    if width == 0 {
        return;
    }
    let (mut waiting, mut bits) = (0u128, 0);
    for number in numbers {
        waiting |= u128::from(number) << bits;
        bits += u32::from(width);
        while bits >= 8 {
            out.push(waiting as u8);
            waiting >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(waiting as u8);
    }
}

/// The number at a position of what [`pack`] wrote; missing bytes count as 0.
fn unpack(packed: &[u8], at: usize, width: u8) -> u64 {
    if width == 0 {
        return 0;
    }
    let bit = at * usize::from(width);
    let mut bytes = [0; 16];
    let rest = packed.get(bit / 8..).unwrap_or_default();
    let length = rest.len().min(9);
    bytes[..length].copy_from_slice(&rest[..length]);
    let number = (u128::from_le_bytes(bytes) >> (bit % 8)) as u64;
    if width >= MAX_WIDTH { number } else { number & ((1 << width) - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(numbers: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_column(&mut bytes, numbers);
        bytes
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            numbers in prop::collection::vec(prop_oneof![Just(0u64), 0..9u64, any::<u64>()], 1..129),
            shift in 0..64u32,
        ) {
            let numbers: Vec<u64> = numbers.iter().map(|number| number >> shift).collect();
            let bytes = packed(&numbers);
            let (mut rest, mut back) = (&bytes[..], Vec::new());
            take_column(&mut rest, numbers.len(), &mut back).unwrap();
            prop_assert_eq!(back, numbers);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_a_column_or_none(
            bytes in prop::collection::vec(any::<u8>(), 0..300), count in 0..129usize) {
            let mut back = Vec::new();
            if take_column(&mut &bytes[..], count, &mut back).is_some() {
                prop_assert_eq!(back.len(), count);
            }
        }
    }

    #[test]
    fn the_shorter_form_is_taken() {
        assert_eq!(packed(&[0; 128]), [0]);
        assert_eq!(packed(&[7; 128]), [1, 7]);
        // A bit for each, and three for the only one that is not 0.
        let mut one = [0; 128];
        one[5] = 5;
        assert_eq!(packed(&one).len(), 2 + 16);
        assert_eq!(packed(&[1, 2]), [2, 1, 0b10]);
    }

    #[test]
    fn numbers_have_one_form() {
        for number in [0, 127, 128, u64::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            assert_eq!(take_number(&mut &bytes[..]), Some(number));
        }
        assert_eq!(take_number(&mut &[0xff; 10][..]), None);
        assert_eq!(take_number(&mut &[0x80][..]), None);
    }
}
