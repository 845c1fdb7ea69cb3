//! Starts sources, handles signals, and notifies systemd.

use super::Service;
use super::board::Board;
use super::inputs::{InputContext, Opened};
use super::outlets::Sent;
use super::watch::Watch;
use crate::clock::Stopwatch;
use crate::sensor::config::Config;
use crate::sensor::halt::Halt;
use crate::sensor::listen::Activated;
use crate::sensor::metrics::{Heartbeat, NotReadyReason, Systemd, Watchdog};
use crate::sensor::run::live::member::{Command, Member};
use crate::sensor::run::live::pool::Settings;
use crate::sensor::run::live::queue::{ProducerGuard, Queue};
use crate::sensor::run::live::source::{self, Ends, Reading};
use crate::sensor::run::live::task::Message;
use crate::sensor::run::{Notice, Notify};
use crate::sensor::spool::Spool;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

/// How often the supervisor runs.
const ROUND: Duration = Duration::from_millis(50);

/// How often it checks the health.
const LOOK: Duration = Duration::from_secs(1);

/// How long an input may take to begin.
const BEGINNING: Duration = Duration::from_secs(60);

/// What is needed to start another source.
pub(super) struct SourceStarter<'r, 'scope, 'env> {
    pub(super) scope: &'scope Scope<'scope, 'env>,
    pub(super) queue: &'scope Queue<'r>,
    /// Makes workers wait for sources that may still start.
    pub(super) _producer: ProducerGuard<'scope, 'r>,
    pub(super) committer: SyncSender<Message>,
    pub(super) halt: &'scope Halt,
}

/// A source that is running.
pub(super) struct Runner<'scope> {
    pub(super) watch: Watch,
    commands: Sender<Command>,
    thread: ScopedJoinHandle<'scope, ()>,
}

pub(super) struct Supervisor<'r, 'scope, 'env> {
    pub(super) service: &'r Service<'r>,
    /// What is running.
    pub(super) config: Config,
    pub(super) notify: Notify<'r>,
    pub(super) board: &'r Board,
    pub(super) systemd: &'r Systemd,
    pub(super) hangup: &'r AtomicBool,
    /// Set when the last commit was made.
    pub(super) is_over: &'r AtomicBool,
    pub(super) settings: &'scope Settings,
    pub(super) spool: Option<Spool>,
    pub(super) sent: &'scope Mutex<Vec<Sent>>,
    pub(super) with: InputContext<'r>,
    pub(super) activated: Activated,
    /// `None` once it is time to end.
    pub(super) starter: Option<SourceStarter<'r, 'scope, 'env>>,
    pub(super) runners: Vec<Runner<'scope>>,
    /// Sources that were asked to end and have not ended yet.
    pub(super) leaving: Vec<Runner<'scope>>,
    /// Sinks whose threads are known to have ended.
    pub(super) ended: BTreeSet<String>,
    /// How many sources were started.
    pub(super) count: usize,
    /// Set while it runs: its heartbeat, and what is reported to systemd.
    pub(super) heartbeat: Option<Heartbeat>,
    pub(super) watchdog: Option<Watchdog>,
}

impl<'r: 'scope, 'scope, 'env> Supervisor<'r, 'scope, 'env> {
    /// Starts the sources that exist from the beginning.
    ///
    /// # Errors
    ///
    /// If a thread can't be started, or an input can't begin.
    pub(super) fn start_all(&mut self, opened: Vec<Opened<'r>>) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        for input in opened {
            members.push(self.start(input)?);
        }
        Ok(members)
    }

    /// Starts a source; returns its entry for the committer.
    ///
    /// # Errors
    ///
    /// Those of [`start_all`](Self::start_all).
    pub(super) fn start(&mut self, opened: Opened<'r>) -> Result<Member> {
        let Some(starter) = &self.starter else { return Err(Error::usage("shutting down")) };
        let Opened { source, watch, can_wait, work, begun } = opened;
        let failed = |e| Error::io("start a thread", e);
        let name = Arc::clone(watch.name());
        if let Some(work) = work {
            let thread = Builder::new().name(format!("input {name}"));
            thread.spawn_scoped(starter.scope, work).map_err(failed)?;
        }
        if let Some(begun) = begun {
            let word = begun.recv_timeout(BEGINNING);
            word.unwrap_or_else(|_| Err(Error::timed_out("it did not start in time")))
                .map_err(|error| error.about(&format!("input “{name}”")))?;
        }
        let (commands, commands_end) = mpsc::channel();
        let paused = Arc::new(AtomicBool::new(false));
        let ends = Ends {
            number: self.count,
            committer: starter.committer.clone(),
            commands: commands_end,
            halt: starter.halt.clone(),
            paused: Arc::clone(&paused),
        };
        let (queue, producer) = (starter.queue, starter.queue.producer());
        let is_followed = source.is_read();
        self.count += 1;
        // Show the input before its first piece is counted.
        let shown = self.watches().chain([watch.clone()]).collect();
        self.board.set_watches(shown);
        let thread = Builder::new()
            .name(format!("source {name}"))
            .spawn_scoped(starter.scope, move || {
                let _producer = producer;
                source::run(Reading::new(source, ends), queue);
            })
            .map_err(failed)?;
        self.runners.push(Runner { watch, commands: commands.clone(), thread });
        Ok(Member { name, can_wait, is_followed, commands, paused })
    }

    /// Publishes the inputs that are running.
    pub(super) fn show(&self) {
        self.board.set_watches(self.watches().collect());
    }

    fn watches(&self) -> impl Iterator<Item = Watch> {
        self.runners.iter().chain(&self.leaving).map(|it| it.watch.clone())
    }

    /// Ends sources, and waits a while until they have ended. A source that cannot end because there
    /// is no room for what it has read stays in `leaving`.
    pub(super) fn end(&mut self, names: &[&String]) {
        /// Their last commit comes within a second, unless the spool or a disk is full.
        const PATIENCE: Duration = Duration::from_secs(15);
        let is_asked = |it: &mut Runner<'_>| names.iter().any(|name| ***name == **it.watch.name());
        for runner in self.runners.extract_if(.., is_asked) {
            // A source that is gone has ended.
            let _ = runner.commands.send(Command::End);
            self.leaving.push(runner);
        }
        let since = Stopwatch::start();
        while !self.leaving.is_empty() && since.elapsed() < PATIENCE {
            self.wait();
            self.leaving.retain(|it| !it.thread.is_finished());
        }
    }

    /// Restarts inputs that could not end when the configuration changed, and have ended since.
    fn look_at_leaving(&mut self) {
        let before = self.leaving.len();
        self.leaving.retain(|it| !it.thread.is_finished());
        if self.leaving.len() == before || self.starter.is_none() {
            return;
        }
        let config = self.config.clone();
        if let Err(error) = self.begin(&config) {
            (self.notify)(Notice::Failed(&error));
        }
        self.show();
        self.report_status();
    }

    /// Supervises everything until it is over.
    pub(super) fn run(mut self) {
        self.heartbeat = Some(self.board.heartbeats().heartbeat("supervisor"));
        self.watchdog = Watchdog::from_environment();
        let halt = self.starter.as_ref().map(|starter| starter.halt.clone()).unwrap_or_default();
        self.systemd.ready();
        self.report_status();
        if self.service.once {
            self.close();
        }
        let mut looked = Stopwatch::start();
        while !self.is_over.load(Ordering::Relaxed) {
            self.wait();
            if halt.is_set() && self.starter.is_some() {
                self.board.set(NotReadyReason::Stopping, true);
                self.systemd.stopping();
                self.close();
            }
            if self.hangup.swap(false, Ordering::Relaxed) && self.starter.is_some() {
                self.reload();
            }
            if looked.elapsed() >= LOOK {
                looked = Stopwatch::start();
                self.board.look();
                self.look_at_threads();
                self.look_at_leaving();
            }
        }
    }

    /// Waits for a round: whatever it waits for, the watchdog knows that it is alive.
    pub(super) fn wait(&mut self) {
        std::thread::sleep(ROUND);
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.beat();
        }
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.tick(self.systemd, self.board.heartbeats());
        }
    }

    /// No more sources will join: those that exist may end.
    fn close(&mut self) {
        if let Some(starter) = self.starter.take() {
            // If the committer is gone, it has ended already.
            let _ = starter.committer.send(Message::Closed);
        }
    }

    /// Marks sources that ended by themselves as failed.
    fn look_at_threads(&mut self) {
        let is_running = self.starter.is_some() && !self.service.once;
        for runner in self.runners.iter().filter(|it| is_running && it.thread.is_finished()) {
            runner.watch.failed("it has ended".into());
        }
        let sent = self.sent();
        let ended = sent.iter().filter(|it| is_running && !it.is_alive()).map(|it| &it.name);
        for name in ended {
            if self.ended.insert(name.clone()) {
                let words = format!("sink “{name}” stopped because of an internal error");
                (self.notify)(Notice::Skipped(&words));
            }
        }
    }

    fn report_status(&self) {
        let count = |number: usize, what: &str| match number {
            1 => format!("1 {what}"),
            many => format!("{many} {what}s"),
        };
        let inputs = count(self.runners.len(), "input");
        let sinks = count(self.config.active_sinks().count(), "sink");
        self.systemd.status(&format!("{inputs}, {sinks}"));
    }

    pub(super) fn sent(&self) -> MutexGuard<'scope, Vec<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reloads the configuration, or keeps the old one if that fails.
    fn reload(&mut self) {
        self.systemd.reloading();
        let outcome = self.apply_configuration();
        let failure = outcome.err().map(|failed| {
            let (error, in_use) = (failed.error, failed.in_use);
            (self.notify)(Notice::Failed(&error));
            (self.notify)(Notice::Skipped(&format!("the reload failed: {in_use}")));
            format!("{error}; {in_use}")
        });
        self.board.reloaded(failure);
        self.show();
        self.systemd.ready();
        self.report_status();
    }
}
