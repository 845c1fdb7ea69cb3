//! Where alerts go, and what a commit needs to know about it.

use super::member::Member;
#[cfg(feature = "daemon")]
use super::relay::Relay;
#[cfg(feature = "daemon")]
use crate::Error;
use crate::Result;
use crate::clock::now;
use crate::engine::alert::{Alert, Encoder};
use crate::sensor::checkpoint::{AlertFile, Commit, Output, Unsynced};
#[cfg(feature = "daemon")]
use crate::sensor::metrics::Counter;
#[cfg(feature = "daemon")]
use crate::sensor::outlet::Filter;
use crate::sensor::run::outlet::{Outlet, Totals};
#[cfg(feature = "daemon")]
use crate::sensor::sink::Rotator;
use crate::sensor::sink::{Records, Sink};
#[cfg(feature = "daemon")]
use crate::sensor::spool::Spool;
#[cfg(feature = "daemon")]
use std::collections::BTreeMap;
#[cfg(feature = "daemon")]
use std::path::{Path, PathBuf};
#[cfg(feature = "daemon")]
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where alerts are written.
pub(in crate::sensor::run) enum Target<'s> {
    /// A file whose length is part of each commit.
    File(Box<AlertFile>),
    /// Anything else: what was written before a crash may be written again.
    Sink(&'s mut dyn Sink),
    /// The same, for the sole user of the sink, with the path that it was opened by.
    #[cfg(feature = "daemon")]
    Own(Box<dyn Sink + Send>, Option<PathBuf>),
}

impl<'s> Target<'s> {
    fn sink(&mut self) -> Option<&mut (dyn Sink + 's)> {
        match self {
            Target::File(_) => None,
            Target::Sink(sink) => Some(&mut **sink),
            #[cfg(feature = "daemon")]
            Target::Own(sink, _) => Some(&mut **sink),
        }
    }

    /// The path that it was opened by, if any.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) fn path(&self) -> Option<&Path> {
        match self {
            Target::File(file) => Some(file.path()),
            Target::Own(_, path) => path.as_deref(),
            Target::Sink(_) => None,
        }
    }

    fn waiting(&self) -> u64 {
        match self {
            Target::File(_) => 0,
            Target::Sink(sink) => sink.waiting(),
            #[cfg(feature = "daemon")]
            Target::Own(sink, _) => sink.waiting(),
        }
    }
}

/// A local destination of alerts, with the records it could not take yet.
pub(in crate::sensor::run) struct Local<'s> {
    pub(in crate::sensor::run) target: Target<'s>,
    pub(in crate::sensor::run) encoder: Encoder,
    held: Records,
    /// Where the records of the present piece begin in `held`.
    #[cfg(feature = "daemon")]
    mark: usize,
    /// Records of a piece that found no room in the spool: they are written when it has room for
    /// the rest of the piece, so that committed lengths never include a piece that is read again.
    #[cfg(feature = "daemon")]
    parked: Records,
    /// The sink's name, and which alerts it gets.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) name: String,
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) filter: Filter,
    /// The number of records written.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) written: Counter,
    /// When its file is rotated.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) rotator: Option<Rotator>,
    /// Whether the committed file has to be rotated now.
    #[cfg(feature = "daemon")]
    is_due: bool,
}

impl<'s> Local<'s> {
    pub(in crate::sensor::run) fn new(target: Target<'s>, encoder: Encoder) -> Self {
        Local {
            target,
            encoder,
            held: Records::default(),
            #[cfg(feature = "daemon")]
            mark: 0,
            #[cfg(feature = "daemon")]
            parked: Records::default(),
            #[cfg(feature = "daemon")]
            name: String::new(),
            #[cfg(feature = "daemon")]
            filter: Filter::default(),
            #[cfg(feature = "daemon")]
            written: Counter::default(),
            #[cfg(feature = "daemon")]
            rotator: None,
            #[cfg(feature = "daemon")]
            is_due: false,
        }
    }

    /// Adds an encoded record.
    #[cfg(feature = "daemon")]
    pub(super) fn add(&mut self, record: &[u8]) {
        self.held.record(|bytes| bytes.extend_from_slice(record));
    }

    /// Writes what a format has at the beginning of a file, if the file is empty.
    pub(in crate::sensor::run) fn begin(&mut self) {
        let is_new = match &self.target {
            Target::File(file) => file.is_empty(),
            _ => true,
        };
        if is_new {
            let encoder = &self.encoder;
            self.held.frame(|bytes| encoder.begin(now(), bytes));
        }
    }

    /// Writes what a format has at the end. A file that the next run appends to gets none.
    pub(super) fn end(&mut self) {
        if !matches!(self.target, Target::File(_)) {
            let encoder = &self.encoder;
            self.held.frame(|bytes| encoder.end(now(), bytes));
        }
    }

    /// Writes everything, also what waits for room in the spool: the destination is removed.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) fn write_all(&mut self) -> Result<()> {
        self.held.append(&mut self.parked);
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        match &mut self.target {
            Target::File(file) => file.append(self.held.bytes())?,
            other => {
                if let Some(sink) = other.sink() {
                    sink.write(&self.held).and_then(|()| sink.flush())?;
                }
            }
        }
        #[cfg(feature = "daemon")]
        self.written.add(self.held.count());
        self.held.clear();
        Ok(())
    }

    /// Makes what was passed on safe, because the destination is removed; returns what the commit has
    /// to record. Its end may not be readable.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) fn release(&mut self) -> Option<Output> {
        match &mut self.target {
            Target::File(file) => file.release().ok(),
            _ => None,
        }
    }

    fn is_moved(&mut self) -> bool {
        let Target::File(file) = &self.target else { return false };
        #[cfg(feature = "daemon")]
        {
            self.is_due = self.rotator.as_ref().is_some_and(|rotator| rotator.is_due(now()));
            if self.is_due {
                return true;
            }
        }
        file.is_rotated()
    }

    fn turn(&mut self) -> Result<()> {
        let Target::File(file) = &mut self.target else { return Ok(()) };
        #[cfg(feature = "daemon")]
        if let (Some(rotator), true) = (&mut self.rotator, std::mem::take(&mut self.is_due)) {
            rotator.rotate(now(), || file.reopen().map(drop))?;
        }
        if file.is_rotated() {
            file.reopen()?;
        }
        if file.is_empty() {
            let mut begin = Records::default();
            begin.frame(|bytes| self.encoder.begin(now(), bytes));
            begin.append(&mut self.held);
            self.held = begin;
        }
        Ok(())
    }

    fn take_notice(&mut self) -> Option<String> {
        match &mut self.target {
            Target::File(file) => file.take_notice(),
            _ => None,
        }
    }

    fn reopen(&mut self) -> Result<bool> {
        let Some(sink) = self.target.sink() else { return Ok(false) };
        let (mut end, mut begin) = (Vec::new(), Vec::new());
        self.encoder.end(now(), &mut end);
        self.encoder.begin(now(), &mut begin);
        sink.reopen(&end, &begin)
    }
}

/// How alerts get to their destinations.
pub(in crate::sensor::run) enum Route {
    /// Wanted alerts are written to all destinations.
    Outlet(Box<Outlet>),
    /// Repeats are held back; the rest goes to the sinks whose filters accept it, and to the spool.
    #[cfg(feature = "daemon")]
    Relay(Box<Relay>),
}

/// The content of a commit, and what has to be on disk before it.
#[derive(Default)]
pub(in crate::sensor::run) struct Sealed {
    pub(in crate::sensor::run) commit: Commit,
    files: Vec<Unsynced>,
    #[cfg(feature = "daemon")]
    spool: Option<Spool>,
}

impl Sealed {
    /// Makes it the last commit of the process: nothing more is written to the files.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) fn end(&mut self) {
        self.files = std::mem::take(&mut self.files).into_iter().map(Unsynced::last).collect();
    }

    /// Leaves out everything but how far sinks have got: pieces whose alerts could not be written
    /// everywhere are read again, and so are the others since then.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) fn only_cursors(&mut self) {
        self.files.clear();
        let cursors = std::mem::take(&mut self.commit.cursors);
        self.commit = Commit { cursors, ..Commit::default() };
    }

    /// Makes what was passed on safe, and adds it to the commit.
    ///
    /// # Errors
    ///
    /// If a disk fails. It can be retried.
    pub(in crate::sensor::run) fn sync(&mut self) -> Result<()> {
        let outputs: Vec<Output> = self.files.iter().map(Unsynced::sync).collect::<Result<_>>()?;
        #[cfg(feature = "daemon")]
        if let Some(spool) = &self.spool {
            spool.sync()?;
            self.spool = None;
        }
        self.files.clear();
        // Files that sinks no longer use come last.
        self.commit.outputs.splice(0..0, outputs);
        Ok(())
    }
}

/// The output of a job.
pub(in crate::sensor::run) struct JobOutput<'s> {
    pub(in crate::sensor::run) route: Route,
    pub(in crate::sensor::run) locals: Vec<Local<'s>>,
    /// The total number of wanted records.
    pub(in crate::sensor::run) records: u64,
    /// Files of removed sinks, to be recorded in the next commit: a sink that comes back resumes
    /// there.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) parted: Vec<Output>,
    /// Which destinations fail, for the status.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) failures: Failures,
    /// Whether records that waited for the spool are no longer waiting.
    #[cfg(feature = "daemon")]
    is_released: bool,
}

impl<'s> JobOutput<'s> {
    pub(in crate::sensor::run) fn new(route: Route, locals: Vec<Local<'s>>) -> Self {
        JobOutput {
            route,
            locals,
            records: 0,
            #[cfg(feature = "daemon")]
            parted: Vec::new(),
            #[cfg(feature = "daemon")]
            failures: Failures::default(),
            #[cfg(feature = "daemon")]
            is_released: false,
        }
    }

    /// Begins a piece.
    #[cfg(feature = "daemon")]
    pub(super) fn begin_piece(&mut self) {
        self.locals.iter_mut().for_each(|local| local.mark = local.held.mark());
    }

    /// Ends a piece that can be read again, or summaries of repeats, which can be made again. If the
    /// spool has no room for all of it, its records wait, and this returns `true`.
    #[cfg(feature = "daemon")]
    pub(super) fn end_piece(&mut self) -> bool {
        if !self.is_behind() {
            return false;
        }
        for local in &mut self.locals {
            local.parked.append(&mut local.held.split_off(local.mark));
        }
        true
    }

    /// What to report when inputs begin to wait for room in the spool, or no longer do.
    #[cfg(feature = "daemon")]
    pub(super) fn room_text(&self, is_full: bool) -> String {
        let largest = match &self.route {
            Route::Relay(relay) => relay.backlogs().into_iter().max_by_key(|(_, bytes)| *bytes),
            Route::Outlet(_) => None,
        };
        match (is_full, largest) {
            (false, _) => "the spool has room again: inputs that waited are read again".to_string(),
            (true, Some((sink, bytes))) => format!(
                "the spool is full: inputs that can wait are not read until it has room (sink \
                 “{sink}” has {bytes} bytes to receive)"
            ),
            (true, None) => "the spool has no room on its disk: inputs that can wait are not read \
                             until it has"
                .to_string(),
        }
    }

    /// Whether the spool has had room for what waited since the last call: it can be committed now.
    #[cfg(feature = "daemon")]
    pub(super) fn take_released(&mut self) -> bool {
        std::mem::take(&mut self.is_released)
    }

    /// Whether a destination has not taken records yet.
    #[cfg(feature = "daemon")]
    pub(super) fn has_unwritten(&self) -> bool {
        self.locals.iter().any(|local| local.held.count() > 0)
    }

    /// Writes what formats have at the beginning of a file.
    pub(in crate::sensor::run) fn begin(&mut self) {
        self.locals.iter_mut().for_each(Local::begin);
    }

    /// Ends the output: no more alerts will come.
    pub(super) fn end(&mut self) {
        #[cfg(feature = "daemon")]
        {
            self.begin_piece();
            if let Route::Relay(relay) = &mut self.route {
                relay.end(&mut self.locals);
            }
            self.end_piece();
        }
        self.locals.iter_mut().for_each(Local::end);
    }

    /// Takes an alert; returns whether any record of it has to be written. `from` is the source of
    /// the alert.
    pub(super) fn take(&mut self, alert: &Alert<'_>, from: &Member) -> bool {
        let is_wanted = match &mut self.route {
            Route::Outlet(outlet) => {
                let mut is_wanted = false;
                for local in &mut self.locals {
                    is_wanted |= local.held.record(|bytes| outlet.take(alert, bytes));
                }
                is_wanted
            }
            #[cfg(feature = "daemon")]
            Route::Relay(relay) => return relay.take(alert, from, &mut self.locals),
        };
        let _ = from;
        self.records += u64::from(is_wanted);
        is_wanted
    }

    /// Does periodic work: ends windows of suppression. Returns whether there is anything to
    /// commit.
    pub(super) fn round(&mut self) -> Due {
        match &mut self.route {
            Route::Outlet(_) => Due::Nothing,
            #[cfg(feature = "daemon")]
            Route::Relay(relay) => {
                self.locals.iter_mut().for_each(|local| local.mark = local.held.mark());
                let due = relay.round(&mut self.locals);
                self.end_piece();
                due
            }
        }
    }

    /// Whether inputs that can wait have to wait.
    pub(super) fn is_full(&self) -> bool {
        match &self.route {
            Route::Outlet(_) => false,
            #[cfg(feature = "daemon")]
            Route::Relay(relay) => relay.is_full(),
        }
    }

    /// Whether records from inputs that can wait are still waiting, so that no commit may count
    /// them as done.
    pub(super) fn is_behind(&self) -> bool {
        match &self.route {
            Route::Outlet(_) => false,
            #[cfg(feature = "daemon")]
            Route::Relay(relay) => relay.is_behind(),
        }
    }

    /// Passes on what was encoded. What can't be passed on is kept, and comes first next time.
    pub(in crate::sensor::run) fn flush(&mut self) -> Result<()> {
        // A failing destination must not hold up the others.
        let mut outcome = Ok(());
        #[cfg(feature = "daemon")]
        if let Route::Relay(relay) = &mut self.route {
            let was_behind = relay.is_behind();
            outcome = relay.flush();
            self.failures.set(SPOOL, outcome.as_ref().err());
            if was_behind && !relay.is_behind() {
                self.is_released = true;
                for local in &mut self.locals {
                    local.held.append(&mut local.parked);
                }
            }
        }
        for local in &mut self.locals {
            let flushed = local.flush();
            #[cfg(feature = "daemon")]
            self.failures.set(&local.name, flushed.as_ref().err());
            outcome = outcome.and(flushed);
        }
        outcome
    }

    /// What operators should know about the files.
    pub(super) fn take_notices(&mut self) -> Vec<String> {
        self.locals.iter_mut().filter_map(Local::take_notice).collect()
    }

    /// What was passed on up to now, for a commit.
    pub(in crate::sensor::run) fn seal(&mut self) -> Result<Sealed> {
        let mut sealed = Sealed::default();
        for local in &mut self.locals {
            if let Target::File(file) = &mut local.target {
                sealed.files.push(file.appended()?);
            }
        }
        #[cfg(feature = "daemon")]
        {
            if let Route::Relay(relay) = &mut self.route {
                sealed.spool = relay.seal(&mut sealed.commit);
            }
            sealed.commit.outputs.append(&mut self.parted);
        }
        Ok(sealed)
    }

    /// Whether alerts also go where they can't be taken back after a crash.
    pub(super) fn leaves(&self) -> bool {
        let is_left = |local: &Local<'_>| !matches!(local.target, Target::File(_));
        self.locals.iter().any(is_left)
            || match &self.route {
                Route::Outlet(_) => false,
                #[cfg(feature = "daemon")]
                Route::Relay(relay) => relay.has_spool(),
            }
    }

    /// Whether the path of a file now leads to another file, or should, so that
    /// [`turn`](Self::turn) is due.
    pub(super) fn is_moved(&mut self) -> bool {
        self.locals.iter_mut().fold(false, |is_moved, local| local.is_moved() | is_moved)
    }

    /// Switches to the files that the paths lead to. Everything in the old files must be committed
    /// before, and the new ones must be committed before anything is written to them.
    pub(super) fn turn(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        for local in &mut self.locals {
            outcome = outcome.and(local.turn());
        }
        outcome
    }

    /// Reopens outputs without commits by name, if the name now leads to another file.
    pub(super) fn reopen(&mut self) -> Result<bool> {
        let mut is_reopened = false;
        for local in &mut self.locals {
            is_reopened |= local.reopen()?;
        }
        Ok(is_reopened)
    }

    /// Records that were encoded but not passed on.
    pub(super) fn waiting(&self) -> u64 {
        self.locals.iter().map(|local| local.held.count() + local.target.waiting()).sum()
    }

    pub(in crate::sensor::run) fn into_totals(self) -> Totals {
        match self.route {
            Route::Outlet(outlet) => outlet.into_totals(),
            #[cfg(feature = "daemon")]
            Route::Relay(_) => Totals::default(),
        }
    }
}

/// What a round found that has to be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sensor::run) enum Due {
    /// Nothing.
    Nothing,
    /// Progress that can be repeated.
    #[cfg(feature = "daemon")]
    Progress,
    /// Alerts.
    #[cfg(feature = "daemon")]
    Alerts,
}

/// What the spool and the state are called among destinations that fail: no sink has such a name.
#[cfg(feature = "daemon")]
const SPOOL: &str = "the spool";
#[cfg(feature = "daemon")]
pub(super) const STATE: &str = "the state";

/// Why destinations fail, by the name of the sink. Clones share it.
#[cfg(feature = "daemon")]
#[derive(Clone, Default)]
pub(in crate::sensor::run) struct Failures(Arc<Mutex<BTreeMap<String, String>>>);

#[cfg(feature = "daemon")]
impl Failures {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a destination fails, or works again.
    pub(super) fn set(&self, name: &str, error: Option<&Error>) {
        let mut all = self.all();
        match error {
            Some(error) => drop(all.insert(name.to_string(), error.to_string())),
            None => drop(all.remove(name)),
        }
    }

    /// Forgets destinations that no longer exist.
    pub(in crate::sensor::run) fn keep(&self, locals: &[Local<'_>]) {
        self.all().retain(|name, _| {
            [SPOOL, STATE].contains(&&**name) || locals.iter().any(|local| local.name == *name)
        });
    }

    /// Why a destination fails, if it does.
    pub(in crate::sensor::run) fn of(&self, name: &str) -> Option<String> {
        self.all().get(name).cloned()
    }

    /// Whether nothing fails.
    pub(in crate::sensor::run) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }
}
