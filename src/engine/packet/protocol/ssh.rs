//! SSH: HASSH of both sides, and the server's host key.
//!
//! Recognised by its banner on any port. The negotiation follows in clear, up to the new keys:
//! what each side offers determines its HASSH (client: towards the server, server: towards the
//! client), and the response to the key exchange begins with the host key, whose MD5 and SHA-256
//! are reported in hex.

use crate::engine::indicator::{self, Kind, Observable, Protocol as AlertProtocol, Where, digest};
use crate::engine::packet::bytes::be32;
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::view;
use crate::engine::packet::{Fault, ProtocolFacts, Visitor};
use crate::engine::progress::bound;
use md5::{Digest, Md5};
use sha2::Sha256;

const BANNER: &[u8] = b"SSH-";

/// The longest banner, and the longest packet (RFC 4253, 4.2 and 6.1).
const MAX_BANNER: usize = bound(255, 32);
const MAX_PACKET: usize = bound(35_000, 256);

/// Length and padding length before a payload.
const PACKET_HEADER: usize = 5;

/// Message numbers (RFC 4250, 4.1.2; RFC 4419, 5).
const NEGOTIATION: u8 = 20;
const NEW_KEYS: u8 = 21;
const KEY_ANSWER: u8 = 31;
const GROUP_KEY_ANSWER: u8 = 33;

/// A side of a connection, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Whether it is the client's.
    pub is_client: bool,
    /// `SSH-2.0-OpenSSH_9.2`, without its end.
    pub banner: &'a [u8],
    /// Its HASSH, if it is known.
    pub hassh: Option<[u8; 16]>,
}

impl Facts<'_> {
    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Ssh {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let rest = self.banner.strip_prefix(BANNER).unwrap_or_default();
        let mut parts = rest.splitn(2, |&b| b == b'-');
        // The software may be followed by a comment.
        let version = parts.next().filter(|version| !version.is_empty());
        let software = parts.next().and_then(|rest| rest.split(|&b| b == b' ').next());
        indicator::Ssh {
            is_client: self.is_client,
            version: version.map(text),
            software: software.filter(|software| !software.is_empty()).map(text),
            hassh: self.hassh.map(|hassh| digest::encode(&hassh)),
        }
    }
}

impl view::MessageFacts for Facts<'_> {
    fn owned(&self) -> AlertProtocol {
        AlertProtocol::Ssh(Facts::owned(self))
    }
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Negotiation {
    /// Without its end; empty until it arrives.
    banner: Vec<u8>,
}

impl Protocol for Negotiation {
    type Session = ();

    fn probe(data: &[u8], _: &Opening, _: &impl Slot<Self::Session>) -> Probe<Self> {
        if data.starts_with(BANNER) {
            return Probe::Is(Negotiation::default());
        }
        if BANNER.starts_with(data) { Probe::Maybe(BANNER.len()) } else { Probe::No }
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        if self.banner.is_empty() {
            return match memchr::memchr(b'\n', data) {
                Some(end) if end <= MAX_BANNER => {
                    self.banner = data.get(..end).unwrap_or_default().trim_ascii_end().to_vec();
                    Step::Took(end + 1)
                }
                _ if data.len() > MAX_BANNER => Step::Lost,
                _ => Step::Wait(data.len() + 1),
            };
        }
        let Some(length) = be32(data, 0).map(|length| length as usize) else {
            return Step::Wait(PACKET_HEADER);
        };
        if !(2..=MAX_PACKET).contains(&length) {
            return Step::Lost;
        }
        let Some(packet) = data.get(4..4 + length) else { return Step::Wait(4 + length) };
        let (padding, payload) = (usize::from(packet[0]), &packet[1..]);
        let payload = &payload[..payload.len().saturating_sub(padding)];
        match payload.split_first() {
            Some((&NEGOTIATION, body)) => self.report_hassh(body, context),
            Some((&(KEY_ANSWER | GROUP_KEY_ANSWER), body)) => self.report_key(body, context),
            Some((&NEW_KEYS, _)) => return Step::Over,
            _ => {}
        }
        Step::Took(4 + length)
    }

    fn weight(&self) -> usize {
        self.banner.len()
    }
}

impl Negotiation {
    fn facts(&self, is_client: bool, hassh: Option<[u8; 16]>) -> Facts<'_> {
        Facts { is_client, banner: &self.banner, hassh }
    }

    fn report_hassh<V: Visitor>(&self, body: &[u8], context: &mut ParseContext<'_, '_, V>) {
        if !context.visitor.wants(Kind::Hassh) {
            return;
        }
        let Some(hassh) = hassh(body, context.packet.to_server) else {
            return context.counters.note(Fault::BadSsh);
        };
        let facts = self.facts(context.packet.to_server, Some(hassh));
        let protocol_facts = ProtocolFacts::Message(&facts);
        let observable = Observable::Digest(Kind::Hassh, &hassh);
        context.visitor.seen(observable, Where::SshHassh, context.packet, protocol_facts);
    }

    /// Reports the host key at the beginning of a response. The group of another exchange has the
    /// same number as a response, but no algorithm name at the beginning.
    fn report_key<V: Visitor>(&self, body: &[u8], context: &mut ParseContext<'_, '_, V>) {
        let Some((key, _)) = split_string(body) else { return };
        let is_key = split_string(key).is_some_and(|(name, _)| {
            [&b"ssh-"[..], b"ecdsa-", b"sk-", b"rsa-"].iter().any(|start| name.starts_with(start))
        });
        if !is_key || !context.visitor.wants(Kind::SshKey) {
            return;
        }
        let facts = self.facts(context.packet.to_server, None);
        let protocol_facts = ProtocolFacts::Message(&facts);
        for text in [digest::encode(&Md5::digest(key)), digest::encode(&Sha256::digest(key))] {
            let observable = Observable::Text(Kind::SshKey, text.as_bytes());
            context.visitor.seen(observable, Where::SshHostKey, context.packet, protocol_facts);
        }
    }
}

/// Splits off a string that follows its length.
fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.get(4..)?.split_at_checked(be32(bytes, 0)? as usize)
}

/// The HASSH of what a side offers: a client towards the server, or the other way. `None` if the
/// lists can't be parsed.
fn hassh(body: &[u8], to_server: bool) -> Option<[u8; 16]> {
    // A cookie, then lists: key exchange, host keys, and ciphers, MACs and
    // compressions of both directions in turn.
    let mut rest = body.get(16..)?;
    let mut lists = [&[][..]; 8];
    for list in &mut lists {
        (*list, rest) = split_string(rest)?;
    }
    let from = usize::from(!to_server);
    let mut hash = Md5::new();
    hash.update(lists[0]);
    for list in [lists[2 + from], lists[4 + from], lists[6 + from]] {
        hash.update(b";");
        hash.update(list);
    }
    Some(hash.finalize().into())
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests {
    use super::*;
    use crate::engine::packet::tests::probe;

    fn string(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
    }

    fn packet(payload: &[u8]) -> Vec<u8> {
        string(&[&[4][..], payload, &[0; 4]].concat())
    }

    fn negotiation() -> Vec<u8> {
        let lists = ["kex", "keys", "c1", "c2", "m1", "m2", "z1", "z2", "", ""];
        let mut payload = vec![NEGOTIATION];
        payload.extend([7; 16]);
        payload.extend(lists.iter().flat_map(|list| string(list.as_bytes())));
        payload.extend([0; 5]);
        packet(&payload)
    }

    /// What a client sends up to its new keys.
    pub(in crate::engine::packet) fn client() -> Vec<u8> {
        let rest = [negotiation(), packet(&[30, 1, 2]), packet(&[NEW_KEYS])].concat();
        [&b"SSH-2.0-Client\r\n"[..], &rest, b"encrypted"].concat()
    }

    /// The same of a server.
    pub(in crate::engine::packet) fn server() -> Vec<u8> {
        let key = string(&[string(b"ssh-ed25519"), string(b"key")].concat());
        let group = [&[KEY_ANSWER][..], &string(b"\0prime")].concat();
        let answer = [&[KEY_ANSWER][..], &key, &string(b"signature")].concat();
        let rest = [negotiation(), packet(&group), packet(&answer), packet(&[NEW_KEYS])].concat();
        [&b"SSH-2.0-Server\r\n"[..], &rest, b"encrypted"].concat()
    }

    #[test]
    fn banners_decide_whether_it_is_ssh() {
        assert!(matches!(probe::<Negotiation>(b"SS"), Probe::Maybe(4)));
        assert!(matches!(probe::<Negotiation>(b"SSH-1.99"), Probe::Is(_)));
        assert!(matches!(probe::<Negotiation>(b"SSX"), Probe::No));
        let key = string(&[string(b"ssh-ed25519"), string(b"key")].concat());
        assert_eq!(split_string(&key).unwrap().1, b"");
        assert_eq!(split_string(&key[..9]), None);
    }
}
