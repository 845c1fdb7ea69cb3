//! What the parsers of HTTP get.

use super::requests::Requests;
use crate::engine::packet::contract::ParseContext;
use crate::engine::packet::counters::Counters;
use crate::engine::packet::payload::coding::InflateBudget;
use crate::engine::packet::payload::ranges::Ranges;
use crate::engine::packet::view::Packet;

/// What the contract gives, and the requests of the connection.
pub(super) struct Context<'c, 'p, V> {
    pub(super) packet: &'c Packet<'p>,
    pub(super) visitor: &'c mut V,
    pub(super) counters: &'c mut Counters,
    /// Scratch for URLs that are put together.
    pub(super) url: &'c mut Vec<u8>,
    pub(super) ranges: &'c mut Ranges,
    pub(super) credit: &'c InflateBudget,
    pub(super) reads_unknown: bool,
    pub(super) is_ended: bool,
    /// The requests that were not answered yet.
    pub(super) requests: &'c mut Requests,
}

impl<'c, 'p, V> Context<'c, 'p, V> {
    pub(super) fn new(
        requests: &'c mut Requests,
        context: &'c mut ParseContext<'_, 'p, V>,
    ) -> Self {
        Context {
            packet: context.packet,
            visitor: context.visitor,
            counters: context.counters,
            url: context.url,
            ranges: context.ranges,
            credit: context.credit,
            reads_unknown: context.reads_unknown,
            is_ended: context.is_ended,
            requests,
        }
    }
}
