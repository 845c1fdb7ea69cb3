//! Hits that leave the thread that made them.

use crate::engine::alert::Provenance;
use crate::engine::indicator::Timestamp;
use crate::engine::scan::Hit;

/// A hit that no longer borrows from a database.
pub(super) struct OwnedHit {
    pub(super) hit: Hit<'static>,
    pub(super) origin: Provenance,
    /// When its input was read.
    pub(super) read_at: Timestamp,
}
