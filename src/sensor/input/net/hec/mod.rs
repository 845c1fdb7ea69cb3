//! A receiver for Splunk's HTTP Event Collector protocol, which most log shippers can send to.
//!
//! | path below `/services/collector` | accepts |
//! | --- | --- |
//! | nothing, `/event`, `/event/1.0` | JSON objects, one after the other, without separators |
//! | `/raw`, `/raw/1.0` | lines |
//! | `/ack` | asks which batches are safe |
//! | `/health`, `/health/1.0` | nothing: it responds whether there is room |
//!
//! A client that names a channel gets an identifier for each request, which is reported as safe
//! once [`NetInput::safe`](super::NetInput::safe) was called for it; until then the client keeps
//! the data. Other clients get a response when the lines are in the queue. If there is no room for
//! five seconds, the response is 503, code 9, and clients retry.

mod acks;
mod collector;
mod objects;

pub use collector::Collector;
pub use objects::{Invalid, read_objects};
