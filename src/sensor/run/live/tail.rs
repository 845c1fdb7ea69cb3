//! The job that follows logs.

use super::committer::{self, Committed, Committer, Ended};
use super::logs::FollowedLogs;
use super::member::Member;
use super::output::{JobOutput, Local, Route, Target};
use super::pool::{Settings, Shared, start_workers};
use super::queue::{QUEUE, Queue};
use super::source::{self, Ends, Reading};
use crate::clock::Stopwatch;
use crate::sensor::checkpoint::{AlertFile, CheckpointState, Commit, Opened, StateDir};
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::{Tail, TailOptions};
use crate::sensor::run::outlet::Outlet;
use crate::sensor::run::reload::{Look, while_watched};
use crate::sensor::run::{
    Current, Form, Job, Notice, Notify, Output, Report, default_threads, rotation,
};
use crate::sensor::sink::Sink;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

/// What is followed, and where progress is stored.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// The logs, and how they are followed.
    pub options: TailOptions,
    /// The folder that stores the progress; `None` to store nothing.
    pub state: Option<PathBuf>,
    /// Whether to forget what the folder remembers, or to start over in one that can't be used.
    pub reset: bool,
    /// Whether to end once everything that exists was read, without waiting for more.
    pub once: bool,
}

/// Where alerts go.
pub enum TailOutput<'s> {
    /// A file. With a state folder, every line's alerts are in it exactly once, whatever happens to
    /// the process: its length is part of each commit.
    File(&'s Path),
    /// Anything else. After a crash, what was written since the last commit is written again, with
    /// the same identifiers.
    Sink(&'s mut dyn Sink),
}

/// Follows logs through rotation of any kind, and writes alerts as the lines come, until a signal
/// ends it.
///
/// [`Output::max_alerts`] and [`Output::form`] are for inputs that end, and have no effect here.
///
/// # Errors
///
/// If the work cannot begin: a pattern is invalid, the state is unusable or in use by another
/// process, or the output can't be opened. Later failures go to `notify` and are retried; an output
/// that is permanently gone is in the report.
pub fn tail(job: Job<'_>, logs: Logs, place: TailOutput<'_>, notify: Notify<'_>) -> Result<Report> {
    let started = Stopwatch::start();
    job.signals.watch(None)?;
    let hangup = job.rotated.as_ref().map(|_| rotation::hangup()).transpose()?;
    let (mut state, saved) = match &logs.state {
        Some(path) => opened(path, logs.reset)?,
        None => (None, Arc::default()),
    };
    let target = match place {
        TailOutput::File(path) => {
            let (mut file, resumed) = match &logs.state {
                Some(folder) => AlertFile::open_noted(path, &saved, folder)?,
                None => AlertFile::open(path, &saved)?,
            };
            if let Some(notice) = resumed.notice() {
                notify(Notice::Skipped(&format!("{}: {notice}", path.display())));
            }
            // Commit before the file contains the first alert: the next start has to know what a
            // crash left in it.
            if let Some(state) = &mut state {
                let outputs = vec![file.sync()?];
                state.commit(&Commit { outputs, ..Commit::default() })?;
            }
            Target::File(Box::new(file))
        }
        TailOutput::Sink(sink) => Target::Sink(sink),
    };
    let tail = Tail::open(logs.options, saved.files.values().cloned().collect())?;
    drop(saved);
    let encoder = job.output.encoder;
    let output = Output { max_alerts: None, form: Form::Alerts, ..job.output };
    let mut out = JobOutput::new(
        Route::Outlet(Box::new(Outlet::new(output))),
        vec![Local::new(target, encoder)],
    );
    out.begin();
    let threads = if job.threads == 0 { default_threads() } else { job.threads };
    let mut followed = FollowedLogs::new(tail, logs.once);
    let halt = job.signals.halt();
    let (current, settings) = (job.database, Settings::new(job.options));
    let report = |look: Look| notify(look.notice());
    let work = || {
        let run = Run { threads, current, settings: &settings, halt: &halt, notify };
        run.run_threads(out, state, &mut followed, hangup.as_deref())
    };
    let Ended { came, out, .. } = while_watched(current, job.follow, report, work)??;
    let result = out.into_totals();
    let Committed { bytes, lines, records, errors, counters, lost, stopped } = came;
    let mut report =
        Report { bytes, lines, records, errors, stopped, counters, result, ..Report::default() };
    report.output.lost = lost;
    report.elapsed = started.elapsed();
    report.swaps = current.swaps();
    report.inputs = followed.counters().files as u64;
    Ok(report)
}

/// Opens the folder that stores the progress.
fn opened(path: &Path, reset: bool) -> Result<(Option<StateDir>, Arc<CheckpointState>)> {
    if reset {
        StateDir::reset(path)?;
    }
    let (dir, Opened { state, .. }) = StateDir::open(path)?;
    Ok((Some(dir), state))
}

/// What the threads work with.
struct Run<'r> {
    threads: usize,
    current: &'r Current,
    settings: &'r Settings,
    halt: &'r Halt,
    notify: Notify<'r>,
}

impl Run<'_> {
    /// Starts all threads; the calling thread commits.
    fn run_threads<'s>(
        self,
        out: JobOutput<'s>,
        state: Option<StateDir>,
        followed: &mut FollowedLogs,
        hangup: Option<&AtomicBool>,
    ) -> Result<Ended<'s>> {
        let Run { threads, current, settings, halt, notify } = self;
        let (committer, messages) = mpsc::sync_channel(2 * threads + QUEUE);
        let (command_sender, commands) = mpsc::channel();
        let paused = Arc::new(AtomicBool::new(false));
        let name = Arc::from("files");
        let member = Member {
            name,
            can_wait: true,
            is_followed: true,
            commands: command_sender,
            paused: Arc::clone(&paused),
        };
        let ends =
            Ends { number: 0, committer: committer.clone(), commands, halt: halt.clone(), paused };
        let queue = Queue::new(threads);
        let shared = Shared { current, settings, queue: &queue, busy: &|_, _| {} };
        let (producer, reading) = (queue.producer(), Reading::new(Box::new(followed), ends));
        let commits = Committer {
            out,
            state,
            messages,
            members: vec![member],
            is_open: false,
            notify,
            halt,
            hangup,
            counted: &|_, _| {},
        };
        std::thread::scope(|scope| {
            start_workers(scope, threads, &shared, &committer)?;
            drop(committer);
            let read = || {
                let _producer = producer;
                source::run(reading, &queue);
            };
            std::thread::Builder::new()
                .name("follow-0".into())
                .spawn_scoped(scope, read)
                .map_err(|e| Error::io("start a thread", e))?;
            Ok(committer::run(commits))
        })
    }
}
