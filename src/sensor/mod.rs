//! The sensor: inputs to the engine, its alerts to sinks, and the threads between them.

pub mod checkpoint;
mod halt;
pub mod input;
pub mod run;
pub mod sink;
