//! Flows of several decoders that share one interface.
//!
//! The kernel gives the packets of a flow to one of them, by addresses and ports. An ICMP error about
//! the flow has other addresses, and may come to another decoder, which doesn't know the flow that
//! the error quotes, and would report it once more.

use super::key::Key;
use hashbrown::DefaultHashBuilder;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bits of a hash that select a cell: 1 MiB.
const CELL_BITS: u32 = 18;

/// What decoders know of each other's flows: a mark for each flow that was opened, in a table where
/// later ones replace earlier ones. So a flow may have been forgotten; that one is known which was
/// never opened has a chance of 1 in 4 billion.
pub struct SharedFlows {
    seed: DefaultHashBuilder,
    cells: Box<[AtomicU32]>,
}

impl fmt::Debug for SharedFlows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedFlows").finish_non_exhaustive()
    }
}

impl Default for SharedFlows {
    fn default() -> Self {
        let cells = (0..1 << CELL_BITS).map(|_| AtomicU32::new(0)).collect();
        SharedFlows { seed: DefaultHashBuilder::default(), cells }
    }
}

impl SharedFlows {
    /// A flow was opened.
    pub(super) fn note(&self, key: &Key) {
        let (cell, mark) = self.place(key);
        if let Some(cell) = cell {
            cell.store(mark, Ordering::Relaxed);
        }
    }

    /// Whether some decoder has opened a flow.
    pub(super) fn has(&self, key: &Key) -> bool {
        let (cell, mark) = self.place(key);
        cell.is_some_and(|cell| cell.load(Ordering::Relaxed) == mark)
    }

    /// The cell of a flow, and its mark there, which is never 0.
    fn place(&self, key: &Key) -> (Option<&AtomicU32>, u32) {
        let hash = self.seed.hash_one(key);
        let cell = self.cells.get((hash >> (u64::BITS - CELL_BITS)) as usize);
        (cell, (hash as u32).max(1))
    }
}
