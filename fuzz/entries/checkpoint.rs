//! Any bytes as the state of a sensor.

use wiresift::sensor::checkpoint::{CheckpointState, Commit};
use wiresift::sensor::input::tail::FileRecord;

/// The bytes as a log of commits. What is read is written and read again.
pub fn log(data: &[u8]) {
    let Ok((state, valid)) = CheckpointState::parse(data) else { return };
    assert!(valid <= data.len());
    // What follows the last complete commit has no effect.
    assert_eq!(CheckpointState::parse(&data[..valid]).unwrap(), (state.clone(), valid));
    let bytes = state.to_bytes().expect("no member is longer than what it was read from");
    assert_eq!(CheckpointState::parse(&bytes).unwrap(), (state, bytes.len()));
}

/// The bytes as one commit, and as the record of a file.
pub fn commit(data: &[u8]) {
    if let Some(record) = FileRecord::decode(data) {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        assert_eq!(FileRecord::decode(&bytes), Some(record));
    }
    let Some(commit) = Commit::parse(data) else { return };
    let bytes = commit.to_bytes();
    assert_eq!(Commit::parse(&bytes).as_ref(), Some(&commit));
    let (mut once, mut twice) = (CheckpointState::default(), CheckpointState::default());
    once.apply(&commit);
    twice.apply(&commit);
    twice.apply(&Commit::default());
    assert_eq!(once, twice);
    let log = once.to_bytes().expect("no member is longer than what it was read from");
    assert_eq!(CheckpointState::parse(&log).unwrap().0, once);
}
