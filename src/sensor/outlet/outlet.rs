//! The outlet, one step at a time.

use super::counters::{Counters, Health};
use super::dead::DeadLetters;
use super::filter::Filter;
use super::retry::Retry;
use crate::sensor::deliver::{Class, Deliver, DeliveryError, Outcome, Pace, Verdict};
use crate::sensor::spool::{Batch, Cursor, RecordRef, Spool};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long an idle outlet waits before it checks the halt.
const IDLE: Duration = Duration::from_millis(200);

/// How often an incomplete batch is checked for being full, at least and at most.
const LOOK: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// How large batches are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Records.
    pub max_records: usize,
    /// Bytes of records in the spool, with all their formats.
    pub max_bytes: usize,
    /// How long the first record of a batch waits for others.
    pub max_age: Duration,
    /// The shortest time between two batches: a second for Slack.
    pub min_interval: Duration,
}

impl Default for Batching {
    /// 1,000 records, 5 MiB, a second.
    fn default() -> Self {
        Batching {
            max_records: 1000,
            max_bytes: 5 << 20,
            max_age: Duration::from_secs(1),
            min_interval: Duration::ZERO,
        }
    }
}

/// The settings of an outlet.
#[derive(Debug)]
pub struct Settings {
    /// The sink's name, under which the spool has its cursor.
    pub name: String,
    /// The parent of the folder of dead letters.
    pub folder: PathBuf,
    /// Which records it wants.
    pub filter: Filter,
    /// How large batches are.
    pub batching: Batching,
    /// How long it waits between attempts.
    pub retry: Retry,
}

impl Settings {
    /// Wants everything, in batches of the default size, with dead letters below a folder.
    pub fn new(name: &str, folder: &Path) -> Self {
        Settings {
            name: name.to_string(),
            folder: folder.to_path_buf(),
            filter: Filter::default(),
            batching: Batching::default(),
            retry: Retry::default(),
        }
    }
}

/// What to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Run the next one.
    Next,
    /// Wait until there is a record.
    Idle,
    /// Wait for this time.
    Wait(Duration),
    /// Stop: it was halted, and nothing is left, or the receiver does not take the rest.
    Done,
}

/// One sink: reads the spool and delivers what it wants.
pub struct Outlet {
    name: String,
    filter: Filter,
    batching: Batching,
    retry: Retry,
    spool: Spool,
    deliver: Box<dyn Deliver>,
    dead: DeadLetters,
    pace: Pace,
    counters: Arc<Counters>,
    renew: Arc<AtomicBool>,
    /// The records that are being collected or delivered.
    batch: Batch,
    /// Whether each record of a batch in delivery still has to arrive; empty while collecting.
    due: Vec<bool>,
    /// How far the spool was read.
    position: Cursor,
    /// Set since the batch is being collected, by the clock's uptime.
    since: Option<Duration>,
    /// Nothing is sent before this time.
    until: Duration,
    last: Step,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Outlet {
    /// For a sink that the spool knows by its name.
    pub fn new(settings: Settings, spool: Spool, deliver: Box<dyn Deliver>, pace: Pace) -> Self {
        let Settings { name, folder, filter, batching, retry } = settings;
        let position = spool.cursor(&name);
        Outlet {
            dead: DeadLetters::new(&folder, &name),
            name,
            filter,
            batching,
            retry,
            spool,
            deliver,
            pace,
            counters: Arc::default(),
            renew: Arc::default(),
            batch: Batch::default(),
            due: Vec::new(),
            position,
            since: None,
            until: Duration::ZERO,
            last: Step::Next,
        }
    }

    /// The sink's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What has happened so far.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// If set, it reopens connections and reads secrets again.
    pub(super) fn renewal(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.renew)
    }

    /// Does what is due, with at most one attempt. It waits for nothing but the receiver.
    pub fn step(&mut self) -> Step {
        if self.renew.swap(false, Ordering::Relaxed) {
            self.deliver.renew();
            self.until = Duration::ZERO;
        }
        self.last = self.act();
        self.last
    }

    /// Waits as long as the last step says.
    pub(super) fn rest(&self) {
        match self.last {
            Step::Next | Step::Done => {}
            Step::Idle => {
                self.spool.wait(self.position, IDLE);
            }
            Step::Wait(time) => {
                // A renewal also ends a long pause.
                self.pace.wait(time.min(LOOK[1]));
            }
        }
    }

    fn act(&mut self) -> Step {
        let is_ending = self.pace.is_halted();
        if is_ending && self.pace.is_over() {
            return Step::Done;
        }
        if self.due.is_empty() && !self.gather(is_ending) {
            return match self.gathering() {
                None if is_ending => Step::Done,
                None => Step::Idle,
                Some(left) => Step::Wait(left),
            };
        }
        let now = self.pace.clock().uptime();
        if now < self.until && !is_ending {
            return Step::Wait(self.until.saturating_sub(now));
        }
        if self.due.is_empty() {
            self.due = vec![true; self.batch.len()];
        } else {
            self.counters.tried_again();
        }
        let arrived = self.attempt();
        // There is only time for one attempt.
        if !arrived && is_ending { Step::Done } else { Step::Next }
    }

    /// Continues reading; returns whether the batch has to be sent.
    fn gather(&mut self, is_ending: bool) -> bool {
        let Batching { max_records, max_bytes, max_age, .. } = self.batching;
        loop {
            let before = self.batch.len();
            // The spool moves the cursor of a sink that keeps back too much.
            self.position = self.position.max(self.spool.cursor(&self.name));
            let is_full = self.spool.read(self.position, max_records, max_bytes, &mut self.batch);
            let is_end = self.batch.end() == self.position;
            self.position = self.batch.end();
            let read = self.batch.len();
            let filter = &self.filter;
            self.batch.retain_from(before, |record| filter.wants(&record));
            self.counters.left_out(read - self.batch.len());
            if self.batch.is_empty() {
                self.spool.advance(&self.name, self.position);
                self.counters.waits_since(None);
                self.since = None;
                if is_end {
                    return false;
                }
                continue;
            }
            let oldest = self.batch.records().next().map(|record| record.stored.0);
            self.counters.waits_since(oldest);
            let now = self.pace.clock().uptime();
            let since = *self.since.get_or_insert(now);
            // What the filter removed has made room again.
            let is_full = is_full && self.batch.len() == read;
            if is_full || is_ending && is_end || now.saturating_sub(since) >= max_age {
                return true;
            }
            if is_end {
                return false;
            }
        }
    }

    /// How long to leave an incomplete batch alone.
    fn gathering(&self) -> Option<Duration> {
        let now = self.pace.clock().uptime();
        let left = self.batching.max_age.saturating_sub(now.saturating_sub(self.since?));
        let look = (self.batching.max_age / 10).clamp(LOOK[0], LOOK[1]);
        Some(left.min(look))
    }

    /// Sends what still has to arrive; returns whether all of it is done.
    fn attempt(&mut self) -> bool {
        let batch = std::mem::take(&mut self.batch);
        let records: Vec<RecordRef<'_>> = batch.records().collect();
        let sent: Vec<usize> = (0..records.len()).filter(|at| self.due[*at]).collect();
        let due_records: Vec<RecordRef<'_>> = sent.iter().map(|at| records[*at]).collect();
        let outcome = self.deliver.deliver(&due_records);
        let failure = self.settle(&due_records, &sent, outcome);
        drop((records, due_records));
        let is_done = !self.due.contains(&true);
        self.batch = batch;
        let now = self.pace.clock().uptime();
        if is_done {
            self.spool.advance(&self.name, self.position);
            self.batch.clear();
            self.due.clear();
            self.since = None;
            self.retry.reset();
            self.until = now + self.batching.min_interval;
            self.counters.batch_done();
            self.counters.waits_since(None);
            self.counters.was(Health::Good, failure.as_ref());
            return true;
        }
        let class = failure.as_ref().map(|failure| failure.class);
        let is_held = class == Some(Class::Denied);
        let own = if is_held { self.retry.hold() } else { self.retry.pause() };
        let after = failure.as_ref().and_then(|failure| failure.after);
        self.until = now + after.unwrap_or(own).max(self.batching.min_interval);
        let health = if is_held { Health::Held } else { Health::Retrying };
        self.counters.was(health, failure.as_ref());
        false
    }

    /// Applies an outcome; returns the remaining error.
    fn settle(
        &mut self,
        due_records: &[RecordRef<'_>],
        sent: &[usize],
        outcome: Outcome,
    ) -> Option<DeliveryError> {
        let now = self.pace.clock().now();
        let mut failure = outcome.error;
        for ((record, at), verdict) in due_records.iter().zip(sent).zip(&outcome.verdicts) {
            match verdict {
                Verdict::Again => continue,
                Verdict::Delivered => {
                    let micros = now.0.saturating_sub(record.stored.0);
                    self.counters
                        .arrived(Duration::from_micros(u64::try_from(micros).unwrap_or(0)));
                }
                Verdict::Refused { status, reason } => {
                    let letter = self.dead.write(&self.name, record, (*status, reason), now);
                    if let Err(error) = letter {
                        // Without a letter the record would be lost: it is sent, and refused, once
                        // more.
                        let reason = format!("cannot write a dead letter: {error}");
                        failure = Some(DeliveryError::new(Class::Refused, reason));
                        continue;
                    }
                    self.counters.died();
                }
            }
            if let Some(due) = self.due.get_mut(*at) {
                *due = false;
            }
        }
        if let Err(error) = self.dead.sync() {
            failure.get_or_insert(DeliveryError::new(
                Class::Refused,
                format!("dead letters: {error}"),
            ));
        }
        failure
    }
}
