//! The database: its file format, its verification, its replacement under running work.

mod format_fixture;
mod known;
pub mod swaps;
