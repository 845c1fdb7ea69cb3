//! Updates the sources: once for an operator, or on a schedule beside the server.

use super::bring::{Brought, bring};
use super::collect::collect;
use crate::engine::error::{Error, Result, escape_text};
use crate::exchange::accounts::{Role, UserId, Viewer, check_user_name};
use crate::exchange::pulses::PulseId;
use crate::exchange::site::Warnings;
use crate::exchange::storage::{PulseQuery, Selection, Storage};
use crate::intel::config::{Config, Kind, Subscription};
use crate::intel::store::Store;
use crate::intel::subscribe::{self, FeedOutcome, FeedUpdate, Notify, StopSignal, UpdateJob};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often to look whether a source was added or is due.
const LOOK: Duration = Duration::from_secs(2);

/// The rules by which feeds become pulses. When they change, all are brought again.
const RULES: u32 = 1;

/// The file with the sources of the exchange in a directory.
pub fn config_file(directory: &Path) -> PathBuf {
    directory.join("sources.toml")
}

/// The text of a file without sources.
pub fn new_config() -> &'static str {
    "# Sources of the exchange, edited by `wiresift exchange source`.\nstate = \"sources\"\n"
}

/// The sources of the exchange in a directory. `None` if there never was any.
///
/// # Errors
///
/// The file is invalid, or a source cannot be one.
pub fn open(directory: &Path) -> Result<Option<Config>> {
    let path = config_file(directory);
    if !path.exists() {
        return Ok(None);
    }
    let config = Config::open(&path)?;
    for feed in &config.feeds {
        check(feed).map_err(|error| error.at_path(&path))?;
    }
    Ok(Some(config))
}

/// Whether a feed can be a source.
fn check(feed: &Subscription) -> Result<()> {
    if feed.kind == Kind::Allow {
        return Err(Error::usage(format!("{}: a list of kind allow has no pulses", feed.name)));
    }
    check_user_name(&feed.name).map_err(|why| {
        Error::usage(format!("the source “{}” cannot have an account: {why}", feed.name))
    })
}

/// What became of a source.
#[derive(Debug)]
pub struct Update {
    /// What became of it as a feed.
    pub feed: FeedUpdate,
    /// What became of its pulses; `None` if there was nothing new for them.
    pub brought: Option<Result<Brought>>,
}

/// Fetches sources, and brings the pulses of those that have changed up to date.
///
/// # Errors
///
/// There is no such source, or another process updates the sources. What a single source fails
/// for is in its [`Update`].
pub fn update(
    (storage, warnings): (&Storage, &Warnings),
    job: &UpdateJob<'_>,
    notify: Notify<'_>,
) -> Result<Vec<Update>> {
    let lock = subscribe::write_lock(job.config)?;
    let report = subscribe::update(job, &lock, notify)?;
    let mut updates = Vec::with_capacity(report.feeds.len());
    for feed in report.feeds {
        let source = job.config.feed(&feed.name)?;
        let brought = match job.dry_run {
            true => None,
            false => publish(storage, warnings, job.config, source).transpose(),
        };
        updates.push(Update { feed, brought });
    }
    Ok(updates)
}

/// Makes pulses of what was accepted of a source, unless that was done.
fn publish(
    storage: &Storage,
    warnings: &Warnings,
    config: &Config,
    source: &Subscription,
) -> Result<Option<Brought>> {
    let feed_dir = Store::at(&config.state).feed_dir(&source.name);
    let Some(table) = feed_dir.accepted_table() else { return Ok(None) };
    let (length, sum) = table.identity();
    let identity = format!("{RULES} {length} {sum:016x}");
    let (account, imported) = account(storage, &source.name)?;
    if imported == identity {
        return Ok(None);
    }
    let Some(normal) = feed_dir.accepted() else { return Ok(None) };
    let collection = collect(source, &normal)?;
    drop(normal);
    let brought = bring(storage, (account, &source.name), collection, warnings)?;
    // What could not be stored is tried again with the next change only: it would fail again.
    let name = source.name.clone();
    storage.write(move |writes| writes.set_imported(&name, &identity))?;
    Ok(Some(brought))
}

/// The account of a source, made if it is new, and what of it became pulses.
fn account(storage: &Storage, name: &str) -> Result<(UserId, String)> {
    if let Some(found) = storage.read(|view| view.source(name))? {
        let user = storage.read(|view| view.user(Viewer::Nobody, name))?;
        if user.is_some_and(|user| user.is_suspended) {
            return Err(Error::refused(format!("the account {name} is suspended")));
        }
        return Ok(found);
    }
    let owned = name.to_string();
    let account = storage.write(move |writes| writes.add_source(&owned, Role::Trusted));
    let account = account.map_err(|denied| {
        Error::from(denied).remedy(format!("the source needs an account named {name}"))
    })?;
    Ok((account, String::new()))
}

/// Deletes the pulses of a source that was removed. Its account stays, so that a stranger cannot
/// take its name. Answers how many pulses there were.
///
/// # Errors
///
/// The storage fails.
pub fn remove(storage: &Storage, name: &str) -> Result<u64> {
    let Some((account, _)) = storage.read(|view| view.source(name))? else { return Ok(0) };
    let viewer = Viewer::User(account);
    let own = storage.read(|view| view.pulses(viewer, &PulseQuery::of(Selection::Own)))?;
    let ids: Vec<PulseId> = own.into_iter().map(|pulse| pulse.id).collect();
    let count = ids.len() as u64;
    for id in ids {
        storage.write(move |writes| writes.delete_pulse(account, &id))?;
    }
    let name = name.to_string();
    storage.write(move |writes| writes.set_imported(&name, ""))?;
    Ok(count)
}

/// Updates the sources of a directory when they are due, until `stop`.
pub fn keep(directory: &Path, (storage, warnings): (&Storage, &Warnings), stop: &StopSignal) {
    let mut told = Told::default();
    while stop.wait(LOOK) {
        match round(directory, (storage, warnings), stop, &mut told) {
            Ok(()) => told.say("", None),
            Err(error) => told.say("", Some(error.to_string())),
        }
    }
}

fn round(
    directory: &Path,
    (storage, warnings): (&Storage, &Warnings),
    stop: &StopSignal,
    told: &mut Told,
) -> Result<()> {
    let Some(config) = open(directory)? else { return Ok(()) };
    let now = crate::clock::now();
    if subscribe::next_due(&config, now).is_none_or(|due| due > now) {
        return Ok(());
    }
    let job = UpdateJob {
        config: &config,
        only: Vec::new(),
        due: true,
        accept: false,
        dry_run: false,
        stop: Some(stop),
    };
    for update in self::update((storage, warnings), &job, &|_| {})? {
        let problem = match (update.feed.outcome, update.brought) {
            (FeedOutcome::Failed(error), _) | (_, Some(Err(error))) => Some(error.to_string()),
            (FeedOutcome::PendingReview(held), _) => Some(format!("held: {}", held.reason)),
            (_, Some(Ok(Brought { failed: Some((count, why)), .. }))) => {
                Some(format!("{count} pulses could not be stored: {why}"))
            }
            (FeedOutcome::Skipped(_), None) => continue,
            _ => None,
        };
        told.say(&update.feed.name, problem);
    }
    Ok(())
}

/// What the log says about each source, so that it says it once.
#[derive(Default)]
struct Told(BTreeMap<String, String>);

impl Told {
    fn say(&mut self, source: &str, problem: Option<String>) {
        let Some(problem) = problem else {
            self.0.remove(source);
            return;
        };
        if self.0.insert(source.to_string(), problem.clone()).as_ref() != Some(&problem) {
            let name = if source.is_empty() { "sources" } else { source };
            let line = escape_text(&format!("source {name}: {problem}")).into_owned();
            // Nobody is told if the log is gone.
            let _ = writeln!(std::io::stderr(), "exchange: {line}");
        }
    }
}
