//! Inputs that contain others, or text in a special encoding: archives, event logs, mails and their
//! attachments.
//!
//! One thread processes each of them, from beginning to end.

use super::Notice;
use super::attachments::AttachedFile;
use super::finished::{Finished, Remark, Slot};
use super::mails::Mails;
use super::pipeline::{CaptureWork, Passing, Pipeline};
use crate::clock::now;
use crate::engine::text::fields::Layout;
use crate::sensor::input::{
    Archive, Bounds, Carrier, Chunker, Contents, Events, Input, Member, Opened, Stream,
};
use std::sync::Arc;

/// How many inputs of each kind that cannot be searched inside are named; the others are only
/// counted.
const NAMED: u64 = 10;

impl<W: CaptureWork> Pipeline<'_, '_, W> {
    /// Processes the members of an archive, and their members.
    pub(super) fn archive(&self, scratch: &mut W::Scratch, slot: &mut Slot, input: Input) -> bool {
        let mut archive = match Archive::open(input) {
            Ok(Some(archive)) => archive,
            Ok(None) => return true,
            Err(error) => return self.report_next(slot, Remark::Failed(error)),
        };
        loop {
            let member = match archive.next_member() {
                Ok(Some(member)) => member,
                Ok(None) => return true,
                Err(error) => {
                    if self.report_next(slot, Remark::Failed(error)) {
                        continue;
                    }
                    return false;
                }
            };
            let goes_on = match member {
                Member::Closed(path, why) => self.report_next(slot, Remark::Closed(path, why)),
                Member::File(input) => {
                    self.passing().report.members += 1;
                    slot.is_member = true;
                    self.contents(scratch, slot, *input)
                }
            };
            if !goes_on {
                return false;
            }
        }
    }

    /// Reports a remark at the position of its input.
    fn report_next(&self, slot: &mut Slot, remark: Remark) -> bool {
        self.hand_in_next(slot, Finished::new(None, 0).with_remark(Some(remark)))
    }

    /// Searches an input that one thread reads.
    pub(super) fn contents(&self, scratch: &mut W::Scratch, slot: &mut Slot, input: Input) -> bool {
        if crate::sensor::input::capture::is_capture(input.head()) {
            return self.capture(scratch, slot, input);
        }
        let contents = input.contents();
        match contents {
            Contents::Zip | Contents::Tar => return self.archive(scratch, slot, input),
            _ => {
                let remark = Self::closed_remark(&input);
                if remark.is_some_and(|remark| !self.report_next(slot, remark)) {
                    return false;
                }
            }
        }
        let (mut carrier, head) = (Carrier::of(&input), input.head().to_vec());
        let stream = match input.into_opened() {
            Opened::Seekable(file) => file.into_stream(),
            Opened::Stream(stream) => stream,
        };
        match contents {
            Contents::Events => {
                let path = Arc::clone(stream.path());
                self.stream(scratch, slot, Stream::new(path, Events::new(stream)), b"")
            }
            Contents::Mail => self.mails(scratch, slot, &mut carrier, stream),
            _ => self.stream(scratch, slot, stream, &head),
        }
    }

    /// Reads mails, in chunks of one size regardless of the option: the results depend only on the
    /// bytes.
    fn mails(
        &self,
        scratch: &mut W::Scratch,
        slot: &mut Slot,
        carrier: &mut Carrier,
        stream: Stream,
    ) -> bool {
        let is_live = stream.is_live();
        let mut chunker = Chunker::new(stream, Bounds::default(), self.pool.clone());
        let path = Arc::clone(chunker.path());
        let mut mails = Mails::new(if is_live { now() } else { self.read_at });
        let mut next = chunker.next_chunk();
        while let Ok(Some(chunk)) = next {
            next = chunker.next_chunk();
            let is_last = !matches!(next, Ok(Some(_)));
            let origin = self.origin(&path, Layout::default(), &chunk, self.read_at);
            let found = self.work.mails(scratch, &mut mails, &chunk, &origin, is_last);
            if !self.hand_in_next(slot, self.finished(found, chunk))
                || !self.carried(scratch, slot, carrier, mails.carried())
            {
                return false;
            }
        }
        self.passing().report.packets.add(mails.counters());
        let last = Finished::new(None, 0).last_of(slot).with_remark(self.end_remark(next));
        self.hand_in_next(slot, last)
    }

    /// Searches files that a mail carries, whose text continues after them.
    fn carried(
        &self,
        scratch: &mut W::Scratch,
        slot: &mut Slot,
        carrier: &mut Carrier,
        files: Vec<AttachedFile>,
    ) -> bool {
        if files.is_empty() {
            return true;
        }
        let is_member = std::mem::replace(&mut slot.is_member, true);
        let mut goes_on = self.hand_in_next(slot, Finished::stops());
        for file in files {
            goes_on = goes_on
                && match file.open(carrier) {
                    Ok(Some(input)) => {
                        self.passing().report.members += 1;
                        self.contents(scratch, slot, input)
                    }
                    Ok(None) => true,
                    Err(error) => self.report_next(slot, Remark::Failed(error)),
                };
        }
        slot.is_member = is_member;
        goes_on && self.hand_in_next(slot, Finished::goes_on())
    }

    /// The remark about an input that is searched as raw bytes, although it may contain more.
    pub(super) fn closed_remark(input: &Input) -> Option<Remark> {
        match input.contents() {
            Contents::Closed(what) => Some(Remark::Closed(Arc::clone(input.path()), what)),
            Contents::Binary => Some(Remark::Binary),
            _ => None,
        }
    }

    /// Counts something that cannot be searched inside, and names the first ones.
    pub(super) fn closed(&self, passing: &mut Passing<'_>, path: &Arc<str>, what: &'static str) {
        let count = passing.report.closed.entry(what).or_default();
        *count += 1;
        if *count <= NAMED {
            (self.notify)(Notice::Closed { path, what });
        }
    }
}
