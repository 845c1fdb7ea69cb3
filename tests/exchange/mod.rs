//! The exchange: its server as a process, with real clients over loopback, and its routes in
//! this process.

mod bench;
mod circle;
mod commands;
mod durable;
mod exports;
mod inside;
mod leaks;
mod metrics;
mod process;
mod running;
mod sdk;
mod taxii;
mod wire;
