//! Pieces to be matched, and messages between threads.

#[cfg(feature = "daemon")]
use super::member::Member;
use crate::Error;
use crate::engine::indicator::Timestamp;
use crate::engine::scan::Counters;
use crate::engine::text::fields::Layout;
use crate::sensor::checkpoint::Commit;
#[cfg(feature = "daemon")]
use crate::sensor::input::net::Batch;
use crate::sensor::input::tail::{Notice, Piece};
use crate::sensor::run::owned_hit::OwnedHit;
use crate::sensor::run::scan::ChunkHits;
#[cfg(feature = "daemon")]
use std::sync::Arc;
#[cfg(feature = "daemon")]
use std::sync::mpsc::Sender;

/// What a worker matches.
pub(in crate::sensor::run) enum Work {
    /// A piece of a log, and how its lines name their fields.
    Piece(Box<Piece>, Layout),
    /// Lines that others sent.
    #[cfg(feature = "daemon")]
    Lines(Box<Lines>),
}

/// Lines that others sent.
#[cfg(feature = "daemon")]
pub(in crate::sensor::run) struct Lines {
    pub(in crate::sensor::run) batch: Batch,
    /// The path that alerts name.
    pub(in crate::sensor::run) path: Arc<str>,
    /// How their alerts are identified.
    pub(in crate::sensor::run) identity: Identity,
    /// The position of the first byte in everything that was received, and the number of lines
    /// before it.
    pub(in crate::sensor::run) offset: u64,
    pub(in crate::sensor::run) lines: u64,
}

/// What identifies the text that alerts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sensor::run) enum Identity {
    /// Its path.
    Path,
    /// A number that is unique to the text.
    Stream(u64),
    /// Each record by its place in a log that others keep, which its sender's peer names.
    #[cfg(feature = "daemon")]
    Record,
    /// Each line by itself: its text, who wrote it and when. It is recognised when it is read
    /// again, wherever it is then.
    #[cfg(feature = "daemon")]
    Line,
}

/// A piece for a worker to match.
pub(in crate::sensor::run) struct Task {
    /// The number of its source.
    pub(super) source: usize,
    /// Its number among the pieces of the source, from 0.
    pub(super) serial: u64,
    pub(super) work: Work,
    /// When it was read: the time of lines that carry none.
    pub(super) read_at: Timestamp,
}

/// What was found.
pub(in crate::sensor::run) enum Matched {
    Hits(ChunkHits),
    Found(Vec<OwnedHit>),
}

/// A piece that was matched.
pub(in crate::sensor::run) struct Done {
    pub(super) source: usize,
    pub(super) serial: u64,
    pub(super) read_at: Timestamp,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) identity: Identity,
    /// What was counted in it.
    pub(super) counters: Counters,
    pub(super) matched: Matched,
}

impl Done {
    /// The stream that identifies its alerts.
    pub(super) fn stream(&self) -> Option<u64> {
        match self.identity {
            Identity::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// Whether anything was found.
    pub(super) fn has_hits(&self) -> bool {
        match &self.matched {
            Matched::Hits(hits) => !hits.borrow_dependent().is_empty(),
            Matched::Found(found) => !found.is_empty(),
        }
    }
}

/// A message to the committer.
pub(in crate::sensor::run) enum Message {
    /// A piece was matched.
    Done(Box<Done>),
    /// A source has recorded its progress, and this is what the commit has to contain.
    Kept(Box<Commit>),
    /// Something that an operator should know.
    Notice(Notice),
    /// A source has delivered its last piece, of `pieces` in total, or can't continue.
    Ended { source: usize, pieces: u64, error: Option<Error> },
    /// Another source, whose pieces arrive from now on.
    #[cfg(feature = "daemon")]
    Joined(Member),
    /// No other source will join.
    #[cfg(feature = "daemon")]
    Closed,
    /// A request for the committed state.
    #[cfg(feature = "daemon")]
    State(Sender<crate::sensor::checkpoint::CheckpointState>),
    /// A change of the output, applied in the order of the pieces.
    #[cfg(feature = "daemon")]
    Change(Box<dyn FnOnce(&mut super::output::JobOutput<'_>) + Send>),
}
