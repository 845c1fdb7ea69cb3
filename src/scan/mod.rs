//! Observables against the database: hits.
//!
//! One [`Hit`] is one observable in one place, with every indicator that it met.

mod hit;

pub use hit::{Hit, Match, Seen};
