//! How much may be unpacked: a bound on the work for each byte of a run.
//!
//! Unpacking streams, so what a bomb costs is time. Honest content can be as small as a
//! thousandth of itself (a disk image of zeros; deflate reaches 1,032), so no ratio tells a
//! bomb. Each body may give a number of bytes for each one of its own; what it gives
//! beyond is drawn from a credit that all bodies of a decoder (in a capture, of one of its
//! shares) have together, and that grows with every byte that is carried to it. So each of
//! them unpacks, over all its bytes, no more than [`OWN`] + [`EARNED`] times of them and
//! [`MOST`] once. A body that has drawn more than it
//! left for others is given up: a few bombs halve the credit each, and do not end it.

use crate::engine::packet::Fault;
use std::cell::Cell;

/// Bytes that a body may give for each of its own.
pub(super) const OWN: u64 = 50;

/// Bytes of credit for each one captured: about what hashing them once more costs.
const EARNED: u64 = 1;

/// The most credit, and what a run begins with: seconds of hashing.
const MOST: u64 = 2 << 30;

/// What all bodies of a decoder may draw from.
#[derive(Debug)]
pub(in crate::engine::packet) struct InflateBudget {
    left: Cell<u64>,
    most: u64,
}

impl Default for InflateBudget {
    fn default() -> Self {
        InflateBudget { left: Cell::new(MOST), most: MOST }
    }
}

impl InflateBudget {
    /// So many bytes were captured.
    pub(in crate::engine::packet) fn earn(&self, bytes: usize) {
        let left = self.left.get().saturating_add(EARNED * bytes as u64);
        self.left.set(left.min(self.most));
    }

    /// One that is smaller.
    #[cfg(test)]
    pub(in crate::engine::packet) fn of(most: u64) -> Self {
        InflateBudget { left: Cell::new(most), most }
    }
}

/// What unpacking a body has cost.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine::packet) struct Spent {
    taken: u64,
    given: u64,
    drawn: u64,
}

impl Spent {
    /// So many bytes are about to be unpacked.
    pub(in crate::engine::packet) fn take(&mut self, bytes: usize) {
        self.taken += bytes as u64;
    }

    /// So many came out of one of its codings.
    ///
    /// # Errors
    ///
    /// The reason for which it is given up.
    pub(in crate::engine::packet) fn give(
        &mut self,
        bytes: usize,
        credit: &InflateBudget,
    ) -> Result<(), Fault> {
        self.given += bytes as u64;
        let beyond = self.given.saturating_sub(self.taken.saturating_mul(OWN));
        let draw = beyond.saturating_sub(self.drawn);
        let rest = credit.left.get().checked_sub(draw).filter(|&rest| self.drawn + draw <= rest);
        match rest {
            _ if draw == 0 => Ok(()),
            Some(rest) => {
                credit.left.set(rest);
                self.drawn += draw;
                Ok(())
            }
            // It took much of it itself, or others had.
            None if self.drawn >= credit.most / 4 => Err(Fault::CodingBomb),
            None => Err(Fault::CodingSpent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_leaves_half() {
        let credit = InflateBudget::of(1000);
        let mut given = Vec::new();
        for _ in 0..6 {
            let mut spent = Spent::default();
            let mut outcome = Ok(());
            while outcome.is_ok() {
                outcome = spent.give(1, &credit);
            }
            given.push((spent.drawn, outcome.unwrap_err()));
        }
        let (bomb, others) = (Fault::CodingBomb, Fault::CodingSpent);
        let want =
            [(500, bomb), (250, bomb), (125, others), (62, others), (31, others), (16, others)];
        assert_eq!(given, want);
        credit.earn(100_000);
        assert_eq!(credit.left.get(), 1000);
    }

    #[test]
    fn its_own_bytes_pay_first() {
        let credit = InflateBudget::of(1000);
        let mut spent = Spent::default();
        for _ in 0..1000 {
            spent.take(1);
            assert_eq!(spent.give(OWN as usize, &credit), Ok(()));
        }
        assert_eq!((credit.left.get(), spent.drawn), (1000, 0));
        assert_eq!(spent.give(400, &credit), Ok(()));
        assert_eq!((credit.left.get(), spent.drawn), (600, 400));
        // What was drawn is not drawn twice.
        spent.take(4);
        assert_eq!(spent.give(200, &credit), Ok(()));
        assert_eq!(credit.left.get(), 600);
        assert_eq!(spent.give(usize::MAX >> 1, &credit), Err(Fault::CodingBomb));
    }
}
