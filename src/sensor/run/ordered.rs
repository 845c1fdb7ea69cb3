//! Pieces of work that are finished in any order, passed on in the order of the input.
//!
//! A worker hands in a finished piece; if it is the next one, that worker passes it on at once,
//! with all waiting pieces that directly follow it. A piece that is too early waits in a table;
//! when the table is full, its worker waits, too. The next piece is never held up: pieces are
//! assigned in order, so it is being processed by some worker, or by the worker that opens its
//! input. A slow reader of the output thus slows down the scan, and memory stays bounded.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The position of a piece: number of its input, number within it.
pub(super) type PieceNumber = (usize, u64);

/// A piece that can be passed on.
pub(super) trait Piece {
    /// Its weight while it waits.
    fn weight(&self) -> usize;
    /// Whether its input ends with it.
    fn is_last(&self) -> bool;
}

/// The maximum weight that waits, besides the piece that is next.
const MAX_WAITING: usize = 64 << 20;

struct State<P> {
    next: PieceNumber,
    waiting: BTreeMap<PieceNumber, P>,
    weight: usize,
    stopped: bool,
}

/// Takes pieces in any order.
pub(super) struct Ordered<P> {
    state: Mutex<State<P>>,
    turn: Condvar,
}

impl<P: Piece> Ordered<P> {
    pub(super) fn new() -> Self {
        let state = State { next: (0, 0), waiting: BTreeMap::new(), weight: 0, stopped: false };
        Ordered { state: Mutex::new(state), turn: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in a piece. `pass` is called, under the lock, for every piece whose turn it is; it
    /// returns whether to continue, and so does this.
    pub(super) fn hand_in(
        &self,
        place: PieceNumber,
        piece: P,
        mut pass: impl FnMut(PieceNumber, P) -> bool,
    ) -> bool {
        let mut state = self.lock();
        let weight = piece.weight();
        while !state.stopped && state.next != place && state.weight + weight > MAX_WAITING {
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return false;
        }
        state.weight += weight;
        state.waiting.insert(place, piece);
        let mut passed = false;
        loop {
            let next = state.next;
            let Some(piece) = state.waiting.remove(&next) else { break };
            state.weight -= piece.weight();
            state.next = if piece.is_last() { (next.0 + 1, 0) } else { (next.0, next.1 + 1) };
            passed = true;
            if !pass(next, piece) {
                state.stopped = true;
                break;
            }
        }
        if passed {
            self.turn.notify_all();
        }
        !state.stopped
    }

    /// Makes all workers stop.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.turn.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u64, bool);

    impl Piece for Number {
        fn weight(&self) -> usize {
            // So heavy that few can wait.
            MAX_WAITING / 2
        }

        fn is_last(&self) -> bool {
            self.1
        }
    }

    #[test]
    fn any_order_in_one_order_out() {
        let places: Vec<PieceNumber> = (0..5).flat_map(|a| (0..7).map(move |b| (a, b))).collect();
        let ordered = Ordered::new();
        let out = Mutex::new(Vec::new());
        let given = Mutex::new(places.clone().into_iter());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    loop {
                        let Some(place) = given.lock().unwrap().next() else { break };
                        let piece = Number(place.1, place.1 == 6);
                        ordered.hand_in(place, piece, |place, piece| {
                            assert_eq!(place.1, piece.0);
                            out.lock().unwrap().push(place);
                            true
                        });
                    }
                });
            }
        });
        assert_eq!(*out.lock().unwrap(), places);
    }

    #[test]
    fn nothing_is_taken_after_a_stop() {
        let ordered = Ordered::new();
        assert!(!ordered.hand_in((0, 0), Number(0, true), |_, _| false));
        assert!(!ordered.hand_in((1, 0), Number(0, true), |_, _| true));
    }
}
