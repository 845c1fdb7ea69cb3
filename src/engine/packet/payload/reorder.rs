//! Segments that arrived before those that precede them.
//!
//! Bytes that two segments contain are taken from the one that came first; if a later one
//! differs, that is counted as a conflict.

use std::collections::VecDeque;

/// The memory of a piece besides its bytes.
const OVERHEAD: usize = 64;

/// A run of bytes; the last of them may not have been captured.
#[derive(Debug)]
pub(in crate::engine::packet) struct Piece {
    pub(in crate::engine::packet) seq: u32,
    /// Bytes on the wire.
    pub(in crate::engine::packet) length: u32,
    pub(in crate::engine::packet) data: Vec<u8>,
}

impl Piece {
    fn end(&self) -> u32 {
        self.seq.wrapping_add(self.length)
    }
}

/// How a segment agreed with what was there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Agreement {
    pub(in crate::engine::packet) is_overlap: bool,
    pub(in crate::engine::packet) is_conflict: bool,
}

/// The pieces of one direction, in stream order.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Pending {
    pieces: VecDeque<Piece>,
    bytes: usize,
}

impl Pending {
    pub(in crate::engine::packet) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(in crate::engine::packet) fn len(&self) -> usize {
        self.pieces.len()
    }

    pub(in crate::engine::packet) fn weight(&self) -> usize {
        self.bytes + self.pieces.len() * OVERHEAD
    }

    /// Where the first piece begins.
    pub(in crate::engine::packet) fn start(&self) -> Option<u32> {
        self.pieces.front().map(|piece| piece.seq)
    }

    pub(in crate::engine::packet) fn pop(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_front()?;
        self.bytes -= piece.data.len();
        if self.pieces.is_empty() {
            self.pieces = VecDeque::new();
        }
        Some(piece)
    }

    /// Keeps the bytes of a segment that are in no other segment.
    pub(in crate::engine::packet) fn insert(
        &mut self,
        seq: u32,
        data: &[u8],
        missing: usize,
    ) -> Agreement {
        let mut agreement = Agreement::default();
        let end = seq.wrapping_add((data.len() + missing) as u32);
        let mut at = seq;
        let mut index = self.pieces.partition_point(|piece| !is_before(seq, piece.end()));
        while is_before(at, end) {
            let Some(piece) = self.pieces.get(index).filter(|piece| is_before(piece.seq, end))
            else {
                self.put(index, seq, at, end, data);
                break;
            };
            let (from, to) = (piece.seq, piece.end());
            agreement.is_overlap = true;
            agreement.is_conflict |= is_different(piece, seq, data);
            if is_before(at, from) {
                self.put(index, seq, at, from, data);
                index += 1;
            }
            at = to;
            index += 1;
        }
        agreement
    }

    /// Keeps the part from `at` to `end` of a segment that begins at `seq`.
    fn put(&mut self, index: usize, seq: u32, at: u32, end: u32, data: &[u8]) {
        let length = end.wrapping_sub(at);
        let from = (at.wrapping_sub(seq) as usize).min(data.len());
        let to = (end.wrapping_sub(seq) as usize).min(data.len());
        let data = data.get(from..to).unwrap_or_default().to_vec();
        self.bytes += data.len();
        self.pieces.insert(index, Piece { seq: at, length, data });
    }
}

/// Whether a segment differs from a piece that it overlaps.
fn is_different(piece: &Piece, seq: u32, data: &[u8]) -> bool {
    let (piece_from, data_from) = if is_before(piece.seq, seq) {
        (seq.wrapping_sub(piece.seq) as usize, 0)
    } else {
        (0, piece.seq.wrapping_sub(seq) as usize)
    };
    let old = piece.data.get(piece_from..).unwrap_or_default();
    let new = data.get(data_from..).unwrap_or_default();
    old.iter().zip(new).any(|(old, new)| old != new)
}

/// Whether one sequence number is before another, on the shorter way around.
pub(in crate::engine::packet) fn is_before(seq: u32, other: u32) -> bool {
    (seq.wrapping_sub(other) as i32) < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pending: &mut Pending) -> Vec<(u32, Vec<u8>)> {
        std::iter::from_fn(|| pending.pop()).map(|piece| (piece.seq, piece.data)).collect()
    }

    #[test]
    fn the_first_wins() {
        let mut pending = Pending::default();
        let base = u32::MAX - 2;
        let at = |offset: u32| base.wrapping_add(offset);
        assert_eq!(pending.insert(at(4), b"efg", 0), Agreement::default());
        assert_eq!(pending.insert(at(10), b"kl", 0), Agreement::default());
        let agreed = Agreement { is_overlap: true, is_conflict: false };
        assert_eq!(pending.insert(at(5), b"fg", 0), agreed);
        let differs = Agreement { is_overlap: true, is_conflict: true };
        assert_eq!(pending.insert(at(0), b"abcdXXXhijXXmn", 0), differs);
        assert_eq!(pending.len(), 5);
        let text: Vec<u8> = all(&mut pending).into_iter().flat_map(|(_, data)| data).collect();
        assert_eq!(text, b"abcdefghijklmn");
        assert_eq!(pending.weight(), 0);
    }

    #[test]
    fn what_was_not_captured_keeps_its_place() {
        let mut pending = Pending::default();
        pending.insert(0, b"ab", 4);
        pending.insert(4, b"efgh", 0);
        let lengths: Vec<_> = pending.pieces.iter().map(|p| (p.seq, p.length)).collect();
        assert_eq!(lengths, [(0, 6), (6, 2)]);
        assert_eq!(all(&mut pending), [(0, b"ab".to_vec()), (6, b"gh".to_vec())]);
    }
}
