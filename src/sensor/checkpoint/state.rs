//! The state, and the commits that add up to it.

use super::bytes::{AROUND, Member, members, put_member};
use crate::sensor::input::tail::{FileRecord, Key};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is safe of an alert file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its path.
    pub path: PathBuf,
    /// Which file that was.
    pub key: Key,
    /// How many of its bytes are committed.
    pub length: u64,
    /// Hash of the last 4 KiB of them, or of all if there are fewer.
    pub tail: u64,
    /// What may follow them.
    pub rest: Rest,
}

/// What may follow the committed bytes of an alert file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// Alerts that no commit contains. The next start cuts them, because they are written again.
    #[default]
    Own,
    /// Nothing of the process, which was done with the file: whatever follows is somebody else's.
    Foreign,
    /// Both: another program writes to the file, too, so nothing is cut.
    Mixed,
}

/// The changes of one commit. What it doesn't name stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Followed files, by their stream.
    pub files: Vec<FileRecord>,
    /// Streams that are no longer followed.
    pub forgotten: Vec<u64>,
    /// Alert files, by path.
    pub outputs: Vec<Output>,
    /// Suppression entries by key; `None` removes one.
    pub suppress: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Positions by name, such as those of sinks in the spool; `None` removes one.
    pub cursors: Vec<(String, Option<u64>)>,
    /// Anything else with a name, such as the journal's cursor or a folder of captures; `None`
    /// removes it.
    pub others: Vec<(String, Option<Vec<u8>>)>,
}

/// The sum of all commits, except for the suppression entries: there may be millions, and they are
/// in memory once already, where they are used. [`StateDir::entries`](super::StateDir::entries)
/// reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckpointState {
    /// Followed files, by their stream.
    pub files: BTreeMap<u64, FileRecord>,
    /// Alert files, by path.
    pub outputs: BTreeMap<PathBuf, Output>,
    /// Positions by name.
    pub cursors: BTreeMap<String, u64>,
    /// Anything else with a name.
    pub others: BTreeMap<String, Vec<u8>>,
}

impl Commit {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Commit::default()
    }

    /// Adds a later commit, to retry one that failed.
    pub fn add(&mut self, later: Commit) {
        let Commit { files, forgotten, outputs, suppress, cursors, others } = later;
        // Apply them in order: a stream that was forgotten first may be known again.
        self.files.retain(|file| !forgotten.contains(&file.position.stream));
        self.forgotten.retain(|id| !files.iter().any(|file| file.position.stream == *id));
        self.files.extend(files);
        self.forgotten.extend(forgotten);
        self.outputs.extend(outputs);
        self.suppress.extend(suppress);
        self.cursors.extend(cursors);
        self.others.extend(others);
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.files.iter().for_each(|file| put_member(&mut out, Member::File(file.clone())));
        self.forgotten.iter().for_each(|id| put_member(&mut out, Member::Forgotten(*id)));
        for output in &self.outputs {
            put_member(&mut out, Member::Output(output.clone()));
        }
        for (key, value) in &self.suppress {
            put_member(&mut out, Member::Suppress(key, value.as_deref()));
        }
        for (name, position) in &self.cursors {
            put_member(&mut out, Member::Cursor(name, *position));
        }
        for (name, value) in &self.others {
            put_member(&mut out, Member::Other(name, value.as_deref()));
        }
        out
    }

    /// Reads a commit; `None` if the bytes are not a complete one.
    pub fn parse(bytes: &[u8]) -> Option<Commit> {
        let mut commit = Commit::default();
        for member in members(bytes) {
            match member? {
                Member::File(file) => commit.files.push(file),
                Member::Forgotten(id) => commit.forgotten.push(id),
                Member::Output(output) => commit.outputs.push(output),
                Member::Suppress(key, value) => {
                    commit.suppress.push((key.to_vec(), value.map(<[u8]>::to_vec)));
                }
                Member::Cursor(name, position) => {
                    commit.cursors.push((name.to_string(), position));
                }
                Member::Other(name, value) => {
                    commit.others.push((name.to_string(), value.map(<[u8]>::to_vec)));
                }
            }
        }
        Some(commit)
    }
}

/// Sets or removes an entry.
fn set<V>(to: &mut BTreeMap<String, V>, name: &str, value: Option<V>) {
    match value {
        Some(value) => drop(to.insert(name.to_string(), value)),
        None => drop(to.remove(name)),
    }
}

impl CheckpointState {
    /// Applies a commit.
    pub fn apply(&mut self, commit: &Commit) {
        let Commit { files, forgotten, outputs, suppress: _, cursors, others } = commit;
        let files = files.iter().cloned().map(Member::File);
        let forgotten = forgotten.iter().copied().map(Member::Forgotten);
        let outputs = outputs.iter().cloned().map(Member::Output);
        let cursors = cursors.iter().map(|(name, at)| Member::Cursor(name, *at));
        let others = others.iter().map(|(name, it)| Member::Other(name, it.as_deref()));
        let all = files.chain(forgotten).chain(outputs).chain(cursors).chain(others);
        all.for_each(|member| self.take(member));
    }

    /// Applies a member of a commit.
    pub(super) fn take(&mut self, member: Member<'_>) {
        match member {
            Member::File(file) => drop(self.files.insert(file.position.stream, file)),
            Member::Forgotten(stream) => drop(self.files.remove(&stream)),
            Member::Output(output) => drop(self.outputs.insert(output.path.clone(), output)),
            Member::Suppress(..) => {}
            Member::Cursor(name, position) => set(&mut self.cursors, name, position),
            Member::Other(name, value) => set(&mut self.others, name, value.map(Vec::from)),
        }
    }

    /// Its approximate size in commits, exact except for the lengths of members.
    pub(super) fn size(&self) -> u64 {
        let mut files = Vec::new();
        self.files.values().cloned().for_each(|it| put_member(&mut files, Member::File(it)));
        let outputs = self.outputs.keys().map(|path| path.as_os_str().len() + 64);
        let cursors = self.cursors.keys().map(|name| name.len() + AROUND + 8);
        let others = self.others.iter().map(|(name, it)| name.len() + it.len() + AROUND);
        let rest: usize = outputs.chain(cursors).chain(others).sum();
        (files.len() + rest) as u64
    }

    /// Splits it into commits of about this many bytes each.
    pub(super) fn in_parts(&self, size: usize) -> Vec<Vec<u8>> {
        let files = self.files.values().cloned().map(Member::File);
        let outputs = self.outputs.values().cloned().map(Member::Output);
        let cursors = self.cursors.iter().map(|(name, it)| Member::Cursor(name, Some(*it)));
        let others = self.others.iter().map(|(name, it)| Member::Other(name, Some(it)));
        let (mut parts, mut part) = (Vec::new(), Vec::new());
        for member in files.chain(outputs).chain(cursors).chain(others) {
            put_member(&mut part, member);
            if part.len() >= size {
                parts.push(std::mem::take(&mut part));
            }
        }
        if !part.is_empty() {
            parts.push(part);
        }
        parts
    }
}
