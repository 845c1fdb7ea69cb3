//! Logs that are followed, as a source.

use super::source::{Source, Taken};
use crate::Result;
use crate::engine::text::fields::Layout;
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::{Changes, Next, Notice, Piece, Position, Tail};
use crate::sensor::run::headers::layout_after;
use hashbrown::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Streams whose layouts are remembered; beyond them all are made anew.
const MAX_LAYOUTS: usize = 4096;

/// Logs that are followed.
pub(super) struct FollowedLogs {
    tail: Tail,
    /// How the lines of each stream name their fields, and the header that says so.
    layouts: HashMap<u64, (Arc<[u8]>, Layout)>,
    /// End when there is nothing more to read.
    is_once: bool,
}

impl FollowedLogs {
    pub(super) fn new(tail: Tail, is_once: bool) -> Self {
        FollowedLogs { tail, layouts: HashMap::new(), is_once }
    }

    /// How many files are followed.
    pub(super) fn files(&self) -> u64 {
        self.tail.counters().files as u64
    }

    fn layout(&mut self, piece: &Piece) -> Layout {
        // The first piece holds its own headers, which count for the lines after them only.
        if piece.offset == 0 {
            return layout_after(&piece.header, true);
        }
        if let Some((header, layout)) = self.layouts.get(&piece.stream)
            && *header == piece.header
        {
            return layout.clone();
        }
        let layout = layout_after(&piece.header, false);
        if self.layouts.len() >= MAX_LAYOUTS {
            self.layouts.clear();
        }
        self.layouts.insert(piece.stream, (Arc::clone(&piece.header), layout.clone()));
        layout
    }
}

impl Source for FollowedLogs {
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken> {
        Ok(match self.tail.next(halt, wait)? {
            Next::Piece(piece) => {
                let layout = self.layout(&piece);
                Taken::Piece(piece, layout)
            }
            Next::Idle if !self.is_once => Taken::Nothing,
            Next::Idle | Next::Halted => Taken::End,
        })
    }

    fn keep(&mut self, positions: &[Position]) -> Changes {
        self.tail.safe(positions);
        self.tail.changed()
    }

    fn keep_up(&mut self) {
        self.tail.keep_up();
    }

    fn notices(&mut self) -> Vec<Notice> {
        self.tail.notices()
    }
}
