//! Runs a program and takes its output as a feed.

use super::settle::keep_one;
use super::stop_signal::StopSignal;
use crate::clock::Stopwatch;
use crate::engine::indicator::Timestamp;
use crate::intel::config::Subscription;
use crate::intel::store::FeedDir;
use crate::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The maximum length to quote of what a program writes to standard error.
const MAX_WORDS: usize = 300;

/// How often to check on a program that prints nothing.
const ROUND: Duration = Duration::from_millis(5);

/// Runs the program, and stores its standard output as the document.
pub(super) fn fetch(
    feed: &Subscription,
    words: &[String],
    feed_dir: &FeedDir,
    (now, stop): (Timestamp, Option<&StopSignal>),
) -> Result<()> {
    let program = words.first().map_or("", |word| word);
    let bytes = output(words, feed.timeout, feed.max_size, stop).map_err(|e| e.at_path(program))?;
    keep_one(feed, feed_dir, now, &bytes, None)
}

/// The output of a program that exits successfully and in time.
fn output(
    words: &[String],
    timeout: Duration,
    max_size: u64,
    stop: Option<&StopSignal>,
) -> Result<Vec<u8>> {
    let [program, arguments @ ..] = words else {
        return Err(Error::usage("the command is empty"));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A process group of its own, so that its children end with it.
    command.process_group(0);
    let mut child = command.spawn().map_err(|e| Error::io("start the command", e))?;
    let mut out = Pipe::new(child.stdout.take(), max_size);
    let mut words = Pipe::new(child.stderr.take(), MAX_WORDS as u64);
    let listened = listen(&mut child, &mut out, &mut words, (timeout, stop));
    end(&child);
    let status = child.wait().map_err(|e| Error::io("wait for the program", e))?;
    listened?;
    if out.is_over {
        return Err(Error::format(format!("the program prints more than {max_size} bytes"))
            .remedy("raise the feed's max_size if it is meant to be that much"));
    }
    if !status.success() {
        let words = String::from_utf8_lossy(&words.bytes);
        let words = words.trim().replace(|c: char| c.is_control(), " ");
        return Err(Error::format(format!("the program failed ({status}): {words}")));
    }
    Ok(out.bytes)
}

/// One of the program's streams.
struct Pipe<P> {
    from: Option<P>,
    bytes: Vec<u8>,
    max: u64,
    /// Whether there was more than the limit.
    is_over: bool,
}

impl<P: Read> Pipe<P> {
    /// Wraps a stream, of which at most `max` bytes are kept.
    fn new(from: Option<P>, max: u64) -> Self {
        Pipe { from, bytes: Vec::new(), max, is_over: false }
    }

    /// Reads what is available. Drops the surplus instead of leaving it, so that
    /// the program does not block.
    fn read(&mut self) -> Result<()> {
        let Some(from) = &mut self.from else { return Ok(()) };
        let mut buffer = [0; 1 << 16];
        let length = from.read(&mut buffer).map_err(|e| Error::io("read its output", e))?;
        if length == 0 {
            self.from = None;
        }
        let room = usize::try_from(self.max - self.bytes.len() as u64).unwrap_or(usize::MAX);
        self.is_over |= length > room;
        self.bytes.extend_from_slice(&buffer[..length.min(room)]);
        Ok(())
    }
}

/// Reads both streams until the program has exited and they are empty.
fn listen<A: Read + AsFd, B: Read + AsFd>(
    child: &mut Child,
    out: &mut Pipe<A>,
    words: &mut Pipe<B>,
    (timeout, stop): (Duration, Option<&StopSignal>),
) -> Result<()> {
    let running = Stopwatch::start();
    loop {
        if running.elapsed() > timeout {
            let seconds = timeout.as_secs_f64();
            return Err(Error::format(format!("the program takes longer than {seconds} s"))
                .remedy("raise the feed's timeout if it is meant to take longer"));
        }
        if stop.is_some_and(StopSignal::is_over) {
            return Err(Error::timed_out("stopped before the program finished"));
        }
        if out.is_over {
            return Ok(());
        }
        let is_ended = has_ended(child);
        let (of_out, of_words) = ready(out, words)?;
        if of_out {
            out.read()?;
        }
        if of_words {
            words.read()?;
        }
        // A process that outlives the program may keep the pipes open for ever.
        let is_silent = !of_out && !of_words;
        if is_ended && is_silent {
            return Ok(());
        }
        if out.from.is_none() && words.from.is_none() {
            std::thread::sleep(ROUND);
        }
    }
}

/// Waits briefly for one of the streams to become readable.
fn ready<A: Read + AsFd, B: Read + AsFd>(out: &Pipe<A>, words: &Pipe<B>) -> Result<(bool, bool)> {
    let mut polled = Vec::with_capacity(2);
    polled.extend(out.from.as_ref().map(|from| PollFd::new(from, PollFlags::IN)));
    polled.extend(words.from.as_ref().map(|from| PollFd::new(from, PollFlags::IN)));
    if polled.is_empty() {
        return Ok((false, false));
    }
    let wait = Timespec { tv_sec: 0, tv_nsec: ROUND.subsec_nanos().into() };
    match poll(&mut polled, Some(&wait)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(e) => return Err(Error::io("wait for its output", e.into())),
    }
    let mut ready = polled.iter().map(|fd| !fd.revents().is_empty());
    let of_out = out.from.is_some() && ready.next().unwrap_or(false);
    let of_words = words.from.is_some() && ready.next().unwrap_or(false);
    Ok((of_out, of_words))
}

/// The process group of the program, which has its process number.
fn group(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Whether the program has exited. It is not reaped yet, so nothing else can get
/// its process number.
fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    group(child).is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
}

/// Kills the program, unless it has exited, and its children.
fn end(child: &Child) {
    if let Some(group) = group(child) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
