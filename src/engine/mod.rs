//! The engine: compiles indicators into a database, finds observables in bytes, and
//! turns the hits between them into alerts.
//!
//! It maps and publishes files and does no other I/O. It reads no clock, starts no
//! process, and depends on no other part of the crate.

pub mod alert;
pub mod compile;
pub mod database;
pub mod error;
pub mod files;
pub mod indicator;
mod memory;
pub mod packet;
pub(crate) mod progress;
pub mod scan;
pub mod segment;
pub mod settings;
pub mod suppress;
pub mod text;
