//! Everything that keeps running: followed logs, receivers, deliveries.

mod daemon;
mod daemon_package;
mod daemon_sinks;
mod daemon_units;
mod receivers;
mod run_check;
mod setup;
mod status;
mod tail;
