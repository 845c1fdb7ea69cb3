//! Numbers and texts of the state, as bytes.
//!
//! Numbers are LEB128 (seven bits per byte, the lowest first); signed ones are zigzag-encoded so
//! that small ones are short; texts follow their length.

/// Appends a number.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number.
pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends a text after its length.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads them back. Every method returns `None` if the bytes are something else.
#[derive(Clone, Debug)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Whether everything was read.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte may only contribute one bit.
            if shift == 63 && byte > 1 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A number that is no larger than `max`.
    pub(super) fn count(&mut self, max: usize) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|&count| count <= max)
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// This many bytes.
    pub(super) fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// A text of at most `max` bytes.
    pub(super) fn bytes(&mut self, max: usize) -> Option<&'b [u8]> {
        let length = self.count(max)?;
        self.take(length)
    }

    /// The same, if it is UTF-8.
    pub(super) fn text(&mut self, max: usize) -> Option<&'b str> {
        str::from_utf8(self.bytes(max)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let mut out = Vec::new();
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u64::MAX >> 1, u64::MAX];
        let signed = [0, -1, 1, 63, -64, 64, i64::MIN, i64::MAX];
        numbers.iter().for_each(|&number| put_number(&mut out, number));
        signed.iter().for_each(|&number| put_signed(&mut out, number));
        put_bytes(&mut out, "é".as_bytes());
        let mut reader = Reader::new(&out);
        assert!(numbers.iter().all(|&number| reader.number() == Some(number)));
        assert!(signed.iter().all(|&number| reader.signed() == Some(number)));
        assert_eq!(reader.text(2), Some("é"));
        assert!(reader.is_empty() && reader.byte().is_none());
    }

    #[test]
    fn what_is_no_number_is_none() {
        for bytes in [&[][..], &[0x80], &[0xff; 10], &[0xff; 20], &[5, 1]] {
            assert_eq!(Reader::new(bytes).bytes(100), None, "{bytes:?}");
        }
        assert_eq!(Reader::new(&[2, 0xff, 0xff]).text(9), None);
        assert_eq!(Reader::new(&[2, 1, 1]).bytes(1), None);
    }
}
