//! What keeps running: logs that are followed, receivers, deliveries.

mod daemon;
mod daemon_sinks;
mod receivers;
mod tail;
