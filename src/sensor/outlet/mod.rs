//! One sink of the daemon: what of the spool it wants, in which batches, and what to do when its
//! receiver does not take it.
//!
//! An [`Outlet`] reads the spool at its own pace, gathers what its [`Filter`] lets through into
//! batches and hands them to a way to [`deliver`](super::deliver) them, one at a time, for order.
//! What can arrive later is sent again until it does, with growing pauses; what is refused for
//! good goes to a file of dead letters. The cursor moves only when every record of a batch is in
//! one of both places.
//!
//! ```
//! use wiresift::engine::indicator::Timestamp;
//! use wiresift::sensor::deliver::{Deliver, Outcome, Pace};
//! use wiresift::sensor::outlet::{Outlet, Settings, Step};
//! use wiresift::sensor::spool::{Limits, Record, RecordRef, Sink, Spool};
//!
//! struct Nowhere;
//!
//! impl Deliver for Nowhere {
//!     fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
//!         Outcome::delivered(batch.len())
//!     }
//! }
//!
//! let folder = tempfile::tempdir().unwrap();
//! let sinks = [("siem".to_string(), Sink::default())];
//! let (spool, _) = Spool::open(folder.path(), Limits::default(), sinks)?;
//! let now = Timestamp::from_seconds(1_795_478_400);
//! let record = Record::new([7; 16], 3, now, br#"{"severity":3}"#);
//! let _ = spool.append(&record, now, true)?;
//!
//! let mut settings = Settings::new("siem", folder.path());
//! settings.batching.max_age = std::time::Duration::ZERO;
//! let mut outlet = Outlet::new(settings, spool.clone(), Box::new(Nowhere), Pace::default());
//! while !matches!(outlet.step(), Step::Idle) {}
//! assert_eq!(outlet.counters().snapshot().records, 1);
//! assert_eq!(spool.backlog("siem").bytes, 0);
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! | file | what it holds |
//! | --- | --- |
//! | `outlet` | the [`Outlet`], a step at a time, so that tests need no time |
//! | `running` | a thread that makes the steps |
//! | `filter` | what a sink wants |
//! | `retry` | how long to wait between tries |
//! | `dead` | letters that were refused |
//! | `counters` | what happened, for metrics and for the status |

mod counters;
mod dead;
mod filter;
#[expect(clippy::module_inception, reason = "the thing that the room is named after")]
mod outlet;
mod retry;
mod running;
#[cfg(test)]
mod tests;

pub use counters::{Counters, Health, LATENCIES, Snapshot};
pub use filter::Filter;
pub use outlet::{Batching, Outlet, Settings, Step};
pub use retry::{Jitter, Retry};
pub use running::Running;
