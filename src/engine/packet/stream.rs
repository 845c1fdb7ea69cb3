//! TCP streams: both directions put in order, and fed to the protocol they speak.
//!
//! A stream has a slot here only while there is something to remember: from its
//! first bytes until both directions are of no protocol that is looked into, or
//! have said all that can be read. Segments that come in order are read where they
//! lie; only what is out of order, or a message that is not whole yet, is copied.
//!
//! Without a slot a direction is [`Mode::Unidentified`] — nothing is kept but the next
//! sequence number, and each segment is asked whether a protocol begins with it —
//! or [`Mode::Over`].
//!
//! Memory is bounded. When it is used up, a hand goes round the slots and takes the one
//! that it points at from its flow, which is loose from then on: what was half said
//! there is lost, and counted.

mod parser;
mod side;
mod talk;

pub(super) use parser::{
    ParseContext, Parser, Probe, RequestKind, Requests, Shared, Step, StreamContext, kept_url,
};
pub(super) use pending::Pending;
pub(super) use side::Stamp;
pub(super) use talk::Talk;

use crate::engine::packet::wire::transport::{ACK, FIN, SYN, Segment};
use super::{Config, Counters, Fault, Packet, Ports, Visitor};
use crate::engine::packet::protocol::ftp;
use side::Side;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// No slot.
const NIL: u32 = u32::MAX;

/// A loose direction follows jumps up to here; a longer one is somebody's lie, or
/// a gap that costs no more than being asked once too often.
const LONGEST_JUMP: u32 = 1 << 20;

/// What one direction of a flow is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing was seen.
    #[default]
    Fresh,
    /// The SYN was.
    Synced,
    /// In its slot.
    Streaming,
    /// Of no known protocol.
    Unidentified,
    /// There is nothing more to be read.
    Over,
}

const MODES: [Mode; 5] =
    [Mode::Fresh, Mode::Synced, Mode::Streaming, Mode::Unidentified, Mode::Over];

/// What a flow remembers of its TCP connection.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(super) struct Tcp {
    /// By side: the low end of the flow's key sends the first.
    next: [u32; 2],
    /// Behind each side's SYN.
    start: [u32; 2],
    slot: u32,
    /// The flow's slot is its own while this is the slot's tenancy.
    tenancy: u32,
    /// Of [`Mode`].
    modes: [u8; 2],
    /// Whether `start` is known: 0 or 1.
    has_start: [u8; 2],
}

impl Default for Tcp {
    fn default() -> Self {
        Tcp {
            next: [0; 2],
            start: [0; 2],
            slot: NIL,
            tenancy: 0,
            modes: [Mode::Fresh as u8; 2],
            has_start: [0; 2],
        }
    }
}

impl Tcp {
    fn mode(&self, side: usize) -> Mode {
        MODES[usize::from(self.modes[side]) % MODES.len()]
    }

    fn set_mode(&mut self, side: usize, mode: Mode) {
        self.modes[side] = mode as u8;
    }

    fn set_synced(&mut self, side: usize) {
        (self.modes[side], self.has_start[side]) = (Mode::Synced as u8, 1);
    }

    /// Whether a side's SYN tells of a new connection: an answer that is not the one which was
    /// seen before.
    fn is_new_connection(&self, side: usize, start: u32, segment: &Segment<'_>) -> bool {
        let is_other = self.has_start[side] != 0 && self.start[side] != start;
        self.mode(side) != Mode::Fresh && is_other && segment.flags & ACK != 0
    }

    /// Notes where a direction begins, if that is not known or not true any more. What was
    /// remembered of a connection before is done with by then.
    fn synchronise(&mut self, side: usize, start: u32, segment: &Segment<'_>) {
        if self.is_new_connection(side, start, segment) {
            *self = Tcp::default();
            (self.next[side ^ 1], self.start[side ^ 1]) = (segment.ack, segment.ack);
            self.set_synced(side ^ 1);
        } else if self.mode(side) != Mode::Fresh {
            return;
        }
        (self.next[side], self.start[side]) = (start, start);
        self.set_synced(side);
    }

    /// What of a segment in a loose direction was not seen yet, and the next byte behind it.
    fn unread<'a>(
        &self,
        side: usize,
        seq: u32,
        payload: &'a [u8],
        missing: usize,
    ) -> (u32, &'a [u8], u32) {
        let next = self.next[side];
        let end = seq.wrapping_add((payload.len() + missing) as u32);
        let is_on = is_before(next, end) && end.wrapping_sub(next) < LONGEST_JUMP;
        let behind = if is_on { end } else { next };
        if is_before(seq, next) {
            let rest = payload.get(next.wrapping_sub(seq) as usize..).unwrap_or_default();
            return (next, rest, behind);
        }
        (seq, payload, behind)
    }

    /// Whether something may be left to tell when the flow is closed.
    pub(super) fn is_open(&self) -> bool {
        self.slot != NIL
    }
}

/// Both directions of a connection.
#[derive(Debug, Default)]
struct Stream {
    sides: [Side; 2],
    requests: Requests,
    talk: Talk,
    is_used: bool,
    /// How often the slot was given back.
    tenancy: u32,
}

impl Stream {
    fn weight(&self) -> usize {
        let sides = self.sides[0].weight() + self.sides[1].weight();
        sides + self.shared_weight()
    }

    /// Of what both sides need.
    fn shared_weight(&self) -> usize {
        self.requests.weight() + self.talk.weight()
    }

    /// Whether one side has said what the other's can't be read without.
    fn has_shared(&self) -> bool {
        !self.requests.is_empty() || !matches!(self.talk, Talk::Nothing)
    }
}

/// All streams that have something to remember.
#[derive(Debug)]
pub(super) struct Streams {
    slots: Vec<Stream>,
    free: Vec<u32>,
    /// Buffered bytes of all slots.
    bytes: usize,
    most: usize,
    /// Where room was made last.
    hand: usize,
}

impl Streams {
    pub(super) fn new(config: &Config) -> Self {
        Streams {
            slots: Vec::new(),
            free: Vec::new(),
            bytes: 0,
            most: config.most_stream_bytes,
            hand: 0,
        }
    }

    /// Bytes in use: slots and what is buffered in them.
    fn used(&self) -> usize {
        self.bytes + (self.slots.len() - self.free.len()) * size_of::<Stream>()
    }

    /// Takes a segment of a flow that shows nothing: one without bytes, or with bytes of no
    /// protocol that is looked into. False if it is another; then nothing was done.
    #[inline(always)]
    pub(super) fn pass(
        &self,
        tcp: &mut Tcp,
        side: usize,
        segment: &Segment<'_>,
        missing: usize,
        packet: (Ports, bool),
    ) -> bool {
        if tcp.slot != NIL || segment.flags & FIN != 0 {
            return false;
        }
        if segment.payload.is_empty() && missing == 0 {
            if segment.flags & SYN != 0 {
                tcp.synchronise(side, segment.seq.wrapping_add(1), segment);
            }
            return true;
        }
        if segment.flags & SYN != 0 {
            return false;
        }
        match tcp.mode(side) {
            Mode::Over => true,
            Mode::Unidentified => {
                let (ports, reads_unknown) = packet;
                let (_, payload, next) = tcp.unread(side, segment.seq, segment.payload, missing);
                let is_none = !reads_unknown && !parser::begins(payload, ports);
                if is_none || payload.is_empty() {
                    tcp.next[side] = next;
                    return true;
                }
                false
            }
            Mode::Fresh | Mode::Synced | Mode::Streaming => false,
        }
    }

    /// Takes a segment of a flow. `side` is who sent it.
    pub(super) fn segment<V: Visitor>(
        &mut self,
        tcp: &mut Tcp,
        side: usize,
        segment: &Segment<'_>,
        missing: usize,
        given: &mut StreamContext<'_, '_, V>,
    ) {
        if tcp.slot != NIL && !self.is_own(tcp) {
            // It was taken away: go on from here.
            tcp.slot = NIL;
            for side in 0..2 {
                if tcp.mode(side) == Mode::Streaming {
                    tcp.set_mode(side, Mode::Unidentified);
                }
            }
            tcp.next[side] = segment.seq;
            if segment.flags & ACK != 0 {
                tcp.next[side ^ 1] = segment.ack;
            }
        }
        let mut seq = segment.seq;
        if segment.flags & SYN != 0 {
            seq = seq.wrapping_add(1);
            self.synchronise(tcp, side, seq, segment, given);
        }
        if tcp.slot != NIL && segment.flags & ACK != 0 {
            let other = &mut self.slots[tcp.slot as usize].sides[side ^ 1];
            other.acknowledged(segment.ack);
            if segment.flags & FIN != 0 {
                other.left(segment.ack);
            }
        }
        if !segment.payload.is_empty() || missing > 0 {
            self.payload(tcp, side, seq, segment.payload, missing, given);
        }
        if segment.flags & FIN != 0 {
            let end = seq.wrapping_add((segment.payload.len() + missing) as u32);
            self.end(tcp, side, end, given);
        }
        if tcp.slot != NIL {
            self.settle(tcp);
            self.make_room(given.counters);
        }
    }

    /// A side ends with the byte in front of `end`, of which the first may still come.
    fn end<V: Visitor>(
        &mut self,
        tcp: &mut Tcp,
        side: usize,
        end: u32,
        given: &mut StreamContext<'_, '_, V>,
    ) {
        if tcp.mode(side) == Mode::Synced && is_before(tcp.next[side], end) {
            self.start(tcp, side, tcp.next[side], true, first_parser(true, given));
        }
        if tcp.slot != NIL && tcp.mode(side) == Mode::Streaming {
            self.work(tcp.slot, side, given, |side, context| side.end(end, context));
        }
    }

    /// Tells what is left of a closed flow. `packet` makes the packet of a side of
    /// which the last number, time and length are known.
    pub(super) fn close<V: Visitor>(
        &mut self,
        tcp: &Tcp,
        visitor: &mut V,
        counters: &mut Counters,
        shared: &mut Shared,
        packet: impl Fn(usize, Stamp) -> Packet<'static>,
    ) {
        if !self.is_own(tcp) {
            return;
        }
        let stream = &self.slots[tcp.slot as usize];
        let stamps = [stream.sides[0].last(), stream.sides[1].last()];
        for (side, stamp) in stamps.into_iter().enumerate() {
            let packet = packet(side, stamp);
            let mut given = StreamContext { packet: &packet, visitor, counters, shared };
            self.work(tcp.slot, side, &mut given, |side, context| side.finish(context));
        }
        self.release(tcp.slot);
    }

    /// Whether a flow's slot is still its own.
    fn is_own(&self, tcp: &Tcp) -> bool {
        self.slots
            .get(tcp.slot as usize)
            .is_some_and(|stream| stream.is_used && stream.tenancy == tcp.tenancy)
    }

    /// Takes a SYN. If it tells of a new connection, the one before is over.
    fn synchronise<V: Visitor>(
        &mut self,
        tcp: &mut Tcp,
        side: usize,
        start: u32,
        segment: &Segment<'_>,
        given: &mut StreamContext<'_, '_, V>,
    ) {
        if tcp.slot != NIL && tcp.is_new_connection(side, start, segment) {
            for side in 0..2 {
                self.work(tcp.slot, side, given, |side, context| side.finish(context));
            }
            self.release(tcp.slot);
        }
        tcp.synchronise(side, start, segment);
    }

    fn payload<V: Visitor>(
        &mut self,
        tcp: &mut Tcp,
        side: usize,
        mut seq: u32,
        mut payload: &[u8],
        missing: usize,
        given: &mut StreamContext<'_, '_, V>,
    ) {
        match tcp.mode(side) {
            Mode::Over => return,
            Mode::Streaming => {}
            Mode::Synced => self.start(tcp, side, tcp.next[side], true, first_parser(true, given)),
            Mode::Fresh => self.start(tcp, side, seq, false, first_parser(false, given)),
            Mode::Unidentified => {
                (seq, payload, tcp.next[side]) = tcp.unread(side, seq, payload, missing);
                let is_asked =
                    given.shared.reads_unknown || parser::begins(payload, given.packet.ports);
                if payload.is_empty() || !is_asked {
                    return;
                }
                self.start(tcp, side, seq, false, Parser::Start);
            }
        }
        let stamp = Stamp::of(given.packet);
        self.work(tcp.slot, side, given, |side, context| {
            side.feed(seq, payload, missing, stamp, context);
        });
    }

    /// Gives a direction its place in the flow's slot.
    fn start(&mut self, tcp: &mut Tcp, side: usize, next: u32, is_synced: bool, parser: Parser) {
        if tcp.slot == NIL {
            tcp.slot = self.free.pop().unwrap_or_else(|| {
                self.slots.push(Stream::default());
                self.slots.len() as u32 - 1
            });
            let stream = &mut self.slots[tcp.slot as usize];
            stream.is_used = true;
            tcp.tenancy = stream.tenancy;
        }
        tcp.set_mode(side, Mode::Streaming);
        let side = &mut self.slots[tcp.slot as usize].sides[side];
        let before = side.weight();
        side.start(next, is_synced, parser);
        self.bytes = self.bytes + side.weight() - before;
    }

    /// Lets a side work, and accounts what it holds afterwards.
    fn work<V: Visitor>(
        &mut self,
        slot: u32,
        side: usize,
        given: &mut StreamContext<'_, '_, V>,
        work: impl FnOnce(&mut Side, &mut ParseContext<'_, '_, V>),
    ) {
        let stream = &mut self.slots[slot as usize];
        let before = stream.sides[side].weight() + stream.shared_weight();
        // What is the stream's, and both sides need.
        let StreamContext { packet, visitor, counters, shared } = given;
        let (requests, talk) = (&mut stream.requests, &mut stream.talk);
        let mut context = ParseContext::new(packet, *visitor, counters, shared, requests, talk);
        work(&mut stream.sides[side], &mut context);
        let after = stream.sides[side].weight() + stream.shared_weight();
        self.bytes = self.bytes + after - before;
    }

    /// Gives the slot back once no side needs it.
    fn settle(&mut self, tcp: &mut Tcp) {
        let stream = &self.slots[tcp.slot as usize];
        let mut is_needed = false;
        for (at, side) in stream.sides.iter().enumerate() {
            if tcp.mode(at) == Mode::Streaming {
                match side.parser() {
                    Parser::Over => tcp.set_mode(at, Mode::Over),
                    Parser::Unidentified if !side.is_waiting() => {
                        tcp.set_mode(at, Mode::Unidentified);
                        tcp.next[at] = side.next();
                    }
                    _ => is_needed = true,
                }
            }
        }
        // An end without an answer yet: it will be read with what was asked.
        let is_awaited = (0..2).any(|side| matches!(tcp.mode(side), Mode::Fresh | Mode::Synced));
        is_needed |= is_awaited && stream.has_shared();
        if !is_needed {
            self.release(tcp.slot);
            tcp.slot = NIL;
        }
    }

    fn release(&mut self, slot: u32) {
        let stream = &mut self.slots[slot as usize];
        self.bytes -= stream.weight();
        // Buffers go, too: all slots together would keep more than is ever in use at a time.
        stream.sides = Default::default();
        stream.requests = Requests::default();
        stream.talk = Talk::Nothing;
        stream.is_used = false;
        stream.tenancy = stream.tenancy.wrapping_add(1);
        self.free.push(slot);
    }

    /// Takes slots away until the bound is kept.
    fn make_room(&mut self, counters: &mut Counters) {
        while self.used() > self.most && self.free.len() < self.slots.len() {
            self.hand = (self.hand + 1) % self.slots.len();
            let stream = &self.slots[self.hand];
            if stream.is_used {
                if stream.weight() > 0 {
                    counters.note(Fault::StreamEvicted);
                }
                self.release(self.hand as u32);
            }
        }
    }
}

/// What reads the first bytes of a direction.
fn first_parser<V>(is_synced: bool, given: &StreamContext<'_, '_, V>) -> Parser {
    match given.shared.announced.find(given.packet) {
        Some(end) => Parser::FtpData(Box::new(ftp::Data::new(end, is_synced))),
        None => Parser::Start,
    }
}

/// Whether one sequence number lies before another, on the shorter way around.
fn is_before(seq: u32, other: u32) -> bool {
    (seq.wrapping_sub(other) as i32) < 0
}

#[cfg(test)]
pub(super) mod tests;
