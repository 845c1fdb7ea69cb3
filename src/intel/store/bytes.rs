//! Encodes and decodes numbers and text in the files of a store.

/// Encodes a number in groups of seven bits, the lowest first (LEB128).
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Encodes text after its length.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Takes bytes from the front. Like the functions below, returns `None` if there are not enough.
pub(super) fn take<'b>(from: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (head, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(head)
}

/// Takes a fixed number of bytes.
pub(super) fn take_array<'b, const N: usize>(from: &mut &'b [u8]) -> Option<&'b [u8; N]> {
    let (head, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(head)
}

/// Decodes what [`put_number`] wrote.
pub(super) fn take_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..63).step_by(7) {
        let [byte] = *take_array(from)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Decodes what [`put_text`] wrote.
pub(super) fn take_text<'b>(from: &mut &'b [u8]) -> Option<&'b str> {
    let length = usize::try_from(take_number(from)?).ok()?;
    std::str::from_utf8(take(from, length)?).ok()
}
