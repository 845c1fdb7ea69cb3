//! UUIDs that follow from what they name (RFC 9562, version 5).

use sha1::{Digest, Sha1};
use std::fmt;

/// The namespace of all names below, drawn once at random.
const NAMESPACE: [u8; 16] = [
    0x5e, 0x2b, 0x0c, 0x8a, 0x91, 0x4d, 0x4f, 0x63, 0xb7, 0x3e, 0x1a, 0xd4, 0x60, 0xc9, 0x72, 0x15,
];

/// A UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The UUID of something by the parts of its name; the first says what kind of thing it is.
    /// Parts cannot run into each other.
    pub fn of(parts: &[&str]) -> Uuid {
        let mut hash = Sha1::new();
        hash.update(NAMESPACE);
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x50;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Uuid(bytes)
    }

    /// The same, but that it begins with six bytes that somebody can be found by.
    pub fn within(first: [u8; 6], parts: &[&str]) -> Uuid {
        let mut uuid = Uuid::of(parts);
        uuid.0[..6].copy_from_slice(&first);
        uuid
    }

    /// Its first six bytes.
    pub fn first(&self) -> [u8; 6] {
        let mut first = [0; 6];
        first.copy_from_slice(&self.0[..6]);
        first
    }

    /// Parses the usual form, in lower or upper case.
    pub fn parse(text: &str) -> Option<Uuid> {
        let is_dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
        let text = text.as_bytes();
        let well_formed = |(at, byte): (usize, &u8)| match is_dash(at) {
            true => *byte == b'-',
            false => byte.is_ascii_hexdigit(),
        };
        if text.len() != 36 || !text.iter().enumerate().all(well_formed) {
            return None;
        }
        let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'-').collect();
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| (digit as char).to_digit(16);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Some(Uuid(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_and_well_formed() {
        let uuid = Uuid::of(&["indicator", "a", "b"]);
        let text = uuid.to_string();
        assert_eq!(text, Uuid::of(&["indicator", "a", "b"]).to_string());
        assert_eq!((text.len(), &text[14..15]), (36, "5"));
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"));
        assert_eq!(Uuid::parse(&text), Some(uuid));
        assert_eq!(Uuid::parse(&text.to_uppercase()), Some(uuid));
        let within = Uuid::within([1, 2, 3, 4, 5, 6], &["indicator", "a", "b"]);
        assert_eq!(within.first(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(within.to_string()[13..], text[13..]);
        assert_ne!(Uuid::of(&["indicator", "ab", ""]), Uuid::of(&["indicator", "a", "b"]));
        for wrong in
            ["", "5e2b0c8a-914d-4f63-b73e-1ad460c9721", "5e2b0c8a-914d-4f63-b73e_1ad460c97215", "ä"]
        {
            assert_eq!(Uuid::parse(wrong), None);
        }
    }
}
