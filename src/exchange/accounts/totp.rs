//! One-time codes of an app (TOTP, RFC 6238: HMAC-SHA1, six digits, 30 seconds), and recovery
//! codes for those who lost it.

use super::random_bytes;
use crate::engine::error::Result;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Digest as _;

/// The length of a time step, in seconds.
const STEP: i64 = 30;

/// How many steps a clock may be off, in both directions.
const SKEW: i64 = 1;

/// How many recovery codes somebody gets.
pub const RECOVERY_CODES: usize = 10;

/// The alphabet of base32 (RFC 4648).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The secret that an app and the server share: 20 bytes, as RFC 4226 recommends. Never printed
/// by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; 20]);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    /// A new secret.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes.
    pub fn new() -> Result<TotpSecret> {
        Ok(TotpSecret(random_bytes::<20>()?))
    }

    /// The secret of these bytes; `None` if they are not 20.
    pub fn from_bytes(bytes: &[u8]) -> Option<TotpSecret> {
        bytes.try_into().ok().map(TotpSecret)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The secret as people type it: 32 characters of base32.
    pub fn text(&self) -> String {
        base32(&self.0)
    }

    /// The address that apps read from a picture. Both names must need no escapes.
    pub fn address(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (escaped(issuer), escaped(account));
        format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", self.text())
    }

    /// The time step that a code is of, if it is of one about now and after the step `used`: each
    /// code is good once. `now` is in seconds since 1970.
    pub fn step_of(&self, code: &str, now: i64, used: i64) -> Option<i64> {
        let is_code = code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
        let number: u32 = if is_code { code.parse().ok()? } else { return None };
        let current = now.div_euclid(STEP);
        (current - SKEW..=current + SKEW).find(|step| *step > used && self.code(*step) == number)
    }

    /// The code of a time step (RFC 4226, section 5.3).
    fn code(&self, step: i64) -> u32 {
        let mut key = [0; 64];
        key[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha1>::new(&key.into());
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = usize::from(digest[digest.len() - 1] & 15);
        let word =
            digest[at..at + 4].iter().fold(0, |word: u32, byte| word << 8 | u32::from(*byte));
        (word & 0x7fff_ffff) % 1_000_000
    }
}

/// Base32 without padding (RFC 4648, section 6).
fn base32(bytes: &[u8]) -> String {
    let (mut text, mut bits, mut count) = (String::new(), 0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(BASE32[(bits >> count & 31) as usize]));
        }
    }
    if count > 0 {
        text.push(char::from(BASE32[(bits << (5 - count) & 31) as usize]));
    }
    text
}

fn escaped(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    text.bytes()
        .map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// New recovery codes: 16 characters of base32 in four groups, 80 bits each.
///
/// # Errors
///
/// If the system has no random bytes.
pub fn recovery_codes() -> Result<Vec<String>> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let text = base32(&random_bytes::<10>()?);
            Ok([&text[..4], &text[4..8], &text[8..12], &text[12..]].join("-"))
        })
        .collect()
}

/// What is stored of a recovery code. Case, spaces and hyphens do not count.
pub fn recovery_digest(code: &str) -> [u8; 32] {
    let kept: String = code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_uppercase())
        .take(64)
        .collect();
    sha2::Sha256::digest(kept.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, with the last six of its eight digits.
    #[test]
    fn codes_of_the_standard() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        assert_eq!(secret.text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.step_of(code, time, 0), Some(time / 30), "{time}");
            assert_eq!(secret.step_of(code, time + 30, 0), Some(time / 30), "{time}");
            assert_eq!(secret.step_of(code, time, time / 30), None, "used: {time}");
            assert_eq!(secret.step_of(code, time + 120, 0), None, "late: {time}");
        }
        for wrong in ["", "28708", "2870822", "28708x", "+28708", "２８７０８２"] {
            assert_eq!(secret.step_of(wrong, 59, 0), None, "{wrong}");
        }
    }

    #[test]
    fn recovery_codes_are_read_as_people_write_them() {
        let codes = recovery_codes().unwrap();
        assert_eq!(codes.len(), RECOVERY_CODES);
        assert_eq!(codes[0].len(), 19, "{}", codes[0]);
        let written = codes[0].replace('-', " ").to_lowercase();
        assert_eq!(recovery_digest(&written), recovery_digest(&codes[0]));
        assert_ne!(recovery_digest(&codes[1]), recovery_digest(&codes[0]));
        assert_eq!(
            TotpSecret([0; 20]).address("wire sift", "al.ice"),
            format!(
                "otpauth://totp/wire%20sift:al.ice?secret={}&issuer=wire%20sift",
                "A".repeat(32)
            )
        );
    }
}
