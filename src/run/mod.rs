//! The rooms wired together: jobs, threads, order, counters.
//!
//! This is the only place that spawns threads and the only one that reads a
//! clock. A job takes what the command line (or another program) asked for, says
//! on the way what went wrong through a [`Notice`], and returns what it counted.
//!
//! | file | job |
//! | --- | --- |
//! | `build` | [`compile()`]: feeds to a database |
//! | `in_memory` | [`compile_in_memory()`]: lists to a database that never becomes a file |
//! | `ordered` | pieces of work, finished in any order, handed on in the input's |
//! | `outlet` | what becomes of alerts: which are written, and what all come to |
//! | `finished` | pieces of work that are handed in |
//! | `pipeline` | inputs cut into pieces of work, and the threads that do them |
//! | `report` | what a scan came to |
//! | `unpack` | inputs that hold others: archives, events |
//! | `mails` | mails in files: what they carry, and their lines |
//! | `parcels` | files in mails, on their way to be looked into |
//! | `hunt` | [`scan()`]: logs and captures to alerts |
//! | `capture` | one capture from its first packet to its last |
//! | `tap` | [`tap()`]: live interfaces to alerts |
//! | `signals` | [`Signals`]: those that ask for an end |
//! | `rotation` | outputs that are opened again, for whoever renamed their files |
//! | `current` | the database in force, and the newer one that takes its place under way |
//! | `known` | [`open_database()`]: a file that was checked before is not checked again |
//! | `subscribe` | [`update()`]: feeds to the store, and the store to the database |
//! | `observe` | [`observe()`]: what can be seen, without a database |

mod build;
mod capture;
mod crew;
mod current;
mod findings;
mod finished;
mod headers;
mod hunt;
mod in_memory;
mod known;
mod mails;
mod observe;
mod ordered;
mod outlet;
mod parcels;
mod pipeline;
mod report;
mod rotation;
mod signals;
mod subscribe;
mod tap;
mod told;
mod unpack;
mod zone;

pub use build::{
    CompileJob, CompileReport, FeedInput, ListInput, Subscribed, compile, list_rejects,
};
pub use current::{Current, Follow, Swaps};
pub use hunt::{ScanJob, scan};
pub use in_memory::compile_in_memory;
pub use known::{load_database, open_database};
pub use observe::{ObserveJob, observe};
pub use outlet::{Form, Output, Yield};
pub use report::ScanReport;
pub use signals::{Signals, outlive_signals};
pub use subscribe::{
    FeedOutcome, FeedUpdate, Held, Pause, Published, UpdateJob, UpdateReport, publish_subscribed,
    subscribed, update, write_lock,
};
pub use tap::{
    Grant, InterfaceReport, Listening, OutputReport, Sandbox, TapJob, TapNotice, TapReport,
    WorkerReport, tap,
};
pub use zone::time_zone;

use crate::Error;
use crate::indicator::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Something that whoever started a job wants to know while it runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// Something could not be done; the job goes on.
    Failed(&'a Error),
    /// Something was passed over on purpose.
    Skipped(&'a str),
    /// Something that cannot be looked into: its bytes were searched as they are, if it has
    /// any outside of an archive.
    Closed {
        /// What alerts would call it.
        path: &'a str,
        /// What it is.
        what: &'static str,
    },
    /// A newer database took the place of the one that was in force.
    Swapped {
        /// Its build identifier.
        id: &'a str,
        /// Distinct values that it holds.
        values: u64,
    },
    /// SIGHUP asked for a newer database, and the file is still the same.
    NothingNewer,
    /// A newer database could not be taken; the one in force stays.
    Kept(&'a Error),
    /// So many of so many bytes are done; the total is 0 where nobody knows it.
    Progress {
        /// Bytes read so far.
        done: u64,
        /// Bytes in all, as far as they are known.
        total: u64,
    },
}

/// Takes notices; from any thread.
pub type Notify<'a> = &'a (dyn Fn(Notice<'_>) + Sync);

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "the only clock")]
pub fn now() -> Timestamp {
    let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
    };
    Timestamp(micros)
}

/// When a build happens: `SOURCE_DATE_EPOCH` where it is set, so that builds can be
/// reproduced (<https://reproducible-builds.org/specs/source-date-epoch/>), else now.
pub fn build_time() -> Timestamp {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| seconds.trim().parse().ok())
        .map_or_else(now, Timestamp::from_seconds)
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the only clock")]
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// How long ago it was started.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Threads to use when nobody says: one for each core.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}
