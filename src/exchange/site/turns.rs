//! A few things at a time, and few that wait for it.

use std::sync::{Condvar, Mutex, PoisonError};

/// Turns: as many as there are cores.
#[derive(Debug)]
pub(super) struct Turns {
    most: usize,
    /// Turns that are taken, and threads that wait for one.
    state: Mutex<(usize, usize)>,
    returned: Condvar,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'t>(&'t Turns);

impl Turns {
    /// As many turns as there are cores.
    pub(super) fn new() -> Turns {
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        Turns { most, state: Mutex::new((0, 0)), returned: Condvar::new() }
    }

    /// Waits for a turn. `None` if four times as many wait already as there are turns, so that
    /// the threads that answer requests are not all held up.
    pub(super) fn take(&self) -> Option<Turn<'_>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.1 >= (4 * self.most).min(8) {
            return None;
        }
        state.1 += 1;
        let is_full = |state: &mut (usize, usize)| state.0 >= self.most;
        let waited = self.returned.wait_while(state, is_full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        state.1 -= 1;
        Some(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 -= 1;
        self.0.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn only_so_many_at_a_time() {
        let turns = Turns { most: 2, ..Turns::new() };
        let (running, most, refused) =
            (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    let Some(_turn) = turns.take() else {
                        refused.fetch_add(1, Ordering::Relaxed);
                        return;
                    };
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert!(refused.load(Ordering::SeqCst) < 40);
        assert!(turns.take().is_some());
    }
}
