//! Copies whose bytes were read where they were written.
//!
//! Such a copy is *settled*: it has a stream of its own, which begins at its end. It is settled as
//! soon as all it holds is processed, whatever follows in the original, and not before: a commit
//! that said that the copy is done, but not the original, would lose lines if the original were
//! gone at the next start.
//!
//! A copy may grow: it is seen while somebody writes it, or is made again under the same name. What
//! is new in it is then compared with the original again. What isn't there is the copy's own, and
//! is read.

use super::content::{Content, SAMPLE};
use super::follow::{Tail, random_id};
use super::position::{Position, Within};
use super::resolve::{agrees, line_start, read_last, settled_at};
use super::state::{FileId, Role, Settlement, Stream};
use super::unpacking::Unpacking;
use std::fs::File;

impl Tail {
    /// Settles a plain file all of which was read in another one, even if more follows there: it is
    /// in the same commit as what was read.
    pub(super) fn settle_read(&mut self, id: FileId, open: &File, kin: &[u64]) -> bool {
        let size = open.metadata().map_or(0, |found| found.len());
        let is_read = |other: &&u64| {
            let stream = self.streams.get(*other);
            stream.is_some_and(|it| it.file.is_some() && it.read.offset >= size)
        };
        let kin: Vec<u64> = kin.iter().filter(is_read).copied().collect();
        if size == 0 || kin.is_empty() {
            return false;
        }
        let Ok(Some(content)) = Content::of_file(open, size) else { return false };
        let original = kin.into_iter().find(|other| self.is_part(id, size, content, *other));
        if let Some(original) = original {
            self.settle_plain(id, open, (size, content), original);
        }
        original.is_some()
    }

    /// Settles a plain file at its size.
    pub(super) fn settle_plain(
        &mut self,
        id: FileId,
        open: &File,
        (size, content): (u64, Content),
        original: u64,
    ) {
        // What grows is not counted again each time.
        let is_first = self.files.get(&id).is_some_and(|file| file.aside.is_none());
        let line = if is_first { self.count_lines(open, size) } else { None };
        let position = settled_at(size, content, read_last(open, size));
        let position = Position { line, ..position };
        let copy_of = Some(original);
        self.settle(id, original, Settlement { position, wide: None, copy_of, is_done: false });
    }

    /// The file begins a stream of its own where everything before a position was read elsewhere: at
    /// once if that is processed, and else when it is.
    pub(super) fn settle(&mut self, id: FileId, original: u64, settlement: Settlement) {
        let Some(stream) = self.streams.get(&original) else { return };
        let until = settlement.position.offset.min(stream.read.offset);
        if stream.safe.offset >= until {
            return self.settle_now(id, settlement);
        }
        self.awaited.values_mut().for_each(|all| all.retain(|(_, it)| *it != id));
        self.awaited.entry(original).or_default().insert((until, id));
        self.timed.insert(id);
        if let Some(file) = self.files.get_mut(&id) {
            file.resembles.insert(original);
            file.settlement = Some(Box::new(settlement));
        }
        // Its own copies can be compared with the original as well.
        self.wake_copies(id);
    }

    fn settle_now(&mut self, id: FileId, settlement: Settlement) {
        self.drop_aside(id);
        let Settlement { position, wide, copy_of, is_done } = settlement;
        // The copy of a copy is one of the original.
        let copy_of = copy_of.map(|it| {
            let first = self.streams.get(&it).and_then(|stream| stream.copy_of);
            first.filter(|first| self.streams.contains_key(first)).unwrap_or(it)
        });
        let stream = random_id();
        self.begin_at(id, Position { stream, ..position }, is_done);
        if let Some(stream) = self.streams.get_mut(&stream) {
            (stream.wide, stream.copy_of) = (wide, copy_of);
        }
        match self.is_packed(id) {
            true => self.counted.rotations.packed += 1,
            false => self.counted.rotations.copied += 1,
        }
    }

    /// Whether there are files of which it shows after the next commit whether there is something
    /// to read in them.
    pub fn awaits_commit(&self) -> bool {
        self.awaited.values().flatten().any(|(_, id)| self.files.contains_key(id))
    }

    /// Whether a file waits for what is processed of others.
    pub(super) fn is_awaiting(&self, id: FileId) -> bool {
        self.awaited.values().flatten().any(|(_, it)| *it == id)
    }

    /// Settles files that wait for what is processed now of a stream. That is done together with
    /// it, so that both are in one commit.
    pub(super) fn settle_awaiting(&mut self, stream: u64) {
        let Some(all) = self.awaited.get_mut(&stream) else { return };
        let Some(safe) = self.streams.get(&stream).map(|stream| stream.safe.offset) else { return };
        let due: Vec<(u64, FileId)> =
            all.iter().take_while(|(until, _)| *until <= safe).copied().collect();
        all.retain(|it| !due.contains(it));
        if all.is_empty() {
            self.awaited.remove(&stream);
        }
        for (_, id) in due {
            let Some(file) = self.files.get_mut(&id) else { continue };
            match file.settlement.take() {
                Some(settlement) if matches!(file.role, Role::Fresh) => {
                    self.settle_now(id, *settlement);
                }
                // It has changed since.
                _ => {
                    self.fresh.insert(id);
                }
            }
        }
    }

    /// Files that wait for a stream are looked into again: nothing holds it any more, so that one of
    /// them may go on with it.
    pub(super) fn wake_awaiting(&mut self, stream: u64) {
        for (_, id) in self.awaited.remove(&stream).unwrap_or_default() {
            if let Some(file) = self.files.get_mut(&id) {
                file.settlement = None;
                self.fresh.insert(id);
            }
        }
    }

    /// Loads the first bytes of the log's packed generations, which an earlier run has read: copies
    /// are known by them.
    pub(super) fn load_packed_heads(&mut self, id: FileId) {
        let Some(file) = self.files.get(&id) else { return };
        let all = self.by_stem.get(&file.name.stem).into_iter().flatten();
        let unknown: Vec<(u64, FileId)> = all
            .filter_map(|number| {
                let stream = self.streams.get(number)?;
                let is_unknown = stream.head.is_empty();
                Some((*number, stream.file.filter(|holder| is_unknown && *holder != id)?))
            })
            .collect();
        for (number, holder) in unknown {
            let packing = self.files.get(&holder).and_then(|file| file.packing);
            let Some(Some(packing)) = packing else { continue };
            let Some(open) = self.open_file(holder) else { continue };
            // What can't be read shows when it is its turn.
            let Ok(mut unpacking) = Unpacking::new(&open, packing) else { continue };
            if unpacking.fill(SAMPLE).is_ok()
                && let Some(stream) = self.streams.get_mut(&number)
            {
                stream.head = unpacking.head().to_vec();
            }
        }
    }

    /// Whether a stream is that of a copy that isn't as long any more as it was.
    pub(super) fn is_grown_copy(&self, number: u64, is_changed: bool) -> bool {
        let original = self.streams.get(&number).and_then(|stream| stream.copy_of);
        is_changed && original.is_some_and(|it| self.streams.contains_key(&it))
    }

    /// A copy has grown: it is looked into again.
    pub(super) fn set_aside(&mut self, id: FileId, number: u64) {
        let original = self.streams.get(&number).and_then(|stream| stream.copy_of);
        let Some(file) = self.files.get_mut(&id) else { return };
        (file.role, file.aside) = (Role::Fresh, Some(number));
        file.resembles = original.into_iter().collect();
        (file.pending, file.unpacking, file.nuls, file.is_partial) = (None, None, 0, false);
        self.fresh.insert(id);
        self.timed.insert(id);
        self.wake_likenesses(number);
    }

    /// What a copy holds was not read elsewhere: it is read on where it ended before, if that is
    /// still there. Returns whether it is.
    pub(super) fn keep_aside(&mut self, id: FileId) -> bool {
        let Some(number) = self.files.get(&id).and_then(|file| file.aside) else { return false };
        let Some(open) = self.open_file(id) else { return false };
        // What is packed shows it when it is read.
        let is_packed = self.is_packed(id);
        let Some(stream) = self.streams.get_mut(&number) else { return false };
        if is_packed || agrees(&open, &stream.read) {
            (stream.copy_of, stream.is_done) = (None, false);
            if !is_packed && stream.read.within == Within::Flushed {
                go_to_line_start(stream, &open);
            }
            self.hold(id, number);
            return true;
        }
        self.counted.rotations.truncated += 1;
        self.drop_aside(id);
        false
    }

    /// Forgets the stream that a file held as a copy.
    pub(super) fn drop_aside(&mut self, id: FileId) {
        let aside = self.files.get_mut(&id).and_then(|file| file.aside.take());
        let Some(number) = aside else { return };
        self.forget(number);
        self.wake_likenesses(number);
    }
}

/// Moves a copy back to the start of the line in which it ended when it was settled. What follows
/// there is not what follows in the original, so the line is another one than was read.
fn go_to_line_start(stream: &mut Stream, open: &File) {
    let start = line_start(open, stream.read.offset);
    let content = start.and_then(|start| Content::of_file(open, start).ok()?);
    if let (Some(offset), Some(content)) = (start, content) {
        let within = Within::Start;
        stream.read = Position { offset, content, within, ..stream.read.clone() };
        (stream.safe, stream.passed) = (stream.read.clone(), None);
    }
}
