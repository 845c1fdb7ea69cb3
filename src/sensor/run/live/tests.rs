//! A week in seconds: what a sensor remembers on disk and in memory does not grow.

use crate::engine::indicator::{Kind, Timestamp};
use crate::engine::suppress::{AlertFacts, Config, Repeat, Restoring, Suppressor};
use crate::sensor::checkpoint::{Commit, StateDir};
use crate::sensor::spool::{Batch, Cursor, Limits, Record, Sink, Spool, Stored};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const START: i64 = 1_795_478_400;
const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// The largest sizes seen within a day.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    windows: u64,
    memory: u64,
    state: u64,
    entries: u64,
    spool: u64,
}

impl Sizes {
    fn all(self) -> [u64; 5] {
        [self.windows, self.memory, self.state, self.entries, self.spool]
    }
}

/// What a daemon keeps, without its threads and its clock.
struct Kept {
    suppressor: Suppressor,
    spool: Spool,
    dir: StateDir,
    sizes: Sizes,
    /// Alerts that went out, and alerts that the sink received.
    passed: u64,
    got: u64,
}

fn config() -> Config {
    // Fewer than without suppression: some windows end early.
    Config { max_keys: 3_000, ..Config::default() }
}

impl Kept {
    /// Opens everything as after a restart.
    fn open(folder: &Path, second: i64) -> Kept {
        let (mut dir, opened) = StateDir::open(&folder.join("state")).unwrap();
        let cursor = |name: &str| opened.state.cursors.get(name).copied();
        let cursor = cursor("segment")
            .zip(cursor("offset"))
            .map(|(segment, offset)| Cursor { segment, offset });
        let sink = Sink { cursor, max_backlog: None };
        let limits = Limits { max_bytes: 64 << 20, segment_bytes: 1 << 20 };
        let sinks = [("siem".to_string(), sink)];
        let (spool, recovery) = Spool::open(&folder.join("spool"), limits, sinks).unwrap();
        assert_eq!((recovery.cut_bytes, recovery.damaged_segments), (0, 0));
        let entries = dir.entries().unwrap();
        let mut restoring =
            Restoring::new(config(), entries.max_len(), Timestamp::from_seconds(second));
        let put = |key: &[u8], value: Option<&[u8]>| match value {
            Some(value) => restoring.put(value),
            None => {
                restoring.forget(key);
                Ok(())
            }
        };
        entries.each(put).unwrap();
        let suppressor = restoring.finish();
        assert!(suppressor.len() <= 3_000);
        dir.settle(suppressor.len());
        Kept { suppressor, spool, dir, sizes: Sizes::default(), passed: 0, got: 0 }
    }

    fn append(&mut self, id: u128, second: i64, json: &[u8]) {
        let now = Timestamp::from_seconds(second);
        let record = Record::new(id.to_be_bytes(), 2, now, json);
        assert_eq!(self.spool.append(&record, now, true).unwrap(), Stored::Yes);
        self.passed += 1;
    }

    /// An alert: some hosts repeat the same query again and again, others ask for something new.
    fn alert(&mut self, second: i64) {
        let number = second.wrapping_mul(7_919) % 10_007;
        let (name, host) = (format!("h{}.example", number % 400), format!("host{}", number % 23));
        let facts = AlertFacts {
            local: host.as_str().into(),
            place: "dns".into(),
            feeds: vec!["mine"],
            spot: format!("{host} > 192.0.2.53:53"),
            ..AlertFacts::of_indicator(Kind::Domain, &name)
        };
        let json = format!("{{\"n\":{second},\"value\":\"{name}\"}}\n");
        let content = || json.clone().into_bytes();
        if self.suppressor.judge(&facts, Timestamp::from_seconds(second), content).is_pass() {
            self.append(second as u128, second, json.as_bytes());
        }
    }

    fn pass_repeats(&mut self, second: i64) {
        for Repeat { id, content, .. } in self.suppressor.take_repeats() {
            self.append(id, second, &content);
        }
    }

    fn deliver(&mut self) {
        let mut batch = Batch::default();
        loop {
            batch.clear();
            self.spool.read(self.spool.cursor("siem"), 1_000, 1 << 20, &mut batch);
            self.got += batch.len() as u64;
            self.spool.advance("siem", batch.end());
            if batch.is_empty() {
                return;
            }
        }
    }

    fn commit(&mut self, folder: &Path) {
        self.spool.sync().unwrap();
        let Cursor { segment, offset } = self.spool.cursor("siem");
        let cursors = [("segment", segment), ("offset", offset)];
        let cursors = cursors.map(|(name, at)| (name.to_string(), Some(at))).to_vec();
        let mut commit = Commit { cursors, ..Commit::default() };
        self.suppressor.take_entries(|key, value| commit.suppress.push((key.to_vec(), value)));
        self.dir.commit(&commit).unwrap();
        let now = Sizes {
            windows: self.suppressor.len() as u64,
            memory: self.suppressor.memory_usage() as u64,
            state: bytes_in(&folder.join("state")),
            entries: last_entries(&self.dir).len() as u64,
            spool: bytes_in(&folder.join("spool")),
        };
        let largest = |(a, b): (u64, u64)| a.max(b);
        let [windows, memory, state, entries, spool] = {
            let both = self.sizes.all().into_iter().zip(now.all()).map(largest);
            let both: Vec<u64> = both.collect();
            [both[0], both[1], both[2], both[3], both[4]]
        };
        self.sizes = Sizes { windows, memory, state, entries, spool };
    }
}

/// The suppression entries in effect.
fn last_entries(dir: &StateDir) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut last = BTreeMap::new();
    let put = |key: &[u8], value: Option<&[u8]>| {
        match value {
            Some(value) => drop(last.insert(key.to_vec(), value.to_vec())),
            None => drop(last.remove(key)),
        }
        Ok(())
    };
    dir.entries().unwrap().each(put).unwrap();
    last
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// A day, during which the sink is unreachable for an hour.
fn live(folder: &Path, day: i64) -> Sizes {
    let first = START + day * DAY;
    let mut kept = Kept::open(folder, first);
    for second in first..first + DAY {
        kept.alert(second);
        if second % 60 != 0 {
            continue;
        }
        kept.suppressor.advance(Timestamp::from_seconds(second));
        kept.pass_repeats(second);
        let hour = (second - first) / HOUR;
        if hour != 3 {
            kept.deliver();
        }
        if second % (HOUR / 4) == 0 {
            kept.commit(folder);
        }
    }
    kept.deliver();
    kept.commit(folder);
    assert_eq!(kept.got, kept.passed, "day {day}");
    kept.sizes
}

#[test]
fn a_week_leaves_no_more_than_a_day() {
    // Prefer a folder in memory: hundreds of commits are synced.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let days: BTreeMap<i64, Sizes> = (0..7).map(|day| (day, live(folder.path(), day))).collect();
    // The first day starts from nothing, and a day is long enough to reach every bound.
    for (one, seven) in days[&0].all().into_iter().zip(days[&6].all()) {
        let max = one + one / 10;
        assert!(one > 0 && seven <= max && seven >= one - one / 10, "{days:#?}");
    }
}
