//! Passwords: argon2id in PHC strings.

use super::random_bytes;
use crate::engine::error::{Error, Result};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};

/// The fewest characters of a password.
pub const MIN_PASSWORD: usize = 12;

/// Verifying an unknown user's password costs as much as a known one's.
const OF_NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Checks a new password.
///
/// # Errors
///
/// What is expected.
pub fn check_password(password: &str) -> std::result::Result<(), String> {
    let count = password.chars().count();
    if count < MIN_PASSWORD {
        return Err(format!(
            "the password has {count} characters: at least {MIN_PASSWORD} are expected"
        ));
    }
    if password.len() > 1024 {
        return Err("the password has more than 1,024 bytes".into());
    }
    let first = password.chars().next();
    if password.chars().all(|c| Some(c) == first) || is_common(password) {
        return Err("this password is among the first that are guessed".into());
    }
    Ok(())
}

/// The long ones among the passwords that leaked most often.
fn is_common(password: &str) -> bool {
    const COMMON: &[&str] = &[
        "123456789012",
        "1234567890123",
        "qwertyuiop12",
        "qwertyuiopasdf",
        "qwerty123456",
        "password1234",
        "password12345",
        "passwordpassword",
        "passw0rd1234",
        "administrator",
        "letmein12345",
        "iloveyou1234",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "abc123456789",
        "asdfghjkl123",
        "changeme1234",
        "welcome12345",
        "unknown12345",
        "123123123123",
        "111222333444",
        "qazwsxedcrfv",
        "zaq12wsxcde3",
        "abcdefghijkl",
        "trustno1trustno1",
    ];
    let lower = password.to_lowercase();
    COMMON.contains(&lower.as_str())
}

/// The digest of a password.
///
/// # Errors
///
/// If there are no random bytes, or no memory.
pub fn hash_password(password: &str) -> Result<String> {
    let hash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &random_bytes::<16>()?)
        .map_err(|error| failed(&error))?;
    Ok(hash.to_string())
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::io("hash a password", std::io::Error::other(error.to_string()))
}

/// Whether a password is the one of that digest. Without a digest the answer is no, after the
/// same time.
pub fn verify_password(password: &str, digest: Option<&str>) -> bool {
    let Ok(hash) = PasswordHash::new(digest.unwrap_or(OF_NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && digest.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_verified() {
        let digest = hash_password("correct horse battery").unwrap();
        assert!(digest.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{digest}");
        assert!(verify_password("correct horse battery", Some(&digest)));
        assert!(!verify_password("correct horse batter", Some(&digest)));
        assert!(!verify_password("correct horse battery", None));
        assert!(PasswordHash::new(OF_NOBODY).is_ok());
        for password in ["short", "aaaaaaaaaaaaaaa", "Password1234"] {
            assert!(check_password(password).is_err(), "{password}");
        }
    }
}
