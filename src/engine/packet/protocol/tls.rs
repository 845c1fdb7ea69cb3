//! TLS handshakes: server name, fingerprints, certificates.
//!
//! Found by content on any port. Handshake messages are put together from their
//! records; a hello that breaks off is read as far as it goes. Certificates are
//! there to be read up to TLS 1.2; then they are encrypted, as is everything else
//! behind the change of cipher.

mod certificate;
mod fingerprint;
pub(in crate::engine::packet) mod hello;

pub use hello::{Hello, ServerHello};

use crate::engine::packet::bytes::{be16, be24, is_printable};
use crate::engine::packet::stream::{ParseContext, Parser, Probe, Step};
use crate::engine::packet::{Counters, Fault, Packet, Ports, Said, Visitor};
use crate::engine::indicator::{self, Kind, Observable, Where, address};
use crate::engine::progress::bound;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION: u8 = 23;
const HEARTBEAT: u8 = 24;

pub(in crate::engine::packet) const CLIENT_HELLO: u8 = 1;
pub(in crate::engine::packet) const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;

const TLS_1_3: u16 = 0x0304;

const RECORD_HEADER: usize = 5;

/// What a record may hold, with room for what ciphers add.
const MAX_RECORD: usize = bound((16 << 10) + 2048, 600);

/// The longest handshake message that is put together.
const MAX_MESSAGE: usize = bound(128 << 10, 1000);

/// Certificates of one chain that are read.
const MAX_CERTIFICATES: usize = bound(16, 2);

/// A certificate, as an alert tells of it.
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
const OPENING: usize = 5;

/// The first bytes of the handshake in the records that data begins with, and how many there
/// are: a record may hold a single one. None if those are no records of a handshake.
fn opening(data: &[u8]) -> Option<([u8; OPENING], usize)> {
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

/// Looks whether a stream begins with a hello of a client or a server.
pub(in crate::engine::packet) fn guess(data: &[u8]) -> Probe {
    match opening(data) {
        Some((_, 0)) => Probe::Maybe(RECORD_HEADER + 2),
        Some(([CLIENT_HELLO | SERVER_HELLO, ..], 1)) => {
            Probe::Maybe((data.len() + 1).max(RECORD_HEADER + 2))
        }
        Some(([CLIENT_HELLO | SERVER_HELLO, 0, ..], _)) => {
            Probe::Is(Parser::Tls(Records::default()))
        }
        _ => Probe::No,
    }
}

/// Whether a segment begins with a hello, in the midst of anything.
pub(in crate::engine::packet) fn begins(data: &[u8]) -> bool {
    matches!(data, [HANDSHAKE, 3, ..])
        && matches!(opening(data), Some(([CLIENT_HELLO | SERVER_HELLO, 0, _, _, 3], OPENING)))
}

/// One direction of a TLS connection, up to where it is encrypted.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Records {
    /// A handshake message of which some records have come.
    message: Vec<u8>,
    is_hello_done: bool,
    /// TLS 1.3 was chosen, and not asked for another hello.
    is_dark: bool,
}

impl Records {
    /// Bytes that are held.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        self.message.capacity()
    }

    /// Reads the next record.
    pub(in crate::engine::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let Some(length) = be16(data, 3).map(usize::from) else {
            return Step::Wait(RECORD_HEADER);
        };
        let [kind, 3, _, ..] = *data else { return Step::Lost };
        let whole = RECORD_HEADER + length;
        match kind {
            _ if length > MAX_RECORD => Step::Lost,
            HANDSHAKE => match data.get(RECORD_HEADER..whole) {
                None => Step::Wait(whole),
                Some(fragment) => match self.handshake(fragment, context) {
                    Ok(()) if self.is_dark => Step::Over,
                    Ok(()) => Step::Took(whole),
                    Err(fault) => {
                        context.counters.note(fault);
                        Step::Over
                    }
                },
            },
            CHANGE_CIPHER | APPLICATION => Step::Over,
            ALERT | HEARTBEAT => Step::Skip(whole as u64),
            _ => Step::Lost,
        }
    }

    /// Reads what there is of a message that does not go on.
    pub(in crate::engine::packet) fn finish<V: Visitor>(&self, data: &[u8], context: &mut ParseContext<'_, '_, V>) {
        if data.is_empty() && self.message.is_empty() {
            return;
        }
        context.counters.note(Fault::SplitTls);
        let fragment = match *data {
            [HANDSHAKE, _, _, _, _, ref fragment @ ..] => fragment,
            _ => &[],
        };
        let message = [&self.message[..], fragment].concat();
        if !self.is_hello_done
            && let [CLIENT_HELLO, _, _, _, ref body @ ..] = *message
            && let Some(hello) = hello::parse_client(body)
        {
            let ParseContext { packet, visitor, counters, .. } = context;
            report_name(&hello, Over::Tcp, packet, *visitor, counters);
        }
    }

    /// Takes a part of the handshake: messages, whole or not.
    fn handshake<V: Visitor>(
        &mut self,
        fragment: &[u8],
        context: &mut ParseContext<'_, '_, V>,
    ) -> Result<(), Fault> {
        let mut held = std::mem::take(&mut self.message);
        let mut rest = fragment;
        if !held.is_empty() {
            held.extend_from_slice(fragment);
            rest = &held;
        }
        while let Some(length) = be24(rest, 1).map(|length| length as usize) {
            if length > MAX_MESSAGE {
                return Err(Fault::SplitTls);
            }
            let Some(body) = rest.get(4..4 + length) else { break };
            self.message(rest[0], body, context);
            rest = &rest[4 + length..];
        }
        // What is held stays where it is: many short records make one long message.
        self.message = if held.is_empty() {
            rest.to_vec()
        } else {
            let done = held.len() - rest.len();
            held.drain(..done);
            held
        };
        Ok(())
    }

    fn message<V: Visitor>(
        &mut self,
        kind: u8,
        body: &[u8],
        context: &mut ParseContext<'_, '_, V>,
    ) {
        match kind {
            CLIENT_HELLO if !self.is_hello_done => {
                self.is_hello_done = true;
                if let Some(hello) = hello::parse_client(body) {
                    let ParseContext { packet, visitor, counters, .. } = context;
                    report_client(&hello, Over::Tcp, packet, *visitor, counters);
                }
            }
            SERVER_HELLO => {
                if let Some(hello) = hello::parse_server(body) {
                    self.is_dark = hello.version == TLS_1_3 && !hello.is_retry;
                    report_server(&hello, Over::Tcp, context.packet, context.visitor);
                }
            }
            CERTIFICATE if !self.is_dark => report_chain(body, context),
            _ => {}
        }
    }
}

/// What carries a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Over {
    Tcp,
    Quic,
}

impl Over {
    fn said<'a>(self, hello: &Hello<'a>) -> Said<'a> {
        match self {
            Over::Tcp => Said::Tls(*hello),
            Over::Quic => Said::Quic(*hello),
        }
    }
}

/// Tells what a ClientHello says.
pub(in crate::engine::packet) fn report_client<V: Visitor>(
    hello: &Hello<'_>,
    over: Over,
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    report_name(hello, over, packet, visitor, counters);
    let said = over.said(hello);
    if visitor.wants(Kind::Ja3) {
        let digest = hello.ja3();
        visitor.seen(Observable::Digest(Kind::Ja3, &digest), Where::TlsJa3, packet, said);
    }
    if visitor.wants(Kind::Ja4) {
        let text = hello.ja4(if over == Over::Quic { b'q' } else { b't' });
        visitor.seen(Observable::Text(Kind::Ja4, text.as_bytes()), Where::TlsJa4, packet, said);
    }
}

fn report_name<V: Visitor>(
    hello: &Hello<'_>,
    over: Over,
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    let Some(name) = hello.sni.filter(|name| !name.is_empty()) else { return };
    let port = match packet.ports {
        Ports::Pair(_, dst) => Some(dst),
        _ => None,
    };
    // An address has no place here (RFC 6066), but clients put it there.
    let observable = match address::ip_of(name) {
        Some(literal) => Observable::Address(literal, port),
        None if !is_printable(name) => return counters.note(Fault::OddName),
        None => Observable::Name(name),
    };
    let at = if over == Over::Quic { Where::QuicSni } else { Where::TlsSni };
    visitor.seen(observable, at, packet, over.said(hello));
}

/// Tells what a ServerHello says.
pub(in crate::engine::packet) fn report_server<V: Visitor>(
    hello: &ServerHello<'_>,
    over: Over,
    packet: &Packet<'_>,
    visitor: &mut V,
) {
    if visitor.wants(Kind::Ja3s) {
        let said = match over {
            Over::Tcp => Said::TlsServer(*hello),
            Over::Quic => Said::QuicServer(*hello),
        };
        let digest = hello.ja3s();
        visitor.seen(Observable::Digest(Kind::Ja3s, &digest), Where::TlsJa3s, packet, said);
    }
}

/// Tells of every certificate of a chain, the server's own first.
fn report_chain<V: Visitor>(body: &[u8], context: &mut ParseContext<'_, '_, V>) {
    let mut rest = body.get(3..).unwrap_or_default();
    for _ in 0..MAX_CERTIFICATES {
        let Some(length) = be24(rest, 0) else { return };
        let end = 3 + length as usize;
        let Some(der) = rest.get(3..end) else { return context.counters.note(Fault::BadTls) };
        report_certificate(der, context);
        rest = &rest[end..];
    }
}

fn report_certificate<V: Visitor>(der: &[u8], context: &mut ParseContext<'_, '_, V>) {
    let parsed = certificate::parse(der);
    if parsed.is_none() {
        context.counters.note(Fault::BadTls);
    }
    let said = Said::Certificate(Certificate {
        subject: parsed.as_ref().and_then(|parsed| parsed.subject),
        issuer: parsed.as_ref().and_then(|parsed| parsed.issuer),
    });
    let packet = context.packet;
    let visitor = &mut *context.visitor;
    let mut tell = |kind, digest: fn(&[u8], &mut [u8; 32]) -> usize| {
        if visitor.wants(kind) {
            let mut bytes = [0; 32];
            let length = digest(der, &mut bytes);
            let observable = Observable::Digest(kind, bytes.get(..length).unwrap_or_default());
            visitor.seen(observable, Where::TlsCert, packet, said);
        }
    };
    tell(Kind::CertMd5, digest::<Md5>);
    tell(Kind::CertSha1, digest::<Sha1>);
    tell(Kind::CertSha256, digest::<Sha256>);
    if let Some(parsed) = parsed {
        for name in parsed.names() {
            match name {
                certificate::Name::Odd => context.counters.note(Fault::OddName),
                certificate::Name::Is(observable) => {
                    context.visitor.seen(observable, Where::TlsCert, packet, said);
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

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
