//! From the configuration to running threads, and back.

use super::board::{Board, SinkPart};
use super::followed::orphaned;
use super::inputs::{self, InputContext, Opened};
use super::outlets::{self, Place, Seed, Sent};
use super::supervisor::{SourceStarter, Supervisor};
use super::{Served, Service, Undelivered, sinks};
use crate::clock::Stopwatch;
use crate::engine::indicator::Timestamp;
use crate::engine::scan::Options;
use crate::engine::suppress::{self, HomeNetworks};
use crate::sensor::checkpoint::{self, CheckpointState, Commit, StateDir};
use crate::sensor::config::{Config, Sink};
use crate::sensor::halt::{Halt, Stopper};
use crate::sensor::listen::{Activated, Address};
use crate::sensor::metrics::{Heartbeat, NotReadyReason, Operation, Systemd};
use crate::sensor::run::live::committer::{self, Committer, Counted, Ended};
use crate::sensor::run::live::member::Member;
use crate::sensor::run::live::output::{JobOutput, Route};
use crate::sensor::run::live::pool::{Settings, Shared, start_workers};
use crate::sensor::run::live::queue::{QUEUE, Queue};
use crate::sensor::run::live::relay::{self, Parts, Relay, Restored};
use crate::sensor::run::reload::{Look, while_watched};
use crate::sensor::run::{
    Current, Follow, Notice, Notify, Signals, default_threads, load_database, rotation,
};
use crate::sensor::spool::{self, Limits, Spool};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

/// How often to check for a new database: it is published by this process or by another one.
const LOOK: Duration = Duration::from_secs(2);

/// Runs until a signal ends it, or with [`Service::once`] until everything that exists was read and
/// delivered.
///
/// # Errors
///
/// If it can't begin: the database, the state, an input or a sink can't be opened. Later failures
/// go to `notify`, and are retried.
pub fn serve(service: Service<'_>, signals: &Signals, notify: Notify<'_>) -> Result<Served> {
    let started = Stopwatch::start();
    signals.watch(None)?;
    // One for the configuration, one for the alert files.
    let (hangup, reopen) = (rotation::hangup()?, rotation::hangup()?);
    let systemd = Systemd::from_environment()?;
    let config = &service.config;
    let host = host(config);
    let current = Arc::new(Current::new(load_database(&config.database)?, Some(host)));
    let options = options(&service)?;
    #[cfg(feature = "live")]
    if config.daemon.sandbox {
        notify(Notice::Sandboxed(&super::sandbox::enter(config)));
    }
    let (dir, opened, restored) = open_state(config, service.no_suppress)?;
    let base = OpenContext { config, state: &opened.state, notify };
    let mut prepared = base.prepare(dir, restored)?;
    let board = Board::new(config, &service.feeds, Arc::clone(&current));
    let relay = Relay::new(prepared.parts(config), &board.metrics());
    let commit = prepared.settled(&base)?;
    // Release the last other reference, so that the first commit doesn't copy the state.
    drop(opened);
    prepared.dir.commit(&commit)?;
    board.set_sinks(parts(config, &prepared.sent), prepared.spool.clone());
    board.set(NotReadyReason::Database, false);
    let follow = Follow { path: config.database.clone(), every: LOOK, on_hangup: true };
    let (errors, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let counting = |notice: Notice<'_>| {
        if let Notice::Failed(_) | Notice::OutputFailed(_) = &notice {
            errors.fetch_add(1, Ordering::Relaxed);
        }
        notify(notice);
    };
    let run = Running {
        service: &service,
        signals,
        notify: &counting,
        current: &current,
        board: &board,
        systemd: &systemd,
        hangup: &hangup,
        reopen: &reopen,
        is_over: &is_over,
    };
    let report = |look: Look| counting(look.notice());
    let work = || run.work(prepared, relay, options);
    let mut served = while_watched(&current, Some(follow), report, work)??;
    served.errors += errors.load(Ordering::Relaxed);
    served.elapsed = started.elapsed();
    Ok(served)
}

/// The name of the sensor.
pub(super) fn host(config: &Config) -> String {
    let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    config.daemon.host.clone().unwrap_or_else(own)
}

fn options(service: &Service<'_>) -> Result<Options> {
    Ok(Options::default().allow((service.allow)(&service.config.allow)?))
}

/// The beginnings of the paths of files that the process itself writes, also when they are rotated:
/// alerts about alerts would never end.
pub(super) fn own_files(config: &Config) -> Vec<OsString> {
    let mut own = Vec::new();
    let mut add = |path: &Path, rest: &str| {
        // The path itself need not exist, or may be a link that rotation replaces.
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = std::fs::canonicalize(folder.unwrap_or(Path::new(".")));
        let by_folder = folder.ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
        for path in [by_folder, std::fs::canonicalize(path).ok()].into_iter().flatten() {
            let mut beginning = path.into_os_string();
            beginning.push(rest);
            if !own.contains(&beginning) {
                own.push(beginning);
            }
        }
    };
    for sink in config.active_sinks() {
        if let crate::sensor::config::SinkKind::File(file) = &sink.kind {
            add(&file.path, "");
        }
    }
    add(&config.state, "/");
    add(&config.daemon_state(), "/");
    own
}

/// The folder in which alerts wait for sinks.
pub(super) fn spool_folder(config: &Config) -> PathBuf {
    config.daemon_state().join("spool")
}

/// The externally visible part of sinks.
pub(super) fn parts(config: &Config, sent: &[Sent]) -> Vec<SinkPart> {
    let part = |sink: &Sink| {
        let own = sent.iter().find(|it| it.name == sink.name).map(Sent::part);
        own.unwrap_or(SinkPart { name: sink.name.clone(), kind: sink.kind.name(), counters: None })
    };
    config.active_sinks().map(part).collect()
}

/// The rules of suppression; `None` if every alert goes out.
pub(super) fn rules(config: &Config, no_suppress: bool) -> Option<suppress::Config> {
    let rules = &config.suppress;
    let members = rules.key.iter().filter_map(|key| suppress::Member::from_name(key.name()));
    (rules.enabled && !no_suppress).then(|| suppress::Config {
        key: members.collect(),
        window: rules.window,
        first: rules.first,
        critical: rules.critical,
        max_keys: rules.max_keys as usize,
        max_bytes: usize::try_from(rules.max_memory).unwrap_or(usize::MAX),
    })
}

/// Opens the state. Suppression, if it is not switched off, is read on a thread of its own from the
/// beginning: everything else is opened meanwhile.
fn open_state(
    config: &Config,
    no_suppress: bool,
) -> Result<(StateDir, checkpoint::Opened, Option<Restored>)> {
    let rules = || rules(config, no_suppress);
    let mut restored = None;
    let (mut dir, opened) = StateDir::open_with(&config.daemon_state(), |entries| {
        restored = rules().map(|rules| Restored::begin(rules, entries)).transpose()?;
        Ok(())
    })?;
    match rules() {
        // It may have read beyond the cut.
        Some(rules) if opened.torn > 0 => restored = Some(Restored::begin(rules, dir.entries()?)?),
        Some(_) => {}
        None => dir.forget_entries()?,
    }
    Ok((dir, opened, restored))
}

/// What everything is opened with.
struct OpenContext<'b> {
    config: &'b Config,
    state: &'b CheckpointState,
    notify: Notify<'b>,
}

/// What is opened before the first thread starts.
struct Prepared {
    dir: StateDir,
    saved: CheckpointState,
    spool: Option<Spool>,
    sent: Vec<Sent>,
    seeds: Vec<Seed>,
    /// The stored suppression; `None` if every alert goes out.
    restored: Option<Restored>,
}

impl OpenContext<'_> {
    fn prepare(&self, dir: StateDir, restored: Option<Restored>) -> Result<Prepared> {
        let OpenContext { config, state, notify } = *self;
        let mut seeds = Vec::new();
        for sink in config.active_sinks() {
            seeds.extend(outlets::local(sink, state, dir.path(), notify)?);
        }
        let spool = self.spool()?;
        let mut sent = Vec::new();
        if let Some(spool) = &spool {
            for sink in config.active_sinks() {
                if let Some(sending) = outlets::sending(sink, config, &host(config))? {
                    sent.push(sending.start(spool, config)?);
                }
            }
        }
        Ok(Prepared { dir, saved: state.clone(), spool, sent, seeds, restored })
    }

    /// The spool, if a sink needs it.
    fn spool(&self) -> Result<Option<Spool>> {
        let OpenContext { config, state, notify, .. } = *self;
        let sinks: Vec<(String, spool::Sink)> = config
            .active_sinks()
            .filter(|sink| sink.delivery().is_some())
            .map(|sink| {
                let cursor = relay::cursor(state, &sink.name);
                let size = config.daemon.spool_size;
                (sink.name.clone(), spool::Sink { cursor, ..sinks::spool_sink(sink, size) })
            })
            .collect();
        if sinks.is_empty() {
            return Ok(None);
        }
        let limits = Limits { max_bytes: config.daemon.spool_size, ..Limits::default() };
        let folder = spool_folder(config);
        let (spool, recovery) = Spool::open(&folder, limits, sinks)?;
        if recovery.damaged_segments > 0 {
            notify(Notice::Skipped(&format!(
                "{}: {} segments of the spool are damaged: what comes after the damage is not sent",
                folder.display(),
                recovery.damaged_segments
            )));
        }
        Ok(Some(spool))
    }
}

impl Prepared {
    fn parts(&self, config: &Config) -> Parts {
        Parts {
            suppressor: None,
            home: HomeNetworks::new(config.suppress.home.clone()),
            spool: self.spool.clone(),
            formats: outlets::formats(config),
            has_archive: config.active_sinks().any(|sink| sink.suppressed),
        }
    }

    /// What is committed before anything is written: the lengths of files, and the removal of what
    /// no longer exists.
    fn settled(&mut self, base: &OpenContext<'_>) -> Result<Commit> {
        let names = base.config.inputs.iter().map(|input| &*input.name);
        let mut commit = orphaned(base.state, names);
        for seed in &mut self.seeds {
            if let Place::File(file) = &mut seed.place {
                commit.outputs.push(file.sync()?);
            }
        }
        Ok(commit)
    }
}

/// What is open when the threads start.
struct Opening<'r> {
    out: JobOutput<'static>,
    dir: StateDir,
    opened: Vec<Opened<'r>>,
    with: InputContext<'r>,
    activated: Activated,
    spool: Option<Spool>,
}

/// What all threads work with.
struct Running<'r> {
    service: &'r Service<'r>,
    signals: &'r Signals,
    notify: Notify<'r>,
    current: &'r Arc<Current>,
    board: &'r Board,
    systemd: &'r Systemd,
    hangup: &'r AtomicBool,
    reopen: &'r AtomicBool,
    is_over: &'r AtomicBool,
}

impl<'r> Running<'r> {
    fn work(&self, prepared: Prepared, mut relay: Relay, options: Options) -> Result<Served> {
        let Prepared { mut dir, saved, spool, sent, seeds, restored } = prepared;
        let mut activated = Activated::from_environment()?;
        let with = InputContext {
            current: self.current,
            options,
            notify: self.notify,
            is_once: self.service.once,
            own: own_files(&self.service.config),
        };
        let opened = self.open_inputs(&saved, &mut activated, &with)?;
        if let Some(restored) = restored {
            dir.settle(relay.resume(restored.wait()?));
        }
        let (pages_halt, pages_end) = pair()?;
        let pages = self.operation(&mut activated, pages_halt)?;
        let mut locals: Vec<_> =
            seeds.into_iter().map(|seed| seed.grow(&self.signals.halt())).collect();
        relay::count_by(&self.board.metrics(), &mut locals);
        let mut out = JobOutput::new(Route::Relay(Box::new(relay)), locals);
        out.begin();
        self.board.set_failures(out.failures.clone());
        let sent = Mutex::new(sent);
        let ended =
            self.run_threads(Opening { out, dir, opened, with, activated, spool }, &sent)?;
        let sent = sent.into_inner().unwrap_or_else(PoisonError::into_inner);
        let served = self.finish(ended, sent);
        pages_end.stop();
        if let Some(pages) = pages {
            pages.join();
        }
        served
    }

    fn threads(&self) -> usize {
        match self.service.config.daemon.threads {
            0 => default_threads(),
            threads => threads as usize,
        }
    }

    /// Starts all threads, and commits until they have ended.
    fn run_threads(&self, opening: Opening<'r>, sent: &Mutex<Vec<Sent>>) -> Result<Ended<'static>> {
        let Opening { out, dir, opened, with, activated, spool } = opening;
        let (halt, threads) = (self.signals.halt(), self.threads());
        let settings = Settings::new(with.options.clone());
        let queue = Queue::new(threads);
        let (messages_end, messages) = mpsc::sync_channel(2 * threads + QUEUE);
        let (heartbeats, board) = (WorkerHeartbeats::new(threads), self.board);
        let busy = |worker: usize, is_busy: bool| heartbeats.beat(board, worker, is_busy);
        let current = self.current;
        let shared = Shared { current, settings: &settings, queue: &queue, busy: &busy };
        let counted = |from: &Member, it: &Counted<'_>| {
            board.counted(&from.name, it.bytes, it.lines, it.counters);
        };
        let notify = self.notify;
        std::thread::scope(|scope| {
            // First, or workers that start quickly would find that no job will ever come.
            let (queue, _producer) = (&queue, queue.producer());
            start_workers(scope, threads, &shared, &messages_end)?;
            let starter =
                SourceStarter { scope, queue, _producer, committer: messages_end, halt: &halt };
            let mut supervisor = Supervisor {
                service: self.service,
                config: self.service.config.clone(),
                notify,
                board,
                systemd: self.systemd,
                hangup: self.hangup,
                is_over: self.is_over,
                settings: &settings,
                spool,
                sent,
                with,
                activated,
                starter: Some(starter),
                runners: Vec::new(),
                leaving: Vec::new(),
                ended: BTreeSet::new(),
                count: 0,
                heartbeat: None,
                watchdog: None,
            };
            let members = supervisor.start_all(opened)?;
            board.set(NotReadyReason::Inputs, false);
            self.start_updates(scope, &halt)?;
            let spawned = std::thread::Builder::new()
                .name("supervisor".into())
                .spawn_scoped(scope, move || supervisor.run());
            spawned.map_err(|e| Error::io("start a thread", e))?;
            let _over = OverAtEnd(self.is_over);
            Ok(committer::run(Committer {
                out,
                state: Some(dir),
                messages,
                members,
                is_open: true,
                notify,
                halt: &halt,
                hangup: Some(self.reopen),
                counted: &counted,
            }))
        })
    }

    fn open_inputs(
        &self,
        saved: &CheckpointState,
        activated: &mut Activated,
        with: &InputContext<'r>,
    ) -> Result<Vec<Opened<'r>>> {
        let mut opened = Vec::new();
        for input in self.service.config.active_inputs() {
            match inputs::open(input, saved, activated, with)? {
                Some(input) => opened.push(input),
                None => (self.notify)(Notice::Skipped(&format!(
                    "input “{}” skipped: it never ends, and --once reads only what does",
                    input.name
                ))),
            }
        }
        Ok(opened)
    }

    /// Serves the pages, if configured.
    fn operation(&self, activated: &mut Activated, halt: Halt) -> Result<Option<Operation>> {
        let Some(place) = &self.service.config.daemon.metrics else { return Ok(None) };
        let address = Address::Tcp(place.to_string());
        let served = self.board.pages().serve(&address, None, activated, halt);
        served.map(Some).map_err(|error| error.about("daemon.metrics"))
    }

    /// Starts updating feeds, if there are any.
    fn start_updates<'scope>(
        &'scope self,
        scope: &'scope std::thread::Scope<'scope, '_>,
        halt: &'scope Halt,
    ) -> Result<()> {
        let Some(update) = self.service.update.filter(|_| !self.service.once) else {
            return Ok(());
        };
        let fetched = |feeds: &[(String, Option<Timestamp>)]| self.board.set_feeds(feeds);
        std::thread::Builder::new()
            .name("feeds".into())
            .spawn_scoped(scope, move || update(halt, &fetched))
            .map(drop)
            .map_err(|e| Error::io("start a thread", e))
    }

    /// Delivers as much as there is time for, and commits how far it got.
    fn finish(&self, ended: Ended<'_>, sent: Vec<Sent>) -> Result<Served> {
        let Ended { came, mut out, state } = ended;
        let drain = self.service.config.daemon.drain;
        if self.service.once {
            wait_for_delivery(&sent, &out, drain);
        }
        let parts: Vec<SinkPart> = sent.iter().map(Sent::part).collect();
        outlets::finish(sent, drain);
        if let Some(mut dir) = state {
            let mut sealed = out.seal()?;
            match came.stopped {
                None => sealed.end(),
                Some(_) => sealed.only_cursors(),
            }
            sealed.sync()?;
            dir.commit(&sealed.commit)?;
        }
        let mut served = Served {
            lines: came.lines,
            bytes: came.bytes,
            errors: came.errors,
            counters: came.counters,
            spool: spool_folder(&self.service.config),
            ..Served::default()
        };
        if let Route::Relay(relay) = &out.route {
            (served.alerts, served.suppressed) = (relay.alerts, relay.suppressed);
            let trouble = |name: &str| {
                let part = parts.iter().find(|part| part.name == name)?;
                part.counters.as_ref()?.snapshot().trouble
            };
            let backlogs = relay.backlogs().into_iter();
            let undelivered = backlogs
                .map(|(name, bytes)| (Undelivered { bytes, trouble: trouble(&name) }, name));
            served.undelivered = undelivered.map(|(it, name)| (name, it)).collect();
        }
        match came.stopped {
            Some(error) if !error.is_broken_pipe() => Err(error),
            _ => Ok(served),
        }
    }
}

/// A halt, and the stopper that sets it.
fn pair() -> Result<(Halt, Stopper)> {
    Halt::new().map_err(|e| Error::io("open a pair of sockets", e))
}

/// Waits until sinks have received everything, or none has made progress for a while.
fn wait_for_delivery(sent: &[Sent], out: &JobOutput<'_>, patience: Duration) {
    let Route::Relay(relay) = &out.route else { return };
    let arrived = || sent.iter().map(Sent::arrived).sum::<u64>();
    let (mut last, mut since) = (arrived(), Stopwatch::start());
    while !relay.backlogs().is_empty() && since.elapsed() < patience {
        std::thread::sleep(Duration::from_millis(20));
        let now = arrived();
        if now != last {
            (last, since) = (now, Stopwatch::start());
        }
    }
}

/// Workers that are matching a piece have a heartbeat; idle ones need none.
struct WorkerHeartbeats(Vec<Mutex<Option<Heartbeat>>>);

impl WorkerHeartbeats {
    fn new(workers: usize) -> Self {
        WorkerHeartbeats((0..workers).map(|_| Mutex::default()).collect())
    }

    fn beat(&self, board: &Board, worker: usize, is_busy: bool) {
        let Some(place) = self.0.get(worker) else { return };
        let heartbeat = is_busy.then(|| board.heartbeats().heartbeat(format!("worker {worker}")));
        *place.lock().unwrap_or_else(PoisonError::into_inner) = heartbeat;
    }
}

/// Signals the end, also when something panics.
struct OverAtEnd<'o>(&'o AtomicBool);

impl Drop for OverAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
