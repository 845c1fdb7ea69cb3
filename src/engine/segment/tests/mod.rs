//! Segments against a map in memory, damage, and the committed format.

use super::block::Block;
use super::layout::BLOCK;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// The slow twin: rows by key and first time.
type Twin = BTreeMap<(Vec<u8>, i64), Row>;

fn write(rows: &Twin) -> Vec<u8> {
    let mut writer = SegmentWriter::new(Vec::new(), rows.len() as u64).unwrap();
    for ((key, _), row) in rows {
        writer.push(key, row).unwrap();
    }
    let (bytes, summary) = writer.finish().unwrap();
    assert_eq!((summary.rows, summary.length), (rows.len() as u64, bytes.len() as u64));
    assert_eq!(summary.hash, xxhash_rust::xxh3::xxh3_128(&bytes));
    bytes
}

fn segment(rows: &Twin) -> Segment {
    Segment::from_bytes(write(rows)).unwrap()
}

fn all(segment: &Segment) -> Twin {
    let mut rows = Twin::new();
    let mut cursor = segment.cursor();
    cursor.advance().unwrap();
    while let Some((key, row)) = cursor.get() {
        assert!(rows.insert((key.to_vec(), row.first), *row).is_none());
        cursor.advance().unwrap();
    }
    rows
}

fn any_row() -> impl Strategy<Value = Row> {
    let time = prop_oneof![Just(1_800_000_000i64), -50..50i64, -(1i64 << 60)..1 << 60];
    let count = prop_oneof![Just(1u64), 1..9u64, 1..=u64::MAX];
    let marks = prop_oneof![0..3u64, any::<u64>()];
    let ended = prop::option::weighted(0.3, 0..100_000i64);
    let length = prop_oneof![Just(0i64), 0..1_000_000i64];
    (time, length, count, marks, any::<u32>(), ended).prop_map(
        |(first, length, count, marks, days, ended)| {
            let last = first + length;
            Row { first, last, count, marks, days, ended: ended.map(|gap| last + gap) }
        },
    )
}

fn any_key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(97..100u8, 1..6),
        2 => prop::collection::vec(any::<u8>(), 1..40),
        1 => (97..100u8, 1..MAX_KEY + 1).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

fn any_rows(most: usize) -> impl Strategy<Value = Twin> {
    prop::collection::vec((any_key(), any_row()), 0..most)
        .prop_map(|rows| rows.into_iter().map(|(key, row)| ((key, row.first), row)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn rows_are_those_of_the_twin(rows in any_rows(400), absent in any_key()) {
        let segment = segment(&rows);
        segment.check().unwrap();
        prop_assert_eq!(segment.rows(), rows.len() as u64);
        let firsts = rows.values().map(|row| row.first).min();
        let lasts = rows.values().map(|row| row.last).max();
        prop_assert_eq!(segment.times(), firsts.zip(lasts));
        let mut cursor = segment.cursor();
        for key in rows.keys().map(|(key, _)| key).chain([&absent]) {
            let want: Vec<Row> = rows
                .range((key.clone(), i64::MIN)..=(key.clone(), i64::MAX))
                .map(|(_, row)| *row)
                .collect();
            let mut found = Vec::new();
            segment.find(key, &mut found).unwrap();
            prop_assert_eq!(&found, &want);
            prop_assert!(want.is_empty() || segment.may_hold(key));
        }
        for key in rows.keys().map(|(key, _)| key).step_by(3) {
            cursor.seek(key).unwrap();
            prop_assert_eq!(cursor.get().map(|(found, _)| found), Some(&key[..]));
        }
        let after = rows.range((absent.clone(), i64::MIN)..).next();
        let mut cursor = segment.cursor();
        cursor.seek(&absent).unwrap();
        let got = cursor.get().map(|(key, row)| (key.to_vec(), *row));
        prop_assert_eq!(got, after.map(|((key, _), row)| (key.clone(), *row)));
        prop_assert_eq!(all(&segment), rows);
    }

    #[test]
    fn a_merge_is_that_of_the_twins(parts in prop::collection::vec(any_rows(200), 0..5)) {
        let segments: Vec<Segment> = parts.iter().map(segment).collect();
        let mut want: BTreeMap<Vec<u8>, Vec<Row>> = BTreeMap::new();
        for ((key, _), row) in parts.iter().flatten() {
            want.entry(key.clone()).or_default().push(*row);
        }
        let mut merge = Merge::new(&segments).unwrap();
        let mut got = BTreeMap::new();
        let mut last = Vec::new();
        while let Some((key, rows)) = merge.next_key().unwrap() {
            prop_assert!(last.as_slice() < key);
            last = key.to_vec();
            got.insert(key.to_vec(), rows.clone());
        }
        prop_assert_eq!(got, want);
    }

    #[test]
    fn any_bytes_are_a_block_or_none(
        bytes in prop::collection::vec(any::<u8>(), 0..400), key in any_key()) {
        let mut block = Block::default();
        if block.decode(&bytes, &key, Some).is_some() {
            prop_assert_eq!(block.get(0).map(|(key, _)| key.to_vec()), Some(key));
        } else {
            prop_assert_eq!(block.len(), 0);
        }
    }
}

/// Rows as a ledger has them.
fn some(count: u32) -> Twin {
    let mut rows = Twin::new();
    for number in 0..count {
        let mut key = vec![1];
        key.extend_from_slice(&(number * 7919).to_be_bytes());
        let mut row = Row { marks: 1, ..Row::at(1_800_000_000) };
        if number % 10 == 0 {
            (row.last, row.ended) = (row.first + 3600, Some(row.first + 7200));
            let again = Row { count: 2, ..Row::at(row.first + 9000) };
            rows.insert((key.clone(), again.first), again);
        }
        rows.insert((key, row.first), row);
    }
    rows
}

#[test]
fn every_damage_is_noticed() {
    let whole = write(&some(300));
    let sound = |bytes: &[u8]| Segment::from_bytes(bytes.to_vec()).and_then(|it| it.check());
    sound(&whole).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert!(sound(&damaged).is_err(), "byte {at}");
        assert!(sound(&whole[..at]).is_err(), "cut at {at}");
    }
    assert!(sound(&[whole.clone(), vec![0]].concat()).is_err());
    let mut newer = whole.clone();
    newer[8] += 1;
    let error = sound(&newer).unwrap_err().to_string();
    assert!(error.contains("format 2, this program reads 1"), "{error}");
}

#[test]
fn a_damaged_block_is_an_error_and_the_others_are_read() {
    let rows = some(1000);
    let mut bytes = write(&rows);
    bytes[20] ^= 1;
    let segment = Segment::from_bytes(bytes).unwrap();
    let mut cursor = segment.cursor();
    assert!(cursor.advance().unwrap_err().to_string().contains("a block is wrong at byte 16"));
    cursor.advance().unwrap();
    let second = rows.keys().nth(BLOCK).map(|(key, _)| &key[..]);
    assert_eq!(cursor.get().map(|(key, _)| key), second);
}

#[test]
fn rows_must_be_in_order() {
    let mut writer = SegmentWriter::new(Vec::new(), 9).unwrap();
    assert!(writer.push(b"", &Row::at(0)).is_err());
    assert!(writer.push(&[1; MAX_KEY + 1], &Row::at(0)).is_err());
    for number in 0..2 * BLOCK as i64 {
        writer.push(b"b", &Row::at(number)).unwrap();
        assert!(writer.push(b"a", &Row::at(number)).is_err());
        assert!(writer.push(b"b", &Row::at(number - 1)).is_err());
    }
    let segment = Segment::from_bytes(writer.finish().unwrap().0).unwrap();
    let mut rows = Vec::new();
    segment.find(b"b", &mut rows).unwrap();
    assert_eq!(rows.len(), 2 * BLOCK);
}

#[test]
fn nothing_is_a_segment_too() {
    let segment = segment(&Twin::new());
    segment.check().unwrap();
    assert_eq!((segment.rows(), segment.times()), (0, None));
    assert!(!segment.may_hold(b"a") && !segment.may_hold(b""));
    assert!(all(&segment).is_empty());
}

#[test]
fn a_file_is_mapped_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one");
    assert!(Segment::open(&path).unwrap_err().to_string().contains("cannot open the segment"));
    std::fs::write(&path, "").unwrap();
    assert!(Segment::open(&path).unwrap_err().to_string().contains("not a segment"));
    std::fs::write(&path, write(&some(50))).unwrap();
    assert_eq!(all(&Segment::open(&path).unwrap()), some(50));
}

#[test]
fn a_row_takes_few_bytes() {
    // Addresses spread over a network as large as all of IPv4 / 600, first seen together.
    let bytes = write(&some(100_000)).len() as f64 / some(100_000).len() as f64;
    assert!(bytes < 6.5, "{bytes} bytes per row");
}

/// The bytes of this version are those of the committed segment: a change of them raises the
/// version.
#[test]
fn the_format_is_the_committed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/segments/addresses");
    let bytes = write(&some(300));
    if std::env::var_os("WIRESIFT_BLESS").is_some() {
        std::fs::write(&path, &bytes).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == bytes, "the bytes of format {VERSION} have changed");
}
