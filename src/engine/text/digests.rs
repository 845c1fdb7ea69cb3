//! Long runs of hex digits: digests (matching specification, section 6.5).

use super::Visitor;
use super::classify::{Masks, class, is};
use super::extractor::Visit;
use super::percent::{ends_escape, percent_at, tail_of_escape};
use crate::engine::indicator::{Kind, Observable, Where, digest};
use std::ops::Range;

/// The longest digest in hex digits, with room for a prefix.
const MAX_RUN: usize = 2 * digest::MAX_DIGEST + 8;

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits the runs of 32 or more hex digits in the block at `at`, beyond
    /// `skip`. Returns where the last one ends.
    #[inline]
    pub(super) fn digests_at(
        &mut self,
        at: usize,
        masks: &Masks,
        next: &Masks,
        skip: usize,
    ) -> usize {
        let mut skip = skip;
        let mut places = masks.long_hexes(next);
        while places != 0 {
            let place = at + places.trailing_zeros() as usize;
            places &= places - 1;
            if place < skip {
                continue;
            }
            let mut start = place;
            let floor = place.saturating_sub(MAX_RUN);
            while start > floor && is(self.text[start - 1], class::HEX) {
                start -= 1;
            }
            let mut end = place + 32;
            while end < self.text.len() && is(self.text[end], class::HEX) {
                end += 1;
            }
            if end - start <= MAX_RUN {
                self.hex_run(start..end);
            }
            skip = end;
        }
        skip
    }

    fn hex_run(&mut self, mut run: Range<usize>) {
        let after = percent_at(self.text, run.end).unwrap_or(self.byte(run.end));
        if is(after, class::ALNUM) {
            return;
        }
        let before = self.before(run.start);
        if let Some((len, byte)) = tail_of_escape(self.text, run.start, run.end) {
            if byte.is_ascii_alphanumeric() {
                return;
            }
            run.start += len;
        } else if is(before, class::ALNUM) {
            match before {
                b'x' | b'X' if self.is_hex_prefix(run.start) => {}
                b'T' if run.len() == 71 && self.text[run.start] == b'1' => {
                    return self.tlsh(run);
                }
                _ => return,
            }
        }
        let hex = &self.text[run.clone()];
        let kind = match hex.len() {
            62 => Kind::Jarm,
            70 if self.visitor.wants(Kind::Tlsh) => return self.tlsh(run),
            len => match digest::kind_of_len(len) {
                Some(kind) => kind,
                None => return,
            },
        };
        if let Some((bytes, len)) = digest::decode(hex) {
            self.emit(Observable::Digest(kind, &bytes[..len]), Where::LogText, run);
        }
    }

    /// Whether `0x` precedes a digest, itself at a boundary.
    fn is_hex_prefix(&self, start: usize) -> bool {
        start >= 2
            && self.text[start - 2] == b'0'
            && (!start.checked_sub(3).is_some_and(|at| is(self.text[at], class::ALNUM))
                || ends_escape(self.text, start - 2))
    }

    fn tlsh(&mut self, run: Range<usize>) {
        if self.visitor.wants(Kind::Tlsh) {
            let text = &self.text[run.clone()];
            let text = if text.len() == 71 { &text[1..] } else { text };
            self.emit(Observable::Text(Kind::Tlsh, text), Where::LogText, run);
        }
    }
}
