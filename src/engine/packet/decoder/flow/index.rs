//! The index of flow entries: a hash table of entry numbers with linear probing.
//!
//! Half of the hash is stored next to each number, so that neither growing nor a lookup reads
//! other entries. A lookup mostly touches one cache line, which [`Index::prefetch`] loads ahead
//! of time: with a million open flows each lookup waits for memory, and the tables of crates have
//! no prefetch, so that these waits could not overlap. Large tables use huge pages, for the same
//! reason as the entries do.
//!
//! The cell is chosen by the upper bits of the hash, so that growing walks both tables
//! sequentially.

use crate::engine::memory::{self, Pages};
use std::ops::{Deref, DerefMut};

/// The stored half of the hash, and the number plus 1; 0 means free.
type Cell = u64;

const FEWEST_BITS: u32 = 6;

#[derive(Debug)]
pub(super) struct Index {
    cells: Cells,
    /// Bits of a hash that do not select the cell.
    shift: u32,
    len: usize,
}

/// A power of two of cells.
#[derive(Debug)]
enum Cells {
    Few(Vec<Cell>),
    Many(Pages<Cell>),
}

impl Cells {
    /// All free; 2 to the power of `bits`.
    fn new(bits: u32) -> Cells {
        let count = 1 << bits;
        if count < Pages::<Cell>::LEN {
            Cells::Few(vec![0; count])
        } else {
            Cells::Many(Pages::new(count))
        }
    }
}

impl Deref for Cells {
    type Target = [Cell];

    #[inline(always)]
    fn deref(&self) -> &[Cell] {
        match self {
            Cells::Few(cells) => cells,
            Cells::Many(pages) => pages,
        }
    }
}

impl DerefMut for Cells {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [Cell] {
        match self {
            Cells::Few(cells) => cells,
            Cells::Many(pages) => pages,
        }
    }
}

fn half(cell: Cell) -> u32 {
    (cell >> 32) as u32
}

fn slot(cell: Cell) -> Option<u32> {
    (cell as u32).checked_sub(1)
}

impl Index {
    pub(super) fn new() -> Self {
        Index { cells: Cells::new(FEWEST_BITS), shift: u32::BITS - FEWEST_BITS, len: 0 }
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether the table is so large that prefetching pays off.
    #[inline(always)]
    pub(super) fn is_large(&self) -> bool {
        self.shift <= u32::BITS - LARGE_BITS
    }

    /// The first cell for a hash.
    #[inline(always)]
    fn home(&self, half: u32) -> usize {
        (half >> self.shift) as usize
    }

    /// Loads the cell for a hash into the cache.
    #[inline(always)]
    pub(super) fn prefetch(&self, hash: u32) {
        if let Some(cell) = self.cells.get(self.home(hash)) {
            memory::prefetch(cell);
        }
    }

    /// The number that most likely belongs to a hash, for prefetching.
    #[inline(always)]
    pub(super) fn likely(&self, hash: u32) -> Option<u32> {
        let cell = *self.cells.get(self.home(hash))?;
        if half(cell) == hash { slot(cell) } else { None }
    }

    /// The number with this hash for which `is_it` is true.
    #[inline(always)]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let cells = &self.cells[..];
        let mut place = self.home(hash);
        loop {
            let cell = cells[place];
            let slot = slot(cell)?;
            if half(cell) == hash && is_it(slot) {
                return Some(slot);
            }
            place = (place + 1) & (cells.len() - 1);
        }
    }

    /// Inserts a number.
    pub(super) fn insert(&mut self, hash: u32, slot: u32) {
        // At most five eighths full: longer runs cost more than the memory saved.
        if (self.len + 1) * 8 > self.cells.len() * 5 {
            self.grow();
        }
        self.len += 1;
        put(&mut self.cells, self.shift, Cell::from(hash) << 32 | Cell::from(slot + 1));
    }

    #[cold]
    fn grow(&mut self) {
        self.shift -= 1;
        let old = std::mem::replace(&mut self.cells, Cells::new(u32::BITS - self.shift));
        for &cell in old.iter().filter(|&&cell| cell != 0) {
            put(&mut self.cells, self.shift, cell);
        }
    }

    /// Removes a number.
    pub(super) fn remove(&mut self, hash: u32, number: u32) {
        let shift = self.shift;
        let cells = &mut self.cells[..];
        let mask = cells.len() - 1;
        let mut hole = (hash >> shift) as usize;
        while slot(cells[hole]) != Some(number) {
            if cells[hole] == 0 {
                return;
            }
            hole = (hole + 1) & mask;
        }
        self.len -= 1;
        // Entries after it move up, unless that would put them before their first cell.
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let cell = cells[place];
            if cell == 0 {
                break;
            }
            let from_home = place.wrapping_sub((half(cell) >> shift) as usize) & mask;
            if from_home >= place.wrapping_sub(hole) & mask {
                cells[hole] = cell;
                hole = place;
            }
        }
        cells[hole] = 0;
    }
}

fn put(cells: &mut [Cell], shift: u32, cell: Cell) {
    let mask = cells.len() - 1;
    let mut place = (half(cell) >> shift) as usize;
    while cells[place] != 0 {
        place = (place + 1) & mask;
    }
    cells[place] = cell;
}

/// Table size from which the tables of all shards and their entries don't fit into the caches of
/// a core. With a quarter of it, mixed traffic was 3% slower, because of useless prefetches.
const LARGE_BITS: u32 = 15;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Compared with a table of the standard library, with few and with many equal hashes.
    #[test]
    fn finds_what_was_put_in_and_not_taken_out() {
        for (spread, rounds) in [(0x9e37_79b9_u32, 400_000_u32), (0x0100_0000, 3_000), (0, 300)] {
            let mut index = Index::new();
            let mut slow = HashMap::new();
            for round in 0..rounds {
                let hash = round.wrapping_mul(spread);
                index.insert(hash, round);
                slow.insert(round, hash);
                // Two of three are removed again, some of them long after they were inserted.
                let old = round.wrapping_mul(7919) % (round + 1);
                if round % 3 != 0
                    && let Some(hash) = slow.remove(&old)
                {
                    index.remove(hash, old);
                }
                assert_eq!(index.len(), slow.len());
            }
            for number in 0..rounds {
                let hash = number.wrapping_mul(spread);
                let want = slow.contains_key(&number).then_some(number);
                assert_eq!(index.find(hash, |slot| slot == number), want);
                index.prefetch(hash);
                assert!(index.likely(hash).is_none_or(|likely| slow[&likely] == hash));
            }
            index.remove(1, rounds + 1);
            assert_eq!(index.len(), slow.len());
        }
    }
}
