//! Decides which of several new files of a log are copies of others.
//!
//! A copy is compared with the stream of its original. If both are new, neither has a stream yet,
//! and both would be read. So a file that looks like a copy waits until its original was examined,
//! and is then compared like a copy that appears later: nothing in it is skipped before it was read
//! in the original, and if that is truncated first, the rest is read from the copy.
//!
//! A copy has the name of an older generation, or of a compressed form, and its whole content is at
//! the beginning of the original. Two generations with only the same head are different texts. If
//! the older of two texts continues the newer one, both are read: copying creates no such pair.

use super::content::{Content, SAMPLE};
use super::follow::Tail;
use super::key::Found;
use super::read::load_first;
use super::resolve::agrees;
use super::state::{FileId, Followed, Role};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

/// The maximum number of files with the same head that each file of a log is compared with. Beyond
/// that it is not a log, but an attempt to keep us busy; reading something twice then loses
/// nothing.
const MAX_COMPARED: usize = 64;

impl Tail {
    pub(super) fn is_packed(&self, id: FileId) -> bool {
        self.files.get(&id).is_some_and(|file| matches!(file.packing, Some(Some(_))))
    }

    /// Whether a file is still waiting for its original to be examined.
    pub(super) fn waits_for_original(&self, id: FileId) -> bool {
        let original = self.files.get(&id).and_then(|file| file.original);
        original.and_then(|it| self.files.get(&it)).is_some_and(|it| it.copies.contains(&id))
    }

    /// Examines the files that wait for a decision about this one. What it is like, they are like.
    pub(super) fn wake_copies(&mut self, id: FileId) {
        let Some(file) = self.files.get_mut(&id) else { return };
        let copies = std::mem::take(&mut file.copies);
        let streams: Vec<u64> = file.resembles.iter().copied().chain(file.stream()).collect();
        for copy in &copies {
            if let Some(copy) = self.files.get_mut(copy) {
                copy.resembles.extend(&streams);
            }
        }
        self.fresh.extend(copies);
    }

    /// Compares logs that have new files with what exists: an overwritten file is new as well, and
    /// its copy may be among them.
    pub(super) fn check_siblings(&mut self) {
        let fresh = self.fresh.iter().filter_map(|id| self.files.get(id));
        let stems: BTreeSet<&PathBuf> = fresh.map(|file| &file.name.stem).collect();
        let streams = stems.iter().filter_map(|stem| self.by_stem.get(*stem)).flatten();
        let held: Vec<(u64, FileId)> =
            streams.filter_map(|id| Some((*id, self.streams.get(id)?.file?))).collect();
        held.into_iter().for_each(|(stream, holder)| self.check_holder(stream, holder));
    }

    fn check_holder(&mut self, number: u64, id: FileId) {
        let Some(file) = self.files.get(&id) else { return };
        let was = (file.found.size, file.found.modified);
        let is_unchanged = match &file.file {
            None => file.is_caught_up,
            Some(open) => Found::of_open(&**open)
                .is_ok_and(|it| file.is_caught_up && (it.size, it.modified) == was),
        };
        if is_unchanged || file.packing != Some(None) || file.stream() != Some(number) {
            return;
        }
        let Some(open) = self.open_file(id) else { return };
        let Some(stream) = self.streams.get_mut(&number) else { return };
        if stream.file != Some(id) {
            return;
        }
        // While less than a head was read of it, the rest shows whether it is still the same text.
        let is_same = agrees(&open, &stream.read)
            && (stream.read.offset >= SAMPLE as u64 || load_first(stream, &open));
        if !is_same {
            self.restart(id, number);
        }
    }

    /// Removes what seems to be a copy of another new file.
    pub(super) fn set_copies_aside(&mut self, fresh: &mut Vec<FileId>) {
        let mut logs: HashMap<PathBuf, Vec<FileId>> = HashMap::new();
        for id in &*fresh {
            if let Some(file) = self.files.get(id) {
                logs.entry(file.name.stem.clone()).or_default().push(*id);
            }
        }
        for log in logs.into_values().filter(|log| log.len() > 1) {
            for (copy, original) in self.copies_among(&log) {
                self.set_aside_for(copy, original);
            }
        }
        fresh.retain(|id| !self.waits_for_original(*id));
    }

    /// Lets a file that goes on with a stream wait for another one that does, of which it may be a
    /// copy: what follows in both is read once. Returns whether there is one.
    pub(super) fn wait_for_longer(&mut self, id: FileId) -> bool {
        let Some(stem) = self.files.get(&id).map(|file| &file.name.stem) else { return false };
        let is_other = |it: &&FileId| {
            let file = self.files.get(*it).filter(|file| matches!(file.role, Role::Fresh));
            **it != id
                && file.is_some_and(|file| file.name.stem == *stem)
                && !self.waits_for_original(**it)
        };
        // All that were not decided yet are in one of these.
        let others = self.timed.union(&self.fresh).filter(is_other).take(MAX_COMPARED);
        let all: Vec<FileId> = others.chain([&id]).copied().collect();
        let original = self.copies_among(&all).into_iter().find(|(copy, _)| *copy == id);
        original.inspect(|(_, original)| self.set_aside_for(id, *original)).is_some()
    }

    fn set_aside_for(&mut self, copy: FileId, original: FileId) {
        if let Some(file) = self.files.get_mut(&original) {
            file.copies.insert(copy);
        }
        if let Some(file) = self.files.get_mut(&copy) {
            file.original = Some(original);
            self.timed.insert(copy);
        }
    }

    /// Copies, each with its original. Originals are later generations, so there are no cycles.
    fn copies_among(&mut self, log: &[FileId]) -> Vec<(FileId, FileId)> {
        let mut heads: Vec<(Vec<u8>, FileId)> = Vec::new();
        for id in log {
            let open = self.open_file(*id);
            let head = open.and_then(|open| self.head_of(*id, &open));
            // Empty space can be filled with anything.
            let head = head.filter(|head| head.iter().any(|&byte| byte != 0));
            heads.extend(head.map(|head| (head, *id)));
        }
        // Those that begin like a file come after it. Of equal ones, the older comes first.
        heads.sort_by(|a, b| a.0.cmp(&b.0));
        let mut found = Vec::new();
        for (at, (head, id)) in heads.iter().enumerate() {
            let longer = heads[at + 1..].iter().take_while(|(other, _)| other.starts_with(head));
            let before = heads[..at].iter().rev().take_while(|(other, _)| other == head);
            let original = longer.chain(before).take(MAX_COMPARED).find(|(begin, other)| {
                self.is_copy(*id, head.len(), (*other, begin.len() > head.len()))
            });
            found.extend(original.map(|(_, original)| (*id, *original)));
        }
        found
    }

    /// Whether a file seems to be a copy of another one, whose head begins with its own.
    fn is_copy(&self, id: FileId, head: usize, (other, is_longer): (FileId, bool)) -> bool {
        let (Some(file), Some(original)) = (self.files.get(&id), self.files.get(&other)) else {
            return false;
        };
        let is_fresh = |file: &Followed| matches!(file.role, Role::Fresh);
        // One without a name may follow any other, so of two that are equal it is the copy.
        if original.is_removed_copy() && !is_longer || !file.may_follow(&original.name) {
            return false;
        }
        if !is_fresh(file) || !is_fresh(original) {
            return false;
        }
        // Only reading a compressed file shows how long it is, and whether it is a copy.
        if head < SAMPLE || self.is_packed(id) || self.is_packed(other) {
            return true;
        }
        let (Some(file), Some(original)) = (&file.file, &original.file) else { return true };
        let Ok(size) = file.metadata().map(|found| found.len()) else { return true };
        let content = Content::of_file(file, size).ok().flatten();
        content.is_some() && Content::of_file(original, size).is_ok_and(|it| it == content)
    }
}
