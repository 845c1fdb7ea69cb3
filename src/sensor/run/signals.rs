//! The signals that end the process, and those that must not.
//!
//! The first signal ends the work in an orderly way: what was received is searched, complete
//! records are written, counts are printed. The second one ends the process at once. Some programs
//! send one signal twice, to the process and to its group (as `timeout` does): a second one within
//! a tenth of a second counts as the same, and takes effect a little later.

use crate::clock::Stopwatch;
use crate::sensor::halt::{Halt, Stopper};
use crate::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use std::io::{ErrorKind, PipeReader, Read as _};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A signal that comes this soon after the first is the same one.
const SAME: Duration = Duration::from_millis(100);

/// How long the work may continue after a signal that was sent twice.
const PATIENCE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// Waits for signals that end the process; the default waits for none.
#[derive(Debug, Default)]
pub struct Signals {
    halt: Halt,
    number: Arc<AtomicUsize>,
    asked: Arc<AtomicBool>,
    /// For the thread that waits.
    waiting: Mutex<Option<(PipeReader, Stopper)>>,
}

impl Signals {
    /// Waits for SIGINT and SIGTERM, and with `on_hangup` for SIGHUP. Signals that were ignored
    /// when the process was started (by `nohup`, or by a shell without job control for background
    /// processes) stay ignored. SIGUSR1 requests counts. Signals have no effect before
    /// [`Signals::watch`].
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn new(on_hangup: bool) -> Result<Signals> {
        let refused = |e| Error::io("wait for signals", e);
        let (halt, stopper) = Halt::new().map_err(refused)?;
        let number = Arc::new(AtomicUsize::new(0));
        let asked = Arc::new(AtomicBool::new(false));
        // Use a pipe, because a socket takes a system call that the sandbox of a tap refuses.
        let (reader, writer) = std::io::pipe().map_err(refused)?;
        let hangup = on_hangup.then_some(SIGHUP);
        let all = [SIGINT, SIGTERM].into_iter().chain(hangup);
        for signal in all.filter(|&signal| !is_ignored(signal)) {
            // Store the number before waking the thread.
            let status = usize::try_from(signal).unwrap_or(0);
            signal_hook::flag::register_usize(signal, Arc::clone(&number), status)
                .map_err(refused)?;
            let writer = writer.try_clone().map_err(refused)?;
            signal_hook::low_level::pipe::register(signal, OwnedFd::from(writer))
                .map_err(refused)?;
        }
        signal_hook::flag::register(SIGUSR1, Arc::clone(&asked)).map_err(refused)?;
        let waiting = Mutex::new(Some((reader, stopper)));
        Ok(Signals { halt, number, asked, waiting })
    }

    /// For a job within another one, which has its own halt. It takes no signals.
    #[cfg(feature = "daemon")]
    pub(super) fn of(halt: Halt) -> Signals {
        Signals { halt, ..Signals::default() }
    }

    /// Starts the thread that waits, once. `max` limits how long the work may take to end after
    /// the first signal: then the process ends as it does with a second one.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn watch(&self, max: Option<Duration>) -> Result<()> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((reader, stopper)) = waiting else { return Ok(()) };
        let last = Arc::clone(&self.number);
        let max = max.and_then(|max| Timespec::try_from(max).ok());
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || watch(reader, stopper, &last, max))
            .map(drop)
            .map_err(|e| Error::io("start a thread that waits for signals", e))
    }

    /// The halt that the first signal sets.
    pub fn halt(&self) -> Halt {
        self.halt.clone()
    }

    /// The signal that requested the end, if any.
    pub fn number(&self) -> Option<u8> {
        let is_set = self.halt.is_set();
        is_set.then(|| u8::try_from(self.number.load(Ordering::Relaxed)).unwrap_or(0))
    }

    /// Whether SIGUSR1 came since the last call.
    pub fn is_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

/// Receives each signal as a byte.
fn watch(
    mut reader: PipeReader,
    stopper: Stopper,
    last: &AtomicUsize,
    mut patience: Option<Timespec>,
) {
    if !matches!(next(&mut reader, None), Next::Signal) {
        return;
    }
    let first = Stopwatch::start();
    stopper.stop();
    loop {
        match next(&mut reader, patience.as_ref()) {
            Next::End => return,
            Next::Signal if first.elapsed() < SAME => patience = Some(PATIENCE),
            Next::Signal | Next::Nothing => {
                let number = i32::try_from(last.load(Ordering::Relaxed)).unwrap_or(0);
                signal_hook::low_level::exit(128 + number);
            }
        }
    }
}

/// The result of waiting.
enum Next {
    Signal,
    /// The time is up.
    Nothing,
    /// All writers are gone.
    End,
}

fn next(reader: &mut PipeReader, max: Option<&Timespec>) -> Next {
    loop {
        match poll(&mut [PollFd::new(reader, PollFlags::IN)], max) {
            Ok(0) => return Next::Nothing,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return Next::End,
        }
        match reader.read(&mut [0]) {
            Ok(0) => return Next::End,
            Ok(_) => return Next::Signal,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Next::End,
        }
    }
}

/// Whether a signal was ignored when the process was started: bit N−1 of `SigIgn` in
/// `/proc/self/status` (proc(5)).
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// Prevents signals from killing the process without a message: SIGXFSZ (a file that may not become
/// larger) makes writing fail instead, and SIGUSR1, which many services use to request counts, does
/// nothing while it is not waited for.
///
/// # Errors
///
/// If the system refuses.
pub fn outlive_signals() -> Result<()> {
    for signal in [SIGXFSZ, SIGUSR1] {
        signal_hook::flag::register(signal, Arc::default())
            .map_err(|e| Error::io("take signals", e))?;
    }
    Ok(())
}
