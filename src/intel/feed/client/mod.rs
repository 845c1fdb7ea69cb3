//! Exchanges: servers that are walked page by page, and that report what changed.
//!
//! A walk passes what it finds to a [`DocumentStore`], as sent, and stores its position in
//! the cursor, so that a crash costs a page and not the whole walk.

mod ask;
mod exchange;
pub mod misp;
pub mod otx;
pub mod taxii;

pub use exchange::{DocumentStore, Exchange, WalkSummary};
