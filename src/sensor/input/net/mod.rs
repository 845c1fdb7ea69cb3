//! Network inputs, and inputs from local programs: syslog, lines over sockets, HEC, the journal.
//!
//! ```
//! use std::io::Write as _;
//! use std::time::Duration;
//! use wiresift::sensor::input::net::{Next, Receive};
//! use wiresift::sensor::listen::Activated;
//!
//! let receive = Receive::syslog(vec!["tcp://127.0.0.1:0".parse()?]);
//! let mut net_input = receive.start(&mut Activated::default())?;
//! let mut sender = std::net::TcpStream::connect(net_input.addresses()[0]).unwrap();
//! sender.write_all(b"<13>Nov 29 10:00:00 web1 sshd[7]: from 192.0.2.7\n").unwrap();
//! let Next::Batch(batch) = net_input.next(Duration::from_secs(20)) else { panic!("it was sent") };
//! assert_eq!(batch.bytes, b"from 192.0.2.7\n");
//! assert_eq!(batch.lines[0].host.as_deref(), Some("web1"));
//! net_input.safe(batch.position);
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! Each input is a [`NetInput`]: threads that receive, and a bounded queue of [`Batch`]es, which
//! are lines with their senders. The matching thread calls [`NetInput::next`], and then
//! [`NetInput::safe`] when the results of a batch can no longer be lost.
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
pub mod journal;
#[cfg(feature = "kafka")]
pub mod kafka;
mod net_input;
mod receive;
pub mod syslog;
#[cfg(test)]
mod tests;

pub use batch::{Batch, FULL, Line};
pub use net_input::{Count, NetInput, NetInputView, Next, PartitionView, QUEUE};
pub use receive::{Format, Receive};
