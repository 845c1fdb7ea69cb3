//! The traffic between pairs of hosts: flows, and what is in them.
//!
//! All state here belongs to two hosts: their flows, their streams, the connections that one
//! announces to the other, the files that one has of the other. So the traffic of one pair of
//! hosts can be decoded without that of other pairs.

use super::flow::{Ended, Flows, Known, PacketFacts, SharedFlows, Touch};
use crate::engine::indicator::Timestamp;
use crate::engine::packet::config::Config;
use crate::engine::packet::contract::{Shared, StreamContext};
use crate::engine::packet::counters::{Counters, Fault};
use crate::engine::packet::dispatch::Datagrams;
use crate::engine::packet::stream::{Stamp, Streams};
use crate::engine::packet::view::{Close, Order, Packet, Ports, Visitor};
use crate::engine::packet::wire::layers::{IpPacket, Part};
use crate::engine::packet::wire::transport::{self, Segment};
use std::sync::Arc;

/// The share of the bytes for streams that files in ranges may use.
const RANGES_SHARE: usize = 4;

/// Decodes the packets of pairs of hosts.
#[derive(Debug)]
pub(in crate::engine::packet) struct Hosts {
    flows: Flows,
    pub(in crate::engine::packet) streams: Streams,
    datagrams: Datagrams,
    pub(in crate::engine::packet) counters: Counters,
    /// What the streams share.
    pub(in crate::engine::packet) shared: Shared,
    /// Disables the fast path for segments.
    #[cfg(test)]
    pub(in crate::engine::packet) is_careful: bool,
}

impl Hosts {
    pub(in crate::engine::packet) fn new(config: &Config) -> Self {
        Hosts {
            flows: Flows::new(config),
            streams: Streams::new(config),
            datagrams: Datagrams::new(config),
            counters: Counters::default(),
            shared: Shared::new(config.max_stream_bytes / RANGES_SHARE, config.unknown_text),
            #[cfg(test)]
            is_careful: false,
        }
    }

    /// As [`Decoder::share_flows`](crate::engine::packet::Decoder::share_flows).
    pub(in crate::engine::packet) fn share_flows(&mut self, flows: Arc<SharedFlows>) {
        self.flows.share(flows);
    }

    /// Flows that are open.
    pub(in crate::engine::packet) fn open_flows(&self) -> usize {
        self.flows.len()
    }

    /// As [`Decoder::show_flows_again`](crate::engine::packet::Decoder::show_flows_again).
    pub(in crate::engine::packet) fn show_flows_again(&mut self) {
        self.flows.turn();
    }

    /// Closes the flows that are idle by `now`, if they were not searched just before. As
    /// [`Decoder::advance`](crate::engine::packet::Decoder::advance).
    pub(in crate::engine::packet) fn sweep<V: Visitor>(&mut self, now: Timestamp, visitor: &mut V) {
        let Hosts { flows, streams, datagrams, counters, shared, .. } = self;
        flows.sweep(now, &mut |ended| {
            datagrams.remove(ended.end.flow_id);
            close(ended, streams, counters, shared, visitor);
        });
    }

    /// As [`Decoder::finish`](crate::engine::packet::Decoder::finish).
    pub(in crate::engine::packet) fn finish<V: Visitor>(&mut self, visitor: &mut V) {
        self.datagrams.finish(&mut self.counters);
        let Hosts { flows, streams, datagrams, counters, shared, .. } = self;
        flows.finish(&mut |ended| {
            visitor.begins(Order::new(ended.end.totals.first, 0));
            datagrams.remove(ended.end.flow_id);
            close(ended, streams, counters, shared, visitor);
        });
        shared.ranges.clear(counters);
    }

    /// Whether there are so many open flows that prefetching them pays off.
    #[inline(always)]
    pub(in crate::engine::packet) fn is_large(&self) -> bool {
        self.flows.is_large()
    }

    /// Prefetches the table cell of a packet's flow: the first of two steps, a few packets apart.
    #[inline(always)]
    pub(in crate::engine::packet) fn prefetch(&self, unit: &IpPacket<'_>) -> u32 {
        let ports = match unit.payload {
            Ok([a, b, c, d, ..]) => [*a, *b, *c, *d],
            _ => [0; 4],
        };
        self.flows.prefetch(unit.src, unit.dst, unit.vlan_key, unit.proto, ports)
    }

    /// Prefetches the flow itself: the second step.
    #[inline(always)]
    pub(in crate::engine::packet) fn expect_flow(&self, hash: u32) {
        self.flows.expect_entry(hash);
    }

    /// Decodes the next packet.
    #[inline(always)]
    pub(in crate::engine::packet) fn take<V: Visitor>(
        &mut self,
        unit: &IpPacket<'_>,
        visitor: &mut V,
    ) {
        visitor.begins(unit.order());
        let segment = unit.segment();
        let facts = PacketFacts {
            number: unit.number,
            time: unit.time,
            length: unit.length,
            src: unit.src,
            dst: unit.dst,
            proto: unit.proto,
            ports: segment.ports,
            flags: segment.flags,
            vlan: unit.vlan_key,
            tunnel: unit.tunnel_key,
        };
        if unit.part == Part::Quoted {
            return self.quoted(unit, &segment, &facts, visitor);
        }
        if let Some(fault) = segment.fault {
            self.counters.note(fault);
        }
        let Hosts { flows, streams, counters, shared, .. } = self;
        let touch = flows.touch(&facts, &mut |ended| {
            close(ended, streams, counters, shared, visitor);
        });
        let has_contents = unit.part == Part::Whole && !unit.is_tunnel;
        if has_contents {
            // Counted once: fragments with their reassembled packet, a tunnel with the packet
            // inside.
            shared.budget.earn(segment.payload.len());
        }
        if touch.is_new || touch.is_wanted || touch.is_to_be_shown {
            let packet = self.packet(unit, segment.ports, &touch);
            self.show(&touch, &packet, visitor);
        }
        if has_contents && !self.pass(unit, &segment, &touch) {
            let packet = self.packet(unit, segment.ports, &touch);
            self.contents(&segment, unit.missing, &touch, &packet, visitor);
        }
    }

    /// Decodes a packet that an ICMP error quotes, if nothing else was seen of its flow.
    #[cold]
    fn quoted<V: Visitor>(
        &mut self,
        unit: &IpPacket<'_>,
        segment: &Segment<'_>,
        facts: &PacketFacts,
        visitor: &mut V,
    ) {
        // Anyone can forge an ICMP error, so a quote must not change an existing flow.
        if self.flows.knows(facts) {
            return;
        }
        let Hosts { flows, streams, counters, shared, .. } = self;
        let touch = flows.touch(facts, &mut |ended| {
            close(ended, streams, counters, shared, visitor);
        });
        let packet = self.packet(unit, segment.ports, &touch);
        self.show(&touch, &packet, visitor);
        if segment.payload.is_empty() {
            // Most quotes end with the ports.
        } else if unit.proto == transport::UDP && unit.missing == 0 {
            self.contents(segment, 0, &touch, &packet, visitor);
        } else {
            self.counters.note(Fault::QuoteNotRead);
        }
    }

    /// What a visitor gets of a packet.
    fn packet<'a>(&self, unit: &IpPacket<'a>, ports: Ports, touch: &Touch) -> Packet<'a> {
        let Known { flow_id, to_server, totals } = self.flows.known(touch);
        Packet {
            number: unit.number,
            time: unit.time,
            is_timed: unit.is_timed,
            length: unit.length,
            src: unit.src,
            dst: unit.dst,
            proto: unit.proto,
            ports,
            vlan: unit.vlan,
            tunnel: unit.tunnel,
            flow_id,
            to_server,
            totals,
        }
    }

    /// Reports a packet of a flow that is new, wanted, or to be reported again.
    fn show<V: Visitor>(&mut self, touch: &Touch, packet: &Packet<'_>, visitor: &mut V) {
        self.counters.flows += u64::from(touch.is_new);
        if touch.is_wanted && !touch.is_new {
            visitor.flow_continued(packet);
        } else {
            let is_wanted = visitor.flow_opened(packet);
            self.flows.set_wanted(touch, is_wanted);
        }
    }

    /// Whether there is no payload to decode; most packets are like that.
    #[inline(always)]
    fn pass(&mut self, unit: &IpPacket<'_>, segment: &Segment<'_>, touch: &Touch) -> bool {
        #[cfg(test)]
        if self.is_careful && unit.proto == transport::TCP && segment.fault.is_none() {
            return false;
        }
        let Hosts { flows, streams, shared, .. } = self;
        match unit.proto {
            transport::TCP if segment.fault.is_none() => {
                let asked = (segment.ports, shared.reads_unknown);
                streams.pass(flows.tcp(touch), touch.side, segment, unit.missing, asked)
            }
            transport::UDP => segment.payload.is_empty(),
            _ => true,
        }
    }

    /// Decodes the payload of a packet, of which the last `missing` bytes were not captured.
    fn contents<V: Visitor>(
        &mut self,
        segment: &Segment<'_>,
        missing: usize,
        touch: &Touch,
        packet: &Packet<'_>,
        visitor: &mut V,
    ) {
        let Hosts { flows, streams, datagrams, counters, shared, .. } = self;
        let mut stream_context = StreamContext { packet, visitor, counters, shared };
        if packet.proto == transport::TCP {
            streams.segment(flows.tcp(touch), touch.side, segment, missing, &mut stream_context);
        } else {
            datagrams.inspect(segment.payload, &mut stream_context);
        }
    }
}

/// Reports what is left of a flow's streams, and that the flow is closed.
fn close<V: Visitor>(
    ended: &Ended,
    streams: &mut Streams,
    counters: &mut Counters,
    shared: &mut Shared,
    visitor: &mut V,
) {
    let end = &ended.end;
    counters.evicted += u64::from(end.close == Close::Evicted);
    if ended.tcp.is_open() {
        streams.close(&ended.tcp, visitor, counters, shared, |side, last: Stamp| {
            let to_server = (side == 0) == ended.is_client_low;
            let (src, dst) =
                if to_server { (end.client, end.server) } else { (end.server, end.client) };
            let ports = end.ports.map_or(Ports::None, |(client, server)| {
                if to_server { Ports::Pair(client, server) } else { Ports::Pair(server, client) }
            });
            Packet {
                number: last.number,
                time: last.time,
                is_timed: last.is_timed,
                length: last.length,
                src,
                dst,
                proto: end.proto,
                ports,
                vlan: &[],
                tunnel: &[],
                flow_id: end.flow_id,
                to_server,
                totals: end.totals,
            }
        });
    }
    visitor.flow_closed(end);
}
