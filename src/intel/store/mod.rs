//! The state directory: what each feed sent, as it sent it, and what we made of it.
//!
//! ```text
//! wiresift-state/
//!   lock                      held by whoever writes; its process is in it
//!   feeds/NAME/
//!     state.json              how the feed is doing, for people
//!     index.json              which documents it has, and where the next walk begins
//!     documents/…             each document as it was sent
//!     accepted.normal         the indicators that are compiled
//!     held.normal             those that wait to be confirmed, if any do
//! ```
//!
//! A document's file is never written to again: it is named after its contents, and
//! `index.json` says which ones count. So a crash at any moment leaves the old index with
//! the old documents, or the new one with the new. Everything in `.normal` can be made anew
//! from the documents.
//!
//! The room does I/O, and decides nothing: what is fetched when, and what is taken, is
//! said in [`subscribe`](crate::intel::subscribe).

mod builder;
mod bytes;
mod contexts;
mod disk;
mod folder;
mod index;
mod normal;
mod payload;
mod shelf;
mod state;

pub use builder::SegmentBuilder;
pub use folder::{Lock, Store};
pub use index::{Document, Index};
pub use normal::{Normal, Segment};
pub use shelf::{DocumentWriter, FeedDir, Piece};
pub use state::{PendingReview, State};

#[cfg(test)]
mod tests;
