//! Standard output.

use super::buffered::Buffered;
use super::contract::Sink;
use super::records::Records;
use crate::Result;
use crate::sensor::halt::Halt;
use std::io;

/// Writes alerts to standard output. Each write holds its lock, so anything else that the process
/// prints comes between records and never inside one.
pub struct StdoutSink(Buffered<io::Stdout>);

impl StdoutSink {
    /// A sink on the standard output of this process.
    pub fn new() -> Self {
        StdoutSink(Buffered::new(io::stdout(), "standard output".into()))
    }
}

impl Default for StdoutSink {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink for StdoutSink {
    fn write(&mut self, records: &Records) -> Result<()> {
        self.0.write(records)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }

    fn waiting(&self) -> u64 {
        self.0.waiting()
    }

    fn until(&mut self, halt: &Halt) {
        self.0.until(halt);
    }

    fn give_up(&mut self) -> u64 {
        self.0.give_up()
    }
}
