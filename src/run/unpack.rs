//! Inputs that hold others, or text in an encoding of its own: archives, events, mails with
//! what they carry.
//!
//! One thread goes through each of them, from beginning to end.

use super::Notice;
use super::finished::{Finished, Slot, Word};
use super::mails::Mails;
use super::parcels::Carried;
use super::pipeline::{Passing, Pipeline, Work};
use crate::input::{
    Archive, Bounds, Carrier, Chunker, Contents, Events, Input, Member, Opened, Stream,
};
use crate::text::fields::Layout;
use std::sync::Arc;

/// How many inputs of each kind that cannot be looked into are named; the others are
/// counted.
const NAMED: u64 = 10;

impl<W: Work> Pipeline<'_, '_, W> {
    /// Goes through the members of an archive, and through theirs.
    pub(super) fn archive(&self, scratch: &mut W::Scratch, slot: &mut Slot, input: Input) -> bool {
        let mut archive = match Archive::open(input) {
            Ok(Some(archive)) => archive,
            Ok(None) => return true,
            Err(error) => return self.say_next(slot, Word::Failed(error)),
        };
        loop {
            let member = match archive.next_member() {
                Ok(Some(member)) => member,
                Ok(None) => return true,
                Err(error) => {
                    if self.say_next(slot, Word::Failed(error)) {
                        continue;
                    }
                    return false;
                }
            };
            let goes_on = match member {
                Member::Closed(path, why) => self.say_next(slot, Word::Closed(path, why)),
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

    /// Says something at the place of the input that it comes to.
    fn say_next(&self, slot: &mut Slot, word: Word) -> bool {
        self.hand_in_next(slot, Finished::new(None, 0).saying(Some(word)))
    }

    /// Looks into an input that one thread reads.
    pub(super) fn contents(&self, scratch: &mut W::Scratch, slot: &mut Slot, input: Input) -> bool {
        if crate::input::capture::is_capture(input.head()) {
            return self.capture(scratch, slot, input);
        }
        let contents = input.contents();
        match contents {
            Contents::Zip | Contents::Tar => return self.archive(scratch, slot, input),
            _ => {
                let word = Self::closed_word(&input);
                if word.is_some_and(|word| !self.say_next(slot, word)) {
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

    /// Reads mails, in chunks of one size whatever was asked for: what is found depends on
    /// nothing but the bytes.
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
        let mut mails = Mails::new(if is_live { super::now() } else { self.read_at });
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
        let last = Finished::new(None, 0).last_of(slot).saying(self.end_word(next));
        self.hand_in_next(slot, last)
    }

    /// Looks into files that a mail carries, whose text goes on behind them.
    fn carried(
        &self,
        scratch: &mut W::Scratch,
        slot: &mut Slot,
        carrier: &mut Carrier,
        files: Vec<Carried>,
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
                    Err(error) => self.say_next(slot, Word::Failed(error)),
                };
        }
        slot.is_member = is_member;
        goes_on && self.hand_in_next(slot, Finished::goes_on())
    }

    /// What is to be said of what is searched as it stands, though more than that may be in it.
    pub(super) fn closed_word(input: &Input) -> Option<Word> {
        match input.contents() {
            Contents::Closed(what) => Some(Word::Closed(Arc::clone(input.path()), what)),
            Contents::Binary => Some(Word::Binary),
            _ => None,
        }
    }

    /// Counts something that cannot be looked into, and names the first ones.
    pub(super) fn closed(&self, passing: &mut Passing<'_>, path: &Arc<str>, what: &'static str) {
        let count = passing.report.closed.entry(what).or_default();
        *count += 1;
        if *count <= NAMED {
            (self.notify)(Notice::Closed { path, what });
        }
    }
}
