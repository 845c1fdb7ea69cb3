//! A reload: what a new configuration changes, and what stays as it is.
//!
//! Everything new is opened first; if that fails, the old configuration stays. What is the same in
//! both runs on without a gap. An input that has changed ends and its last commit is made before it
//! starts again: it may listen on the same address, and it resumes where it was.

use super::outlets::{self, Seed, Sending, Sent};
use super::serve::{host, own_files, parts, rules, spool_folder};
use super::supervisor::Supervisor;
use super::{inputs, listening, sinks};
use crate::clock::Stopwatch;
use crate::engine::alert::Encoder;
use crate::engine::suppress::HomeNetworks;
use crate::engine::suppress::Suppressor;
use crate::sensor::checkpoint::CheckpointState;
use crate::sensor::config::{Built, Changes, Config, Sink, SinkKind, Tables};
use crate::sensor::run::Notice;
use crate::sensor::run::live::output::{JobOutput, Route};
use crate::sensor::run::live::relay::{self, Parts};
use crate::sensor::run::live::task::Message;
use crate::sensor::sink::Rotator;
use crate::sensor::spool::{self, Limits, Spool};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, TryRecvError};
use std::thread::Builder;
use std::time::Duration;

/// How long the committer may take to return the committed state.
const ANSWER: Duration = Duration::from_secs(30);

/// Keys that require a restart: what they configure is open for the whole run.
const OF_START: [&str; 9] =
    ["state", "database", "host", "threads", "metrics", "spool_size", "update", "sandbox", "drain"];

/// Which configuration is in use after a failed reload, and what to do.
const OLD_IN_USE: &str =
    "the previous configuration stays in use; fix the new one and reload it again";
const NEW_IN_USE: &str =
    "the new configuration is in use, without inputs that cannot be opened; reload it again";

/// Why a configuration was not applied, or not completely.
pub(super) struct NotApplied {
    pub(super) error: Error,
    /// What is in use now, in words.
    pub(super) in_use: &'static str,
}

/// A file that a sink continues to write, which another sink may have written before.
struct KeptFile {
    path: PathBuf,
    name: String,
    encoder: Encoder,
    rotator: Option<Rotator>,
}

/// Keeps the destinations that are unchanged. For files that are removed, the next commit records
/// their lengths: alerts in them belong to pieces that it counts as done.
fn part(out: &mut JobOutput<'_>, mut kept: Vec<KeptFile>, same: &[String]) {
    for mut local in std::mem::take(&mut out.locals) {
        let is_it = |it: &KeptFile| local.target.path() == Some(&*it.path);
        if let Some(at) = kept.iter().position(is_it) {
            let KeptFile { name, encoder, rotator, .. } = kept.swap_remove(at);
            (local.name, local.encoder, local.rotator) = (name, encoder, rotator);
        } else if !same.contains(&local.name) {
            // What waits for room in the spool has no other place to go. A file that fails is left
            // as it is.
            let _ = local.write_all();
            out.parted.extend(local.release());
            continue;
        }
        out.locals.push(local);
    }
}

impl<'r: 'scope, 'scope, 'env> Supervisor<'r, 'scope, 'env> {
    /// Applies the configuration as it is now.
    ///
    /// # Errors
    ///
    /// If it is invalid, or something new can't be opened. The old one then stays in effect, unless
    /// only inputs could not be opened.
    pub(super) fn apply_configuration(&mut self) -> Result<(), NotApplied> {
        let old = |error| NotApplied { error, in_use: OLD_IN_USE };
        let new = self.prepare().map_err(old)?;
        self.adopt(new).map_err(|error| NotApplied { error, in_use: NEW_IN_USE })
    }

    /// Reads the configuration, and changes everything but the inputs.
    fn prepare(&mut self) -> Result<(Config, Changes)> {
        let new = Config::open(&self.config.path)?;
        let built = Built {
            kafka: cfg!(feature = "kafka"),
            kafka_tls: cfg!(feature = "kafka-tls"),
            live: cfg!(feature = "live"),
            prints_to_journal: false,
        };
        let problems = new.check(built);
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let changes = self.config.changes(&new);
        listening::check(&new, &self.config, &changes.inputs)?;
        let options = self.with.options.clone().allow((self.service.allow)(&new.allow)?);
        self.reload_sinks(&new, &changes)?;
        self.settings.set(options.clone());
        self.with.options = options;
        self.with.own = own_files(&new);
        Ok((new, changes))
    }

    /// Changes the inputs; from here on the new configuration is in use.
    fn adopt(&mut self, (new, changes): (Config, Changes)) -> Result<()> {
        let outcome = self.reload_inputs(&new, &changes.inputs);
        let later: Vec<&str> = changes
            .top
            .iter()
            .chain(&changes.daemon)
            .map(String::as_str)
            .filter(|key| OF_START.contains(key))
            .collect();
        if !later.is_empty() {
            (self.notify)(Notice::Skipped(&format!(
                "{}: {} takes effect at the next start",
                new.path.display(),
                later.join(", ")
            )));
        }
        self.board.set_sinks(parts(&new, &self.sent()), self.spool.clone());
        self.config = new;
        outcome
    }

    /// The committed state, with what the reload has changed so far.
    fn state(&mut self) -> Result<CheckpointState> {
        let gone = || Error::usage("shutting down");
        let starter = self.starter.as_ref().ok_or_else(gone)?;
        let (send, state) = mpsc::channel();
        starter.committer.send(Message::State(send)).map_err(|_| gone())?;
        let since = Stopwatch::start();
        while since.elapsed() < ANSWER {
            match state.try_recv() {
                Ok(state) => return Ok(state),
                Err(TryRecvError::Empty) => self.wait(),
                Err(TryRecvError::Disconnected) => return Err(gone()),
            }
        }
        Err(Error::timed_out("the state can't be written"))
    }

    fn reload_inputs(&mut self, new: &Config, changes: &Tables) -> Result<()> {
        // Inputs that ended by themselves start again, too.
        let failed = self.runners.iter().filter(|it| !it.watch.is_up());
        let failed: Vec<String> = failed.map(|it| it.watch.name().to_string()).collect();
        let changed = changes.changed.iter().map(|it| &it.name);
        let ends: Vec<&String> = changes.removed.iter().chain(changed).chain(&failed).collect();
        self.end(&ends);
        for name in self.leaving.iter().map(|it| it.watch.name()) {
            if new.active_inputs().any(|input| *input.name == **name) {
                (self.notify)(Notice::Skipped(&format!(
                    "input “{name}”: what it has read can't be delivered now; its new settings \
                     take effect when it is"
                )));
            }
        }
        self.begin(new)
    }

    /// Begins all inputs of a configuration that are not running: new ones, and those that could
    /// not begin before. One whose former self has not ended waits for that: they would read the
    /// same twice.
    ///
    /// # Errors
    ///
    /// When one can't be opened, after all others were.
    pub(super) fn begin(&mut self, config: &Config) -> Result<()> {
        let all = || self.runners.iter().chain(&self.leaving);
        let runs = |name: &str| all().any(|it| **it.watch.name() == *name);
        let begin: Vec<_> = config.active_inputs().filter(|it| !runs(&it.name)).collect();
        if begin.is_empty() {
            return Ok(());
        }
        // Where those that ended are now.
        let state = self.state()?;
        let mut outcome = Ok(());
        for input in begin {
            let started = inputs::open(input, &state, &mut self.activated, &self.with)
                .and_then(|opened| opened.map(|opened| self.start(opened)).transpose());
            match (started, &self.starter) {
                (Ok(Some(member)), Some(starter)) => {
                    // If the committer is gone, it has ended already.
                    let _ = starter.committer.send(Message::Joined(member));
                }
                (Ok(_), _) => {}
                (Err(error), _) => {
                    self.board.set_unopened(&input.name, Some(&error));
                    outcome = outcome.and(Err(error));
                    continue;
                }
            }
            self.board.set_unopened(&input.name, None);
        }
        outcome
    }

    fn reload_sinks(&mut self, new: &Config, changes: &Changes) -> Result<()> {
        let tables = &changes.sinks;
        let is_new = |name: &str| {
            tables.added.iter().any(|it| it == name)
                || tables.changed.iter().any(|it| it.name == name)
        };
        // Open first: if this fails, everything stays as it was.
        let mut seeds: Vec<Seed> = Vec::new();
        let mut kept: Vec<KeptFile> = Vec::new();
        let (state, folder) = (self.state()?, self.config.daemon_state());
        for sink in new.active_sinks().filter(|sink| is_new(&sink.name)) {
            match &sink.kind {
                // This process already holds its lock, whatever the sink was called before.
                SinkKind::File(file) if self.has_file(&file.path) => kept.push(KeptFile {
                    path: file.path.clone(),
                    name: sink.name.clone(),
                    encoder: Encoder::new(file.format),
                    rotator: outlets::rotator(file)?,
                }),
                _ => seeds.extend(outlets::local(sink, &state, &folder, self.notify)?),
            }
        }
        let names = new.active_sinks().map(|sink| sink.name.clone());
        let same: Vec<String> = names.filter(|name| !is_new(name)).collect();
        self.reload_outlets(new, &is_new)?;
        for sent in self.sent().iter() {
            sent.renew();
        }
        let filters: Vec<_> =
            new.active_sinks().map(|it| (it.name.clone(), sinks::filter(it))).collect();
        // From here on nothing fails: new sinks are counted under their names.
        self.board.reconfigure(new);
        let (rules, metrics) = (rules(new, self.service.no_suppress), self.board.metrics());
        let parts = Parts {
            suppressor: rules.clone().map(|rules| Suppressor::new(rules).recorded()),
            home: HomeNetworks::new(new.suppress.home.clone()),
            spool: self.spool.clone(),
            formats: outlets::formats(new),
            has_archive: new.active_sinks().any(|sink| sink.suppressed),
        };
        let halt = self.starter.as_ref().map(|it| it.halt.clone()).unwrap_or_default();
        let change = move |out: &mut JobOutput<'_>| {
            if let Route::Relay(relay) = &mut out.route {
                relay.change(parts, rules, &metrics, &mut out.locals);
            }
            // Write what they hold before they are removed.
            let _ = out.flush();
            part(out, kept, &same);
            out.locals.extend(seeds.into_iter().map(|seed| {
                let mut local = seed.grow(&halt);
                local.begin();
                local
            }));
            relay::count_by(&metrics, &mut out.locals);
            out.failures.keep(&out.locals);
            for local in &mut out.locals {
                if let Some((_, filter)) = filters.iter().find(|(name, _)| *name == local.name) {
                    local.filter = filter.clone();
                }
            }
        };
        if let Some(starter) = &self.starter {
            // If the committer is gone, it has ended already.
            let _ = starter.committer.send(Message::Change(Box::new(change)));
        }
        Ok(())
    }

    /// Whether a sink writes to a file now.
    fn has_file(&self, path: &Path) -> bool {
        let is_it = |kind: &SinkKind| matches!(kind, SinkKind::File(file) if file.path == path);
        self.config.active_sinks().any(|sink| is_it(&sink.kind))
    }

    /// Ends the threads of sinks that changed or were removed, and starts those of the new ones: a
    /// changed sink resumes at its old place in the spool.
    fn reload_outlets(&mut self, new: &Config, is_new: &dyn Fn(&str) -> bool) -> Result<()> {
        let is_there = |name: &str| {
            new.active_sinks().any(|sink| sink.name == name && sink.delivery().is_some())
        };
        // Create all of the new ones first: if one of them can't be, the old ones go on.
        let begin: Vec<&Sink> = new
            .active_sinks()
            .filter(|it| it.delivery().is_some())
            .filter(|it| is_new(&it.name) || self.sent().iter().all(|own| own.name != it.name))
            .collect();
        let host = host(new);
        let made = begin.into_iter().map(|sink| outlets::sending(sink, new, &host));
        let made: Vec<Sending> = made.filter_map(Result::transpose).collect::<Result<_>>()?;
        let size = self.config.daemon.spool_size;
        if self.spool.is_none() && !made.is_empty() {
            let none: [(String, spool::Sink); 0] = [];
            let limits = Limits { max_bytes: size, ..Limits::default() };
            self.spool = Some(Spool::open(&spool_folder(&self.config), limits, none)?.0);
        }
        let mut all = self.sent();
        let (stay, go): (Vec<Sent>, Vec<Sent>) = std::mem::take(&mut *all)
            .into_iter()
            .partition(|it| is_there(&it.name) && !is_new(&it.name));
        *all = stay;
        let gone: Vec<String> =
            go.iter().filter(|it| !is_there(&it.name)).map(|it| it.name.clone()).collect();
        // A receiver that hangs may take longer than the watchdog waits.
        let drain = self.config.daemon.drain;
        let ending = Builder::new().name("ending sinks".into());
        let ending = ending
            .spawn(move || outlets::finish(go, drain))
            .map_err(|e| Error::io("start a thread", e))?;
        while !ending.is_finished() {
            self.wait();
        }
        let Some(spool) = &self.spool else { return Ok(()) };
        gone.iter().for_each(|name| spool.forget(name));
        if new.active_sinks().all(|sink| sink.delivery().is_none()) {
            // Without a reader it would only fill up, and inputs would wait for room.
            self.spool = None;
            return Ok(());
        }
        for sending in made {
            let name = sending.name();
            let is_known = spool.cursors().contains_key(name);
            let cursor = is_known.then(|| spool.cursor(name));
            // A new sink begins with what arrives from now on.
            let cursor = Some(cursor.unwrap_or_else(|| spool.end()));
            let of = sinks::spool_sink(sending.sink(), size);
            spool.add(name, spool::Sink { cursor, ..of });
            all.push(sending.start(spool, new)?);
        }
        Ok(())
    }
}
