//! What a worker hands in of an input, and where it goes.

use super::findings::Ready;
use super::ordered::Piece;
use crate::Error;
use std::sync::Arc;

/// What a worker hands in.
pub(super) struct Finished<F> {
    pub(super) found: Option<F>,
    /// What is encoded already.
    pub(super) ready: Ready,
    pub(super) weight: usize,
    pub(super) bytes: u64,
    pub(super) newlines: u64,
    /// Offset behind the last newline, if there is one.
    pub(super) line_start: Option<u64>,
    /// Offset of the chunk.
    pub(super) offset: u64,
    pub(super) ends_open: bool,
    pub(super) is_live: bool,
    /// A text ends with it: what follows counts its lines anew.
    pub(super) ends_text: bool,
    pub(super) is_last: bool,
    /// What it does with the count of lines.
    pub(super) turn: Turn,
    /// What there is to say before it, unless nothing more is wanted of the input by then.
    pub(super) words: Vec<Word>,
}

/// Whether a text stops or goes on: what it carries is passed on in the midst of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    #[default]
    None,
    Stops,
    GoesOn,
}

/// What is said of an input when its turn comes: so it does not depend on which thread was first.
pub(super) enum Word {
    /// Something could not be done.
    Failed(Error),
    /// Something cannot be looked into.
    Closed(Arc<str>, &'static str),
    /// Something is searched as the bytes that it is.
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
            words: Vec::new(),
        }
    }

    /// With something to say, if there is something.
    pub(super) fn saying(mut self, word: Option<Word>) -> Self {
        self.words.extend(word);
        self
    }

    /// A text stops here, and something else is passed on before it goes on.
    pub(super) fn stops() -> Self {
        Finished { turn: Turn::Stops, ..Finished::new(None, 0) }
    }

    /// The text that stopped last goes on.
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
    /// It lies in an archive: its last piece is not that of the input.
    pub(super) is_member: bool,
}
