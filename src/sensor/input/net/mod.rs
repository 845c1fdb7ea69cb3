//! Network inputs, and inputs from local programs: syslog, lines over sockets, HEC, the journal.
//!
//! ```
//! use std::io::Write as _;
//! use std::time::Duration;
//! use wiresift::sensor::input::net::{Next, Receive};
//! use wiresift::sensor::listen::Activated;
//!
//! let receive = Receive::syslog(vec!["tcp://127.0.0.1:0".parse()?]);
//! let mut intake = receive.start(&mut Activated::default())?;
//! let mut sender = std::net::TcpStream::connect(intake.addresses()[0]).unwrap();
//! sender.write_all(b"<13>Nov 29 10:00:00 web1 sshd[7]: from 192.0.2.7\n").unwrap();
//! let Next::Batch(batch) = intake.next(Duration::from_secs(20)) else { panic!("it was sent") };
//! assert_eq!(batch.bytes, b"from 192.0.2.7\n");
//! assert_eq!(batch.lines[0].host.as_deref(), Some("web1"));
//! intake.safe(batch.position);
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! Each input is an [`Intake`]: threads that receive, and a bounded queue of [`Batch`]es, which are
//! lines with their senders. The matching thread calls [`Intake::next`], and then [`Intake::safe`]
//! when the results of a batch can no longer be lost.
//!
//! | input | when the queue is full | what is lost at a crash |
//! | --- | --- | --- |
//! | [`Receive`]: TCP, TLS, unix streams | is not read, so that senders wait | what was read: these protocols don't acknowledge |
//! | [`Receive`]: UDP | the kernel drops; counted | what was received |
//! | [`hec::Collector`] | 503, and clients retry | nothing with acknowledgements |
//! | [`journal::Journal`] | is not read | nothing: [`Batch::cursor`] is where to resume |
//! | `kafka::Topics` | is not read | nothing: the same, for each partition |
//!
//! This room does not know what is searched for in the lines.

mod batch;
mod drops;
pub mod hec;
mod intake;
pub mod journal;
#[cfg(feature = "kafka")]
pub mod kafka;
mod receive;
pub mod syslog;
#[cfg(test)]
mod tests;

pub use batch::{Batch, FULL, Line};
pub use intake::{Count, Intake, IntakeView, Next, PartitionView, QUEUE};
pub use receive::{Format, Receive};
