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
mod stdout;

pub use file::FileSink;
pub use stdout::StdoutSink;

use crate::Result;

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
}
