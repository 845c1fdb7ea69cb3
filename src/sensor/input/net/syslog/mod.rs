//! Syslog as it is received: frames of a stream, and messages in frames.
//!
//! ```
//! use wiresift::sensor::input::net::syslog::{Clock, Framer, Message};
//!
//! let mut framer = Framer::default();
//! let mut hosts = Vec::new();
//! let mut each = |frame: wiresift::sensor::input::net::syslog::Frame<'_>| {
//!     let message = Message::parse(frame.bytes, &Clock::default());
//!     hosts.push(message.host.map(<[u8]>::to_vec));
//! };
//! // A line, and a counted frame, in two segments.
//! framer.push(b"<13>Nov 29 10:00:00 one app: text\n29 ", &mut each).unwrap();
//! framer.push(b"<13>1 - two app - - - message", &mut each).unwrap();
//! assert_eq!(hosts, [Some(b"one".to_vec()), Some(b"two".to_vec())]);
//! ```

mod framing;
mod message;
mod time;

pub use framing::{Frame, Framer, Framing, InvalidCount, MAX_FRAME};
pub use message::{DEFAULT_FACILITY, DEFAULT_SEVERITY, Message, Values};
pub use time::Clock;
