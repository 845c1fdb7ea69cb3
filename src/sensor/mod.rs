//! The sensor: inputs to the engine, its alerts to sinks, and the threads between them.

#[cfg(feature = "daemon")]
pub mod config;
mod halt;
pub mod input;
pub mod run;
pub mod sink;
