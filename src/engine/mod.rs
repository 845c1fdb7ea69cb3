//! The engine: indicators to a database, bytes to observables, both to hits and alerts.
//!
//! It does no I/O but mapping and publishing files, reads no clock, starts no process, and
//! stands on nothing outside itself.

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
pub mod settings;
pub mod suppress;
pub mod text;
