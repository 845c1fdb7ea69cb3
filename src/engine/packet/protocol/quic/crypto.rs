//! The stream of CRYPTO frames of one direction, put in order.

use super::initial::varint;
use crate::engine::packet::bytes::{be16, be24};
use crate::engine::packet::payload::handshake::{self, hello};
use crate::engine::packet::payload::reorder::Pending;
use crate::engine::packet::{Counters, Fault, Packet, Visitor};
use crate::engine::progress::bound;

const PADDING: u64 = 0;
const PING: u64 = 1;
const ACK: u64 = 2;
const ACK_ECN: u64 = 3;
const CRYPTO: u64 = 6;

/// The longest hello that is assembled.
const MAX_BYTES: usize = bound(16 << 10, 600);
const MAX_PIECES: usize = bound(64, 4);

/// What has arrived of a hello.
#[derive(Debug, Default)]
pub(super) struct Crypto {
    held: Vec<u8>,
    pending: Pending,
    is_done: bool,
}

impl Crypto {
    /// Processes the frames of a packet; reports the hello that they complete.
    pub(super) fn frames<V: Visitor>(
        &mut self,
        plain: &[u8],
        packet: &Packet<'_>,
        visitor: &mut V,
        counters: &mut Counters,
    ) {
        if self.is_done {
            return;
        }
        let mut rest = plain;
        // Each consumes at least the bytes of its type. A packet may contain thousands that fit
        // nowhere.
        while let Some(after) = self.frame(rest).filter(|_| self.pending.len() <= MAX_PIECES) {
            rest = after;
        }
        if self.pending.len() > MAX_PIECES || self.pending.weight() > MAX_BYTES {
            counters.note(Fault::BadQuic);
            self.finish();
            return;
        }
        // A hello is the first message, and the only one in Initial packets.
        if let Some(length) = be24(&self.held, 1)
            && self.held.len() >= 4 + length as usize
        {
            report(&self.held, packet, visitor, counters);
            self.finish();
        }
    }

    /// Bytes that are held.
    pub(super) fn weight(&self) -> usize {
        self.held.capacity() + self.pending.weight()
    }

    fn finish(&mut self) {
        *self = Crypto { is_done: true, ..Crypto::default() };
    }

    /// Takes one frame; `None` if nothing more can be parsed.
    pub(super) fn frame<'f>(&mut self, bytes: &'f [u8]) -> Option<&'f [u8]> {
        let (kind, rest) = varint(bytes)?;
        match kind {
            // Usually a long run of them.
            PADDING => {
                let end = rest.iter().position(|&byte| byte != 0).unwrap_or(rest.len());
                rest.get(end..)
            }
            PING => Some(rest),
            ACK | ACK_ECN => skip_ack(rest, kind == ACK_ECN),
            CRYPTO => {
                let (offset, rest) = varint(rest)?;
                let (length, rest) = varint(rest)?;
                let (data, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                let offset = usize::try_from(offset).ok()?;
                if offset + data.len() <= MAX_BYTES {
                    self.add(offset, data);
                }
                Some(rest)
            }
            _ => None,
        }
    }

    fn add(&mut self, offset: usize, data: &[u8]) {
        let known = self.held.len().saturating_sub(offset);
        let Some(data) = data.get(known..).filter(|data| !data.is_empty()) else { return };
        self.pending.insert((offset + known) as u32, data, 0);
        while self.pending.start() == Some(self.held.len() as u32)
            && let Some(piece) = self.pending.pop()
        {
            self.held.extend_from_slice(&piece.data);
        }
    }
}

fn skip_ack(bytes: &[u8], has_counts: bool) -> Option<&[u8]> {
    let (_largest, rest) = varint(bytes)?;
    let (_delay, rest) = varint(rest)?;
    let (ranges, rest) = varint(rest)?;
    let (_first, mut rest) = varint(rest)?;
    let numbers = ranges.saturating_mul(2) + if has_counts { 3 } else { 0 };
    for _ in 0..numbers {
        rest = varint(rest)?.1;
    }
    Some(rest)
}

/// Reports a handshake message, if it is a hello.
fn report<V: Visitor>(
    message: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) {
    let Some(length) = be16(message, 2) else { return };
    let body = message.get(4..4 + usize::from(length)).unwrap_or_default();
    match message.first() {
        Some(&handshake::CLIENT_HELLO) => {
            if let Some(hello) = hello::parse_client(body) {
                handshake::report_client(
                    &hello,
                    handshake::Transport::Quic,
                    packet,
                    visitor,
                    counters,
                );
            }
        }
        Some(&handshake::SERVER_HELLO) => {
            if let Some(hello) = hello::parse_server(body) {
                handshake::report_server(&hello, handshake::Transport::Quic, packet, visitor);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_in_any_order() {
        let mut crypto = Crypto::default();
        let frames =
            [&b"\x06\x03\x03def\x01\0\0"[..], b"\x02\x05\0\x01\0\0\0", b"\x06\0\x04abcD"].concat();
        let mut rest = &frames[..];
        while let Some(after) = crypto.frame(rest) {
            rest = after;
        }
        assert_eq!(rest, b"");
        assert_eq!(crypto.held, b"abcdef", "the first wins");
        assert_eq!(crypto.frame(b"\x1c\0\0\0"), None);
        assert_eq!(crypto.frame(b"\x06\0\x09abc"), None);
        assert_eq!(crypto.frame(b"\x02\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), None);
    }
}
