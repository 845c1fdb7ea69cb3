//! `wiresift run`: the inputs, matching and sinks of `wiresift.toml` in one process.
//!
//! ```text
//! input ── source ──┐                          ┌── files, with their lengths
//!                   ├── workers ── committer ──┤── spool ── a thread for each sink
//! input ── source ──┘                          └── commit: offsets, cursors, windows
//! ```
//!
//! Everything between the source and the commit is in `live`, which `wiresift tail` uses as well.
//! This room opens what the configuration names, and supervises it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `service` | [`Service`]: what the caller provides, and [`Served`]: the result |
//! | `sinks`, `convert` | from the configuration of a sink to what sends its alerts |
//! | `serve` | [`serve()`]: from the configuration to running threads, and back |
//! | `supervisor` | starts sources, handles signals, notifies systemd |
//! | `reload` | a reload |
//! | `listening` | whether a reload could listen where it has to |
//! | `inputs` | from the tables of inputs to sources |
//! | `followed`, `received`, `packets` | logs, what others send, taps and captures, as sources |
//! | `kafka` | Kafka, from the configuration to clients |
//! | `folder` | a folder where captures appear |
//! | `outlets` | sinks that are written directly, and threads that send to the others |
//! | `reach` | whether receivers answer, for a check |
//! | `sandbox` | the privileges it drops |
//! | `board`, `watch`, `departed` | what is visible from outside: metrics and the status |

mod board;
mod convert;
mod departed;
mod folder;
mod followed;
mod inputs;
#[cfg(feature = "kafka")]
mod kafka;
mod listening;
mod outlets;
mod packets;
mod reach;
mod received;
mod reload;
#[cfg(feature = "live")]
mod sandbox;
mod serve;
mod service;
mod sinks;
mod supervisor;
mod watch;

#[cfg(feature = "kafka")]
pub use kafka::missing_topics;
pub use reach::{Reached, receivers};
pub use serve::serve;
pub use service::{Allow, FeedTimes, Served, Service, Undelivered, Update};
