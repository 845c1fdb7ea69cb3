//! The work of a polling round: files without notifications, and waits that are over.

use super::cut::Unfinished;
use super::follow::Tail;
use super::key::Found;
use super::notice::Reason;
use super::state::{FileId, Role};
use std::time::Duration;

/// How long a stream without a file is remembered, because a compressed form may still appear.
const REMEMBERED: Duration = Duration::from_secs(3600);

impl Tail {
    pub(super) fn round(&mut self) {
        let timed: Vec<FileId> = self.timed.iter().copied().collect();
        for id in timed {
            self.look_unasked(id);
            self.wait_for(id);
        }
        let loose: Vec<u64> = self.loose.iter().copied().collect();
        loose.into_iter().for_each(|stream| self.remember(stream));
    }

    /// Checks a file without notifications.
    fn look_unasked(&mut self, id: FileId) {
        let Some(file) = self.files.get(&id) else { return };
        if file.is_link && !file.names.is_empty() {
            let names = file.names.clone();
            names.iter().for_each(|(path, is_taken)| self.look_at(path, *is_taken));
            return;
        }
        if file.unreadable.is_some() && !file.names.is_empty() {
            match file.role {
                Role::Fresh => {
                    self.fresh.insert(id);
                }
                _ => self.make_ready(id),
            }
            return;
        }
        let Some(open) = &file.file else { return };
        if !file.names.is_empty() && file.nuls == 0 {
            return;
        }
        let Ok(found) = Found::of_open(&**open) else { return };
        let was = (file.found.size, file.found.modified);
        if was != (found.size, found.modified) {
            self.touch(id, Some(false));
        } else if file.nuls > 0 {
            // If time stamps are coarse, filling in space does not change them.
            self.make_ready(id);
        }
    }

    /// Ends waits that are over, and stops checking the file if there are none.
    fn wait_for(&mut self, id: FileId) {
        let (now, wait) = (self.now, self.options.rotate_wait);
        let is_awaiting = self.is_awaiting(id);
        let has_likeness = self.files.get(&id).is_some_and(|file| {
            file.resembles
                .iter()
                .any(|it| self.likenesses.get(it).is_some_and(|all| all.contains(&id)))
        }) || self.waits_for_original(id)
            || is_awaiting;
        let Some(file) = self.files.get_mut(&id) else {
            self.timed.remove(&id);
            return;
        };
        let is_settled = file.is_quiet(now, wait);
        let is_whole = file.is_closed || file.is_quiet(now, self.options.poll * 2);
        match file.role {
            _ if file.is_cut_off && !is_settled => {}
            // The file that it resembles wakes it.
            Role::Fresh if has_likeness || file.found.size == 0 => {
                if file.names.is_empty() && is_settled && !is_awaiting {
                    return self.vanish(id);
                }
            }
            Role::Fresh if is_settled || is_whole && file.packing.is_some() => {
                if file.probe.is_none() {
                    self.fresh.insert(id);
                }
            }
            Role::Holds(_) if !file.is_caught_up => {
                if is_whole || file.left.is_some() {
                    self.make_ready(id);
                }
            }
            Role::Holds(stream) => self.finish(id, stream),
            Role::Fresh | Role::Foreign => {}
        }
        let Some(file) = self.files.get(&id) else { return };
        let is_waiting = matches!(file.role, Role::Fresh)
            || file.is_link
            || file.names.is_empty()
            || file.unreadable.is_some()
            || file.nuls > 0
            || !file.is_caught_up
            || file.is_partial
            || file.left.is_some() && !file.is_quiet(now, wait)
            || !file.is_taken();
        if !is_waiting {
            self.timed.remove(&id);
        }
    }

    /// A file was read as far as possible, and may be complete.
    fn finish(&mut self, id: FileId, stream: u64) {
        let (now, wait) = (self.now, self.options.rotate_wait);
        let Some(file) = self.files.get_mut(&id) else { return };
        let is_over = file.left.is_some_and(|left| now.saturating_sub(left) >= wait)
            && file.is_quiet(now, wait);
        let is_idle = self.options.idle_flush.is_some_and(|max| file.is_quiet(now, max));
        if file.is_partial && (is_over || is_idle) {
            file.unfinished = if is_over { Unfinished::IsLast } else { Unfinished::IsFlushed };
            return self.make_ready(id);
        }
        let is_ours = file.is_taken();
        let is_safe = self.streams.get(&stream).is_none_or(|it| it.safe.offset == it.read.offset);
        if is_over && !is_ours && is_safe && file.ready.is_none() {
            if file.names.is_empty() {
                self.counted.rotations.removed += 1;
            }
            self.vanish(id);
        }
    }

    /// A stream that no file contains: how much of it is lost, and how long it is kept.
    fn remember(&mut self, id: u64) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let since = self.now.saturating_sub(stream.loose.unwrap_or(self.now));
        if since >= self.options.rotate_wait && !stream.is_lost {
            stream.is_lost = true;
            let unread = stream.size.saturating_sub(stream.read.offset);
            let reason = if stream.key.is_none() { Reason::Truncated } else { Reason::Removed };
            if unread > 0 && !stream.is_packed {
                let path = stream.path.clone();
                self.count_lost(reason, unread, path);
            }
        }
        let Some(stream) = self.streams.get(&id) else { return };
        if since < REMEMBERED || stream.safe.offset < stream.read.offset {
            return;
        }
        self.forget(id);
    }

    /// Removes a stream that nothing continues.
    pub(super) fn forget(&mut self, id: u64) {
        let Some(stream) = self.streams.remove(&id) else { return };
        let (key, stem) = (stream.key, stream.name.stem);
        self.loose.remove(&id);
        self.dirty.remove(&id);
        self.forgotten.insert(id);
        if let Some(all) = self.by_stem.get_mut(&stem) {
            all.remove(&id);
            if all.is_empty() {
                self.by_stem.remove(&stem);
            }
        }
        if let Some(key) = key {
            self.unlist(id, key.node());
        }
    }
}
