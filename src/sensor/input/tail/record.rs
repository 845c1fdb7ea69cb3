//! The record of a file in a checkpoint, and its encoding.
//!
//! ```text
//! version 1 | flags 1 | stream 8 | offset | line | within 1 | head 8 | tail 8
//! device | inode | generation 8 | born 8        (each as the flags say)
//! wide 1 | size | first seen 8 | last seen 8 | path | headers
//! original 8 | seen: length, hash 8           (as the flags say)
//! ```
//!
//! Numbers are LEB128 where no width is given; texts are preceded by their length. Everything is
//! little-endian.

use super::content::{Content, Seen};
use super::key::Key;
use super::position::{Position, Within};
use crate::sensor::input::Wide;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

const VERSION: u8 = 1;
/// The kernel limits the length of paths.
const MAX_PATH: usize = 4 << 10;
/// The maximum size of stored header lines.
pub(super) const MAX_HEADERS: usize = 4 << 10;

const HAS_KEY: u8 = 1;
const HAS_GENERATION: u8 = 2;
const HAS_BIRTH: u8 = 4;
const HAS_LINE: u8 = 8;
const IS_DONE: u8 = 16;
const IS_IGNORED: u8 = 32;
const HAS_ORIGINAL: u8 = 64;
const HAS_SEEN: u8 = 128;

/// A file, as stored in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// The file that contains the stream; `None` if it was overwritten, so that only a copy could
    /// contain it.
    pub key: Option<Key>,
    /// Its path when it was last seen.
    pub path: PathBuf,
    /// How much is processed: the start of the first unprocessed line, or a position within a line
    /// that is too long.
    pub position: Position,
    /// Whether nothing more is expected: it was compressed or damaged, and read as far as possible.
    pub is_done: bool,
    /// Whether it was too old to be read when it was seen.
    pub is_ignored: bool,
    /// The wide encoding of the file, if any.
    pub wide: Option<Wide>,
    /// Its stored size when it was last seen.
    pub size: u64,
    /// When it was first seen, in microseconds since 1970.
    pub first_seen: i64,
    /// When it was last seen or read, in microseconds since 1970. Only records of missing files
    /// expire.
    pub last_seen: i64,
    /// The stream that its bytes were read in, if it is a copy that nothing was read of.
    pub copy_of: Option<u64>,
    /// What the file begins with, if nothing of it is processed.
    pub seen: Option<Seen>,
}

impl FileRecord {
    /// Appends it to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (position, key) = (&self.position, self.key.as_ref());
        let generation = key.and_then(|key| key.generation);
        let born = key.and_then(|key| key.born);
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        out.push(VERSION);
        out.push(
            flag(key.is_some(), HAS_KEY)
                | flag(generation.is_some(), HAS_GENERATION)
                | flag(born.is_some(), HAS_BIRTH)
                | flag(position.line.is_some(), HAS_LINE)
                | flag(self.is_done, IS_DONE)
                | flag(self.is_ignored, IS_IGNORED)
                | flag(self.copy_of.is_some(), HAS_ORIGINAL)
                | flag(self.seen.is_some(), HAS_SEEN),
        );
        out.extend_from_slice(&position.stream.to_le_bytes());
        put_number(out, position.offset);
        position.line.into_iter().for_each(|line| put_number(out, line));
        out.push(within_code(position.within));
        out.extend_from_slice(&position.content.head.to_le_bytes());
        out.extend_from_slice(&position.content.tail.to_le_bytes());
        if let Some(key) = key {
            put_number(out, key.device);
            put_number(out, key.inode);
        }
        generation.into_iter().for_each(|it| out.extend_from_slice(&it.to_le_bytes()));
        born.into_iter().for_each(|it| out.extend_from_slice(&it.to_le_bytes()));
        out.push(wide_code(self.wide));
        put_number(out, self.size);
        out.extend_from_slice(&self.first_seen.to_le_bytes());
        out.extend_from_slice(&self.last_seen.to_le_bytes());
        put_bytes(out, self.path.as_os_str().as_bytes());
        put_bytes(out, &position.headers);
        self.copy_of.into_iter().for_each(|it| out.extend_from_slice(&it.to_le_bytes()));
        if let Some(Seen { len, hash }) = self.seen {
            put_number(out, len);
            out.extend_from_slice(&hash.to_le_bytes());
        }
    }

    /// Reads a record; `None` if the bytes are not exactly one complete record of a known version.
    pub fn decode(bytes: &[u8]) -> Option<FileRecord> {
        let mut bytes = Fields(bytes);
        if bytes.byte()? != VERSION {
            return None;
        }
        let flags = bytes.byte()?;
        let has = |flag: u8| flags & flag != 0;
        let stream = bytes.u64()?;
        let offset = bytes.number()?;
        let line = if has(HAS_LINE) { Some(bytes.number()?) } else { None };
        let within = within_of(bytes.byte()?)?;
        let content = Content { head: bytes.u64()?, tail: bytes.u64()? };
        let node = if has(HAS_KEY) { Some((bytes.number()?, bytes.number()?)) } else { None };
        let generation = if has(HAS_GENERATION) { Some(bytes.u64()?) } else { None };
        let born = if has(HAS_BIRTH) { Some(bytes.i64()?) } else { None };
        let key = node.map(|(device, inode)| Key { device, inode, generation, born });
        let wide = wide_of(bytes.byte()?)?;
        let size = bytes.number()?;
        let (first_seen, last_seen) = (bytes.i64()?, bytes.i64()?);
        let path = PathBuf::from(OsStr::from_bytes(bytes.bytes(MAX_PATH)?));
        let headers = Arc::from(bytes.bytes(MAX_HEADERS)?);
        let copy_of = if has(HAS_ORIGINAL) { Some(bytes.u64()?) } else { None };
        let seen = match has(HAS_SEEN) {
            true => Some(Seen { len: bytes.number()?, hash: bytes.u64()? }),
            false => None,
        };
        let position = Position { stream, offset, line, within, content, headers };
        let (is_done, is_ignored) = (has(IS_DONE), has(IS_IGNORED));
        bytes.0.is_empty().then_some(FileRecord {
            key,
            path,
            position,
            is_done,
            is_ignored,
            wide,
            size,
            first_seen,
            last_seen,
            copy_of,
            seen,
        })
    }
}

fn within_code(within: Within) -> u8 {
    match within {
        Within::Start => 0,
        Within::Skipped => 1,
        Within::Flushed => 2,
    }
}

fn within_of(code: u8) -> Option<Within> {
    Some(match code {
        0 => Within::Start,
        1 => Within::Skipped,
        2 => Within::Flushed,
        _ => return None,
    })
}

/// Each encoding and its code.
const WIDES: [Option<Wide>; 5] =
    [None, Some(Wide::Utf16Le), Some(Wide::Utf16Be), Some(Wide::Utf32Le), Some(Wide::Utf32Be)];

fn wide_code(wide: Option<Wide>) -> u8 {
    WIDES.iter().position(|one| *one == wide).unwrap_or(0) as u8
}

fn wide_of(code: u8) -> Option<Option<Wide>> {
    WIDES.get(usize::from(code)).copied()
}

/// Appends a number, seven bits per byte, the low ones first.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends bytes, preceded by their number.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The remaining bytes of a record, read field by field. For any bytes, each call either returns
/// `None` or consumes some of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// This many bytes.
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    /// A number as written by [`put_number`], in the shortest form.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte & 0x80 == 0 {
                let is_shortest = byte != 0 || shift == 0;
                return (is_shortest && number >> shift == bits).then_some(number);
            }
        }
        None
    }

    /// Bytes as written by [`put_bytes`], at most this many.
    pub(crate) fn bytes(&mut self, max: usize) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok().filter(|len| *len <= max)?;
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> impl Strategy<Value = FileRecord> {
        let key = (any::<u64>(), any::<u64>(), any::<Option<u64>>(), any::<Option<i64>>());
        let key = proptest::option::of(key.prop_map(|(device, inode, generation, born)| Key {
            device,
            inode,
            generation,
            born,
        }));
        let position = (any::<[u64; 4]>(), any::<Option<u64>>(), 0u8..3);
        let rest = (any::<[u8; 9]>(), any::<[bool; 2]>(), 0u8..5, any::<u64>(), any::<[i64; 2]>());
        let seen = any::<Option<(u64, u64)>>();
        let seen = seen.prop_map(|it| it.map(|(len, hash)| Seen { len, hash }));
        let others = (any::<Option<u64>>(), seen);
        (key, position, rest, others).prop_map(|(key, (numbers, line, within), rest, others)| {
            let (copy_of, seen) = others;
            let [stream, offset, head, tail] = numbers;
            let (path, [is_done, is_ignored], wide, size, [first, last]) = rest;
            FileRecord {
                key,
                path: PathBuf::from(OsStr::from_bytes(&path)),
                position: Position {
                    stream,
                    offset,
                    line,
                    within: within_of(within).unwrap(),
                    content: Content { head, tail },
                    headers: Arc::from(&path[..3]),
                },
                is_done,
                is_ignored,
                wide: wide_of(wide).unwrap(),
                size,
                first_seen: first,
                last_seen: last,
                copy_of,
                seen,
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(record in record(), cut in any::<u16>()) {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            prop_assert_eq!(FileRecord::decode(&bytes), Some(record));
            let cut = usize::from(cut) % bytes.len();
            prop_assert_eq!(FileRecord::decode(&bytes[..cut]), None);
            bytes.push(0);
            prop_assert_eq!(FileRecord::decode(&bytes), None);
        }

        #[test]
        fn numbers_have_one_form(number in any::<u64>(), bytes in any::<[u8; 11]>()) {
            let mut out = Vec::new();
            put_number(&mut out, number);
            prop_assert_eq!(Fields(&out).number(), Some(number));
            let mut fields = Fields(&bytes);
            if let Some(number) = fields.number() {
                out.clear();
                put_number(&mut out, number);
                prop_assert_eq!(&bytes[..bytes.len() - fields.0.len()], &out[..]);
            }
        }
    }
}
