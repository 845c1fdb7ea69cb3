//! What workers hand in for an input, and where it goes.

use super::findings::Ready;
use super::ordered::Piece;
use crate::Error;
use std::sync::Arc;

/// What a worker hands in.
pub(super) struct Finished<F> {
    pub(super) found: Option<F>,
    /// What is already encoded.
    pub(super) ready: Ready,
    pub(super) weight: usize,
    pub(super) bytes: u64,
    pub(super) newlines: u64,
    /// Offset after the last newline, if there is one.
    pub(super) line_start: Option<u64>,
    /// Offset of the chunk.
    pub(super) offset: u64,
    pub(super) ends_open: bool,
    pub(super) is_live: bool,
    /// A text ends with it: the lines that follow are counted from 1 again.
    pub(super) ends_text: bool,
    pub(super) is_last: bool,
    /// How it affects the count of lines.
    pub(super) turn: Turn,
    /// What to report before it, unless nothing more is wanted of the input by then.
    pub(super) remarks: Vec<Remark>,
}

/// Whether a text is interrupted or continues: what it carries is passed on in the middle of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    #[default]
    None,
    Stops,
    GoesOn,
}

/// A remark about an input, reported when its turn comes, so that the order doesn't depend on the
/// threads.
pub(super) enum Remark {
    /// Something failed.
    Failed(Error),
    /// Something cannot be searched inside.
    Closed(Arc<str>, &'static str),
    /// Something is searched as raw bytes.
    Binary,
}

impl<F> Finished<F> {
    pub(super) fn new(found: Option<F>, weight: usize) -> Self {
        Finished {
            found,
            ready: Ready::default(),
            weight: weight + 64,
            bytes: 0,
            newlines: 0,
            line_start: None,
            offset: 0,
            ends_open: false,
            is_live: false,
            ends_text: false,
            is_last: false,
            turn: Turn::None,
            remarks: Vec::new(),
        }
    }

    /// Adds a remark, if there is one.
    pub(super) fn with_remark(mut self, remark: Option<Remark>) -> Self {
        self.remarks.extend(remark);
        self
    }

    /// The text is interrupted: something else is passed on before it continues.
    pub(super) fn stops() -> Self {
        Finished { turn: Turn::Stops, ..Finished::new(None, 0) }
    }

    /// The text that was interrupted last continues.
    pub(super) fn goes_on() -> Self {
        Finished { turn: Turn::GoesOn, ..Finished::new(None, 0) }
    }

    pub(super) fn last(mut self) -> Self {
        (self.ends_text, self.is_last) = (true, true);
        self
    }

    /// The last piece of an input, or of a member of an archive, which others may follow.
    pub(super) fn last_of(mut self, slot: &Slot) -> Self {
        (self.ends_text, self.is_last) = (true, !slot.is_member);
        self
    }
}

impl<F> Piece for Finished<F> {
    fn weight(&self) -> usize {
        self.weight
    }

    fn is_last(&self) -> bool {
        self.is_last
    }
}

/// Where the next piece of an input goes.
pub(super) struct Slot {
    pub(super) number: usize,
    pub(super) next: u64,
    /// It is in an archive: its last piece is not that of the input.
    pub(super) is_member: bool,
}
