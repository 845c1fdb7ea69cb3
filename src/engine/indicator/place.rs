//! Where in the input an observable stood: a line of a log, or a packet.
//!
//! These are built for hits only, so they own their text.

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
    /// The file's path as it was given; `-` is standard input.
    pub path: Arc<str>,
    /// From 1; every physical line counts. 0 where the lines before it were not counted: in a
    /// log that is followed from its end.
    pub line: u64,
    /// Column of the observable's first byte in its line, in bytes, from 1.
    pub column: u64,
    /// Offset of the observable's first byte in the decompressed stream, from 0.
    pub offset: u64,
    /// The line, cut at 1 KiB at a character border.
    pub text: String,
    /// The line's own time, where it has one that can be read.
    pub time: Option<Timestamp>,
}

/// A place in a capture or on an interface.
#[derive(Clone, Debug, PartialEq)]
pub struct PacketPlace {
    /// The capture's path, or the interface's name.
    pub path: Arc<str>,
    /// Whether `path` names a live interface.
    pub is_live: bool,
    /// From 1, as Wireshark counts.
    pub number: u64,
    /// Length on the wire, in bytes.
    pub length: u32,
    /// When the packet was seen.
    pub time: Timestamp,
    /// Whether the capture says so. Else it is when the packet was read.
    pub is_timed: bool,
    /// Addresses and ports of the packet, as it travelled.
    pub src: Option<IpAddr>,
    /// Destination address.
    pub dst: Option<IpAddr>,
    /// Source port.
    pub src_port: Option<u16>,
    /// Destination port.
    pub dst_port: Option<u16>,
    /// IP protocol number (IANA): 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
    pub proto: u8,
    /// True when the packet goes to the side that was opened.
    pub to_server: Option<bool>,
    /// Identity of the flow: the same in every run over the same packets.
    pub flow_id: u64,
    /// Community ID v1 (`1:` and base64 of SHA-1, seed 0).
    pub community_id: Option<String>,
    /// VLAN identifiers, outermost first.
    pub vlan: Vec<u16>,
    /// The outer addresses, outermost first, where the packet came out of tunnels.
    pub tunnel: Vec<Tunnel>,
    /// Totals of the flow, for alerts about its addresses.
    pub flow: Option<Flow>,
    /// What the protocol said there.
    pub protocol: Option<Protocol>,
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
    /// TLS handshakes inside of QUIC.
    Quic(Tls),
    /// HTTP requests and responses.
    Http(Http),
    /// A file that was carried.
    File(File),
    /// Commands of FTP.
    Ftp(Ftp),
    /// Messages of SMB.
    Smb(Smb),
    /// Commands of SMTP.
    Smtp(Smtp),
    /// Negotiations of SSH.
    Ssh(Ssh),
}

/// A DNS message, as far as an alert tells of it.
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

/// A TLS handshake, as far as an alert tells of it.
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
    /// Common name of who issued it.
    pub issuer: Option<String>,
}

/// A file that was carried, as far as an alert tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct File {
    /// What carried it: `http`, `smtp`, `ftp`…
    pub protocol: &'static str,
    /// Its name, as it stood.
    pub name: Option<String>,
    /// The URL that it came by, where it is known.
    pub url: Option<String>,
    /// Bytes of its content, once it has ended.
    pub size: Option<u64>,
    /// Whether every byte of it was there, once it has ended.
    pub is_whole: Option<bool>,
}

/// A command of FTP, as far as an alert tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ftp {
    /// `RETR`…
    pub command: Option<String>,
    /// What follows it.
    pub argument: Option<String>,
}

/// A message of SMB, as far as an alert tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Smb {
    /// `create`…
    pub command: &'static str,
    /// The file or share that it names.
    pub name: Option<String>,
}

/// What an SMTP client said, as far as an alert tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Smtp {
    /// How it calls itself.
    pub helo: Option<String>,
    /// The sender of the envelope.
    pub from: Option<String>,
    /// Its receivers.
    pub to: Vec<String>,
}

/// A side of an SSH connection, as far as an alert tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ssh {
    /// Whether it is the client's.
    pub is_client: bool,
    /// `2.0`
    pub version: Option<String>,
    /// The software and its version.
    pub software: Option<String>,
    /// HASSH, in hex.
    pub hassh: Option<String>,
}

/// An HTTP request, as far as an alert tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Http {
    /// `GET`…
    pub method: Option<String>,
    /// The Host header, without port.
    pub hostname: Option<String>,
    /// The request target, as it stood.
    pub url: Option<String>,
    /// User-Agent.
    pub user_agent: Option<String>,
    /// Status of the response, where it is one.
    pub status: Option<u16>,
}
