//! What the caller provides, and the result.

use crate::Result;
use crate::engine::database::Database;
use crate::engine::indicator::Timestamp;
use crate::engine::scan::Counters;
use crate::sensor::config::Config;
use crate::sensor::halt::Halt;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Compiles the allow lists of a configuration.
pub type Allow<'s> = &'s (dyn Fn(&[PathBuf]) -> Result<Option<Arc<Database>>> + Sync);

/// Takes the names of all feeds, and when each was last fetched, if it was.
pub type FeedTimes<'f> = dyn Fn(&[(String, Option<Timestamp>)]) + 'f;

/// Keeps the database up to date until the halt: fetches feeds at their intervals, compiles and
/// publishes. It runs on its own thread, and reports the feeds through the function that it is
/// passed.
pub type Update<'s> = &'s (dyn Fn(&Halt, &FeedTimes<'_>) + Sync);

/// What `wiresift run` does, and what it can't do by itself: feeds belong to another house.
#[derive(Clone)]
pub struct Service<'s> {
    /// The configuration, checked.
    pub config: Config,
    /// Whether to end once everything that exists was read and delivered.
    pub once: bool,
    /// Whether to send every alert, whatever the configuration says about suppression.
    pub no_suppress: bool,
    /// Compiles allow lists, at the start and on a reload.
    pub allow: Allow<'s>,
    /// Keeps the database up to date; `None` if something else does.
    pub update: Option<Update<'s>>,
    /// Names of the feeds at the start, for metrics.
    pub feeds: Vec<String>,
}

/// The result of a run that ended normally.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// How long it ran.
    pub elapsed: Duration,
    /// Lines that were matched.
    pub lines: u64,
    /// Bytes that were matched.
    pub bytes: u64,
    /// Alerts that were sent on.
    pub alerts: u64,
    /// Alerts that were held back as repeats.
    pub suppressed: u64,
    /// Errors that were reported.
    pub errors: u64,
    /// What was not delivered, by sink: the next start resumes with it.
    pub undelivered: BTreeMap<String, Undelivered>,
    /// The folder that holds it.
    pub spool: PathBuf,
    /// What the scanner counted.
    pub counters: Counters,
}

/// Alerts that a sink has not taken yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// Their bytes in the spool.
    pub bytes: u64,
    /// Why the last try failed, if it did.
    pub trouble: Option<String>,
}
