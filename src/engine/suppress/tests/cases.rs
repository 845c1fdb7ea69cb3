//! What passes, what is held back, and the resulting records.

use super::super::{AlertFacts, Config, Member, Reason, Suppressor, Verdict};
use super::{asked, seconds, snapshot, window_of};
use crate::engine::indicator::{Kind, Severity, Timestamp};

#[test]
fn the_window_is_fixed_from_the_first_alert() {
    let mut suppressor = Suppressor::new(window_of(100));
    let facts = asked("evil.example", "10.0.0.7");
    let mut passed = Vec::new();
    // A beacon every 30 s.
    for n in 0..10 {
        suppressor.advance(seconds(30 * n));
        let content = || format!("alert {n}").into_bytes();
        if suppressor.judge(&facts, seconds(30 * n), content).is_pass() {
            passed.push(30 * n);
        }
    }
    assert_eq!(passed, [0, 120, 240]);
    let repeats = suppressor.take_repeats();
    let reported: Vec<_> = repeats.iter().map(|r| (r.start, r.count, r.first, r.last)).collect();
    let s = seconds;
    assert_eq!(reported, [(s(0), 3, s(30), s(90)), (s(120), 3, s(150), s(210))]);
    assert_eq!(repeats[0].content, b"alert 3");
    assert_eq!(repeats[0].values, ["evil.example"]);
    assert_eq!(repeats[0].places, ["10.0.0.7 > 192.0.2.53:53"]);
    assert!(repeats.iter().all(|r| r.more == 0 && !r.is_partial));
    assert_ne!(repeats[0].id, repeats[1].id);
    let key: Vec<_> = repeats[0].key.iter().map(|(m, text)| (m.name(), &**text)).collect();
    let want = [("indicator", "domain evil.example"), ("where", "dns"), ("local", "10.0.0.7")];
    assert_eq!(key, want);
}

#[test]
fn a_window_without_repeats_leaves_no_trace() {
    let mut suppressor = Suppressor::new(window_of(100));
    let facts = asked("evil.example", "10.0.0.7");
    assert_eq!(suppressor.judge(&facts, seconds(0), Vec::new), Verdict::Pass(Reason::First));
    suppressor.advance(seconds(99));
    assert_eq!(suppressor.len(), 1);
    suppressor.advance(seconds(100));
    assert!(suppressor.is_empty() && suppressor.memory_usage() == 0);
    assert_eq!(suppressor.take_repeats(), []);
}

#[test]
fn the_first_alerts_pass_and_other_keys_do_not_count() {
    let mut suppressor = Suppressor::new(Config { first: 3, ..window_of(100) });
    let mut passes = |local: &str| {
        (0..5)
            .filter(|&n| {
                suppressor.judge(&asked("evil.example", local), seconds(n), Vec::new).is_pass()
            })
            .count()
    };
    assert_eq!([passes("a"), passes("b"), passes("a")], [3, 3, 0]);
}

#[test]
fn what_is_new_passes() {
    let mut suppressor = Suppressor::new(Config { key: vec![Member::Local], ..window_of(100) });
    let mut judge = |facts: &AlertFacts<'_>| suppressor.judge(facts, seconds(1), Vec::new);
    let facts = asked("evil.example", "a");
    assert_eq!(judge(&facts), Verdict::Pass(Reason::First));
    assert_eq!(judge(&facts), Verdict::HeldBack);
    // Another indicator of the same key, and an additional match next to the first.
    assert_eq!(judge(&asked("more.example", "a")), Verdict::Pass(Reason::Indicator));
    let parent = vec![(Kind::Domain, "example")];
    let also = AlertFacts { others: parent, ..asked("evil.example", "a") };
    assert_eq!(judge(&also), Verdict::Pass(Reason::Indicator));
    assert_eq!(judge(&also), Verdict::HeldBack);
    // The same value as a different kind is a different indicator.
    let url = AlertFacts { indicator: (Kind::Url, "evil.example"), ..facts.clone() };
    assert_eq!(judge(&url), Verdict::Pass(Reason::Indicator));
    let feeds = AlertFacts { feeds: vec!["mine", "otx"], ..facts.clone() };
    assert_eq!(judge(&feeds), Verdict::Pass(Reason::Feed));
    assert_eq!(judge(&feeds), Verdict::HeldBack);
    let high = AlertFacts { severity: Severity::High, ..facts.clone() };
    assert_eq!(judge(&high), Verdict::Pass(Reason::Severity));
    assert_eq!([judge(&high), judge(&facts)], [Verdict::HeldBack; 2]);
    suppressor.advance(seconds(200));
    assert_eq!(suppressor.take_repeats()[0].severity, Severity::High);
}

#[test]
fn what_is_critical_passes_unless_it_is_asked_to_be_held_back() {
    let facts = AlertFacts { severity: Severity::Critical, ..asked("evil.example", "a") };
    let verdicts = |critical| {
        let mut suppressor = Suppressor::new(Config { critical, ..window_of(100) });
        [0, 1, 2].map(|n| suppressor.judge(&facts, seconds(n), Vec::new))
    };
    assert_eq!(verdicts(false), [Verdict::Pass(Reason::Critical); 3]);
    let (pass, held) = (Verdict::Pass(Reason::First), Verdict::HeldBack);
    assert_eq!(verdicts(true), [pass, held, held]);
}

#[test]
fn what_comes_late_opens_nothing_again() {
    let mut suppressor = Suppressor::new(window_of(100));
    let facts = asked("evil.example", "a");
    assert!(suppressor.judge(&facts, seconds(1000), Vec::new).is_pass());
    // Earlier than the window: it is counted in it.
    assert!(!suppressor.judge(&facts, seconds(10), Vec::new).is_pass());
    suppressor.advance(seconds(1100));
    let repeat = suppressor.take_repeats().remove(0);
    assert_eq!((repeat.count, repeat.first, repeat.start), (1, seconds(10), seconds(1000)));
    // It belongs to a window that has ended, so it counts as if it came now.
    assert!(suppressor.judge(&facts, seconds(1050), Vec::new).is_pass());
    assert!(!suppressor.judge(&facts, seconds(1199), Vec::new).is_pass());
    // Time does not go back.
    suppressor.advance(seconds(5));
    suppressor.advance(seconds(1200));
    let repeat = suppressor.take_repeats().remove(0);
    assert_eq!((repeat.start, repeat.last), (seconds(1100), seconds(1199)));
}

#[test]
fn lists_are_short_and_the_rest_is_counted() {
    let key = vec![Member::Where];
    let mut suppressor = Suppressor::new(Config { key, ..window_of(100) });
    suppressor.judge(&asked("evil.example", "a"), seconds(0), Vec::new);
    let texts: Vec<String> = (0..20).map(|n| format!("{n}{}", "ü".repeat(n * 30))).collect();
    for text in &texts {
        let facts = AlertFacts { value: text, ..asked("evil.example", "a") };
        assert!(!suppressor.judge(&facts, seconds(1), Vec::new).is_pass());
    }
    suppressor.shut_down();
    let repeat = suppressor.take_repeats().remove(0);
    assert_eq!((repeat.count, repeat.values.len(), repeat.more), (20, 8, 12));
    assert!(repeat.values.iter().all(|value| value.len() <= 256));
    assert_eq!(repeat.places.len(), 1);
}

#[test]
fn shutdown_gives_what_is_held_and_keeps_the_windows() {
    let mut suppressor = Suppressor::new(window_of(100)).recorded();
    let facts = asked("evil.example", "a");
    for n in 0..4 {
        suppressor.judge(&facts, seconds(n), Vec::new);
    }
    suppressor.shut_down();
    let early = suppressor.take_repeats().remove(0);
    assert_eq!((early.count, early.is_partial), (3, true));
    let mut state = Vec::new();
    suppressor.take_changes(&mut state);
    // After a restart, there is no second first alert, and nothing is counted twice.
    let mut restarted =
        Suppressor::restore(window_of(100), [&*state], seconds(10)).expect("what we wrote");
    assert!(!restarted.judge(&facts, seconds(10), Vec::new).is_pass());
    restarted.advance(seconds(100));
    let late = restarted.take_repeats().remove(0);
    assert_eq!((late.count, late.is_partial, late.start), (1, false, seconds(0)));
    assert_ne!(early.id, late.id);
}

#[test]
fn the_same_after_a_crash_has_the_same_identifier() {
    let facts = asked("evil.example", "a");
    let mut suppressor = Suppressor::new(window_of(100)).recorded();
    for n in 0..3 {
        suppressor.judge(&facts, seconds(n), Vec::new);
    }
    let state = snapshot(&suppressor);
    let repeat = |mut suppressor: Suppressor| {
        suppressor.advance(seconds(100));
        suppressor.take_repeats().remove(0)
    };
    let crashed = Suppressor::restore(window_of(100), [&*state], seconds(50)).unwrap();
    assert_eq!(repeat(suppressor), repeat(crashed));
}

#[test]
fn a_clock_that_was_set_back_silences_nothing() {
    let facts = asked("evil.example", "a");
    let mut suppressor = Suppressor::new(window_of(100)).recorded();
    suppressor.judge(&facts, seconds(1_000_000), Vec::new);
    let state = snapshot(&suppressor);
    let mut restored = Suppressor::restore(window_of(100), [&*state], seconds(50)).unwrap();
    assert!(!restored.judge(&facts, seconds(60), Vec::new).is_pass());
    restored.advance(seconds(150));
    assert_eq!(restored.take_repeats().len(), 1);
}

#[test]
fn another_key_ends_what_is_open() {
    let facts = asked("evil.example", "a");
    let mut suppressor = Suppressor::new(window_of(100)).recorded();
    for n in 0..3 {
        suppressor.judge(&facts, seconds(n), Vec::new);
    }
    let state = snapshot(&suppressor);
    let other = Config { key: vec![Member::Local, Member::Local], ..window_of(100) };
    let mut restored = Suppressor::restore(other.clone(), [&*state], seconds(50)).unwrap();
    assert_eq!(restored.config().key, [Member::Local]);
    suppressor.reconfigure(other);
    for suppressor in [&mut suppressor, &mut restored] {
        assert!(suppressor.is_empty());
        let repeats = suppressor.take_repeats();
        assert_eq!((repeats.len(), repeats[0].count, repeats[0].is_partial), (1, 2, true));
    }
}

#[test]
fn times_at_both_ends_are_times() {
    let mut suppressor = Suppressor::new(window_of(u64::MAX));
    let facts = asked("evil.example", "a");
    for at in [i64::MIN, i64::MAX, 0] {
        suppressor.judge(&facts, Timestamp(at), Vec::new);
    }
    suppressor.advance(Timestamp(i64::MAX));
    // The alert at 0 came late and is counted in the earlier window.
    assert_eq!(suppressor.take_repeats().len(), 1);
    assert!(suppressor.is_empty());
}

#[test]
fn names_of_members() {
    for &member in Member::ALL {
        assert_eq!(Member::from_name(member.name()), Some(member));
        assert_eq!(Member::from_number(member as u8), Some(member));
    }
    assert_eq!(Member::from_name("path"), None);
}
