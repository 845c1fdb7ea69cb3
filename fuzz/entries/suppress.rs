//! Any bytes as a state of suppression: an error, or a state that is the same when written again.
//! And as calls of a suppressor: nothing is lost, nothing is counted twice, the bounds hold.

use std::time::Duration;
use wiresift::engine::indicator::{Kind, Severity, Timestamp};
use wiresift::engine::suppress::{AlertFacts, Config, Member, Suppressor};

fn snapshot(suppressor: &Suppressor) -> Vec<u8> {
    let mut bytes = Vec::new();
    suppressor.snapshot(&mut bytes);
    bytes
}

fn config() -> Config {
    Config {
        key: vec![Member::Indicator, Member::Local],
        window: Duration::from_micros(50),
        first: 2,
        critical: true,
        max_keys: 4,
        max_bytes: 16 << 10,
    }
}

/// As a state, and as steps.
pub fn run(bytes: &[u8]) {
    if let Ok(mut restored) = Suppressor::restore(config(), [bytes], Timestamp(100)) {
        assert!(restored.len() <= 4);
        let again = snapshot(&restored);
        let twice =
            Suppressor::restore(config(), [&*again], Timestamp(100)).expect("what we wrote");
        assert_eq!(again, snapshot(&twice));
        restored.advance(Timestamp(i64::MAX));
        assert!(restored.is_empty());
    }
    steps(bytes);
}

/// Four bytes per step: an alert, time, or a restart.
fn steps(bytes: &[u8]) {
    const NAMES: [&str; 4] = ["a.example", "b.example", "c.example", "d.example"];
    let mut suppressor = Suppressor::new(config()).recorded();
    let (mut pieces, mut matched, mut reported) = (Vec::new(), 0u64, 0u64);
    for step in bytes.chunks_exact(4) {
        let (name, local) = (NAMES[usize::from(step[0] & 3)], NAMES[usize::from(step[0] >> 2 & 3)]);
        match step[0] >> 4 {
            0 => suppressor.advance(Timestamp(i64::from(step[1]))),
            1 => suppressor.shut_down(),
            2 => {
                pieces.push(Vec::new());
                suppressor.take_changes(pieces.last_mut().expect("it was pushed"));
                pieces.retain(|piece| !piece.is_empty());
                let own = pieces.iter().map(Vec::as_slice);
                let mut restored =
                    Suppressor::restore(config(), own, Timestamp(255)).expect("what we wrote");
                assert_eq!(restored.len(), suppressor.len());
                reported +=
                    suppressor.take_repeats().iter().map(|repeat| repeat.count).sum::<u64>();
                assert!(restored.take_repeats().is_empty());
                suppressor = restored;
                pieces = vec![snapshot(&suppressor)];
            }
            _ => {
                let facts = AlertFacts {
                    local: local.into(),
                    feeds: vec![NAMES[usize::from(step[2] & 3)]],
                    severity: Severity::from_number(1 + (step[2] >> 6)).expect("1 to 4"),
                    ..AlertFacts::of_indicator(Kind::Domain, name)
                };
                matched += 1;
                let at = Timestamp(i64::from(step[1]));
                let content = || vec![0; usize::from(step[3]) * 64];
                reported += u64::from(suppressor.judge(&facts, at, content).is_pass());
            }
        }
        assert!(suppressor.len() <= 4 && suppressor.memory_usage() <= 18 << 10);
    }
    suppressor.shut_down();
    reported += suppressor.take_repeats().iter().map(|repeat| repeat.count).sum::<u64>();
    assert_eq!(matched, reported);
}
