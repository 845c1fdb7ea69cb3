//! Where alerts go: standard output and files.
//!
//! A [`Sink`] takes whole records, encoded already, and hands them on whole: what
//! reaches the operating system in one write ends where a record ends, so that
//! several writers to one file, or a reader that stops midway, never see half an
//! alert. Records are gathered in a buffer; whoever feeds a sink calls
//! [`flush`](Sink::flush) when there is nothing to do, and alerts appear at once
//! on a quiet line and cost few system calls on a busy one.
//!
//! This room knows nothing of scanning. It never drops a record silently: one
//! that it can't take is an error, and stays the caller's.

mod buffered;
mod file;
mod gate;
mod records;
mod stdout;

pub use file::FileSink;
pub use stdout::StdoutSink;

use crate::Result;
use crate::sensor::halt::Halt;

/// A place that takes encoded alerts.
pub trait Sink: Send {
    /// Takes records, each of which is complete.
    ///
    /// # Errors
    ///
    /// When the output can't be written; then the records were not taken. A
    /// reader that went away is [`Error::is_broken_pipe`](crate::Error::is_broken_pipe).
    fn write(&mut self, records: &[u8]) -> Result<()>;

    /// Passes on everything that was taken.
    ///
    /// # Errors
    ///
    /// When the output can't be written. What was taken is kept, and the next
    /// call goes on where this one failed.
    fn flush(&mut self) -> Result<()>;

    /// Bytes that were taken and could not be passed on yet.
    fn pending(&self) -> usize {
        0
    }

    /// Waits for whoever reads a stream no longer than shortly after the halt: then records that
    /// it did not take are an error. What reaches it is whole records.
    fn until(&mut self, halt: &Halt) {
        let _ = halt;
    }

    /// Drops what was taken and could not be passed on; returns how many records that are.
    fn give_up(&mut self) -> u64 {
        0
    }

    /// Opens the output again under its name, if that means another file by now: then `end` is
    /// written to the old one and `begin` to the new one. Returns whether it does. What the old
    /// one could not take goes to the new one.
    ///
    /// # Errors
    ///
    /// When the file can't be opened; the old one then stays.
    fn reopen(&mut self, end: &[u8], begin: &[u8]) -> Result<bool> {
        let _ = (end, begin);
        Ok(false)
    }
}
