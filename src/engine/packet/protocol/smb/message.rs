//! The meaning of a message, and how its parsing continues.

use super::key::Sink;
use super::v1::MessageKind;
use crate::engine::indicator::{self, Protocol, Where};
use crate::engine::packet::contract::ParseContext;
use crate::engine::packet::payload::names;
use crate::engine::packet::view::{self, ProtocolFacts, Visitor};
use crate::engine::progress::bound;

/// The longest message that is parsed as a whole: a name of 32,767 characters.
pub(super) const MAX_MESSAGE: u64 = bound(72 << 10, 512) as u64;

/// The suffix of an IPv6 address in place of a host name.
const LITERAL: &str = ".ipv6-literal.net";

/// The meaning of a message, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    /// `create`, `tree_connect`…
    pub command: &'static str,
    /// The file or share that it names.
    pub name: Option<&'a [u8]>,
}

impl Facts<'_> {
    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Smb {
        let name = self.name.filter(|name| !name.is_empty());
        indicator::Smb {
            command: self.command,
            name: name.map(|name| String::from_utf8_lossy(name).into_owned()),
        }
    }
}

impl view::MessageFacts for Facts<'_> {
    fn owned(&self) -> Protocol {
        Protocol::Smb(Facts::owned(self))
    }
}

/// How the parsing of a message continues.
#[derive(Debug)]
pub(super) enum Plan {
    /// This many bytes of it are needed.
    Wait(usize),
    /// It is complete.
    Pass,
    /// This much of it is complete, and another command follows.
    Next { skip: u64, kind: MessageKind },
    /// Bytes of a file are in its first `length` bytes; after them another command of the chain
    /// may follow.
    Data { from: usize, bytes: u64, sink: Sink, length: u64, chain: Option<MessageKind> },
}

/// Text in UTF-16.
pub(super) fn text(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks();
    // Most of it is ASCII.
    if units.iter().all(|&[low, high]| low.is_ascii() && high == 0)
        && let Ok(text) = String::from_utf8(units.iter().map(|&[low, _]| low).collect())
    {
        return text;
    }
    let units = units.iter().map(|&unit| u16::from_le_bytes(unit));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Reports the host in `\\host\share`. Returns whether the share is that of pipes.
pub(super) fn report_share<V: Visitor>(
    path: &[u8],
    context: &mut ParseContext<'_, '_, V>,
    protocol_facts: ProtocolFacts<'_>,
) -> bool {
    let mut parts = path.split(|&b| b == b'\\').filter(|part| !part.is_empty());
    let (host, share) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let literal = literal(host);
    let host = literal.as_deref().map_or(host, str::as_bytes);
    let to = (&mut *context.visitor, &mut *context.counters);
    names::report_host(host, Where::SmbHost, context.packet, to, protocol_facts);
    share.eq_ignore_ascii_case(b"IPC$")
}

/// The IPv6 address that Windows writes as a name, because a path cannot contain colons:
/// `2001-db8--7.ipv6-literal.net`, with the zone after an `s`.
fn literal(host: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(host).ok()?;
    let (text, suffix) = text.split_at_checked(text.len().checked_sub(LITERAL.len())?)?;
    let address = text.split('s').next().filter(|_| suffix.eq_ignore_ascii_case(LITERAL))?;
    Some(address.replace('-', ":"))
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn addresses_as_names() {
        assert_eq!(literal(b"2001-db8--7.ipv6-literal.net").as_deref(), Some("2001:db8::7"));
        assert_eq!(literal(b"fe80--1s4.IPv6-literal.net").as_deref(), Some("fe80::1"));
        assert_eq!(literal(b"files.example"), None);
        assert_eq!(
            literal("\u{e9}.example.ipv6-literal.net".as_bytes()).as_deref(),
            Some("\u{e9}.example")
        );
    }
}
