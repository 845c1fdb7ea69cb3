//! TLS handshakes, whatever carries them: hellos, fingerprints, certificates.

pub(in crate::engine::packet) mod certificate;
mod fingerprint;
pub(in crate::engine::packet) mod hello;

pub use hello::{Hello, ServerHello};

use crate::engine::indicator::{self, Kind, Observable, Protocol, Where, address};
use crate::engine::packet::bytes::{be16, be24, is_printable};
use crate::engine::packet::counters::{Counters, Fault};
use crate::engine::packet::view::{self, Packet, Ports, ProtocolFacts, Report, Visitor};
use crate::engine::progress::bound;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The content type of handshake records (RFC 8446, 5.1).
pub(in crate::engine::packet) const HANDSHAKE: u8 = 22;

/// Types of handshake messages (RFC 8446, 4).
pub(in crate::engine::packet) const CLIENT_HELLO: u8 = 1;
pub(in crate::engine::packet) const SERVER_HELLO: u8 = 2;
pub(in crate::engine::packet) const CERTIFICATE: u8 = 11;

pub(in crate::engine::packet) const RECORD_HEADER: usize = 5;

/// Certificates of one chain that are parsed.
const MAX_CERTIFICATES: usize = bound(16, 2);

/// A certificate, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The first common name of its subject.
    pub subject: Option<&'a [u8]>,
    /// The first common name of its issuer.
    pub issuer: Option<&'a [u8]>,
}

impl Certificate<'_> {
    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Tls {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::Tls {
            subject: self.subject.map(text),
            issuer: self.issuer.map(text),
            ..indicator::Tls::default()
        }
    }
}

/// The first bytes of a handshake: a hello's type and length, and the first byte of its version.
pub(in crate::engine::packet) const OPENING: usize = 5;

/// The first bytes of the handshake in the records that data begins with, and their number: a
/// record may contain a single one. `None` if these are not handshake records.
pub(in crate::engine::packet) fn opening(data: &[u8]) -> Option<([u8; OPENING], usize)> {
    let fits =
        |rest: &[u8], at: usize, test: fn(u8) -> bool| rest.get(at).is_none_or(|&byte| test(byte));
    let (mut bytes, mut count, mut rest) = ([0; OPENING], 0, data);
    while count < OPENING && !rest.is_empty() {
        let is_record = fits(rest, 0, |kind| kind == HANDSHAKE)
            && fits(rest, 1, |major| major == 3)
            && fits(rest, 2, |minor| minor <= 4);
        if !is_record {
            return None;
        }
        let Some(length) = be16(rest, 3).map(usize::from) else { break };
        if length == 0 {
            return None;
        }
        rest = rest.get(RECORD_HEADER..).unwrap_or_default();
        let there = rest.get(..length).unwrap_or(rest);
        for (place, byte) in bytes.iter_mut().skip(count).zip(there) {
            *place = *byte;
            count += 1;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Some((bytes, count))
}

/// Whether a segment begins with a hello, in the middle of an unidentified stream.
pub(in crate::engine::packet) fn begins(data: &[u8]) -> bool {
    matches!(data, [HANDSHAKE, 3, ..])
        && matches!(opening(data), Some(([CLIENT_HELLO | SERVER_HELLO, 0, _, _, 3], OPENING)))
}

/// The transport of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Transport {
    Tcp,
    Quic,
}

/// A hello, and its transport.
#[derive(Debug)]
struct CarriedHello<'h, H> {
    hello: &'h H,
    transport: Transport,
}

impl<H> CarriedHello<'_, H> {
    fn protocol(&self, tls: indicator::Tls) -> Protocol {
        match self.transport {
            Transport::Tcp => Protocol::Tls(tls),
            Transport::Quic => Protocol::Quic(tls),
        }
    }
}

impl view::MessageFacts for CarriedHello<'_, Hello<'_>> {
    fn owned(&self) -> Protocol {
        self.protocol(self.hello.owned())
    }
}

impl view::MessageFacts for CarriedHello<'_, ServerHello<'_>> {
    fn owned(&self) -> Protocol {
        self.protocol(self.hello.owned())
    }
}

impl view::MessageFacts for Certificate<'_> {
    fn owned(&self) -> Protocol {
        Protocol::Tls(Certificate::owned(self))
    }
}

/// Reports the contents of a ClientHello.
pub(in crate::engine::packet) fn report_client<V: Visitor>(
    hello: &Hello<'_>,
    transport: Transport,
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    report_name(hello, transport, packet, visitor, counters);
    let facts = CarriedHello { hello, transport };
    let protocol_facts = ProtocolFacts::Message(&facts);
    if visitor.wants(Kind::Ja3) {
        let digest = hello.ja3();
        visitor.seen(Observable::Digest(Kind::Ja3, &digest), Where::TlsJa3, packet, protocol_facts);
    }
    if visitor.wants(Kind::Ja4) {
        let text = hello.ja4(if transport == Transport::Quic { b'q' } else { b't' });
        visitor.seen(
            Observable::Text(Kind::Ja4, text.as_bytes()),
            Where::TlsJa4,
            packet,
            protocol_facts,
        );
    }
}

pub(in crate::engine::packet) fn report_name<V: Visitor>(
    hello: &Hello<'_>,
    transport: Transport,
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    let Some(name) = hello.sni.filter(|name| !name.is_empty()) else { return };
    let port = match packet.ports {
        Ports::Pair(_, dst) => Some(dst),
        _ => None,
    };
    // Addresses are not allowed here (RFC 6066), but clients send them.
    let observable = match address::ip_of(name) {
        Some(literal) => Observable::Address(literal, port),
        None if !is_printable(name) => return counters.note(Fault::OddName),
        None => Observable::Name(name),
    };
    let at = if transport == Transport::Quic { Where::QuicSni } else { Where::TlsSni };
    visitor.seen(
        observable,
        at,
        packet,
        ProtocolFacts::Message(&CarriedHello { hello, transport }),
    );
}

/// Reports the contents of a ServerHello.
pub(in crate::engine::packet) fn report_server<V: Visitor>(
    hello: &ServerHello<'_>,
    transport: Transport,
    packet: &Packet<'_>,
    visitor: &mut V,
) {
    if visitor.wants(Kind::Ja3s) {
        let facts = CarriedHello { hello, transport };
        let protocol_facts = ProtocolFacts::Message(&facts);
        let digest = hello.ja3s();
        visitor.seen(
            Observable::Digest(Kind::Ja3s, &digest),
            Where::TlsJa3s,
            packet,
            protocol_facts,
        );
    }
}

/// Reports every certificate of a chain, the server's own first.
pub(in crate::engine::packet) fn report_chain<V: Visitor>(body: &[u8], to: &mut Report<'_, '_, V>) {
    let mut rest = body.get(3..).unwrap_or_default();
    for _ in 0..MAX_CERTIFICATES {
        let Some(length) = be24(rest, 0) else { return };
        let end = 3 + length as usize;
        let Some(der) = rest.get(3..end) else { return to.counters.note(Fault::BadTls) };
        report_certificate(der, to);
        rest = &rest[end..];
    }
}

fn report_certificate<V: Visitor>(der: &[u8], to: &mut Report<'_, '_, V>) {
    let parsed = certificate::parse(der);
    if parsed.is_none() {
        to.counters.note(Fault::BadTls);
    }
    let facts = Certificate {
        subject: parsed.as_ref().and_then(|parsed| parsed.subject),
        issuer: parsed.as_ref().and_then(|parsed| parsed.issuer),
    };
    let protocol_facts = ProtocolFacts::Message(&facts);
    let packet = to.packet;
    let visitor = &mut *to.visitor;
    let mut report = |kind, digest: fn(&[u8], &mut [u8; 32]) -> usize| {
        if visitor.wants(kind) {
            let mut bytes = [0; 32];
            let length = digest(der, &mut bytes);
            let observable = Observable::Digest(kind, bytes.get(..length).unwrap_or_default());
            visitor.seen(observable, Where::TlsCert, packet, protocol_facts);
        }
    };
    report(Kind::CertMd5, digest::<Md5>);
    report(Kind::CertSha1, digest::<Sha1>);
    report(Kind::CertSha256, digest::<Sha256>);
    if let Some(parsed) = parsed {
        for name in parsed.names() {
            match name {
                certificate::Name::Odd => to.counters.note(Fault::OddName),
                certificate::Name::Is(observable) => {
                    to.visitor.seen(observable, Where::TlsCert, packet, protocol_facts);
                }
            }
        }
    }
}

/// Computes a digest; returns its length.
fn digest<D: Digest>(data: &[u8], bytes: &mut [u8; 32]) -> usize {
    let digest = D::digest(data);
    for (byte, digest) in bytes.iter_mut().zip(&digest) {
        *byte = *digest;
    }
    digest.len()
}
