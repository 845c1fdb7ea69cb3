//! The identifiers of pulses.

use crate::engine::indicator::Timestamp;
use std::fmt;

/// The identifier of a pulse: 24 hexadecimal digits, the first eight of which are the second of
/// its creation, so that identifiers sort by age.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PulseId([u8; 12]);

impl PulseId {
    /// An identifier for a pulse that is created at `now`.
    pub fn new(now: Timestamp, random: [u8; 8]) -> PulseId {
        let seconds = u32::try_from(now.0 / 1_000_000).unwrap_or(u32::MAX);
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&random);
        PulseId(bytes)
    }

    /// Parses 24 hexadecimal digits of either case.
    pub fn parse(text: &str) -> Option<PulseId> {
        let text = text.as_bytes();
        let mut bytes = [0; 12];
        if text.len() != 24 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |byte: u8| (byte as char).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
        }
        Some(PulseId(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl fmt::Display for PulseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PulseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A stable name of a value of a type, the same in every pulse and on every server: the first
/// 16 bytes of a SHA-256.
pub fn value_id(of: super::Type, value: &str) -> [u8; 16] {
    use sha2::Digest as _;
    let digest = sha2::Sha256::new().chain_update(of.name()).chain_update([0]);
    let digest = digest.chain_update(value).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}
