//! Decides what a new file contains: a known stream, or a new one.
//!
//! First, keys decide, if the content is unchanged. Then kinship: a file continues a known
//! generation if its name may be that of a copy or a compressed form, and its content before the
//! offset that was read is the same. While the original has unread bytes, the new file waits: those
//! are read where they were written.

use super::content::{Content, SAMPLE, Seen};
use super::cut::Lines;
use super::follow::{Tail, random_id};
use super::notice::Notice;
use super::options::Start;
use super::plain::read_full_at;
use super::position::{Position, Within};
use super::read::load_first;
use super::state::{FileId, Followed, Probe, Role, Settlement, Stream};
use super::unpacking::{Unpacking, packing_of};
use crate::sensor::input::{Contents, Packing, Wide, capture};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

/// A file that replaces one that is still open counts as a rewrite of it if at least this many
/// bytes are equal. With fewer, two short files may begin alike by chance.
const MIN_REWRITTEN: u64 = 1 << 10;
/// How much of a compressed file is decompressed in a turn that returns nothing.
const PROBE_TURN: usize = 4 << 20;

impl Tail {
    /// Examines all new files: all of them by key first.
    pub(super) fn resolve(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        self.check_siblings();
        let mut fresh: Vec<FileId> = std::mem::take(&mut self.fresh).into_iter().collect();
        // Those without a name come last: what another file goes on with need not be held by one that
        // is about to go.
        fresh.sort_by_cached_key(|id| {
            self.files
                .get(id)
                .map(|file| (file.names.is_empty(), file.name.age.clone(), file.found.modified))
        });
        fresh.retain(|id| !self.waits_for_original(*id) && self.look_into(*id));
        // Compressed files may be forms of uncompressed ones that are new as well.
        fresh.sort_by_key(|id| self.is_packed(*id));
        self.set_copies_aside(&mut fresh);
        for id in fresh {
            self.find_kin(id);
        }
    }

    /// Checks whether it is text, and known by its key; returns whether to look for kin.
    fn look_into(&mut self, id: FileId) -> bool {
        if !self.files.get(&id).is_some_and(|file| matches!(file.role, Role::Fresh)) {
            return false;
        }
        let Some(open) = self.open_file(id) else { return false };
        let mut head = vec![0; SAMPLE];
        match read_full_at(&open, &mut head, 0) {
            Ok(filled) => head.truncate(filled),
            Err(error) => {
                self.refuse(id, error);
                return false;
            }
        }
        let (wait, now) = (self.options.rotate_wait, self.now);
        let Some(file) = self.files.get_mut(&id) else { return false };
        let is_settled = file.is_quiet(now, wait);
        if !head.is_empty() {
            file.packing = packing_of(&head).or(is_settled.then_some(None));
        }
        let is_plain = file.packing == Some(None);
        if let Some(what) = foreign(&head).filter(|_| is_plain) {
            file.role = Role::Foreign;
            self.notices.push(Notice::NotText { path: file.path.clone(), what });
            return false;
        }
        if self.find_by_key(id, &open, head.clone()) {
            return false;
        }
        let Some(file) = self.files.get(&id) else { return false };
        if head.is_empty() && self.is_first_start && self.options.from == Start::End {
            self.begin(id);
            return false;
        }
        if !head.is_empty() && file.packing.is_none() {
            self.timed.insert(id);
        }
        file.packing.is_some()
    }

    /// Resumes the stream that was in this very file, if its content is still there.
    fn find_by_key(&mut self, id: FileId, open: &Arc<File>, head: Vec<u8>) -> bool {
        let Some(file) = self.files.get(&id) else { return false };
        let (key, packing, size) = (file.found.key, file.packing, file.found.size);
        let known = self.by_node.get(&key.node()).cloned().unwrap_or_default();
        for stream_id in known {
            let Some(stream) = self.streams.get(&stream_id) else { continue };
            if !stream.key.is_some_and(|own| own.is_same(&key)) {
                continue;
            }
            let (seen, is_unread) = (stream.seen, stream.read.offset == 0);
            let is_same = match packing {
                // What was read of it is verified when it is read again.
                Some(Some(_)) => !is_unread || self.is_seen(id, open, seen),
                Some(None) => agrees(open, &stream.read) && seen.is_none_or(|it| it.is_in(&head)),
                // An empty file shows what it is when it grows.
                None if size > 0 || is_unread && seen.is_none() => continue,
                None => false,
            };
            if !is_same {
                self.overwritten(stream_id);
                continue;
            }
            if let Some(stream) = self.streams.get_mut(&stream_id)
                && packing == Some(None)
            {
                stream.set_head(head);
            }
            self.hold(id, stream_id);
            return true;
        }
        false
    }

    /// Whether a compressed file begins with what an earlier run saw of it.
    fn is_seen(&mut self, id: FileId, open: &Arc<File>, seen: Option<Seen>) -> bool {
        let Some(seen) = seen else { return true };
        self.head_of(id, open).is_none_or(|head| seen.is_in(&head))
    }

    /// The file of a loose stream has other contents now.
    fn overwritten(&mut self, id: u64) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if let Some(key) = stream.key.take() {
            self.unlist(id, key.node());
        }
        self.counted.rotations.truncated += 1;
        self.dirty.insert(id);
    }

    pub(super) fn unlist(&mut self, id: u64, node: (u64, u64)) {
        if let Some(all) = self.by_node.get_mut(&node) {
            all.retain(|other| *other != id);
            if all.is_empty() {
                self.by_node.remove(&node);
            }
        }
    }

    /// A file continues a loose stream.
    pub(super) fn hold(&mut self, id: FileId, stream_id: u64) {
        match self.files.get_mut(&id) {
            Some(file) if file.aside == Some(stream_id) => file.aside = None,
            _ => self.drop_aside(id),
        }
        let Some(stream) = self.streams.get_mut(&stream_id) else { return };
        let old = stream.key;
        self.loose.remove(&stream_id);
        if let Some(key) = old {
            self.unlist(stream_id, key.node());
        }
        let (Some(stream), Some(file)) =
            (self.streams.get_mut(&stream_id), self.files.get_mut(&id))
        else {
            return;
        };
        if old.is_none_or(|old| !old.is_same(&file.found.key)) {
            stream.is_done = false;
            // What was not read may be different here.
            stream.head.truncate(usize::try_from(stream.read.offset).unwrap_or(SAMPLE));
        }
        (stream.is_lost, stream.is_saved, stream.seen) = (false, false, None);
        (stream.file, stream.loose) = (Some(id), None);
        stream.key = Some(file.found.key);
        stream.is_packed = matches!(file.packing, Some(Some(_)));
        file.role = Role::Holds(stream_id);
        file.resembles.clear();
        file.is_caught_up = false;
        if file.name.age != super::rotation::Age::Current {
            file.left.get_or_insert(self.now);
            self.timed.insert(id);
        }
        self.rename_stream(stream_id, id);
        self.dirty.insert(stream_id);
        self.make_ready(id);
        self.wake_copies(id);
    }

    /// Looks for a stream that the file continues.
    fn find_kin(&mut self, id: FileId) {
        let Some(open) = self.open_file(id) else { return };
        let Some(head) = self.head_of(id, &open) else { return };
        self.load_packed_heads(id);
        let Some(file) = self.files.get(&id) else { return };
        let packing = file.packing;
        let all = self.by_stem.get(&file.name.stem).into_iter().flatten();
        let kin: Vec<u64> = all
            .filter(|other| file.aside != Some(**other) && self.may_continue(file, **other))
            .filter(|other| self.is_alike(file, &head, **other))
            .copied()
            .collect();
        if kin.is_empty() {
            self.begin(id);
            return self.note_head(id, &head);
        }
        if packing == Some(None) && self.settle_read(id, &open, &kin) {
            return;
        }
        let busy: Vec<u64> = kin.iter().copied().filter(|other| self.is_busy(*other)).collect();
        if !busy.is_empty() {
            for other in busy {
                self.wait_for_stream(id, other);
            }
            // So do its own copies.
            return self.wake_copies(id);
        }
        match packing {
            Some(Some(packing)) => self.begin_probe(id, &open, packing, &kin),
            _ => self.compare_plain(id, &open, &kin),
        }
    }

    /// Lets a file wait until another one is read, which it seems to be a copy of.
    fn wait_for_stream(&mut self, id: FileId, other: u64) {
        self.likenesses.entry(other).or_default().insert(id);
        if let Some(file) = self.files.get_mut(&id) {
            file.resembles.insert(other);
        }
        self.timed.insert(id);
    }

    /// Stores the first bytes of a compressed file with its stream, so that copies are recognised
    /// before it is read.
    fn note_head(&mut self, id: FileId, head: &[u8]) {
        let stream = self.files.get(&id).and_then(Followed::stream);
        if let Some(stream) = stream.and_then(|it| self.streams.get_mut(&it))
            && stream.is_packed
            && stream.head.is_empty()
        {
            stream.head = head.to_vec();
        }
    }

    /// The first bytes of the file's contents; `None` if more have to arrive.
    pub(super) fn head_of(&mut self, id: FileId, open: &Arc<File>) -> Option<Vec<u8>> {
        let packing = self.files.get(&id)?.packing?;
        let read = match packing {
            None => {
                let mut head = vec![0; SAMPLE];
                read_full_at(open, &mut head, 0).map(|filled| {
                    head.truncate(filled);
                    head
                })
            }
            Some(packing) => Unpacking::new(open, packing).and_then(|mut unpacking| {
                match unpacking.fill(SAMPLE) {
                    Err(error) if !self.is_settled(id) => Err(error),
                    // Damaged: the part before the damage counts.
                    _ => Ok(unpacking.head().to_vec()),
                }
            }),
        };
        match read {
            Ok(head) => Some(head),
            Err(error) if packing.is_none() => {
                self.refuse(id, error);
                None
            }
            Err(_) => {
                self.wait_for_rest(id);
                None
            }
        }
    }

    /// A compressed file is incomplete: it may still be being written.
    pub(super) fn wait_for_rest(&mut self, id: FileId) {
        if let Some(file) = self.files.get_mut(&id) {
            file.is_cut_off = true;
            self.timed.insert(id);
        }
    }

    /// Whether the file is no longer written to, as far as can be seen.
    pub(super) fn is_settled(&self, id: FileId) -> bool {
        let wait = self.options.rotate_wait;
        self.files.get(&id).is_some_and(|file| file.is_quiet(self.now, wait))
    }

    /// Whether a file can continue a stream, going by its name and what is known of the stream.
    fn may_continue(&self, file: &Followed, other: u64) -> bool {
        let Some(stream) = self.streams.get(&other) else { return false };
        // What it was like under another name, it still is.
        let former = stream.former.as_ref().filter(|(_, until)| self.now < *until);
        let follows = file.may_follow(&stream.name)
            || former.is_some_and(|(name, _)| file.may_follow(name))
            || file.resembles.contains(&other);
        match stream.file.and_then(|holder| self.files.get(&holder)) {
            // It is that of a copy, which is compared itself.
            Some(holder) if holder.aside == Some(other) => false,
            Some(holder) => {
                let is_replaced = holder.names.is_empty() && holder.name == file.name;
                follows || is_replaced && stream.read.offset >= MIN_REWRITTEN
            }
            None => {
                let is_enough = stream.is_saved && stream.copy_of.is_none()
                    || stream.read.offset >= MIN_REWRITTEN;
                stream.read.offset > 0 && (follows || is_enough)
            }
        }
    }

    /// Whether the heads are equal, as far as both extend.
    fn is_alike(&self, file: &Followed, head: &[u8], other: u64) -> bool {
        let Some(stream) = self.streams.get(&other) else { return false };
        let shared = head.len().min(stream.head.len());
        if shared > 0 {
            return head[..shared] == stream.head[..shared];
        }
        if stream.read.offset == 0 {
            return false;
        }
        let known = usize::try_from(stream.read.offset).unwrap_or(SAMPLE).min(SAMPLE);
        match head.get(..known) {
            Some(head) => xxh3_64(head) == stream.read.content.head,
            None => file.resembles.contains(&other),
        }
    }

    /// Whether a stream's file has unread bytes: those are read there.
    fn is_busy(&mut self, other: u64) -> bool {
        let Some(stream) = self.streams.get(&other) else { return false };
        let Some(holder) = stream.file else { return false };
        let Some(file) = self.files.get(&holder) else { return false };
        let (Some(open), Some(None)) = (&file.file, file.packing) else {
            return !file.is_caught_up;
        };
        let size = open.metadata().map_or(file.found.size, |found| found.len());
        let is_other = !agrees(open, &stream.read);
        // An incomplete line is read there as well.
        let is_busy = is_other || size != stream.read.offset;
        if is_other || size != file.found.size {
            self.make_ready(holder);
        }
        is_busy
    }

    /// Compares a plain file with streams.
    fn compare_plain(&mut self, id: FileId, open: &File, kin: &[u64]) {
        let size = open.metadata().map_or(0, |found| found.len());
        let offset = |id: &u64| self.streams.get(id).map_or(0, |stream| stream.read.offset);
        let mut kin = kin.to_vec();
        kin.sort_by_key(|id| std::cmp::Reverse(offset(id)));
        let agreed = kin
            .iter()
            .copied()
            .filter(|other| offset(other) == size || !self.is_short_copy(*other))
            .find(|other| self.streams.get(other).is_some_and(|stream| agrees(open, &stream.read)));
        let is_all = agreed.as_ref().is_some_and(|other| offset(other) == size);
        // All of it may have been read in a stream that goes further than those it agrees with.
        let content = Content::of_file(open, size).ok().flatten().filter(|_| !is_all);
        let original = content.and_then(|content| {
            let original = kin.into_iter().find(|other| self.is_part(id, size, content, *other));
            Some((original?, content))
        });
        match (original, agreed) {
            (Some((original, content)), _) => {
                self.settle_plain(id, open, (size, content), original);
            }
            (None, Some(other)) => self.go_on(id, other, is_all),
            (None, None) => self.begin(id),
        }
    }

    /// Whether a stream is that of a copy that was so short that another text may begin alike.
    fn is_short_copy(&self, other: u64) -> bool {
        let stream = self.streams.get(&other).filter(|it| it.copy_of.is_some());
        stream.is_some_and(|it| it.read.offset < MIN_REWRITTEN)
    }

    /// Whether a file is a copy of a stream that was read at least as far in its original.
    pub(super) fn is_part(&mut self, id: FileId, size: u64, content: Content, other: u64) -> bool {
        let Some(stream) = self.streams.get(&other).filter(|it| it.read.offset >= size) else {
            return false;
        };
        // Their heads are equal, as far as both extend.
        let is_in_head = size <= stream.head.len() as u64;
        let is_like = self.files.get(&id).is_some_and(|file| file.resembles.contains(&other));
        let Some(holder) = stream.file.filter(|_| !is_in_head) else {
            return is_in_head || is_like;
        };
        let Some(open) = self.open_file(holder) else { return is_like };
        match self.files.get(&holder).and_then(|file| file.packing).flatten() {
            None => Content::of_file(&open, size).is_ok_and(|it| it == Some(content)),
            Some(packing) => {
                content_of_packed(&open, packing, size).map_or(is_like, |it| it == Some(content))
            }
        }
    }

    /// The file continues a stream: it takes over a loose one; if another file still holds it, a
    /// new stream begins at the same position. `is_all`: whether the file ends there.
    fn go_on(&mut self, id: FileId, other: u64, is_all: bool) {
        if !is_all && self.wait_for_longer(id) {
            return;
        }
        let Some(stream) = self.streams.get(&other) else { return };
        if stream.file.is_none() {
            match self.is_packed(id) {
                true => self.counted.rotations.packed += 1,
                false => self.counted.rotations.copied += 1,
            }
            let until = self.now + self.options.rotate_wait;
            if let Some(stream) = self.streams.get_mut(&other) {
                stream.former = Some((stream.name.clone(), until));
            }
            return self.hold(id, other);
        }
        let (position, wide) = (stream.read.clone(), stream.wide);
        if !is_all && self.is_busy(other) {
            return self.wait_for_stream(id, other);
        }
        let copy_of = is_all.then_some(other);
        self.settle(id, other, Settlement { position, wide, copy_of, is_done: false });
    }

    pub(super) fn begin_at(&mut self, id: FileId, position: Position, is_done: bool) {
        let Some(file) = self.files.get(&id) else { return };
        let mut stream = Stream::new(position.stream, file, self.wall);
        let number = position.stream;
        (stream.read, stream.safe) = (position.clone(), position);
        stream.is_done = is_done;
        stream.loose = Some(self.now);
        self.put_stream(number, stream);
        self.hold(id, number);
        let Some(file) = self.files.get(&id) else { return };
        if let Some(stream) = self.streams.get_mut(&number) {
            stream.is_done = is_done;
            if let (Some(open), Some(None)) = (&file.file, file.packing) {
                load_first(stream, open);
            }
        }
    }

    /// A new stream.
    fn begin(&mut self, id: FileId) {
        if self.keep_aside(id) {
            return;
        }
        let Some(file) = self.files.get(&id) else { return };
        let is_packed = matches!(file.packing, Some(Some(_)));
        let age = Duration::from_nanos(
            u64::try_from(self.wall.saturating_mul(1000).saturating_sub(file.found.modified))
                .unwrap_or(0),
        );
        let is_old = self.options.ignore_older.is_some_and(|max| age > max);
        let at_end = self.is_first_start && self.options.from == Start::End || is_old;
        let (mut position, mut wide) = (Position::start(random_id()), None);
        if at_end && !is_packed {
            (position, wide) = self.end_of(id, position);
        }
        let number = position.stream;
        self.begin_at(id, position, at_end && is_packed);
        if let Some(stream) = self.streams.get_mut(&number) {
            stream.is_ignored = at_end && (is_old || is_packed);
            stream.wide = wide;
        }
    }

    /// The beginning of the last line of a file if it is incomplete, otherwise its end.
    fn end_of(&mut self, id: FileId, start: Position) -> (Position, Option<Wide>) {
        let Some(open) = self.open_file(id) else { return (start, None) };
        let size = open.metadata().map_or(0, |found| found.len());
        let mut head = [0; 64];
        let filled = read_full_at(&open, &mut head, 0).unwrap_or(0);
        let wide = Wide::of(&head[..filled]).filter(|(_, mark)| *mark > 0).map(|(wide, _)| wide);
        let (offset, line) = if wide.is_some() {
            (Lines(wide).whole_units(usize::try_from(size).unwrap_or(0)) as u64, None)
        } else {
            let size = data_end(&open, size);
            let offset = line_start(&open, size).unwrap_or(size);
            (offset, self.count_lines(&open, offset))
        };
        let Ok(Some(content)) = Content::of_file(&open, offset) else { return (start, None) };
        (Position { offset, line, content, ..start }, wide)
    }

    /// The number of the line at an offset, unless that requires reading too much.
    pub(super) fn count_lines(&mut self, open: &File, offset: u64) -> Option<u64> {
        self.may_count = self.may_count.checked_sub(offset)?;
        let mut block = vec![0; 256 << 10];
        let (mut at, mut lines) = (0, 1);
        while at < offset {
            let want = usize::try_from(offset - at).unwrap_or(block.len()).min(block.len());
            let filled = read_full_at(open, &mut block[..want], at).ok().filter(|it| *it > 0)?;
            lines += Lines(None).count(&block[..filled]);
            at += filled as u64;
        }
        Some(lines)
    }

    /// Starts comparing a compressed file with streams.
    fn begin_probe(&mut self, id: FileId, open: &Arc<File>, packing: Packing, kin: &[u64]) {
        let streams = kin.iter().filter_map(|id| Some((self.streams.get(id)?.read.offset, *id)));
        let mut wanted: Vec<(u64, u64)> = streams.collect();
        wanted.sort_unstable();
        let unpacking = match Unpacking::new(open, packing) {
            Ok(unpacking) => unpacking,
            Err(error) => return self.refuse(id, error),
        };
        let probe = Probe { unpacking, wanted, reached: 0, agreed: Vec::new() };
        if let Some(file) = self.files.get_mut(&id) {
            file.probe = Some(Box::new(probe));
        }
        self.timed.insert(id);
        self.make_ready(id);
    }

    /// Runs a turn of comparing.
    pub(super) fn advance_probe(&mut self, id: FileId) {
        let Some(file) = self.files.get_mut(&id) else { return };
        let Some(mut probe) = file.probe.take() else {
            self.fresh.insert(id);
            return;
        };
        while let Some(&(offset, other)) = probe.wanted.get(probe.reached) {
            match probe.unpacking.skip_to(offset, PROBE_TURN) {
                Ok(false) => {
                    if let Some(file) = self.files.get_mut(&id) {
                        file.probe = Some(probe);
                    }
                    return self.make_ready(id);
                }
                Ok(true) if probe.unpacking.offset() == offset => {
                    let content = probe.unpacking.content();
                    let stream = self.streams.get(&other);
                    if stream
                        .is_some_and(|it| (it.read.offset, it.read.content) == (offset, content))
                    {
                        probe.agreed.push(other);
                    }
                    probe.reached += 1;
                }
                Ok(true) => break,
                Err(_) if !self.is_settled(id) => return self.wait_for_rest(id),
                Err(_) => break,
            }
        }
        self.conclude(id, &mut probe);
        self.note_head(id, probe.unpacking.head());
    }

    /// Everything available was compared.
    fn conclude(&mut self, id: FileId, probe: &mut Probe) {
        let is_outdated = |(offset, other): &(u64, u64)| {
            self.streams.get(other).is_none_or(|it| it.read.offset != *offset)
        };
        if probe.wanted.iter().any(is_outdated) {
            // They were read further meanwhile: what was compared says nothing.
            self.fresh.insert(id);
            return;
        }
        let longer = probe.wanted.get(probe.reached..).unwrap_or_default();
        if longer.is_empty() {
            // Whether anything follows what was compared.
            let _ = probe.unpacking.fill(1);
        }
        let (size, content) = (probe.unpacking.at(), probe.unpacking.content());
        let is_end = |other: &u64| {
            probe.unpacking.is_over()
                && self.streams.get(other).is_some_and(|it| it.read.offset == size)
        };
        let agreed = probe.agreed.iter().rev();
        let agreed = agreed.copied().find(|it| is_end(it) || !self.is_short_copy(*it));
        let is_all = agreed.as_ref().is_some_and(is_end);
        // Its head is that of the stream, so this also applies to a damaged one.
        let is_damaged = !probe.unpacking.is_over() && agreed.is_none();
        let original = longer
            .iter()
            .find(|(_, other)| is_damaged || self.is_part(id, size, content, *other))
            .filter(|_| size > 0 && !is_all);
        let Some(&(_, original)) = original else {
            return match agreed {
                Some(other) => self.go_on(id, other, is_all),
                None => self.begin(id),
            };
        };
        let last = probe.unpacking.window().0.last().copied();
        let position = Position { line: None, ..settled_at(size, content, last) };
        let copy_of = Some(original);
        self.settle(id, original, Settlement { position, wide: None, copy_of, is_done: true });
    }
}

/// Whether a plain file contains a given content before a position.
pub(super) fn agrees(open: &File, position: &Position) -> bool {
    Content::of_file(open, position.offset).is_ok_and(|it| it == Some(position.content))
}

/// What a compressed file contains before an offset; `None` if it is shorter.
fn content_of_packed(
    open: &Arc<File>,
    packing: Packing,
    offset: u64,
) -> io::Result<Option<Content>> {
    let mut unpacking = Unpacking::new(open, packing)?;
    unpacking.skip_to(offset, usize::MAX)?;
    Ok((unpacking.offset() == offset).then(|| unpacking.content()))
}

/// The end of a file whose bytes were read elsewhere.
pub(super) fn settled_at(offset: u64, content: Content, last: Option<u8>) -> Position {
    let within = if last == Some(b'\n') { Within::Start } else { Within::Flushed };
    Position { offset, within, content, ..Position::start(0) }
}

pub(super) fn read_last(open: &File, size: u64) -> Option<u8> {
    let mut last = [0];
    let read = read_full_at(open, &mut last, size.checked_sub(1)?).ok()?;
    (read == 1).then_some(last[0])
}

/// The end of the written part of a file: preallocated space, only NULs, may follow.
fn data_end(open: &File, size: u64) -> u64 {
    let mut block = vec![0; 64 << 10];
    let mut end = size;
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let len = usize::try_from(end - start).unwrap_or(block.len()).min(block.len());
        let Ok(filled) = read_full_at(open, &mut block[..len], start) else { return size };
        if let Some(found) = block[..filled].iter().rposition(|&byte| byte != 0) {
            return start + found as u64 + 1;
        }
        end = start;
    }
    0
}

/// The beginning of the line at an offset.
pub(super) fn line_start(open: &File, offset: u64) -> Option<u64> {
    let mut block = vec![0; 64 << 10];
    let mut end = offset;
    // No further back than the maximum length of a line.
    while end > 0 && offset - end <= super::cut::MAX_LINE as u64 {
        let start = end.saturating_sub(block.len() as u64);
        let len = usize::try_from(end - start).ok()?;
        let filled = read_full_at(open, &mut block[..len], start).ok()?;
        if let Some(found) = memchr::memrchr(b'\n', &block[..filled]) {
            return Some(start + found as u64 + 1);
        }
        end = start;
    }
    (end == 0).then_some(0)
}

/// The type of a file that is not text.
fn foreign(head: &[u8]) -> Option<&'static str> {
    if capture::is_capture(head) {
        return Some("a capture");
    }
    match Contents::of(head) {
        Contents::Zip => Some("a zip archive"),
        Contents::Tar => Some("a tar archive"),
        Contents::Events => Some("Windows events"),
        Contents::Closed(name) => Some(name),
        _ => None,
    }
}

/// Whether a decoder's error may be due to an incomplete file.
pub(super) fn may_be_unfinished(error: &io::Error) -> bool {
    error.raw_os_error().is_none()
}
