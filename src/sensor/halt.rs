//! Work that can be ended from outside.
//!
//! Whoever reads a pipe may wait for months in one read, and whoever writes to one as long for a
//! reader. A [`Halt`] ends that: a pipe, a terminal or a socket is read or written only when it
//! is ready, and until then both it and the halt are waited for.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether work is to end. Clones end together.
#[derive(Clone, Debug, Default)]
pub struct Halt {
    is_set: Arc<AtomicBool>,
    /// Readable once it is set, for those who wait.
    wake: Option<Arc<UnixStream>>,
}

/// Ends all work under its [`Halt`], once.
#[derive(Debug)]
pub struct Stopper {
    is_set: Arc<AtomicBool>,
    _wake: UnixStream,
}

impl Halt {
    /// A halt, and what sets it. The default is one that is never set.
    ///
    /// # Errors
    ///
    /// When the system has no more descriptors.
    pub fn new() -> io::Result<(Halt, Stopper)> {
        let (wake, other) = UnixStream::pair()?;
        let is_set = Arc::new(AtomicBool::new(false));
        let stopper = Stopper { is_set: Arc::clone(&is_set), _wake: other };
        Ok((Halt { is_set, wake: Some(Arc::new(wake)) }, stopper))
    }

    /// One that is set from the beginning.
    #[cfg(feature = "daemon")]
    pub(crate) fn ended() -> Halt {
        // Without a wake nobody waits for anything: that is for those that look first.
        let ended = Halt::new().map(|(halt, stopper)| {
            stopper.stop();
            halt
        });
        ended.unwrap_or_else(|_| Halt { is_set: Arc::new(AtomicBool::new(true)), wake: None })
    }

    /// Whether work is to end.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    /// Whether anybody could set it.
    pub(crate) fn is_possible(&self) -> bool {
        self.wake.is_some()
    }

    /// Waits until a descriptor has something to read, or it is time to end; returns whether it
    /// has.
    pub(crate) fn wait_to_read(&self, fd: impl AsFd) -> io::Result<bool> {
        if self.wake.is_none() {
            return Ok(true);
        }
        self.wait(Some((fd.as_fd(), PollFlags::IN)), None)
    }

    /// Waits for so long until a descriptor has something to read, or it is time to end; returns
    /// whether it has. A signal may end it before, too.
    pub(crate) fn wait_to_read_within(&self, fd: impl AsFd, most: &Timespec) -> io::Result<bool> {
        self.wait(Some((fd.as_fd(), PollFlags::IN)), Some(most))
    }

    /// Waits until a descriptor takes something, or it is time to end; returns whether it does.
    pub(crate) fn wait_to_write(&self, fd: impl AsFd) -> io::Result<bool> {
        self.wait(Some((fd.as_fd(), PollFlags::OUT)), None)
    }

    /// Waits for so long, but no longer than until it is time to end.
    pub(crate) fn pause(&self, most: Timespec) -> io::Result<()> {
        self.wait(None, Some(&most)).map(drop)
    }

    fn wait(
        &self,
        other: Option<(BorrowedFd<'_>, PollFlags)>,
        most: Option<&Timespec>,
    ) -> io::Result<bool> {
        let wake = self.wake.as_ref().map(|wake| (wake.as_fd(), PollFlags::IN));
        let all = other.into_iter().chain(wake);
        let mut all: Vec<_> = all.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)).collect();
        match poll(&mut all, most) {
            Ok(_) => Ok(other.is_some() && !all[0].revents().is_empty()),
            // A signal, which may come before what it asks for: a read would wait for ever.
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Waits for so long until a descriptor takes something; returns whether it does.
pub(crate) fn takes_within(fd: impl AsFd, most: Timespec) -> io::Result<bool> {
    let fd = fd.as_fd();
    match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], Some(&most)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Stopper {
    /// Ends it: the other end of the wake is closed, which wakes everybody.
    pub fn stop(self) {
        self.is_set.store(true, Ordering::Relaxed);
    }
}
