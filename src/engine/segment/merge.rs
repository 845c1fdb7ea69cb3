//! Reads several segments as one.

use super::cursor::Cursor;
use super::file::Segment;
use super::layout::damaged;
use super::row::Row;
use crate::Result;

/// The rows of one key that are read at once. No caller writes more; a file that has more is
/// not ours, and would need memory for all of them.
const MAX_ROWS: usize = 1 << 16;

/// Goes through several segments in the order of keys, and gives all rows of a key at once.
///
/// Each step compares the keys of all segments: a few dozen are fast.
#[derive(Debug)]
pub struct Merge<'s> {
    cursors: Vec<Cursor<'s>>,
    key: Vec<u8>,
    rows: Vec<Row>,
}

impl<'s> Merge<'s> {
    /// Starts before the first key. The order of the segments is that of a key's rows.
    ///
    /// # Errors
    ///
    /// The first block of a segment is damaged.
    pub fn new(segments: impl IntoIterator<Item = &'s Segment>) -> Result<Self> {
        let mut cursors: Vec<Cursor<'s>> = segments.into_iter().map(Segment::cursor).collect();
        cursors.iter_mut().try_for_each(Cursor::advance)?;
        Ok(Merge { cursors, key: Vec::new(), rows: Vec::new() })
    }

    /// The next key and its rows: those of the first segment first, each in the order of
    /// `first`. The caller may change the rows. `None` at the end.
    ///
    /// # Errors
    ///
    /// A block is damaged.
    pub fn next_key(&mut self) -> Result<Option<(&[u8], &mut Vec<Row>)>> {
        let keys = self.cursors.iter().filter_map(|cursor| cursor.get().map(|(key, _)| key));
        let Some(least) = keys.min() else { return Ok(None) };
        self.key.clear();
        self.key.extend_from_slice(least);
        self.rows.clear();
        for cursor in &mut self.cursors {
            while let Some((_, row)) = cursor.get().filter(|(key, _)| *key == self.key) {
                if self.rows.len() >= MAX_ROWS {
                    return Err(damaged("a key has too many rows"));
                }
                self.rows.push(*row);
                cursor.advance()?;
            }
        }
        Ok(Some((&self.key, &mut self.rows)))
    }
}
