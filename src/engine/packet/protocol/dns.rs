//! DNS, mDNS and LLMNR over UDP and TCP.
//!
//! On ports 53, 5353 and 5355 a message is parsed as far as it is valid. On any other port a
//! payload is DNS if it is valid from its first to its last byte: an opcode of 0, one question of
//! plain characters, records that fill the rest.

pub use crate::engine::packet::payload::dns::Message;

use crate::engine::packet::bytes::be16;
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::counters::{Counters, Fault};
use crate::engine::packet::payload::dns::{self, HEADER};
use crate::engine::packet::view::{Packet, Ports, Visitor};

/// The length before each message over TCP.
const LENGTH: usize = 2;

/// Looks for a DNS message in a UDP payload; returns whether it is one.
pub(in crate::engine::packet) fn inspect<V: Visitor>(
    payload: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) -> bool {
    let is_dns =
        is_dns_port(packet.ports) || (!is_netbios(packet.ports) && dns::is_message(payload));
    if is_dns {
        dns::report(payload, packet, visitor, counters);
    }
    is_dns
}

/// One direction of a stream of messages.
#[derive(Debug)]
pub(in crate::engine::packet) struct Messages;

impl Protocol for Messages {
    type Session = ();

    /// On its ports any message is accepted, elsewhere only one that is certainly DNS.
    fn probe(data: &[u8], opening: &Opening, _: &impl Slot<()>) -> Probe<Self> {
        if is_dns_port(opening.ports) {
            return if data.len() < LENGTH + HEADER {
                Probe::Maybe(LENGTH + HEADER)
            } else {
                Probe::Is(Messages)
            };
        }
        let Some(length) = be16(data, 0).map(usize::from) else { return Probe::Maybe(LENGTH) };
        // What can't be DNS is rejected by its first bytes, before it is buffered.
        let header = data.get(LENGTH..).unwrap_or_default();
        let is_likely = length > HEADER
            && header.get(2).is_none_or(|flags| flags & 0x78 == 0)
            && header.get(3).is_none_or(|codes| codes & 0x4f <= 10)
            && header.get(4).is_none_or(|&high| high == 0)
            && header.get(5).is_none_or(|&low| low == 1)
            && [6, 8, 10].iter().all(|&at| header.get(at).is_none_or(|&high| high == 0));
        match split_message(data) {
            _ if !is_likely => Probe::No,
            _ if data.len() < LENGTH + HEADER => Probe::Maybe(LENGTH + HEADER),
            None => Probe::Maybe(LENGTH + length),
            Some((message, _)) if dns::is_message(message) => Probe::Is(Messages),
            Some(_) => Probe::No,
        }
    }

    fn begins(data: &[u8], ports: Ports) -> bool {
        let Some((message, rest)) = split_message(data) else { return false };
        if is_dns_port(ports) {
            // It may as well begin in the middle of a message, so the whole must be valid.
            message.len() > HEADER && dns::walk(message, &mut |_| {}) == Ok(message.len())
        } else {
            rest.is_empty() && dns::is_message(message)
        }
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        _: &mut impl Slot<()>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let Some(length) = be16(data, 0).map(usize::from) else { return Step::Wait(LENGTH) };
        let Some((message, _)) = split_message(data) else { return Step::Wait(LENGTH + length) };
        if !context.is_synced && dns::walk(message, &mut |_| {}) != Ok(message.len()) {
            return Step::Lost;
        }
        dns::report(message, context.packet, context.visitor, context.counters);
        Step::Took(LENGTH + length)
    }

    fn finish<V: Visitor>(
        self,
        data: &[u8],
        _: &mut impl Slot<()>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        if !data.is_empty() {
            context.counters.note(Fault::SplitDns);
        }
    }
}

/// Splits off a message that follows its length.
fn split_message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(be16(bytes, 0)?);
    bytes.get(2..)?.split_at_checked(length)
}

fn is_dns_port(ports: Ports) -> bool {
    let is_dns = |port| matches!(port, 53 | 5353 | 5355);
    matches!(ports, Ports::Pair(src, dst) if is_dns(src) || is_dns(dst))
}

/// NetBIOS names use the same message format, but are not DNS names.
fn is_netbios(ports: Ports) -> bool {
    let is_netbios = |port| matches!(port, 137 | 138);
    matches!(ports, Ports::Pair(src, dst) if is_netbios(src) || is_netbios(dst))
}
