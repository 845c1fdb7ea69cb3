//! The ledger of a feed: which values were in it, and when.
//!
//! A value that is in a feed without a gap is a *stay*: first seen, last seen, and absent since
//! once it has gone. A value that left and came back has several. Times are those of fetches, so
//! a value was published somewhere between its first fetch and the one before.
//!
//! ```text
//! ledger/index.json          which segments count, oldest first; the latest changes
//! ledger/HASH.segment        rows of stays (see `engine::segment`), named after their contents
//! ```
//!
//! An update writes only what changed: a new segment with the stays that began or ended, in which
//! a row replaces the older row of the same value and first time. It is synced before the index
//! that mentions it is replaced, so a crash leaves either the old ledger or the new one. Segments of
//! similar size are merged, so that their number grows with the logarithm of the rows.
//!
//! The index names the normalised form that the ledger describes. If that is not the one that
//! stood before the update (a crash in between, a disk that was full), all values of the feed are
//! compared with the ledger instead of the difference.
//!
//! What was already there when the ledger began, or when the settings for reading the feed
//! changed, is marked: nobody knows when it came.

mod dir;
mod index;
mod merge;
mod reader;
mod recorder;

pub use dir::LedgerDir;
pub use index::{LedgerChange, LedgerIndex, LedgerSegment};
pub use reader::{Ledger, Stay, Stays};
pub use recorder::Fetch;

#[cfg(test)]
mod tests;
