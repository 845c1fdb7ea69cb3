//! Descriptors: files stay open while there is room, so that they can be read to their end whatever
//! happens to their names.

use super::follow::Tail;
use super::notice::Notice;
use super::state::{FileId, Followed};
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

impl Tail {
    /// The descriptor of a file; `None` if it is unavailable, which is then reported and handled.
    pub(super) fn open_file(&mut self, id: FileId) -> Option<Arc<File>> {
        self.uses += 1;
        let file = self.files.get_mut(&id)?;
        if let Some(open) = &file.file {
            self.used.remove(&file.used);
            file.used = self.uses;
            self.used.insert(file.used, id);
            return Some(Arc::clone(open));
        }
        if file.names.is_empty() {
            // It was closed for lack of room, and then removed.
            self.vanish(id);
            return None;
        }
        while self.used.len() >= self.options.max_descriptors && self.close_one() {}
        let opened = self.open_by_name(id);
        let open = match opened {
            Err(error) if is_full(&error) && !self.used.is_empty() => {
                self.make_room();
                self.open_by_name(id)
            }
            opened => opened,
        };
        match open {
            Ok(open) => self.keep_open(id, open),
            Err(error) => {
                self.refuse(id, error);
                None
            }
        }
    }

    fn open_by_name(&self, id: FileId) -> io::Result<File> {
        let file = self.files.get(&id).ok_or(io::ErrorKind::NotFound)?;
        // Opening a pipe that replaced a file would wait for a writer.
        File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(&file.path)
    }

    /// Keeps a descriptor, if it belongs to the right file.
    fn keep_open(&mut self, id: FileId, open: File) -> Option<Arc<File>> {
        let found = match self.keys.of(&open) {
            Ok(found) => found,
            Err(error) => {
                self.refuse(id, error);
                return None;
            }
        };
        let file = self.files.get_mut(&id)?;
        if !found.is_file || !file.found.key.is_same(&found.key) {
            // Another file has its name now, and perhaps its inode.
            let (path, is_taken) = (file.path.clone(), file.is_taken());
            if file.found.key.node() == found.key.node() {
                self.vanish(id);
            }
            self.look_at(&path, is_taken);
            return None;
        }
        file.found = found;
        if file.unreadable.take().is_some() {
            self.notices.push(Notice::Readable(file.path.clone()));
        }
        let open = Arc::new(open);
        (file.file, file.used) = (Some(Arc::clone(&open)), self.uses);
        self.used.insert(self.uses, id);
        Some(open)
    }

    /// A file can't be opened or read: it is retried in each round, and reported once.
    pub(super) fn refuse(&mut self, id: FileId, error: io::Error) {
        let Some(file) = self.files.get_mut(&id) else { return };
        let path = file.path.clone();
        if error.kind() == io::ErrorKind::NotFound {
            return self.lose_name(&path);
        }
        let kind = error.kind();
        if file.unreadable.replace(kind) != Some(kind) {
            self.notices.push(Notice::Unreadable { path, error });
        }
        self.timed.insert(id);
        self.wake_copies(id);
    }

    /// Closes the least recently used file of those that can be reopened, preferably one that was
    /// read to its end. Returns whether there was one.
    fn close_one(&mut self) -> bool {
        let may_close = |file: &Followed, is_idle: bool| {
            !file.names.is_empty()
                && file.unpacking.is_none()
                && file.probe.is_none()
                && (file.is_caught_up || !is_idle)
        };
        let find = |is_idle: bool| {
            let fits = |id: &&FileId| self.files.get(id).is_some_and(|it| may_close(it, is_idle));
            self.used.values().find(fits).copied()
        };
        let Some(id) = find(true).or_else(|| find(false)) else { return false };
        let Some(file) = self.files.get_mut(&id) else { return false };
        self.used.remove(&file.used);
        file.file = None;
        true
    }

    /// The system has no more descriptors: leave some for others.
    fn make_room(&mut self) {
        let max = (self.used.len() * 3 / 4).max(1);
        self.options.max_descriptors = self.options.max_descriptors.min(max);
        while self.used.len() >= max && self.close_one() {}
        self.notices.push(Notice::TooManyOpen(max));
    }

    /// Releases the resources of a file.
    pub(super) fn close(&mut self, file: &mut Followed) {
        if file.file.take().is_some() {
            self.used.remove(&file.used);
        }
        (file.unpacking, file.probe) = (None, None);
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}
