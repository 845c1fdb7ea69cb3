//! Buffers records for a writer.

use super::gate::Gate;
use super::records::{Pending, Records};
use crate::sensor::halt::Halt;
use crate::{Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Seek as _, Write};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;

/// Large enough that the cost of a system call is small.
const CAPACITY: usize = 64 * 1024;

/// What records are written to.
pub(super) trait Target: Write {
    /// Removes the last written bytes again, if possible.
    fn cut_back(&mut self, bytes: usize) -> bool {
        let _ = bytes;
        false
    }

    /// The descriptor, if writing to it may block until someone reads.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl Target for std::io::Stdout {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.as_fd())
    }
}

impl Target for File {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.as_fd())
    }

    fn cut_back(&mut self, bytes: usize) -> bool {
        let mut cut = || -> std::io::Result<bool> {
            let length = self.metadata()?.len();
            // Another process may have written after us, or emptied the file.
            let is_ours = self.metadata()?.is_file() && self.stream_position()? == length;
            let Some(length) = length.checked_sub(bytes as u64).filter(|_| is_ours) else {
                return Ok(false);
            };
            self.set_len(length).map(|()| true)
        };
        cut().unwrap_or(false)
    }
}

/// Collects complete records and writes them in few calls.
pub(super) struct Buffered<W: Target> {
    inner: W,
    /// The name used in errors.
    path: PathBuf,
    pending: Pending,
    /// For a stream, which is not waited for forever.
    gate: Option<Gate>,
}

impl<W: Target> Buffered<W> {
    pub(super) fn new(inner: W, path: PathBuf) -> Self {
        Buffered { inner, path, pending: Pending::with_capacity(CAPACITY), gate: None }
    }

    /// Stops waiting for a reader shortly after the halt.
    pub(super) fn until(&mut self, halt: &Halt) {
        self.gate = self.inner.descriptor().and_then(|stream| Gate::of(stream, halt));
    }

    /// Takes records, after making room for them.
    pub(super) fn write(&mut self, records: &Records) -> Result<()> {
        if self.pending.bytes().len() + records.bytes().len() > CAPACITY {
            self.drain()?;
        }
        self.pending.push(records);
        Ok(())
    }

    /// Passes everything on, through the writer's own buffer if it has one.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.drain()?;
        self.inner.flush().map_err(|e| Error::io("write", e).at_path(&self.path))
    }

    /// The number of records that were taken and are not written.
    pub(super) fn waiting(&self) -> u64 {
        self.pending.count()
    }

    /// Switches to another writer, also for what is pending. `begin` is written before that.
    pub(super) fn turn_to(&mut self, inner: W, begin: &[u8]) {
        self.inner = inner;
        self.pending.begin_with(begin);
    }

    /// Drops what is pending; returns the number of records.
    pub(super) fn give_up(&mut self) -> u64 {
        let count = self.pending.count();
        self.pending.clear();
        count
    }

    /// Writes what is pending. After a failure exactly what was not written is still pending, so
    /// that trying again neither repeats nor tears a record. An incomplete record is removed, if
    /// possible, because its rest may never be written.
    fn drain(&mut self) -> Result<()> {
        let mut written = 0;
        let outcome = loop {
            let rest = &self.pending.bytes()[written..];
            if rest.is_empty() {
                break Ok(());
            }
            let room = match (&mut self.gate, self.inner.descriptor()) {
                (Some(gate), Some(stream)) => gate.room(stream, &self.pending, written),
                _ => Ok(rest.len()),
            };
            match room.and_then(|room| self.inner.write(&rest[..room])) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(e) if e.kind() == ErrorKind::Interrupted => (),
                Err(e) => break Err(e),
            }
        };
        if outcome.is_err() {
            let whole = self.pending.whole(0, written);
            if whole < written && self.inner.cut_back(written - whole) {
                written = whole;
            }
        }
        self.pending.drain(written);
        outcome.map_err(|e| Error::io("write", e).at_path(&self.path))
    }
}

/// A last attempt: a caller that cares about errors has flushed before.
impl<W: Target> Drop for Buffered<W> {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::lines;
    use super::*;
    use std::io;

    /// Takes three bytes at a time, and fails while `broken`.
    #[derive(Default)]
    struct Slow {
        taken: Vec<u8>,
        broken: Option<ErrorKind>,
    }

    impl Target for &mut Slow {}

    impl Write for &mut Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.taken.len() > 3
                && let Some(kind) = self.broken.take()
            {
                return Err(kind.into());
            }
            let count = bytes.len().min(3);
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_flush_goes_on_where_it_stopped() {
        let mut slow = Slow { broken: Some(ErrorKind::StorageFull), ..Slow::default() };
        let mut buffered = Buffered::new(&mut slow, "disk".into());
        buffered.write(&lines(b"one\ntwo\nthree\n")).unwrap();
        let error = buffered.flush().unwrap_err();
        assert!(error.to_string().starts_with("disk: cannot write: "), "{error}");
        buffered.flush().unwrap();
        drop(buffered);
        assert_eq!(slow.taken, b"one\ntwo\nthree\n");
    }

    #[test]
    fn a_reader_that_went_away_is_known() {
        let mut slow = Slow { taken: vec![0; 4], broken: Some(ErrorKind::BrokenPipe) };
        let mut buffered = Buffered::new(&mut slow, "-".into());
        buffered.write(&lines(b"one\n")).unwrap();
        assert!(buffered.flush().unwrap_err().is_broken_pipe());
    }

    #[test]
    fn interruptions_are_no_errors_and_nothing_is_written_early() {
        let mut slow = Slow { broken: Some(ErrorKind::Interrupted), ..Slow::default() };
        let mut buffered = Buffered::new(&mut slow, "-".into());
        buffered.write(&lines(&[b'x'; 100])).unwrap();
        assert!(buffered.inner.taken.is_empty());
        buffered.write(&lines(&[b'y'; CAPACITY])).unwrap();
        assert_eq!(buffered.inner.taken, [b'x'; 100]);
        drop(buffered);
        assert_eq!(slow.taken.len(), 100 + CAPACITY);
    }
}
