//! Where alerts go: standard output and files.
//!
//! A [`Sink`] takes encoded [`Records`] and hands them on whole: what
//! reaches the operating system in one write ends where a record ends, so that
//! several writers to one file, or a reader that stops midway, never see half an
//! alert. Records are gathered in a buffer; whoever feeds a sink calls
//! [`flush`](Sink::flush) when there is nothing to do, and alerts appear at once
//! on a quiet line and cost few system calls on a busy one.
//!
//! This room knows nothing of scanning. It never drops a record silently: one
//! that it can't take is an error, and stays the caller's.

mod buffered;
mod contract;
mod file;
mod gate;
mod records;
mod rotating;
mod stdout;

pub use contract::Sink;
pub use file::FileSink;
pub use records::Records;
pub use rotating::{RotatingSink, Rotation};
pub use stdout::StdoutSink;
