//! Pieces on their way, and what threads tell each other.

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
use crate::sensor::run::found::Found;
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
    /// What alerts name as their path.
    pub(in crate::sensor::run) path: Arc<str>,
    /// How alerts of them are identified.
    pub(in crate::sensor::run) identity: Identity,
    /// Where the first byte stands in all that came, and how many lines came before.
    pub(in crate::sensor::run) offset: u64,
    pub(in crate::sensor::run) lines: u64,
}

/// What identifies the text that alerts are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sensor::run) enum Identity {
    /// Its path.
    Path,
    /// A number that no other text has.
    Stream(u64),
    /// Each line by itself: what it says, who wrote it and when. Whoever reads it again knows it
    /// again, wherever it stands then.
    #[cfg(feature = "daemon")]
    Line,
}

/// A piece that a worker is to match.
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
    Found(Vec<Found>),
}

/// A piece that was matched.
pub(in crate::sensor::run) struct Done {
    pub(super) source: usize,
    pub(super) serial: u64,
    pub(super) read_at: Timestamp,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) identity: Identity,
    /// What was counted over it.
    pub(super) counters: Counters,
    pub(super) matched: Matched,
}

impl Done {
    /// The stream that its alerts are identified by.
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

/// What the committer receives.
pub(in crate::sensor::run) enum Message {
    /// A piece was matched.
    Done(Box<Done>),
    /// What a source was asked to keep is kept, and this is what the commit has to hold.
    Kept(Box<Commit>),
    /// Something that an operator should know.
    Notice(Notice),
    /// A source has given its last piece, of so many, or can't go on.
    Ended { source: usize, pieces: u64, error: Option<Error> },
    /// Another source, whose pieces come from now on.
    #[cfg(feature = "daemon")]
    Joined(Member),
    /// No other source will come.
    #[cfg(feature = "daemon")]
    Closed,
    /// Somebody wants to know what is committed.
    #[cfg(feature = "daemon")]
    State(Sender<crate::sensor::checkpoint::State>),
    /// Something for the output, in the order of the pieces.
    #[cfg(feature = "daemon")]
    Change(Box<dyn FnOnce(&mut super::output::Out<'_>) + Send>),
}
