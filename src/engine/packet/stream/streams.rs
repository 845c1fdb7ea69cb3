//! The streams of all flows that have state, and how much.

use super::side::{Side, SideContext, Stamp};
use super::tcp::{Mode, NIL, Tcp};
use crate::engine::packet::config::Config;
use crate::engine::packet::contract::{ParseContext, Shared, StreamContext};
use crate::engine::packet::counters::{Counters, Fault};
use crate::engine::packet::dispatch::{self, ConnectionState, Parser};
use crate::engine::packet::payload::reorder::is_before;
use crate::engine::packet::view::{Packet, Ports, Visitor};
use crate::engine::packet::wire::transport::{ACK, FIN, SYN, Segment};

/// Both directions of a connection.
#[derive(Debug, Default)]
struct Stream {
    sides: [Side; 2],
    state: ConnectionState,
    is_used: bool,
    /// How often the slot was freed.
    tenancy: u32,
}

impl Stream {
    fn weight(&self) -> usize {
        let sides = self.sides[0].weight() + self.sides[1].weight();
        sides + self.state.weight()
    }
}

/// All streams that have state.
#[derive(Debug)]
pub(in crate::engine::packet) struct Streams {
    slots: Vec<Stream>,
    free: Vec<u32>,
    /// Buffered bytes of all slots.
    bytes: usize,
    max: usize,
    /// Where room was made last.
    hand: usize,
}

impl Streams {
    pub(in crate::engine::packet) fn new(config: &Config) -> Self {
        Streams {
            slots: Vec::new(),
            free: Vec::new(),
            bytes: 0,
            max: config.max_stream_bytes,
            hand: 0,
        }
    }

    /// Whether there is no state.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0 && self.free.len() == self.slots.len()
    }

    /// Bytes in use: slots and their buffers.
    pub(super) fn used(&self) -> usize {
        self.bytes + (self.slots.len() - self.free.len()) * size_of::<Stream>()
    }

    /// Takes a segment that yields nothing: one without bytes, or with bytes of an unknown
    /// protocol. Returns false if it is another; then nothing was done.
    #[inline(always)]
    pub(in crate::engine::packet) fn pass(
        &self,
        tcp: &mut Tcp,
        side: usize,
        segment: &Segment<'_>,
        missing: usize,
        packet: (Ports, bool),
    ) -> bool {
        // A slot has state to update, and a FIN may end a direction.
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
                let is_none = !reads_unknown && !dispatch::begins(payload, ports);
                if is_none || payload.is_empty() {
                    tcp.next[side] = next;
                    return true;
                }
                false
            }
            Mode::Fresh | Mode::Synced | Mode::Streaming => false,
        }
    }

    /// Takes a segment of a flow. `side` is the sender.
    pub(in crate::engine::packet) fn segment<V: Visitor>(
        &mut self,
        tcp: &mut Tcp,
        side: usize,
        segment: &Segment<'_>,
        missing: usize,
        stream_context: &mut StreamContext<'_, '_, V>,
    ) {
        if tcp.slot != NIL && !self.is_own(tcp) {
            // It was taken away: continue without it.
            tcp.slot = NIL;
            for side in 0..2 {
                if tcp.mode(side) == Mode::Streaming {
                    tcp.set_mode(side, Mode::Unidentified);
                }
            }
            // `next` was not updated while the slot kept the position of each side.
            tcp.next[side] = segment.seq;
            if segment.flags & ACK != 0 {
                tcp.next[side ^ 1] = segment.ack;
            }
        }
        let mut seq = segment.seq;
        if segment.flags & SYN != 0 {
            seq = seq.wrapping_add(1);
            self.synchronise(tcp, side, seq, segment, stream_context);
        }
        if tcp.slot != NIL && segment.flags & ACK != 0 {
            let other = &mut self.slots[tcp.slot as usize].sides[side ^ 1];
            other.acknowledged(segment.ack);
            if segment.flags & FIN != 0 {
                other.left(segment.ack);
            }
        }
        if !segment.payload.is_empty() || missing > 0 {
            self.payload(tcp, side, seq, (segment.payload, missing), stream_context);
        }
        if segment.flags & FIN != 0 {
            let end = seq.wrapping_add((segment.payload.len() + missing) as u32);
            self.end(tcp, side, end, stream_context);
        }
        if tcp.slot != NIL {
            self.settle(tcp);
            self.make_room(stream_context.counters);
        }
    }

    /// A side ends before the byte `end`; bytes before it may still arrive.
    fn end<V: Visitor>(
        &mut self,
        tcp: &mut Tcp,
        side: usize,
        end: u32,
        stream_context: &mut StreamContext<'_, '_, V>,
    ) {
        if tcp.mode(side) == Mode::Synced && is_before(tcp.next[side], end) {
            self.start(tcp, side, tcp.next[side], true, first_parser(true, stream_context));
        }
        if tcp.slot != NIL && tcp.mode(side) == Mode::Streaming {
            self.work(tcp.slot, side, stream_context, |side, context| side.end(end, context));
        }
    }

    /// Reports what is left of a closed flow. `packet` makes the packet of a side of which the
    /// last number, time and length are known.
    pub(in crate::engine::packet) fn close<V: Visitor>(
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
            let mut stream_context = StreamContext { packet: &packet, visitor, counters, shared };
            self.work(tcp.slot, side, &mut stream_context, |side, context| side.finish(context));
        }
        self.release(tcp.slot);
    }

    /// Whether a flow's slot is still its own.
    fn is_own(&self, tcp: &Tcp) -> bool {
        self.slots
            .get(tcp.slot as usize)
            .is_some_and(|stream| stream.is_used && stream.tenancy == tcp.tenancy)
    }

    /// Takes a SYN. If it opens a new connection, the one before is over.
    fn synchronise<V: Visitor>(
        &mut self,
        tcp: &mut Tcp,
        side: usize,
        start: u32,
        segment: &Segment<'_>,
        stream_context: &mut StreamContext<'_, '_, V>,
    ) {
        if tcp.slot != NIL && tcp.is_new_connection(side, start, segment) {
            for side in 0..2 {
                self.work(tcp.slot, side, stream_context, |side, context| side.finish(context));
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
        (mut payload, missing): (&[u8], usize),
        stream_context: &mut StreamContext<'_, '_, V>,
    ) {
        match tcp.mode(side) {
            Mode::Over => return,
            Mode::Streaming => {}
            Mode::Synced => {
                self.start(tcp, side, tcp.next[side], true, first_parser(true, stream_context))
            }
            Mode::Fresh => self.start(tcp, side, seq, false, first_parser(false, stream_context)),
            Mode::Unidentified => {
                (seq, payload, tcp.next[side]) = tcp.unread(side, seq, payload, missing);
                let is_asked = stream_context.shared.reads_unknown
                    || dispatch::begins(payload, stream_context.packet.ports);
                if payload.is_empty() || !is_asked {
                    return;
                }
                self.start(tcp, side, seq, false, Parser::Start);
            }
        }
        let stamp = Stamp::of(stream_context.packet);
        self.work(tcp.slot, side, stream_context, |side, context| {
            side.feed(seq, payload, missing, stamp, context);
        });
    }

    /// Adds a direction to the flow's slot.
    fn start(&mut self, tcp: &mut Tcp, side: usize, next: u32, is_synced: bool, parser: Parser) {
        if tcp.slot == NIL {
            tcp.slot = self.free.pop().unwrap_or_else(|| {
                self.slots.push(Stream::default());
                self.slots.len() as u32 - 1
            });
            let stream = &mut self.slots[tcp.slot as usize];
            stream.is_used = true;
            // Slots are taken away without access to their flow; the flow notices it by the
            // tenancy.
            tcp.tenancy = stream.tenancy;
        }
        tcp.set_mode(side, Mode::Streaming);
        let side = &mut self.slots[tcp.slot as usize].sides[side];
        let before = side.weight();
        side.start(next, is_synced, parser);
        self.bytes = self.bytes + side.weight() - before;
    }

    /// Runs a function of a side, and counts what it holds afterwards.
    fn work<V: Visitor>(
        &mut self,
        slot: u32,
        side: usize,
        stream_context: &mut StreamContext<'_, '_, V>,
        work: impl FnOnce(&mut Side, &mut SideContext<'_, '_, V>),
    ) {
        let stream = &mut self.slots[slot as usize];
        let before = stream.sides[side].weight() + stream.state.weight();
        // The state of the stream that both sides need.
        let StreamContext { packet, visitor, counters, shared } = stream_context;
        let parse = ParseContext::new(packet, *visitor, counters, shared);
        let mut context = SideContext { state: &mut stream.state, parse };
        work(&mut stream.sides[side], &mut context);
        let after = stream.sides[side].weight() + stream.state.weight();
        self.bytes = self.bytes + after - before;
    }

    /// Frees the slot once no side needs it.
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
        // An end without a response yet: the response will be parsed with what was requested.
        let is_awaited = (0..2).any(|side| matches!(tcp.mode(side), Mode::Fresh | Mode::Synced));
        is_needed |= is_awaited && stream.state.is_needed();
        if !is_needed {
            self.release(tcp.slot);
            tcp.slot = NIL;
        }
    }

    fn release(&mut self, slot: u32) {
        let stream = &mut self.slots[slot as usize];
        self.bytes -= stream.weight();
        // Buffers are freed too: all slots together would keep more than is ever used at a time.
        stream.sides = Default::default();
        stream.state = ConnectionState::default();
        stream.is_used = false;
        stream.tenancy = stream.tenancy.wrapping_add(1);
        self.free.push(slot);
    }

    /// Takes slots away until the bound is kept.
    fn make_room(&mut self, counters: &mut Counters) {
        while self.used() > self.max && self.free.len() < self.slots.len() {
            // Round robin, because an order by last use would cost an update for each segment.
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

/// The parser for the first bytes of a direction.
fn first_parser<V>(is_synced: bool, stream_context: &StreamContext<'_, '_, V>) -> Parser {
    match stream_context.shared.announced.find(stream_context.packet) {
        Some(end) => Parser::expected(end, is_synced),
        None => Parser::Start,
    }
}
