//! Streams that are not in any commit yet.
//!
//! The number of a stream is part of the identifiers of its alerts. If the process were killed
//! before the stream is in a commit, the stream would get another number at the next start, and the
//! same line would have two identifiers. So the first alerts of a stream wait for a commit, unless
//! they only go to files that are cut to the last commit after a crash.

use crate::sensor::checkpoint::Commit;
use hashbrown::{HashMap, HashSet};

/// The streams that are in a commit, and those that have to wait for one.
#[derive(Debug, Default)]
pub(super) struct UncommittedStreams {
    known: HashSet<u64>,
    /// The stream that each waiting source waits for.
    waiting: HashMap<usize, Waiting>,
    /// Whether commits are stored at all.
    is_kept: bool,
}

#[derive(Debug)]
struct Waiting {
    stream: u64,
    /// Whether the next commit to be written will contain it.
    is_asked: bool,
}

impl UncommittedStreams {
    /// Begins with the streams of the last commit; `None` if commits are not stored.
    pub(super) fn new(known: Option<impl Iterator<Item = u64>>) -> Self {
        let is_kept = known.is_some();
        let known = known.into_iter().flatten().collect();
        UncommittedStreams { known, waiting: HashMap::new(), is_kept }
    }

    /// Whether the alerts of a stream have to wait for a commit, together with the rest of its
    /// source.
    pub(super) fn hold(&mut self, source: usize, stream: u64) -> bool {
        let is_held = self.is_kept && !self.known.contains(&stream);
        if is_held {
            self.waiting.entry(source).or_insert(Waiting { stream, is_asked: false });
        }
        is_held
    }

    /// Whether a source is waiting for a commit that has not begun.
    pub(super) fn is_due(&self) -> bool {
        self.waiting.values().any(|waiting| !waiting.is_asked)
    }

    /// Whether a source is waiting for the commit that begins now, and has to be asked for its
    /// progress.
    pub(super) fn ask(&mut self, source: usize) -> bool {
        let waiting = self.waiting.get_mut(&source);
        waiting.is_some_and(|waiting| !std::mem::replace(&mut waiting.is_asked, true))
    }

    /// Records that a commit was written.
    pub(super) fn committed(&mut self, commit: &Commit) {
        for stream in &commit.forgotten {
            self.known.remove(stream);
        }
        self.known.extend(commit.files.iter().map(|file| file.position.stream));
        let known = &mut self.known;
        self.waiting.retain(|_, waiting| {
            // Only one commit is waited for, whatever it contains.
            if waiting.is_asked {
                known.insert(waiting.stream);
            }
            !waiting.is_asked
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_alerts_of_a_stream_wait_for_one_commit() {
        let mut uncommitted = UncommittedStreams::new(Some([7].into_iter()));
        assert!(!uncommitted.hold(0, 7) && !uncommitted.is_due(), "it is known");
        assert!(uncommitted.hold(0, 8) && uncommitted.is_due());
        // A commit that began earlier does not count.
        uncommitted.committed(&Commit::default());
        assert!(uncommitted.hold(0, 8));
        assert!(
            uncommitted.ask(0)
                && !uncommitted.ask(0)
                && !uncommitted.ask(1)
                && !uncommitted.is_due()
        );
        uncommitted.committed(&Commit::default());
        assert!(!uncommitted.hold(0, 8) && !uncommitted.is_due());
        uncommitted.committed(&Commit { forgotten: vec![8], ..Commit::default() });
        assert!(uncommitted.hold(0, 8));
        let mut none = UncommittedStreams::new(None::<std::iter::Empty<u64>>);
        assert!(!none.hold(0, 8), "nothing is stored");
    }
}
