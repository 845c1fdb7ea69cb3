//! The queue of outgoing alerts, and the thread that writes them.
//!
//! A worker that waits for a slow reader, or for room on a disk, doesn't read packets in the
//! meantime. So workers only put records into an [`Outbox`], which is bounded, and a separate
//! thread writes them ([`Writer`]). Records that find no room in it are lost, and counted. A
//! failing output is retried: a sensor must not exit because a disk is full.

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

/// The maximum number of waiting bytes: some hundred thousand alerts.
const MOST: usize = 64 << 20;

/// Records are combined up to this size, so that few system calls write them.
const TOGETHER: usize = 64 << 10;

/// How often an idle writer checks for other work.
const ROUND: Duration = Duration::from_millis(50);

/// How often a failed output is retried.
const RETRY: Duration = Duration::from_secs(1);

/// A message from the writer.
#[derive(Debug)]
pub(super) enum WriterMessage {
    /// The output can't be written, and is retried.
    Failed(Error),
    /// It can be written again; this many records were lost in the meantime.
    Back(u64),
    /// It was reopened.
    Reopened,
    /// It could not be reopened, and the old file stays in use.
    NotReopened(Error),
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Records>,
    bytes: usize,
    records: u64,
    /// Records that the writer is writing.
    held: u64,
    lost: u64,
    /// Set since the writer began its current write, or since the output failed.
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

    /// Takes records, or counts them as lost if there is no room. Never blocks.
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

    /// Marks the end: no more records will come.
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

    /// The next records, if any arrive within a round, and whether the end is reached.
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

/// Finishes an outbox, even if the thread that fills it panics.
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
    /// Set by SIGHUP, if SIGHUP reopens the output.
    hangup: Option<Arc<AtomicBool>>,
    messages: Sender<WriterMessage>,
    /// Records that the sink has not taken yet.
    held: Option<Records>,
    /// Set since the last failed attempt.
    failed: Option<Stopwatch>,
    /// The number of lost records when the output began to fail.
    lost_before: u64,
}

impl<'w> Writer<'w> {
    pub(super) fn new(
        outbox: &'w Outbox,
        sink: &'w mut dyn Sink,
        encoder: &'w Encoder,
        hangup: Option<Arc<AtomicBool>>,
        messages: Sender<WriterMessage>,
    ) -> Self {
        let mut begin = Records::default();
        begin.frame(|bytes| encoder.begin(now(), bytes));
        Writer {
            outbox,
            sink,
            encoder,
            hangup,
            messages,
            held: Some(begin),
            failed: None,
            lost_before: 0,
        }
    }

    /// Writes until the outbox is finished and empty. If the output still fails after the outbox is
    /// finished, the rest is lost.
    ///
    /// # Errors
    ///
    /// If the reader of the output went away.
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

    /// Reopens the output, if SIGHUP asked for that. Returns whether it did.
    fn reopen(&mut self) -> bool {
        let hangup = self.hangup.as_ref();
        if !hangup.is_some_and(|hangup| hangup.swap(false, Ordering::Relaxed)) {
            return false;
        }
        let outcome = rotation::open_again(self.sink, self.encoder);
        self.settle();
        let is_reopened = matches!(outcome, Ok(true));
        let message = match outcome {
            Ok(true) => WriterMessage::Reopened,
            Ok(false) => return false,
            Err(error) => WriterMessage::NotReopened(error),
        };
        // If the tap is over, nobody receives the message.
        let _ = self.messages.send(message);
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

    /// Records what the sink has passed on.
    fn settle(&mut self) {
        let held = self.held.as_ref().map_or(0, Records::count);
        self.outbox.lock().held = held + self.sink.waiting();
    }

    fn fails(&mut self, error: Error) {
        if self.failed.is_none() {
            self.lost_before = self.outbox.report().lost;
            let _ = self.messages.send(WriterMessage::Failed(error));
        }
        self.failed = Some(Stopwatch::start());
    }

    fn goes_on(&mut self) {
        self.outbox.lock().since = None;
        if self.failed.take().is_some() {
            let lost = self.outbox.report().lost - self.lost_before;
            let _ = self.messages.send(WriterMessage::Back(lost));
        }
    }

    /// Counts the rest as lost.
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
            let (send, messages) = mpsc::channel();
            Writer::new(&outbox, &mut disk, &encoder, None, send).run().unwrap();
            let written = disk.written.len() / 8;
            assert_eq!(written + outbox.report().lost as usize, 300, "{room}");
            assert_eq!(written, (room / 8).min(300), "{room}");
            assert_eq!(
                messages.iter().count(),
                usize::from(room < 8 * 300),
                "{room}: reported once"
            );
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
