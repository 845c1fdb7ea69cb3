//! The parts of a segment: header, footer, and the checks that opening makes.
//!
//! ```text
//! header   0  magic    8 bytes, "\x89wsseg\r\n"
//!          8  version  u32
//!         12  zero     u32
//! parts       blocks, dictionary, index entries, index keys, filter
//! footer   0  rows u64, first i64, last i64, kinds u128
//!         40  lengths of the five parts, u64 each
//!         80  XXH3-64 of dictionary, of index entries and keys, and of filter
//!        104  XXH3-64 of the header and the footer up to here
//! ```
//!
//! An entry of the index is `{ offset of the block u64, its checksum u32, end of its first key
//! u32 }`; the checksum is the lower half of XXH3-64.

use super::filter::LINE;
use crate::{Error, Result};
use std::ops::Range;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

/// The version of the format that this code writes and reads.
///
/// It changes whenever the bytes for the same rows change.
pub const VERSION: u32 = 1;

/// The maximum length of a key in bytes.
pub const MAX_KEY: usize = 1100;

/// The rows of a block, except the last one.
pub(super) const BLOCK: usize = 128;

pub(super) const MAGIC: &[u8; 8] = b"\x89wsseg\r\n";
pub(super) const HEADER: usize = 16;
pub(super) const ENTRY: usize = 16;
const FOOTER: usize = 112;
/// The numbers of a footer before its own checksum.
const WORDS: usize = FOOTER / 8 - 1;

/// Where the parts of a segment are, and what it contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) rows: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    /// A bit for the lower seven bits of each key's first byte.
    pub(super) kinds: u128,
    pub(super) blocks: Range<usize>,
    pub(super) dictionary: Range<usize>,
    pub(super) entries: Range<usize>,
    pub(super) keys: Range<usize>,
    pub(super) filter: Range<usize>,
}

/// The header.
pub(super) fn header() -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// The parts after the blocks.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) dictionary: Vec<u8>,
    pub(super) entries: Vec<u8>,
    pub(super) keys: Vec<u8>,
    pub(super) filter: Vec<u8>,
}

impl Parts {
    /// Everything after the blocks, of which there are `blocks` bytes. Only the counts and times
    /// of the layout matter.
    pub(super) fn into_tail(self, layout: &Layout, blocks: u64) -> Vec<u8> {
        let Parts { dictionary, mut entries, keys, filter } = self;
        let lengths = [dictionary.len(), entries.len(), keys.len(), filter.len()];
        entries.extend_from_slice(&keys);
        let sums = [&dictionary, &entries, &filter].map(|part| xxh3_64(part));
        let counts = [layout.rows, layout.first as u64, layout.last as u64];
        let kinds = [layout.kinds as u64, (layout.kinds >> 64) as u64];
        let mut footer = Vec::with_capacity(FOOTER);
        let words = counts.into_iter().chain(kinds).chain([blocks]);
        for word in words.chain(lengths.map(|length| length as u64)).chain(sums) {
            footer.extend_from_slice(&word.to_le_bytes());
        }
        let sum = sum_of(&header(), &footer);
        footer.extend_from_slice(&sum.to_le_bytes());
        [dictionary, entries, filter, footer].concat()
    }
}

/// The checksum of header and footer.
fn sum_of(header: &[u8], footer: &[u8]) -> u64 {
    let mut sum = Xxh3Default::new();
    sum.update(header);
    sum.update(footer);
    sum.digest()
}

/// The checksum of a block.
pub(super) fn block_sum(bytes: &[u8]) -> u32 {
    xxh3_64(bytes) as u32
}

/// An entry of the index: where its block begins, the block's checksum, and where its key ends.
pub(super) fn entry(entries: &[u8], number: usize) -> Option<(usize, u32, usize)> {
    let start = number.checked_mul(ENTRY)?;
    let (offset, rest) = entries.get(start..start.checked_add(ENTRY)?)?.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (end, _) = rest.split_first_chunk()?;
    let offset = usize::try_from(u64::from_le_bytes(*offset)).ok()?;
    Some((offset, u32::from_le_bytes(*sum), usize::try_from(u32::from_le_bytes(*end)).ok()?))
}

/// The first key of a block.
pub(super) fn first_key<'b>(entries: &[u8], keys: &'b [u8], number: usize) -> Option<&'b [u8]> {
    let start = match number.checked_sub(1) {
        Some(before) => entry(entries, before)?.2,
        None => 0,
    };
    keys.get(start..entry(entries, number)?.2)
}

/// An error about a segment's bytes.
pub(super) fn damaged(what: &'static str) -> Error {
    Error::format(format!("the segment is damaged: {what}"))
}

impl Layout {
    /// Reads header and footer, and checks everything but the contents of the blocks.
    ///
    /// # Errors
    ///
    /// The bytes are not a segment, of another version, or damaged.
    pub(super) fn read(bytes: &[u8]) -> Result<Layout> {
        let header = bytes.get(..HEADER).filter(|header| header.starts_with(MAGIC));
        let header = header.ok_or_else(|| Error::format("this is not a segment"))?;
        let version = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        if version != VERSION {
            return Err(Error::format(format!(
                "the segment has format {version}, this program reads {VERSION}"
            )));
        }
        let body = bytes.len().checked_sub(HEADER + FOOTER);
        let end = HEADER + body.ok_or_else(|| damaged("it is too short"))?;
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes[end..].chunks_exact(8)) {
            *word = bytes.try_into().map_or(0, u64::from_le_bytes);
        }
        let (footer, sum) = bytes[end..].split_at(FOOTER - 8);
        if sum != sum_of(header, footer).to_le_bytes() {
            return Err(damaged("the checksum of header and footer is wrong"));
        }
        let layout = Layout::of_words(&words, end)
            .ok_or_else(|| damaged("the lengths of its parts do not add up"))?;
        let index = layout.entries.start..layout.keys.end;
        for (part, sum) in [(&layout.dictionary, 10), (&index, 11), (&layout.filter, 12)] {
            if xxh3_64(&bytes[part.clone()]) != words[sum] {
                return Err(damaged("a checksum is wrong").at_offset(part.start as u64));
            }
        }
        layout.check_index(bytes)?;
        Ok(layout)
    }

    /// The layout that a footer describes, if its parts exactly fill the space up to `end`.
    fn of_words(words: &[u64; WORDS], end: usize) -> Option<Layout> {
        let mut at = HEADER;
        let mut part = |word: usize, unit: usize| {
            let start = at;
            let length = usize::try_from(words[word]).ok()?;
            at = start.checked_add(length).filter(|at| *at <= end)?;
            length.is_multiple_of(unit).then_some(start..at)
        };
        let layout = Layout {
            rows: words[0],
            first: words[1] as i64,
            last: words[2] as i64,
            kinds: u128::from(words[3]) | u128::from(words[4]) << 64,
            blocks: part(5, 1)?,
            dictionary: part(6, 8)?,
            entries: part(7, ENTRY)?,
            keys: part(8, 1)?,
            filter: part(9, LINE)?,
        };
        let blocks = (layout.entries.len() / ENTRY) as u64;
        let fits = (blocks..=blocks.checked_mul(BLOCK as u64)?).contains(&layout.rows);
        (at == end && fits).then_some(layout)
    }

    /// Checks that blocks and their first keys follow one another.
    fn check_index(&self, bytes: &[u8]) -> Result<()> {
        let (entries, keys) = (&bytes[self.entries.clone()], &bytes[self.keys.clone()]);
        let count = entries.len() / ENTRY;
        let mut key: &[u8] = &[];
        let mut offset = 0;
        for number in 0..count {
            let next = first_key(entries, keys, number);
            let next = next.filter(|next| (1..=MAX_KEY).contains(&next.len()) && key <= *next);
            key = next.ok_or_else(|| damaged("the keys of its index are out of order"))?;
            let at = entry(entries, number).map(|(offset, ..)| offset);
            let is_next = if number == 0 { at == Some(0) } else { at > Some(offset) };
            offset = at
                .filter(|at| is_next && *at < self.blocks.len())
                .ok_or_else(|| damaged("the blocks of its index are out of order"))?;
        }
        let end = count.checked_sub(1).and_then(|last| entry(entries, last));
        if end.map_or(0, |(.., end)| end) != keys.len() || count == 0 && !self.blocks.is_empty() {
            return Err(damaged("its index does not cover everything"));
        }
        Ok(())
    }
}
