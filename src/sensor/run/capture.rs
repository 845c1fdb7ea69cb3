//! Matches the contents of packets against the database.

use super::dedup::SeenValues;
use crate::engine::database::{Database, Section};
use crate::engine::indicator::{Kind, Observable, PacketPlace, Place, Where};
use crate::engine::packet::{self, FlowEnd, Order, Packet, ProtocolFacts, Visitor};
use crate::engine::scan::{Hit, Match, Scanner, Seen};
use crate::sensor::input::capture::CaptureStream;
use crate::sensor::input::{Input, Opened};
use std::sync::Arc;

/// Opens a capture that is read once, even if it is a plain file. Mapping files was tried: page
/// faults cost up to a third more user time than reading through a small window (measured with
/// `wiresift scan -j 1 FILE` against `wiresift scan -j 1 - <FILE`, with the files of `make
/// packets`), and a file that is truncated while it is read raised a signal where it now just ends.
/// Mapping only long packets, a MiB at a time, so that unused bytes are not copied, cost 228 ns a
/// packet of bulk TLS where reading cost 197: each page is a TLB miss, which is expensive in a
/// virtual machine.
pub(super) fn opened(input: Input) -> CaptureStream {
    CaptureStream::new(match input.into_opened() {
        Opened::Stream(stream) => stream,
        Opened::Seekable(file) => file.into_stream(),
    })
}

/// Where hits go.
pub(super) trait HitSink<'d> {
    /// What follows was found by the packet of this order.
    fn begins(&mut self, order: Order) {
        let _ = order;
    }

    /// A hit. `flow` is the flow whose final totals it gets, if it may wait for them.
    fn catch(&mut self, hit: Hit<'d>, flow: Option<u64>);

    /// A flow that a hit may be waiting for was closed.
    fn closed(&mut self, flow: &FlowEnd) {
        let _ = flow;
    }

    /// Any flow ended.
    fn ended(&mut self, flow: &FlowEnd) {
        let _ = flow;
    }
}

/// Looks up what the decoder finds.
///
/// On a live interface hits don't wait: an alert about an address has the totals of its first
/// packet.
pub(super) struct PacketScan<'s, 'd, N> {
    pub(super) scanner: &'s mut Scanner,
    pub(super) database: &'d Database,
    pub(super) path: &'s Arc<str>,
    /// Whether `path` names an interface.
    pub(super) is_live: bool,
    pub(super) reported: &'s mut SeenValues,
    pub(super) hit_sink: N,
}

/// Whether the database has digests or fingerprints of a kind.
pub(super) fn wants(database: &Database, kind: Kind) -> bool {
    match kind.digest_len() {
        Some(16) => database.has(Section::Digest16),
        Some(20) => database.has(Section::Digest20),
        Some(32) => database.has(Section::Digest32),
        Some(_) => true,
        None => database.has_words_of(kind) || database.has_patterns(kind),
    }
}

/// What matched indicators in a packet.
type Found<'d> = Vec<(Seen, Vec<Match<'d>>)>;

impl<'d, N: HitSink<'d>> PacketScan<'_, 'd, N> {
    fn look_up(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
        of_flow: bool,
    ) -> bool {
        let mut found: Found<'d> = Vec::new();
        self.scanner.observe(self.database, observable, at, packet.time, |seen, matches| {
            found.push((seen, matches));
        });
        if found.is_empty() {
            return false;
        }
        if !of_flow {
            // What is derived from a value, such as the domain of an address, is reported once per
            // message, however many fields and texts contain it. The values themselves are reported
            // for each field.
            let reported = &mut *self.reported;
            found.retain(|(seen, _)| {
                reported.is_new(packet, seen.kind, &seen.value, seen.at) || seen.at == at
            });
        }
        if matches!(protocol_facts, ProtocolFacts::Head(_)) {
            for (seen, _) in &found {
                self.reported.note(packet, seen.kind, &seen.value);
            }
        }
        self.take(found, packet, protocol_facts, of_flow)
    }

    /// Makes hits of the matches in a packet. Returns whether there are any.
    #[cold]
    fn take(
        &mut self,
        found: Found<'d>,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
        of_flow: bool,
    ) -> bool {
        let any = !found.is_empty();
        for (seen, matches) in found {
            let mut place: PacketPlace = packet.place(self.path, self.is_live, protocol_facts);
            if !of_flow {
                place.flow = None;
                place.nth = self.reported.count(packet, &seen);
            }
            let place = Place::Packet(Box::new(place));
            let flow = (of_flow && !self.is_live).then_some(packet.flow_id);
            self.hit_sink.catch(Hit { seen, matches, place }, flow);
        }
        any
    }
}

impl<'d, N: HitSink<'d>> Visitor for PacketScan<'_, 'd, N> {
    fn begins(&mut self, order: Order) {
        self.hit_sink.begins(order);
    }

    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        let (src_port, dst_port) = match packet.ports {
            packet::Ports::Pair(src, dst) => (Some(src), Some(dst)),
            _ => (None, None),
        };
        self.scanner.note_host(packet.src);
        self.scanner.note_host(packet.dst);
        self.scanner.note_opener(if packet.to_server { packet.src } else { packet.dst });
        let src = Observable::Address(packet.src, src_port);
        let dst = Observable::Address(packet.dst, dst_port);
        let a = self.look_up(src, Where::IpSrc, packet, ProtocolFacts::None, true);
        let b = self.look_up(dst, Where::IpDst, packet, ProtocolFacts::None, true);
        a || b
    }

    fn flow_closed(&mut self, flow: &FlowEnd) {
        self.hit_sink.ended(flow);
        if flow.is_wanted {
            self.hit_sink.closed(flow);
        }
    }

    fn wants(&self, kind: Kind) -> bool {
        wants(self.database, kind)
    }

    fn message(&mut self) {
        self.reported.begin_message();
    }

    fn seen(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        self.look_up(observable, at, packet, protocol_facts, false);
    }

    fn text(
        &mut self,
        text: &[u8],
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        let mut found = Vec::new();
        let PacketScan { scanner, database, reported, .. } = self;
        // Several headers of a request may name a host; its own is the one from the `Host` header.
        let is_head = matches!(protocol_facts, ProtocolFacts::Head(_));
        scanner.scan_carried(database, text, at, packet.time, |seen, matches| {
            if is_head && reported.is_field(packet, seen.kind, &seen.value) {
                return;
            }
            if reported.is_new(packet, seen.kind, &seen.value, seen.at) {
                found.push((seen, matches));
            }
        });
        if !found.is_empty() {
            self.take(found, packet, protocol_facts, false);
        }
    }
}
