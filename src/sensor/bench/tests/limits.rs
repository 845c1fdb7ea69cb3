//! What is listed is limited, and what is counted is not.

use super::corpus::judged;
use super::{compiled, database, group, judge, now};
use crate::engine::indicator::{Context, Kind, Scope, Value};
use crate::sensor::bench::{Bench, GroupBy, Judged, Lists, Question, text};

#[test]
fn flagged_indicators_come_first_and_are_all_counted() {
    let names: Vec<String> = (0..2500).map(|number| format!("x{number}.example")).collect();
    let rows: Vec<_> =
        names.iter().map(|name| ("a", Kind::Domain, &**name, Scope::Subtree)).collect();
    // The second half is listed; the first half alerts.
    let on = |_: Kind, value: &Value| {
        let number = value.to_string().trim_start_matches('x').split('.').next().map(str::parse);
        if number.is_some_and(|number| number.is_ok_and(|number: u32| number >= 1250)) {
            vec![0]
        } else {
            vec![]
        }
    };
    let lists = ["known".to_string()];
    let lists = Lists { names: &lists, on: &on };
    let question = Question { lists: Some(lists), ..Question::new(now()) };
    let mut log: String = names[..1250].iter().map(|name| format!("{name}\n")).collect();
    log += "x2000.example\n";
    let report = judged(&database(&rows), &log, &question);
    assert_eq!(report.set.flagged, 1250);
    assert_eq!((report.flagged_left_out, report.indicators_left_out), (250, 1500));
    assert!(report.indicators.iter().all(|it| it.flags == ["listed"]));
    assert_eq!(report.indicators[0].value, "x2000.example");
    assert!(text(&report).contains("1240 more: --format json has the first 1000 of them all"));
    // What is flagged and alerts is counted once.
    assert_eq!(judge(&database(&rows)).set.flagged, 0);
    let few = judged(&database(&rows[1240..1260]), "x1255.example\n", &question);
    assert_eq!((few.set.flagged, few.flagged_left_out), (10, 0));
    assert!(text(&few).contains("listed"));
}

#[test]
fn pairs_of_many_feeds_are_those_with_something_in_common() {
    let feeds: Vec<String> = (0..150).map(|number| format!("feed{number:03}")).collect();
    let own: Vec<String> = (0..150).map(|number| format!("x{number}.example")).collect();
    let mut rows: Vec<_> = feeds
        .iter()
        .zip(&own)
        .map(|(feed, name)| (&**feed, Kind::Domain, &**name, Scope::Subtree))
        .collect();
    assert_eq!(judge(&database(&rows[..100])).overlap.len(), 4950);
    rows.push(("feed000", Kind::Domain, "both.example", Scope::Subtree));
    rows.push(("feed149", Kind::Domain, "both.example", Scope::Subtree));
    let report = judge(&database(&rows));
    let pairs: Vec<_> = report.overlap.iter().map(|pair| (&*pair.a, &*pair.b)).collect();
    assert_eq!((pairs, report.overlap_left_out), (vec![("feed000", "feed149")], 0));
    let all = feeds.iter().map(|feed| (&**feed, Kind::Domain, "all.example", Scope::Subtree));
    rows.extend(all);
    let report = judge(&database(&rows));
    assert_eq!((report.overlap.len(), report.overlap_left_out), (4950, 150 * 149 / 2 - 4950));
}

#[test]
fn pulses_without_anything_in_common_cover_nothing() {
    let pulse =
        |name: &'static str| Context { collection: Some(name.into()), ..Context::of_feed("otx") };
    let report = Bench::new(
        &compiled(&[
            (pulse("one"), Kind::Domain, "a.example", Scope::Subtree),
            (pulse("two"), Kind::Domain, "b.example", Scope::Subtree),
        ]),
        GroupBy::Pulse,
    )
    .judge(&Question::new(now()), None);
    assert!(report.overlap.is_empty());
    let text = text(&report);
    let row = text.lines().find(|line| line.starts_with("1 otx/one")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["1", "otx/one", ".", "0"]);
}

#[test]
fn verdicts_are_shown_and_counted_as_far_as_they_were_seen() {
    let judged_before = Judged::parse(b"evil.example,tp\nnever.example,fp\n").unwrap();
    let question = Question { judged: Some(&judged_before), ..Question::new(now()) };
    let database = database(&[("a", Kind::Domain, "evil.example", Scope::Subtree)]);
    let report = judged(&database, "evil.example\n", &question);
    assert_eq!((report.set.verdicts, report.set.verdicts_seen), (Some(2), Some(1)));
    assert_eq!(group(&report, "a").verdicts.as_ref().unwrap().tp, 1);
    let text = text(&report);
    assert!(text.contains("1 of 2 verdicts are about values seen"), "{text}");
    assert!(text.contains("a: 1 of 1 true, 100% (21 to 100%); too few verdicts"), "{text}");
}
