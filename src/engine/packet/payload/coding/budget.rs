//! How much may be decompressed: a bound on the work for each byte of a run.
//!
//! Decompression streams, so the cost of a bomb is time. Legitimate content can compress to a
//! thousandth of its size (a disk image of zeros; deflate reaches 1,032), so no ratio identifies
//! a bomb. Each body may produce a number of bytes for each of its own; what it produces beyond
//! is drawn from a budget that all bodies of a decoder (in a capture, of a shard) share, and that
//! grows with every captured byte. So a decoder decompresses, over all its input, no more than
//! [`OWN`] + [`EARNED`] times of it and [`MAX_BUDGET`] once. A body that has drawn more than it left
//! for others is abandoned: each bomb takes half of the budget at most, so that a few of them do
//! not exhaust it.

use crate::engine::packet::Fault;
use std::cell::Cell;

/// Bytes that a body may produce for each of its own.
pub(super) const OWN: u64 = 50;

/// Bytes of budget for each captured one: costs about as much as hashing the captured bytes once
/// more.
const EARNED: u64 = 1;

/// The maximum budget, and the initial one: a few seconds of hashing.
const MAX_BUDGET: u64 = 2 << 30;

/// The budget that all bodies of a decoder share.
#[derive(Debug)]
pub(in crate::engine::packet) struct InflateBudget {
    left: Cell<u64>,
    max: u64,
}

impl Default for InflateBudget {
    fn default() -> Self {
        InflateBudget { left: Cell::new(MAX_BUDGET), max: MAX_BUDGET }
    }
}

impl InflateBudget {
    /// Adds budget for captured bytes.
    pub(in crate::engine::packet) fn earn(&self, bytes: usize) {
        let left = self.left.get().saturating_add(EARNED * bytes as u64);
        self.left.set(left.min(self.max));
    }

    /// A smaller one.
    #[cfg(test)]
    pub(in crate::engine::packet) fn of(max: u64) -> Self {
        InflateBudget { left: Cell::new(max), max }
    }
}

/// What decompressing a body has cost.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine::packet) struct Spent {
    taken: u64,
    given: u64,
    drawn: u64,
}

impl Spent {
    /// Notes how many bytes are about to be decompressed.
    pub(in crate::engine::packet) fn take(&mut self, bytes: usize) {
        self.taken += bytes as u64;
    }

    /// Notes how many bytes one of its codings produced.
    ///
    /// # Errors
    ///
    /// The reason for which the body is abandoned.
    pub(in crate::engine::packet) fn give(
        &mut self,
        bytes: usize,
        budget: &InflateBudget,
    ) -> Result<(), Fault> {
        self.given += bytes as u64;
        let beyond = self.given.saturating_sub(self.taken.saturating_mul(OWN));
        let draw = beyond.saturating_sub(self.drawn);
        let rest = budget.left.get().checked_sub(draw).filter(|&rest| self.drawn + draw <= rest);
        match rest {
            _ if draw == 0 => Ok(()),
            Some(rest) => {
                budget.left.set(rest);
                self.drawn += draw;
                Ok(())
            }
            // It drew much of the budget itself; otherwise others had.
            None if self.drawn >= budget.max / 4 => Err(Fault::CodingBomb),
            None => Err(Fault::CodingSpent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_leaves_half_of_the_budget() {
        let budget = InflateBudget::of(1000);
        let mut given = Vec::new();
        for _ in 0..6 {
            let mut spent = Spent::default();
            let mut outcome = Ok(());
            while outcome.is_ok() {
                outcome = spent.give(1, &budget);
            }
            given.push((spent.drawn, outcome.unwrap_err()));
        }
        let (bomb, others) = (Fault::CodingBomb, Fault::CodingSpent);
        let want =
            [(500, bomb), (250, bomb), (125, others), (62, others), (31, others), (16, others)];
        assert_eq!(given, want);
        budget.earn(100_000);
        assert_eq!(budget.left.get(), 1000);
    }

    #[test]
    fn a_body_first_spends_its_own_allowance() {
        let budget = InflateBudget::of(1000);
        let mut spent = Spent::default();
        for _ in 0..1000 {
            spent.take(1);
            assert_eq!(spent.give(OWN as usize, &budget), Ok(()));
        }
        assert_eq!((budget.left.get(), spent.drawn), (1000, 0));
        assert_eq!(spent.give(400, &budget), Ok(()));
        assert_eq!((budget.left.get(), spent.drawn), (600, 400));
        // What was drawn is not drawn again.
        spent.take(4);
        assert_eq!(spent.give(200, &budget), Ok(()));
        assert_eq!(budget.left.get(), 600);
        assert_eq!(spent.give(usize::MAX >> 1, &budget), Err(Fault::CodingBomb));
    }
}
