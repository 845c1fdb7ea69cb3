//! What a parser of a protocol gets, and what it answers.
//!
//! A protocol implements [`Protocol`] for the state of one direction of a stream. It is shown
//! bytes in their order, tells a [`Visitor`](super::Visitor) what it finds in them, and answers
//! each time with a [`Step`]. It knows neither who asks nor which other protocols there are.

mod context;
pub(super) mod expectations;
mod probe;
mod protocol;
mod session;
mod step;

pub(super) use context::{ParseContext, Shared, StreamContext};
pub(super) use probe::{Opening, Probe};
pub(super) use protocol::Protocol;
pub(super) use session::{Session, Slot};
pub(super) use step::Step;
