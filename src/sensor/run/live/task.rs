//! Pieces on their way, and what threads tell each other.

use crate::Error;
use crate::engine::indicator::Timestamp;
use crate::engine::text::fields::Layout;
use crate::sensor::input::tail::{Changes, Notice, Piece, Position};
use crate::sensor::run::scan::ChunkHits;

/// A piece that a worker is to match.
pub(super) struct Task {
    /// The number of its source.
    pub(super) source: usize,
    /// Its number among the pieces of the source, from 0.
    pub(super) serial: u64,
    pub(super) piece: Box<Piece>,
    /// How its lines name their fields.
    pub(super) layout: Layout,
    /// When it was read: the time of lines that carry none.
    pub(super) read_at: Timestamp,
}

/// A piece that was matched.
pub(super) struct Done {
    pub(super) task: Task,
    pub(super) hits: ChunkHits,
}

/// What the committer hears.
pub(super) enum Message {
    /// A piece was matched.
    Done(Box<Done>),
    /// What a source was asked to keep is kept, and this is what the commit has to hold.
    Kept(Box<Changes>),
    /// Something that an operator should hear of.
    Notice(Notice),
    /// A source has given its last piece, of so many, or can't go on.
    Ended { source: usize, pieces: u64, error: Option<Error> },
}

/// What a source hears.
pub(super) enum Order {
    /// These are processed: they go into the next commit.
    Keep(Vec<Position>),
}
