//! Writes to streams that may have no reader, in a way that can be stopped from outside.
//!
//! A write to a full pipe returns when someone reads, which may be never, and a part of the data
//! may be in the pipe by then. So a stream only gets what it accepts without blocking, in complete
//! records; until it accepts more, both it and a [`Halt`] are waited for. After the halt the reader
//! has a little time to take the rest.

use super::records::Pending;
use crate::sensor::halt::{Halt, takes_within};
use rustix::event::Timespec;
use rustix::io::ioctl_fionread;
use rustix::pipe::{PIPE_BUF, fcntl_getpipe_size};
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;

/// How long to wait for a stream at a time, after the halt.
const ROUND: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// How many times to wait in total: two seconds.
const ROUNDS: u32 = 40;

/// How long to leave a pipe to its reader before checking whether it is empty.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// The number of pauses in a round.
const PAUSES: u32 = 50;

/// Lets through as much as a stream accepts.
#[derive(Debug)]
pub(super) struct Gate {
    halt: Halt,
    /// Bytes that the pipe holds when it is empty; `None` if it is not a pipe.
    capacity: Option<usize>,
    /// Rounds that are left after the halt, and pauses in the current round.
    rounds: u32,
    pauses: u32,
}

impl Gate {
    /// For a stream; `None` for files, which don't block.
    pub(super) fn of(stream: BorrowedFd<'_>, halt: &Halt) -> Option<Gate> {
        let mode = rustix::fs::fstat(stream).ok()?.st_mode;
        let kind = rustix::fs::FileType::from_raw_mode(mode);
        if kind.is_file() || kind.is_block_device() || !halt.is_possible() {
            return None;
        }
        let capacity = kind.is_fifo().then(|| fcntl_getpipe_size(stream).ok()).flatten();
        Some(Gate { halt: halt.clone(), capacity, rounds: ROUNDS, pauses: 0 })
    }

    /// Waits until the stream accepts some of the pending bytes after the first `start`; returns
    /// how many, which are complete records. A record that is longer than the capacity of a pipe is
    /// written in parts.
    ///
    /// # Errors
    ///
    /// After a halt, if nothing reads the stream.
    pub(super) fn room(
        &mut self,
        stream: BorrowedFd<'_>,
        pending: &Pending,
        start: usize,
    ) -> io::Result<usize> {
        let left = pending.bytes().len() - start;
        let whole_of = |max: usize| pending.whole(start, start + max);
        loop {
            self.wait(stream)?;
            let few = left.min(PIPE_BUF);
            let whole = whole_of(few);
            let Some(capacity) = self.capacity else {
                return Ok(if whole > 0 { whole } else { few });
            };
            if ioctl_fionread(stream)? == 0 {
                let max = left.min(capacity);
                let all = whole_of(max);
                return Ok(if all > 0 { all } else { max });
            }
            if whole > 0 {
                // As much as fits into a pipe at once or not at all (pipe(7)), and there is room.
                return Ok(whole);
            }
            // A long record waits for an empty pipe, unless it is longer than the pipe's capacity.
            if whole_of(left.min(capacity)) == 0 {
                return Ok(few);
            }
            self.pause()?;
        }
    }

    fn wait(&mut self, stream: BorrowedFd<'_>) -> io::Result<()> {
        while !self.halt.is_set() {
            if self.halt.wait_to_write(stream)? {
                return Ok(());
            }
        }
        while self.rounds > 0 {
            if takes_within(stream, ROUND)? {
                return Ok(());
            }
            self.rounds -= 1;
        }
        Err(nobody_reads())
    }

    fn pause(&mut self) -> io::Result<()> {
        if !self.halt.is_set() {
            return self.halt.pause(PAUSE);
        }
        self.pauses += 1;
        if self.pauses >= PAUSES {
            (self.pauses, self.rounds) = (0, self.rounds.saturating_sub(1));
        }
        if self.rounds == 0 {
            return Err(nobody_reads());
        }
        // The halt is set, and there is nothing else to wait for.
        Halt::default().pause(PAUSE)
    }
}

fn nobody_reads() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "the reader stopped reading")
}
