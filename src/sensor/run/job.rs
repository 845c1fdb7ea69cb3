//! What every job needs.

use super::{Current, Follow, Output, Signals};
use crate::engine::packet;
use crate::engine::scan::Options;
use std::path::PathBuf;

/// What to match inputs against, and what happens to the alerts; the inputs are separate
/// ([`Files`](super::Files), `Listen`).
#[derive(Debug)]
pub struct Job<'d> {
    /// What to match against.
    pub database: &'d Current,
    /// Where newer databases come from while the job runs; `None` to keep the first one.
    pub follow: Option<Follow>,
    /// What the scanners do besides the rules.
    pub options: Options,
    /// How packets are decoded. Its limits are for all workers together.
    pub packets: packet::Config,
    /// Which alerts are written, and how.
    pub output: Output,
    /// Worker threads; 0 for one per core.
    pub threads: usize,
    /// The file of alerts, if SIGHUP reopens it.
    pub rotated: Option<PathBuf>,
    /// What ends the job in an orderly way: what was read by then is matched and written.
    pub signals: &'d Signals,
}

impl<'d> Job<'d> {
    /// A job that runs to its end, with one thread per core.
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
