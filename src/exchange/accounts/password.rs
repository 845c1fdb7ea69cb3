//! Passwords: argon2id in PHC strings.

use super::breached::is_breached;
use super::random_bytes;
use crate::engine::error::{Error, Result};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};

/// How the digests of today begin.
const COSTS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// The most bytes of a password: hashing costs by the byte, too.
pub const MAX_PASSWORD: usize = 1024;

/// The fewest characters of a password.
pub const MIN_PASSWORD: usize = 12;

/// Verifying an unknown user's password costs as much as a known one's.
const OF_NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Checks a new password. `own` are words of its owner, which others know: its name and address.
///
/// # Errors
///
/// What is expected.
pub fn check_password(password: &str, own: &[&str]) -> std::result::Result<(), String> {
    let count = password.chars().count();
    if count < MIN_PASSWORD {
        return Err(format!(
            "the password has {count} characters: at least {MIN_PASSWORD} are expected"
        ));
    }
    if password.len() > MAX_PASSWORD {
        return Err(format!("the password has more than {MAX_PASSWORD} bytes"));
    }
    if is_breached(password, own) {
        return Err("this password is among the first that are guessed".into());
    }
    Ok(())
}

/// Whether a digest was made with other costs than those of today, so that the password is to be
/// hashed anew when somebody gives it.
pub fn is_outdated(digest: &str) -> bool {
    !digest.starts_with(COSTS)
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
    if password.len() > MAX_PASSWORD {
        return false;
    }
    let Ok(hash) = PasswordHash::new(digest.unwrap_or(OF_NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && digest.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_verified() {
        let digest = hash_password("correct horse battery").unwrap();
        assert!(digest.starts_with(COSTS) && !is_outdated(&digest), "{digest}");
        assert!(
            is_outdated("$argon2id$v=19$m=4096,t=3,p=1$AAAA$AAAA") && OF_NOBODY.starts_with(COSTS)
        );
        assert!(verify_password("correct horse battery", Some(&digest)));
        assert!(!verify_password("correct horse batter", Some(&digest)));
        assert!(!verify_password("correct horse battery", None));
        assert!(PasswordHash::new(OF_NOBODY).is_ok());
        for password in ["short", "aaaaaaaaaaaaaaa", "Password1234"] {
            assert!(check_password(password, &[]).is_err(), "{password}");
        }
        assert!(check_password(&"long and longer ".repeat(65), &[]).is_err());
        assert_eq!(check_password("correct horse battery", &["alice"]), Ok(()));
    }
}
