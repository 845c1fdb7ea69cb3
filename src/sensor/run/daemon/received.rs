//! What others send, and the journal, as sources.

use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::Halt;
use crate::sensor::input::net::{NetInput, Next};
use crate::sensor::run::live::source::{Source, Taken};
use crate::sensor::run::live::task::{Identity, Lines, Work};
use crate::sensor::run::{Notice, Notify};
use crate::{Error, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A network input, as a source.
pub(super) struct Received<'s> {
    net_input: NetInput,
    notify: Notify<'s>,
    path: Arc<str>,
    identity: Identity,
    /// The name in commits of the position to resume at; `None` if there is no such position.
    cursor_name: Option<String>,
    /// Positions and cursors of the batches in flight, and the number of the first.
    in_flight: VecDeque<(u64, Option<(String, String)>)>,
    first: u64,
    /// Positions of batches that were kept and are not in a commit yet, with their numbers.
    kept: VecDeque<(u64, u64)>,
    /// Whether it ends by itself, so that a failure at its end is an error.
    is_once: bool,
    /// Bytes and lines so far.
    offset: u64,
    lines: u64,
}

impl<'s> Received<'s> {
    /// `cursor_name` is the name in commits of the position to resume at. `is_once`: it ends by itself.
    pub(super) fn new(
        name: Arc<str>,
        net_input: NetInput,
        identity: Identity,
        cursor_name: Option<String>,
        (notify, is_once): (Notify<'s>, bool),
    ) -> Self {
        Received {
            net_input,
            notify,
            path: name,
            identity,
            cursor_name,
            in_flight: VecDeque::new(),
            first: 0,
            kept: VecDeque::new(),
            is_once,
            offset: 0,
            lines: 0,
        }
    }
}

impl Source for Received<'_> {
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken> {
        for notice in self.net_input.take_notices() {
            (self.notify)(Notice::Skipped(&format!("input “{}”: {notice}", self.path)));
        }
        if halt.is_set() {
            // Nothing more is received; what has arrived is still here.
            self.net_input.stop();
        }
        let batch = match self.net_input.next(wait) {
            Next::Batch(batch) => batch,
            Next::Nothing => return Ok(Taken::Nothing),
            Next::Ended => {
                let trouble = self.net_input.trouble().filter(|_| self.is_once && !halt.is_set());
                return trouble.map_or(Ok(Taken::End), |what| Err(Error::format(what)));
            }
        };
        let cursor = self.cursor_name.as_ref().zip(batch.cursor.clone());
        let cursor = cursor.map(|(name, cursor)| match &batch.part {
            Some(part) => (format!("{name}/{part}"), cursor),
            None => (name.clone(), cursor),
        });
        self.in_flight.push_back((batch.position, cursor));
        let (offset, lines) = (self.offset, self.lines);
        self.offset += batch.bytes.len() as u64;
        self.lines += batch.lines.len() as u64;
        let (path, identity) = (Arc::clone(&self.path), self.identity);
        Ok(Taken::Work(Work::Lines(Box::new(Lines { batch, path, identity, offset, lines }))))
    }

    fn keep(&mut self, before: u64) -> Commit {
        let count = usize::try_from(before.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let mut others = BTreeMap::new();
        for (position, cursor) in self.in_flight.drain(..count.min(self.in_flight.len())) {
            self.kept.push_back((self.first, position));
            self.first += 1;
            // Only the last one of each part counts.
            others.extend(cursor);
        }
        let others = others.into_iter().map(|(name, cursor)| (name, Some(cursor.into_bytes())));
        Commit { others: others.collect(), ..Commit::default() }
    }

    fn safe(&mut self, before: u64) {
        let mut last = None;
        while self.kept.front().is_some_and(|(number, _)| *number < before) {
            last = self.kept.pop_front();
        }
        if let Some((_, position)) = last {
            self.net_input.safe(position);
        }
    }
}
