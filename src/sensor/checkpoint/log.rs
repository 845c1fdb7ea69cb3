//! The log of commits.
//!
//! ```text
//! "wsstate\n" 8 | version 4 | zero 4 | records
//! record: length 4 | CRC-32 of the length and the bytes 4 | bytes
//! ```
//!
//! Little-endian. The checksum is that of IEEE 802.3: `crc32fast` is here already, and the dearer
//! polynomial of CRC-32C would find no torn write that this one doesn't. A record that is not whole
//! ends the log: nothing after it was acknowledged, or the disk is damaged, and what comes before it
//! is the last state that is known.

use super::bytes::MAX_RECORD;
use super::state::{Commit, State};
use crate::engine::error::{Error, Result};

const MAGIC: &[u8; 8] = b"wsstate\n";
const VERSION: u32 = 1;
/// The length of what comes before the records.
pub(super) const HEADER: usize = 16;
/// And of what comes before the bytes of each.
const FRAME: usize = 8;

/// What a log begins with.
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
/// When it is longer than a record may be.
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

/// The first record, and what follows it; none if it is not whole.
fn split_record(log: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = log.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    let (bytes, rest) = rest.split_at_checked(length as usize)?;
    (checksum(length, bytes) == u32::from_le_bytes(*sum)).then_some((bytes, rest))
}

impl State {
    /// Reads a log: the state after its last whole commit, and how many bytes that is. What follows
    /// is a torn end.
    ///
    /// # Errors
    ///
    /// When it is empty, of something else, or of another version.
    pub fn parse(log: &[u8]) -> Result<(State, usize)> {
        let Some((header, mut rest)) = log.split_at_checked(HEADER) else {
            let what = if log.is_empty() { "the state is empty" } else { "the state is cut short" };
            return Err(Error::format(what));
        };
        if !header.starts_with(MAGIC) {
            return Err(Error::format("this is no state of wiresift"));
        }
        let version = header[8..12].iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte));
        if version != VERSION {
            return Err(Error::format(format!(
                "the state is of version {version}, this program reads version {VERSION}"
            )));
        }
        let mut state = State::default();
        while let Some((bytes, after)) = split_record(rest) {
            // Its checksum is right, so it was written like that, by a later program.
            let Some(commit) = Commit::parse(bytes) else {
                return Err(Error::format("a commit holds what this program doesn't know")
                    .at_offset((log.len() - rest.len() + FRAME) as u64));
            };
            state.apply(commit);
            rest = after;
        }
        Ok((state, log.len() - rest.len()))
    }

    /// A log of it alone.
    ///
    /// # Errors
    ///
    /// When one of its members is longer than a record may be.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut log = header().to_vec();
        for part in self.in_parts(1 << 20) {
            put_record(&mut log, &part)?;
        }
        Ok(log)
    }
}
