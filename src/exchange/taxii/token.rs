//! The values of `next`: where to continue, signed. The server keeps nothing about them, so a
//! client can come back later, and to another process.

use super::library::Position;
use super::query::Filter;
use crate::engine::indicator::Timestamp;
use crate::exchange::http::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The version of the format, the first byte.
const VERSION: u8 = 1;

/// The length of a signature; half of it is more than anybody can guess over HTTP.
const SIGNATURE: usize = 16;

/// The length of version and position.
const POSITION: usize = 17;

/// Stands for a position without an inner one.
const NONE: i64 = i64::MIN;

/// Signs positions, and checks them.
#[derive(Clone)]
pub struct Signer([u8; 32]);

impl Signer {
    /// Creates a signer. Processes that serve the same clients need the same key.
    pub fn new(key: [u8; 32]) -> Self {
        Signer(key)
    }

    /// The `next` of a page that ends at `last`. `of` says which list it is a page of.
    pub fn next(&self, of: &str, filter: &Filter, last: Position) -> String {
        let mut token = Vec::with_capacity(POSITION + SIGNATURE);
        token.push(VERSION);
        token.extend(last.after.0.to_be_bytes());
        token.extend(last.inner.unwrap_or(NONE).to_be_bytes());
        let signature = self.mac(&token, of, filter).finalize().into_bytes();
        token.extend(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The position in a `next`.
    ///
    /// # Errors
    ///
    /// It is not ours, or of another list or other filters.
    pub fn position(&self, of: &str, filter: &Filter, next: &str) -> Result<Position, Failure> {
        let invalid = || Failure::bad_request("next is invalid, or the filters have changed");
        let token = URL_SAFE_NO_PAD.decode(next).map_err(|_| invalid())?;
        if token.len() != POSITION + SIGNATURE || token[0] != VERSION {
            return Err(invalid());
        }
        let (position, signature) = token.split_at(POSITION);
        // Compares in constant time.
        self.mac(position, of, filter).verify_truncated_left(signature).map_err(|_| invalid())?;
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&position[at..at + 8]);
            i64::from_be_bytes(bytes)
        };
        let inner = Some(number(9)).filter(|inner| *inner != NONE);
        Ok(Position { after: Timestamp(number(1)), inner })
    }

    fn mac(&self, position: &[u8], of: &str, filter: &Filter) -> Hmac<Sha256> {
        // A key of HMAC has the length of a block; shorter ones are filled with zeros (RFC 2104).
        let mut key = [0; 64];
        key[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        for part in [position, of.as_bytes(), filter.canonical().as_bytes()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::Query;
    use super::*;

    #[test]
    fn only_the_same_list_continues() {
        let signer = Signer::new([7; 32]);
        let filter = Query::parse("match[type]=indicator,malware").unwrap().filter;
        let last = Position { after: Timestamp(1_700_000_000_123_456), inner: None };
        let within = Position { inner: Some(7), ..last };
        let next = signer.next("objects/a", &filter, last);
        assert_eq!(signer.position("objects/a", &filter, &next).unwrap(), last);
        let other = signer.next("objects/a", &filter, within);
        assert_eq!(signer.position("objects/a", &filter, &other).unwrap(), within);
        // The order of values means nothing.
        let same = Query::parse("match[type]=malware,indicator").unwrap().filter;
        assert_eq!(signer.position("objects/a", &same, &next).unwrap(), last);
        let other = Query::parse("match[type]=malware").unwrap().filter;
        assert!(signer.position("objects/a", &other, &next).is_err());
        assert!(signer.position("objects/b", &filter, &next).is_err());
        assert!(Signer::new([8; 32]).position("objects/a", &filter, &next).is_err());
        for wrong in ["", "AAAA", &next[1..], &format!("{next}AA"), "é"] {
            assert!(signer.position("objects/a", &filter, wrong).is_err(), "{wrong}");
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&next).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(
                signer.position("objects/a", &filter, &URL_SAFE_NO_PAD.encode(&bytes)).is_err()
            );
            bytes[at] ^= 1;
        }
    }
}
