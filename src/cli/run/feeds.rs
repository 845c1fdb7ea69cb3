//! Fetches feeds and publishes the database, before the service starts and while it runs.

use super::files::{self, Files, command};
use crate::cli::feed::{ReportStyle, print_report};
use crate::cli::messages::{self, name, plural, say};
use signal_hook::consts::SIGHUP;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wiresift::clock::now;
use wiresift::engine::database::Stamp;
use wiresift::intel::config::Config;
use wiresift::intel::store::Store;
use wiresift::intel::subscribe::{self, FeedOutcome, Published, StopSignal, UpdateJob};
use wiresift::sensor::halt::Halt;
use wiresift::sensor::metrics::Systemd;
use wiresift::sensor::run::daemon::FeedTimes;
use wiresift::{Error, Result};

/// How often to check whether the service is stopping.
const LOOK: Duration = Duration::from_millis(200);

/// How long to wait for an update in progress to stop. What it was fetching is fetched again at the
/// next start.
const PATIENCE: Duration = Duration::from_millis(500);

/// The longest wait. Changes of the configuration and SIGHUP end it early.
const AGAIN: Duration = Duration::from_secs(60);

/// How long to wait after a failed round. It doubles with each further failure.
const BACKOFF: Duration = Duration::from_secs(60);

/// The longest wait after failures.
const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// Keeps the database up to date.
pub(super) struct Updater {
    config: Config,
    /// Held during a round. A round that is waiting for a server when the service stops is
    /// abandoned; if the next round starts before it has ended, that one waits.
    turn: Arc<Mutex<()>>,
}

impl Updater {
    pub(super) fn new(config: Config) -> Self {
        Updater { config, turn: Arc::default() }
    }

    /// Fetches feeds when they are due, until the halt. `fetched` receives the feeds, and when each
    /// was last fetched.
    pub(super) fn run(&self, halt: &Halt, fetched: &FeedTimes<'_>) {
        let hangup = Arc::new(AtomicBool::new(false));
        // Without it, changes are noticed anyway, a moment later.
        let registered = signal_hook::flag::register(SIGHUP, Arc::clone(&hangup));
        self.run_until(halt, Watched::new(&self.config, hangup), fetched);
        if let Ok(id) = registered {
            signal_hook::low_level::unregister(id);
        }
    }

    fn run_until(&self, halt: &Halt, mut watched: Watched, fetched: &FeedTimes<'_>) {
        report_times(&watched.config, fetched);
        // Feeds may have been accepted since the database was built: before this start, or by
        // another process. A database that was compiled without feeds is left alone.
        let mut must_publish = watched.has_feeds();
        let mut failures = 0;
        loop {
            let wait = watched.wait(must_publish, failures);
            if !pause(halt, wait, || watched.is_touched()) {
                return;
            }
            must_publish |= watched.look_again();
            must_publish &= watched.has_feeds();
            if !must_publish && !watched.is_due() {
                report_times(&watched.config, fetched);
                continue;
            }
            let Some(outcome) = self.round(halt, &watched.config, must_publish) else { return };
            match outcome {
                // The published database now contains everything that was accepted.
                Ok(()) => (must_publish, failures) = (false, 0),
                Err(error) => {
                    // Feeds may have been fetched before the failure, without a database that
                    // contains them.
                    must_publish = true;
                    failures += 1;
                    let next = backoff(failures).as_secs() / 60;
                    messages::error(&error);
                    say(&format!("wiresift: feeds: trying again in {next} min"));
                }
            }
            report_times(&watched.config, fetched);
        }
    }

    /// Runs one round on a thread that can be abandoned. `None` if the service is stopping.
    fn round(&self, halt: &Halt, config: &Config, must_publish: bool) -> Option<Result<()>> {
        let (sender, outcome) = mpsc::channel();
        let (stop, turn) = (StopSignal::default(), Arc::clone(&self.turn));
        let job = (config.clone(), stop.clone());
        let work = move || {
            let (config, stop) = job;
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            // It may have been stopped while it waited for its turn.
            if stop.wait(Duration::ZERO) {
                // After a halt the receiver is gone, and the result is no longer needed.
                let _ = sender.send(update(&config, must_publish, Some(&stop)));
            }
        };
        if let Err(error) = std::thread::Builder::new().name("feeds".into()).spawn(work) {
            return Some(Err(Error::io("start a thread that fetches feeds", error)));
        }
        loop {
            match outcome.recv_timeout(LOOK) {
                Ok(outcome) => return Some(outcome),
                Err(RecvTimeoutError::Timeout) if halt.is_set() => {
                    stop.stop();
                    // Ending in time is better: the lock of the store is released in order.
                    let _ = outcome.recv_timeout(PATIENCE);
                    return None;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Err(Error::usage("the update of the feeds ended unexpectedly")));
                }
            }
        }
    }
}

/// The configuration, and its text when it was last read. An edit takes effect without a restart.
struct Watched {
    config: Config,
    text: String,
    /// Whether it is currently invalid. This is reported once, not in each round.
    is_broken: bool,
    /// The state of the file when its text was read, and at the last look.
    read: Option<Stamp>,
    seen: Option<Stamp>,
    /// Set by SIGHUP.
    hangup: Arc<AtomicBool>,
}

impl Watched {
    fn new(config: &Config, hangup: Arc<AtomicBool>) -> Self {
        let read = stamp(config);
        let text = std::fs::read_to_string(&config.path).unwrap_or_default();
        Watched { config: config.clone(), text, is_broken: false, read, seen: read, hangup }
    }

    /// Whether a feed is enabled.
    fn has_feeds(&self) -> bool {
        self.config.feeds.iter().any(|feed| feed.enabled)
    }

    /// Whether a reload was requested, or the file has changed and is the same as at the last look:
    /// an editor may still be writing it.
    fn is_touched(&mut self) -> bool {
        let now = stamp(&self.config);
        let before = std::mem::replace(&mut self.seen, now);
        self.hangup.load(Ordering::Relaxed) || now != self.read && now == before
    }

    /// Reads the file again. Returns whether it changed, or a reload was requested. While it is
    /// being edited, the last valid version stays in effect.
    fn look_again(&mut self) -> bool {
        // By SIGHUP: feeds may have been fetched by another process.
        let is_asked = self.hangup.swap(false, Ordering::Relaxed);
        self.read = stamp(&self.config);
        let Ok(text) = std::fs::read_to_string(&self.config.path) else { return is_asked };
        if text == self.text {
            return is_asked;
        }
        self.text = text;
        match Config::parse(&self.text, &self.config.path) {
            Ok(config) => {
                (self.config, self.is_broken) = (config, false);
                true
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_broken, true) {
                    messages::error(&error);
                    say("wiresift: feeds: keeping the previous configuration");
                }
                is_asked
            }
        }
    }

    fn is_due(&self) -> bool {
        let now = now();
        subscribe::next_due(&self.config, now).is_some_and(|due| due <= now)
    }

    /// The time until there is something to do.
    fn wait(&self, must_publish: bool, failures: u32) -> Duration {
        if failures > 0 {
            return backoff(failures);
        }
        let now = now();
        let due = subscribe::next_due(&self.config, now);
        match due.map(|due| Duration::from_micros(due.0.abs_diff(now.0))) {
            _ if must_publish => Duration::ZERO,
            Some(wait) => wait.min(AGAIN),
            None => AGAIN,
        }
    }
}

/// The wait after this number of failures in a row.
fn backoff(failures: u32) -> Duration {
    BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(MAX_BACKOFF)
}

/// The state of a configuration's file.
fn stamp(config: &Config) -> Option<Stamp> {
    std::fs::metadata(&config.path).ok().map(|metadata| Stamp::of(&metadata))
}

/// Waits, or until something else is to be done. Returns false if the service is stopping.
fn pause(halt: &Halt, time: Duration, mut is_called: impl FnMut() -> bool) -> bool {
    let waiting = wiresift::clock::Stopwatch::start();
    while !halt.is_set() {
        let left = time.saturating_sub(waiting.elapsed());
        if left.is_zero() || is_called() {
            return true;
        }
        std::thread::sleep(left.min(LOOK));
    }
    false
}

/// Reports the last success of each enabled feed, also if another process fetched it.
fn report_times(config: &Config, fetched: &FeedTimes<'_>) {
    let store = Store::at(&config.state);
    let feeds = config.feeds.iter().filter(|feed| feed.enabled);
    let times =
        feeds.map(|feed| (feed.name.clone(), store.feed_dir(&feed.name).state().last_success));
    fetched(&times.collect::<Vec<_>>());
}

/// Fetches the feeds that are due, and publishes the database if that changed anything or if
/// `must_publish` is set. Problems with a single feed are printed.
fn update(config: &Config, must_publish: bool, stop: Option<&StopSignal>) -> Result<()> {
    let lock = subscribe::write_lock(config)?;
    let job =
        UpdateJob { config, only: Vec::new(), due: true, accept: false, dry_run: false, stop };
    let report = subscribe::update(&job, &lock, &feed_notice)?;
    print_report(&report, ReportStyle { is_dry: false, is_repeated: true, is_quiet: false });
    let is_changed =
        report.feeds.iter().any(|feed| matches!(feed.outcome, FeedOutcome::Changed { .. }));
    if !must_publish && !is_changed {
        return Ok(());
    }
    if let Published::New(report) =
        subscribe::publish_subscribed(config, &lock, None, &feed_notice)?
    {
        let values = plural(report.summary.total(), "distinct value");
        say(&format!("wiresift: compiled {values} into {}", name(&config.database)));
    }
    Ok(())
}

fn feed_notice(notice: subscribe::Notice<'_>) {
    match notice {
        subscribe::Notice::Failed(error) => messages::error(error),
        subscribe::Notice::Skipped(what) => say(&format!("wiresift: {what}")),
        _ => {}
    }
}

/// Ensures that there is a database before the service starts. With `once`, feeds that are due are
/// fetched too, because nothing does so later.
///
/// # Errors
///
/// There is no database, and no feed to build one from.
pub(super) fn before(files: Files, once: bool) -> Result<Files> {
    let database = &files.sensor.database;
    let is_missing = !database.exists();
    if is_missing && !files.updates() {
        return Err(no_database(&files));
    }
    let must_update = is_missing || once && files.updates();
    if !must_update {
        return Ok(files);
    }
    if is_missing {
        let feeds = plural(files.enabled().count() as u64, "feed");
        say(&format!("wiresift: there is no database yet: fetching {feeds} first"));
    }
    // By default SIGHUP would end the process; here it asks for a reload.
    let is_asked = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP, Arc::clone(&is_asked))
        .map_err(|e| Error::io("wait for signals", e))?;
    let updated = while_systemd_waits(|| update(&files.intel, true, None));
    match updated {
        // Without a database there is nothing to run; with an old one, the service can start
        // anyway.
        Err(error) if is_missing => return Err(error),
        Err(error) => messages::error(&error),
        Ok(()) => {}
    }
    if !files.sensor.database.exists() {
        return Err(Error::usage("no database could be built from the feeds")
            .at_path(&files.sensor.database)
            .remedy("see `wiresift feed list`"));
    }
    match is_asked.load(Ordering::Relaxed) {
        true => Ok(again(files)),
        false => Ok(files),
    }
}

/// Rereads the configuration, and returns it if it is valid.
fn again(files: Files) -> Files {
    match Files::read(&files.sensor.path) {
        Ok(Ok(new)) if new.sensor.check(files::built()).is_empty() => new,
        _ => {
            say("wiresift: the new configuration is invalid (see `wiresift run --check`); \
                 starting with the previous one");
            files
        }
    }
}

/// The error for a missing database that the service will not create. The remedy depends on whether
/// there are feeds.
fn no_database(files: &Files) -> Error {
    let error = Error::usage("the database does not exist").at_path(&files.sensor.database);
    let config = &files.sensor.path;
    match files.enabled().next() {
        Some(_) => error.remedy(format!(
            "with update = false the service does not fetch feeds: create it with `{}`",
            command("feed update --compile", config)
        )),
        None => error.remedy(
            "subscribe to feeds with `wiresift feed add`, or compile lists with `wiresift compile -o \
             DB LIST…`",
        ),
    }
}

/// Runs something that may take longer than systemd allows for a start.
fn while_systemd_waits<T>(work: impl FnOnce() -> T) -> T {
    let systemd = Systemd::from_environment().unwrap_or_default();
    if !systemd.is_there() {
        return work();
    }
    systemd.status("fetching feeds");
    let (done, over) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let extend = move || {
            loop {
                systemd.extend_start(Duration::from_secs(60));
                if over.recv_timeout(Duration::from_secs(15)) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        // Without the thread, systemd's usual limit applies.
        let _ = std::thread::Builder::new().name("systemd".into()).spawn_scoped(scope, extend);
        let result = work();
        drop(done);
        result
    })
}
