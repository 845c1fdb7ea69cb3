//! Updates: fetches each feed, judges and stores it, and compiles what was
//! accepted.

use super::compile::{CompileJob, CompileReport, FeedInput, ListInput, Subscribed, compile};
use super::report::{FeedOutcome, FeedUpdate, UpdateReport};
use super::settle::{SettleContext, Settled, is_current, settle};
use super::time::Time;
use super::{Notice, Notify, StopSignal};
use super::{command, exchange, http, local};
use crate::clock::{Stopwatch, build_time, now};
use crate::engine::compile;
use crate::engine::database::Database;
use crate::engine::indicator::{Scope, Timestamp};
use crate::intel::config::{Config, Kind, List, ListEffect, Origin, Subscription};
use crate::intel::feed::{self, fetch};
use crate::intel::store::{FeedDir, FeedState, Lock, Store};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

/// The number of feeds to fetch at a time. They mostly wait for servers.
const AT_ONCE: usize = 8;

/// How long to wait for another process that holds the store's lock.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to update, and how.
#[derive(Debug)]
pub struct UpdateJob<'c> {
    /// The configuration.
    pub config: &'c Config,
    /// Only these feeds, even if they are disabled or stopped; if empty, all
    /// enabled feeds.
    pub only: Vec<String>,
    /// Skip feeds whose interval has not passed, or whose server asked to wait.
    pub due: bool,
    /// Accept what is held.
    pub accept: bool,
    /// Change nothing.
    pub dry_run: bool,
    /// Interrupts waiting for servers.
    pub stop: Option<&'c StopSignal>,
}

/// Acquires the right to write to the store.
///
/// # Errors
///
/// Another process keeps it for over ten seconds, or the folder cannot be written.
pub fn write_lock(config: &Config) -> Result<Lock> {
    let store = Store::at(&config.state);
    let waiting = Stopwatch::start();
    loop {
        if let Some(lock) = store.try_lock()? {
            return Ok(lock);
        }
        if waiting.elapsed() > PATIENCE {
            let holder = store.holder().map_or(String::new(), |pid| format!(" (process {pid})"));
            return Err(Error::usage(format!("another process{holder} is writing to the store"))
                .at_path(&config.state)
                .remedy("try again when it is done"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Fetches feeds into the store.
///
/// # Errors
///
/// The store cannot be written at all, or a named feed does not exist. What fails
/// for a single feed is reported in its [`FeedUpdate`], and does not delay the
/// others.
pub fn update(job: &UpdateJob<'_>, lock: &Lock, notify: Notify<'_>) -> Result<UpdateReport> {
    let _ = lock;
    let mut wanted = Vec::new();
    for name in &job.only {
        wanted.push(job.config.feed(name)?);
    }
    if job.only.is_empty() {
        wanted.extend(job.config.feeds.iter().filter(|feed| feed.enabled));
    }
    let scratch = match job.dry_run {
        true => Some(tempfile::tempdir().map_err(|e| Error::io("create a temporary folder", e))?),
        false => None,
    };
    let store = Store::at(&job.config.state);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(feed) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let place = scratch.as_ref().map(|scratch| scratch.path().join(&feed.name));
            let result = update_feed(job, feed, &store, place, notify);
            if let Ok(mut done) = done.lock() {
                done.push(result);
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let threads = AT_ONCE.max(cores).min(wanted.len());
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Whichever thread comes first takes a feed. If none can be started,
            // this one does them all.
            let _ = std::thread::Builder::new().name("update".into()).spawn_scoped(scope, work);
        }
        work();
    });
    let mut feeds = done.into_inner().unwrap_or_default();
    let place = |name: &str| wanted.iter().position(|feed| feed.name == name);
    feeds.sort_by_key(|feed: &FeedUpdate| place(&feed.name));
    Ok(UpdateReport { feeds })
}

/// Updates one feed, from its server to the store.
fn update_feed(
    job: &UpdateJob<'_>,
    feed: &Subscription,
    store: &Store,
    scratch: Option<PathBuf>,
    notify: Notify<'_>,
) -> FeedUpdate {
    let took = Stopwatch::start();
    let feed_dir = store.feed_dir(&feed.name);
    let before = feed_dir.state().indicators;
    let outcome = match scratch {
        Some(folder) => feed_dir.shadow(&folder),
        None => Ok(feed_dir),
    };
    let outcome = outcome.map(|feed_dir| (attempt(job, feed, &feed_dir, notify), feed_dir.state()));
    let failed = |error| ((FeedOutcome::Failed(error), 0), FeedState::default());
    let ((outcome, unreadable), state) = outcome.unwrap_or_else(failed);
    let (name, indicators, distinct) = (feed.name.clone(), state.indicators, state.distinct);
    FeedUpdate { name, outcome, before, indicators, distinct, took: took.elapsed(), unreadable }
}

/// Fetches and settles a feed. Also returns the number of documents that could not
/// be read.
fn attempt(
    job: &UpdateJob<'_>,
    feed: &Subscription,
    feed_dir: &FeedDir,
    notify: Notify<'_>,
) -> (FeedOutcome, usize) {
    let start = now();
    let mut state = feed_dir.state();
    let is_named = !job.only.is_empty();
    if let Some(why) = reason_to_wait(feed, &state, start, job.due, is_named) {
        return (FeedOutcome::Skipped(why), 0);
    }
    let secrets = Secrets::of(feed);
    let time = Time(job.stop);
    let before = state.last_success;
    let result = bring(feed, feed_dir, &time, &mut state).and_then(|failed| {
        // The fetch takes time, and a document is dated by its answer.
        let (accept, is_dry) = (job.accept, job.dry_run);
        let context = SettleContext { accept, is_dry, start, now: now(), before };
        let mut settled = settle(feed, feed_dir, &context)?;
        settled.unreadable.extend(failed);
        Ok(settled)
    });
    let mut unreadable = 0;
    let outcome = match result {
        Ok(settled) => {
            state.succeeded(start);
            unreadable = settled.unreadable.len();
            for error in &settled.unreadable {
                let error = secrets.hide_in(error);
                notify(Notice::Failed(&error));
                state.last_error.get_or_insert(error.to_string());
            }
            if let Some(error) = &settled.ledger {
                notify(Notice::Failed(error));
            }
            note(job.config, &mut state, feed_dir, &settled, start);
            settled.outcome()
        }
        Err(error) => {
            let error = secrets.hide(error);
            // A missing list may come back; an exchange's refusal is definite.
            if !feed.kind.is_document() && error.kind() == ErrorKind::Refused {
                state.stopped = Some("its server refuses access".into());
            }
            state.failed(start, error.to_string());
            FeedOutcome::Failed(error)
        }
    };
    match feed_dir.set_state(&state) {
        Ok(()) => (outcome, unreadable),
        Err(error) => (FeedOutcome::Failed(error), unreadable),
    }
}

/// Why a feed is not fetched now.
fn reason_to_wait(
    feed: &Subscription,
    state: &FeedState,
    now: Timestamp,
    due: bool,
    is_named: bool,
) -> Option<String> {
    if let Some(why) = &state.stopped
        && !is_named
    {
        return Some(format!(
            "stopped: {why} (fix it, then retry with `wiresift feed update {}`)",
            feed.name
        ));
    }
    if let Some(until) = state.not_before.filter(|until| *until > now)
        && (due || !is_named)
    {
        return Some(format!("its server asked for no requests before {until}"));
    }
    let last = state.last_attempt?;
    (due && now < after(last, feed) && last <= now).then(|| "not due yet".to_string())
}

/// When a feed is due again after an attempt.
fn after(last: Timestamp, feed: &Subscription) -> Timestamp {
    // A tenth less than the interval, so that a job every 30 minutes finds the feed
    // due every time.
    let interval = i64::try_from(feed.interval.as_micros()).unwrap_or(i64::MAX);
    Timestamp(last.0.saturating_add(interval - interval / 10))
}

/// When the next feed is due, for a service that waits until then: `now` if one is already due,
/// `None` if no feed is fetched automatically.
pub fn next_due(config: &Config, now: Timestamp) -> Option<Timestamp> {
    let store = Store::at(&config.state);
    let due = |feed: &Subscription| {
        let state = store.feed_dir(&feed.name).state();
        if state.stopped.is_some() {
            return None;
        }
        // An attempt in the future was made before the clock was set back.
        let last = state.last_attempt.filter(|last| *last <= now);
        let next = last.map_or(now, |last| after(last, feed));
        Some(next.max(state.not_before.unwrap_or(now)).max(now))
    };
    config.feeds.iter().filter(|feed| feed.enabled).filter_map(due).min()
}

/// Brings the documents up to date, and returns errors about single documents.
fn bring(
    feed: &Subscription,
    feed_dir: &FeedDir,
    time: &Time<'_>,
    state: &mut FeedState,
) -> Result<Vec<Error>> {
    let now = now();
    let brought = match (&feed.origin, feed.kind) {
        (_, Kind::Otx | Kind::Taxii | Kind::Misp) => exchange::fetch(feed, feed_dir, time),
        (Origin::Url(url), _) => http::fetch(feed, url, feed_dir, time, state),
        (Origin::Path(path), _) => return local::fetch(feed, path, feed_dir, now),
        (Origin::Command(words), _) => command::fetch(feed, words, feed_dir, (now, time.0)),
    };
    brought.map(|()| Vec::new())
}

/// Records the result for the indicators.
fn note(
    config: &Config,
    state: &mut FeedState,
    feed_dir: &FeedDir,
    settled: &Settled,
    now: Timestamp,
) {
    state.held.clone_from(&settled.held);
    if let Some(held) = &mut state.held {
        held.since.get_or_insert(now);
    }
    if settled.is_changed || state.indicators != settled.after {
        state.counted(now, settled.after);
        state.added = settled.added;
        state.removed = settled.removed;
        (state.distinct, state.guarded) = looked_into(config, feed_dir);
    }
    if let Ok(index) = feed_dir.index() {
        state.documents = index.documents.len() as u64;
        state.bytes = index.length();
    }
    let rejects = settled.rejects.iter();
    state.rejected = rejects.map(|(reason, count)| (reason.name().to_string(), *count)).collect();
}

/// Counts the distinct accepted indicators, and what the compiler's guards will
/// withhold or change.
fn looked_into(config: &Config, feed_dir: &FeedDir) -> (u64, BTreeMap<String, u64>) {
    let mut guarded = BTreeMap::new();
    let Some(normal) = feed_dir.accepted() else { return (0, guarded) };
    let options = options(config);
    // A damaged file is reported when it is compiled.
    let _ = normal.each(|indicator| {
        if let Some(reason) = compile::verdict(&options, &indicator) {
            *guarded.entry(reason.name().to_string()).or_default() += 1;
        }
    });
    (normal.keys().len() as u64, guarded)
}

/// The compiler settings of the configuration.
fn options(config: &Config) -> compile::Options {
    compile::Options::default().wide(config.allow_wide).suffixes(config.allow_suffix)
}

/// The secrets of a feed, which must not appear in any message.
struct Secrets(Vec<String>);

impl Secrets {
    /// Collects the secrets of a feed. One that cannot be read is reported by the
    /// fetch.
    fn of(feed: &Subscription) -> Secrets {
        let secret = feed.access.key.as_ref().and_then(|key| key.reveal().ok());
        let encoded = secret.as_deref().map(fetch::encode);
        Secrets(secret.into_iter().chain(encoded).collect())
    }

    /// Removes the secrets from an error.
    fn hide(&self, error: Error) -> Error {
        let text = error.to_string();
        if self.0.iter().any(|secret| text.contains(&**secret)) {
            return self.hide_in(&error);
        }
        error
    }

    /// Removes the secrets from the text of an error.
    fn hide_in(&self, error: &Error) -> Error {
        let text = error.to_string();
        Error::format(self.0.iter().fold(text, |text, secret| text.replace(secret, "***")))
    }
}

/// The result of publishing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Published {
    /// The database was already made from exactly this.
    Unchanged,
    /// A new database was written.
    New(Box<CompileReport>),
}

/// Compiles the accepted indicators of all enabled feeds, unless the database was
/// made from exactly these. With a list of rejects it always compiles.
///
/// # Errors
///
/// The store cannot be read, there is nothing to compile, or the database cannot be
/// written. The old database is then kept.
pub fn publish_subscribed(
    config: &Config,
    lock: &Lock,
    rejects: Option<&Path>,
    notify: Notify<'_>,
) -> Result<Published> {
    let subscribed = subscribed(config, lock, notify)?;
    if rejects.is_none()
        && let Ok(database) = Database::open(&config.database)
        && database.summary().subscribed == subscribed.name
    {
        return Ok(Published::Unchanged);
    }
    let job = CompileJob {
        subscribed: Some(subscribed),
        output: config.database.clone(),
        options: options(config),
        rejects: rejects.map(Path::to_path_buf),
        built: build_time(),
        ..CompileJob::default()
    };
    compile(job, notify).map(|report| Published::New(Box::new(report)))
}

/// The subscribed feeds, as stored. Documents of feeds whose settings changed are
/// read again.
///
/// # Errors
///
/// The store cannot be written.
pub fn subscribed(config: &Config, lock: &Lock, notify: Notify<'_>) -> Result<Subscribed> {
    let _ = lock;
    let store = Store::at(&config.state);
    let mut feeds = Vec::new();
    let mut name = Xxh3Default::new();
    name.update(env!("CARGO_PKG_VERSION").as_bytes());
    name.update(&crate::engine::database::VERSION.to_le_bytes());
    name.update(&[u8::from(config.allow_wide), u8::from(config.allow_suffix)]);
    let mut may_be_empty = !config.feeds.is_empty();
    let mut enabled: Vec<&Subscription> = config.feeds.iter().filter(|feed| feed.enabled).collect();
    // The order in the configuration does not matter.
    enabled.sort_by(|a, b| a.name.cmp(&b.name));
    for feed in enabled {
        let feed_dir = store.feed_dir(&feed.name);
        // An unfinished walk does not count: what it has found so far waits for the
        // rest.
        let is_due = !is_current(feed, &feed_dir) && feed_dir.state().last_success.is_some();
        let before = feed_dir.state().last_success;
        let start = now();
        let context = SettleContext { accept: false, is_dry: false, start, now: start, before };
        match is_due.then(|| settle(feed, &feed_dir, &context)).transpose() {
            Ok(Some(settled)) => {
                if let Some(error) = &settled.ledger {
                    notify(Notice::Failed(error));
                }
                let mut state = feed_dir.state();
                note(config, &mut state, &feed_dir, &settled, now());
                feed_dir.set_state(&state)?;
            }
            Ok(None) => {}
            Err(error) => notify(Notice::Failed(&error)),
        }
        let Some(normal) = feed_dir.accepted_table() else {
            may_be_empty = false;
            notify(Notice::Skipped(&format!("{}: nothing fetched yet", feed.name)));
            continue;
        };
        let (length, sum) = normal.identity();
        name.update(feed.name.as_bytes());
        name.update(&[0]);
        name.update(&length.to_le_bytes());
        name.update(&sum.to_le_bytes());
        feeds.push((feed.clone(), feed_dir));
    }
    let lists: Vec<ListInput> = config.lists.iter().map(list_input).collect();
    let allow: Vec<FeedInput> = config.allow.iter().map(|path| allow_input(path)).collect();
    for list in &lists {
        name.update(format!("{:?} {:?}", list.effect, list.feeds).as_bytes());
        name_files(&list.path, &mut name)?;
    }
    for input in &allow {
        name.update(b"allow");
        name_files(&input.path, &mut name)?;
    }
    let name = format!("{:032x}", name.digest128());
    Ok(Subscribed { name, feeds, lists, allow, may_be_empty })
}

/// Converts a warning list of the configuration.
fn list_input(list: &List) -> ListInput {
    let effect = match list.effect {
        ListEffect::Suppress => Some(compile::Effect::Suppress),
        ListEffect::Annotate => Some(compile::Effect::Annotate),
        ListEffect::Usual => None,
    };
    ListInput { path: list.path.clone(), effect, feeds: list.feeds.clone() }
}

/// Options for allow lists: a domain also allows its subdomains unless the list
/// says otherwise.
fn allow_input(path: &Path) -> FeedInput {
    let domain_scope = Some(Scope::Subtree);
    let options = feed::Options { allow: true, domain_scope, ..feed::Options::default() };
    FeedInput { path: path.to_path_buf(), options }
}

/// Hashes lists by content, so that touching a file does not cause a compilation.
fn name_files(path: &Path, name: &mut Xxh3Default) -> Result<()> {
    for entry in walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let fail = |e: walkdir::Error| Error::io("read a list", e.into()).at_path(path);
        let entry = entry.map_err(fail)?;
        if entry.file_type().is_file() {
            let read = std::fs::read(entry.path());
            let bytes = read.map_err(|e| Error::io("read", e).at_path(entry.path()))?;
            name.update(entry.path().as_os_str().as_encoded_bytes());
            name.update(&xxh3_128(&bytes).to_le_bytes());
        }
    }
    Ok(())
}
