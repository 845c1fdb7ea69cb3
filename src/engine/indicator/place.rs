//! Where in the input an observable is: a line of a log, or a packet.
//!
//! Places are only built for hits, so they own their text.

use super::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

/// A place in a log or in a capture.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// In a line of text.
    Log(LogPlace),
    /// In a packet.
    Packet(Box<PacketPlace>),
}

/// A place in a text stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// The path as given; `-` is standard input.
    pub path: Arc<str>,
    /// The line, from 1. Every physical line counts. 0 if the lines before it were not counted: in
    /// a log that is followed from its end.
    pub line: u64,
    /// The column of the observable's first byte, in bytes, from 1.
    pub column: u64,
    /// The offset of the observable's first byte in the decompressed stream, from
    /// 0.
    pub offset: u64,
    /// The line, cut to 1 KiB between characters.
    pub text: String,
    /// The line's own time, if it has one that can be parsed.
    pub time: Option<Timestamp>,
    /// The sender of the line, if an envelope around it names one. Lines of one sender share it.
    pub sender: Option<Arc<Sender>>,
}

/// Who sent a line over the network or to the journal, according to the envelope of syslog, of the
/// journal or of a connection. Senders can write anything here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The host that wrote it: HOSTNAME of syslog, `_HOSTNAME` of the journal.
    pub host: Option<Arc<str>>,
    /// The program: APP-NAME of syslog, `SYSLOG_IDENTIFIER` of the journal.
    pub app: Option<Arc<str>>,
    /// The address that it came from, which may be that of a relay.
    pub peer: Option<Arc<str>>,
}

/// A place in a capture or on an interface.
#[derive(Clone, Debug, PartialEq)]
pub struct PacketPlace {
    /// The capture's path, or the interface's name.
    pub path: Arc<str>,
    /// Whether `path` names a live interface.
    pub is_live: bool,
    /// The number of the packet, from 1, as in Wireshark.
    pub number: u64,
    /// The length on the wire, in bytes.
    pub length: u32,
    /// When the packet was seen.
    pub time: Timestamp,
    /// Whether that time is from the capture. Otherwise it is the time of reading.
    pub is_timed: bool,
    /// The source address of the packet, as it travelled.
    pub src: Option<IpAddr>,
    /// Destination address.
    pub dst: Option<IpAddr>,
    /// Source port.
    pub src_port: Option<u16>,
    /// Destination port.
    pub dst_port: Option<u16>,
    /// IP protocol number (IANA): 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
    pub proto: u8,
    /// True if the packet goes to the side that was connected to.
    pub to_server: Option<bool>,
    /// Identifies the flow: the same in every run over the same packets.
    pub flow_id: u64,
    /// Community ID v1 (`1:` and base64 of SHA-1, seed 0).
    pub community_id: Option<String>,
    /// VLAN identifiers, outermost first.
    pub vlan: Vec<u16>,
    /// The outer addresses, the outermost first, if the packet was in tunnels.
    pub tunnel: Vec<Tunnel>,
    /// Totals of the flow, for alerts about its addresses.
    pub flow: Option<Flow>,
    /// What the protocol said at that point.
    pub protocol: Option<Protocol>,
    /// How many hits of the same observable in the packet came before this one: several messages
    /// may be in one packet.
    pub nth: u32,
}

/// The outside of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// `gre`, `vxlan`, `ipip`…
    pub kind: &'static str,
    /// Outer source.
    pub src: IpAddr,
    /// Outer destination.
    pub dst: IpAddr,
}

/// Totals of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flow {
    /// Packets, both directions.
    pub packets: u64,
    /// Bytes on the wire, both directions.
    pub bytes: u64,
    /// Number of the first packet.
    pub first: u64,
    /// Number of the last packet.
    pub last: u64,
    /// Time of the first packet.
    pub first_time: Timestamp,
    /// Time of the last packet.
    pub last_time: Timestamp,
}

/// What a protocol said where the observable was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// DNS, mDNS, LLMNR.
    Dns(Dns),
    /// TLS handshakes.
    Tls(Tls),
    /// TLS handshakes in QUIC.
    Quic(Tls),
    /// HTTP requests and responses.
    Http(Http),
    /// A transferred file.
    File(File),
    /// FTP commands.
    Ftp(Ftp),
    /// SMB messages.
    Smb(Smb),
    /// SMTP commands.
    Smtp(Smtp),
    /// SSH negotiations.
    Ssh(Ssh),
}

/// The parts of a DNS message that alerts contain.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Dns {
    /// Whether it is a response.
    pub is_answer: bool,
    /// Message identifier.
    pub id: u16,
    /// Name of the question.
    pub rrname: String,
    /// Type of the question, as text (`A`, `AAAA`, `TYPE65280`).
    pub rrtype: String,
    /// Response code, as text (`NOERROR`, `NXDOMAIN`).
    pub rcode: Option<String>,
}

/// The parts of a TLS handshake that alerts contain.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tls {
    /// Server name indication.
    pub sni: Option<String>,
    /// `TLS 1.2`, as offered or chosen.
    pub version: Option<String>,
    /// Application protocols offered.
    pub alpn: Vec<String>,
    /// Common name of a certificate's subject.
    pub subject: Option<String>,
    /// The common name of its issuer.
    pub issuer: Option<String>,
}

/// The parts of a transferred file that alerts contain.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct File {
    /// The protocol that transferred it: `http`, `smtp`, `ftp`…
    pub protocol: &'static str,
    /// Its name, as transferred.
    pub name: Option<String>,
    /// The URL that it was fetched from, if known.
    pub url: Option<String>,
    /// The length of its content in bytes, once it has ended.
    pub size: Option<u64>,
    /// Whether every byte of it was captured, once it has ended.
    pub is_whole: Option<bool>,
}

/// The parts of an FTP command that alerts contain.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ftp {
    /// `RETR`…
    pub command: Option<String>,
    /// Its argument.
    pub argument: Option<String>,
}

/// The parts of an SMB message that alerts contain.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Smb {
    /// `create`…
    pub command: &'static str,
    /// The file or share that it names.
    pub name: Option<String>,
}

/// The parts of an SMTP session that alerts contain.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Smtp {
    /// The name that the client gives itself.
    pub helo: Option<String>,
    /// The sender of the envelope.
    pub from: Option<String>,
    /// Its recipients.
    pub to: Vec<String>,
}

/// The parts of an SSH handshake that alerts contain, for one side.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ssh {
    /// Whether it is the client's side.
    pub is_client: bool,
    /// `2.0`
    pub version: Option<String>,
    /// The software and its version.
    pub software: Option<String>,
    /// HASSH, in hex.
    pub hassh: Option<String>,
}

/// The parts of an HTTP message that alerts contain.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Http {
    /// `GET`…
    pub method: Option<String>,
    /// The Host header, without port.
    pub hostname: Option<String>,
    /// The request target, as sent.
    pub url: Option<String>,
    /// User-Agent.
    pub user_agent: Option<String>,
    /// The status, if it is a response.
    pub status: Option<u16>,
}
