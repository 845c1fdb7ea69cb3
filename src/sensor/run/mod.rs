//! Runs jobs: scans and taps, with their threads, order and counters.
//!
//! ```
//! use wiresift::engine::alert::{Encoder, Format};
//! use wiresift::engine::compile::Compiler;
//! use wiresift::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
//! use wiresift::sensor::input::expand;
//! use wiresift::sensor::run::{Current, Files, Job, Output, Signals, scan};
//! use wiresift::sensor::sink::FileSink;
//! use wiresift::Database;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let (log, alerts) = (folder.path().join("dns.log"), folder.path().join("alerts.jsonl"));
//! std::fs::write(&log, "client 10.0.0.7 asked for www.evil.example\n").unwrap();
//! let mut compiler = Compiler::default();
//! let context = std::sync::Arc::new(Context::of_feed("mine"));
//! compiler.add(Indicator::new(Kind::Domain, "evil.example", Scope::Subtree, context).unwrap());
//! let database = Database::from_bytes(compiler.into_bytes(Timestamp(0))?)?;
//!
//! let (database, signals) = (Current::new(database, None), Signals::new(false)?);
//! let job = Job::new(&database, Output::new(Encoder::new(Format::Json)), &signals);
//! let files = Files { targets: expand([&log]).targets, chunk: 0 };
//! let report = scan(job, files, &mut FileSink::create(&alerts)?, &|_| {})?;
//! assert_eq!(report.lines, 1);
//! assert!(std::fs::read_to_string(&alerts).unwrap().contains("www.evil.example"));
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! Threads of scans, taps and the daemon start here. A job takes what the command
//! line or another program asks for, reports problems through a [`Notice`] as it
//! goes, and returns its counters.
//!
//! | file | contents |
//! | --- | --- |
//! | `job` | [`Job`]: what every job needs |
//! | `notice` | [`Notice`]: what a job reports while it runs |
//! | `ordered` | results of threads, put back into the order of the input |
//! | `owned_hit` | hits that leave the thread that created them |
//! | `outlet` | which alerts are written, and what they add up to |
//! | `finished` | results on their way to the writer |
//! | `pipeline` | cuts inputs into pieces of work, and the threads that do it |
//! | `report` | [`Report`]: the result of a job |
//! | `unpack` | inputs that contain others: archives, event logs |
//! | `mails` | files that are mails: their lines and attachments |
//! | `attachments` | files in mails, waiting to be scanned |
//! | `live` | [`tail()`]: inputs that never end, with commits |
//! | `daemon` | [`daemon::serve()`]: `wiresift run` |
//! | `scan` | [`scan()`]: logs and captures to alerts |
//! | `capture` | one capture, from its first packet to its last |
//! | `tap` | [`tap()`]: live interfaces to alerts |
//! | `signals` | [`Signals`]: those that ask the process to end |
//! | `rotation` | reopens outputs after their files were renamed |
//! | `reload` | the database in use, and a newer one that replaces it |
//! | `verified` | [`open_database()`]: does not verify the same file twice |
//! | `survey` | [`survey()`]: a scan that counts for `bench` |
//! | `cost` | [`cost()`]: the time that groups of a set take
//! | `compare` | [`compare()`]: which alerts of two databases differ |
//! | `parties`, `openers` | hosts in the lines that alert, and those that began a contact in any |
//! | `observe` | [`observe()`]: what a scan can see, without a database |

mod attachments;
mod capture;
mod capture_workers;
mod compare;
mod cost;
#[cfg(feature = "daemon")]
pub mod daemon;
mod dedup;
mod findings;
mod finished;
mod headers;
mod job;
#[cfg_attr(not(feature = "daemon"), allow(dead_code, unused_mut, reason = "the daemon needs it"))]
mod live;
mod mails;
mod notice;
mod observe;
mod openers;
mod ordered;
mod outlet;
#[cfg_attr(not(feature = "daemon"), allow(dead_code, reason = "the daemon needs it"))]
mod owned_hit;
mod parties;
mod pipeline;
mod reload;
mod report;
mod rotation;
mod scan;
mod signals;
mod survey;
#[cfg(feature = "live")]
mod tap;
mod threads;
mod unpack;
mod verified;
mod zone;

pub use compare::compare;
pub use cost::{CostJob, Sample, cost};
pub use job::Job;
pub use live::{Logs, TailOutput, tail};
pub use notice::{Notice, Notify};
pub use observe::{ObserveJob, observe};
pub use outlet::{Form, Output, Totals};
pub use reload::{Current, Follow, Swaps};
pub use report::{InterfaceReport, OutputReport, Report, WorkerReport};
pub use scan::{Files, scan};
pub use signals::{Signals, outlive_signals};
pub use survey::{Surveyed, survey};
#[cfg(feature = "live")]
pub use tap::{Grant, Listen, Listening, Sandbox, tap};
pub use threads::default_threads;
pub use verified::{load_database, open_database};
pub use zone::time_zone;
