//! Followed logs, as a source.

use super::source::{Source, Taken};
use super::task::Work;
use crate::Result;
use crate::engine::text::fields::Layout;
use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::{Changes, Counters, Next, Notice, Piece, Position, Tail};
use crate::sensor::run::headers::layout_after;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The number of streams whose layouts are remembered; when there are more, all layouts start over.
const MAX_LAYOUTS: usize = 4096;

/// Followed logs.
pub(in crate::sensor::run) struct FollowedLogs {
    tail: Tail,
    /// Where the pieces that are not kept yet end, and the number of the first of them.
    in_flight: VecDeque<Position>,
    first: u64,
    /// How the lines of each stream name their fields, and the header that defines it.
    layouts: HashMap<u64, (Arc<[u8]>, Layout)>,
    /// Whether to end when there is nothing more to read.
    is_once: bool,
}

impl FollowedLogs {
    pub(in crate::sensor::run) fn new(tail: Tail, is_once: bool) -> Self {
        let (in_flight, layouts) = (VecDeque::new(), HashMap::new());
        FollowedLogs { tail, in_flight, first: 0, layouts, is_once }
    }

    /// What was counted, and how many files are followed.
    pub(in crate::sensor::run) fn counters(&self) -> Counters {
        self.tail.counters()
    }

    /// How far each file was read.
    #[cfg(feature = "daemon")]
    pub(in crate::sensor::run) fn status(&self) -> Vec<crate::sensor::input::tail::FileStatus> {
        self.tail.status()
    }

    fn layout(&mut self, piece: &Piece) -> Layout {
        // The first piece contains its own header lines, which apply only to the lines after them.
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
                self.in_flight.push_back(piece.end.clone());
                Taken::Work(Work::Piece(piece, layout))
            }
            // Nothing arrived within a moment: that does not mean that everything has been read.
            Next::Idle
                if !self.is_once
                    || wait.is_zero()
                    || self.tail.has_more()
                    || self.tail.awaits_commit() =>
            {
                Taken::Nothing
            }
            Next::Idle | Next::Halted => Taken::End,
        })
    }

    fn keep(&mut self, before: u64) -> Commit {
        let count = usize::try_from(before.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let count = count.min(self.in_flight.len());
        self.first += count as u64;
        // Only the last position of each stream counts.
        let ends: HashMap<u64, Position> =
            self.in_flight.drain(..count).map(|end| (end.stream, end)).collect();
        let ends: Vec<Position> = ends.into_values().collect();
        self.tail.safe(&ends);
        let Changes { files, forgotten } = self.tail.changed();
        Commit { files, forgotten, ..Commit::default() }
    }

    fn keep_up(&mut self) {
        self.tail.keep_up();
    }

    fn notices(&mut self) -> Vec<Notice> {
        self.tail.notices()
    }

    fn is_read(&self) -> bool {
        true
    }
}
