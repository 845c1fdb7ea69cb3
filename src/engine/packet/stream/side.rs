//! One direction of a stream: from segments to bytes in order, and on to its parser.

use crate::engine::indicator::Timestamp;
use crate::engine::packet::contract::{ParseContext, Step};
use crate::engine::packet::counters::Fault;
use crate::engine::packet::dispatch::{self, ConnectionState, Parser};
use crate::engine::packet::payload::reorder::{Pending, is_before};
use crate::engine::packet::payload::text;
use crate::engine::packet::view::{Packet, Visitor};
use crate::engine::progress::{Walk, bound};

/// Bytes and segments that wait for missing ones, before these are given up.
const MAX_PENDING: usize = bound(256 << 10, 2048);
const MAX_PIECES: usize = bound(64, 4);

/// Acknowledgements after which bytes are given up that the receiver has but the capture has not:
/// captures may reorder packets too.
const MAX_OVERDUE: u8 = bound(8, 2) as u8;

/// Capacity that a buffer keeps even if it holds far less.
const MAX_KEPT: usize = bound(1 << 10, 64);

/// When a direction was last active.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine::packet) struct Stamp {
    pub(in crate::engine::packet) number: u64,
    pub(in crate::engine::packet) time: Timestamp,
    pub(in crate::engine::packet) length: u32,
    pub(in crate::engine::packet) is_timed: bool,
}

impl Stamp {
    pub(super) fn of(packet: &Packet<'_>) -> Self {
        let Packet { number, time, length, is_timed, .. } = *packet;
        Stamp { number, time, length, is_timed }
    }
}

/// What a side works with: the state of its connection, and what a parser may use.
pub(super) struct SideContext<'c, 'p, V> {
    pub(super) state: &'c mut ConnectionState,
    pub(super) parse: ParseContext<'c, 'p, V>,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(super) struct Side {
    next: u32,
    /// Whether the stream's first byte is known.
    is_synced: bool,
    overdue: u8,
    parser: Parser,
    /// Bytes to come that are skipped without parsing.
    skip: u64,
    /// How many bytes must be held before the parser is called again.
    wants: usize,
    /// Bytes before `next` that the parser has not consumed yet.
    held: Vec<u8>,
    pending: Pending,
    /// Where the direction ends, once its FIN was seen.
    fin: Option<u32>,
    last: Stamp,
}

impl Side {
    pub(super) fn parser(&self) -> &Parser {
        &self.parser
    }

    pub(super) fn next(&self) -> u32 {
        self.next
    }

    pub(super) fn last(&self) -> Stamp {
        self.last
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    pub(super) fn weight(&self) -> usize {
        self.held.capacity() + self.pending.weight() + self.parser.weight()
    }

    pub(super) fn start(&mut self, next: u32, is_synced: bool, parser: Parser) {
        (self.next, self.is_synced, self.parser) = (next, is_synced, parser);
    }

    /// Takes a segment, of which the last `missing` bytes were not captured.
    pub(super) fn feed<V: Visitor>(
        &mut self,
        seq: u32,
        data: &[u8],
        missing: usize,
        stamp: Stamp,
        context: &mut SideContext<'_, '_, V>,
    ) {
        self.last = stamp;
        let (mut seq, mut data, mut missing) = (seq, data, missing);
        // The first copy of a byte counts. What was passed on already is compared, as far as it
        // is still held, and cut off.
        if is_before(seq, self.next) {
            self.compare(seq, data, context);
            let old = self.next.wrapping_sub(seq) as usize;
            let cut = old.min(data.len());
            if old - cut >= missing && cut == data.len() {
                return;
            }
            (seq, data, missing) = (self.next, &data[cut..], missing - (old - cut));
        }
        // The common case: the parser reads the packet itself, without a copy.
        if seq == self.next && self.pending.is_empty() {
            self.advance(data, missing, context);
            self.end_if_reached(context);
            return;
        }
        let agreement = self.pending.insert(seq, data, missing);
        if agreement.is_conflict {
            context.parse.counters.note(Fault::StreamConflict);
        } else if agreement.is_overlap {
            context.parse.counters.note(Fault::StreamOverlap);
        }
        self.drain(context);
        // The receiver has confirmed missing bytes so often that they were lost by the capture.
        if self.overdue >= MAX_OVERDUE {
            self.skip_hole(context);
        }
        while self.pending.len() > MAX_PIECES || self.pending.weight() > MAX_PENDING {
            self.skip_hole(context);
        }
        self.end_if_reached(context);
    }

    /// Takes a FIN, before which the direction ends. The first one counts.
    pub(super) fn end<V: Visitor>(&mut self, end: u32, context: &mut SideContext<'_, '_, V>) {
        self.last = Stamp::of(context.parse.packet);
        self.fin.get_or_insert(end);
        self.end_if_reached(context);
    }

    /// Ends the direction once every byte before its FIN has arrived.
    fn end_if_reached<V: Visitor>(&mut self, context: &mut SideContext<'_, '_, V>) {
        if self.fin == Some(self.next) {
            // `is_ended` is only true for this call: a message that ends with the FIN is
            // complete, one that ends with a gap or a reset is not.
            self.fin = None;
            context.parse.is_ended = true;
            self.break_off(context);
            context.parse.is_ended = false;
        }
    }

    /// Notes how far the other end has received. Bytes that it has, but which don't arrive here,
    /// were lost by the capture.
    pub(super) fn acknowledged(&mut self, ack: u32) {
        if self.pending.start().is_some_and(|start| !is_before(ack, start)) {
            self.overdue = self.overdue.saturating_add(1);
        }
    }

    /// Notes that the other end sends nothing more, and how far it had received then. The
    /// receiver of a file that ends only afterwards did not wait for it.
    pub(super) fn left(&mut self, ack: u32) {
        if !is_before(self.next, ack) {
            self.parser.leave();
        }
    }

    /// Parses everything that waits, across all gaps, and ends.
    pub(super) fn finish<V: Visitor>(&mut self, context: &mut SideContext<'_, '_, V>) {
        while !self.pending.is_empty() {
            self.skip_hole(context);
        }
        self.break_off(context);
    }

    /// Compares a segment with the bytes still held that it repeats.
    fn compare<V: Visitor>(&self, seq: u32, data: &[u8], context: &mut SideContext<'_, '_, V>) {
        let repeated = self.next.wrapping_sub(seq) as usize;
        let (held, data) = if repeated > self.held.len() {
            (&self.held[..], data.get(repeated - self.held.len()..).unwrap_or_default())
        } else {
            (&self.held[self.held.len() - repeated..], data)
        };
        if held.iter().zip(data).any(|(held, new)| held != new) {
            context.parse.counters.note(Fault::StreamConflict);
        }
    }

    /// Skips the gap before the first segment that waits.
    fn skip_hole<V: Visitor>(&mut self, context: &mut SideContext<'_, '_, V>) {
        if let Some(start) = self.pending.start() {
            self.gap(start.wrapping_sub(self.next), context);
        }
        self.drain(context);
    }

    fn drain<V: Visitor>(&mut self, context: &mut SideContext<'_, '_, V>) {
        while self.pending.start() == Some(self.next)
            && let Some(piece) = self.pending.pop()
        {
            let missing = (piece.length as usize).saturating_sub(piece.data.len());
            self.advance(&piece.data, missing, context);
        }
    }

    /// Parses the next bytes of the stream, followed by `missing` ones that never arrive.
    fn advance<V: Visitor>(
        &mut self,
        data: &[u8],
        missing: usize,
        context: &mut SideContext<'_, '_, V>,
    ) {
        self.overdue = 0;
        self.next = self.next.wrapping_add(data.len() as u32);
        self.deliver(data, context);
        if missing > 0 {
            self.gap(missing as u32, context);
        }
    }

    /// Bytes never arrive. If they would have been skipped anyway, nothing is lost.
    fn gap<V: Visitor>(&mut self, length: u32, context: &mut SideContext<'_, '_, V>) {
        self.next = self.next.wrapping_add(length);
        if self.skip >= u64::from(length) {
            self.skip -= u64::from(length);
            return;
        }
        if length > 0 && !matches!(self.parser, Parser::Unidentified | Parser::Over) {
            context.parse.counters.note(Fault::StreamGap);
            // What was to be skipped of the gap is no loss.
            let unknown = u64::from(length) - std::mem::take(&mut self.skip);
            if self.held.is_empty() && self.parser.gap(unknown, context.state, &mut context.parse) {
                return;
            }
        }
        self.break_off(context);
    }

    /// Parses what there is of a message whose end is missing.
    fn break_off<V: Visitor>(&mut self, context: &mut SideContext<'_, '_, V>) {
        let held = std::mem::take(&mut self.held);
        let parser = std::mem::replace(&mut self.parser, Parser::Unidentified);
        // After this position message boundaries are unknown, as in a stream captured from the
        // middle.
        (self.skip, self.is_synced) = (0, false);
        if matches!(parser, Parser::Over) {
            self.parser = parser;
        } else {
            parser.finish(&held, context.state, &mut context.parse);
        }
    }

    fn deliver<V: Visitor>(&mut self, data: &[u8], context: &mut SideContext<'_, '_, V>) {
        let known = self.skip.min(data.len() as u64);
        self.skip -= known;
        let data = &data[known as usize..];
        if data.is_empty() {
            return;
        }
        if self.held.is_empty() {
            let taken = self.consume(data, context);
            self.held.extend_from_slice(&data[taken..]);
            return;
        }
        self.held.extend_from_slice(data);
        // Parsers scan the held bytes from the beginning. Calling them for each small segment
        // would take quadratic time.
        if self.held.len() < self.wants {
            return;
        }
        let mut held = std::mem::take(&mut self.held);
        let was_start = matches!(self.parser, Parser::Start);
        let taken = self.consume(&held, context);
        let is_foreign = was_start && matches!(self.parser, Parser::Unidentified);
        held.drain(..taken);
        // A long message is over, but the stream is not: thousands of streams may be left like
        // that.
        if held.capacity() > MAX_KEPT.max(2 * held.len()) {
            held.shrink_to_fit();
        }
        self.held = held;
        // The bytes waited for were not a beginning; those that came last may be one.
        if is_foreign && dispatch::begins(data, context.parse.packet.ports) {
            let taken = self.consume(data, context);
            self.held.extend_from_slice(&data[taken..]);
        }
    }

    /// Lets the parser consume what it can; returns how much that was.
    fn consume<V: Visitor>(&mut self, data: &[u8], context: &mut SideContext<'_, '_, V>) -> usize {
        if matches!(self.parser, Parser::Unidentified) {
            self.parser = match dispatch::begins(data, context.parse.packet.ports) {
                true => Parser::Start,
                false if context.parse.reads_unknown => Parser::text(),
                false => return data.len(),
            };
        }
        context.parse.is_synced = self.is_synced;
        let mut walk = Walk::over(data);
        while let Some(rest) = walk.rest() {
            match self.parser.step(rest, context.state, &mut context.parse) {
                Step::Took(length) => walk.take(length),
                Step::Skip(length) => {
                    let known = length.min(rest.len() as u64);
                    self.skip = length - known;
                    walk.take(known as usize);
                }
                Step::Wait(wants) => {
                    self.wants = wants;
                    return walk.at();
                }
                Step::Again => walk.turn(),
                Step::Restart => {
                    self.parser = Parser::Start;
                    walk.turn();
                }
                Step::Lost => {
                    self.parser = Parser::Unidentified;
                    if context.parse.reads_unknown {
                        text::show(rest, context.parse.packet, context.parse.visitor);
                    }
                    return data.len();
                }
                Step::Over => {
                    self.parser = Parser::Over;
                    return data.len();
                }
            }
        }
        if walk.is_stuck() {
            context.parse.counters.note(Fault::Stuck);
            self.parser = Parser::Over;
            return data.len();
        }
        walk.at()
    }
}
