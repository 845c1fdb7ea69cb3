//! Digests and fingerprints in hex (matching specification, section 6.5).

use super::{Kind, Reason};

/// The longest digest, in bytes.
pub const MAX_DIGEST: usize = 64;

/// Digests of no data and of a single newline, which match every empty file.
const EMPTY: &[&str] = &[
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    "68b329da9893e34099c7d8ad5cb9c940",
    "adc83b19e793491b1c6ea0fd8b46cd9f32e592fc",
    "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
];

/// Reduces a digest to lower-case hex: removes `0x` and, in certificates and
/// fingerprints, colons or spaces between the bytes.
///
/// # Errors
///
/// [`Reason::BadDigest`] if it does not have the length of its kind, or is not hex.
pub fn normalise(kind: Kind, raw: &str) -> Result<String, Reason> {
    let len = kind.digest_len().ok_or(Reason::BadDigest)? * 2;
    let text = raw.trim().trim_matches(['"', '\'']);
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut hex = String::with_capacity(len);
    let separated = text.len() == len / 2 * 3 - 1;
    for (at, char) in text.chars().enumerate() {
        match char {
            '0'..='9' | 'a'..='f' => hex.push(char),
            'A'..='F' => hex.push(char.to_ascii_lowercase()),
            ':' | ' ' | '-' if separated && at % 3 == 2 => {}
            _ => return Err(Reason::BadDigest),
        }
    }
    if hex.len() == len { Ok(hex) } else { Err(Reason::BadDigest) }
}

/// Decodes a digest in hex of either case. Returns the bytes and their number.
pub fn decode(hex: &[u8]) -> Option<([u8; MAX_DIGEST], usize)> {
    if !hex.len().is_multiple_of(2) || hex.len() > 2 * MAX_DIGEST {
        return None;
    }
    let mut bytes = [0; MAX_DIGEST];
    let mut wrong = 0;
    for (byte, pair) in bytes.iter_mut().zip(hex.as_chunks::<2>().0) {
        let [high, low] = pair.map(|digit| NIBBLES[usize::from(digit)]);
        wrong |= high | low;
        *byte = high << 4 | low & 15;
    }
    (wrong < 16).then_some((bytes, hex.len() / 2))
}

/// The value of a hex digit.
#[inline]
pub fn nibble(byte: u8) -> Option<u8> {
    let value = NIBBLES[usize::from(byte)];
    (value < 16).then_some(value)
}

/// Values of hex digits; 255 for any other byte.
static NIBBLES: [u8; 256] = {
    let mut table = [255; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value] as usize] = value as u8;
        table[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    table
};

/// Encodes `bytes` in lower-case hex.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
        hex.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    hex
}

/// The most likely algorithm of a file digest with `len` hex digits.
pub fn kind_of_len(len: usize) -> Option<Kind> {
    Some(match len {
        32 => Kind::Md5,
        40 => Kind::Sha1,
        56 => Kind::Sha224,
        64 => Kind::Sha256,
        96 => Kind::Sha384,
        128 => Kind::Sha512,
        _ => return None,
    })
}

/// Whether it is the digest of no data or of a newline.
pub fn is_of_nothing(hex: &str) -> bool {
    EMPTY.contains(&hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_normalised() {
        let md5 = "0123456789abcdef0123456789abcdef";
        assert_eq!(normalise(Kind::Md5, "0x0123456789ABCDEF0123456789abcdef").as_deref(), Ok(md5));
        let colons = "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF";
        assert_eq!(normalise(Kind::CertMd5, colons).as_deref(), Ok(md5));
        for bad in [
            "",
            "0123",
            &md5[1..],
            "g123456789abcdef0123456789abcdef",
            "0:123456789abcdef0123456789abcde",
        ] {
            assert!(normalise(Kind::Md5, bad).is_err(), "{bad}");
        }
        assert!(normalise(Kind::Sha1, md5).is_err());
        let (bytes, len) = decode(md5.as_bytes()).unwrap();
        assert_eq!(encode(&bytes[..len]), md5);
    }
}
