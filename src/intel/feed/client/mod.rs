//! Exchanges: servers that are walked, page by page, and that tell what changed.
//!
//! A walk hands what it finds to a [`Keeper`], as the exchange sent it, and notes in
//! the cursor how far it came, so that a crash in its middle costs a page and not the
//! walk.

mod ask;
mod exchange;
pub mod misp;
pub mod otx;
pub mod taxii;

pub use exchange::{Exchange, Keeper, Walked};
