//! What a flow keeps about its TCP connection.

use crate::engine::packet::payload::reorder::is_before;
use crate::engine::packet::wire::transport::{ACK, Segment};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// No slot.
pub(super) const NIL: u32 = u32::MAX;

/// An unidentified direction follows jumps up to this size; a longer one is forged, or a gap that
/// costs no more than one unnecessary probe.
const LONGEST_JUMP: u32 = 1 << 20;

/// The state of one direction of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) enum Mode {
    /// Nothing was seen.
    #[default]
    Fresh,
    /// The SYN was.
    Synced,
    /// It has a slot.
    Streaming,
    /// Of no known protocol.
    Unidentified,
    /// Nothing more can be parsed.
    Over,
}

const MODES: [Mode; 5] =
    [Mode::Fresh, Mode::Synced, Mode::Streaming, Mode::Unidentified, Mode::Over];

/// What a flow keeps about its TCP connection.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(in crate::engine::packet) struct Tcp {
    /// By side: the low end of the flow's key is the first.
    pub(super) next: [u32; 2],
    /// The sequence number after each side's SYN.
    start: [u32; 2],
    pub(super) slot: u32,
    /// The flow's slot is its own while this is the slot's tenancy.
    pub(super) tenancy: u32,
    /// The [`Mode`] of each side.
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
    pub(super) fn mode(&self, side: usize) -> Mode {
        MODES[usize::from(self.modes[side]) % MODES.len()]
    }

    pub(super) fn set_mode(&mut self, side: usize, mode: Mode) {
        self.modes[side] = mode as u8;
    }

    fn set_synced(&mut self, side: usize) {
        (self.modes[side], self.has_start[side]) = (Mode::Synced as u8, 1);
    }

    /// Whether a side's SYN opens a new connection: one that differs from the SYN seen before.
    pub(super) fn is_new_connection(&self, side: usize, start: u32, segment: &Segment<'_>) -> bool {
        let is_other = self.has_start[side] != 0 && self.start[side] != start;
        self.mode(side) != Mode::Fresh && is_other && segment.flags & ACK != 0
    }

    /// Notes where a direction begins, if that is unknown or has changed. The state of a previous
    /// connection has been dropped by then.
    pub(super) fn synchronise(&mut self, side: usize, start: u32, segment: &Segment<'_>) {
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

    /// The part of a segment in an unidentified direction that is new, and the next byte after
    /// it.
    pub(super) fn unread<'a>(
        &self,
        side: usize,
        seq: u32,
        payload: &'a [u8],
        missing: usize,
    ) -> (u32, &'a [u8], u32) {
        let next = self.next[side];
        let end = seq.wrapping_add((payload.len() + missing) as u32);
        // A segment far ahead is read, but `next` stays: a forged sequence number must not make
        // the true segments look like repetitions.
        let is_on = is_before(next, end) && end.wrapping_sub(next) < LONGEST_JUMP;
        let next_after = if is_on { end } else { next };
        if is_before(seq, next) {
            let rest = payload.get(next.wrapping_sub(seq) as usize..).unwrap_or_default();
            return (next, rest, next_after);
        }
        (seq, payload, next_after)
    }

    /// Whether something may be left to report when the flow is closed.
    pub(in crate::engine::packet) fn is_open(&self) -> bool {
        self.slot != NIL
    }
}
