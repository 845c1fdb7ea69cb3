//! From indicators to a database: guards, duplicates joined, sorted, published.
//!
//! A [`Compiler`] takes indicators in any order and gives the same file for any
//! order. It knows nothing of feeds: whoever reads them hands it what they said.

mod arena;
mod compiler;
mod guard;
mod screen;

pub use compiler::{Compiler, Options, Together};
pub use guard::verdict;
pub use screen::{Effect, ListReport, Screen};
