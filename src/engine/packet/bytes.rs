//! Integers read from slices that may be too short, in network and in little-endian order; and
//! whether bytes are printable.

pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn be24(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b, c] = *bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes([0, a, b, c]))
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Whether a name is printable: it contains no blank and no ASCII control character.
pub(super) fn is_printable(name: &[u8]) -> bool {
    let (words, rest) = name.as_chunks::<8>();
    !words.iter().any(|&word| has_unprintable(u64::from_le_bytes(word)))
        && !rest.iter().any(|&byte| byte <= b' ' || byte == 0x7f)
}

/// Whether one of eight bytes is a blank or a control character.
fn has_unprintable(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A borrow only changes bytes above one that is found, so the answer is exact.
    let below = word.wrapping_sub(ONES * 0x21) & !word;
    let delete = word ^ (ONES * 0x7f);
    (below | delete.wrapping_sub(ONES) & !delete) & (ONES * 0x80) != 0
}

#[cfg(test)]
mod tests {
    use super::is_printable;

    #[test]
    fn every_byte_in_every_place() {
        for byte in 0..=255 {
            for length in [1, 7, 8, 9, 20] {
                for at in 0..length {
                    for fill in [b'a', 0xff, 0x80, b'!', b'~'] {
                        let mut name = vec![fill; length];
                        name[at] = byte;
                        let is_odd = byte <= b' ' || byte == 0x7f;
                        assert_eq!(is_printable(&name), !is_odd, "{name:?}");
                    }
                }
            }
        }
        assert!(is_printable(b""));
    }
}
