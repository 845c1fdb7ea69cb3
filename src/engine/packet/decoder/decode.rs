//! The decoder: frames in, observables out.

use super::flow::SharedFlows;
use super::hosts::Hosts;
use crate::engine::indicator::Timestamp;
use crate::engine::packet::config::Config;
use crate::engine::packet::counters::Counters;
use crate::engine::packet::view::{Frame, Visitor};
use crate::engine::packet::wire::layers::{IpPacket, Layers};
use std::sync::Arc;

/// Decodes frames. Use one per thread; it must get all packets of its flows.
///
/// ```
/// use wiresift::engine::indicator::{Observable, Timestamp, Where};
/// use wiresift::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};
///
/// struct Print;
///
/// impl Visitor for Print {
///     fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
///         println!("{} -> {}", packet.src, packet.dst);
///         false
///     }
///
///     fn seen(
///         &mut self,
///         what: Observable<'_>,
///         at: Where,
///         packet: &Packet<'_>,
///         _: ProtocolFacts<'_>,
///     ) {
///         println!("{}: {what:?} in {}", packet.number, at.name());
///     }
/// }
///
/// let mut decoder = Decoder::new(Config::default());
/// let data = [0; 14];
/// let frame = Frame { is_timed: true, number: 1, time: Timestamp(0), linktype: 1, length: 14, data: &data };
/// decoder.frame(&frame, &mut Print);
/// decoder.finish(&mut Print);
/// assert_eq!(decoder.counters().frames, 1);
/// ```
#[derive(Debug)]
pub struct Decoder {
    layers: Layers,
    pub(in crate::engine::packet) hosts: Hosts,
}

impl Decoder {
    /// A new decoder.
    pub fn new(config: Config) -> Self {
        Decoder { layers: Layers::new(&config), hosts: Hosts::new(&config) }
    }

    /// Shares knowledge of flows with other decoders, each of which gets a part of the packets of one
    /// interface: what an ICMP error quotes is left alone if any of them has seen its flow.
    pub fn share_flows(&mut self, flows: Arc<SharedFlows>) {
        self.hosts.share_flows(flows);
    }

    /// One without short cuts: the slow reference that decoders are compared with.
    #[cfg(test)]
    pub(in crate::engine::packet) fn reference(config: Config) -> Self {
        let mut decoder = Decoder::new(config);
        (decoder.layers.is_careful, decoder.hosts.is_careful) = (true, true);
        decoder
    }

    /// What was decoded so far, and what was not.
    pub fn counters(&self) -> Counters {
        let mut counters = self.layers.counters.clone();
        counters.add(&self.hosts.counters);
        counters
    }

    /// Flows that are open.
    pub fn open_flows(&self) -> usize {
        self.hosts.open_flows()
    }

    /// Takes the next frame.
    pub fn frame<V: Visitor>(&mut self, frame: &Frame<'_>, visitor: &mut V) {
        let Decoder { layers, hosts } = self;
        match layers.fast_path(frame) {
            Some(unit) => hosts.take(&unit, visitor),
            None => layers.slow_path(frame, &mut |unit: &IpPacket<'_>| hosts.take(unit, visitor)),
        }
    }

    /// Reports flows to the visitor again that it did not want, each with its next packet: for a
    /// visitor whose database has changed.
    pub fn show_flows_again(&mut self) {
        self.hosts.show_flows_again();
    }

    /// Closes the flows that are idle by `now`, for an interface without traffic, where no packet
    /// shows the time.
    pub fn advance<V: Visitor>(&mut self, now: Timestamp, visitor: &mut V) {
        self.hosts.sweep(now, visitor);
    }

    /// Closes every flow. The decoder can then be used for another capture.
    pub fn finish<V: Visitor>(&mut self, visitor: &mut V) {
        self.layers.finish();
        self.hosts.finish(visitor);
    }
}
