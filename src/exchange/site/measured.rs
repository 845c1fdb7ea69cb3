//! How much is stored, for metrics.
//!
//! To count the rows of a large database takes a while, and whoever collects metrics asks every
//! few seconds. So counts are kept: for a minute, and for a hundred times as long as they took.

use crate::clock::Stopwatch;
use crate::engine::error::Result;
use crate::exchange::metrics::Sizes;
use crate::exchange::storage::Storage;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// For how long counts are good at least.
const GOOD: Duration = Duration::from_secs(60);

/// The share of the time that counting may take is one of so many.
const SHARE: u32 = 100;

/// The last counts.
#[derive(Debug, Default)]
pub(super) struct Measured {
    last: Mutex<Option<(Stopwatch, Duration, Sizes)>>,
}

impl Measured {
    /// The counts, which may be a little old.
    pub(super) fn of(&self, storage: &Storage) -> Result<Sizes> {
        // Whoever comes while others count waits for their counts.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, cost, sizes)) = last.as_ref()
            && since.elapsed() < GOOD.max(*cost * SHARE)
        {
            return Ok(*sizes);
        }
        let watch = Stopwatch::start();
        let sizes = storage.read(|view| view.sizes())?;
        *last = Some((Stopwatch::start(), watch.elapsed(), sizes));
        Ok(sizes)
    }
}
