//! Alerts on their way out.
//!
//! A worker that waits for a slow reader, or for room on a disk, reads no packets meanwhile. So
//! workers only put records into an [`Outbox`], which is bounded, and a thread of its own writes
//! them ([`Writer`]). What finds no room in it is lost, and counted. An output that fails is tried
//! again: a sensor does not go away because a disk is full.

use crate::clock::{Stopwatch, now};
use crate::engine::alert::Encoder;
use crate::sensor::run::{OutputReport, rotation};
use crate::sensor::sink::{Records, Sink};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that wait at most: some hundred thousand alerts.
const MOST: usize = 64 << 20;

/// Records are put together up to here, so that few system calls write them.
const TOGETHER: usize = 64 << 10;

/// How often a writer with nothing to do looks around.
const ROUND: Duration = Duration::from_millis(50);

/// How often an output that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What a writer has to say.
#[derive(Debug)]
pub(super) enum Word {
    /// The output can't be written, and is tried again.
    Failed(Error),
    /// It is written again; so many records were lost meanwhile.
    Back(u64),
    /// It was opened again.
    Reopened,
    /// It could not be opened again, and the old file stays.
    NotReopened(Error),
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Records>,
    bytes: usize,
    records: u64,
    /// Records that the writer has in hand.
    held: u64,
    lost: u64,
    /// Since when the writer has been at the same write, or has failed.
    since: Option<Stopwatch>,
    is_over: bool,
}

/// Where workers put their records.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    turn: Condvar,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes records, or counts them as lost where there is no room. Nobody waits.
    pub(super) fn push(&self, records: &mut Records) {
        let mut state = self.lock();
        let (bytes, count) = (records.bytes().len(), records.count());
        if state.bytes + bytes > MOST {
            state.lost += count;
            records.clear();
            return;
        }
        (state.bytes, state.records) = (state.bytes + bytes, state.records + count);
        match state.waiting.back_mut() {
            Some(last) if last.bytes().len() + bytes <= TOGETHER => last.append(records),
            _ => state.waiting.push_back(std::mem::take(records)),
        }
        self.turn.notify_one();
    }

    /// Nothing comes any more.
    pub(super) fn finish(&self) {
        self.lock().is_over = true;
        self.turn.notify_one();
    }

    pub(super) fn report(&self) -> OutputReport {
        let state = self.lock();
        OutputReport {
            waiting: state.records + state.held,
            lost: state.lost,
            blocked: state.since.map_or(Duration::ZERO, |since| since.elapsed()),
        }
    }

    /// The next records, if any come within a round, and whether none will come any more.
    fn take(&self) -> (Option<Records>, bool) {
        let state = self.lock();
        let is_idle = |state: &mut State| state.waiting.is_empty() && !state.is_over;
        let (mut state, _) = self
            .turn
            .wait_timeout_while(state, ROUND, is_idle)
            .unwrap_or_else(PoisonError::into_inner);
        let next = state.waiting.pop_front();
        if let Some(next) = &next {
            state.bytes -= next.bytes().len();
            state.records -= next.count();
            state.held += next.count();
        }
        let is_over = state.is_over && state.waiting.is_empty();
        (next, is_over)
    }

    fn is_over(&self) -> bool {
        self.lock().is_over
    }
}

/// Finishes an outbox, also when whoever fills it panics.
pub(super) struct FinishAtEnd<'o>(pub(super) &'o Outbox);

impl Drop for FinishAtEnd<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Writes what is in an outbox.
pub(super) struct Writer<'w> {
    outbox: &'w Outbox,
    sink: &'w mut dyn Sink,
    encoder: &'w Encoder,
    /// Set by SIGHUP, if that has the output opened again.
    hangup: Option<Arc<AtomicBool>>,
    words: Sender<Word>,
    /// Records that the sink did not take yet.
    held: Option<Records>,
    /// Since the last try that failed.
    failed: Option<Stopwatch>,
    /// What was lost when it began to fail.
    lost_before: u64,
}

impl<'w> Writer<'w> {
    pub(super) fn new(
        outbox: &'w Outbox,
        sink: &'w mut dyn Sink,
        encoder: &'w Encoder,
        hangup: Option<Arc<AtomicBool>>,
        words: Sender<Word>,
    ) -> Self {
        let mut begin = Records::default();
        begin.frame(|bytes| encoder.begin(now(), bytes));
        Writer {
            outbox,
            sink,
            encoder,
            hangup,
            words,
            held: Some(begin),
            failed: None,
            lost_before: 0,
        }
    }

    /// Writes until the outbox is finished and empty. When it is finished and the output fails
    /// still, what is left is lost.
    ///
    /// # Errors
    ///
    /// When the reader of the output went away.
    pub(super) fn run(mut self) -> Result<()> {
        loop {
            let mut is_over = self.outbox.is_over();
            if self.held.is_none() {
                (self.held, is_over) = self.outbox.take();
            } else if self.failed.is_some() && !is_over {
                std::thread::sleep(ROUND);
            }
            let is_reopened = self.reopen();
            let is_due = self.failed.is_none_or(|failed| failed.elapsed() >= RETRY);
            if !is_due && !is_reopened && !is_over {
                continue;
            }
            let is_end = is_over && self.held.is_none();
            if is_end {
                let mut end = Records::default();
                end.frame(|bytes| self.encoder.end(now(), bytes));
                self.held = Some(end);
            }
            match self.pass_on() {
                Err(error) if error.is_broken_pipe() => return Err(error),
                Err(error) => self.fails(error),
                Ok(()) => self.goes_on(),
            }
            if is_end || is_over && self.failed.is_some() {
                self.give_up();
                return Ok(());
            }
        }
    }

    /// Opens the output again, if SIGHUP asked for that. Returns whether it was.
    fn reopen(&mut self) -> bool {
        let hangup = self.hangup.as_ref();
        if !hangup.is_some_and(|hangup| hangup.swap(false, Ordering::Relaxed)) {
            return false;
        }
        let outcome = rotation::open_again(self.sink, self.encoder);
        self.settle();
        let is_reopened = matches!(outcome, Ok(true));
        let word = match outcome {
            Ok(true) => Word::Reopened,
            Ok(false) => return false,
            Err(error) => Word::NotReopened(error),
        };
        // Nobody listens to a tap that is over.
        let _ = self.words.send(word);
        is_reopened
    }

    fn pass_on(&mut self) -> Result<()> {
        if self.failed.is_none() {
            self.outbox.lock().since = Some(Stopwatch::start());
        }
        let outcome = self.write();
        self.settle();
        outcome
    }

    fn write(&mut self) -> Result<()> {
        if let Some(held) = &self.held {
            self.sink.write(held)?;
            self.held = None;
        }
        self.sink.flush()
    }

    /// Notes what the sink has passed on.
    fn settle(&mut self) {
        let held = self.held.as_ref().map_or(0, Records::count);
        self.outbox.lock().held = held + self.sink.waiting();
    }

    fn fails(&mut self, error: Error) {
        if self.failed.is_none() {
            self.lost_before = self.outbox.report().lost;
            let _ = self.words.send(Word::Failed(error));
        }
        self.failed = Some(Stopwatch::start());
    }

    fn goes_on(&mut self) {
        self.outbox.lock().since = None;
        if self.failed.take().is_some() {
            let lost = self.outbox.report().lost - self.lost_before;
            let _ = self.words.send(Word::Back(lost));
        }
    }

    /// Counts what is left.
    fn give_up(&mut self) {
        let mut state = self.outbox.lock();
        let left = state.held + state.records;
        state.lost += left;
        (state.held, state.records, state.bytes) = (0, 0, 0);
        state.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::alert::Format;
    use std::io::ErrorKind;
    use std::sync::mpsc;

    /// Takes lines of eight bytes while there is room for them.
    #[derive(Default)]
    struct Disk {
        written: Vec<u8>,
        room: usize,
        pending: Vec<u8>,
    }

    impl Sink for Disk {
        fn write(&mut self, records: &Records) -> Result<()> {
            if self.pending.len() > 100 {
                self.flush()?;
            }
            self.pending.extend_from_slice(records.bytes());
            Ok(())
        }

        fn flush(&mut self) -> Result<()> {
            let count = self.pending.len().min(self.room);
            self.room -= count;
            self.written.extend(self.pending.drain(..count));
            if self.pending.is_empty() {
                return Ok(());
            }
            Err(Error::io("write", ErrorKind::StorageFull.into()))
        }

        fn waiting(&self) -> u64 {
            self.pending.len().div_ceil(8) as u64
        }
    }

    fn push(outbox: &Outbox, count: usize) {
        let mut records = Records::default();
        for _ in 0..count {
            records.record(|bytes| bytes.extend_from_slice(b"0123456\n"));
        }
        outbox.push(&mut records);
    }

    #[test]
    fn what_is_not_written_is_counted_to_the_record() {
        for room in [0, 7, 8, 9, 800, 801, 8 * 300, 8 * 300 + 1, 1 << 20] {
            let (outbox, encoder) = (Outbox::default(), Encoder::new(Format::Json));
            let mut disk = Disk { room, ..Disk::default() };
            for count in [100, 1, 199] {
                push(&outbox, count);
            }
            outbox.finish();
            let (send, words) = mpsc::channel();
            Writer::new(&outbox, &mut disk, &encoder, None, send).run().unwrap();
            let written = disk.written.len() / 8;
            assert_eq!(written + outbox.report().lost as usize, 300, "{room}");
            assert_eq!(written, (room / 8).min(300), "{room}");
            assert_eq!(words.iter().count(), usize::from(room < 8 * 300), "{room}: told once");
        }
    }

    #[test]
    fn there_is_a_bound() {
        let outbox = Outbox::default();
        let mut large = Records::default();
        large.record(|bytes| bytes.resize(MOST - 8, b'x'));
        outbox.push(&mut large);
        push(&outbox, 1);
        push(&outbox, 3);
        let report = outbox.report();
        assert_eq!((report.waiting, report.lost), (2, 3));
    }
}
