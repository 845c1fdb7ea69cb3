//! One sink of the daemon: which records of the spool it wants, in which batches, and what to do
//! when its receiver does not take them.
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
//! An [`Outlet`] reads the spool at its own pace, collects what its [`Filter`] accepts into batches
//! and passes them to a way to [`deliver`](super::deliver) them, one at a time, to keep their
//! order. What can be delivered later is retried until it arrives, with growing pauses; what is
//! permanently refused goes to a file of dead letters. The cursor moves only when every record of a
//! batch is in one of the two places.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `outlet` | the [`Outlet`], one step at a time, so that tests don't have to wait |
//! | `running` | a thread that runs the steps |
//! | `filter` | which records a sink wants |
//! | `retry` | how long to wait between attempts |
//! | `dead` | refused records |
//! | `counters` | counters for metrics and for the status |

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
