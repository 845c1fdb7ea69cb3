//! A puzzle for those who sign up: its solution costs some seconds of one processor, and checking
//! it one digest. The server keeps nothing: a puzzle says until when it is good, and is signed.
//!
//! A solution is bound to the name of the account, and a name is taken once, so that one solution
//! makes one account.

use super::random_bytes;
use crate::engine::error::Result;
use crate::engine::indicator::digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// How long a puzzle is good for, in seconds.
pub const PUZZLE_LIFE: i64 = 600;

/// Zero bits that a solution begins with: about a million digests.
pub const PUZZLE_BITS: u32 = 20;

/// The length of a puzzle: end, random bytes, signature.
const LENGTH: usize = 8 + 16 + 16;

/// What the signature is for.
const PURPOSE: &[u8] = b"wiresift exchange: sign-up";

/// Makes and checks puzzles. Processes that serve the same people need the same key.
#[derive(Clone, Copy)]
pub struct Puzzles([u8; 32]);

impl std::fmt::Debug for Puzzles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Puzzles(…)")
    }
}

impl Puzzles {
    /// With the key of the server.
    pub fn new(key: [u8; 32]) -> Puzzles {
        Puzzles(key)
    }

    /// A new puzzle, as hexadecimal digits. `now` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes.
    pub fn make(&self, now: i64) -> Result<String> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend((now + PUZZLE_LIFE).to_be_bytes());
        bytes.extend(random_bytes::<16>()?);
        let signature = self.mac(&bytes).finalize().into_bytes();
        bytes.extend(&signature[..16]);
        Ok(digest::encode(&bytes))
    }

    /// Checks the solution of a puzzle for a name.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn check(
        &self,
        puzzle: &str,
        (name, nonce): (&str, &str),
        (bits, now): (u32, i64),
    ) -> std::result::Result<(), &'static str> {
        let bytes = digest_bytes(puzzle).ok_or("this is no puzzle of this server")?;
        let (signed, signature) = bytes.split_at(LENGTH - 16);
        // Compares in constant time.
        let is_ours = self.mac(signed).verify_truncated_left(signature).is_ok();
        let mut end = [0; 8];
        end.copy_from_slice(&signed[..8]);
        if !is_ours {
            return Err("this is no puzzle of this server");
        }
        if i64::from_be_bytes(end) < now {
            return Err("the puzzle has expired: ask for another");
        }
        if nonce.len() > 64 || !is_solved(puzzle, name, nonce, bits) {
            return Err("this is no solution of the puzzle");
        }
        Ok(())
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut key = [0; 64];
        key[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(PURPOSE);
        mac.update(bytes);
        mac
    }
}

/// The bytes of a puzzle.
fn digest_bytes(puzzle: &str) -> Option<Vec<u8>> {
    if puzzle.len() != 2 * LENGTH {
        return None;
    }
    let pairs = puzzle.as_bytes().chunks_exact(2);
    pairs.map(|pair| Some(digest::nibble(pair[0])? << 4 | digest::nibble(pair[1])?)).collect()
}

/// Whether the SHA-256 of `puzzle:name:nonce`, with the name in lower case, begins with so many
/// zero bits.
pub fn is_solved(puzzle: &str, name: &str, nonce: &str, bits: u32) -> bool {
    let text = format!("{puzzle}:{}:{nonce}", name.to_lowercase());
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(head).leading_zeros() >= bits.min(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_is_good_once_and_for_a_while() {
        let puzzles = Puzzles::new([7; 32]);
        let puzzle = puzzles.make(1000).unwrap();
        let nonce = (0..).map(|n: u32| n.to_string());
        let nonce = nonce.into_iter().find(|n| is_solved(&puzzle, "Alice", n, 8)).unwrap();
        let check = |puzzle: &str, name, now| puzzles.check(puzzle, (name, &nonce), (8, now));
        assert_eq!(check(&puzzle, "alice", 1000), Ok(()));
        assert_eq!(check(&puzzle, "alice", 1000 + PUZZLE_LIFE), Ok(()));
        assert!(check(&puzzle, "alice", 1001 + PUZZLE_LIFE).unwrap_err().contains("expired"));
        // With another name the digest is another; 32 bits are not found by accident.
        assert!(puzzles.check(&puzzle, ("bob", &nonce), (32, 1000)).is_err());
        assert!(Puzzles::new([8; 32]).check(&puzzle, ("alice", &nonce), (8, 1000)).is_err());
        let mut later = puzzle.clone();
        later.replace_range(15..16, if puzzle.as_bytes()[15] == b'f' { "0" } else { "f" });
        for wrong in ["", "é", &puzzle[2..], &later, &"0".repeat(80)] {
            assert!(check(wrong, "alice", 1000).is_err(), "{wrong}");
        }
    }
}
