//! Records on their way to a writer.

use crate::{Error, Result};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

/// Enough that a system call is cheap beside its bytes.
const CAPACITY: usize = 64 * 1024;

/// Gathers whole records and writes them in few calls.
pub(super) struct Buffered<W: Write> {
    inner: W,
    /// Named in errors.
    path: PathBuf,
    pending: Vec<u8>,
}

impl<W: Write> Buffered<W> {
    pub(super) fn new(inner: W, path: PathBuf) -> Self {
        Buffered { inner, path, pending: Vec::with_capacity(CAPACITY) }
    }

    /// Takes records, after making room for them.
    pub(super) fn write(&mut self, records: &[u8]) -> Result<()> {
        if self.pending.len() + records.len() > CAPACITY {
            self.drain()?;
        }
        self.pending.extend_from_slice(records);
        Ok(())
    }

    /// Passes everything on, through whatever buffer the writer has itself.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.drain()?;
        self.inner.flush().map_err(|e| Error::io("write", e).at_path(&self.path))
    }

    /// Writes what is pending. After a failure exactly what was not written is
    /// pending still, so that trying again neither repeats nor tears a record.
    fn drain(&mut self) -> Result<()> {
        let mut written = 0;
        let outcome = loop {
            let rest = &self.pending[written..];
            if rest.is_empty() {
                break Ok(());
            }
            match self.inner.write(rest) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(e) if e.kind() == ErrorKind::Interrupted => (),
                Err(e) => break Err(e),
            }
        };
        self.pending.drain(..written);
        outcome.map_err(|e| Error::io("write", e).at_path(&self.path))
    }
}

/// The last chance: a caller that cares for errors has flushed before.
impl<W: Write> Drop for Buffered<W> {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// Takes three bytes at a time, and fails while `broken`.
    #[derive(Default)]
    struct Slow {
        taken: Vec<u8>,
        broken: Option<ErrorKind>,
    }

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
        buffered.write(b"one\ntwo\nthree\n").unwrap();
        let error = buffered.flush().unwrap_err();
        assert!(error.to_string().starts_with("disk: write: "), "{error}");
        buffered.flush().unwrap();
        drop(buffered);
        assert_eq!(slow.taken, b"one\ntwo\nthree\n");
    }

    #[test]
    fn a_reader_that_went_away_is_known() {
        let mut slow = Slow { taken: vec![0; 4], broken: Some(ErrorKind::BrokenPipe) };
        let mut buffered = Buffered::new(&mut slow, "-".into());
        buffered.write(b"one\n").unwrap();
        assert!(buffered.flush().unwrap_err().is_broken_pipe());
    }

    #[test]
    fn interruptions_are_no_errors_and_nothing_is_written_early() {
        let mut slow = Slow { broken: Some(ErrorKind::Interrupted), ..Slow::default() };
        let mut buffered = Buffered::new(&mut slow, "-".into());
        buffered.write(&[b'x'; 100]).unwrap();
        assert!(buffered.inner.taken.is_empty());
        buffered.write(&[b'y'; CAPACITY]).unwrap();
        assert_eq!(buffered.inner.taken, [b'x'; 100]);
        drop(buffered);
        assert_eq!(slow.taken.len(), 100 + CAPACITY);
    }
}
