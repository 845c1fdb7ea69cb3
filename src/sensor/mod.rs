//! The sensor: reads inputs for the engine, writes its alerts to sinks, and runs the
//! threads in between.

pub mod bench;
pub mod checkpoint;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod deliver;
mod halt;
#[cfg(feature = "daemon")]
pub mod http;
pub mod input;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "daemon")]
pub mod listen;
#[cfg(feature = "daemon")]
pub mod metrics;
#[cfg(feature = "daemon")]
pub mod outlet;
pub mod run;
#[cfg(feature = "daemon")]
pub mod secret;
pub mod sink;
#[cfg(feature = "daemon")]
pub mod spool;
