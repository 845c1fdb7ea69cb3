//! Packets: captures against independent programs, clocks, memory, live interfaces.

mod clock;
mod expected_captures;
mod mail;
mod memory;
mod requests;
mod syslog;
pub mod tap;
mod threads;
mod tshark;
