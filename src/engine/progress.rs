//! Guarantees that loops over untrusted bytes terminate, and bounds that tests can reach.
//!
//! A parser works in rounds, and each round either consumes bytes or changes how the next round
//! interprets them. The number of the former is limited by the number of bytes. The latter could
//! repeat forever: once, a bound that was reached exactly at the end of a line was enough. So the
//! loop itself counts rounds: a [`Walk`] allows only a few that consume nothing in a row,
//! whatever the parser returns. The number of rounds is then linear in the bytes, by
//! construction.
//!
//! A walk that is stuck is a bug in the parser. Debug builds panic; others abandon the rest,
//! report that, and continue with what follows.

/// Rounds in a row that consume nothing. A stream needs the most: from no protocol to a guess, to
/// the protocol, to its first state, and possibly the same again.
const MAX_TURNS: u8 = 16;

/// A bound of a parser. Inputs of fuzzers are far smaller than most bounds, so bounds shrink when
/// fuzzing: then they are tested exactly, one below and one above.
pub(crate) const fn bound(real: usize, fuzzed: usize) -> usize {
    if cfg!(fuzzing) { fuzzed } else { real }
}

/// A walk over bytes, in rounds.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'d> {
    data: &'d [u8],
    at: usize,
    /// Rounds that consumed nothing since the last one that did.
    turns: u8,
}

impl<'d> Walk<'d> {
    /// Before the first byte.
    pub(crate) fn over(data: &'d [u8]) -> Self {
        Walk { data, at: 0, turns: 0 }
    }

    /// The data for the next round: at least one byte. `None` at the end, and if the walk is
    /// stuck.
    #[inline]
    pub(crate) fn rest(&self) -> Option<&'d [u8]> {
        self.data.get(self.at..).filter(|rest| !rest.is_empty() && self.turns <= MAX_TURNS)
    }

    /// Ends a round that consumed this many bytes, or none if it changed their meaning.
    #[inline]
    pub(crate) fn take(&mut self, length: usize) {
        if length > 0 {
            self.at = self.at.saturating_add(length).min(self.data.len());
            self.turns = 0;
        } else {
            self.turn();
        }
    }

    /// Ends a round that consumed nothing.
    #[inline]
    pub(crate) fn turn(&mut self) {
        self.turns = self.turns.saturating_add(1);
        debug_assert!(!self.is_stuck(), "stuck at {} of {} bytes", self.at, self.data.len());
    }

    /// The number of consumed bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Whether the walk was abandoned before its end.
    pub(crate) fn is_stuck(&self) -> bool {
        self.turns > MAX_TURNS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of rounds, and the walk, if each round consumes `takes` bytes.
    fn rounds(data: &[u8], mut takes: impl FnMut(usize) -> usize) -> (usize, Walk<'_>) {
        let (mut walk, mut rounds) = (Walk::over(data), 0);
        while let Some(rest) = walk.rest() {
            assert!(!rest.is_empty());
            walk.take(takes(rounds));
            rounds += 1;
        }
        (rounds, walk)
    }

    #[test]
    fn rounds_are_linear_in_the_bytes() {
        let max = usize::from(MAX_TURNS);
        for length in [0, 1, 100] {
            let data = vec![0; length];
            // The slowest allowed progress: a byte in each last possible round.
            let (made, walk) = rounds(&data, |round| usize::from(round % (max + 1) == max));
            assert_eq!((made, walk.at(), walk.is_stuck()), (length * (max + 1), length, false));
            // A round that consumes more than there is ends it.
            let (made, walk) = rounds(&data, |_| length + 7);
            assert_eq!((made, walk.at()), (length.min(1), length));
        }
    }

    /// Debug builds panic, and others abandon the rest.
    #[test]
    fn a_loop_without_progress_is_stopped() {
        let stuck = std::panic::catch_unwind(|| rounds(b"abc", |round| usize::from(round == 0)).0);
        if cfg!(debug_assertions) {
            assert!(stuck.is_err());
        } else {
            assert_eq!(stuck.unwrap(), 2 + usize::from(MAX_TURNS));
        }
    }
}
