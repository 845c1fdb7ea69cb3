//! A position in a segment.

use super::block::Block;
use super::file::Segment;
use super::row::Row;
use crate::Result;

/// A position in a segment: before its first row, at a row, or after the last. It only moves
/// forward.
#[derive(Clone, Debug)]
pub struct Cursor<'s> {
    segment: &'s Segment,
    block: Block,
    /// The number of the block after the decoded one.
    next: usize,
    at: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(segment: &'s Segment) -> Self {
        Cursor { segment, block: Block::default(), next: 0, at: 0 }
    }

    /// The row and its key; `None` before the first and after the last.
    pub fn get(&self) -> Option<(&[u8], &Row)> {
        self.block.get(self.at)
    }

    /// Moves to the next row.
    ///
    /// # Errors
    ///
    /// The block with it is damaged. The next call goes on after that block.
    pub fn advance(&mut self) -> Result<()> {
        if self.at + 1 < self.block.len() {
            self.at += 1;
            return Ok(());
        }
        self.at = 0;
        self.block.clear();
        if self.next < self.segment.blocks() {
            self.next += 1;
            self.segment.block(self.next - 1, &mut self.block)?;
        }
        Ok(())
    }

    /// Moves to the first row whose key is not less, unless it is there or has passed it. Keys
    /// in ascending order decode each block at most once.
    ///
    /// # Errors
    ///
    /// A block is damaged.
    pub fn seek(&mut self, key: &[u8]) -> Result<()> {
        if self.block.last_key().is_none_or(|last| last < key) {
            // Before the next block, or at it.
            self.next = self.segment.block_of(key).max(self.next);
            self.at = 0;
            self.block.clear();
            self.advance()?;
        }
        while self.get().is_some_and(|(found, _)| found < key) {
            self.advance()?;
        }
        Ok(())
    }
}
