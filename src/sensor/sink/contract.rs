//! What every sink does.

use super::records::Records;
use crate::Result;
use crate::sensor::halt::Halt;

/// A place that takes encoded alerts.
pub trait Sink: Send {
    /// Takes records.
    ///
    /// # Errors
    ///
    /// When the output can't be written; then none of the records were taken. A
    /// reader that went away is [`Error::is_broken_pipe`](crate::Error::is_broken_pipe).
    fn write(&mut self, records: &Records) -> Result<()>;

    /// Passes on everything that was taken.
    ///
    /// # Errors
    ///
    /// When the output can't be written. What was taken is kept, and the next
    /// call goes on where this one failed.
    fn flush(&mut self) -> Result<()>;

    /// How many of the records that were taken are not passed on yet: all those before them
    /// are safe with whatever the sink writes to.
    fn waiting(&self) -> u64 {
        0
    }

    /// Waits for the reader of a stream no longer than shortly after the halt: records that it
    /// has not taken by then are an error. What reaches it is whole records.
    fn until(&mut self, halt: &Halt) {
        let _ = halt;
    }

    /// Drops the records that were taken and could not be passed on; returns their number.
    fn give_up(&mut self) -> u64 {
        0
    }

    /// Reopens the output under its name, if that now means another file: `end` is then written
    /// to the old one and `begin` to the new one. Returns whether it was reopened. What the old
    /// file could not take goes to the new one.
    ///
    /// # Errors
    ///
    /// When the file can't be opened; the old one then stays.
    fn reopen(&mut self, end: &[u8], begin: &[u8]) -> Result<bool> {
        let _ = (end, begin);
        Ok(false)
    }
}
