//! The exchange: its server as a process, with real clients over loopback, and its routes in
//! this process.

mod bench;
mod circle;
mod clients;
mod commands;
mod downloads;
mod durable;
mod exports;
mod inside;
mod leaks;
mod metrics;
mod migrations;
mod page;
mod people;
#[cfg(feature = "postgres")]
mod postgres;
mod process;
mod running;
mod sdk;
mod sources;
mod taxii;
mod trust;
mod wire;
