//! Taps and captures, as sources: jobs within the job, whose alerts are passed on as they come.

use super::folder::{Capture, Finished};
use crate::engine::alert::{Encoder, Format};
use crate::sensor::checkpoint::Commit;
use crate::sensor::halt::{Halt, Stopper};
use crate::sensor::run::live::source::{Source, Taken};
use crate::sensor::run::outlet::Forward;
use crate::sensor::run::owned_hit::OwnedHit;
use crate::sensor::run::{Output, Signals};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// The maximum number of alerts that wait for the committer. Beyond it, alerts are dropped where
/// packets can't wait, and waited for where they can.
const QUEUE: usize = 4096;

/// Alerts that make a piece.
const PIECE: usize = 256;

/// A message from a job.
enum JobMessage {
    Found(Box<OwnedHit>),
    /// A capture was read to its end, with this many bytes.
    Read(Box<Capture>, u64),
    /// The job has ended.
    Ended(Option<Error>),
}

/// The sending end, held by the job's thread.
#[derive(Clone)]
pub(super) struct JobSender(SyncSender<JobMessage>);

impl JobSender {
    /// An output that passes alerts to the source. If `dropped` is set, alerts that find no room
    /// are dropped and counted there.
    pub(super) fn output(&self, dropped: Option<Arc<AtomicU64>>) -> Output {
        let messages = self.0.clone();
        let forward = move |found: OwnedHit| {
            let message = JobMessage::Found(Box::new(found));
            let Some(dropped) = &dropped else {
                // If the source is gone, the alert is no longer needed.
                let _ = messages.send(message);
                return;
            };
            if let Err(TrySendError::Full(_)) = messages.try_send(message) {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        };
        let forward = Some(Forward(Arc::new(forward)));
        Output { forward, ..Output::new(Encoder::new(Format::Json)) }
    }

    pub(super) fn read(&self, capture: Capture, bytes: u64) -> bool {
        self.0.send(JobMessage::Read(Box::new(capture), bytes)).is_ok()
    }

    pub(super) fn ended(&self, error: Option<Error>) {
        let _ = self.0.send(JobMessage::Ended(error));
    }
}

/// A job, as a source.
pub(super) struct JobSource<'s> {
    messages: Receiver<JobMessage>,
    /// Ends the job.
    stopper: Option<Stopper>,
    /// For each piece in flight, the capture that ends with it; and the number of the first.
    in_flight: VecDeque<Option<Capture>>,
    first: u64,
    /// Captures that were kept and are not in a commit yet, with their numbers.
    kept: VecDeque<(u64, Capture)>,
    /// What happens to captures that are in a commit; `None` for taps.
    finished: Option<Finished<'s>>,
}

/// A source, what its job writes to, and the signals that stop the job.
pub(super) fn job_source(
    finished: Option<Finished<'_>>,
) -> Result<(JobSource<'_>, JobSender, Signals)> {
    let (send, messages) = sync_channel(QUEUE);
    let (halt, stopper) = Halt::new().map_err(|e| Error::io("open a pair of sockets", e))?;
    let source = JobSource {
        messages,
        stopper: Some(stopper),
        in_flight: VecDeque::new(),
        first: 0,
        kept: VecDeque::new(),
        finished,
    };
    Ok((source, JobSender(send), Signals::of(halt)))
}

impl Source for JobSource<'_> {
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken> {
        if halt.is_set()
            && let Some(stopper) = self.stopper.take()
        {
            stopper.stop();
        }
        let mut found = Vec::new();
        let mut wait = wait;
        while found.len() < PIECE {
            match self.messages.recv_timeout(wait) {
                Ok(JobMessage::Found(it)) => found.push(*it),
                Ok(JobMessage::Read(capture, bytes)) => {
                    self.in_flight.push_back(Some(*capture));
                    return Ok(Taken::Found(found, bytes));
                }
                Ok(JobMessage::Ended(Some(error))) => return Err(error),
                Ok(JobMessage::Ended(None)) | Err(RecvTimeoutError::Disconnected) => {
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
        self.in_flight.push_back(None);
        Ok(Taken::Found(found, 0))
    }

    fn keep(&mut self, before: u64) -> Commit {
        let count = usize::try_from(before.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let mut commit = Commit::default();
        for capture in self.in_flight.drain(..count.min(self.in_flight.len())) {
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

impl Drop for JobSource<'_> {
    fn drop(&mut self) {
        if let Some(stopper) = self.stopper.take() {
            stopper.stop();
        }
    }
}
