//! Live interfaces to alerts.
//!
//! ```text
//!             ┌─ ring ── worker 0: decode, scan, encode ─┐
//! interface ──┤                                          ├── sink
//!   (hash)    └─ ring ── worker 1: decode, scan, encode ─┘
//! ```
//!
//! The kernel shares the packets of an interface out by flow (`fanout`). A worker
//! has a ring on each interface (`socket`), and does with each packet all that there is to
//! do (`worker`): no packet and no hit goes from one thread to another, but for the
//! encoded alerts, which are written under one lock after each batch. So an alert
//! is out within some 20 ms of its packet, which is how long the kernel gathers.
//!
//! A thread beside them watches for a newer database (`current`), which each worker
//! takes up between two batches: its decoder, with all flows and streams, stays.
//!
//! The thread that called supervises: it opens interfaces, again when one comes
//! back, gathers the counts, and ends it all on a signal, in time, or when an output
//! is gone. Once everything is open it gives up what it needs no more (`sandbox`).

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
