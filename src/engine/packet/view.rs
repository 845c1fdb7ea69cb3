//! What a visitor is shown: the packet, what its protocol said, and the flow's end.
//!
//! All of it is borrowed or small and lives on the stack. The owned
//! [`PacketPlace`] is built by [`Packet::place`], once there is a hit.

use crate::engine::packet::payload::file::{Attachment, FileFacts, Parcel};
mod community;

pub use community::community_id;

use super::{Ports, community_id};
use crate::engine::packet::protocol::{dns, ftp, http, smb, smtp, ssh, tls};
use crate::engine::indicator::{
    self, Kind, Observable, PacketPlace, Protocol, Timestamp, Tunnel, Where,
};
use std::net::IpAddr;
use std::sync::Arc;

/// A frame as it was captured: what the decoder is fed with.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// From 1, as Wireshark counts.
    pub number: u64,
    /// When it was seen. The only clock that the decoder knows.
    pub time: Timestamp,
    /// Whether the capture says so. Else it is when the frame was read.
    pub is_timed: bool,
    /// The LINKTYPE_ of the interface.
    pub linktype: u32,
    /// Length on the wire, in bytes.
    pub length: u32,
    /// What was captured of it.
    pub data: &'a [u8],
}

/// A decoded packet in its flow.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Number of the frame.
    pub number: u64,
    /// When it was seen.
    pub time: Timestamp,
    /// Whether the capture says so. Else it is when the packet was read.
    pub is_timed: bool,
    /// Length of the frame on the wire, in bytes.
    pub length: u32,
    /// Source address, as it travelled.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// IP protocol number.
    pub proto: u8,
    /// Ports, or ICMP type and code.
    pub ports: Ports,
    /// VLAN identifiers, outermost first.
    pub vlan: &'a [u16],
    /// The tunnels that the packet came out of, outermost first.
    pub tunnel: &'a [Tunnel],
    /// Identity of the flow: the same in every run over the same packets.
    pub flow_id: u64,
    /// Whether it goes to the side that did not open the flow.
    pub to_server: bool,
    /// Totals of the flow, this packet included.
    pub totals: indicator::Flow,
}

impl Packet<'_> {
    /// The place of a hit, with `path` the capture's path or the interface's name.
    pub fn place(&self, path: &Arc<str>, is_live: bool, said: Said<'_>) -> PacketPlace {
        let (src_port, dst_port) = match self.ports {
            Ports::Pair(src, dst) => (Some(src), Some(dst)),
            Ports::None | Ports::Icmp(..) => (None, None),
        };
        PacketPlace {
            path: Arc::clone(path),
            is_live,
            number: self.number,
            length: self.length,
            time: self.time,
            is_timed: self.is_timed,
            src: Some(self.src),
            dst: Some(self.dst),
            src_port,
            dst_port,
            proto: self.proto,
            to_server: Some(self.to_server),
            flow_id: self.flow_id,
            community_id: Some(community_id(self.src, self.dst, self.proto, self.ports)),
            vlan: self.vlan.to_vec(),
            tunnel: self.tunnel.to_vec(),
            flow: Some(self.totals),
            protocol: said.protocol(),
        }
    }
}

/// What the protocol said in the packet where an observable was seen.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Said<'a> {
    /// Nothing: an observable of the packet's headers.
    None,
    /// A DNS message.
    Dns(dns::Message<'a>),
    /// A TLS ClientHello.
    Tls(tls::Hello<'a>),
    /// A TLS ServerHello.
    TlsServer(tls::ServerHello<'a>),
    /// A ClientHello inside of QUIC.
    Quic(tls::Hello<'a>),
    /// A ServerHello inside of QUIC.
    QuicServer(tls::ServerHello<'a>),
    /// A certificate of a TLS handshake.
    Certificate(tls::Certificate<'a>),
    /// An HTTP request.
    Http(http::Request<'a>),
    /// An HTTP response.
    HttpResponse(http::Response<'a>),
    /// A file that is carried.
    File(FileFacts<'a>),
    /// A command of FTP.
    Ftp(ftp::Command<'a>),
    /// A message of SMB.
    Smb(smb::Facts<'a>),
    /// A command of SMTP.
    Smtp(smtp::Envelope<'a>),
    /// A side of SSH.
    Ssh(ssh::Facts<'a>),
}

impl Said<'_> {
    /// The owned form, for an alert.
    pub fn protocol(&self) -> Option<Protocol> {
        Some(match self {
            Said::None => return None,
            Said::Dns(message) => Protocol::Dns(message.owned()),
            Said::Tls(hello) => Protocol::Tls(hello.owned()),
            Said::TlsServer(hello) => Protocol::Tls(hello.owned()),
            Said::Quic(hello) => Protocol::Quic(hello.owned()),
            Said::QuicServer(hello) => Protocol::Quic(hello.owned()),
            Said::Certificate(certificate) => Protocol::Tls(certificate.owned()),
            Said::Http(request) => Protocol::Http(request.owned()),
            Said::HttpResponse(response) => Protocol::Http(response.owned()),
            Said::File(file) => Protocol::File(file.owned()),
            Said::Ftp(command) => Protocol::Ftp(command.owned()),
            Said::Smb(facts) => Protocol::Smb(facts.owned()),
            Said::Smtp(envelope) => Protocol::Smtp(envelope.owned()),
            Said::Ssh(facts) => Protocol::Ssh(facts.owned()),
        })
    }
}

/// Why a flow was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// No packet for longer than its timeout; or both sides had ended it.
    Idle,
    /// A new connection took over its addresses and ports.
    Reused,
    /// The table was full.
    Evicted,
    /// The capture ended.
    Finished,
}

/// A flow that was closed.
#[derive(Clone, Copy, Debug)]
pub struct FlowEnd {
    /// Its identity.
    pub flow_id: u64,
    /// Who opened it.
    pub client: IpAddr,
    /// The other side.
    pub server: IpAddr,
    /// IP protocol number.
    pub proto: u8,
    /// Ports of client and server, or ICMP type and what answers it.
    pub ports: Option<(u16, u16)>,
    /// Its totals.
    pub totals: indicator::Flow,
    /// What [`Visitor::flow_opened`] had answered.
    pub is_wanted: bool,
    /// Why it was closed.
    pub close: Close,
}

/// A packet's place in its capture: by its frame, then from the outermost tunnel inwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order(u64);

impl Order {
    /// Bits for the depth in tunnels.
    const DEPTH: u32 = 4;

    /// The place behind all that is in the frame of this number.
    pub fn behind(number: u64) -> Order {
        Order::new(number, usize::MAX)
    }

    /// The place of a packet in `depth` tunnels of the frame of this number.
    pub(super) fn new(number: u64, depth: usize) -> Order {
        Order(number << Self::DEPTH | depth as u64 & ((1 << Self::DEPTH) - 1))
    }
}

/// Is told what the decoder finds, in the order of the packets.
pub trait Visitor {
    /// All that is told from now on was found by the packet of this place; at the end of a
    /// capture, when its flows are closed one by one, by the first packet of the flow.
    fn begins(&mut self, order: Order) {
        let _ = order;
    }

    /// A packet opened a flow, or is the first since flows are
    /// [shown again](super::Decoder::show_flows_again). Its addresses are observables of `ip.src` and
    /// `ip.dst`, which come here and not through [`seen`](Visitor::seen).
    /// Answers whether later packets of the flow are to be reported.
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool;

    /// A later packet of a flow that was asked for.
    fn flow_continued(&mut self, packet: &Packet<'_>) {
        let _ = packet;
    }

    /// A flow was closed; every flow is, at the latest by
    /// [`finish`](super::Decoder::finish).
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
