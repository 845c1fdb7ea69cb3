//! What a protocol says about itself in the packet of an observable.

use super::file::FileFacts;
use crate::engine::indicator::Protocol;
use std::fmt;

/// A message of a protocol, as an alert describes it.
///
/// It is borrowed from the packet; the owned form is only made for a hit.
pub trait MessageFacts: fmt::Debug {
    /// The owned form, for an alert.
    fn owned(&self) -> Protocol;
}

/// What a protocol says about itself in the packet of an observable.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ProtocolFacts<'a> {
    /// Nothing: an observable of the packet's headers.
    None,
    /// A message, or a part of one.
    Message(&'a dyn MessageFacts),
    /// The head of a message that names a host in several of its fields, as requests and
    /// responses of HTTP do.
    Head(&'a dyn MessageFacts),
    /// A file that is transferred.
    File(FileFacts<'a>),
}

impl ProtocolFacts<'_> {
    /// The owned form, for an alert.
    pub fn protocol(&self) -> Option<Protocol> {
        match self {
            ProtocolFacts::None => None,
            ProtocolFacts::Message(facts) | ProtocolFacts::Head(facts) => Some(facts.owned()),
            ProtocolFacts::File(file) => Some(Protocol::File(file.owned())),
        }
    }
}
