//! What HTTP parsers get.

use super::requests::Requests;
use crate::engine::packet::contract::ParseContext;
use crate::engine::packet::counters::Counters;
use crate::engine::packet::payload::coding::InflateBudget;
use crate::engine::packet::payload::ranges::Ranges;
use crate::engine::packet::view::Packet;

/// The general parse context, and the requests of the connection.
pub(in crate::engine::packet) struct HttpContext<'c, 'p, V> {
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
    /// Scratch space for assembled URLs.
    pub(in crate::engine::packet) url: &'c mut Vec<u8>,
    pub(in crate::engine::packet) ranges: &'c mut Ranges,
    pub(in crate::engine::packet) budget: &'c InflateBudget,
    pub(in crate::engine::packet) reads_unknown: bool,
    pub(in crate::engine::packet) is_ended: bool,
    /// The requests without a response.
    pub(in crate::engine::packet) requests: &'c mut Requests,
}

impl<'c, 'p, V> HttpContext<'c, 'p, V> {
    pub(in crate::engine::packet) fn new(
        requests: &'c mut Requests,
        context: &'c mut ParseContext<'_, 'p, V>,
    ) -> Self {
        HttpContext {
            packet: context.packet,
            visitor: context.visitor,
            counters: context.counters,
            url: context.url,
            ranges: context.ranges,
            budget: context.budget,
            reads_unknown: context.reads_unknown,
            is_ended: context.is_ended,
            requests,
        }
    }
}
