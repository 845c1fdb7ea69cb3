//! Creates sources from the configured inputs.

use super::convert;
use super::folder::{Finished, Folder};
use super::followed::Files;
use super::packets::{JobSender, job_source};
use super::received::Received;
use super::watch::{TapFacts, Watch};
use crate::Result;
use crate::clock::now;
use crate::engine::indicator::Timestamp;
use crate::engine::scan::Options;
use crate::sensor::checkpoint::CheckpointState;
use crate::sensor::config::{self, CapturesInput, Input, InputKind, JournalSince, SyslogFraming};
use crate::sensor::input::expand;
use crate::sensor::input::net::hec::Collector;
use crate::sensor::input::net::journal::{Journal, Start};
use crate::sensor::input::net::{Format, NetInput, Receive};
use crate::sensor::listen::{Activated, Address};
use crate::sensor::run::live::source::Source;
use crate::sensor::run::live::task::Identity;
use crate::sensor::run::{Current, Files as ScanFiles, Job, Notice, Notify, Signals, scan};
use crate::sensor::secret::Credential;
use crate::sensor::sink::Null;
use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::hash::{BuildHasher as _, Hasher as _};
#[cfg(feature = "live")]
use std::sync::PoisonError;
#[cfg(feature = "live")]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

/// What inputs are created from.
pub(super) struct InputContext<'s> {
    pub(super) current: &'s Current,
    pub(super) options: Options,
    pub(super) notify: Notify<'s>,
    pub(super) is_once: bool,
    /// The beginnings of the paths of files that the process itself writes, which no input may read.
    pub(super) own: Vec<OsString>,
}

/// An input that is open.
pub(super) struct Opened<'s> {
    pub(super) source: Box<dyn Source + 's>,
    pub(super) watch: Watch,
    /// Whether it can wait.
    pub(super) can_wait: bool,
    /// Work for a separate thread, for as long as the source exists.
    pub(super) work: Option<Box<dyn FnOnce() + Send + 's>>,
    /// Where the work reports that it has begun, or why it can't.
    pub(super) begun: Option<Receiver<Result<()>>>,
}

/// Opens an input; `None` if only inputs with an end are wanted and this one has none.
///
/// # Errors
///
/// If it can't be opened; the error names the input.
pub(super) fn open<'s>(
    input: &Input,
    state: &CheckpointState,
    activated: &mut Activated,
    with: &InputContext<'s>,
) -> Result<Option<Opened<'s>>> {
    let opened = match &input.kind {
        InputKind::Files(of) => files(&input.name, of, state, with).map(Some),
        InputKind::Journal(of) => journal(&input.name, of, state, with).map(Some),
        InputKind::Captures(of) => captures(&input.name, of, state, with).map(Some),
        InputKind::Kafka(of) => kafka(&input.name, of, state, with).map(Some),
        // Nobody knows when others have sent everything, so `--once` skips these.
        _ if with.is_once => Ok(None),
        InputKind::Syslog(of) => syslog(&input.name, of, activated, with).map(Some),
        InputKind::Eve(of) => eve(&input.name, of, activated, with).map(Some),
        InputKind::Hec(of) => hec(&input.name, of, activated, with).map(Some),
        InputKind::Tap(of) => tap(&input.name, of, with).map(Some),
    };
    opened.map_err(|error| error.about(&format!("input “{}”", input.name)))
}

fn files<'s>(
    name: &str,
    of: &config::FilesInput,
    state: &CheckpointState,
    with: &InputContext<'s>,
) -> Result<Opened<'s>> {
    let watch = Watch::new(name, "files", None);
    let source = Files::open(of, &with.own, watch.clone(), state, with.is_once)?;
    Ok(Opened { source: Box::new(source), watch, can_wait: true, work: None, begun: None })
}

/// A network input as an input. `cursor` is the name in commits for the position to resume at.
fn received<'s>(
    (name, kind): (&str, &'static str),
    net_input: NetInput,
    can_wait: bool,
    cursor: Option<String>,
    with: &InputContext<'s>,
) -> Opened<'s> {
    let watch = Watch::new(name, kind, Some(net_input.view()));
    let identity = match cursor {
        Some(_) if kind == "kafka" => Identity::Record,
        Some(_) => Identity::Line,
        // Specific to this run: the lines can't be read again.
        None => Identity::Stream(RandomState::new().build_hasher().finish()),
    };
    let once = (with.notify, with.is_once);
    let source = Received::new(Arc::clone(watch.name()), net_input, identity, cursor, once);
    Opened { source: Box::new(source), watch, can_wait, work: None, begun: None }
}

fn journal<'s>(
    name: &str,
    of: &config::JournalInput,
    state: &CheckpointState,
    with: &InputContext<'s>,
) -> Result<Opened<'s>> {
    let cursor = format!("journal/{name}");
    let saved = state.others.get(&cursor).map(|saved| String::from_utf8_lossy(saved).into_owned());
    let start = match (saved, of.since) {
        (Some(cursor), _) => Start::After(cursor),
        (None, JournalSince::Beginning) => Start::Beginning,
        (None, JournalSince::Now) => Start::Now,
        (None, JournalSince::Ago(ago)) => {
            let micros = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
            Start::Since(Timestamp(now().0.saturating_sub(micros)))
        }
    };
    let mut journal = Journal::new(start);
    journal.program = of.program.clone().into();
    journal.fields.clone_from(&of.fields);
    journal.once = with.is_once;
    let folder = of.directory.iter().flat_map(|it| ["--directory".into(), it.clone().into()]);
    journal.arguments.extend(folder);
    journal.arguments.extend(of.units.iter().map(|unit| format!("--unit={unit}").into()));
    journal.arguments.extend(of.matches.iter().map(OsString::from));
    Ok(received((name, "journal"), journal.start()?, true, Some(cursor), with))
}

fn syslog<'s>(
    name: &str,
    of: &config::SyslogInput,
    activated: &mut Activated,
    with: &InputContext<'s>,
) -> Result<Opened<'s>> {
    let addresses: Vec<Address> = of.listen.iter().map(convert::address).collect();
    let is_datagrams = |at: &Address| matches!(at, Address::Udp(_) | Address::UnixDatagram(_));
    let can_wait = !addresses.iter().any(is_datagrams);
    let zone = crate::sensor::run::time_zone(&of.timezone)?;
    let receive = Receive {
        format: Format::Syslog(zone),
        tls: convert::server_tls(&of.tls)?,
        max_connections: of.max_connections as usize,
        lines_only: of.framing == SyslogFraming::Lines,
        receive_buffer: usize::try_from(of.receive_buffer).unwrap_or(usize::MAX),
        ..Receive::syslog(addresses)
    };
    Ok(received((name, "syslog"), receive.start(activated)?, can_wait, None, with))
}

fn eve<'s>(
    name: &str,
    of: &config::EveInput,
    activated: &mut Activated,
    with: &InputContext<'s>,
) -> Result<Opened<'s>> {
    let receive = Receive {
        format: Format::Lines,
        max_connections: of.max_connections as usize,
        ..Receive::syslog(vec![Address::Unix(of.path.clone())])
    };
    Ok(received((name, "eve"), receive.start(activated)?, true, None, with))
}

fn hec<'s>(
    name: &str,
    of: &config::HecInput,
    activated: &mut Activated,
    with: &InputContext<'s>,
) -> Result<Opened<'s>> {
    let read = |token: &Credential| token.read().map(|secret| secret.reveal().to_string());
    let tokens = of.token.iter().map(read).collect::<Result<Vec<String>>>()?;
    let addresses = of.listen.iter().map(convert::address).collect();
    let collector = Collector {
        addresses,
        tls: convert::server_tls(&of.tls)?,
        tokens,
        acks: true,
        max_connections: of.max_connections as usize,
        max_body: usize::try_from(of.max_body).unwrap_or(usize::MAX),
    };
    Ok(received((name, "hec"), collector.start(activated)?, true, None, with))
}

#[cfg(feature = "kafka")]
fn kafka<'s>(
    name: &str,
    of: &config::KafkaInput,
    state: &CheckpointState,
    with: &InputContext<'s>,
) -> Result<Opened<'s>> {
    let net_input = super::kafka::read(name, of, state, with.is_once)?;
    let cursor = Some(super::kafka::cursor_name(name));
    Ok(received((name, "kafka"), net_input, true, cursor, with))
}

#[cfg(not(feature = "kafka"))]
fn kafka<'s>(
    _: &str,
    _: &config::KafkaInput,
    _: &CheckpointState,
    _: &InputContext<'s>,
) -> Result<Opened<'s>> {
    Err(config::without_kafka())
}

/// Reads captures of a folder, one after the other, and reports when each is done.
fn captures<'s>(
    name: &str,
    of: &CapturesInput,
    state: &CheckpointState,
    with: &InputContext<'s>,
) -> Result<Opened<'s>> {
    let watch = Watch::new(name, "captures", None);
    let mut finished = Finished::new(watch.clone(), of, with.notify);
    let folder = Folder::open(&mut finished, of, state)?;
    let (source, messages, signals) = job_source(Some(finished))?;
    let (current, options) = (with.current, with.options.clone());
    let (notify, is_once) = (with.notify, with.is_once);
    let work = move || {
        let reading = Reading { current, options, messages, signals, notify };
        reading.run(folder, is_once);
    };
    let source = Box::new(source);
    let work: Option<Box<dyn FnOnce() + Send + 's>> = Some(Box::new(work));
    Ok(Opened { source, watch, can_wait: true, work, begun: None })
}

struct Reading<'s> {
    current: &'s Current,
    options: Options,
    messages: JobSender,
    signals: Signals,
    notify: Notify<'s>,
}

impl Reading<'_> {
    fn run(self, mut folder: Folder, is_once: bool) {
        let halt = self.signals.halt();
        loop {
            for (path, capture) in folder.next(&halt, is_once) {
                let job = Job {
                    options: self.options.clone(),
                    threads: 1,
                    ..Job::new(self.current, self.messages.output(None), &self.signals)
                };
                let files = ScanFiles { targets: expand([&path]).targets, chunk: 0 };
                let report = scan(job, files, &mut Null, self.notify);
                if halt.is_set() {
                    // Interrupted: the next run reads it from the beginning.
                    return self.messages.ended(None);
                }
                let bytes = match report {
                    Ok(report) => report.bytes,
                    Err(error) => {
                        (self.notify)(Notice::Failed(&error));
                        0
                    }
                };
                if !self.messages.read(capture, bytes) {
                    return;
                }
            }
            if halt.is_set() || is_once {
                return self.messages.ended(None);
            }
        }
    }
}

#[cfg(not(feature = "live"))]
fn tap<'s>(_: &str, _: &config::TapInput, _: &InputContext<'s>) -> Result<Opened<'s>> {
    Err(crate::Error::usage("this build cannot listen to interfaces")
        .remedy("build it with the feature live"))
}

#[cfg(feature = "live")]
fn tap<'s>(name: &str, of: &config::TapInput, with: &InputContext<'s>) -> Result<Opened<'s>> {
    use crate::sensor::run::{Listen, Listening, tap};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    let watch = Watch::new(name, "tap", None);
    let (source, messages, signals) = job_source(None)?;
    let listen = Listen {
        interfaces: of.interfaces.clone(),
        listening: Listening {
            filter: of.filter.clone(),
            is_promiscuous: of.promiscuous,
            snaplen: of.snaplen,
            ring: usize::try_from(of.ring).unwrap_or(usize::MAX),
        },
        every: Some(Duration::from_secs(1)),
        ..Listen::default()
    };
    let (current, options, notify) = (with.current, with.options.clone(), with.notify);
    let (threads, of_tap) = (of.threads as usize, watch.clone());
    let (begin, begun) = channel();
    let left = AtomicUsize::new(of.interfaces.len());
    let work = move || {
        let output = messages.output(Some(Arc::clone(of_tap.dropped())));
        let job = Job { options, threads, ..Job::new(current, output, &signals) };
        let opened = Mutex::new(begin);
        let notify = |notice: Notice<'_>| match notice {
            Notice::Report(report) => of_tap.set_tap(TapFacts {
                packets: report.packets.clone(),
                by_kernel: report.interfaces.iter().map(|it| it.dropped).sum(),
                by_interface: report.interfaces.iter().map(|it| it.dropped_by_interface).sum(),
            }),
            other => {
                if let Notice::Listening { .. } = &other
                    && left.fetch_sub(1, Ordering::Relaxed) == 1
                {
                    let _ = opened.lock().unwrap_or_else(PoisonError::into_inner).send(Ok(()));
                }
                notify(other);
            }
        };
        let ended = tap(job, listen, &mut Null, &notify);
        let begin = opened.into_inner().unwrap_or_else(PoisonError::into_inner);
        match ended {
            // It failed before all interfaces were open: report it here, because no other thread
            // will.
            Err(error) if left.load(Ordering::Relaxed) > 0 => {
                let _ = begin.send(Err(error));
                messages.ended(None);
            }
            ended => messages.ended(ended.err()),
        }
    };
    let (source, work): (_, Option<Box<dyn FnOnce() + Send + 's>>) =
        (Box::new(source), Some(Box::new(work)));
    Ok(Opened { source, watch, can_wait: false, work, begun: Some(begun) })
}
