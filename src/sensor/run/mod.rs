//! The rooms wired together: jobs, threads, order, counters.
//!
//! This is the only place that spawns threads and the only one that reads a
//! clock. A job takes what the command line (or another program) asked for, says
//! on the way what went wrong through a [`Notice`], and returns what it counted.
//!
//! | file | job |
//! | --- | --- |
//! | `job` | [`Job`]: what every job is given |
//! | `notice` | [`Notice`]: what a job reports while it runs |
//! | `ordered` | pieces of work, finished in any order, handed on in the input's |
//! | `outlet` | what becomes of alerts: which are written, and what all come to |
//! | `finished` | pieces of work that are handed in |
//! | `pipeline` | inputs cut into pieces of work, and the threads that do them |
//! | `report` | [`Report`]: what a job came to |
//! | `unpack` | inputs that hold others: archives, events |
//! | `mails` | mails in files: what they carry, and their lines |
//! | `parcels` | files in mails, on their way to be looked into |
//! | `scan` | [`scan()`]: logs and captures to alerts |
//! | `capture` | one capture from its first packet to its last |
//! | `tap` | [`tap()`]: live interfaces to alerts |
//! | `signals` | [`Signals`]: those that ask for an end |
//! | `rotation` | outputs that are opened again, for whoever renamed their files |
//! | `reload` | the database in force, and the newer one that takes its place under way |
//! | `verified` | [`open_database()`]: a file that was checked before is not checked again |
//! | `observe` | [`observe()`]: what can be seen, without a database |

mod capture;
mod crew;
mod dedup;
mod findings;
mod finished;
mod headers;
mod job;
mod mails;
mod notice;
mod observe;
mod ordered;
mod outlet;
mod parcels;
mod pipeline;
mod reload;
mod report;
mod rotation;
mod scan;
mod signals;
#[cfg(feature = "live")]
mod tap;
mod threads;
mod unpack;
mod verified;
mod zone;

pub use job::Job;
pub use notice::{Notice, Notify};
pub use observe::{ObserveJob, observe};
pub use outlet::{Form, Output, Yield};
pub use reload::{Current, Follow, Swaps};
pub use report::{InterfaceReport, OutputReport, Report, WorkerReport};
pub use scan::{Files, scan};
pub use signals::{Signals, outlive_signals};
#[cfg(feature = "live")]
pub use tap::{Grant, Listen, Listening, Sandbox, tap};
pub use threads::default_threads;
pub use verified::{load_database, open_database};
pub use zone::time_zone;
