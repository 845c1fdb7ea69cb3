//! What a protocol parser gets, and what it returns.
//!
//! A protocol implements [`Protocol`] for the state of one direction of a stream. It gets bytes
//! in order, reports what it finds in them to a [`Visitor`](super::Visitor), and returns a
//! [`Step`] each time. It depends neither on the caller nor on other protocols.

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
