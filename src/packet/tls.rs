//! TLS ClientHello: server name, protocols offered, version.
//!
//! Found by content on any port, where it begins in the segment. A hello that
//! does not end there is read as far as it goes; if its server name is in that
//! part, it is found.

use super::bytes::{be16, be24};
use super::{Counters, Fault, Packet, Said, Visitor};
use crate::indicator::{self, Observable, Where, address};

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const RECORD_HEADER: usize = 5;

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// A ClientHello, as an alert tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The server name, as it stood.
    pub sni: Option<&'a [u8]>,
    /// The highest version offered: 0x0303 is TLS 1.2.
    pub version: u16,
    /// The list of application protocols, each with its length in front.
    alpn: &'a [u8],
}

impl<'a> Hello<'a> {
    /// The application protocols offered, in their order.
    pub fn alpn(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.alpn;
        std::iter::from_fn(move || {
            let (&length, behind) = rest.split_first()?;
            let (protocol, behind) = behind.split_at_checked(usize::from(length))?;
            rest = behind;
            Some(protocol)
        })
    }

    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Tls {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::Tls {
            sni: self.sni.map(text),
            version: Some(version_name(self.version)),
            alpn: self.alpn().map(text).collect(),
        }
    }
}

fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".into(),
        0x0301 => "TLS 1.0".into(),
        0x0302 => "TLS 1.1".into(),
        0x0303 => "TLS 1.2".into(),
        0x0304 => "TLS 1.3".into(),
        other => format!("0x{other:04x}"),
    }
}

/// Whether a segment begins with a ClientHello.
pub(super) fn is_hello(payload: &[u8]) -> bool {
    matches!(payload, [HANDSHAKE, 3, 0..=4, _, _, CLIENT_HELLO, 0, _, _, 3, ..])
}

/// Tells the visitor what a ClientHello holds.
pub(super) fn inspect<V: Visitor>(
    payload: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    let Some((hello, is_whole)) = parse(payload) else {
        if is_hello(payload) {
            counters.note(Fault::SplitTls);
        }
        return;
    };
    if !is_whole {
        counters.note(Fault::SplitTls);
    }
    let Some(name) = hello.sni.filter(|name| !name.is_empty()) else { return };
    // An address has no place here (RFC 6066), but clients put it there.
    let text = std::str::from_utf8(name).ok();
    let observable = match text.and_then(|text| address::parse_ip(text).ok()) {
        Some(literal) => Observable::Address(literal, port(packet)),
        None if name.iter().any(|&b| b <= b' ' || b == 0x7f) => {
            counters.note(Fault::OddName);
            return;
        }
        None => Observable::Name(name),
    };
    visitor.seen(observable, Where::TlsSni, packet, Said::Tls(hello));
}

fn port(packet: &Packet<'_>) -> Option<u16> {
    match packet.ports {
        super::Ports::Pair(_, dst) => Some(dst),
        _ => None,
    }
}

/// Reads a ClientHello, and whether it ends in the segment. None if its fixed
/// part doesn't, or is none.
fn parse(payload: &[u8]) -> Option<(Hello<'_>, bool)> {
    if !is_hello(payload) {
        return None;
    }
    let record = usize::from(be16(payload, 3)?);
    let length = be24(payload, RECORD_HEADER + 1)? as usize;
    let fragment = payload.get(RECORD_HEADER..)?;
    let fragment = fragment.get(..record).unwrap_or(fragment);
    let body = fragment.get(4..)?;
    let body = body.get(..length).unwrap_or(body);

    let legacy_version = be16(body, 0)?;
    let session = usize::from(*body.get(34)?);
    let at = 35 + session;
    let ciphers = usize::from(be16(body, at)?);
    let at = at + 2 + ciphers;
    let compressions = usize::from(*body.get(at)?);
    if session > 32 || ciphers % 2 != 0 || ciphers == 0 || compressions == 0 {
        return None;
    }
    let mut hello = Hello { sni: None, version: legacy_version, alpn: &[] };
    let rest = body.get(at + 1 + compressions..)?;
    let is_whole = body.len() == length;
    // Before TLS 1.2 there may be no extensions at all.
    let Some(rest) = rest.get(2..) else { return Some((hello, is_whole)) };
    read_extensions(rest, &mut hello);
    Some((hello, is_whole))
}

fn read_extensions<'a>(mut rest: &'a [u8], hello: &mut Hello<'a>) {
    while let (Some(kind), Some(length)) = (be16(rest, 0), be16(rest, 2)) {
        let Some((value, behind)) =
            rest.get(4..).and_then(|rest| rest.split_at_checked(usize::from(length)))
        else {
            return;
        };
        match kind {
            SERVER_NAME if hello.sni.is_none() => hello.sni = server_name(value),
            ALPN => hello.alpn = value.get(2..).unwrap_or_default(),
            SUPPORTED_VERSIONS => {
                let offered = value.get(1..).unwrap_or_default().chunks_exact(2);
                let best = offered
                    .filter_map(|version| be16(version, 0))
                    .filter(|version| (0x0300..=0x0304).contains(version))
                    .max();
                hello.version = best.unwrap_or(hello.version);
            }
            _ => {}
        }
        rest = behind;
    }
}

/// The first host name of a list of server names.
fn server_name(list: &[u8]) -> Option<&[u8]> {
    let mut rest = list.get(2..)?;
    loop {
        let length = usize::from(be16(rest, 1)?);
        let name = rest.get(3..3 + length)?;
        if rest.first() == Some(&0) {
            return Some(name);
        }
        rest = rest.get(3 + length..)?;
    }
}

#[cfg(test)]
pub(super) mod tests;
