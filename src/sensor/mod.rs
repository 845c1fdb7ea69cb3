//! The sensor: reads inputs for the engine, writes its alerts to sinks, and runs the
//! threads in between.

mod halt;
pub mod input;
pub mod run;
pub mod sink;
