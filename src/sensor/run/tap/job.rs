//! The job of a tap: sockets, workers, and their supervisor.

use super::super::outlet::Outlet;
use super::super::reload::{Look, while_watched};
use super::super::{
    Form, InterfaceReport, Job, Notice, Notify, Output, Report, Signals, default_threads, rotation,
};
use super::outbox::{FinishAtEnd, Outbox, Writer, WriterMessage};
use super::sandbox;
use super::socket::{self, Listening, Names, Socket};
use super::worker::{Command, PacketBudget, Shared, Worker, WorkerMessage};
use crate::clock::Stopwatch;
use crate::sensor::sink::Sink;
use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the supervisor runs.
const ROUND: Duration = Duration::from_millis(50);

/// How often interfaces are checked: whether they still exist, or exist again.
const LOOKING: Duration = Duration::from_millis(250);

/// The maximum number of workers: a group of sockets has no more members (`PACKET_FANOUT_MAX` of
/// old kernels).
const MAX_WORKERS: usize = 256;

/// What a tap listens to, and for how long.
#[derive(Clone, Debug, Default)]
pub struct Listen {
    /// Names of interfaces; `any` means all of them.
    pub interfaces: Vec<String>,
    /// How to listen to them.
    pub listening: Listening,
    /// How long to listen.
    pub duration: Option<Duration>,
    /// After how many packets to end.
    pub count: Option<u64>,
    /// How often to report.
    pub every: Option<Duration>,
    /// Whether to drop the privileges that are not needed.
    pub sandboxed: bool,
}

/// Matches the packets of live interfaces against the database and writes the alerts, until a
/// signal ends it, or the duration or the packet count is reached.
///
/// Alerts about addresses don't wait for the end of their flow: they carry its totals up to the
/// packet that was seen. [`Output::max_alerts`] and [`Output::form`] are for inputs that end, and have no
/// effect here.
///
/// # Errors
///
/// If an interface can't be opened at the beginning, or the reader of the output went away. Other
/// output failures are retried.
pub fn tap(
    job: Job<'_>,
    listen: Listen,
    sink: &mut dyn Sink,
    notify: Notify<'_>,
) -> Result<Report> {
    let workers = if job.threads == 0 { default_threads() } else { job.threads };
    if workers > MAX_WORKERS {
        return Err(Error::usage(format!("{workers} workers are too many for one interface"))
            .remedy(format!("the limit is {MAX_WORKERS}: use -j {MAX_WORKERS} or less")));
    }
    let hangup = job.rotated.as_ref().map(|_| rotation::hangup()).transpose()?;
    let names = Names::new()?;
    let (interfaces, sockets) = open_all(&listen, workers, &names, notify)?;
    if listen.sandboxed {
        let database = job.follow.as_ref().map(|follow| &*follow.path);
        notify(Notice::Sandboxed(&sandbox::enter(database, job.rotated.as_deref())));
    }
    job.signals.watch(None)?;
    let outbox = Outbox::default();
    let encoder = job.output.encoder;
    let output = Output { max_alerts: None, form: Form::Alerts, ..job.output };
    let shared = Shared {
        current: job.database,
        options: job.options,
        packets: job.packets,
        flows: (workers > 1).then(Arc::default),
        encoder,
        outlet: output.needs_order().then(|| Mutex::new(Outlet::new(output))),
        interfaces: interfaces.iter().map(|interface| Arc::clone(&interface.name)).collect(),
        workers,
        ring: listen.listening.ring,
        outbox: &outbox,
        stop: AtomicBool::new(listen.count == Some(0)),
        budget: listen.count.map(PacketBudget::new),
        publish_interval: listen.every.map(|every| every.min(LOOKING)),
        published: (0..workers).map(|_| Mutex::default()).collect(),
    };
    let (look, looks) = mpsc::channel();
    let (sender, outputs) = mpsc::channel();
    let writer = Writer::new(&outbox, sink, &shared.encoder, hangup, sender);
    let supervisor = Supervisor {
        shared: &shared,
        looks,
        outputs,
        names,
        interfaces,
        listening: listen.listening,
        commands: Vec::new(),
        started: Stopwatch::start(),
        duration: listen.duration,
        every: listen.every,
        signals: job.signals,
        notify,
    };
    // If the supervisor has ended, nobody receives the results of looks.
    let report = move |it: Look| drop(look.send(it));
    let work = || supervisor.run(sockets);
    let work = || while_watched(shared.current, job.follow, report, work)?;
    let mut report = while_written(&outbox, writer, &shared.stop, work)?;
    report.output = outbox.report();
    report.records = report.records.saturating_sub(report.output.lost);
    if let Some(outlet) = shared.outlet {
        report.result = outlet.into_inner().unwrap_or_else(PoisonError::into_inner).into_totals();
    }
    Ok(report)
}

/// Runs `work` while its records are written.
fn while_written<T>(
    outbox: &Outbox,
    writer: Writer<'_>,
    stop: &AtomicBool,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let write = || {
        let written = writer.run();
        if written.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        written
    };
    std::thread::scope(|scope| {
        let spawned =
            std::thread::Builder::new().name("tap-output".into()).spawn_scoped(scope, write);
        let writer = spawned.map_err(|e| Error::io("start a thread that writes", e))?;
        let finish = FinishAtEnd(outbox);
        let outcome = work();
        drop(finish);
        match writer.join() {
            Ok(written) => written.and(outcome),
            Err(panicked) => std::panic::resume_unwind(panicked),
        }
    })
}

/// Opens every interface for every worker.
fn open_all(
    listen: &Listen,
    workers: usize,
    names: &Names,
    notify: Notify<'_>,
) -> Result<(Vec<Interface>, Vec<Vec<Socket>>)> {
    let mut interfaces = Vec::new();
    let mut sockets: Vec<Vec<Socket>> = (0..workers).map(|_| Vec::new()).collect();
    for name in &listen.interfaces {
        if !sandbox::may_listen() {
            return Err(socket::no_permission(name));
        }
        let opened = socket::open(name, names, &listen.listening, workers)?;
        for (worker, socket) in sockets.iter_mut().zip(opened) {
            worker.push(socket);
        }
        notify(Notice::Listening { interface: name, workers });
        let index = names.index(name);
        let name = Arc::from(name.as_str());
        interfaces.push(Interface { name, index, gone: 0, down: 0, is_down: false });
    }
    Ok((interfaces, sockets))
}

struct Interface {
    name: Arc<str>,
    /// Its number; `None` while it is missing.
    index: Option<u32>,
    /// How many times it disappeared.
    gone: u64,
    /// How many times its link went down, and whether it is down now.
    down: u64,
    is_down: bool,
}

struct Supervisor<'t, 's, 'd, 'n> {
    shared: &'t Shared<'s, 'd>,
    /// From the watcher of the database.
    looks: Receiver<Look>,
    /// From the thread that writes the alerts.
    outputs: Receiver<WriterMessage>,
    names: Names,
    interfaces: Vec<Interface>,
    listening: Listening,
    /// One channel to each worker.
    commands: Vec<Sender<Command>>,
    started: Stopwatch,
    duration: Option<Duration>,
    every: Option<Duration>,
    signals: &'n Signals,
    notify: Notify<'n>,
}

impl Supervisor<'_, '_, '_, '_> {
    fn run(mut self, sockets: Vec<Vec<Socket>>) -> Result<Report> {
        std::thread::scope(|scope| {
            let (send, messages) = mpsc::channel();
            for (number, sockets) in sockets.into_iter().enumerate() {
                let (sender, commands) = mpsc::channel();
                self.commands.push(sender);
                let worker = Worker::new(number, self.shared, sockets);
                let send = send.clone();
                let spawned = std::thread::Builder::new()
                    .name(format!("tap-{number}"))
                    .spawn_scoped(scope, move || worker.run(&commands, &send));
                if let Err(error) = spawned {
                    // Without this worker, its share of the packets would be lost.
                    self.shared.stop.store(true, Ordering::Relaxed);
                    return Err(Error::io("start a worker", error));
                }
            }
            drop(send);
            self.supervise(&messages);
            Ok(())
        })?;
        Ok(self.report())
    }

    fn supervise(&mut self, messages: &Receiver<WorkerMessage>) {
        let (mut looked, mut reported) = (Stopwatch::start(), Stopwatch::start());
        loop {
            match messages.recv_timeout(ROUND) {
                Ok(WorkerMessage(interface, error)) => self.gone(interface, &error.to_string()),
                Err(RecvTimeoutError::Timeout) => {}
                // The last worker has ended.
                Err(RecvTimeoutError::Disconnected) => {
                    self.forward_messages();
                    return;
                }
            }
            self.forward_messages();
            let is_late = self.duration.is_some_and(|max| self.started.elapsed() >= max);
            if is_late || self.signals.halt().is_set() {
                self.shared.stop.store(true, Ordering::Relaxed);
            }
            if self.signals.is_asked() {
                let report = self.report();
                (self.notify)(Notice::Asked(&report));
            }
            if looked.elapsed() >= LOOKING && !self.shared.stop.load(Ordering::Relaxed) {
                self.look();
                looked = Stopwatch::start();
            }
            if self.every.is_some_and(|every| reported.elapsed() >= every) {
                let report = self.report();
                (self.notify)(Notice::Report(&report));
                reported = Stopwatch::start();
            }
        }
    }

    /// Reports what the watcher of the database and the writer of alerts sent.
    fn forward_messages(&mut self) {
        while let Ok(look) = self.looks.try_recv() {
            (self.notify)(look.notice());
        }
        while let Ok(message) = self.outputs.try_recv() {
            (self.notify)(match &message {
                WriterMessage::Failed(error) => Notice::OutputFailed(error),
                WriterMessage::Back(lost) => Notice::OutputBack { lost: *lost },
                WriterMessage::Reopened => Notice::Reopened(None),
                WriterMessage::NotReopened(error) => Notice::Reopened(Some(error)),
            });
        }
    }

    /// Reports when a link goes down, and when it is up again.
    fn look_at_link(&mut self, at: usize) {
        let Some(interface) = self.interfaces.get_mut(at) else { return };
        let is_down = interface.index.is_some() && Names::is_down(&interface.name);
        if is_down == interface.is_down {
            return;
        }
        interface.is_down = is_down;
        interface.down += u64::from(is_down);
        // The disappearance of an interface was already reported.
        let is_there = interface.index.is_some();
        let interface = &*interface.name;
        match is_down {
            true => (self.notify)(Notice::Down { interface }),
            false if is_there => (self.notify)(Notice::Up { interface }),
            false => {}
        }
    }

    /// Looks for interfaces that disappeared, and for those that came back. An interface that is
    /// only down needs nothing: its sockets receive again once it is up.
    fn look(&mut self) {
        for at in 0..self.interfaces.len() {
            let Some(interface) = self.interfaces.get(at) else { return };
            let (was, is) = (interface.index, self.names.index(&interface.name));
            match (was, is) {
                (Some(was), is) if is != Some(was) => self.gone(at, "it was removed"),
                (None, Some(_)) => self.reopen(at, is),
                _ => {}
            }
            self.look_at_link(at);
        }
    }

    fn gone(&mut self, at: usize, why: &str) {
        let Some(interface) = self.interfaces.get_mut(at) else { return };
        // Every worker reports it, and one report is enough.
        if interface.index.take().is_none() {
            return;
        }
        interface.gone += 1;
        (self.notify)(Notice::Gone { interface: &interface.name, why });
        for command in &self.commands {
            // A worker that has ended takes no commands, and reads nothing.
            let _ = command.send(Command::Close(at));
        }
    }

    /// Listens to an interface again. If that fails it is retried with each look.
    fn reopen(&mut self, at: usize, index: Option<u32>) {
        let Some(interface) = self.interfaces.get_mut(at) else { return };
        let workers = self.shared.workers;
        let opened = socket::open(&interface.name, &self.names, &self.listening, workers);
        let Ok(sockets) = opened else { return };
        interface.index = index;
        for (command, socket) in self.commands.iter().zip(sockets) {
            let _ = command.send(Command::Open(at, Box::new(socket)));
        }
        (self.notify)(Notice::Back { interface: &interface.name });
    }

    fn report(&self) -> Report {
        let interfaces = self.interfaces.iter().map(|interface| InterfaceReport {
            name: Arc::clone(&interface.name),
            gone: interface.gone,
            is_there: interface.index.is_some(),
            down: interface.down,
            is_down: interface.is_down,
            ..InterfaceReport::default()
        });
        let mut report = Report {
            elapsed: self.started.elapsed(),
            interfaces: interfaces.collect(),
            swaps: self.shared.current.swaps(),
            output: self.shared.outbox.report(),
            ..Report::default()
        };
        for worker in 0..self.shared.workers {
            if let Some(mut counts) = self.shared.published_counts(worker) {
                report.add(&counts, self.shared.ring);
                (counts.waited, counts.ring_use) = (Duration::ZERO, 0);
            }
        }
        report
    }
}
