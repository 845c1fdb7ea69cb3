//! Stops work from outside while it waits.
//!
//! A thread that reads a pipe may wait for months in a single read, and so may a thread that writes
//! to one. A [`Halt`] ends that: a pipe, a terminal or a socket is read or written only when it is
//! ready, and until then both it and the halt are waited for.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether work should end. Clones end together.
#[derive(Clone, Debug, Default)]
pub struct Halt {
    is_set: Arc<AtomicBool>,
    /// Readable once it is set, for threads that wait.
    wake: Option<Arc<UnixStream>>,
}

/// Ends all work with its [`Halt`], once.
#[derive(Debug)]
pub struct Stopper {
    is_set: Arc<AtomicBool>,
    _wake: UnixStream,
}

impl Halt {
    /// A halt, and the stopper that sets it. The default halt is never set.
    ///
    /// # Errors
    ///
    /// If the system has no more descriptors.
    pub fn new() -> io::Result<(Halt, Stopper)> {
        let (wake, other) = UnixStream::pair()?;
        let is_set = Arc::new(AtomicBool::new(false));
        let stopper = Stopper { is_set: Arc::clone(&is_set), _wake: other };
        Ok((Halt { is_set, wake: Some(Arc::new(wake)) }, stopper))
    }

    /// A halt that is already set.
    #[cfg(feature = "daemon")]
    pub(crate) fn ended() -> Halt {
        // No wake pipe is needed: it is only for threads that already wait.
        let ended = Halt::new().map(|(halt, stopper)| {
            stopper.stop();
            halt
        });
        ended.unwrap_or_else(|_| Halt { is_set: Arc::new(AtomicBool::new(true)), wake: None })
    }

    /// Whether work should end.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    /// Whether it can be set at all.
    pub(crate) fn is_possible(&self) -> bool {
        self.wake.is_some()
    }

    /// Waits until a descriptor is readable, or it is time to end; returns whether it is readable.
    pub(crate) fn wait_to_read(&self, fd: impl AsFd) -> io::Result<bool> {
        if self.wake.is_none() {
            return Ok(true);
        }
        self.wait(Some((fd.as_fd(), PollFlags::IN)), None)
    }

    /// Waits this long until a descriptor is readable, or it is time to end; returns whether it is
    /// readable. A signal may end the wait early, too.
    pub(crate) fn wait_to_read_within(&self, fd: impl AsFd, max: &Timespec) -> io::Result<bool> {
        self.wait(Some((fd.as_fd(), PollFlags::IN)), Some(max))
    }

    /// Waits until a descriptor is writable, or it is time to end; returns whether it is writable.
    pub(crate) fn wait_to_write(&self, fd: impl AsFd) -> io::Result<bool> {
        self.wait(Some((fd.as_fd(), PollFlags::OUT)), None)
    }

    /// Waits this long, but not longer than until it is time to end.
    pub(crate) fn pause(&self, max: Timespec) -> io::Result<()> {
        self.wait(None, Some(&max)).map(drop)
    }

    fn wait(
        &self,
        other: Option<(BorrowedFd<'_>, PollFlags)>,
        max: Option<&Timespec>,
    ) -> io::Result<bool> {
        let wake = self.wake.as_ref().map(|wake| (wake.as_fd(), PollFlags::IN));
        let all = other.into_iter().chain(wake);
        let mut all: Vec<_> = all.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)).collect();
        match poll(&mut all, max) {
            Ok(_) => Ok(other.is_some() && !all[0].revents().is_empty()),
            // A signal, which may arrive before its effect is visible: a read could wait forever.
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Waits this long until a descriptor is writable; returns whether it is.
pub(crate) fn takes_within(fd: impl AsFd, max: Timespec) -> io::Result<bool> {
    let fd = fd.as_fd();
    match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], Some(&max)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Stopper {
    /// Sets the halt: closing the other end of the pipe wakes all waiting threads.
    pub fn stop(self) {
        self.is_set.store(true, Ordering::Relaxed);
    }
}
