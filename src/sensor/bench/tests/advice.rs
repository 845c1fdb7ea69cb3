//! What is advised: all of it together, and for the reason that is given.

use super::corpus::judged;
use super::{compiled, database, group, judge, now};
use crate::engine::indicator::{Context, Kind, Scope, Timestamp};
use crate::sensor::bench::{Action, Lists, Question, Report, advise, text};
use std::fmt::Write as _;

/// A log of two days with these names in turn.
fn log(names: &[&str]) -> String {
    let mut log = String::new();
    for line in 0..1200 {
        let (day, name) = (20 + line / 400, names[line % names.len()]);
        writeln!(log, "2026-11-{day}T10:00:00Z 10.0.0.1 {name}").unwrap();
    }
    log
}

fn advised(report: &Report, action: Action) -> Vec<&str> {
    let advice = report.advice.iter().filter(|advice| advice.action == action);
    let mut groups: Vec<_> = advice.filter_map(|advice| advice.group.as_deref()).collect();
    groups.sort_unstable();
    groups
}

/// Following all of the advice loses no event.
#[test]
fn groups_that_have_the_same_are_not_all_dropped() {
    let all = Scope::Subtree;
    let rows = [
        ("a", Kind::Domain, "evil.example", all),
        ("b", Kind::Domain, "evil.example", all),
        ("c", Kind::Domain, "x.evil.example", all),
        ("d", Kind::Domain, "bad.example", all),
        ("e", Kind::Domain, "bad.example", all),
        ("e", Kind::Domain, "evil.example", all),
        ("f", Kind::Domain, "worse.example", all),
    ];
    let log = log(&["x.evil.example", "bad.example", "evil.example", "worse.example"]);
    let report = judged(&database(&rows), &log, &Question::new(now()));
    let dropped = advised(&report, Action::Drop);
    assert_eq!(dropped, ["a", "b", "c", "d"]);
    assert_eq!(advised(&report, Action::Keep), ["e", "f"]);
    let kept: Vec<_> = rows.into_iter().filter(|row| !dropped.contains(&row.0)).collect();
    let after = judged(&database(&kept), &log, &Question::new(now()));
    assert_eq!(after.set.events, report.set.events);
    let of_e = report.advice.iter().find(|it| it.group.as_deref() == Some("e")).unwrap();
    assert_eq!(
        of_e.text,
        "keep e: no other group finds 900 of its events after dropping a, b, c and 1 more"
    );
    // Of two that are equal one stays.
    let report = judged(&database(&rows[..2]), &log, &Question::new(now()));
    assert_eq!(advised(&report, Action::Drop), ["a"]);
    assert_eq!(
        report.advice[1].text,
        "keep b: no other group finds 600 of its events after dropping a"
    );
    let steps = report.drop_order.unwrap();
    assert_eq!((steps[1].events_exclusive, steps[1].exclusive), (600, 1));
}

#[test]
fn entries_without_a_date_do_not_decay() {
    let old = Context { last_seen: Some(Timestamp(0)), ..Context::of_feed("a") };
    let names: Vec<String> = (0..1000).map(|number| format!("x{number}.example")).collect();
    let mut rows = vec![(old.clone(), Kind::Domain, "old.example", Scope::Subtree)];
    rows.extend(
        names.iter().map(|name| (Context::of_feed("a"), Kind::Domain, &**name, Scope::Subtree)),
    );
    let report = judge(&compiled(&rows));
    let a = group(&report, "a");
    assert_eq!((a.dated, a.decayed_entries, a.decayed), (1, 1, Some(1.0)));
    assert!(advised(&report, Action::Refresh).is_empty(), "{:?}", report.advice);
    let report = judge(&compiled(&[rows.remove(0)]));
    assert_eq!(report.advice[0].text, "refresh or drop a: 1 of its 1 live entries have decayed");
    assert_eq!(report.advice[0].gain, 1);
}

#[test]
fn what_has_expired_is_refreshed_and_not_dropped() {
    let expired = Context { valid_until: Some(Timestamp(1)), ..Context::of_feed("old") };
    let report = judged(
        &compiled(&[
            (expired, Kind::Domain, "evil.example", Scope::Subtree),
            (Context::of_feed("new"), Kind::Domain, "evil.example", Scope::Subtree),
        ]),
        &log(&["evil.example"]),
        &Question::new(now()),
    );
    assert!(advised(&report, Action::Drop).is_empty(), "{:?}", report.advice);
    assert_eq!(advised(&report, Action::Refresh), ["old"]);
    let old = group(&report, "old");
    assert!(old.events_fair.unwrap().is_sign_positive());
}

#[test]
fn advice_is_ten_lines_and_says_why_there_is_none() {
    let names: Vec<String> = (0..14).map(|number| format!("x{number}.example")).collect();
    let feeds: Vec<String> = (0..14).map(|number| format!("feed{number}")).collect();
    let rows: Vec<_> = feeds
        .iter()
        .zip(&names)
        .map(|(feed, name)| (&**feed, Kind::Domain, &**name, Scope::Subtree))
        .collect();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    let mut report = judged(&database(&rows), &log(&names), &Question::new(now()));
    let cut = "4 more suggestions, with less to gain, are left out";
    assert_eq!(report.advice.len(), 10);
    assert_eq!(report.notes.iter().filter(|note| *note == cut).count(), 1);
    assert!(text(&report).contains(cut));
    // Once costs are known, all is advised again.
    advise(&mut report);
    assert_eq!(report.advice.len(), 10);
    assert_eq!(report.notes.iter().filter(|note| *note == cut).count(), 1);
    let short = judged(&database(&rows), "10.0.0.1 x1.example\n", &Question::new(now()));
    let why = "it has fewer than 1000 records (1), and its records have no times";
    assert!(short.advice[0].text.contains(why), "{:?}", short.advice);
    // It is said even if more could be suppressed than is shown.
    let lists = ["known".to_string()];
    let lists = Lists { names: &lists, on: &|_, _| vec![0] };
    let question = Question { lists: Some(lists), ..Question::new(now()) };
    let lines: String = names.iter().map(|name| format!("10.0.0.1 {name}\n")).collect();
    let short = judged(&database(&rows), &lines, &question);
    let actions = short.advice.iter().map(|advice| advice.action).collect::<Vec<_>>();
    assert_eq!((actions.len(), actions[0], actions[9]), (10, Action::Suppress, Action::None));
    assert!(short.notes.contains(&"5 more suggestions, with less to gain, are left out".into()));
}

#[test]
fn what_has_expired_and_what_has_decayed_are_counted_together() {
    let expired = Context { valid_until: Some(Timestamp(1)), ..Context::of_feed("a") };
    let decayed = Context { last_seen: Some(Timestamp(0)), ..Context::of_feed("a") };
    let fresh = Context { last_seen: Some(now()), ..Context::of_feed("a") };
    let row = |context: &Context<'static>, name: &'static str| {
        (context.clone(), Kind::Domain, name, Scope::Subtree)
    };
    let mut rows = vec![
        row(&expired, "a.example"),
        row(&expired, "b.example"),
        row(&decayed, "c.example"),
        row(&fresh, "d.example"),
        row(&fresh, "e.example"),
    ];
    let report = judge(&compiled(&rows));
    assert_eq!(
        report.advice[0].text,
        "refresh or drop a: 3 of its 5 entries have expired (2) or decayed (1)"
    );
    assert_eq!(report.advice[0].gain, 3);
    rows.push(row(&fresh, "f.example"));
    assert!(advised(&judge(&compiled(&rows)), Action::Refresh).is_empty());
}
