//! TLS hellos: what a client offers, and what a server chooses.

use super::fingerprint;
use crate::engine::indicator;
use crate::engine::packet::bytes::be16;

const SERVER_NAME: u16 = 0;
pub(in crate::engine::packet) const GROUPS: u16 = 10;
pub(in crate::engine::packet) const POINT_FORMATS: u16 = 11;
pub(in crate::engine::packet) const SIGNATURES: u16 = 13;
pub(in crate::engine::packet) const ALPN: u16 = 16;
pub(in crate::engine::packet) const SUPPORTED_VERSIONS: u16 = 43;

/// The random value by which a server requests another hello (RFC 8446, 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ClientHello, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The server name, as it was sent.
    pub sni: Option<&'a [u8]>,
    /// The highest version offered: 0x0303 is TLS 1.2.
    pub version: u16,
    /// The value of the field that was once the version.
    pub(in crate::engine::packet) legacy_version: u16,
    pub(in crate::engine::packet) ciphers: &'a [u8],
    pub(in crate::engine::packet) extensions: Extensions<'a>,
    /// The list of application protocols, each prefixed by its length.
    alpn: &'a [u8],
}

impl<'a> Hello<'a> {
    /// The application protocols offered, in order.
    pub fn alpn(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.alpn;
        std::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            let (protocol, after) = after.split_at_checked(usize::from(length))?;
            rest = after;
            Some(protocol)
        })
    }

    /// JA3, the MD5 of what is offered.
    pub fn ja3(&self) -> [u8; 16] {
        fingerprint::ja3(self)
    }

    /// JA4, with `t` for TCP or `q` for QUIC.
    pub fn ja4(&self, transport: u8) -> String {
        fingerprint::ja4(self, transport)
    }

    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Tls {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::Tls {
            sni: self.sni.map(text),
            version: Some(version_name(self.version)),
            alpn: self.alpn().map(text).collect(),
            ..indicator::Tls::default()
        }
    }
}

/// A ServerHello, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHello<'a> {
    /// The version chosen.
    pub version: u16,
    /// The cipher suite chosen.
    pub cipher: u16,
    pub(in crate::engine::packet) legacy_version: u16,
    pub(in crate::engine::packet) extensions: Extensions<'a>,
    /// Whether it requests another hello.
    pub(in crate::engine::packet) is_retry: bool,
}

impl ServerHello<'_> {
    /// JA3S, the MD5 of what is chosen.
    pub fn ja3s(&self) -> [u8; 16] {
        fingerprint::ja3s(self)
    }

    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Tls {
        indicator::Tls { version: Some(version_name(self.version)), ..indicator::Tls::default() }
    }
}

pub(in crate::engine::packet) fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".into(),
        0x0301 => "TLS 1.0".into(),
        0x0302 => "TLS 1.1".into(),
        0x0303 => "TLS 1.2".into(),
        0x0304 => "TLS 1.3".into(),
        other => format!("0x{other:04x}"),
    }
}

/// A list of extensions; iterates over kinds and values until it is malformed or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) struct Extensions<'a>(&'a [u8]);

impl<'a> Iterator for Extensions<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, length) = (be16(self.0, 0)?, be16(self.0, 2)?);
        let (value, rest) = self.0.get(4..)?.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some((kind, value))
    }
}

/// Parses a ClientHello after its message header, as far as it is valid. `None` if its fixed part
/// is incomplete or invalid.
pub(in crate::engine::packet) fn parse_client(body: &[u8]) -> Option<Hello<'_>> {
    let legacy_version = be16(body, 0)?;
    let session = usize::from(*body.get(34)?);
    let at = 35 + session;
    let length = usize::from(be16(body, at)?);
    let ciphers = body.get(at + 2..at + 2 + length)?;
    let at = at + 2 + length;
    let compressions = usize::from(*body.get(at)?);
    if session > 32 || length % 2 != 0 || compressions == 0 {
        return None;
    }
    // Before TLS 1.2 there may be no extensions at all.
    let list = body.get(at + 1 + compressions..)?.get(2..).unwrap_or_default();
    let mut hello = Hello {
        sni: None,
        version: legacy_version,
        legacy_version,
        ciphers,
        extensions: Extensions(list),
        alpn: &[],
    };
    for (kind, value) in hello.extensions {
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
    }
    Some(hello)
}

/// Parses a ServerHello after its message header.
pub(in crate::engine::packet) fn parse_server(body: &[u8]) -> Option<ServerHello<'_>> {
    let legacy_version = be16(body, 0)?;
    let random = body.get(2..34)?;
    let at = 35 + usize::from(*body.get(34)?);
    let cipher = be16(body, at)?;
    let list = body.get(at + 3..)?.get(2..).unwrap_or_default();
    let extensions = Extensions(list);
    let chosen = extensions.into_iter().find(|&(kind, _)| kind == SUPPORTED_VERSIONS);
    let version = chosen.and_then(|(_, value)| be16(value, 0)).unwrap_or(legacy_version);
    Some(ServerHello { version, cipher, legacy_version, extensions, is_retry: random == RETRY })
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
