//! One direction of a connection, of either HTTP version.

use super::context::HttpContext;
use super::framing::{self, Framing};
use super::http2::{self, Direction};
use super::lines::is_head;
use super::requests::Requests;
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::view::{Ports, Visitor};

/// One direction of a connection.
#[derive(Debug)]
pub(in crate::engine::packet) enum Side {
    One(Framing),
    Two(Box<Direction>),
}

impl Protocol for Side {
    type Session = Requests;

    fn probe(data: &[u8], opening: &Opening, _: &impl Slot<Requests>) -> Probe<Self> {
        http2::probe(data, opening.is_synced)
            .map(Side::Two)
            .or_else(|| framing::probe(data).map(Side::One))
    }

    fn probe_all(data: &[u8]) -> Option<Self> {
        is_head(data).then(|| Side::One(Framing::default()))
    }

    fn begins(data: &[u8], _: Ports) -> bool {
        is_head(data) || http2::begins(data)
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Requests>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let mut context = HttpContext::new(session.begin(), context);
        match self {
            Side::One(framing) => {
                if framing.is_at_head(data, &context) {
                    // The server may have switched to HTTP/2.
                    match http2::probe(data, true) {
                        Probe::Is(mut direction) => {
                            direction.set_upgraded();
                            *self = Side::Two(direction);
                            return Step::Again;
                        }
                        Probe::Maybe(wants) => return Step::Wait(wants),
                        Probe::No => {}
                    }
                }
                framing.step(data, &mut context)
            }
            Side::Two(direction) => direction.step(data, &mut context),
        }
    }

    fn gap<V: Visitor>(
        &mut self,
        length: u64,
        session: &mut impl Slot<Requests>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        match self {
            Side::One(framing) => framing.gap(length),
            Side::Two(direction) => {
                direction.gap(length, &mut HttpContext::new(session.begin(), context))
            }
        }
    }

    fn finish<V: Visitor>(
        self,
        data: &[u8],
        session: &mut impl Slot<Requests>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        let mut context = HttpContext::new(session.begin(), context);
        match self {
            Side::One(mut framing) => framing.finish(data, &mut context),
            Side::Two(mut direction) => direction.finish(&mut context),
        }
    }

    fn weight(&self) -> usize {
        match self {
            Side::One(framing) => framing.weight(),
            Side::Two(direction) => direction.weight(),
        }
    }
}
