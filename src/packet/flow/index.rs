//! Which entry has which hash: open addressing with linear probing.
//!
//! A cell is eight bytes: half of the hash, and the entry's number. So looking for a flow
//! reads one line of this and one of its entry, and growing reads no entries at all. A
//! table of control bytes (as of `hashbrown`) reads one line more, which is not in the cache
//! when many flows are open. What is removed leaves no mark: those behind it move up.

/// Cells of the smallest index.
const LEAST: usize = 64;

#[derive(Debug)]
pub(super) struct Index {
    /// Half of the hash above the entry's number and one; 0 where there is none. A power of
    /// two of them, of which five eighths at most are in use.
    cells: Vec<u64>,
    count: usize,
}

/// A cell for an entry.
fn cell(half: u32, slot: u32) -> u64 {
    u64::from(half) << 32 | (u64::from(slot) + 1)
}

fn half_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl Index {
    pub(super) fn new() -> Index {
        Index { cells: vec![0; LEAST], count: 0 }
    }

    /// Entries that can be found.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn clear(&mut self) {
        self.cells.fill(0);
        self.count = 0;
    }

    /// Where a hash is looked for first. Halves are spread well: their upper bits do.
    fn home(&self, half: u32) -> usize {
        let bits = self.cells.len().trailing_zeros();
        (u64::from(half) << bits >> 32) as usize
    }

    /// The entry of this hash that `is_it` knows.
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let half = half_of(hash);
        let mut at = self.home(half);
        loop {
            let cell = self.cells[at];
            if cell == 0 {
                return None;
            }
            let slot = (cell as u32).wrapping_sub(1);
            if (cell >> 32) as u32 == half && is_it(slot) {
                return Some(slot);
            }
            at = self.behind(at);
        }
    }

    /// Adds an entry that is not there yet.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        if (self.count + 1) * 8 > self.cells.len() * 5 {
            let cells = std::mem::take(&mut self.cells);
            self.cells = vec![0; cells.len() * 2];
            for cell in cells.into_iter().filter(|&cell| cell != 0) {
                self.put(cell);
            }
        }
        self.put(cell(half_of(hash), slot));
        self.count += 1;
    }

    /// Takes an entry away.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let gone = cell(half_of(hash), slot);
        let mut hole = self.home(half_of(hash));
        while self.cells[hole] != gone {
            if self.cells[hole] == 0 {
                return;
            }
            hole = self.behind(hole);
        }
        self.count -= 1;
        let mut at = hole;
        loop {
            at = self.behind(at);
            let cell = self.cells[at];
            if cell == 0 {
                break;
            }
            // It may move into the hole unless that lies in front of its home.
            let home = self.home((cell >> 32) as u32);
            let mask = self.cells.len() - 1;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.cells[hole] = cell;
                hole = at;
            }
        }
        self.cells[hole] = 0;
    }

    fn behind(&self, at: usize) -> usize {
        (at + 1) & (self.cells.len() - 1)
    }

    fn put(&mut self, cell: u64) {
        let mut at = self.home((cell >> 32) as u32);
        while self.cells[at] != 0 {
            at = self.behind(at);
        }
        self.cells[at] = cell;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Against a map; few hashes, so that many of them meet.
        #[test]
        fn like_a_map(steps in proptest::collection::vec((any::<bool>(), 0..200_u64), 0..2000)) {
            let mut index = Index::new();
            let mut slow = BTreeMap::new();
            for (is_in, key) in steps {
                // Crowds at the end of the cells, so that they go round.
                let hash = (u64::MAX - key % 7) << 40 ^ (key / 3) << 32;
                let slot = key as u32;
                if is_in {
                    if slow.insert(slot, hash).is_none() {
                        index.insert(hash, slot);
                    }
                } else {
                    slow.remove(&slot);
                    index.remove(hash, slot);
                }
                prop_assert_eq!(index.len(), slow.len());
            }
            for key in 0..200_u64 {
                let hash = (u64::MAX - key % 7) << 40 ^ (key / 3) << 32;
                let found = index.find(hash, |slot| slot == key as u32);
                prop_assert_eq!(found.is_some(), slow.contains_key(&(key as u32)), "{}", key);
            }
            index.clear();
            prop_assert_eq!(index.len(), 0);
        }
    }
}
