//! What every sink does.

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
