//! Tracks names: files that appear, are renamed, and lose their names.

use super::folders::{FolderEntry, FolderEvent};
use super::follow::Tail;
use super::key::Found;
use super::notice::Notice;
use super::rotation::{Age, Name};
use super::state::{FileId, Followed, Role};
use crate::sensor::input::display;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

impl Tail {
    pub(super) fn handle_folder_event(&mut self, event: FolderEvent) {
        match event {
            FolderEvent::Listing(folder, entries) => self.take_listing(&folder, &entries),
            FolderEvent::Name(path, is_taken) => self.look_at(&path, is_taken),
            FolderEvent::Written(path, is_closed) => {
                if let Some(id) = self.file_at(&path) {
                    self.touch(id, Some(is_closed));
                }
            }
            FolderEvent::Gone(path) => self.lose_name(&path),
            FolderEvent::FolderGone(folder) => {
                let names = self.names.get(&folder);
                let names: Vec<_> = names.into_iter().flatten().map(|(name, _)| name).collect();
                let paths: Vec<PathBuf> = names.into_iter().map(|it| folder.join(it)).collect();
                paths.iter().for_each(|path| self.lose_name(path));
            }
        }
    }

    /// Compares the contents of a folder with the previous ones. What exists is handled first, so
    /// that a renamed file never seems to be gone.
    fn take_listing(&mut self, folder: &Path, entries: &[FolderEntry]) {
        let timed = self.timed.iter().filter_map(|id| self.files.get(id));
        let inodes: HashSet<u64> = timed.map(|file| file.found.key.inode).collect();
        for entry in entries {
            let path = folder.join(&entry.name);
            if entry.is_taken {
                self.look_at(&path, true);
            } else if inodes.contains(&entry.inode) {
                // Renamed to a name that no pattern matches.
                self.look_at(&path, false);
            }
        }
        let Some(names) = self.names.get(folder) else { return };
        let here: HashSet<&OsStr> = entries.iter().map(|entry| &*entry.name).collect();
        let gone: Vec<PathBuf> = names
            .keys()
            .filter(|name| !here.contains(&***name))
            .map(|name| folder.join(name))
            .collect();
        gone.iter().for_each(|path| self.lose_name(path));
    }

    /// The file that a name led to when it was last checked.
    pub(super) fn file_at(&self, path: &Path) -> Option<FileId> {
        let (folder, name) = split(path);
        self.names.get(folder)?.get(name).copied()
    }

    /// Checks what a name leads to now.
    pub(super) fn look_at(&mut self, path: &Path, is_taken: bool) {
        let found = match Found::at(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.lose_name(path),
            // The folder can't be searched now, so the file may still exist.
            Err(_) => return,
        };
        let before = self.file_at(path);
        if !found.is_file {
            return self.lose_name(path);
        }
        if let Some(&id) = self.nodes.get(&found.key.node()) {
            let is_same = self.files.get(&id).is_some_and(|file| {
                // While it is open, its inode is not reused.
                file.file.is_some() || file.found.key.is_same(&found.key)
            });
            if is_same {
                if before != Some(id) {
                    if before.is_some() {
                        self.lose_name(path);
                    }
                    self.add_name(id, path, is_taken);
                }
                return self.update(id, found);
            }
            self.vanish(id);
        }
        if self.file_at(path).is_some() {
            self.lose_name(path);
        }
        if !is_taken {
            return;
        }
        match self.own(path, &found) {
            None => self.appear(path, found),
            Some(output) if self.own_reported.insert(output) => {
                self.notices.push(Notice::Own(path.to_path_buf()));
            }
            Some(_) => {}
        }
    }

    /// The output of this process that a file belongs to, whatever name leads to it.
    fn own(&self, path: &Path, found: &Found) -> Option<usize> {
        let own = &self.options.own;
        let is_it = |own: &OsString| {
            Found::at(Path::new(own)).is_ok_and(|own| own.key.node() == found.key.node())
        };
        let below = || {
            let real = std::fs::canonicalize(path).ok().filter(|_| !own.is_empty())?;
            let is_below = |own: &OsString| real.as_os_str().as_bytes().starts_with(own.as_bytes());
            own.iter().position(is_below)
        };
        own.iter().position(is_it).or_else(below)
    }

    fn appear(&mut self, path: &Path, found: Found) {
        let id = self.next_file;
        self.next_file += 1;
        let file = Followed::new(path, found, self.now);
        if file.is_link {
            self.timed.insert(id);
        }
        self.files.insert(id, file);
        self.nodes.insert(found.key.node(), id);
        let (folder, name) = split(path);
        self.names.entry(folder.to_path_buf()).or_default().insert(name.to_owned(), id);
        self.fresh.insert(id);
    }

    /// A file has an additional name: it was renamed, or linked.
    fn add_name(&mut self, id: FileId, path: &Path, is_taken: bool) {
        let (folder, name) = split(path);
        self.names.entry(folder.to_path_buf()).or_default().insert(name.to_owned(), id);
        let Some(file) = self.files.get_mut(&id) else { return };
        let had_none = file.names.is_empty();
        file.names.push((path.to_path_buf(), is_taken));
        file.is_link |= std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_symlink());
        if file.is_link {
            self.timed.insert(id);
        }
        if had_none {
            self.go_by_first_name(id);
        }
    }

    /// A name was removed, or leads to something else.
    pub(super) fn lose_name(&mut self, path: &Path) {
        let (folder, name) = split(path);
        let Some(names) = self.names.get_mut(folder) else { return };
        let Some(id) = names.remove(name) else { return };
        if names.is_empty() {
            self.names.remove(folder);
        }
        let Some(file) = self.files.get_mut(&id) else { return };
        file.names.retain(|(own, _)| own != path);
        if file.names.is_empty() {
            // The next notification may give it another name; a removal shows later.
            file.left.get_or_insert(self.now);
            self.timed.insert(id);
            self.make_ready(id);
        } else {
            self.go_by_first_name(id);
        }
    }

    /// Uses the first name that matches a pattern as the name of the file.
    fn go_by_first_name(&mut self, id: FileId) {
        let Some(file) = self.files.get(&id) else { return };
        let taken = file.names.iter().find(|(_, is_taken)| *is_taken);
        let Some((path, is_taken)) = taken.or(file.names.first()).cloned() else { return };
        let was_gone = file.left.is_some();
        if path == file.path && is_taken && !was_gone {
            return;
        }
        let was_ready = file.ready.is_some();
        self.unready(id);
        let Some(file) = self.files.get_mut(&id) else { return };
        let is_renamed = path != file.path;
        (file.name, file.shown) = (Name::of(&path), display(&path));
        file.path = path;
        let is_current = is_taken && file.name.age == Age::Current;
        file.left = (!is_current).then(|| file.left.unwrap_or(self.now));
        file.grown = if file.left.is_some() { self.now } else { file.grown };
        let stream = file.stream();
        if file.left.is_some() {
            self.timed.insert(id);
        }
        if was_ready {
            self.make_ready(id);
        }
        if is_renamed {
            self.counted.rotations.renamed += 1;
            stream.into_iter().for_each(|stream| self.rename_stream(stream, id));
        }
    }

    /// A stream has the name of its file.
    pub(super) fn rename_stream(&mut self, id: u64, file: FileId) {
        let (Some(stream), Some(file)) = (self.streams.get_mut(&id), self.files.get(&file)) else {
            return;
        };
        if stream.path == file.path {
            return;
        }
        if let Some(all) = self.by_stem.get_mut(&stream.name.stem) {
            all.remove(&id);
            if all.is_empty() {
                self.by_stem.remove(&stream.name.stem);
            }
        }
        (stream.path, stream.name) = (file.path.clone(), file.name.clone());
        self.by_stem.entry(stream.name.stem.clone()).or_default().insert(id);
        self.dirty.insert(id);
    }

    /// What the system reports about a file now.
    fn update(&mut self, id: FileId, found: Found) {
        let Some(file) = self.files.get_mut(&id) else { return };
        let is_resized = found.size != file.found.size;
        let is_changed = is_resized || found.modified != file.found.modified;
        let is_retried = file.unreadable.is_some() && matches!(file.role, Role::Fresh);
        file.found = Found { key: file.found.key, ..found };
        if is_retried {
            self.fresh.insert(id);
        }
        if is_changed {
            self.touch(id, is_resized.then_some(false));
        }
    }

    /// A file was changed, perhaps written to, or closed by its writer.
    pub(super) fn touch(&mut self, id: FileId, is_closed: Option<bool>) {
        let Some(file) = self.files.get_mut(&id) else { return };
        file.is_closed = is_closed.unwrap_or(file.is_closed);
        if is_closed != Some(true) {
            (file.grown, file.is_caught_up, file.is_cut_off) = (self.now, false, false);
            file.settlement = None;
        }
        match file.role {
            // Compressed files are examined when they are complete.
            Role::Fresh if matches!(file.packing, Some(Some(_))) && !file.is_closed => {
                file.probe = None;
                self.timed.insert(id);
            }
            Role::Fresh => {
                self.fresh.insert(id);
            }
            Role::Holds(_) => self.make_ready(id),
            Role::Foreign => {}
        }
    }

    /// The file no longer exists, and is not held open: its inode was reused, or its last name was
    /// removed.
    pub(super) fn vanish(&mut self, id: FileId) {
        self.unready(id);
        let Some(mut file) = self.files.remove(&id) else { return };
        for (path, _) in &file.names {
            let (folder, name) = split(path);
            if let Some(names) = self.names.get_mut(folder) {
                names.remove(name);
            }
        }
        if self.nodes.get(&file.found.key.node()) == Some(&id) {
            self.nodes.remove(&file.found.key.node());
        }
        self.close(&mut file);
        self.timed.remove(&id);
        self.fresh.remove(&id);
        self.fresh.extend(std::mem::take(&mut file.copies));
        self.awaited.values_mut().for_each(|all| all.retain(|(_, it)| *it != id));
        if let Some(stream) = file.stream().or(file.aside) {
            self.loosen(stream);
        }
    }

    /// No file contains the stream any more.
    pub(super) fn loosen(&mut self, id: u64) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.file = None;
        stream.loose = Some(self.now);
        stream.last_seen = self.wall;
        if let Some(key) = stream.key {
            self.by_node.entry(key.node()).or_default().push(id);
        }
        self.loose.insert(id);
        self.dirty.insert(id);
        self.wake_likenesses(id);
        self.wake_awaiting(id);
    }

    /// Examines files again that may be copies of a stream.
    pub(super) fn wake_likenesses(&mut self, stream: u64) {
        self.fresh.extend(self.likenesses.remove(&stream).unwrap_or_default());
    }
}

/// Folder and name of a path; the folder is written as in the pattern's root.
fn split(path: &Path) -> (&Path, &OsStr) {
    (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default())
}
