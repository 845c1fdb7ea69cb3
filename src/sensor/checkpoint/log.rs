//! The log of commits.
//!
//! ```text
//! "wsstate\n" 8 | version 4 | zero 4 | records
//! record: length 4 | CRC-32 of the length and the bytes 4 | bytes
//! ```
//!
//! Little-endian. The checksum is that of IEEE 802.3: `crc32fast` is a dependency already, and the
//! more expensive CRC-32C would find no torn write that this one doesn't. An incomplete record ends
//! the log: either nothing after it was acknowledged, or the disk is damaged and what comes before
//! it is the last known state.

use super::bytes::MAX_RECORD;
use super::state::{Commit, State};
use crate::engine::error::{Error, Result};

const MAGIC: &[u8; 8] = b"wsstate\n";
const VERSION: u32 = 1;
/// The length of the header, before the records.
pub(super) const HEADER: usize = 16;
/// The length of a record's head, before its bytes.
const FRAME: usize = 8;

/// The header of a log.
pub(super) fn header() -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header
}

/// Appends a record.
///
/// # Errors
///
/// If it is longer than a record may be.
pub(super) fn put_record(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MAX_RECORD);
    let Some(length) = length else {
        return Err(Error::usage(format!("a commit of {} bytes is too long", bytes.len())));
    };
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(length, bytes).to_le_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

fn checksum(length: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// The first record, and what follows it; `None` if it is incomplete.
fn split_record(log: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = log.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    let (bytes, rest) = rest.split_at_checked(length as usize)?;
    (checksum(length, bytes) == u32::from_le_bytes(*sum)).then_some((bytes, rest))
}

impl State {
    /// Reads a log: the state after its last complete commit, and the length up to there. What
    /// follows is a torn end.
    ///
    /// # Errors
    ///
    /// If it is empty, not a log, or of another version.
    pub fn parse(log: &[u8]) -> Result<(State, usize)> {
        let Some((header, mut rest)) = log.split_at_checked(HEADER) else {
            let what = if log.is_empty() {
                "the state file is empty"
            } else {
                "the state file is cut short"
            };
            return Err(Error::format(what));
        };
        if !header.starts_with(MAGIC) {
            return Err(Error::format("this is not a wiresift state file"));
        }
        let version = header[8..12].iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte));
        if version != VERSION {
            return Err(Error::format(format!(
                "the state has version {version}, but this program reads version {VERSION}"
            )));
        }
        let mut state = State::default();
        while let Some((bytes, after)) = split_record(rest) {
            // Its checksum is right, so a later program wrote it like that.
            let Some(commit) = Commit::parse(bytes) else {
                return Err(Error::format("a commit contains data that this program doesn't know")
                    .at_offset((log.len() - rest.len() + FRAME) as u64));
            };
            state.apply(commit);
            rest = after;
        }
        Ok((state, log.len() - rest.len()))
    }

    /// A log that contains only this state.
    ///
    /// # Errors
    ///
    /// If one of its members is longer than a record may be.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut log = header().to_vec();
        for part in self.in_parts(1 << 20) {
            put_record(&mut log, &part)?;
        }
        Ok(log)
    }
}
