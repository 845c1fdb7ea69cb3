//! Why no loop over bytes from outside runs for ever, and how its bounds are met in tests.
//!
//! Whatever reads bytes that somebody else chose does so in rounds, and each round either takes
//! some of them or changes what the next one makes of them. The first can't go on for longer
//! than there are bytes. The second could: a bound that is hit exactly where a line ends was
//! enough once. So rounds are counted where they are made: a [`Walk`] lets few of them take
//! nothing between two that do, whatever the parser answers. The number of rounds is then linear
//! in the bytes, by construction.
//!
//! A walk that is stuck is a fault of ours. Debug builds stop there; others give up what is
//! left, say so, and go on with what follows.

/// Rounds that take nothing, between two that do. A stream needs the most: from no protocol to
/// a guess, to the protocol, to its first state, and perhaps the same once more.
const MAX_TURNS: u8 = 16;

/// A bound of a parser. Inputs of fuzzers are far smaller than most bounds: there a bound
/// shrinks, so that it is met exactly, one below and one above.
pub(crate) const fn bound(real: usize, fuzzed: usize) -> usize {
    if cfg!(fuzzing) { fuzzed } else { real }
}

/// A walk over bytes, in rounds.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'d> {
    data: &'d [u8],
    at: usize,
    /// Rounds that took nothing, since one did.
    turns: u8,
}

impl<'d> Walk<'d> {
    /// In front of the first byte.
    pub(crate) fn over(data: &'d [u8]) -> Self {
        Walk { data, at: 0, turns: 0 }
    }

    /// What the next round sees: at least a byte. None at the end, and where it is stuck.
    #[inline]
    pub(crate) fn rest(&self) -> Option<&'d [u8]> {
        self.data.get(self.at..).filter(|rest| !rest.is_empty() && self.turns <= MAX_TURNS)
    }

    /// A round is done with so many bytes: with none if it has changed what they mean.
    #[inline]
    pub(crate) fn take(&mut self, length: usize) {
        if length > 0 {
            self.at = self.at.saturating_add(length).min(self.data.len());
            self.turns = 0;
        } else {
            self.turn();
        }
    }

    /// A round took nothing.
    #[inline]
    pub(crate) fn turn(&mut self) {
        self.turns = self.turns.saturating_add(1);
        debug_assert!(!self.is_stuck(), "stuck at {} of {} bytes", self.at, self.data.len());
    }

    /// How many bytes were taken.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Whether it was given up in front of its end.
    pub(crate) fn is_stuck(&self) -> bool {
        self.turns > MAX_TURNS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many rounds, and the walk, where rounds that take as it says are made.
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
        let most = usize::from(MAX_TURNS);
        for length in [0, 1, 100] {
            let data = vec![0; length];
            // The most that is allowed: a byte in each last round.
            let (made, walk) = rounds(&data, |round| usize::from(round % (most + 1) == most));
            assert_eq!((made, walk.at(), walk.is_stuck()), (length * (most + 1), length, false));
            // More than there is ends it.
            let (made, walk) = rounds(&data, |_| length + 7);
            assert_eq!((made, walk.at()), (length.min(1), length));
        }
    }

    /// Debug builds stop, and others give the rest up.
    #[test]
    fn who_takes_nothing_is_stopped() {
        let stuck = std::panic::catch_unwind(|| rounds(b"abc", |round| usize::from(round == 0)).0);
        if cfg!(debug_assertions) {
            assert!(stuck.is_err());
        } else {
            assert_eq!(stuck.unwrap(), 2 + usize::from(MAX_TURNS));
        }
    }
}
