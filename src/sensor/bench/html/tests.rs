//! The page of a report: what is in it, and what must not be.

use super::html;
use crate::engine::indicator::{Kind, Scope};
use crate::sensor::bench::report::{
    Action, Advice, Cost, DropStep, Group, GroupCost, IndicatorFacts, Interval, Report,
};
use crate::sensor::bench::tests::{database, judge};

const HOSTILE: &str = "<script>alert('\"x')</script>";

fn group(name: &str, events: u64, own: u64) -> Group {
    let interval = Interval { median: 1000.0 * own as f64, low: 900.0, high: 2000.0 };
    Group {
        name: name.into(),
        feed: name.into(),
        live: 10,
        events: Some(events),
        events_exclusive: Some(own),
        cost: Some(GroupCost {
            bytes_marginal: Some(5_000_000),
            ns_per_mib: Some(interval),
            below_noise: Some(own == 0),
            ..GroupCost::default()
        }),
        ..Group::default()
    }
}

fn report() -> Report {
    let rows = [
        ("a", Kind::Domain, "evil.example", Scope::Subtree),
        (HOSTILE, Kind::Ip, "192.0.2.1", Scope::Exact),
    ];
    let mut report = judge(&database(&rows));
    report.groups = vec![group(HOSTILE, 20, 0), group("a", 50, 40), group("b", 10, 0)];
    report.set.events = Some(60);
    report.set.alerts = Some(80);
    let interval = Interval { median: 2e6, low: 1.9e6, high: 2.1e6 };
    report.cost =
        Some(Cost { ns_per_mib: Some(interval), aa: Some(Interval::default()), ..Cost::default() });
    report.indicators = vec![IndicatorFacts {
        kind: "domain".into(),
        value: HOSTILE.into(),
        scope: "subtree".into(),
        groups: vec![HOSTILE.into()],
        alerts: Some(3),
        hosts: None,
        hosts_began: None,
        p: None,
        p_hosts: None,
        p_of: None,
        flags: vec!["popular".into()],
        rank: Some(1),
        lists: vec![HOSTILE.into()],
        last_hit: None,
    }];
    report
}

fn drop_advice(name: &str) -> Advice {
    let (group, text) = (Some(name.to_string()), format!("drop {name}"));
    Advice { action: Action::Drop, group, value: None, suppress: None, gain: 1, text }
}

#[test]
fn names_are_text_and_nothing_is_loaded() {
    let mut report = report();
    report.advice = vec![drop_advice(HOSTILE), drop_advice("b")];
    let page = html(&report);
    assert!(page.starts_with("<!DOCTYPE html>"));
    for never in ["<script", "src=", "href=", "http:", "https:", "@import", "style=\"", " on"] {
        let markup = page.replace("<style>", "\u{0}").replace("</style>", "\u{0}");
        let markup: String = markup.split('\u{0}').step_by(2).collect();
        let tags =
            markup.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag);
        assert!(
            !tags.into_iter().any(|tag| tag.contains(never) && !tag.contains("aria-label")),
            "{never}"
        );
    }
    assert!(!page.contains("<script"));
    assert!(page.matches("&lt;script&gt;").count() >= 4);
    assert!(
        !include_str!("style.css").contains("url(h") && !include_str!("style.css").contains('<')
    );
    // What is opened is closed.
    for tag in ["section", "figure", "svg", "table", "details", "div", "li", "title", "desc"] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn feeds_that_stand_in_for_each_other_are_dropped_in_turn() {
    let mut report = report();
    report.advice = vec![drop_advice(HOSTILE), drop_advice("b")];
    let step = |group: &str, after: &[&str]| DropStep {
        group: group.into(),
        is_dropped: group != "a",
        events_exclusive: 0,
        exclusive: 0,
        after: after.iter().map(|name| (*name).to_string()).collect(),
    };
    report.drop_order = Some(vec![step(HOSTILE, &[]), step("b", &[]), step("a", &[])]);
    let page = html(&report);
    let saved = "That makes the database at least 10.0 MB smaller; scans would not get measurably \
                 faster.";
    assert!(
        page.contains(&format!("No event is lost without all of them, in this corpus. {saved}"))
    );
    report.drop_order = Some(vec![step(HOSTILE, &[]), step("b", &[HOSTILE]), step("a", &[])]);
    assert!(html(&report).contains("Some stand in for others that go, too"));
}

/// Both outputs round alike, and say one of one.
#[test]
fn the_page_shows_what_the_text_shows() {
    let mut report = report();
    report.groups[0].exclusive_share = Some(2.0 / 3.0);
    report.groups[1].exclusive_share = Some(0.999);
    report.groups[1].age.p50 = Some(2.5);
    let (page, lines) = (html(&report), crate::sensor::bench::text(&report));
    for shown in ["67%", "99%", "3 d"] {
        assert!(page.contains(&format!(">{shown}</td>")), "{shown}: {page}");
    }
    let cells = |name: &str| -> Vec<&str> {
        let row = lines.lines().find(|line| line.starts_with(name)).unwrap();
        row.split_whitespace().collect()
    };
    assert_eq!(cells("<scr")[3], "67");
    assert_eq!((cells("a ")[3], cells("a ")[8]), ("99", "3"));
    assert!(page.contains(">subtree</td>"));
    assert!(page.contains("0 feeds found nothing."));
    report.groups[2].events = Some(0);
    assert!(html(&report).contains("1 feed found nothing."));
}

#[test]
fn what_was_not_measured_is_not_shown() {
    let mut report = report();
    assert!(html(&report).contains("Cost against value"));
    report.cost.as_mut().unwrap().unreliable = true;
    let page = html(&report);
    assert!(!page.contains("Cost against value") && page.contains("not measurable here"));
    report.groups.clear();
    (report.cost, report.corpus, report.set.events) = (None, None, None);
    let page = html(&report);
    assert!(
        page.contains("nothing can be recommended")
            && !page.contains("NaN")
            && !page.contains("inf")
    );
}
