//! Sessions of people who logged in with a browser.
//!
//! The secret of a session is in a cookie, and only its digest is stored. Another token, which
//! follows from the secret, has to come with every request that changes something: a page of
//! somebody else can make a browser send the cookie, but cannot read the token.

use super::Secret;
use crate::engine::indicator::{Timestamp, digest};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How long a session lasts without a request, in seconds: 12 hours.
pub const SESSION_IDLE: i64 = 12 * 3600;

/// How long a session lasts at most, in seconds: 14 days.
pub const SESSION_LIFE: i64 = 14 * 86_400;

/// What the token of forms is made of, besides the secret.
const PURPOSE: &[u8] = b"wiresift exchange: forms";

/// A session, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// When somebody logged in.
    pub created: Timestamp,
    /// When it was last used, to five minutes.
    pub used: Timestamp,
    /// The address that logged in.
    pub address: String,
    /// The browser, as it calls itself.
    pub agent: String,
}

impl Secret {
    /// The token that forms of this session carry.
    pub fn form_token(&self) -> String {
        form_token(self.text())
    }
}

/// The token that forms of the session with this secret carry, as 64 hexadecimal digits.
pub fn form_token(secret: &str) -> String {
    digest::encode(&mac(secret).finalize().into_bytes())
}

/// Whether a token is the one of the session with this secret. Takes the same time for every
/// token of the right length.
pub fn is_form_token(secret: &str, token: &str) -> bool {
    match digest::decode(token.as_bytes()) {
        Some((bytes, 32)) => mac(secret).verify_slice(&bytes[..32]).is_ok(),
        _ => false,
    }
}

fn mac(secret: &str) -> Hmac<Sha256> {
    // A key of HMAC has the length of a block, 64 bytes, as secrets have; shorter texts, which
    // are none, are filled with zeros.
    let mut key = [0; 64];
    for (to, from) in key.iter_mut().zip(secret.bytes()) {
        *to = from;
    }
    let mut mac = Hmac::<Sha256>::new(&key.into());
    mac.update(PURPOSE);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_session() {
        let (one, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        let token = one.form_token();
        assert!(is_form_token(one.text(), &token));
        assert!(!is_form_token(other.text(), &token));
        for wrong in ["", "é", &token[1..], &format!("{token}0"), &"z".repeat(64)] {
            assert!(!is_form_token(one.text(), wrong), "{wrong}");
        }
    }
}
