//! Log files, as a source that knows which parts of a commit are its own.

use super::watch::{TailFacts, TailWatch, Watch};
use crate::Result;
use crate::sensor::checkpoint::{CheckpointState, Commit};
use crate::sensor::config::{FilesInput, From, Watch as WatchFolders};
use crate::sensor::halt::Halt;
use crate::sensor::input::tail::{self, FileRecord, Notice, Start, Tail, TailOptions};
use crate::sensor::run::live::logs::FollowedLogs;
use crate::sensor::run::live::source::{Source, Taken};
use hashbrown::HashSet;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

/// The prefix of stream names in commits; their values are the names of inputs.
const OWNER: &str = "stream/";

/// The prefix of the names of offsets in Kafka: `kafka/INPUT/TOPIC/PARTITION`.
pub(super) const KAFKA: &str = "kafka/";

/// Log files.
pub(super) struct Files {
    followed: FollowedLogs,
    name: Arc<str>,
    /// The streams that commits attribute to this input.
    owned: HashSet<u64>,
    watch: TailWatch,
}

impl Files {
    /// # Errors
    ///
    /// If a pattern is invalid.
    pub(super) fn open(
        of: &FilesInput,
        own: &[OsString],
        watch: Watch,
        state: &CheckpointState,
        is_once: bool,
    ) -> Result<Self> {
        let name = Arc::clone(watch.name());
        let saved = records(&name, state);
        let owned = saved.iter().map(|record| record.position.stream).collect();
        let tail = Tail::open(options(of, own), saved)?;
        let followed = FollowedLogs::new(tail, is_once);
        Ok(Files { followed, name, owned, watch: TailWatch::new(watch) })
    }
}

/// What commits record of the files of an input.
fn records(input: &str, state: &CheckpointState) -> Vec<FileRecord> {
    let is_own = |stream: &u64| {
        let owner = state.others.get(&format!("{OWNER}{stream:016x}"));
        owner.is_some_and(|owner| owner == input.as_bytes())
    };
    state.files.iter().filter(|(stream, _)| is_own(stream)).map(|(_, it)| it.clone()).collect()
}

/// What commits record of inputs that no longer exist, to be forgotten.
pub(super) fn orphaned<'n>(
    state: &CheckpointState,
    inputs: impl Iterator<Item = &'n str>,
) -> Commit {
    let names: Vec<&[u8]> = inputs.map(str::as_bytes).collect();
    let mut commit = Commit::default();
    for (name, owner) in &state.others {
        if let Some(part) = name.strip_prefix(KAFKA)
            && !part.split_once('/').is_some_and(|(owner, _)| names.contains(&owner.as_bytes()))
        {
            commit.others.push((name.clone(), None));
        }
        let Some(stream) = name.strip_prefix(OWNER) else { continue };
        if !names.contains(&&owner[..]) {
            commit.others.push((name.clone(), None));
            commit.forgotten.extend(u64::from_str_radix(stream, 16));
        }
    }
    commit
}

fn options(of: &FilesInput, own: &[OsString]) -> TailOptions {
    let FilesInput { patterns, exclude, from, watch, rotate_wait, ignore_older, .. } = of;
    let paths = |paths: &[std::path::PathBuf]| paths.iter().map(OsString::from).collect::<Vec<_>>();
    let default = TailOptions::default();
    TailOptions {
        patterns: paths(patterns),
        exclude: paths(exclude),
        own: own.to_vec(),
        from: match from {
            From::Beginning => Start::Beginning,
            From::End => Start::End,
        },
        watch: match watch {
            WatchFolders::Notify => tail::Watch::Notify,
            WatchFolders::Poll => tail::Watch::Poll,
        },
        rotate_wait: *rotate_wait,
        ignore_older: *ignore_older,
        idle_flush: of.idle_flush,
        poll: of.poll,
        max_descriptors: of.max_open.map_or(default.max_descriptors, |max| max as usize),
        ..default
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.watch.publish_last(self.followed.counters());
    }
}

impl Source for Files {
    fn take(&mut self, halt: &Halt, wait: Duration) -> Result<Taken> {
        self.followed.take(halt, wait)
    }

    fn keep(&mut self, before: u64) -> Commit {
        let mut commit = self.followed.keep(before);
        for record in &commit.files {
            let stream = record.position.stream;
            if self.owned.insert(stream) {
                let owner = Some(self.name.as_bytes().to_vec());
                commit.others.push((format!("{OWNER}{stream:016x}"), owner));
            }
        }
        for stream in &commit.forgotten {
            if self.owned.remove(stream) {
                commit.others.push((format!("{OWNER}{stream:016x}"), None));
            }
        }
        commit
    }

    fn keep_up(&mut self) {
        self.followed.keep_up();
    }

    fn notices(&mut self) -> Vec<Notice> {
        self.followed.notices()
    }

    fn is_read(&self) -> bool {
        self.followed.is_read()
    }

    fn publish(&mut self) {
        let followed = &self.followed;
        self.watch
            .publish(|| TailFacts { counters: followed.counters(), files: followed.status() });
    }
}
