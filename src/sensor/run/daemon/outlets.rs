//! The sinks of a configuration: files and standard output, which are written directly, and those
//! that are sent to by a thread each.

use super::board::SinkPart;
use super::sinks;
use crate::clock::now;
use crate::engine::alert::{Encoder, Format};
use crate::sensor::checkpoint::{AlertFile, CheckpointState};
use crate::sensor::config::{Config, FileSink, Sink, SinkKind};
use crate::sensor::deliver::{Deliver, Pace, SystemClock};
use crate::sensor::halt::{Halt, Stopper};
use crate::sensor::outlet::{Filter, Outlet, Running};
use crate::sensor::run::live::output::{Local, Target};
use crate::sensor::run::{Notice, Notify};
use crate::sensor::sink::FileSink as Stream;
use crate::sensor::sink::{Rotation, Rotator, Sink as _, StdoutSink};
use crate::sensor::spool::Spool;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a sink that is written directly writes to.
pub(super) enum Place {
    /// A file whose length is part of each commit.
    File(Box<AlertFile>),
    /// A terminal or a device, which keeps nothing.
    Stream(Box<Stream>, PathBuf),
    /// Standard output.
    Stdout,
}

/// A sink that is written directly, before anything is written to it.
pub(super) struct Seed {
    pub(super) name: String,
    pub(super) filter: Filter,
    pub(super) encoder: Encoder,
    pub(super) place: Place,
    pub(super) rotator: Option<Rotator>,
}

impl Seed {
    /// The destination. After the halt, standard output is not waited for without end.
    pub(super) fn grow<'s>(self, halt: &Halt) -> Local<'s> {
        let target = match self.place {
            Place::File(file) => Target::File(file),
            Place::Stream(mut sink, path) => {
                sink.until(halt);
                Target::Own(sink, Some(path))
            }
            Place::Stdout => {
                let mut sink = StdoutSink::new();
                sink.until(halt);
                Target::Own(Box::new(sink), None)
            }
        };
        let mut local = Local::new(target, self.encoder);
        (local.name, local.filter, local.rotator) = (self.name, self.filter, self.rotator);
        local
    }
}

/// Opens a sink that is written directly; `None` for one that is sent to. `folder` is that of the
/// state.
///
/// # Errors
///
/// If it can't be opened; the error names the sink.
pub(super) fn local(
    of: &Sink,
    state: &CheckpointState,
    folder: &Path,
    notify: Notify<'_>,
) -> Result<Option<Seed>> {
    let about = |error: Error| error.about(&format!("sink “{}”", of.name));
    let (name, filter) = (of.name.clone(), sinks::filter(of));
    Ok(match &of.kind {
        SinkKind::File(file) => {
            let encoder = Encoder::new(file.format);
            let (rotator, place) = open_file(file, state, folder, notify).map_err(about)?;
            Some(Seed { name, filter, encoder, place, rotator })
        }
        SinkKind::Stdout(out) => {
            let encoder = Encoder::new(out.format);
            Some(Seed { name, filter, encoder, place: Place::Stdout, rotator: None })
        }
        _ => None,
    })
}

fn open_file(
    of: &FileSink,
    state: &CheckpointState,
    folder: &Path,
    notify: Notify<'_>,
) -> Result<(Option<Rotator>, Place)> {
    let rotator = rotator(of)?;
    if let Some(stream) = Stream::of_stream(&of.path)? {
        return Ok((rotator, Place::Stream(Box::new(stream), of.path.clone())));
    }
    let (file, resumed) = AlertFile::open_noted(&of.path, state, folder)?;
    if let Some(notice) = resumed.notice() {
        notify(Notice::Skipped(&format!("{}: {notice}", of.path.display())));
    }
    Ok((rotator, Place::File(Box::new(file))))
}

/// When a file is rotated, if ever.
///
/// # Errors
///
/// If it is a stream.
pub(super) fn rotator(of: &FileSink) -> Result<Option<Rotator>> {
    if of.rotate_size.is_none() && of.rotate_age.is_none() {
        return Ok(None);
    }
    let rotation = Rotation {
        max_bytes: of.rotate_size,
        max_age: of.rotate_age,
        keep: Some(of.keep as usize),
        gzip: of.compress,
    };
    Rotator::new(&of.path, rotation, now()).map(Some)
}

/// A sink that is sent to.
pub(super) struct Sent {
    pub(super) name: String,
    running: Running,
    stopper: Stopper,
    part: SinkPart,
}

/// A sink that is sent to, before its thread starts.
pub(super) struct Sending {
    of: Sink,
    deliver: Box<dyn Deliver>,
    pace: Pace,
    stopper: Stopper,
}

/// Creates what sends to a sink; `None` for a sink that is written directly.
///
/// # Errors
///
/// If the sink can't be created, or a secret can't be read.
pub(super) fn sending(of: &Sink, config: &Config, host: &str) -> Result<Option<Sending>> {
    let (halt, stopper) = Halt::new().map_err(|e| Error::io("open a pair of sockets", e))?;
    let timeouts = sinks::timeouts(of, config.daemon.drain);
    let pace = Pace::new(Arc::new(SystemClock::default()), halt, timeouts);
    let deliver = sinks::deliver(of, &pace, host)?;
    Ok(deliver.map(|deliver| Sending { of: of.clone(), deliver, pace, stopper }))
}

impl Sending {
    /// The name of the sink.
    pub(super) fn name(&self) -> &str {
        &self.of.name
    }

    /// Its settings.
    pub(super) fn sink(&self) -> &Sink {
        &self.of
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system has no more threads.
    pub(super) fn start(self, spool: &Spool, config: &Config) -> Result<Sent> {
        let Sending { of, deliver, pace, stopper } = self;
        let folder = config.daemon_state();
        let outlet = Outlet::new(sinks::settings(&of, &folder), spool.clone(), deliver, pace);
        let counters = Some(outlet.counters());
        let running = Running::start(outlet).map_err(|e| Error::io("start a thread", e))?;
        let part = SinkPart { name: of.name.clone(), kind: of.kind.name(), counters };
        Ok(Sent { name: of.name, running, stopper, part })
    }
}

impl Sent {
    /// The externally visible part of it.
    pub(super) fn part(&self) -> SinkPart {
        self.part.clone()
    }

    /// Reopens connections and reads secrets again.
    pub(super) fn renew(&self) {
        self.running.renew();
    }

    /// How many records are done: delivered, refused or dropped.
    pub(super) fn arrived(&self) -> u64 {
        let counts = self.running.counters().snapshot();
        counts.records + counts.dead + counts.filtered
    }

    /// Whether its thread is running.
    pub(super) fn is_alive(&self) -> bool {
        self.running.is_alive()
    }
}

/// Ends all of them, within this time, including what they are doing.
pub(super) fn finish(all: Vec<Sent>, max: Duration) {
    let mut running = Vec::new();
    for Sent { stopper, running: one, .. } in all {
        stopper.stop();
        running.push(one);
    }
    let watch = crate::clock::Stopwatch::start();
    for one in running {
        // A delivery attempt in progress has its own bound.
        one.finish((max + Duration::from_secs(1)).saturating_sub(watch.elapsed()));
    }
}

/// The formats that sinks need besides JSON, each once, in the order of their numbers.
pub(super) fn formats(config: &Config) -> Vec<Format> {
    let of_sinks = config.active_sinks().filter_map(|sink| match &sink.kind {
        SinkKind::File(file) => Some(file.format),
        SinkKind::Stdout(out) => Some(out.format),
        _ => sinks::form(sink),
    });
    let wanted: Vec<Format> = of_sinks.collect();
    let is_wanted = |format: &Format| *format != Format::Json && wanted.contains(format);
    Format::ALL.iter().copied().filter(is_wanted).collect()
}
