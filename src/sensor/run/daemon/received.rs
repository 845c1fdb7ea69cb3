//! What others send, and the journal, as sources.

use crate::Result;
use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::Halt;
use crate::sensor::input::net::{Intake, Next};
use crate::sensor::run::live::source::{Source, Taken};
use crate::sensor::run::live::task::{Identity, Lines, Work};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// An intake, as a source.
pub(super) struct Received {
    intake: Intake,
    path: Arc<str>,
    identity: Identity,
    /// The name in commits of the position to resume at; `None` if there is no such position.
    cursor_name: Option<String>,
    /// Positions and cursors of the batches in flight, and the number of the first.
    under_way: VecDeque<(u64, Option<String>)>,
    first: u64,
    /// Positions of batches that were kept and are not in a commit yet, with their numbers.
    kept: VecDeque<(u64, u64)>,
    /// Bytes and lines so far.
    offset: u64,
    lines: u64,
}

impl Received {
    /// `cursor_name` is the name in commits of the position to resume at.
    pub(super) fn new(
        name: Arc<str>,
        intake: Intake,
        identity: Identity,
        cursor_name: Option<String>,
    ) -> Self {
        Received {
            intake,
            path: name,
            identity,
            cursor_name,
            under_way: VecDeque::new(),
            first: 0,
            kept: VecDeque::new(),
            offset: 0,
            lines: 0,
        }
    }
}

impl Source for Received {
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken> {
        if halt.is_set() {
            // Nothing more is received; what has arrived is still here.
            self.intake.stop();
        }
        let batch = match self.intake.next(wait) {
            Next::Batch(batch) => batch,
            Next::Nothing => return Ok(Taken::Nothing),
            Next::Ended => return Ok(Taken::End),
        };
        self.under_way.push_back((batch.position, batch.cursor.clone()));
        let (offset, lines) = (self.offset, self.lines);
        self.offset += batch.bytes.len() as u64;
        self.lines += batch.lines.len() as u64;
        let (path, identity) = (Arc::clone(&self.path), self.identity);
        Ok(Taken::Work(Work::Lines(Box::new(Lines { batch, path, identity, offset, lines }))))
    }

    fn keep(&mut self, before: u64) -> Commit {
        let count = usize::try_from(before.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let mut commit = Commit::default();
        for (position, cursor) in self.under_way.drain(..count.min(self.under_way.len())) {
            self.kept.push_back((self.first, position));
            self.first += 1;
            if let (Some(name), Some(cursor)) = (&self.cursor_name, cursor) {
                commit.others = vec![(name.clone(), Some(cursor.into_bytes()))];
            }
        }
        commit
    }

    fn safe(&mut self, before: u64) {
        let mut last = None;
        while self.kept.front().is_some_and(|(number, _)| *number < before) {
            last = self.kept.pop_front();
        }
        if let Some((_, position)) = last {
            self.intake.safe(position);
        }
    }
}
