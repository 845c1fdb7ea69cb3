//! A database that was checked before is not checked again; one that was modified is.

use crate::harness::Dir;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

/// A directory with a database, and how many of its bytes a lookup reads.
fn prepared(name: &str) -> Dir {
    let dir = Dir::new(name);
    dir.create("list.txt", "evil.example\n203.0.113.5\n");
    dir.command().args(["compile", "-q", "-o", "db", "list.txt"]).run().expect(0);
    dir
}

/// The files of the cache of checked databases.
fn notes(dir: &Dir) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir.cache().join("wiresift/checked")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Changes the checksum of the last section, without any other effect on lookups.
fn damage(dir: &Dir) {
    let path = dir.path().join("db");
    let mut bytes = fs::read(&path).unwrap();
    // The gap between two sections, which only the check reads.
    let count = u32::from_le_bytes(bytes[48..52].try_into().unwrap()) as usize;
    let gap = (0..count)
        .find_map(|row| {
            let field = |at: usize| {
                let at = 64 + row * 32 + at;
                u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
            };
            let end = field(8) + field(16);
            (end % 64 != 0 && end < bytes.len()).then_some(end)
        })
        .unwrap();
    bytes[gap] = 1;
    fs::write(&path, bytes).unwrap();
}

fn look_up(dir: &Dir) -> crate::harness::TestCommand {
    let mut command = dir.command();
    command.args(["lookup", "--db", "db", "evil.example"]);
    command
}

#[test]
fn a_file_that_was_touched_is_checked_again() {
    let dir = prepared("known-touched");
    look_up(&dir).run().expect(0);
    assert_eq!(notes(&dir).len(), 1);
    look_up(&dir).run().expect(0);
    damage(&dir);
    look_up(&dir).run().expect(2).expect_stderr("db: the space between the sections is not empty");
    dir.command().args(["scan", "--db", "db", "list.txt"]).run().expect(2);
}

#[test]
fn a_noted_file_is_not_checked_again() {
    let dir = prepared("known-noted");
    look_up(&dir).run().expect(0);
    let [note] = &notes(&dir)[..] else { panic!("one note") };
    let before = fs::read_to_string(note).unwrap();
    damage(&dir);
    // The cache entry that it would have if it had passed.
    let metadata = fs::metadata(dir.path().join("db")).unwrap();
    let words: Vec<&str> = before.split(' ').collect();
    let forged = format!(
        "{} {} {} {} {} ({}, {}) ({}, {})\n",
        words[0],
        words[1],
        metadata.size(),
        metadata.dev(),
        metadata.ino(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec()
    );
    fs::write(note, forged).unwrap();
    look_up(&dir).run().expect(0);
    // `verify` always checks.
    dir.command().args(["verify", "db"]).run().expect(1);
    // A cache that others may write to is not trusted.
    let folder = note.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    look_up(&dir).run().expect(2);
}

#[test]
fn without_a_cache_it_works_all_the_same() {
    let dir = prepared("known-nowhere");
    dir.create("file", "");
    let nowhere = dir.path().join("file/in/it");
    look_up(&dir).env("XDG_CACHE_HOME", nowhere).run().expect(0);
    look_up(&dir).env("XDG_CACHE_HOME", "").env("HOME", "").run().expect(0);
    assert!(notes(&dir).is_empty());
}
