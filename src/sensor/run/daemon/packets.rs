//! Taps and captures, as sources: jobs within the job, whose alerts come as they are.

use super::folder::{Capture, Finished};
use crate::engine::alert::{Encoder, Format};
use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::{Halt, Stopper};
use crate::sensor::run::found::Found;
use crate::sensor::run::live::source::{Source, Taken};
use crate::sensor::run::outlet::Forward;
use crate::sensor::run::{Output, Signals};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// Alerts that wait for the committer at most: what is beyond them is dropped where packets can't
/// wait, and waited for where they can.
const QUEUE: usize = 4096;

/// Alerts that make a piece.
const PIECE: usize = 256;

/// What comes from a job.
enum Word {
    Found(Box<Found>),
    /// A capture was read to its end, of so many bytes.
    Read(Box<Capture>, u64),
    /// The job has ended.
    Ended(Option<Error>),
}

/// What the job's thread holds.
#[derive(Clone)]
pub(super) struct Words(SyncSender<Word>);

impl Words {
    /// An output whose alerts come to the source. What can't wait is dropped when it is behind,
    /// and counted.
    pub(super) fn output(&self, dropped: Option<Arc<AtomicU64>>) -> Output {
        let words = self.0.clone();
        let forward = move |found: Found| {
            let word = Word::Found(Box::new(found));
            let Some(dropped) = &dropped else {
                // A source that is gone needs nothing.
                let _ = words.send(word);
                return;
            };
            if let Err(TrySendError::Full(_)) = words.try_send(word) {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        };
        let forward = Some(Forward(Arc::new(forward)));
        Output { forward, ..Output::new(Encoder::new(Format::Json)) }
    }

    pub(super) fn read(&self, capture: Capture, bytes: u64) -> bool {
        self.0.send(Word::Read(Box::new(capture), bytes)).is_ok()
    }

    pub(super) fn ended(&self, error: Option<Error>) {
        let _ = self.0.send(Word::Ended(error));
    }
}

/// A job, as a source.
pub(super) struct Jobbed {
    words: Receiver<Word>,
    /// Ends the job.
    stopper: Option<Stopper>,
    /// For each piece that is under way, the capture that ends with it; and the number of the
    /// first.
    under_way: VecDeque<Option<Capture>>,
    first: u64,
    /// Captures that were kept and are in no commit yet, with their numbers.
    kept: VecDeque<(u64, Capture)>,
    /// What becomes of captures that are in one; none for taps.
    finished: Option<Finished>,
}

/// A source, what its job writes to, and the signals that the job heeds.
pub(super) fn jobbed(finished: Option<Finished>) -> Result<(Jobbed, Words, Signals)> {
    let (send, words) = sync_channel(QUEUE);
    let (halt, stopper) = Halt::new().map_err(|e| Error::io("open a pair of sockets", e))?;
    let source = Jobbed {
        words,
        stopper: Some(stopper),
        under_way: VecDeque::new(),
        first: 0,
        kept: VecDeque::new(),
        finished,
    };
    Ok((source, Words(send), Signals::of(halt)))
}

impl Source for Jobbed {
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken> {
        if halt.is_set()
            && let Some(stopper) = self.stopper.take()
        {
            stopper.stop();
        }
        let mut found = Vec::new();
        let mut wait = wait;
        while found.len() < PIECE {
            match self.words.recv_timeout(wait) {
                Ok(Word::Found(it)) => found.push(*it),
                Ok(Word::Read(capture, bytes)) => {
                    self.under_way.push_back(Some(*capture));
                    return Ok(Taken::Found(found, bytes));
                }
                Ok(Word::Ended(Some(error))) => return Err(error),
                Ok(Word::Ended(None)) | Err(RecvTimeoutError::Disconnected) => {
                    if found.is_empty() {
                        return Ok(Taken::End);
                    }
                    break;
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
            wait = Duration::ZERO;
        }
        if found.is_empty() {
            return Ok(Taken::Nothing);
        }
        self.under_way.push_back(None);
        Ok(Taken::Found(found, 0))
    }

    fn keep(&mut self, before: u64) -> Commit {
        let count = usize::try_from(before.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let mut commit = Commit::default();
        for capture in self.under_way.drain(..count.min(self.under_way.len())) {
            if let (Some(capture), Some(finished)) = (capture, &self.finished) {
                commit.others.push(finished.entry(&capture));
                self.kept.push_back((self.first, capture));
            }
            self.first += 1;
        }
        if let Some(finished) = &mut self.finished {
            commit.others.extend(finished.forgotten());
        }
        commit
    }

    fn safe(&mut self, before: u64) {
        while self.kept.front().is_some_and(|(number, _)| *number < before)
            && let Some((_, capture)) = self.kept.pop_front()
            && let Some(finished) = &mut self.finished
        {
            finished.finish(&capture);
        }
    }
}

impl Drop for Jobbed {
    fn drop(&mut self) {
        if let Some(stopper) = self.stopper.take() {
            stopper.stop();
        }
    }
}
