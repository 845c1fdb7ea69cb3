//! Runs `journalctl` as a child process: starts it, reads its output, restarts it.

use super::super::batch::{Names, Writer};
use super::super::net_input::Outgoing;
use super::super::{Batch, Count, NetInput};
use super::export::{ExportReader, JournalEntry};
use super::resume::{AlreadyRead, Resume, boot};
use crate::clock::now;
use crate::engine::indicator::Timestamp;
use crate::{Error, Result};
use rustix::event::Timespec;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// The longest wait before a restart, in seconds.
const MAX_BACKOFF: i64 = 60;

/// How much of the program's standard error is kept.
const MAX_ERRORS: u64 = 4 << 10;

/// Where to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest entry.
    Beginning,
    /// With what is written from now on.
    Now,
    /// With what was written since then.
    Since(Timestamp),
    /// After the entry with this cursor: [`Batch::cursor`] of an earlier run.
    After(String),
}

/// An input that follows the journal.
#[derive(Clone, Debug)]
pub struct Journal {
    /// The program.
    pub program: PathBuf,
    /// Additional arguments: units, `--file=`, `--directory=`. A file needs a path with a folder in
    /// it: journalctl of systemd 252 follows `./x.journal`, but for `x.journal` it reports “Failed
    /// to get journal fd: Destination address required”.
    pub arguments: Vec<OsString>,
    /// Fields that are matched besides `MESSAGE`.
    pub fields: Vec<String>,
    /// Where to begin.
    pub start: Start,
    /// Whether to end after the existing entries, without waiting for more.
    pub once: bool,
}

impl Journal {
    /// The journal of this machine, with messages only.
    pub fn new(start: Start) -> Journal {
        Journal {
            program: PathBuf::from("journalctl"),
            arguments: Vec::new(),
            fields: Vec::new(),
            start,
            once: false,
        }
    }

    /// Starts following. If the program can't be started, or ends, it is restarted, at first after
    /// a second, later after a minute; [`NetInput::trouble`] says why.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(self) -> Result<NetInput> {
        let (mut net_input, outgoing) = NetInput::new()?;
        let resume = match &self.start {
            Start::Beginning => Resume::default(),
            Start::Now => Resume { cursor: None, since: Some(now()) },
            Start::Since(time) => Resume { cursor: None, since: Some(*time) },
            Start::After(cursor) => Resume { cursor: Some(cursor.clone()), since: None },
        };
        net_input.start("journal", move || Follower::new(self, resume, outgoing).run())?;
        Ok(net_input)
    }

    /// Its standard error goes to a file: a pipe could block the program if it isn't read, or be
    /// held open by a process that it started.
    fn command(&self, resume: &[OsString], errors: File) -> Command {
        let mut command = Command::new(&self.program);
        // Without --merge, --follow shows only the last boot, whatever the cursor says: what was
        // written between our end and that of the system would be lost.
        command
            .args((!self.once).then_some("--follow"))
            .args(["--merge", "--all", "--quiet", "--no-pager", "--output=export"])
            .args(resume)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors);
        command
    }
}

struct Follower {
    journal: Journal,
    resume: Resume,
    outgoing: Outgoing,
    names: Names,
    peer: Arc<str>,
    /// Whether an entry arrived since the last start.
    has_come: bool,
}

impl Follower {
    fn new(journal: Journal, resume: Resume, outgoing: Outgoing) -> Follower {
        let names = Names::default();
        Follower { journal, resume, outgoing, names, peer: "journal".into(), has_come: false }
    }

    /// Runs until the halt, or until nothing takes the entries.
    fn run(mut self) {
        let mut backoff = 1;
        loop {
            self.has_come = false;
            let outcome = self.follow();
            if self.outgoing.halt.is_set() {
                return;
            }
            match outcome {
                Ok(true) if self.journal.once => return,
                Ok(true) => {}
                Ok(false) => return,
                Err(error) if self.journal.once => {
                    self.outgoing.trouble(Some(error.to_string()));
                    return;
                }
                Err(error) => self.outgoing.trouble(Some(error.to_string())),
            }
            backoff = if self.has_come { 1 } else { backoff };
            let pause = Timespec { tv_sec: backoff, tv_nsec: 0 };
            if self.outgoing.halt.pause(pause).is_err() || self.outgoing.halt.is_set() {
                return;
            }
            backoff = (2 * backoff).min(MAX_BACKOFF);
            self.outgoing.count(Count::Restarts, 1);
        }
    }

    /// Runs the program once. Returns whether to restart it.
    fn follow(&mut self) -> Result<bool> {
        let (arguments, mut already_read) = self.resume.arguments(boot().as_deref());
        let errors = tempfile::tempfile().and_then(|file| Ok((file.try_clone()?, file)));
        let (errors, output) = errors.map_err(|e| Error::io("make a temporary file", e))?;
        let mut child = self.journal.command(&arguments, errors).spawn().map_err(|error| {
            Error::io(format!("start {}", self.journal.program.display()), error)
        })?;
        let outcome = self.read(&mut child, &mut already_read);
        // It may have ended already; the reason is in its output.
        let _ = child.kill();
        let _ = child.wait();
        let last_line = last_line(output);
        match outcome {
            Ok(true) if !last_line.is_empty() => {
                Err(Error::format(format!("journalctl: {last_line}")))
            }
            outcome => outcome,
        }
    }

    fn read(&mut self, child: &mut Child, already_read: &mut AlreadyRead) -> Result<bool> {
        let Some(mut output) = child.stdout.take() else { return Ok(true) };
        let failed = |error| Error::io("read the output of journalctl", error);
        let mut reader = ExportReader::new(&self.journal.fields);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let is_ready = self.outgoing.halt.wait_to_read(&output).map_err(failed)?;
            if self.outgoing.halt.is_set() {
                return Ok(false);
            }
            if !is_ready {
                continue;
            }
            let count = output.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                return Ok(true);
            }
            let piece = buffer.get(..count).unwrap_or_default();
            let mut batch = Batch::default();
            let pushed = reader.push(piece, |entry| self.add(entry, already_read, &mut batch));
            if !self.outgoing.send(batch) {
                return Ok(false);
            }
            pushed.map_err(|_| {
                Error::format("the output of journalctl is not in the export format")
                    .remedy("check that the program is systemd's journalctl, and its arguments")
            })?;
        }
    }

    fn add(&mut self, entry: &JournalEntry, already_read: &mut AlreadyRead, batch: &mut Batch) {
        if !std::mem::replace(&mut self.has_come, true) {
            self.outgoing.trouble(None);
        }
        if already_read.contains(entry) {
            return;
        }
        if !entry.cursor.is_empty() {
            self.resume = Resume { cursor: Some(entry.cursor.clone()), since: None };
            batch.cursor = Some(entry.cursor.clone());
        }
        self.outgoing.count(Count::Records, 1);
        self.outgoing.count(Count::Cut, u64::from(entry.is_cut));
        let writer = Writer {
            host: self.names.of(&entry.host),
            app: self.names.of(&entry.app),
            peer: Arc::clone(&self.peer),
            time: entry.time.filter(|time| *time > Timestamp(0)),
        };
        let mut is_continuation = false;
        for text in &entry.texts {
            is_continuation |= batch.add(text, &writer, is_continuation) > 0;
        }
    }
}

/// The last message of a program that has ended.
fn last_line(mut output: File) -> String {
    let mut text = Vec::new();
    // If it can't be read, it is unknown.
    let _ = output.rewind();
    let _ = output.take(MAX_ERRORS).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    text.lines().last().unwrap_or_default().trim().to_string()
}
