//! What every sink does.

use super::records::Records;
use crate::Result;
use crate::sensor::halt::Halt;

/// A destination of encoded alerts.
pub trait Sink: Send {
    /// Takes records.
    ///
    /// # Errors
    ///
    /// If the output can't be written; then none of the records were taken. A reader that went away
    /// is [`Error::is_broken_pipe`](crate::Error::is_broken_pipe).
    fn write(&mut self, records: &Records) -> Result<()>;

    /// Passes on everything that was taken.
    ///
    /// # Errors
    ///
    /// If the output can't be written. What was taken is kept, and the next call continues where
    /// this one failed.
    fn flush(&mut self) -> Result<()>;

    /// How many of the taken records are not passed on yet: all records before them have reached
    /// the destination.
    fn waiting(&self) -> u64 {
        0
    }

    /// Stops waiting for the reader of a stream shortly after the halt: if it has not taken all
    /// records by then, that is an error. It only receives complete records.
    fn until(&mut self, halt: &Halt) {
        let _ = halt;
    }

    /// Drops the records that were taken and could not be passed on; returns their number.
    fn give_up(&mut self) -> u64 {
        0
    }

    /// Reopens the output by name, if the name now leads to another file: `end` is then written to
    /// the old one and `begin` to the new one. Returns whether it was reopened. What the old file
    /// could not take goes to the new one.
    ///
    /// # Errors
    ///
    /// If the file can't be opened; the old one then stays in use.
    fn reopen(&mut self, end: &[u8], begin: &[u8]) -> Result<bool> {
        let _ = (end, begin);
        Ok(false)
    }
}
