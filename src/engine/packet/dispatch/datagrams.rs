//! The protocols over UDP.

use crate::engine::packet::config::Config;
use crate::engine::packet::contract::StreamContext;
use crate::engine::packet::counters::Counters;
use crate::engine::packet::payload::text;
use crate::engine::packet::protocol::{dhcp, dns, plain, proxy, quic, syslog, tftp};
use crate::engine::packet::view::Visitor;

/// Parses datagrams, and keeps the state of what continues in later ones.
#[derive(Debug)]
pub(in crate::engine::packet) struct Datagrams {
    quic: quic::Connections,
    tftp: tftp::Transfers,
}

impl Datagrams {
    pub(in crate::engine::packet) fn new(config: &Config) -> Self {
        Datagrams { quic: quic::Connections::new(config), tftp: tftp::Transfers::default() }
    }

    /// Parses a datagram with the first protocol that recognises it.
    pub(in crate::engine::packet) fn inspect<V: Visitor>(
        &mut self,
        payload: &[u8],
        context: &mut StreamContext<'_, '_, V>,
    ) {
        let StreamContext { packet, visitor, counters, shared } = context;
        let payload = proxy::strip(payload, packet, *visitor, counters);
        let is_known = payload.is_empty()
            || self.quic.inspect(payload, packet, *visitor, counters)
            || syslog::inspect(payload, packet, *visitor)
            || plain::inspect(payload, packet, *visitor)
            || self.tftp.inspect(payload, packet, *visitor, counters)
            || dhcp::inspect(payload, packet, *visitor, counters)
            || dns::inspect(payload, packet, *visitor, counters);
        if !is_known && shared.reads_unknown {
            text::show(payload, packet, *visitor);
        }
    }

    /// Drops the state of a flow.
    pub(in crate::engine::packet) fn remove(&mut self, flow_id: u64) {
        self.quic.remove(flow_id);
    }

    /// Nothing more comes.
    pub(in crate::engine::packet) fn finish(&mut self, counters: &mut Counters) {
        self.tftp.finish(counters);
    }
}
