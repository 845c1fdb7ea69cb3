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

use super::bytes::{AROUND, MAX_RECORD, Member, members};
use super::state::CheckpointState;
use crate::engine::error::{Error, Result};
use std::fs::File;
use std::io::{self, BufReader, Read};

const MAGIC: &[u8; 8] = b"wsstate\n";
const VERSION: u32 = 1;
/// The length of the header, before the records.
pub(super) const HEADER: usize = 16;
/// The length of a record's head, before its bytes.
const FRAME: usize = 8;
/// The approximate length of the records in a rewritten log.
pub(super) const PART: usize = 1 << 20;
/// How much is read at once.
const READ: usize = 256 << 10;

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

/// The complete records of a log, one after the other.
#[derive(Debug)]
pub(super) struct Records<R> {
    from: R,
    /// Bytes that have not been read.
    left: u64,
    /// Bytes of complete records, and of the header.
    valid: u64,
    buffer: Vec<u8>,
}

impl Records<BufReader<File>> {
    /// The records of a file with this length.
    ///
    /// # Errors
    ///
    /// Those of [`Records::new`].
    pub(super) fn of_file(file: File, length: u64) -> Result<Self> {
        Records::new(BufReader::with_capacity(READ, file), length)
    }
}

impl<R: Read> Records<R> {
    /// The records of a log with this length.
    ///
    /// # Errors
    ///
    /// If it is empty, not a log, or of another version, and those of the system.
    pub(super) fn new(mut from: R, length: u64) -> Result<Self> {
        let mut header = [0; HEADER];
        let Some(left) = length.checked_sub(HEADER as u64) else {
            let what =
                if length == 0 { "the state file is empty" } else { "the state file is cut short" };
            return Err(Error::format(what));
        };
        from.read_exact(&mut header).map_err(|error| Error::io("read", error))?;
        if !header.starts_with(MAGIC) {
            return Err(Error::format("this is not a wiresift state file"));
        }
        let version = header[8..12].iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte));
        if version != VERSION {
            return Err(Error::format(format!(
                "the state has version {version}, but this program reads version {VERSION}"
            )));
        }
        Ok(Records { from, left, valid: HEADER as u64, buffer: Vec::new() })
    }

    /// The next record; `None` after the last complete one.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>> {
        let is_complete = self.read().map_err(|error| Error::io("read", error))?;
        if !is_complete {
            self.left = 0;
            return Ok(None);
        }
        self.valid += (FRAME + self.buffer.len()) as u64;
        Ok(Some(&self.buffer))
    }

    fn read(&mut self) -> io::Result<bool> {
        let Some(left) = self.left.checked_sub(FRAME as u64) else { return Ok(false) };
        let mut frame = [0; FRAME];
        self.from.read_exact(&mut frame)?;
        let [a, b, c, d, sum @ ..] = frame;
        let length = u32::from_le_bytes([a, b, c, d]);
        let Some(left) = left.checked_sub(u64::from(length)) else { return Ok(false) };
        self.buffer.resize(length as usize, 0);
        self.from.read_exact(&mut self.buffer)?;
        self.left = left;
        Ok(checksum(length, &self.buffer) == u32::from_le_bytes(sum))
    }

    /// How many bytes of the log are valid, up to the record that was read last.
    pub(super) fn valid(&self) -> u64 {
        self.valid
    }

    /// Where the last record begins.
    fn offset(&self) -> u64 {
        self.valid - self.buffer.len() as u64
    }

    /// Reads all records, up to a torn end: the state, and how much there is of suppression.
    ///
    /// # Errors
    ///
    /// If a record contains something unknown, and those of the system.
    pub(super) fn read_all(&mut self) -> Result<(CheckpointState, Tally)> {
        let (mut state, mut tally) = (CheckpointState::default(), Tally::default());
        while let Some(record) = self.next()? {
            // Its checksum is right, so a later program wrote it like that.
            let is_known = members(record).all(|member| {
                let is_known = member.is_some();
                match member {
                    Some(Member::Suppress(key, value)) => tally.count(key, value),
                    member => member.into_iter().for_each(|member| state.take(member)),
                }
                is_known
            });
            if !is_known {
                return Err(Error::format("a commit contains data that this program doesn't know")
                    .at_offset(self.offset()));
            }
        }
        Ok((state, tally))
    }
}

/// How much a log contains of suppression, counting every version of each entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Entries that were set.
    pub(super) entries: u64,
    /// The bytes of those entries.
    pub(super) bytes: u64,
}

impl Tally {
    fn count(&mut self, key: &[u8], value: Option<&[u8]>) {
        if let Some(value) = value {
            self.entries += 1;
            self.bytes += (key.len() + value.len() + AROUND) as u64;
        }
    }
}

impl CheckpointState {
    /// Reads a log: the state after its last complete commit, and the length up to there. What
    /// follows is a torn end.
    ///
    /// # Errors
    ///
    /// If it is empty, not a log, or of another version.
    pub fn parse(log: &[u8]) -> Result<(CheckpointState, usize)> {
        let mut records = Records::new(log, log.len() as u64)?;
        let (state, _) = records.read_all()?;
        Ok((state, usize::try_from(records.valid()).unwrap_or(log.len())))
    }

    /// A log that contains only this state.
    ///
    /// # Errors
    ///
    /// If one of its members is longer than a record may be.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut log = header().to_vec();
        for part in self.in_parts(PART) {
            put_record(&mut log, &part)?;
        }
        Ok(log)
    }
}
