//! The sensor: inputs to the engine, its alerts to sinks, and the threads between them.

mod halt;
#[cfg(feature = "daemon")]
pub mod http;
pub mod input;
#[cfg(feature = "daemon")]
pub mod listen;
#[cfg(feature = "daemon")]
pub mod metrics;
pub mod run;
pub mod sink;
