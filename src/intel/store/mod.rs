//! The state directory: what each feed sent, as sent, and its normalised form.
//!
//! ```
//! use wiresift::engine::indicator::Timestamp;
//! use wiresift::intel::store::Store;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! let store = Store::at(folder.path());
//! let _lock = store.try_lock()?.expect("no other process writes to it");
//! let mut writer = store.feed_dir("mine").writer(Timestamp::from_seconds(0))?;
//! writer.put("list.txt", b"evil.example\n")?;
//! writer.set_cursor(None)?;
//!
//! let index = store.feed_dir("mine").index()?;
//! let document = &index.documents["list.txt"];
//! assert_eq!(store.feed_dir("mine").document(document)?, b"evil.example\n");
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! ```text
//! wiresift-state/
//!   lock                      held by the writing process, whose number it contains
//!   feeds/NAME/
//!     state.json              how the feed is doing, for people
//!     index.json              which documents it has, and where the next walk begins
//!     documents/…             each document as it was sent
//!     accepted.normal         the indicators that are compiled
//!     held.normal             those that wait to be confirmed, if any do
//!     ledger/index.json       which files below count, and the latest changes
//!     ledger/….segment        which values were in the feed, and when
//! ```
//!
//! The file of a document is never modified. It is named after its contents, and
//! `index.json` says which files count. So a crash at any moment leaves either the
//! old index with the old documents, or the new one with the new. The `.normal`
//! files can be rebuilt from the documents. The [`Ledger`] cannot: it remembers what the feed
//! has dropped since.
//!
//! This room does I/O and makes no decisions: what to fetch when, and what to
//! accept, is up to [`subscribe`](crate::intel::subscribe).

mod builder;
mod bytes;
mod contexts;
mod difference;
mod disk;
mod feed_dir;
mod folder;
mod index;
mod ledger;
mod normal;
mod payload;
mod state;
mod values;

pub use builder::SegmentBuilder;
pub use difference::Difference;
pub use feed_dir::{DocumentWriter, FeedDir, Piece};
pub use folder::{Lock, Store};
pub use index::{Document, Index};
pub use ledger::{Fetch, Ledger, LedgerChange, LedgerDir, LedgerIndex, LedgerSegment, Stay, Stays};
pub use normal::{Normal, Segment};
pub use state::{FeedState, PendingReview};

#[cfg(test)]
mod tests;
