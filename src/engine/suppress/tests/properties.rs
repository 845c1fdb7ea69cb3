//! The same verdicts and records as the slow reference, with and without restarts.

use super::super::{AlertFacts, Config, Repeat, Suppressor};
use super::twin::{PlainRepeat, Twin};
use super::{asked, snapshot};
use crate::engine::indicator::{Kind, Severity, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// A step of a test.
#[derive(Clone, Debug)]
enum Step {
    Alert {
        domain: u8,
        local: u8,
        value: u8,
        feed: u8,
        parent: bool,
        severity: u8,
        at: i64,
    },
    Advance(i64),
    ShutDown,
    /// The state is restored from bytes; `true`: from changes, otherwise from a snapshot.
    Restart(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let alert = (0..2u8, 0..4u8, 0..12u8, 0..20u8, any::<bool>(), 0..40u8, 0..400i64);
    prop_oneof![
        20 => alert.prop_map(|(domain, local, value, feed, parent, severity, at)| {
            Step::Alert { domain, local, value, feed, parent, severity, at }
        }),
        3 => (0..400i64).prop_map(Step::Advance),
        1 => Just(Step::ShutDown),
        1 => any::<bool>().prop_map(Step::Restart),
    ]
}

fn plain(repeat: &Repeat) -> PlainRepeat {
    PlainRepeat {
        key: repeat.key.iter().map(|(_, text)| text.clone()).collect(),
        start: repeat.start.0,
        count: repeat.count,
        first: repeat.first.0,
        last: repeat.last.0,
        values: repeat.values.clone(),
        is_partial: repeat.is_partial,
    }
}

fn config(first: u32, critical: bool, max_keys: usize) -> Config {
    let window = Duration::from_micros(100);
    Config { first, critical, window, max_keys, ..Config::default() }
}

const DOMAINS: [&str; 2] = ["evil.example", "more.example"];
const LOCALS: [&str; 4] = ["a", "b", "c", "d"];
const FEEDS: [&str; 3] = ["mine", "otx", "third"];

fn facts<'a>(step: &Step, value: &'a str) -> Option<(AlertFacts<'a>, i64)> {
    let &Step::Alert { domain, local, feed, parent, severity, at, .. } = step else { return None };
    let mut facts = asked(DOMAINS[usize::from(domain)], LOCALS[usize::from(local)]);
    facts.value = value;
    facts.feeds = vec![FEEDS[usize::from(feed).saturating_sub(17)]];
    facts.severity = match severity {
        0 => Severity::Critical,
        1 | 2 => Severity::High,
        _ => Severity::Medium,
    };
    if parent {
        facts.others = vec![(Kind::Domain, "example")];
    }
    Some((facts, at))
}

proptest! {
    #[test]
    fn the_slow_twin_agrees(
        steps in prop::collection::vec(step(), 0..120),
        first in 1..4u32,
        critical: bool,
        max_keys in prop_oneof![1..6usize, Just(100)],
    ) {
        let config = config(first, critical, max_keys);
        let mut fast = Suppressor::new(config.clone());
        let mut slow = Twin::new();
        for step in &steps {
            let value = match step {
                Step::Alert { value, .. } => format!("v{value}"),
                _ => String::new(),
            };
            if let Some((facts, at)) = facts(step, &value) {
                let verdict = fast.judge(&facts, Timestamp(at), || value.clone().into_bytes());
                prop_assert_eq!(verdict, slow.judge(&config, &facts, at));
            }
            match *step {
                Step::Advance(to) => {
                    fast.advance(Timestamp(to));
                    slow.advance(&config, to);
                }
                Step::ShutDown => {
                    fast.shut_down();
                    slow.shut_down();
                }
                _ => {}
            }
            prop_assert!(fast.len() <= max_keys);
            let mut reported: Vec<PlainRepeat> = fast.take_repeats().iter().map(plain).collect();
            let mut want = std::mem::take(&mut slow.repeats);
            // Windows that end together may be in any order.
            reported.sort();
            want.sort();
            prop_assert_eq!(reported, want);
        }
    }

    /// Restarts lose nothing and repeat nothing: for each key, the matches are those that passed
    /// plus those counted in records.
    #[test]
    fn every_alert_counts_once(
        steps in prop::collection::vec(step(), 0..120),
        first in 1..4u32,
        max_keys in prop_oneof![1..6usize, Just(100)],
    ) {
        let config = config(first, true, max_keys);
        let mut suppressor = Suppressor::new(config.clone()).recorded();
        let mut log: Vec<Vec<u8>> = Vec::new();
        let (mut matched, mut reported) = (BTreeMap::new(), BTreeMap::new());
        let mut identifiers = Vec::new();
        let key = |facts: &AlertFacts<'_>| (facts.indicator.1.to_string(), facts.local.to_string());
        let mut count = |repeats: Vec<Repeat>, reported: &mut BTreeMap<_, u64>| {
            for repeat in repeats {
                identifiers.push(repeat.id);
                let domain = repeat.key[0].1.trim_start_matches("domain ").to_string();
                *reported.entry((domain, repeat.key[2].1.clone())).or_default() += repeat.count;
            }
        };
        for step in &steps {
            if let Some((facts, at)) = facts(step, "v") {
                *matched.entry(key(&facts)).or_default() += 1u64;
                if suppressor.judge(&facts, Timestamp(at), Vec::new).is_pass() {
                    *reported.entry(key(&facts)).or_default() += 1;
                }
            }
            match *step {
                Step::Advance(to) => suppressor.advance(Timestamp(to)),
                Step::ShutDown => suppressor.shut_down(),
                Step::Restart(true) => {
                    log.push(Vec::new());
                    suppressor.take_changes(log.last_mut().unwrap());
                    log.retain(|piece| !piece.is_empty());
                }
                Step::Restart(false) => log = vec![snapshot(&suppressor)],
                Step::Alert { .. } => {}
            }
            count(suppressor.take_repeats(), &mut reported);
            if matches!(step, Step::Restart(_)) {
                let pieces = log.iter().map(Vec::as_slice);
                let now = Timestamp(suppressor.floor.max(400));
                let restored = Suppressor::restore(config.clone(), pieces, now).unwrap();
                let sorted = |of: &Suppressor| {
                    let mut windows = Vec::new();
                    for slot in of.table.by_use() {
                        of.table.visit(slot, |window| windows.push(window.clone()));
                    }
                    windows.sort_by(|a, b| a.key.cmp(&b.key));
                    windows
                };
                prop_assert_eq!(sorted(&restored), sorted(&suppressor));
                suppressor = restored;
                // As the documentation requires; otherwise a later piece would belong to two
                // states.
                log = vec![snapshot(&suppressor)];
            }
        }
        suppressor.shut_down();
        count(suppressor.take_repeats(), &mut reported);
        prop_assert_eq!(matched, reported);
        let all = identifiers.len();
        identifiers.sort_unstable();
        identifiers.dedup();
        prop_assert_eq!(all, identifiers.len());
    }

    #[test]
    fn damaged_states_are_errors(
        mut bytes in prop::collection::vec(any::<u8>(), 0..80),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let now = Timestamp(0);
        let _ = Suppressor::restore(Config::default(), [&*bytes], now);
        let mut suppressor = Suppressor::new(config(1, false, 9));
        for n in 0..9 {
            suppressor.judge(&asked(DOMAINS[0], LOCALS[n % 4]), Timestamp(0), || vec![7; 9]);
        }
        bytes = snapshot(&suppressor);
        let cut = at.index(bytes.len());
        // A truncated state has fewer windows, or is an error.
        if let Ok(part) = Suppressor::restore(config(1, false, 9), [&bytes[..cut]], now) {
            prop_assert!(part.len() < suppressor.len());
        }
        bytes[cut] = byte;
        if let Ok(restored) = Suppressor::restore(config(1, false, 9), [&*bytes], now) {
            let again = snapshot(&restored);
            let twice = Suppressor::restore(config(1, false, 9), [&*again], now).unwrap();
            prop_assert_eq!(again, snapshot(&twice));
        }
    }
}
