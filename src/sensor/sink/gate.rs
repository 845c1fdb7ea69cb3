//! Writing to streams that nobody may read, so that it can be ended from outside.
//!
//! A write to a full pipe returns when somebody reads, which may be never, and a part of what was
//! given may be in the pipe by then. So a stream is given only what it takes without waiting, in
//! whole records; for its turn both it and a [`Halt`] are waited for. After the halt a reader has
//! a little time to take what is left.

use super::records::Pending;
use crate::sensor::halt::{Halt, takes_within};
use rustix::event::Timespec;
use rustix::io::ioctl_fionread;
use rustix::pipe::{PIPE_BUF, fcntl_getpipe_size};
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;

/// For so long a stream is waited for at a time, after the halt.
const ROUND: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// So many times in all: two seconds.
const ROUNDS: u32 = 40;

/// For so long a pipe is left to its reader before it is asked whether it is empty.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// As many pauses as a round has.
const PAUSES: u32 = 50;

/// Lets as much through as a stream takes.
#[derive(Debug)]
pub(super) struct Gate {
    halt: Halt,
    /// Bytes that the pipe takes when it is empty; none of what is no pipe.
    capacity: Option<usize>,
    /// Rounds that are left after the halt, and pauses of the one that is under way.
    rounds: u32,
    pauses: u32,
}

impl Gate {
    /// For a stream; `None` for files, which keep nobody waiting.
    pub(super) fn of(stream: BorrowedFd<'_>, halt: &Halt) -> Option<Gate> {
        let mode = rustix::fs::fstat(stream).ok()?.st_mode;
        let kind = rustix::fs::FileType::from_raw_mode(mode);
        if kind.is_file() || kind.is_block_device() || !halt.is_possible() {
            return None;
        }
        let capacity = kind.is_fifo().then(|| fcntl_getpipe_size(stream).ok()).flatten();
        Some(Gate { halt: halt.clone(), capacity, rounds: ROUNDS, pauses: 0 })
    }

    /// Waits until the stream takes some of the pending bytes after the first `start`; answers
    /// how many, which are whole records. A record longer than all that a pipe holds goes in
    /// parts.
    ///
    /// # Errors
    ///
    /// After a halt, when nobody reads.
    pub(super) fn room(
        &mut self,
        stream: BorrowedFd<'_>,
        pending: &Pending,
        start: usize,
    ) -> io::Result<usize> {
        let left = pending.bytes().len() - start;
        let whole_of = |most: usize| pending.whole(start, start + most);
        loop {
            self.wait(stream)?;
            let few = left.min(PIPE_BUF);
            let whole = whole_of(few);
            let Some(capacity) = self.capacity else {
                return Ok(if whole > 0 { whole } else { few });
            };
            if ioctl_fionread(stream)? == 0 {
                let most = left.min(capacity);
                let all = whole_of(most);
                return Ok(if all > 0 { all } else { most });
            }
            if whole > 0 {
                // As much as goes into a pipe at once or not at all (pipe(7)), and there is room.
                return Ok(whole);
            }
            // A long record waits for an empty pipe, unless it is longer than any.
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
        // The halt is set, and nothing else is waited for.
        Halt::default().pause(PAUSE)
    }
}

fn nobody_reads() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "nobody reads")
}
