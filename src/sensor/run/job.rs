//! What every job is given.

use super::{Current, Follow, Output, Signals};
use crate::engine::packet;
use crate::engine::scan::Options;
use std::path::PathBuf;

/// What to match inputs against, and what becomes of the alerts; what the inputs are is said
/// beside it ([`Files`](super::Files), `Listen`).
#[derive(Debug)]
pub struct Job<'d> {
    /// What to match against.
    pub database: &'d Current,
    /// Where newer databases come from while the job runs; `None` to use none.
    pub follow: Option<Follow>,
    /// What the scanners do beyond the rules.
    pub options: Options,
    /// How packets are decoded. What it bounds is for all workers together.
    pub packets: packet::Config,
    /// What is written of alerts, and how.
    pub output: Output,
    /// Worker threads; 0 for one per core.
    pub threads: usize,
    /// The file that alerts go to, if SIGHUP has it reopened.
    pub rotated: Option<PathBuf>,
    /// What ends the job in order: what was read by then is matched and written.
    pub signals: &'d Signals,
}

impl<'d> Job<'d> {
    /// A job that nothing ends early, with one thread per core.
    pub fn new(database: &'d Current, output: Output, signals: &'d Signals) -> Job<'d> {
        Job {
            database,
            follow: None,
            options: Options::default(),
            packets: packet::Config::default(),
            output,
            threads: 0,
            rotated: None,
            signals,
        }
    }
}
