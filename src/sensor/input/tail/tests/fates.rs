//! Any operations on files, in any order: each line is returned once, unless it was impossible to
//! read. A slow model determines which those are.

use super::super::options::Watch;
use super::stage::{Stage, gzipped};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

/// An operation.
#[derive(Clone, Debug)]
enum Deed {
    Append(u8),
    AppendHalf,
    Rotate,
    CopyAndTruncate,
    Snapshot,
    SnapshotOver,
    SnapshotSlowly(u8),
    Truncate,
    Pack(u8),
    PackUnseen(u8),
    Remove(u8),
    RemoveCurrent,
    Look,
    LookLong,
    Commit,
    CommitFirst(u8),
    Kill,
}

/// Deeds, with this weight of those that copy the log beside it.
fn deeds(copies: u32) -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        6 => (1u8..4).prop_map(Deed::Append),
        2 => Just(Deed::AppendHalf),
        2 => Just(Deed::Rotate),
        2 => Just(Deed::CopyAndTruncate),
        2 * copies => Just(Deed::Snapshot),
        copies => Just(Deed::SnapshotOver),
        copies => any::<u8>().prop_map(Deed::SnapshotSlowly),
        1 => Just(Deed::Truncate),
        2 => (0u8..4).prop_map(Deed::Pack),
        1 => (0u8..4).prop_map(Deed::PackUnseen),
        1 => (0u8..4).prop_map(Deed::Remove),
        1 => Just(Deed::RemoveCurrent),
        6 => Just(Deed::Look),
        1 => Just(Deed::LookLong),
        2 => Just(Deed::Commit),
        1 => (0u8..4).prop_map(Deed::CommitFirst),
        2 => Just(Deed::Kill),
    ];
    proptest::collection::vec(deed, 1..50)
}

/// A file of the model.
#[derive(Clone, Debug, Default)]
struct Modelled {
    /// Its complete lines.
    lines: Vec<String>,
    /// What comes after them.
    rest: String,
    /// Whether a running tail has seen it.
    is_seen: bool,
}

impl Modelled {
    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect::<String>() + &self.rest
    }
}

/// Files by name, and the state of the lines.
struct World {
    stage: Stage,
    files: BTreeMap<String, Modelled>,
    written: u64,
    lines: BTreeSet<String>,
    /// Ends of files without a line feed, which are returned once or never.
    rests: HashSet<String>,
    may_be_lost: HashSet<String>,
}

impl World {
    fn new(watch: Watch) -> World {
        let folder = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
        let mut stage = Stage::new(Path::new(folder), watch);
        stage.open();
        let (files, lines) = (BTreeMap::new(), BTreeSet::new());
        let (rests, may_be_lost) = (HashSet::new(), HashSet::new());
        World { stage, files, written: 0, lines, rests, may_be_lost }
    }

    fn given(&self) -> HashSet<String> {
        self.stage.all_lines().iter().map(|given| given.text.clone()).collect()
    }

    /// Lines that were not returned and are in none of the files may be lost.
    fn lose<'a>(&mut self, lines: impl IntoIterator<Item = &'a String>) {
        let given = self.given();
        for line in lines {
            let is_there = self.files.values().any(|file| file.lines.contains(line));
            if !given.contains(line) && !is_there {
                self.may_be_lost.insert(line.clone());
            }
        }
    }

    fn new_text(&mut self) -> String {
        self.written += 1;
        format!("line {} {}", self.written, "x".repeat((self.written % 7) as usize))
    }

    fn append(&mut self, is_whole: bool) {
        let text = self.new_text();
        let file = self.files.entry("x.log".into()).or_default();
        file.rest.push_str(&text);
        self.stage.append("x.log", &text);
        if is_whole {
            self.stage.append("x.log", "\n");
            let line = std::mem::take(&mut file.rest);
            self.lines.insert(line.clone());
            file.lines.push(line);
        }
    }

    /// Frees the name `x.log.1`.
    fn shift(&mut self) {
        let mut names: Vec<(u32, String)> =
            self.files.keys().filter_map(|name| Some((number_of(name)?, name.clone()))).collect();
        names.sort_by(|a, b| b.cmp(a));
        for (number, name) in names {
            let to = name.replace(&format!("log.{number}"), &format!("log.{}", number + 1));
            self.stage.rename(&name, &to);
            let file = self.files.remove(&name).unwrap();
            self.files.insert(to, file);
        }
    }

    fn rotate(&mut self) {
        let Some(file) = self.files.remove("x.log") else { return };
        self.shift();
        self.stage.rename("x.log", "x.log.1");
        self.rests.insert(file.rest.clone());
        self.files.insert("x.log.1".into(), file);
        self.stage.write("x.log", "");
        self.files.insert("x.log".into(), Modelled::default());
    }

    /// Copies the current file, and continues in it.
    fn snapshot(&mut self) {
        if self.files.contains_key("x.log") {
            self.shift();
            self.copy_over();
        }
    }

    /// Copies the current file to where the last copy was, if there is one.
    fn copy_over(&mut self) {
        let Some(file) = self.files.get("x.log") else { return };
        let copy = Modelled { is_seen: false, ..file.clone() };
        self.stage.copy("x.log", "x.log.1");
        let old = self.files.insert("x.log.1".into(), copy);
        if let Some(old) = old {
            self.rests.insert(old.rest);
            self.lose(&old.lines);
        }
    }

    /// Copies it in two parts, and somebody looks meanwhile.
    fn snapshot_slowly(&mut self, part: u8) {
        let Some(file) = self.files.get("x.log") else { return };
        let copy = Modelled { is_seen: false, ..file.clone() };
        let text = copy.text();
        let part = usize::from(part) % (text.len() + 1);
        self.shift();
        self.stage.append("x.log.1", &text[..part]);
        // Lines that are lost from now on are in the copy nonetheless.
        self.files.insert("x.log.1".into(), copy);
        if self.is_up() {
            self.look();
        }
        self.stage.append("x.log.1", &text[part..]);
    }

    fn truncate(&mut self, copies: bool) {
        if !self.files.contains_key("x.log") {
            return;
        }
        if copies {
            self.snapshot();
        }
        self.stage.truncate("x.log", 0);
        let file = self.files.get_mut("x.log").unwrap();
        let old = std::mem::take(file);
        file.is_seen = old.is_seen;
        self.rests.insert(old.rest);
        self.lose(&old.lines);
    }

    fn nth_old(&self, n: u8) -> Option<String> {
        let old: Vec<&String> = self.files.keys().filter(|name| *name != "x.log").collect();
        old.get(usize::from(n) % old.len().max(1)).map(|name| (*name).clone())
    }

    fn pack(&mut self, n: u8, is_slow: bool) {
        let Some(name) = self.nth_old(n).filter(|name| !name.ends_with(".gz")) else { return };
        let to = format!("{name}.gz");
        self.remove(&to);
        let packed = gzipped(self.files[&name].text().as_bytes());
        if is_slow {
            let half = packed.len() / 2;
            self.stage.append(&to, &packed[..half]);
            self.look();
            self.stage.append(&to, &packed[half..]);
            self.stage.remove(&name);
        } else {
            self.stage.gzip(&name, &to);
        }
        let file = self.files.remove(&name).unwrap();
        self.files.insert(to, Modelled { is_seen: is_slow && self.is_up(), ..file });
    }

    fn remove(&mut self, name: &str) {
        let Some(file) = self.files.remove(name) else { return };
        self.stage.remove(name);
        self.rests.insert(file.rest.clone());
        if !file.is_seen || !self.is_up() {
            self.lose(&file.lines);
        }
    }

    fn is_up(&self) -> bool {
        self.stage.tail.is_some()
    }

    fn look(&mut self) {
        if !self.is_up() {
            self.stage.open();
        }
        self.stage.look();
        self.files.values_mut().for_each(|file| file.is_seen = true);
    }

    fn kill(&mut self) {
        if self.is_up() {
            self.stage.kill();
            self.files.values_mut().for_each(|file| file.is_seen = false);
            // What only descriptors referred to, and what was returned but not committed.
            let lines = self.lines.clone();
            self.lose(&lines);
        }
    }

    fn play(&mut self, deed: &Deed) {
        match *deed {
            Deed::Append(count) => (0..count).for_each(|_| self.append(true)),
            Deed::AppendHalf => self.append(false),
            Deed::Rotate => self.rotate(),
            Deed::CopyAndTruncate => self.truncate(true),
            Deed::Snapshot => self.snapshot(),
            Deed::SnapshotOver => self.copy_over(),
            Deed::SnapshotSlowly(part) => self.snapshot_slowly(part),
            Deed::Truncate => self.truncate(false),
            Deed::Pack(n) => self.pack(n, true),
            Deed::PackUnseen(n) => self.pack(n, false),
            Deed::Remove(n) => {
                if let Some(name) = self.nth_old(n) {
                    self.remove(&name);
                }
            }
            Deed::RemoveCurrent => self.remove("x.log"),
            Deed::Look => self.look(),
            Deed::LookLong => {
                self.look();
                self.stage.advance(45);
            }
            Deed::Commit if self.is_up() => self.stage.commit(),
            Deed::CommitFirst(count) if self.is_up() => self.stage.commit_first(count.into()),
            Deed::Commit | Deed::CommitFirst(_) => {}
            Deed::Kill => self.kill(),
        }
    }

    /// The end: every line once, except those that may be lost.
    fn check(&mut self) -> Result<(), TestCaseError> {
        self.look();
        self.stage.advance(50);
        self.stage.restart();
        self.stage.advance(50);
        self.stage.check();
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for given in self.stage.all_lines() {
            *seen.entry(&given.text).or_default() += 1;
        }
        for (text, count) in &seen {
            prop_assert_eq!(*count, 1, "{}: {:?}", text, self.stage.all_lines());
            let is_known = self.lines.contains(*text) || self.rests.contains(*text);
            let is_end = self.files.values().any(|file| file.rest == **text);
            prop_assert!(is_known || is_end, "never written: {:?}", text);
        }
        for line in &self.lines {
            let is_there = seen.contains_key(&**line) || self.may_be_lost.contains(line);
            prop_assert!(is_there, "lost: {}: {:?}", line, self.stage.all_lines());
        }
        Ok(())
    }
}

fn number_of(name: &str) -> Option<u32> {
    name.strip_prefix("x.log.")?.trim_end_matches(".gz").parse().ok()
}

fn play(deeds: &[Deed], watch: Watch) -> Result<(), TestCaseError> {
    let mut world = World::new(watch);
    deeds.iter().for_each(|deed| world.play(deed));
    world.check()?;
    // The files are as in the model.
    for (name, file) in &world.files {
        if !name.ends_with(".gz") {
            prop_assert_eq!(fs::read_to_string(world.stage.at(name)).unwrap(), file.text());
        }
    }
    Ok(())
}

/// The number of cases: `PROPTEST_CASES`, if it is set.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(80)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn row_38_every_line_has_its_fate_by_notices(deeds in deeds(1)) {
        play(&deeds, Watch::Notify)?;
    }

    #[test]
    fn row_38_every_line_has_its_fate_by_polling(deeds in deeds(1)) {
        play(&deeds, Watch::Poll)?;
    }

    #[test]
    fn row_38_copies_at_any_moment_are_read_once(deeds in deeds(3)) {
        play(&deeds, Watch::Notify)?;
    }
}
