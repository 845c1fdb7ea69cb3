//! The receiver of what the decoder finds.

use super::facts::ProtocolFacts;
use super::file::{Attachment, AttachmentSink};
use super::flow::FlowEnd;
use super::frame::Order;
use super::packet::Packet;
use crate::engine::indicator::{Kind, Observable, Where};

/// Receives what the decoder finds, in the order of the packets.
pub trait Visitor {
    /// Everything that is reported from now on was found in the packet of this place; at the end
    /// of a capture, when its flows are closed one by one, in the first packet of the flow.
    fn begins(&mut self, order: Order) {
        let _ = order;
    }

    /// A packet opened a flow, or is the first since flows are [reported
    /// again](crate::engine::packet::Decoder::show_flows_again). Its addresses are the
    /// observables `ip.src` and `ip.dst`, which are reported here and not through
    /// [`seen`](Visitor::seen). Returns whether later packets of the flow are to be reported.
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool;

    /// A later packet of a flow for which that was requested.
    fn flow_continued(&mut self, packet: &Packet<'_>) {
        let _ = packet;
    }

    /// A flow was closed; every flow is, at the latest by
    /// [`finish`](crate::engine::packet::Decoder::finish).
    fn flow_closed(&mut self, flow: &FlowEnd) {
        let _ = flow;
    }

    /// Whether digests and fingerprints of a kind are wanted: others need not be computed.
    fn wants(&self, kind: Kind) -> bool {
        let _ = kind;
        true
    }

    /// A mail contains a file. To open it, return something that takes its bytes.
    fn attached(&mut self, file: &Attachment<'_>) -> Option<Box<dyn AttachmentSink>> {
        let _ = file;
        None
    }

    /// A message begins, such as a request of HTTP: what is seen from now on was in it, even if the
    /// same was seen in a message before it.
    fn message(&mut self) {}

    /// An observable, as its bytes were sent in the packet.
    fn seen(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    );

    /// Text that was sent, as in a mail: to be searched for observables. None of them continues
    /// in the next text.
    fn text(
        &mut self,
        text: &[u8],
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        let _ = (text, at, packet, protocol_facts);
    }
}
