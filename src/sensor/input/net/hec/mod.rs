//! The HTTP event collector of Splunk, as a receiver: most shippers can send to one.
//!
//! | path below `/services/collector` | takes |
//! | --- | --- |
//! | nothing, `/event`, `/event/1.0` | objects of JSON, one after the other, with nothing between them |
//! | `/raw`, `/raw/1.0` | lines |
//! | `/ack` | asks which batches are safe |
//! | `/health`, `/health/1.0` | nothing: it answers whether there is room |
//!
//! A client that names a channel gets an identifier for each request, and is told that it is safe
//! once [`Intake::safe`](super::Intake::safe) has said so; until then it keeps what it sent. One
//! that does not is answered when the lines are in the queue. When there is no room for five
//! seconds, the answer is 503, code 9, and clients come again.

mod acks;
mod collector;
mod objects;

pub use collector::Collector;
pub use objects::{Invalid, read_objects};
