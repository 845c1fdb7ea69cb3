//! Frames to flows to protocol fields to observables.
//!
//! A [`Decoder`] is fed with [`Frame`]s in their order and tells a [`Visitor`]
//! what it finds. One file for each layer and protocol; data flows
//!
//! ```text
//! frame ── link ── ip ── transport ── flow ── dns | tls | http ── visitor
//! ```
//!
//! This room does no I/O and reads no clock: time comes from the packets, and
//! flows end by it. Nothing is allocated for a packet once the flow table has
//! grown to its size. Whatever could not be looked into is counted by its reason
//! in [`Counters`]; no bytes make it panic.

mod bytes;
mod community;
mod counters;
pub mod dns;
mod flow;
pub mod http;
mod ip;
mod link;
pub mod tls;
mod transport;
mod view;

pub use community::community_id;
pub use counters::{Counters, Fault};
pub use transport::Ports;
pub use view::{Close, FlowEnd, Frame, Packet, Said, Visitor};

use flow::{Facts, Flows};
use link::Tags;

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether equal addresses and ports in different VLANs are different flows.
    /// The innermost identifier counts.
    pub flow_by_vlan: bool,
    /// The most flows that are kept at a time; about 130 bytes each.
    pub most_flows: usize,
    /// Seconds after which a flow is idle that only one side has spoken in.
    pub opening_timeout: u32,
    /// The same for TCP once both have.
    pub connected_timeout: u32,
    /// The same for other protocols.
    pub answered_timeout: u32,
    /// The same for TCP that was closed or reset.
    pub ended_timeout: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            flow_by_vlan: false,
            most_flows: 1 << 20,
            opening_timeout: 60,
            connected_timeout: 600,
            answered_timeout: 120,
            ended_timeout: 10,
        }
    }
}

/// Decodes frames. One for each thread; it sees all packets of its flows.
///
/// ```
/// use wiresift::indicator::{Observable, Timestamp, Where};
/// use wiresift::packet::{Config, Decoder, Frame, Packet, Said, Visitor};
///
/// struct Print;
///
/// impl Visitor for Print {
///     fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
///         println!("{} -> {}", packet.src, packet.dst);
///         false
///     }
///
///     fn seen(&mut self, what: Observable<'_>, at: Where, packet: &Packet<'_>, _: Said<'_>) {
///         println!("{}: {what:?} in {}", packet.number, at.name());
///     }
/// }
///
/// let mut decoder = Decoder::new(Config::default());
/// let data = [0; 14];
/// let frame = Frame { number: 1, time: Timestamp(0), linktype: 1, length: 14, data: &data };
/// decoder.frame(&frame, &mut Print);
/// decoder.finish(&mut Print);
/// assert_eq!(decoder.counters().frames, 1);
/// ```
#[derive(Debug)]
pub struct Decoder {
    flow_by_vlan: bool,
    flows: Flows,
    counters: Counters,
    /// Scratch for URLs that are put together.
    url: Vec<u8>,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(config: Config) -> Self {
        Decoder {
            flow_by_vlan: config.flow_by_vlan,
            flows: Flows::new(&config),
            counters: Counters::default(),
            url: Vec::new(),
        }
    }

    /// What was decoded so far, and what was not.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Flows that are open.
    pub fn open_flows(&self) -> usize {
        self.flows.len()
    }

    /// Takes the next frame.
    pub fn frame<V: Visitor>(&mut self, frame: &Frame<'_>, visitor: &mut V) {
        self.counters.frames += 1;
        self.counters.bytes += u64::from(frame.length);
        let mut tags = Tags::default();
        let datagram = link::strip(frame, &mut tags).and_then(|(net, data)| ip::parse(net, data));
        match datagram {
            Ok(datagram) => self.datagram(frame, &tags, &datagram, visitor),
            Err(fault) => self.counters.note(fault),
        }
    }

    /// Closes every flow. The decoder can be used again for another capture.
    pub fn finish<V: Visitor>(&mut self, visitor: &mut V) {
        self.flows.finish(&mut |end| visitor.flow_closed(end));
    }

    fn datagram<V: Visitor>(
        &mut self,
        frame: &Frame<'_>,
        tags: &Tags,
        datagram: &ip::Datagram<'_>,
        visitor: &mut V,
    ) {
        self.counters.packets += 1;
        let segment = transport::parse(datagram.proto, datagram.payload);
        if let Some(fault) = segment.fault {
            self.counters.note(fault);
        }
        let vlan = tags.ids();
        let facts = Facts {
            number: frame.number,
            time: frame.time,
            length: frame.length,
            src: datagram.src,
            dst: datagram.dst,
            proto: datagram.proto,
            ports: segment.ports,
            flags: segment.flags,
            vlan: vlan.last().copied().filter(|_| self.flow_by_vlan).unwrap_or(0),
        };
        let counters = &mut self.counters;
        let touch = self.flows.touch(&facts, &mut |end| {
            counters.evicted += u64::from(end.close == Close::Evicted);
            visitor.flow_closed(end);
        });
        let packet = Packet {
            number: frame.number,
            time: frame.time,
            length: frame.length,
            src: datagram.src,
            dst: datagram.dst,
            proto: datagram.proto,
            ports: segment.ports,
            vlan,
            flow_id: touch.flow_id,
            to_server: touch.to_server,
            totals: touch.totals,
        };
        if touch.is_new {
            self.counters.flows += 1;
            let is_wanted = visitor.flow_opened(&packet);
            self.flows.set_wanted(&touch, is_wanted);
        } else if touch.is_wanted {
            visitor.flow_continued(&packet);
        }
        if !segment.payload.is_empty() {
            self.payload(segment.payload, &packet, visitor);
        }
    }

    /// Looks for a protocol in a payload, by its content.
    fn payload<V: Visitor>(&mut self, payload: &[u8], packet: &Packet<'_>, visitor: &mut V) {
        let counters = &mut self.counters;
        if packet.proto == transport::UDP {
            dns::inspect_udp(payload, packet, visitor, counters);
        } else if packet.proto == transport::TCP {
            if tls::is_hello(payload) {
                tls::inspect(payload, packet, visitor, counters);
            } else if http::is_request(payload) {
                http::inspect(payload, packet, visitor, counters, &mut self.url);
            } else {
                dns::inspect_tcp(payload, packet, visitor, counters);
            }
        }
    }
}

#[cfg(test)]
mod tests;
