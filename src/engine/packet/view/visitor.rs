//! Who is told what the decoder finds.

use super::file::{Attachment, Parcel};
use super::flow::FlowEnd;
use super::frame::Order;
use super::packet::Packet;
use super::said::Said;
use crate::engine::indicator::{Kind, Observable, Where};

/// Is told what the decoder finds, in the order of the packets.
pub trait Visitor {
    /// All that is told from now on was found by the packet of this place; at the end of a
    /// capture, when its flows are closed one by one, by the first packet of the flow.
    fn begins(&mut self, order: Order) {
        let _ = order;
    }

    /// A packet opened a flow, or is the first since flows are
    /// [shown again](crate::engine::packet::Decoder::show_flows_again). Its addresses are observables of `ip.src` and
    /// `ip.dst`, which come here and not through [`seen`](Visitor::seen).
    /// Answers whether later packets of the flow are to be reported.
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool;

    /// A later packet of a flow that was asked for.
    fn flow_continued(&mut self, packet: &Packet<'_>) {
        let _ = packet;
    }

    /// A flow was closed; every flow is, at the latest by
    /// [`finish`](crate::engine::packet::Decoder::finish).
    fn flow_closed(&mut self, flow: &FlowEnd) {
        let _ = flow;
    }

    /// Whether digests and fingerprints of a kind are asked for: what isn't, need not
    /// be computed.
    fn wants(&self, kind: Kind) -> bool {
        let _ = kind;
        true
    }

    /// A mail has a file in it. Whoever wants to look into it gives something that takes its
    /// bytes.
    fn attached(&mut self, file: &Attachment<'_>) -> Option<Box<dyn Parcel>> {
        let _ = file;
        None
    }

    /// An observable, as its bytes stood in the packet.
    fn seen(&mut self, observable: Observable<'_>, at: Where, packet: &Packet<'_>, said: Said<'_>);

    /// Text that was carried, as of a mail: observables are to be looked for in it.
    /// None of them goes on in the next text.
    fn text(&mut self, text: &[u8], at: Where, packet: &Packet<'_>, said: Said<'_>) {
        let _ = (text, at, packet, said);
    }
}
