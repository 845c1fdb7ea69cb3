//! Frames to flows to protocol fields to observables.
//!
//! A [`Decoder`] is fed with [`Frame`]s in their order and tells a [`Visitor`]
//! what it finds. One file for each layer and protocol; data flows
//!
//! ```text
//! frame ── link ── ip ── fragment ── transport ── flow ── stream ── protocol ── visitor
//!           └───────── tunnel ─────────┘
//! ```
//!
//! The protocols are DNS, TLS, QUIC, HTTP/1 and HTTP/2, SMTP, POP3, IMAP, SSH, FTP, SMB,
//! TFTP, SOCKS, DHCP and syslog, found by content and not by port. What comes out of a
//! tunnel or of fragments goes the same way again, to a bounded depth.
//!
//! This room does no I/O and reads no clock: time comes from the packets, and
//! flows end by it. Nothing is allocated for a packet once the flow table has
//! grown to its size. Whatever could not be looked into is counted by its reason
//! in [`Counters`]; no bytes make it panic.

mod announced;
mod bytes;
mod coding;
mod community;
mod counters;
mod dhcp;
pub mod dns;
mod file;
mod flow;
mod fragment;
pub mod ftp;
pub mod http;
mod http2;
mod imap;
mod ip;
mod link;
mod mail;
mod names;
mod plain;
mod pop3;
mod quic;
pub mod smb;
pub mod smtp;
mod socks;
pub mod ssh;
mod stream;
mod syslog;
mod tftp;
pub mod tls;
mod transport;
mod tunnel;
mod view;

pub use community::community_id;
pub use counters::{Counters, Fault};
pub use file::FileFacts;
pub use transport::Ports;
pub use view::{Close, FlowEnd, Frame, Packet, Said, Visitor};

use crate::indicator::Timestamp;
use std::net::IpAddr;

use flow::{Ended, Facts, Flows, Touch};
use fragment::Fragments;
use ip::Datagram;
use link::{Net, Tags};
use stream::{Context, Shared, Stamp, Streams};
use transport::Segment;
use tunnel::Tunnels;

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether equal addresses and ports in different VLANs are different flows.
    /// The innermost identifier counts.
    pub flow_by_vlan: bool,
    /// Whether equal addresses and ports in different tunnels are different flows.
    /// The outer addresses count, and the network that VXLAN, GENEVE, ERSPAN or a
    /// key of GRE names.
    pub flow_by_tunnel: bool,
    /// The most flows that are kept at a time; about 140 bytes each.
    pub most_flows: usize,
    /// Seconds after which a flow is idle that only one side has spoken in.
    pub opening_timeout: u32,
    /// The same for TCP once both have.
    pub connected_timeout: u32,
    /// The same for other protocols.
    pub answered_timeout: u32,
    /// The same for TCP that was closed or reset.
    pub ended_timeout: u32,
    /// The most bytes of TCP streams of which something must be remembered: segments
    /// out of order, messages that are not whole, and what goes with each stream. A
    /// quarter of it more may go to files that come in ranges.
    pub most_stream_bytes: usize,
    /// The most bytes of packets that wait for their other fragments.
    pub most_fragment_bytes: usize,
    /// Seconds that they wait.
    pub fragment_timeout: u32,
    /// Whether what is of no known protocol is shown as text.
    pub unknown_text: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            flow_by_vlan: false,
            flow_by_tunnel: false,
            most_flows: 1 << 20,
            opening_timeout: 60,
            connected_timeout: 600,
            answered_timeout: 120,
            ended_timeout: 10,
            most_stream_bytes: 64 << 20,
            most_fragment_bytes: 8 << 20,
            fragment_timeout: 30,
            unknown_text: false,
        }
    }
}

/// The share of the bytes for streams that files which come in ranges may have.
const RANGES_SHARE: usize = 4;

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
    flow_by_tunnel: bool,
    flows: Flows,
    streams: Streams,
    quic: quic::Connections,
    fragments: Fragments,
    tftp: tftp::Transfers,
    counters: Counters,
    /// What the streams share.
    shared: Shared,
    /// Scratch for the tunnels of a frame.
    tunnels: Tunnels,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(config: Config) -> Self {
        Decoder {
            flow_by_vlan: config.flow_by_vlan,
            flow_by_tunnel: config.flow_by_tunnel,
            flows: Flows::new(&config),
            streams: Streams::new(&config),
            quic: quic::Connections::default(),
            fragments: Fragments::new(&config),
            tftp: tftp::Transfers::default(),
            counters: Counters::default(),
            shared: Shared::new(config.most_stream_bytes / RANGES_SHARE, config.unknown_text),
            tunnels: Tunnels::default(),
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
        self.shared.credit.earn(frame.data.len());
        // The list of tunnels is kept for the next frame: most are in none.
        let tunnels = std::mem::take(&mut self.tunnels);
        let mut around = Around { frame, tags: Tags::default(), tunnels };
        match link::strip(frame, &mut around.tags) {
            Ok((net, data)) => self.packet(net, data, &mut around, visitor),
            Err(fault) => self.counters.note(fault),
        }
        self.tunnels = around.tunnels;
        self.tunnels.clear();
    }

    /// Says that the visitor knows more than before: flows that it did not want are shown
    /// to it again, each with its next packet.
    pub fn show_flows_again(&mut self) {
        self.flows.turn();
    }

    /// Closes the flows that are idle by `now`, for a line on which nothing comes that would
    /// show the time.
    pub fn advance<V: Visitor>(&mut self, now: Timestamp, visitor: &mut V) {
        let Decoder { flows, streams, quic, counters, shared, .. } = self;
        flows.sweep(now, &mut |ended| {
            quic.remove(ended.end.flow_id);
            close(ended, streams, counters, shared, visitor);
        });
    }

    /// Closes every flow. The decoder can be used again for another capture.
    pub fn finish<V: Visitor>(&mut self, visitor: &mut V) {
        self.fragments.finish(&mut self.counters);
        self.tftp.finish(&mut self.counters);
        let Decoder { flows, streams, quic, counters, shared, .. } = self;
        flows.finish(&mut |ended| {
            quic.remove(ended.end.flow_id);
            close(ended, streams, counters, shared, visitor);
        });
        shared.ranges.clear(counters);
    }

    /// Decodes an IP packet, of a frame or out of a tunnel.
    fn packet<V: Visitor>(
        &mut self,
        net: Net,
        data: &[u8],
        around: &mut Around<'_>,
        visitor: &mut V,
    ) {
        let datagram = match ip::parse(net, data) {
            Ok(datagram) => datagram,
            Err(fault) => return self.counters.note(fault),
        };
        self.counters.packets += 1;
        if let Some(piece) = datagram.piece
            && let Some(whole) = self.collect(&datagram, piece, around)
        {
            let mut proto = whole.proto;
            // In IPv6 more extension headers may follow.
            let payload = match datagram.src {
                IpAddr::V4(_) => Ok(&whole.payload[..]),
                IpAddr::V6(_) => ip::skip_extensions(&mut proto, &whole.payload, &mut None),
            };
            let datagram = Datagram { proto, payload, missing: 0, piece: None, ..datagram };
            self.datagram(&datagram, around, visitor);
            return self.fragments.recycle(whole.payload);
        }
        self.datagram(&datagram, around, visitor);
    }

    /// Puts a fragment to those of its packet.
    fn collect(
        &mut self,
        datagram: &Datagram<'_>,
        piece: ip::Piece,
        around: &Around<'_>,
    ) -> Option<fragment::Whole> {
        let payload = datagram.payload.ok()?;
        if datagram.missing > 0 {
            self.counters.note(Fault::IpCut);
            return None;
        }
        let key = fragment::Key {
            src: datagram.src,
            dst: datagram.dst,
            proto: if datagram.src.is_ipv4() { datagram.proto } else { 0 },
            id: piece.id,
            realm: u64::from(self.vlan_key(around)) << 48 ^ self.tunnel_key(around),
        };
        let (time, counters) = (around.frame.time, &mut self.counters);
        self.fragments.add(key, piece, datagram.proto, payload, time, counters)
    }

    fn vlan_key(&self, around: &Around<'_>) -> u16 {
        around.tags.ids().last().copied().filter(|_| self.flow_by_vlan).unwrap_or(0)
    }

    fn tunnel_key(&self, around: &Around<'_>) -> u64 {
        if self.flow_by_tunnel { around.tunnels.key() } else { 0 }
    }

    fn datagram<V: Visitor>(
        &mut self,
        datagram: &Datagram<'_>,
        around: &mut Around<'_>,
        visitor: &mut V,
    ) {
        let frame = around.frame;
        let segment = self.transport(datagram);
        let facts = Facts {
            number: frame.number,
            time: frame.time,
            length: frame.length,
            src: datagram.src,
            dst: datagram.dst,
            proto: datagram.proto,
            ports: segment.ports,
            flags: segment.flags,
            vlan: self.vlan_key(around),
            tunnel: self.tunnel_key(around),
        };
        let Decoder { flows, streams, counters, shared, .. } = self;
        let touch = flows.touch(&facts, &mut |ended| {
            close(ended, streams, counters, shared, visitor);
        });
        let packet = Packet {
            number: frame.number,
            time: frame.time,
            length: frame.length,
            src: datagram.src,
            dst: datagram.dst,
            proto: datagram.proto,
            ports: segment.ports,
            vlan: around.tags.ids(),
            tunnel: around.tunnels.hops(),
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
        } else if touch.is_to_be_shown {
            let is_wanted = visitor.flow_opened(&packet);
            self.flows.set_wanted(&touch, is_wanted);
        }
        let inside = match (datagram.piece, datagram.payload) {
            (None, Ok(payload)) => tunnel::open(datagram.src, datagram.proto, payload, &segment),
            _ => None,
        };
        match inside {
            Some(inside) => self.enter(datagram, &inside, around, visitor),
            None if datagram.piece.is_some() => {}
            None => self.contents(&segment, datagram.missing, &touch, &packet, visitor),
        }
    }

    /// Reads the transport header. Of a fragment only the addresses and ports count:
    /// its packet is looked into once it is whole.
    fn transport<'d>(&mut self, datagram: &Datagram<'d>) -> Segment<'d> {
        let mut segment = match datagram.piece {
            Some(piece) if piece.offset > 0 => Segment::bare(None),
            _ => transport::parse(datagram.proto, datagram.payload),
        };
        if datagram.piece.is_some() {
            (segment.payload, segment.fault) = (&[], None);
        }
        if let Some(fault) = segment.fault {
            self.counters.note(fault);
        }
        segment
    }

    /// Looks into what a packet carries, of which the last `missing` bytes were not
    /// captured.
    fn contents<V: Visitor>(
        &mut self,
        segment: &Segment<'_>,
        missing: usize,
        touch: &Touch,
        packet: &Packet<'_>,
        visitor: &mut V,
    ) {
        let Decoder { flows, streams, quic, tftp, counters, shared, .. } = self;
        match packet.proto {
            transport::UDP if quic::is_likely(segment.payload) => {
                quic.inspect(segment.payload, packet, visitor, counters);
            }
            transport::UDP if !segment.payload.is_empty() => {
                let payload = segment.payload;
                if syslog::is_message(payload) {
                    syslog::report(payload, packet, visitor);
                } else if !tftp.inspect(payload, packet, visitor, counters)
                    && !dhcp::inspect(payload, packet, visitor, counters)
                    && !dns::inspect_udp(payload, packet, visitor, counters)
                    && shared.reads_unknown
                {
                    plain::show(payload, packet, visitor);
                }
            }
            transport::TCP if segment.fault.is_none() => {
                let mut context = Context::new(packet, visitor, counters, shared);
                streams.segment(flows.tcp(touch), touch.side, segment, missing, &mut context);
            }
            _ => {}
        }
    }

    /// Decodes what a tunnel carries.
    fn enter<V: Visitor>(
        &mut self,
        outer: &Datagram<'_>,
        inside: &tunnel::Inside<'_>,
        around: &mut Around<'_>,
        visitor: &mut V,
    ) {
        if !around.tunnels.enter(outer.src, outer.dst, inside) {
            return self.counters.note(Fault::TooManyTunnels);
        }
        match link::descend(inside.layer, inside.data, &mut around.tags) {
            Ok((net, data)) => self.packet(net, data, around, visitor),
            Err(fault) => self.counters.note(fault),
        }
    }
}

/// Tells what is left of a flow's streams, and that it is closed.
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

/// What is around an IP packet: its frame, and what was taken off it.
struct Around<'f> {
    frame: &'f Frame<'f>,
    tags: Tags,
    tunnels: Tunnels,
}

#[cfg(test)]
mod tests;
