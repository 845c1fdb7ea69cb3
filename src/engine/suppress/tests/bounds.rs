//! At the bounds: keys, bytes, and what a window remembers.

use super::super::window::MAX_SEEN;
use super::super::{AlertFacts, Config, Member, Reason, Suppressor, Verdict};
use super::{asked, seconds, window_of};

#[test]
fn the_least_recently_used_key_goes_and_says_what_it_held() {
    let mut suppressor = Suppressor::new(Config { max_keys: 2, ..window_of(100) });
    let [a, b, c] = ["a", "b", "c"].map(|local| asked("evil.example", local));
    for facts in [&a, &a, &b, &b, &a, &c] {
        suppressor.judge(facts, seconds(1), Vec::new);
    }
    // `b` was evicted: `a` was used after it.
    let repeats = suppressor.take_repeats();
    assert_eq!(repeats.len(), 1);
    assert_eq!((&*repeats[0].key[2].1, repeats[0].count, repeats[0].is_partial), ("b", 1, true));
    assert_eq!(suppressor.judge(&b, seconds(2), Vec::new), Verdict::Pass(Reason::First));
    // A window evicted after its end is complete.
    suppressor.judge(&b, seconds(2), Vec::new);
    suppressor.floor = seconds(500).0;
    suppressor.judge(&a, seconds(500), Vec::new);
    suppressor.judge(&c, seconds(500), Vec::new);
    assert!(suppressor.take_repeats().iter().any(|r| &*r.key[2].1 == "b" && !r.is_partial));
}

#[test]
fn bytes_are_bounded_whatever_is_held_back() {
    let max = 1 << 20;
    let mut suppressor = Suppressor::new(Config { max_bytes: max, ..window_of(100) });
    let mut count = 0;
    for n in 0..1000 {
        let local = format!("host-{n}");
        for _ in 0..3 {
            suppressor.judge(&asked("evil.example", &local), seconds(1), || vec![b'x'; 20_000]);
            assert!(suppressor.memory_usage() <= max);
        }
        count += suppressor.take_repeats().iter().map(|repeat| repeat.count).sum::<u64>();
    }
    assert!(suppressor.len() > 40 && suppressor.len() < 60, "{}", suppressor.len());
    suppressor.shut_down();
    count += suppressor.take_repeats().iter().map(|repeat| repeat.count).sum::<u64>();
    assert_eq!(count, 2000);
}

#[test]
fn content_that_is_too_long_is_left_out() {
    let mut suppressor = Suppressor::new(window_of(100));
    let facts = asked("evil.example", "a");
    for length in [0, 10, 1 << 20] {
        suppressor.judge(&facts, seconds(1), || vec![b'x'; length]);
    }
    suppressor.shut_down();
    assert_eq!(suppressor.take_repeats()[0].content, [b'x'; 10]);
}

#[test]
fn what_is_new_passes_also_after_what_a_window_remembers() {
    let mut suppressor = Suppressor::new(Config { key: vec![Member::Local], ..window_of(100) });
    let names: Vec<String> = (0..2 * MAX_SEEN).map(|n| format!("n{n}.example")).collect();
    for name in &names {
        let facts = AlertFacts { feeds: Vec::new(), ..asked(name, "a") };
        assert!(suppressor.judge(&facts, seconds(1), Vec::new).is_pass(), "{name}");
        assert!(!suppressor.judge(&facts, seconds(1), Vec::new).is_pass(), "{name}");
    }
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// A million keys, each with an alert held back: the estimate matches the actual memory use.
#[test]
fn a_million_keys_take_the_estimated_memory() {
    let mut suppressor = Suppressor::new(window_of(3600)).recorded();
    let before = resident();
    for n in 0..1_010_000u32 {
        let local = std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string();
        let facts = asked("evil.example", &local);
        suppressor.judge(&facts, seconds(1), Vec::new);
        if n % 8 == 0 {
            suppressor.judge(&facts, seconds(2), || vec![b'x'; 500]);
        }
        if n % 65_536 == 0 {
            suppressor.take_repeats();
            suppressor.take_changes(&mut Vec::new());
        }
    }
    let (taken, reckoned) = (resident() - before, suppressor.memory_usage());
    assert_eq!(suppressor.len(), 1_000_000);
    eprintln!("a million keys: {} MB resident, {} MB reckoned", taken >> 20, reckoned >> 20);
    assert!(reckoned <= 512 << 20, "{reckoned}");
    assert!(taken < reckoned * 5 / 4 + (64 << 20), "{taken} against {reckoned}");
}
