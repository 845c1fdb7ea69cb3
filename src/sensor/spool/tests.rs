//! The log against a list of records, with crashes and damage.

use super::*;
use crate::engine::alert::Format;
use crate::engine::indicator::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_795_478_400_000_000);

fn record(number: u64, severity: u8, length: usize) -> Record {
    let id = u128::from(number).to_be_bytes();
    let json = format!("{{\"n\":{number},\"x\":\"{}\"}}\n", "x".repeat(length));
    Record::new(id, severity, Timestamp(number as i64), json.as_bytes())
}

fn numbers(spool: &Spool, sink: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let mut batch = Batch::default();
    loop {
        batch.clear();
        spool.read(spool.cursor(sink), 3, 1 << 16, &mut batch);
        found.extend(batch.records().map(|record| u128::from_be_bytes(record.id) as u64));
        spool.advance(sink, batch.end());
        if batch.is_empty() {
            return found;
        }
    }
}

fn sinks<const N: usize>(names: [&str; N]) -> [(String, Sink); N] {
    names.map(|name| (name.to_string(), Sink::default()))
}

fn at(cursors: &BTreeMap<String, Cursor>) -> Vec<(String, Sink)> {
    let sinks = cursors.iter();
    sinks.map(|(name, at)| (name.clone(), Sink { cursor: Some(*at), max_backlog: None })).collect()
}

fn small(max_bytes: u64) -> Limits {
    Limits { max_bytes, segment_bytes: max_bytes / 8 }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn each_sink_reads_all_in_order_and_what_all_read_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(folder.path(), small(1 << 16), sinks(["a", "b"])).unwrap();
    for number in 0..200 {
        assert_eq!(spool.append(&record(number, 1, 100), NOW, true).unwrap(), Stored::Yes);
    }
    assert!(files(folder.path()).len() > 3);
    let all: Vec<u64> = (0..200).collect();
    assert_eq!(numbers(&spool, "a"), all);
    assert!(files(folder.path()).len() > 3, "b has read nothing");
    assert_eq!((spool.backlog("a").bytes, spool.backlog("a").segments), (0, 0));
    assert!(spool.backlog("b").bytes > 200 * 100);
    assert_eq!(numbers(&spool, "b"), all);
    assert!(files(folder.path()).len() <= 1);
    assert!(spool.counters().bytes < 1 << 13);
    assert_eq!(numbers(&spool, "unknown"), [0u64; 0]);
}

#[test]
fn forms_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(folder.path(), Limits::default(), sinks(["a"])).unwrap();
    let first = record(1, 4, 0).form(Format::Ecs, b"{}\n").form(Format::Syslog, b"<1>\nx\n");
    assert_eq!(spool.append(&first, NOW, true).unwrap(), Stored::Yes);
    let mut batch = Batch::default();
    spool.read(spool.cursor("a"), 10, 10, &mut batch);
    let got = batch.records().next().unwrap();
    assert_eq!(got.json, br#"{"n":1,"x":""}"#);
    assert_eq!(got.form(Format::Json), Some(got.json));
    assert_eq!(got.form(Format::Syslog), Some(&b"<1>\nx"[..]));
    assert_eq!((got.form(Format::Cef), got.stored), (None, NOW));
    assert_eq!(got.hex(), "00000000000000000000000000000001");
    assert_eq!(got.to_record(), first);
}

#[test]
fn batches_are_bounded_and_a_long_record_comes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(folder.path(), Limits::default(), sinks(["a"])).unwrap();
    for (number, length) in [10, 900, 10, 10].into_iter().enumerate() {
        let stored = spool.append(&record(number as u64, 1, length), NOW, true);
        assert_eq!(stored.unwrap(), Stored::Yes);
    }
    let mut batch = Batch::default();
    let mut lengths = Vec::new();
    loop {
        batch.clear();
        let is_full = spool.read(spool.cursor("a"), 2, 300, &mut batch);
        assert_eq!(is_full, !batch.is_empty());
        if batch.is_empty() {
            break;
        }
        lengths.push(batch.len());
        spool.advance("a", batch.end());
    }
    assert_eq!(lengths, [1, 1, 2]);
    assert!(!spool.wait(spool.cursor("a"), Duration::ZERO));
    assert_eq!(spool.append(&record(9, 1, 1), NOW, true).unwrap(), Stored::Yes);
    assert!(spool.wait(spool.cursor("a"), Duration::from_secs(60)));
}

#[test]
fn a_batch_keeps_what_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(folder.path(), Limits::default(), sinks(["a"])).unwrap();
    let mut batch = Batch::default();
    let mut want = Vec::new();
    for number in 0..40 {
        let stored = spool.append(&record(number, (number % 3) as u8, number as usize), NOW, true);
        assert_eq!(stored.unwrap(), Stored::Yes);
        let from = batch.len();
        let at = if number == 0 { spool.cursor("a") } else { batch.end() };
        spool.read(at, 100, 1 << 20, &mut batch);
        batch.retain_from(from, |record| record.severity != 1);
        want.extend((number % 3 != 1).then_some(number));
    }
    let numbers = |batch: &Batch| -> Vec<u64> {
        batch.records().map(|record| u128::from_be_bytes(record.id) as u64).collect()
    };
    assert_eq!(numbers(&batch), want);
    batch.retain_from(5, |_| false);
    assert_eq!(numbers(&batch), want[..5]);
    batch.retain_from(0, |record| record.json.len() % 2 == 0);
    assert!(batch.records().all(|record| record.json.len() % 2 == 0));
}

#[test]
fn what_cannot_wait_is_shed_from_the_lowest_severity_on() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(folder.path(), small(40_000), sinks(["a"])).unwrap();
    let mut number = 0;
    let mut fill = |severity, can_wait| {
        loop {
            number += 1;
            let stored = spool.append(&record(number, severity, 100), NOW, can_wait).unwrap();
            if stored != Stored::Yes {
                return stored;
            }
        }
    };
    assert!(!spool.is_full());
    assert_eq!(fill(4, true), Stored::Full);
    let used = spool.counters().bytes;
    assert!((31_000..=32_000).contains(&used), "{used}");
    for severity in 1..=4 {
        assert_eq!(fill(severity, false), Stored::Shed);
        let used = spool.counters().bytes;
        let max = 32_000 + 2_000 * u64::from(severity);
        assert!((max - 300..=max).contains(&used), "{severity}: {used}");
    }
    assert_eq!(spool.counters().shed, [1; 4]);
    assert!(spool.is_full());
    numbers(&spool, "a");
    assert!(!spool.is_full());
    assert_eq!(spool.append(&record(0, 1, 2 << 20), NOW, true).unwrap(), Stored::TooLong);
}

#[test]
fn a_dead_sink_delays_no_other_and_a_lone_sink_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(folder.path(), small(40_000), sinks(["dead", "live"])).unwrap();
    let mut live = Vec::new();
    for number in 0..1000 {
        assert_eq!(spool.append(&record(number, 1, 100), NOW, true).unwrap(), Stored::Yes);
        if number % 10 == 0 {
            live.extend(numbers(&spool, "live"));
        }
    }
    live.extend(numbers(&spool, "live"));
    assert_eq!(live, (0..1000).collect::<Vec<_>>());
    let skipped = spool.counters().skipped["dead"];
    let dead = numbers(&spool, "dead");
    assert_eq!(dead, (skipped..1000).collect::<Vec<_>>());
    assert!(dead.len() > 100, "{skipped}");
    spool.forget("live");
    let full = (0..1000)
        .find(|number| spool.append(&record(*number, 1, 100), NOW, true).unwrap() == Stored::Full);
    assert!(full.is_some() && spool.is_full());
    assert_eq!(spool.counters().skipped["dead"], skipped);
}

#[test]
fn a_sink_limit_holds_whether_or_not_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink { cursor: None, max_backlog: Some(10_000) };
    let (spool, _) = Spool::open(folder.path(), small(80_000), [("a".into(), sink)]).unwrap();
    for number in 0..1000 {
        assert_eq!(spool.append(&record(number, 1, 100), NOW, true).unwrap(), Stored::Yes);
    }
    assert!(spool.backlog("a").bytes <= 10_000 + 200);
    let skipped = spool.counters().skipped["a"];
    assert_eq!(numbers(&spool, "a"), (skipped..1000).collect::<Vec<_>>());
}

#[test]
fn after_a_restart_each_sink_goes_on_and_numbers_of_segments_are_never_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut cursors = BTreeMap::new();
    for round in 0..5 {
        let with = if round == 0 { sinks(["a", "b"]).into() } else { at(&cursors) };
        let (spool, recovery) = Spool::open(folder.path(), small(1 << 16), with).unwrap();
        assert_eq!((recovery.cut_bytes, recovery.damaged_segments), (0, 0));
        assert_eq!(spool.append(&record(round, 1, 10), NOW, true).unwrap(), Stored::Yes);
        spool.sync().unwrap();
        assert_eq!(numbers(&spool, "a"), [round]);
        if round == 4 {
            assert_eq!(numbers(&spool, "b"), [0, 1, 2, 3, 4]);
        }
        let end = spool.end();
        assert!(cursors.get("a").is_none_or(|before| *before < end), "{end:?}");
        cursors = spool.cursors();
    }
    // Every segment is gone, and the cursors are not.
    let (spool, _) = Spool::open(folder.path(), small(1 << 16), at(&cursors)).unwrap();
    assert_eq!(files(folder.path()).len(), 0);
    assert_eq!(spool.append(&record(9, 1, 10), NOW, true).unwrap(), Stored::Yes);
    assert_eq!(numbers(&spool, "a"), [9]);
    // A new sink begins with what is there, or where it is asked to.
    assert_eq!(spool.append(&record(10, 1, 10), NOW, true).unwrap(), Stored::Yes);
    spool.add("old", Sink::default());
    spool.add("new", Sink { cursor: Some(spool.end()), max_backlog: None });
    assert_eq!(spool.append(&record(11, 1, 10), NOW, true).unwrap(), Stored::Yes);
    assert_eq!(numbers(&spool, "new"), [11]);
    assert_eq!(numbers(&spool, "old"), [9, 10, 11]);
}

#[test]
fn damage_skips_to_the_next_segment_and_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = Spool::open(folder.path(), small(1 << 14), sinks(["a"])).unwrap();
    let mut first = 0;
    for number in 0..40 {
        assert_eq!(spool.append(&record(number, 1, 100), NOW, true).unwrap(), Stored::Yes);
        first += u64::from(files(folder.path()).len() == 1);
    }
    let damaged = files(folder.path())[0].clone();
    let file = OpenOptions::new().write(true).open(&damaged).unwrap();
    file.write_all_at(b"?", fs::metadata(&damaged).unwrap().len() / 2).unwrap();
    let got = numbers(&spool, "a");
    assert_eq!(spool.counters().damage_met, 1);
    let cut = got.windows(2).position(|pair| pair[1] != pair[0] + 1).unwrap();
    assert_eq!(got[cut + 1], first, "{got:?}");
    assert!(0 < got[cut] && got[cut] < first);
    assert_eq!(got.last(), Some(&39));
}

#[test]
fn files_that_are_gone_or_not_ours_are_survived() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("000000000003.spool"), b"not ours").unwrap();
    fs::write(folder.path().join("3.spool"), b"another name").unwrap();
    fs::write(folder.path().join("notes.txt"), b"").unwrap();
    let (spool, recovery) = Spool::open(folder.path(), small(1 << 14), sinks(["a"])).unwrap();
    assert_eq!(recovery.records, 0);
    for number in 0..40 {
        assert_eq!(spool.append(&record(number, 1, 100), NOW, true).unwrap(), Stored::Yes);
    }
    let gone = files(folder.path()).into_iter().find(|file| file.ends_with("000000000005.spool"));
    fs::remove_file(gone.unwrap()).unwrap();
    let got = numbers(&spool, "a");
    assert!(got.len() < 40 && got.last() == Some(&39) && spool.counters().damage_met == 1);
    let wild = Cursor { segment: 5, offset: u64::MAX };
    drop(spool);
    Spool::open(folder.path(), small(1 << 14), at(&[("a".into(), wild)].into())).unwrap();
}

/// An operation on a log.
#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Read(bool, usize),
    Commit,
    /// The process ends; the last segment loses this much of its end, in per mille.
    Crash(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..300).prop_map(Step::Append),
        3 => (any::<bool>(), 1usize..8).prop_map(|(which, max)| Step::Read(which, max)),
        2 => Just(Step::Commit),
        1 => (0u64..=1000).prop_map(Step::Crash),
    ]
}

/// The list of records that the log has to equal.
#[derive(Default)]
struct Model {
    /// Each record, and where it ended.
    records: Vec<(u64, Cursor)>,
    /// What each sink reads next, and how much of that is committed.
    next: [u64; 2],
    committed: [u64; 2],
    cursors: BTreeMap<String, Cursor>,
    count: u64,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_a_list(steps in proptest::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { max_bytes: 1 << 20, segment_bytes: 2000 };
        let (mut spool, _) = Spool::open(folder.path(), limits, sinks(["0", "1"])).unwrap();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Append(length) => {
                    let stored = spool.append(&record(model.count, 1, length), NOW, true);
                    prop_assert_eq!(stored.unwrap(), Stored::Yes);
                    model.records.push((model.count, spool.end()));
                    model.count += 1;
                }
                Step::Read(which, max) => {
                    let which = usize::from(which);
                    let mut batch = Batch::default();
                    spool.read(spool.cursor(&which.to_string()), max, 700, &mut batch);
                    let got: Vec<u64> =
                        batch.records().map(|r| u128::from_be_bytes(r.id) as u64).collect();
                    let from = model.next[which];
                    let due: Vec<u64> = model.records.iter().map(|(number, _)| *number)
                        .filter(|number| *number >= from).take(got.len()).collect();
                    prop_assert_eq!(&got, &due);
                    let has_more = model.records.last().is_some_and(|(last, _)| *last >= from);
                    prop_assert_eq!(got.is_empty(), !has_more);
                    if let Some(last) = got.last() {
                        model.next[which] = last + 1;
                    }
                    spool.advance(&which.to_string(), batch.end());
                }
                Step::Commit => {
                    spool.sync().unwrap();
                    model.cursors = spool.cursors();
                    model.committed = model.next;
                }
                Step::Crash(mille) => {
                    drop(spool);
                    let cut = crash(folder.path(), mille);
                    let with = if model.cursors.is_empty() {
                        sinks(["0", "1"]).into()
                    } else {
                        at(&model.cursors)
                    };
                    spool = Spool::open(folder.path(), limits, with).unwrap().0;
                    if let Some(cut) = cut {
                        model.records.retain(|(_, end)| *end <= cut);
                    }
                    // What both sinks had read was removed, and is not read again.
                    let first = oldest(&spool, folder.path());
                    model.next = model.committed.map(|next| next.max(first.unwrap_or(0)));
                    if first.is_none() {
                        model.records.clear();
                    }
                }
            }
        }
        for which in 0..2 {
            let got = numbers(&spool, &which.to_string());
            let from = model.next[which];
            let due: Vec<u64> = model.records.iter().map(|(number, _)| *number)
                .filter(|number| *number >= from).collect();
            prop_assert_eq!(got, due);
        }
        prop_assert_eq!(spool.counters().damage_met, 0);
    }

    #[test]
    fn any_bytes_open_and_are_read_to_the_end(
        contents in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..200), 1..4),
        flips in proptest::collection::vec((0usize..2000, any::<u8>()), 0..6),
        cursor in (0u64..6, any::<u16>()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        {
            let limits = Limits { max_bytes: 1 << 20, segment_bytes: 1000 };
            let (spool, _) = Spool::open(folder.path(), limits, sinks(["a"])).unwrap();
            for number in 0..20 {
                let _ = spool.append(&record(number, 1, 100), NOW, true).unwrap();
            }
        }
        let mut flipped = files(folder.path());
        flipped.truncate(2);
        for (at, byte) in flips {
            let path = &flipped[at % 2];
            let mut bytes = fs::read(path).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            fs::write(path, bytes).unwrap();
        }
        for (number, bytes) in contents.iter().enumerate() {
            fs::write(folder.path().join(format!("{:012}.spool", number * 2)), bytes).unwrap();
        }
        let cursor = Cursor { segment: cursor.0, offset: cursor.1.into() };
        let with = Sink { cursor: Some(cursor), max_backlog: None };
        let (spool, recovery) = Spool::open(
            folder.path(), Limits::default(), [("a".into(), with), ("b".into(), Sink::default())],
        ).unwrap();
        prop_assert_eq!(numbers(&spool, "b").len() as u64, recovery.records);
        numbers(&spool, "a");
        prop_assert_eq!(spool.append(&record(7, 1, 100), NOW, true).unwrap(), Stored::Yes);
        prop_assert_eq!(numbers(&spool, "a"), [7]);
    }
}

/// Cuts the last segment; returns up to where something is left.
fn crash(folder: &Path, mille: u64) -> Option<Cursor> {
    let last = files(folder).pop()?;
    let length = fs::metadata(&last).unwrap().len();
    let left = length - length * mille / 1000;
    OpenOptions::new().write(true).open(&last).unwrap().set_len(left).unwrap();
    let segment = last.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    Some(Cursor { segment, offset: left })
}

/// The number of the oldest record that is there.
fn oldest(spool: &Spool, folder: &Path) -> Option<u64> {
    if files(folder).is_empty() {
        return None;
    }
    spool.add("oldest", Sink::default());
    let mut batch = Batch::default();
    spool.read(spool.cursor("oldest"), 1, 1, &mut batch);
    spool.forget("oldest");
    batch.records().next().map(|record| u128::from_be_bytes(record.id) as u64)
}
