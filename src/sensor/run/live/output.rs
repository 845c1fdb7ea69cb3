//! Where alerts go, and what a commit has to know about it.

use crate::Result;
use crate::clock::now;
use crate::engine::alert::{Alert, Encoder};
use crate::sensor::checkpoint::{AlertFile, Output};
use crate::sensor::run::outlet::{Outlet, Yield};
use crate::sensor::sink::{Records, Sink};

/// What alerts are written to.
pub(super) enum Target<'s> {
    /// A file whose length belongs to each commit.
    File(Box<AlertFile>),
    /// Anything else: what was written before a crash may be written again.
    Sink(&'s mut dyn Sink),
}

/// The output of a job, with the records that it could not take yet.
pub(super) struct Out<'s> {
    target: Target<'s>,
    outlet: Outlet,
    encoder: Encoder,
    held: Records,
    /// Records that were wanted, in all.
    pub(super) records: u64,
}

impl<'s> Out<'s> {
    pub(super) fn new(target: Target<'s>, outlet: Outlet, encoder: Encoder) -> Self {
        Out { target, outlet, encoder, held: Records::default(), records: 0 }
    }

    /// Writes what a format has at the beginning of a file, where there is nothing yet.
    pub(super) fn begin(&mut self) {
        let is_new = match &self.target {
            Target::File(file) => file.is_empty(),
            Target::Sink(_) => true,
        };
        if is_new {
            let encoder = &self.encoder;
            self.held.frame(|bytes| encoder.begin(now(), bytes));
        }
    }

    /// Writes what a format has at the end. A file that the next run goes on with has none.
    pub(super) fn end(&mut self) {
        if let Target::Sink(_) = self.target {
            let encoder = &self.encoder;
            self.held.frame(|bytes| encoder.end(now(), bytes));
        }
    }

    /// Encodes an alert, if it is wanted; answers whether it is.
    pub(super) fn take(&mut self, alert: &Alert<'_>) -> bool {
        let outlet = &mut self.outlet;
        let is_wanted = self.held.record(|bytes| outlet.take(alert, bytes));
        self.records += u64::from(is_wanted);
        is_wanted
    }

    /// Passes on what was encoded. What can't be is kept, and comes first the next time.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        match &mut self.target {
            Target::File(file) => file.append(self.held.bytes())?,
            Target::Sink(sink) => sink.write(&self.held).and_then(|()| sink.flush())?,
        }
        self.held.clear();
        Ok(())
    }

    /// Makes what was passed on safe; returns what a commit keeps of the output.
    pub(super) fn sync(&mut self) -> Result<Option<Output>> {
        match &mut self.target {
            Target::File(file) => file.sync().map(Some),
            Target::Sink(_) => Ok(None),
        }
    }

    /// Whether the file's path leads to another one by now, so that [`turn`](Self::turn) is due.
    pub(super) fn is_moved(&self) -> bool {
        matches!(&self.target, Target::File(file) if file.is_rotated())
    }

    /// Goes on with the file that the path leads to. All that the old one holds is committed, and
    /// the new one has to be before anything is written to it.
    pub(super) fn turn(&mut self) -> Result<()> {
        let Target::File(file) = &mut self.target else { return Ok(()) };
        file.reopen()?;
        if file.is_empty() {
            let mut begin = Records::default();
            begin.frame(|bytes| self.encoder.begin(now(), bytes));
            begin.append(&mut self.held);
            self.held = begin;
        }
        Ok(())
    }

    /// Opens an output without commits again under its name, if that means another file by now.
    pub(super) fn reopen(&mut self) -> Result<bool> {
        let Target::Sink(sink) = &mut self.target else { return Ok(false) };
        let (mut end, mut begin) = (Vec::new(), Vec::new());
        self.encoder.end(now(), &mut end);
        self.encoder.begin(now(), &mut begin);
        sink.reopen(&end, &begin)
    }

    /// Records that were encoded and could not be passed on.
    pub(super) fn waiting(&self) -> u64 {
        let sink = match &self.target {
            Target::File(_) => 0,
            Target::Sink(sink) => sink.waiting(),
        };
        self.held.count() + sink
    }

    pub(super) fn into_yield(self) -> Yield {
        self.outlet.into_yield()
    }
}
