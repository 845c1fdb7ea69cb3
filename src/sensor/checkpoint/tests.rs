//! Crashes, full disks and damage: rows 36 to 38, and alerts exactly once.

use super::state::{CheckpointState, Commit, Output};
use super::{AlertFile, Rest, Resumed, StateDir};
use crate::sensor::input::tail::{Content, FileRecord, Key, Position, Within};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn record(stream: u64, offset: u64) -> FileRecord {
    FileRecord {
        key: Some(Key { device: 1, inode: stream, generation: Some(7), born: None }),
        path: PathBuf::from(format!("/var/log/{stream}.log")),
        position: Position {
            stream,
            offset,
            line: Some(offset / 10),
            within: Within::Start,
            content: Content { head: 1, tail: offset },
            headers: Arc::default(),
        },
        is_done: false,
        is_ignored: false,
        wide: None,
        size: offset,
        first_seen: 0,
        last_seen: 1,
        copy_of: None,
        seen: None,
    }
}

fn commits() -> impl Strategy<Value = Vec<Commit>> {
    let name = "[ab]";
    let commit = (
        proptest::collection::vec((0u64..4, 0u64..1000), 0..3),
        proptest::collection::vec(0u64..4, 0..2),
        proptest::collection::vec(
            (proptest::collection::vec(0u8..3, 0..2), any::<Option<[u8; 2]>>()),
            0..3,
        ),
        proptest::collection::vec((name, any::<Option<u64>>()), 0..3),
        proptest::collection::vec((name, any::<Option<[u8; 3]>>()), 0..3),
        proptest::option::of(0u64..1000),
    );
    let commit = commit.prop_map(|(files, forgotten, suppress, cursors, others, output)| Commit {
        files: files.into_iter().map(|(stream, offset)| record(stream, offset)).collect(),
        forgotten,
        outputs: output
            .map(|length| Output {
                path: "alerts".into(),
                key: Key { device: 1, inode: 2, generation: None, born: Some(-1) },
                length,
                tail: 5,
                rest: [Rest::Own, Rest::Foreign, Rest::Mixed][length as usize % 3],
            })
            .into_iter()
            .collect(),
        suppress: suppress.into_iter().map(|(k, v)| (k, v.map(Vec::from))).collect(),
        cursors,
        others: others.into_iter().map(|(k, v)| (k, v.map(Vec::from))).collect(),
    });
    proptest::collection::vec(commit, 1..6)
}

/// The suppression entries in effect.
type Last = BTreeMap<Vec<u8>, Vec<u8>>;

fn put(last: &mut Last, key: &[u8], value: Option<&[u8]>) {
    match value {
        Some(value) => drop(last.insert(key.to_vec(), value.to_vec())),
        None => drop(last.remove(key)),
    }
}

/// The suppression entries of a folder.
fn last(dir: &StateDir) -> Last {
    let mut last = Last::new();
    let each = |key: &[u8], value: Option<&[u8]>| {
        put(&mut last, key, value);
        Ok(())
    };
    dir.entries().unwrap().each(each).unwrap();
    last
}

fn add(last: &mut Last, commit: &Commit) {
    commit.suppress.iter().for_each(|(key, value)| put(last, key, value.as_deref()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Killed in the middle of any write: the log ends anywhere, or contains anything from there
    /// on.
    #[test]
    fn row_38_the_last_whole_commit_counts(
        commits in commits(),
        cut in any::<prop::sample::Index>(),
        garbage in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (mut dir, opened) = StateDir::open(folder.path()).unwrap();
        prop_assert!(opened.is_new && *opened.state == CheckpointState::default());
        let log = folder.path().join("state");
        let mut entries = Last::new();
        let mut states =
            vec![(fs::metadata(&log).unwrap().len(), CheckpointState::default(), entries.clone())];
        for commit in &commits {
            dir.commit(commit).unwrap();
            prop_assert_eq!(Commit::parse(&commit.to_bytes()), Some(commit.clone()));
            add(&mut entries, commit);
            let length = fs::metadata(&log).unwrap().len();
            states.push((length, dir.state().clone(), entries.clone()));
        }
        drop(dir);
        let bytes = fs::read(&log).unwrap();
        let cut = 16 + cut.index(bytes.len() - 15);
        fs::write(&log, [&bytes[..cut], &garbage].concat()).unwrap();
        let (mut dir, opened) = StateDir::open(folder.path()).unwrap();
        let (length, want, entries) =
            states.iter().rev().find(|(len, ..)| *len <= cut as u64).unwrap();
        prop_assert_eq!(&*opened.state, want);
        prop_assert_eq!(&last(&dir), entries);
        prop_assert_eq!(opened.torn, (cut + garbage.len()) as u64 - length);
        prop_assert_eq!(fs::metadata(&log).unwrap().len(), *length);
        // It continues from there, also in a rewritten log.
        let (mut want, mut entries) = (want.clone(), entries.clone());
        dir.settle(entries.len());
        for commit in &commits {
            dir.commit(commit).unwrap();
            want.apply(commit);
            add(&mut entries, commit);
        }
        prop_assert_eq!(dir.state(), &want);
        dir.compact().unwrap();
        drop(dir);
        let (mut dir, opened) = StateDir::open(folder.path()).unwrap();
        prop_assert_eq!(&*opened.state, &want);
        // Each once.
        prop_assert_eq!(dir.entries().unwrap().max_len(), entries.len());
        prop_assert_eq!(last(&dir), entries);
        dir.forget_entries().unwrap();
        drop(dir);
        let (dir, opened) = StateDir::open(folder.path()).unwrap();
        prop_assert_eq!((&*opened.state, last(&dir).len()), (&want, 0));
    }

    /// A commit that failed may be made together with the one after it.
    #[test]
    fn commits_add_up(commits in commits()) {
        let (mut one, mut each) = (CheckpointState::default(), CheckpointState::default());
        let mut all = Commit::default();
        for commit in &commits {
            each.apply(commit);
            all.add(commit.clone());
        }
        one.apply(&all);
        prop_assert_eq!(one, each);
    }

    #[test]
    fn any_bytes_are_a_state_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = CheckpointState::parse(&bytes);
        if let Some(commit) = Commit::parse(&bytes) {
            prop_assert_eq!(Commit::parse(&commit.to_bytes()), Some(commit));
        }
    }
}

/// What failed commits leave to the next one adds up.
#[test]
fn a_commit_may_be_longer_than_64_mib() {
    let folder = tempfile::tempdir().unwrap();
    let (mut dir, _) = StateDir::open(folder.path()).unwrap();
    let value = vec![7; 23 << 20];
    let suppress = (0..3).map(|n| (vec![n], Some(value.clone()))).collect();
    let files = vec![record(1, 10)];
    dir.commit(&Commit { files: files.clone(), suppress, ..Commit::default() }).unwrap();
    dir.compact().unwrap();
    drop(dir);
    let (dir, opened) = StateDir::open(folder.path()).unwrap();
    assert_eq!((opened.torn, opened.state.files.get(&1)), (0, files.first()));
    assert_eq!(last(&dir), (0..3).map(|n| (vec![n], value.clone())).collect());
}

#[test]
fn row_36_no_start_from_scratch_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let (mut dir, _) = StateDir::open(folder.path()).unwrap();
    dir.commit(&Commit { files: vec![record(1, 10)], ..Commit::default() }).unwrap();
    drop(dir);
    let log = folder.path().join("state");
    let good = fs::read(&log).unwrap();
    let mut newer = good.clone();
    newer[8] = 9;
    let mut unknown = good.clone();
    super::log::put_record(&mut unknown, &[99, 0]).unwrap();
    for bad in [&b""[..], b"wsst", b"{\"files\": []} of another program", &newer, &unknown] {
        fs::write(&log, bad).unwrap();
        let error = StateDir::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("--reset") && error.contains("state"), "{error}");
        assert_eq!(fs::read(&log).unwrap(), bad, "it is left as it is");
    }
    fs::remove_file(&log).unwrap();
    let error = StateDir::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("gone") && error.contains("--reset"), "{error}");
    StateDir::reset(folder.path()).unwrap();
    assert!(StateDir::open(folder.path()).unwrap().1.is_new);
    // An unfinished next log is never read.
    fs::write(&log, &good).unwrap();
    fs::write(folder.path().join("state.next"), b"anything").unwrap();
    let (_dir, opened) = StateDir::open(folder.path()).unwrap();
    assert_eq!(opened.state.files.len(), 1);
    assert!(!folder.path().join("state.next").exists());
}

#[test]
fn row_37_the_second_process_learns_who_was_first() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, _) = StateDir::open(folder.path()).unwrap();
    // flock counts file descriptions, so this process counts as another one.
    let error = StateDir::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("process {} uses", std::process::id())), "{error}");
    assert!(StateDir::reset(folder.path()).is_err());
    drop(dir);
    StateDir::open(folder.path()).unwrap();
}

#[test]
fn long_logs_are_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let (mut dir, _) = StateDir::open(folder.path()).unwrap();
    let value = vec![7; 10_000];
    let mut longest = 0;
    for n in 0..1000 {
        let suppress = vec![(vec![(n % 5) as u8], Some(value.clone()))];
        dir.commit(&Commit { suppress, ..Commit::default() }).unwrap();
        longest = longest.max(fs::metadata(folder.path().join("state")).unwrap().len());
    }
    assert!(longest < 2 << 20, "{longest}");
    let want = last(&dir);
    assert_eq!(want.len(), 5);
    drop(dir);
    let (mut dir, _) = StateDir::open(folder.path()).unwrap();
    assert_eq!(last(&dir), want);
    // Old versions of entries don't count towards the length that the log may reach.
    dir.settle(want.len());
    for n in 0..1000 {
        let suppress = vec![(vec![(n % 5) as u8], Some(value.clone()))];
        dir.commit(&Commit { suppress, ..Commit::default() }).unwrap();
        longest = longest.max(fs::metadata(folder.path().join("state")).unwrap().len());
    }
    assert!(longest < 2 << 20, "{longest}");
}

/// A small file system in memory, for tests that fill it; `None` without root privileges.
fn small_disk(name: &str) -> Option<Disk> {
    let path = std::env::temp_dir().join(format!("wiresift-{name}-{}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(&path)
        .output();
    if mount.is_ok_and(|it| it.status.success()) {
        return Some(Disk(path));
    }
    let _ = fs::remove_dir(&path);
    let _ = writeln!(std::io::stderr(), "SKIPPED {name}: a disk to be filled needs root");
    None
}

struct Disk(PathBuf);

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn row_36_a_full_disk_leaves_the_last_commit() {
    let Some(disk) = small_disk("full_disk") else { return };
    let state = disk.0.join("state");
    let (mut dir, _) = StateDir::open(&state).unwrap();
    let (mut alerts, _) =
        AlertFile::open(&disk.0.join("alerts"), &CheckpointState::default()).unwrap();
    alerts.append(b"first\n").unwrap();
    let first = Commit { outputs: vec![alerts.sync().unwrap()], ..Commit::default() };
    dir.commit(&first).unwrap();
    let want = dir.state().clone();
    fs::write(disk.0.join("filler"), vec![1; 200 << 10]).unwrap();
    let mut filler = OpenOptions::new().append(true).open(disk.0.join("filler")).unwrap();
    while filler.write_all(&[1; 1024]).is_ok() {}
    let big = vec![(b"key".to_vec(), Some(vec![3; 20_000]))];
    let mut commit = Commit { suppress: big, ..Commit::default() };
    for _ in 0..3 {
        assert!(dir.commit(&commit).is_err());
        assert!(alerts.append(&[b'a'; 20_000]).is_err());
    }
    assert_eq!(dir.state(), &want);
    assert_eq!(fs::read(disk.0.join("alerts")).unwrap(), b"first\n");
    drop(filler);
    fs::remove_file(disk.0.join("filler")).unwrap();
    alerts.append(b"second\n").unwrap();
    commit.add(Commit { outputs: vec![alerts.sync().unwrap()], ..Commit::default() });
    dir.commit(&commit).unwrap();
    let want = dir.state().clone();
    drop((dir, alerts));
    let (_dir, opened) = StateDir::open(&state).unwrap();
    assert_eq!((opened.torn, &*opened.state), (0, &want));
    assert_eq!(fs::read(disk.0.join("alerts")).unwrap(), b"first\nsecond\n");
}

#[test]
fn entries_can_be_read_before_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let (mut dir, _) = StateDir::open(&path).unwrap();
    for round in 0..50u8 {
        let value = (round % 3 > 0).then(|| vec![round; 100]);
        let suppress = vec![(vec![round % 7], value)];
        dir.commit(&Commit { suppress, ..Commit::default() }).unwrap();
    }
    drop(dir);
    let read = |entries: super::Entries| {
        let mut last = Last::new();
        let each = |key: &[u8], value: Option<&[u8]>| {
            put(&mut last, key, value);
            Ok(())
        };
        entries.each(each).map(|()| last)
    };
    let mut early = None;
    let begin = |entries| {
        early = Some(entries);
        Ok(())
    };
    let (dir, opened) = StateDir::open_with(&path, begin).unwrap();
    assert_eq!(opened.torn, 0);
    let entries = read(early.unwrap()).unwrap();
    assert!(!entries.is_empty());
    assert_eq!(entries, read(dir.entries().unwrap()).unwrap());
    drop(dir);
    let refused = StateDir::open_with(&path, |_| Err(crate::Error::usage("no threads")));
    assert!(refused.unwrap_err().to_string().contains("no threads"));
}

/// An alert file and a state, opened as a process opens them.
fn start(folder: &Path) -> (StateDir, AlertFile, Resumed) {
    let (dir, opened) = StateDir::open(&folder.join("state")).unwrap();
    let (alerts, resumed) = AlertFile::open(&folder.join("alerts"), &opened.state).unwrap();
    (dir, alerts, resumed)
}

fn commit(dir: &mut StateDir, alerts: &mut AlertFile) {
    let outputs = vec![alerts.sync().unwrap()];
    dir.commit(&Commit { outputs, ..Commit::default() }).unwrap();
}

#[test]
fn alerts_are_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts");
    fs::write(&path, "of an earlier program\n").unwrap();
    let (mut dir, mut alerts, resumed) = start(folder.path());
    assert_eq!(resumed, Resumed::New);
    for n in 0..2000 {
        alerts.append(format!("alert {n}\n").as_bytes()).unwrap();
    }
    commit(&mut dir, &mut alerts);
    let want = fs::read(&path).unwrap();
    alerts.append(b"not committed\n").unwrap();
    drop((dir, alerts));
    let (dir, alerts, resumed) = start(folder.path());
    assert_eq!(resumed, Resumed::Exact { cut: 14 });
    assert_eq!(fs::read(&path).unwrap(), want);
    drop((dir, alerts));
    // A file that is not as it was is not touched.
    let mut other = want.clone();
    *other.last_mut().unwrap() = b'!';
    for (text, why) in [(&other[..], "written"), (&want[..100], "shorter")] {
        fs::write(&path, text).unwrap();
        let (_dir, _alerts, resumed) = start(folder.path());
        assert!(matches!(resumed, Resumed::AtLeastOnce(it) if it.contains(why)), "{resumed:?}");
        assert_eq!(fs::read(&path).unwrap(), text);
    }
    fs::remove_file(&path).unwrap();
    fs::write(&path, &want).unwrap();
    let (_dir, _alerts, resumed) = start(folder.path());
    assert!(matches!(resumed, Resumed::AtLeastOnce(it) if it.contains("another file")));
    let (_, second) = AlertFile::open(&path, &CheckpointState::default()).unwrap();
    assert!(!second.is_exact(), "it is locked");
    assert!(AlertFile::open(Path::new("/dev/null"), &CheckpointState::default()).is_err());
    assert!(AlertFile::open(folder.path(), &CheckpointState::default()).is_err());
}

/// What is written to the alert file by another program.
fn others(folder: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(folder.join("alerts")).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn what_others_write_after_the_end_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts");
    let (mut dir, mut alerts, _) = start(folder.path());
    alerts.append(b"one\n").unwrap();
    let outputs = vec![alerts.release().unwrap()];
    dir.commit(&Commit { outputs, ..Commit::default() }).unwrap();
    drop((dir, alerts));
    others(folder.path(), "theirs\n");
    let (mut dir, mut alerts, resumed) = start(folder.path());
    assert_eq!(resumed, Resumed::Extended { by: 7 });
    assert!(resumed.is_exact() && resumed.notice().unwrap().contains("7 bytes"));
    commit(&mut dir, &mut alerts);
    alerts.append(b"two\n").unwrap();
    commit(&mut dir, &mut alerts);
    alerts.append(b"not committed\n").unwrap();
    drop((dir, alerts));
    let (_dir, _alerts, resumed) = start(folder.path());
    assert_eq!(resumed, Resumed::Exact { cut: 14 });
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntheirs\ntwo\n");
}

#[test]
fn what_others_write_meanwhile_stays_and_so_do_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts");
    let (mut dir, mut alerts, _) = start(folder.path());
    alerts.append(b"one\n").unwrap();
    assert_eq!(alerts.take_notice(), None);
    others(folder.path(), "theirs\n");
    alerts.append(b"two\n").unwrap();
    let notice = alerts.take_notice().unwrap();
    assert!(notice.contains("another program writes to it, too"), "{notice}");
    assert_eq!(alerts.take_notice(), None, "once");
    commit(&mut dir, &mut alerts);
    alerts.append(b"three\n").unwrap();
    drop((dir, alerts));
    let (mut dir, mut alerts, resumed) = start(folder.path());
    assert!(matches!(resumed, Resumed::AtLeastOnce(_)), "{resumed:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntheirs\ntwo\nthree\n");
    commit(&mut dir, &mut alerts);
    // Truncated by another program, as by logrotate with copytruncate: commits go on.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    commit(&mut dir, &mut alerts);
    assert!(alerts.take_notice().unwrap().contains("has truncated it"));
    alerts.append(b"four\n").unwrap();
    commit(&mut dir, &mut alerts);
    drop((dir, alerts));
    let (_dir, _alerts, resumed) = start(folder.path());
    assert!(!resumed.is_exact());
    assert_eq!(fs::read_to_string(&path).unwrap(), "four\n");
}

/// The same as [`start`], with notes.
fn start_noted(folder: &Path) -> (StateDir, AlertFile, Resumed) {
    let (dir, opened) = StateDir::open(&folder.join("state")).unwrap();
    let (alerts, resumed) =
        AlertFile::open_noted(&folder.join("alerts"), &opened.state, dir.path()).unwrap();
    (dir, alerts, resumed)
}

#[test]
fn only_own_bytes_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let read = || fs::read_to_string(folder.path().join("alerts")).unwrap();
    let (mut dir, mut alerts, _) = start_noted(folder.path());
    commit(&mut dir, &mut alerts);
    alerts.append(b"one\n").unwrap();
    commit(&mut dir, &mut alerts);
    alerts.append(b"not committed\n").unwrap();
    drop((dir, alerts));
    let (mut dir, mut alerts, resumed) = start_noted(folder.path());
    assert_eq!((resumed, &*read()), (Resumed::Exact { cut: 14 }, "one\n"));
    commit(&mut dir, &mut alerts);
    drop((dir, alerts));
    // Written by another program after a crash, when everything was committed.
    others(folder.path(), "theirs\n");
    let (mut dir, mut alerts, resumed) = start_noted(folder.path());
    assert_eq!(resumed, Resumed::Extended { by: 7 });
    // Killed before the first commit, and again: they are still not ours.
    drop((dir, alerts));
    (dir, alerts, _) = start_noted(folder.path());
    assert_eq!(read(), "one\ntheirs\n");
    commit(&mut dir, &mut alerts);
    alerts.append(b"two\n").unwrap();
    others(folder.path(), "more of theirs\n");
    drop((dir, alerts));
    for _ in 0..2 {
        let (_dir, _alerts, resumed) = start_noted(folder.path());
        assert!(matches!(resumed, Resumed::AtLeastOnce(why) if why.contains("since the last")));
        assert_eq!(read(), "one\ntheirs\ntwo\nmore of theirs\n");
    }
}

#[test]
fn a_torn_append_is_cut_and_what_comes_before_a_change_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts");
    let (mut dir, mut alerts, _) = start_noted(folder.path());
    commit(&mut dir, &mut alerts);
    alerts.append(b"a long record\n").unwrap();
    drop((dir, alerts));
    // As if it had been killed while it wrote.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(5).unwrap();
    let (mut dir, mut alerts, resumed) = start_noted(folder.path());
    assert_eq!(resumed, Resumed::Exact { cut: 5 });
    commit(&mut dir, &mut alerts);
    // Noticed, and not committed yet.
    others(folder.path(), "theirs\n");
    alerts.append(b"one\n").unwrap();
    drop((dir, alerts));
    let (_dir, _alerts, resumed) = start_noted(folder.path());
    assert!(!resumed.is_exact());
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\none\n");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "as a program that rotates does")]
fn what_others_write_to_a_rotated_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (mut dir, mut alerts, _) = start_noted(folder.path());
    alerts.append(b"one\n").unwrap();
    commit(&mut dir, &mut alerts);
    fs::rename(at("alerts"), at("alerts.1")).unwrap();
    // Killed after the new file was opened, and before that was committed.
    alerts.reopen().unwrap();
    drop((dir, alerts));
    fs::write(at("alerts.1"), "one\ntheirs\n").unwrap();
    let (_dir, _alerts, resumed) = start_noted(folder.path());
    assert_eq!(resumed, Resumed::Exact { cut: 0 });
    assert_eq!(fs::read_to_string(at("alerts.1")).unwrap(), "one\ntheirs\n");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "as a program that rotates does")]
fn alerts_are_there_once_through_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (mut dir, mut alerts, _) = start(folder.path());
    alerts.append(b"one\n").unwrap();
    commit(&mut dir, &mut alerts);
    assert!(!alerts.is_rotated());
    // Rotated while it runs.
    fs::rename(at("alerts"), at("alerts.1")).unwrap();
    alerts.append(b"two\n").unwrap();
    assert!(alerts.is_rotated());
    commit(&mut dir, &mut alerts);
    let outputs = vec![alerts.reopen().unwrap()];
    dir.commit(&Commit { outputs, ..Commit::default() }).unwrap();
    alerts.append(b"three\n").unwrap();
    commit(&mut dir, &mut alerts);
    alerts.append(b"lost\n").unwrap();
    drop((dir, alerts));
    // And while it doesn't: what was not committed is cut at the new location.
    fs::rename(at("alerts"), at("alerts.0")).unwrap();
    fs::write(at("alerts"), "").unwrap();
    let (mut dir, mut alerts, resumed) = start(folder.path());
    assert_eq!(resumed, Resumed::Exact { cut: 5 });
    alerts.append(b"four\n").unwrap();
    commit(&mut dir, &mut alerts);
    for (name, text) in [("alerts.1", "one\ntwo\n"), ("alerts.0", "three\n"), ("alerts", "four\n")]
    {
        assert_eq!(fs::read_to_string(at(name)).unwrap(), text);
    }
}
