//! What keeps running: logs that are followed, receivers, deliveries.

mod daemon_sinks;
mod receivers;
mod run_check;
mod setup;
mod status;
mod tail;
