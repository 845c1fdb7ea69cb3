//! `wiresift run`: inputs, matching and sinks as `wiresift.toml` has them, in one process.
//!
//! ```text
//! input ── source ──┐                          ┌── files, with their lengths
//!                   ├── workers ── committer ──┤── spool ── a thread for each sink
//! input ── source ──┘                          └── commit: offsets, cursors, windows
//! ```
//!
//! Everything between the source and the commit is that of `live`, which `wiresift tail` uses, too.
//! This room opens what the configuration names, and looks after it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `service` | [`Service`]: what the caller provides, and [`Served`]: what came of it |
//! | `sinks`, `convert` | what the configuration says of a sink, as what sends its alerts |
//! | `serve` | [`serve()`]: from the configuration to running threads, and back |
//! | `supervisor` | who starts sources, answers signals, tells systemd that we live |
//! | `take_up` | a reload |
//! | `inputs` | from the tables of inputs to sources |
//! | `followed`, `received`, `packets` | logs, what others send, taps and captures, as sources |
//! | `folder` | a folder where captures appear |
//! | `outlets` | sinks that are written at once, and threads that send to the others |
//! | `sandbox` | what it gives up |
//! | `board`, `watch`, `departed` | what shows from outside: metrics and the status |

mod board;
mod convert;
mod departed;
mod folder;
mod followed;
mod inputs;
mod outlets;
mod packets;
mod received;
#[cfg(feature = "live")]
mod sandbox;
mod serve;
mod service;
mod sinks;
mod supervisor;
mod take_up;
mod watch;

pub use serve::serve;
pub use service::{Allow, Served, Service, Undelivered, Update};
