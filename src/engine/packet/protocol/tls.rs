//! TLS handshakes: server name, fingerprints, certificates.
//!
//! Recognised by content on any port. Handshake messages are assembled from their records; a
//! truncated hello is parsed as far as it goes. Certificates are readable up to TLS 1.2; in later
//! versions they are encrypted, like everything else after the change of cipher.

pub use crate::engine::packet::payload::handshake::{Certificate, Hello, ServerHello};

use crate::engine::packet::bytes::{be16, be24};
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::counters::Fault;
use crate::engine::packet::payload::handshake::{
    self, CERTIFICATE, CLIENT_HELLO, HANDSHAKE, RECORD_HEADER, SERVER_HELLO, Transport, hello,
    opening, report_chain, report_client, report_name, report_server,
};
use crate::engine::packet::view::{Ports, Visitor};
use crate::engine::progress::bound;

const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const APPLICATION: u8 = 23;
const HEARTBEAT: u8 = 24;

const TLS_1_3: u16 = 0x0304;

/// The maximum size of a record, with room for what ciphers add.
const MAX_RECORD: usize = bound((16 << 10) + 2048, 600);

/// The longest handshake message that is assembled.
const MAX_MESSAGE: usize = bound(128 << 10, 1000);

/// One direction of a TLS connection, until it is encrypted.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Records {
    /// A handshake message of which some records have arrived.
    message: Vec<u8>,
    is_hello_done: bool,
    /// TLS 1.3 was chosen, without requesting another hello.
    is_dark: bool,
}

impl Protocol for Records {
    type Session = ();

    fn probe(data: &[u8], _: &Opening, _: &impl Slot<Self::Session>) -> Probe<Self> {
        match opening(data) {
            Some((_, 0)) => Probe::Maybe(RECORD_HEADER + 2),
            Some(([CLIENT_HELLO | SERVER_HELLO, ..], 1)) => {
                Probe::Maybe((data.len() + 1).max(RECORD_HEADER + 2))
            }
            Some(([CLIENT_HELLO | SERVER_HELLO, 0, ..], _)) => Probe::Is(Records::default()),
            _ => Probe::No,
        }
    }

    fn begins(data: &[u8], _: Ports) -> bool {
        handshake::begins(data)
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        _: &mut impl Slot<Self::Session>,
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

    fn finish<V: Visitor>(
        self,
        data: &[u8],
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
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
            report_name(&hello, Transport::Tcp, packet, *visitor, counters);
        }
    }

    fn weight(&self) -> usize {
        self.message.capacity()
    }
}

impl Records {
    /// Takes a part of the handshake: messages, complete or not.
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
        // The buffer stays in place: many short records make one long message.
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
                    report_client(&hello, Transport::Tcp, packet, *visitor, counters);
                }
            }
            SERVER_HELLO => {
                if let Some(hello) = hello::parse_server(body) {
                    self.is_dark = hello.version == TLS_1_3 && !hello.is_retry;
                    report_server(&hello, Transport::Tcp, context.packet, context.visitor);
                }
            }
            CERTIFICATE if !self.is_dark => report_chain(body, &mut context.report()),
            _ => {}
        }
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
