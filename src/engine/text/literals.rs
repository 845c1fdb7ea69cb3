//! Finds windows of the text that may be in the anchor of a listed string: paths,
//! registry keys, mutexes (matching specification, sections 6.5 and 6.6).
//!
//! This only says where to look; the visitor compares the strings. Without such
//! strings it costs nothing. With them it costs one load, one multiplication and
//! one bit test for every third byte, however many strings there are.

use super::extractor::Visit;
use super::{MAX_LOOKAHEAD, Visitor};
use crate::engine::indicator::gram::{GRAM, GramFilter, MAX_PLACE, STRIDE, fold};

/// How far into a string its anchor may be: escapes make a character up to six
/// times as long, and the hive of a registry key comes on top.
const MAX_LEAD: usize = MAX_PLACE * 6 + 256;
const _: () = assert!(MAX_LEAD < MAX_LOOKAHEAD);

/// The number of windows in a batch.
const BATCH: usize = 256;
/// The number of windows to test in parallel.
const LANES: usize = 8;
/// The bytes that they cover.
const REACH: usize = STRIDE * (LANES - 1) + GRAM;

impl<V: Visitor> Visit<'_, '_, V> {
    /// Passes on the windows that may be in an anchor of a string that begins in
    /// the core.
    pub(super) fn literals(&mut self) {
        if self.visitor.gram_filter().is_some() {
            self.windows();
        }
    }

    fn windows(&mut self) {
        let text = self.text;
        let end = (self.core.end + MAX_LEAD).min(text.len());
        let mut at = self.core.start;
        let mut places = [0usize; BATCH];
        while at < end {
            let Some(filter) = self.visitor.gram_filter() else { return };
            let found;
            (at, found) = batch(text, at, end, filter, &mut places);
            for &place in &places[..found] {
                self.visitor.literal(place);
            }
        }
    }
}

/// Fills `places` with windows that pass, from `at`. Returns where it stopped, and
/// their number.
#[inline]
fn batch(
    text: &[u8],
    mut at: usize,
    end: usize,
    filter: GramFilter<'_>,
    places: &mut [usize; BATCH],
) -> (usize, usize) {
    let mut found = 0;
    while at < end && found + LANES <= BATCH {
        let lanes = match text.get(at..).and_then(|rest| rest.first_chunk::<REACH>()) {
            Some(block) => judge(block, filter),
            None => {
                let mut block = [b'\n'; REACH];
                let rest = &text[at..];
                block[..rest.len()].copy_from_slice(rest);
                judge(&block, filter)
            }
        };
        let mut lanes = lanes;
        while lanes != 0 {
            places[found] = at + STRIDE * lanes.trailing_zeros() as usize;
            found += 1;
            lanes &= lanes - 1;
        }
        at += STRIDE * LANES;
    }
    (at, found)
}

/// A bit for each window of the block that passes.
#[inline]
fn judge(block: &[u8; REACH], filter: GramFilter<'_>) -> u32 {
    let mut lanes = 0;
    for lane in 0..LANES {
        let window = &block[lane * STRIDE..lane * STRIDE + GRAM];
        let passes = window.first_chunk().is_some_and(|w| filter.may_hold(fold(*w)));
        lanes |= u32::from(passes) << lane;
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::gram::{at as window_at, build_filter};

    /// Every STRIDE-th window from the beginning to the end of the text.
    #[test]
    fn every_third_window() {
        let text: Vec<u8> = (0..1000u32).map(|at| (at * 7919 % 251) as u8).collect();
        let wanted: Vec<u32> = (0..900).step_by(3).filter_map(|at| window_at(&text, at)).collect();
        let bitmap = build_filter(wanted.iter().copied(), 16);
        let filter = GramFilter::new(&bitmap, 16).unwrap();
        for first in [0, 1, 17, 980, 999] {
            let mut got = Vec::new();
            let (mut at, mut places) = (first, [0; BATCH]);
            while at < text.len() {
                let (next, found) = batch(&text, at, text.len(), filter, &mut places);
                got.extend_from_slice(&places[..found]);
                at = next;
            }
            got.retain(|at| at + GRAM <= text.len());
            let want: Vec<usize> = (first..text.len())
                .step_by(STRIDE)
                .filter(|&at| window_at(&text, at).is_some_and(|gram| filter.may_hold(gram)))
                .collect();
            assert_eq!(got, want, "from {first}");
        }
    }
}
