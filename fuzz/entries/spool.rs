//! Files of a spool, as after a crash or on a bad disk.

use std::fs;
use wiresift::engine::indicator::Timestamp;
use wiresift::sensor::spool::{Batch, Cursor, Limits, Record, Sink, Spool, Stored};

/// The beginning of each segment.
const MAGIC: &[u8] = b"wsspool\x01";

/// The first three bytes are a cursor and the position where the rest is split into two segments.
pub fn run(data: &[u8]) {
    let Some(([segment, offset, cut], rest)) = data.split_first_chunk::<3>() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = rest.split_at(usize::from(*cut).min(rest.len()));
    for (number, bytes) in [(1, first), (2, second)] {
        let path = folder.path().join(format!("{number:012}.spool"));
        fs::write(path, [MAGIC, bytes].concat()).unwrap();
    }
    let cursor = Cursor { segment: u64::from(segment % 4), offset: u64::from(*offset) };
    let sinks = [
        ("all".to_string(), Sink::default()),
        ("some".to_string(), Sink { cursor: Some(cursor), max_backlog: None }),
    ];
    let (spool, recovery) = Spool::open(folder.path(), Limits::default(), sinks).unwrap();
    assert_eq!(read(&spool, "all"), recovery.records);
    assert!(read(&spool, "some") <= recovery.records);
    let now = Timestamp::from_seconds(1_795_478_400);
    let record = Record::new([1; 16], 1, now, b"{}");
    assert_eq!(spool.append(&record, now, true).unwrap(), Stored::Yes);
    assert_eq!(read(&spool, "some"), 1);
}

/// Reads everything, a record at a time; returns how many there are.
fn read(spool: &Spool, sink: &str) -> u64 {
    let mut count = 0;
    let mut batch = Batch::default();
    loop {
        batch.clear();
        spool.read(spool.cursor(sink), 1, usize::MAX, &mut batch);
        spool.advance(sink, batch.end());
        if batch.is_empty() {
            return count;
        }
        count += batch.records().count() as u64;
    }
}
