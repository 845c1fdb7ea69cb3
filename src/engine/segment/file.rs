//! An open segment.

use super::block::Block;
use super::cursor::Cursor;
use super::filter;
use super::layout::{ENTRY, Layout, block_sum, damaged, entry, first_key};
use super::row::Row;
use crate::engine::memory::Mapped;
use crate::{Error, Result};
use std::fs::File;
use std::io::Read as _;
use std::ops::Deref;
use std::path::Path;

/// The bytes of a segment.
#[derive(Debug)]
enum Bytes {
    Mapped(Mapped),
    Memory(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Memory(bytes) => bytes,
        }
    }
}

/// An open segment. Everything but its blocks was checked; each of these is checked when it is
/// read.
#[derive(Debug)]
pub struct Segment {
    bytes: Bytes,
    layout: Layout,
}

impl Segment {
    /// Maps a file and checks it; copies it into memory if it cannot be mapped.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is not a sound segment of this version.
    pub fn open(path: &Path) -> Result<Segment> {
        let fail = |e| Error::io("open the segment", e).at_path(path);
        let mut file = File::open(path).map_err(fail)?;
        let bytes = match Mapped::new(&file) {
            Ok(map) => Bytes::Mapped(map),
            Err(_) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).map_err(fail)?;
                Bytes::Memory(bytes)
            }
        };
        Segment::of(bytes).map_err(|e| e.at_path(path))
    }

    /// Checks bytes in memory.
    ///
    /// # Errors
    ///
    /// They are not a sound segment of this version.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Segment> {
        Segment::of(Bytes::Memory(bytes))
    }

    fn of(bytes: Bytes) -> Result<Segment> {
        let layout = Layout::read(&bytes)?;
        Ok(Segment { bytes, layout })
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.layout.rows
    }

    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The earliest first time and the latest last time, in seconds; `None` without rows.
    pub fn times(&self) -> Option<(i64, i64)> {
        (self.rows() > 0).then_some((self.layout.first, self.layout.last))
    }

    /// Whether any key may begin with this byte; its highest bit does not matter.
    pub fn may_hold_kind(&self, kind: u8) -> bool {
        self.layout.kinds >> (kind & 0x7f) & 1 != 0
    }

    /// Whether the key may be in the segment: it is not if this is `false`.
    pub fn may_hold(&self, key: &[u8]) -> bool {
        let kind = key.first().copied().unwrap_or(0);
        self.may_hold_kind(kind)
            && filter::may_hold(&self.bytes[self.layout.filter.clone()], filter::hash(key))
    }

    /// Appends the rows of a key to `rows`.
    ///
    /// # Errors
    ///
    /// A block is damaged.
    pub fn find(&self, key: &[u8], rows: &mut Vec<Row>) -> Result<()> {
        if !self.may_hold(key) {
            return Ok(());
        }
        let mut cursor = self.cursor();
        cursor.seek(key)?;
        while let Some((_, row)) = cursor.get().filter(|(found, _)| *found == key) {
            rows.push(*row);
            cursor.advance()?;
        }
        Ok(())
    }

    /// A cursor before the first row. It must be moved with [`Cursor::advance`] or
    /// [`Cursor::seek`].
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self)
    }

    /// Reads every block, for a complete check.
    ///
    /// # Errors
    ///
    /// A block is damaged, or the number of rows is wrong.
    pub fn check(&self) -> Result<()> {
        let mut cursor = self.cursor();
        let mut rows = 0;
        let mut before: (Vec<u8>, i64) = (Vec::new(), i64::MIN);
        cursor.advance()?;
        while let Some((key, row)) = cursor.get() {
            if (before.0.as_slice(), before.1) > (key, row.first) {
                return Err(damaged("its rows are out of order"));
            }
            before.0.clear();
            before.0.extend_from_slice(key);
            before.1 = row.first;
            rows += 1;
            cursor.advance()?;
        }
        if rows == self.rows() { Ok(()) } else { Err(damaged("the number of its rows is wrong")) }
    }

    /// The number of blocks.
    pub(super) fn blocks(&self) -> usize {
        self.layout.entries.len() / ENTRY
    }

    /// The first block that may contain the key: the rows of a key may begin at the end of a
    /// block and go on in the next ones.
    pub(super) fn block_of(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.blocks());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.first_key(middle) < Some(key) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.saturating_sub(1)
    }

    /// The first key of a block, if there is one with this number.
    pub(super) fn first_key(&self, number: usize) -> Option<&[u8]> {
        first_key(self.entries(), &self.bytes[self.layout.keys.clone()], number)
    }

    /// Decodes a block.
    ///
    /// # Errors
    ///
    /// It is damaged.
    pub(super) fn block(&self, number: usize, block: &mut Block) -> Result<()> {
        let blocks = &self.bytes[self.layout.blocks.clone()];
        let mut decode = || {
            let (start, sum, _) = entry(self.entries(), number)?;
            let end = entry(self.entries(), number + 1).map_or(blocks.len(), |next| next.0);
            let bytes = blocks.get(start..end).filter(|bytes| block_sum(bytes) == sum)?;
            block.decode(bytes, self.first_key(number)?, |number| self.marks(number))
        };
        decode().ok_or_else(|| {
            let at = entry(self.entries(), number).map_or(0, |(start, ..)| start);
            damaged("a block is wrong").at_offset((self.layout.blocks.start + at) as u64)
        })
    }

    fn entries(&self) -> &[u8] {
        &self.bytes[self.layout.entries.clone()]
    }

    /// The marks with a number in the dictionary.
    fn marks(&self, number: u64) -> Option<u64> {
        let start = usize::try_from(number).ok()?.checked_mul(8)?;
        let dictionary = &self.bytes[self.layout.dictionary.clone()];
        dictionary.get(start..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }
}
