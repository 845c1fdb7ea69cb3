//! The trait that protocols implement.

use super::context::ParseContext;
use super::expectations::End;
use super::probe::{Opening, Probe};
use super::session::{Session, Slot};
use super::step::Step;
use crate::engine::packet::view::{Ports, Visitor};
use std::net::IpAddr;

/// A protocol over TCP: the state of one direction of a stream, which parses it.
///
/// Time must be linear in the bytes and memory bounded, whatever is sent. Only [`probe`] and
/// [`step`] are required.
///
/// [`probe`]: Protocol::probe
/// [`step`]: Protocol::step
pub(in crate::engine::packet) trait Protocol: Sized {
    /// What both directions of a connection share; `()` if nothing.
    type Session: Session;

    /// Looks for the protocol in the first bytes of a direction. More bytes may be requested.
    fn probe(data: &[u8], opening: &Opening, session: &impl Slot<Self::Session>) -> Probe<Self>;

    /// Looks for it when no more bytes will come, after [`probe`](Protocol::probe) requested
    /// more.
    fn probe_all(data: &[u8]) -> Option<Self> {
        let _ = data;
        None
    }

    /// Whether a segment begins with it, in the middle of an unidentified stream. This is called
    /// for every such segment, so it must be cheap and certain.
    fn begins(data: &[u8], ports: Ports) -> bool {
        let _ = (data, ports);
        false
    }

    /// The end at which data announces that another connection will be accepted.
    fn announced(data: &[u8]) -> Option<(IpAddr, u16)> {
        let _ = data;
        None
    }

    /// Creates the parser of an announced connection.
    fn expected(end: End, is_synced: bool) -> Option<Self> {
        let _ = (end, is_synced);
        None
    }

    /// Continues parsing. `data` is not empty; what is not consumed of it is passed again.
    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step;

    /// A number of bytes, after those that were passed and not consumed, is missing. Returns
    /// whether the parser can continue after them; otherwise it is finished.
    fn gap<V: Visitor>(
        &mut self,
        length: u64,
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        let _ = (length, session, context);
        false
    }

    /// Parses what there is of a message that does not continue.
    fn finish<V: Visitor>(
        self,
        data: &[u8],
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        let _ = (data, session, context);
    }

    /// The other end sends nothing more, and had not received all of this direction by then.
    fn leave(&mut self) {}

    /// Bytes held in addition to the stream's own buffer.
    fn weight(&self) -> usize {
        0
    }
}

/// A state that is too large to be part of every stream.
impl<P: Protocol> Protocol for Box<P> {
    type Session = P::Session;

    fn probe(data: &[u8], opening: &Opening, session: &impl Slot<Self::Session>) -> Probe<Self> {
        P::probe(data, opening, session).map(Box::new)
    }

    fn probe_all(data: &[u8]) -> Option<Self> {
        P::probe_all(data).map(Box::new)
    }

    fn begins(data: &[u8], ports: Ports) -> bool {
        P::begins(data, ports)
    }

    fn announced(data: &[u8]) -> Option<(IpAddr, u16)> {
        P::announced(data)
    }

    fn expected(end: End, is_synced: bool) -> Option<Self> {
        P::expected(end, is_synced).map(Box::new)
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        P::step(self, data, session, context)
    }

    fn gap<V: Visitor>(
        &mut self,
        length: u64,
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        P::gap(self, length, session, context)
    }

    fn finish<V: Visitor>(
        self,
        data: &[u8],
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        P::finish(*self, data, session, context);
    }

    fn leave(&mut self) {
        P::leave(self);
    }

    fn weight(&self) -> usize {
        size_of::<P>() + P::weight(self)
    }
}
