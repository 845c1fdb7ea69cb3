//! Live interfaces to alerts.
//!
//! ```text
//!             ┌─ ring ── worker 0: decode, scan, encode ─┐
//! interface ──┤                                          ├── sink
//!   (hash)    └─ ring ── worker 1: decode, scan, encode ─┘
//! ```
//!
//! The kernel distributes the packets of an interface by flow (`fanout`). A worker has a ring on
//! each interface (`socket`), and processes each packet completely (`worker`): no packet and no hit
//! passes from one thread to another, except for the encoded alerts, which are written under one
//! lock after each batch. So an alert is out within some 20 ms of its packet, which is how long the
//! kernel collects packets.
//!
//! A separate thread watches for a newer database (`current`), which each worker starts to use
//! between two batches: its decoder, with all flows and streams, stays.
//!
//! The calling thread supervises: it opens interfaces, and reopens those that come back, collects
//! the counts, and ends everything on a signal, when the time is up, or when an output is gone.
//! Once everything is open it drops the privileges that it no longer needs (`sandbox`).

mod fanout;
mod job;
mod outbox;
mod report;
mod sandbox;
mod socket;
mod worker;

pub use job::{Listen, tap};
pub use sandbox::{Grant, Sandbox};
pub use socket::Listening;
