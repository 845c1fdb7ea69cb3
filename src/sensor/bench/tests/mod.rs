//! The set alone, against the definitions taken literally, and what is known of single cases.

mod advice;
mod corpus;
mod limits;
mod subset;
mod twin;

use super::{Bench, Group, GroupBy, Overlap, Question, Report, text};
use crate::engine::compile::Compiler;
use crate::engine::database::Database;
use crate::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
use std::sync::Arc;

/// The reference time of all tests.
fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T12:00:00Z").unwrap()
}

/// Compiles (context, kind, value, scope) rows.
fn compiled(rows: &[(Context<'static>, Kind, &str, Scope)]) -> Database {
    let mut compiler = Compiler::default();
    for (context, kind, value, scope) in rows {
        let context = Arc::new(context.clone());
        compiler.add(Indicator::new(*kind, value, *scope, context).unwrap());
    }
    Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap()
}

/// Compiles (feed, kind, value, scope) rows about any network.
pub(super) fn database(rows: &[(&str, Kind, &str, Scope)]) -> Database {
    let context = |feed: &str| Context { internal: true, ..Context::of_feed(feed) };
    let rows: Vec<_> = rows
        .iter()
        .map(|(feed, kind, value, scope)| (context(feed), *kind, *value, *scope))
        .collect();
    compiled(&rows)
}

pub(super) fn judge(database: &Database) -> Report {
    Bench::new(database, GroupBy::Feed).judge(&Question::new(now()), None)
}

fn group<'r>(report: &'r Report, name: &str) -> &'r Group {
    report.groups.iter().find(|group| group.name == name).unwrap()
}

fn pair<'r>(report: &'r Report, a: &str, b: &str) -> &'r Overlap {
    report.overlap.iter().find(|pair| (&*pair.a, &*pair.b) == (a, b)).unwrap()
}

/// How much of each group another covers, by (entry, covering entry) of one value each.
fn covers(b: (Kind, &str, Scope), a: (Kind, &str, Scope)) -> bool {
    let rows = [("a", a.0, a.1, a.2), ("b", b.0, b.1, b.2)];
    let report = judge(&database(&rows));
    let pair = pair(&report, "a", "b");
    assert!(pair.a_covered <= 1);
    pair.a_covered == 1
}

#[test]
fn the_example_of_the_manual() {
    use Kind::{Domain, Ip, Net};
    let all = Scope::Subtree;
    let database = database(&[
        ("A", Net, "203.0.113.0/24", Scope::Exact),
        ("A", Domain, "evil.example", all),
        ("B", Ip, "203.0.113.66", Scope::Exact),
        ("B", Domain, "cdn.evil.example", all),
        ("C", Domain, "evil.example", all),
        ("C", Ip, "192.0.2.9", Scope::Exact),
    ]);
    let report = judge(&database);
    assert_eq!((report.set.values, report.set.entries, report.set.live), (5, 5, 5));
    let exclusive: Vec<_> =
        report.groups.iter().map(|group| (group.exclusive, group.exclusive_exact)).collect();
    assert_eq!(exclusive, [(1, 1), (0, 2), (1, 1)]);
    let shares: Vec<_> = report.overlap.iter().map(|pair| (pair.a_in_b, pair.b_in_a)).collect();
    assert_eq!(shares, [(Some(0.0), Some(1.0)), (Some(0.5), Some(0.5)), (Some(0.5), Some(0.0))]);
    let jaccard: Vec<_> = report
        .overlap
        .iter()
        .map(|pair| (pair.common, pair.union, pair.common_exact, pair.union_exact))
        .collect();
    assert_eq!(jaccard, [(2, 4, 0, 4), (1, 3, 1, 3), (1, 4, 0, 4)]);
    let steps: Vec<_> =
        report.cover_values.iter().map(|step| (&*step.group, step.adds, step.covered)).collect();
    assert_eq!(steps, [("A", 4, 4), ("C", 1, 5), ("B", 0, 5)]);
}

#[test]
fn a_feed_given_twice_has_nothing_of_its_own() {
    let rows: Vec<_> = ["a", "b"]
        .into_iter()
        .flat_map(|feed| {
            [
                (feed, Kind::Domain, "evil.example", Scope::Subtree),
                (feed, Kind::Ip, "192.0.2.1", Scope::Exact),
                (feed, Kind::Md5, "900150983cd24fb0d6963f7d28e17f72", Scope::Exact),
            ]
        })
        .collect();
    let report = judge(&database(&rows));
    let pair = &report.overlap[0];
    assert_eq!((pair.a_in_b, pair.b_in_a, pair.jaccard), (Some(1.0), Some(1.0), Some(1.0)));
    assert!(report.groups.iter().all(|group| group.exclusive == 0 && group.self_covered == 0));
}

#[test]
fn a_feed_of_expired_entries_has_no_shares() {
    let context = Context { valid_until: Some(Timestamp(1)), ..Context::of_feed("old") };
    let withdrawn = Context { inactive: true, ..Context::of_feed("old") };
    let report = judge(&compiled(&[
        (context, Kind::Domain, "evil.example", Scope::Subtree),
        (withdrawn, Kind::Domain, "bad.example", Scope::Subtree),
        (Context::of_feed("new"), Kind::Domain, "evil.example", Scope::Subtree),
    ]));
    let old = group(&report, "old");
    assert_eq!((old.values, old.entries, old.live, old.expired), (2, 2, 0, 2));
    assert_eq!(
        (old.exclusive_share, old.decayed, old.age.p50, old.age.undated),
        (None, None, None, None)
    );
    let pair = pair(&report, "new", "old");
    assert_eq!((pair.a_in_b, pair.b_in_a), (Some(0.0), None));
    // What has expired covers nothing.
    assert_eq!(group(&report, "new").exclusive, 1);
    let refresh = &report.advice[0];
    assert!(refresh.text.contains("2 of its 2 entries have expired"), "{refresh:?}");
}

#[test]
fn what_covers_what() {
    use Kind::{Domain, Email, Endpoint, Filename, Ip, Net, Url};
    use Scope::{Exact, Prefix, Subtree, SubtreeNoApex, Wildcard};
    for (b, a, is_covered) in [
        ((Ip, "192.0.2.1", Exact), (Endpoint, "192.0.2.1:443", Exact), true),
        ((Endpoint, "192.0.2.1:443", Exact), (Ip, "192.0.2.1", Exact), false),
        ((Endpoint, "192.0.2.1:443", Exact), (Endpoint, "192.0.2.1:80", Exact), false),
        ((Net, "192.0.2.0/24", Exact), (Endpoint, "192.0.2.1:443", Exact), true),
        ((Net, "192.0.2.0/24", Exact), (Net, "192.0.2.128/25", Exact), true),
        ((Net, "192.0.2.0/25", Exact), (Net, "192.0.2.0/24", Exact), false),
        ((Ip, "192.0.2.0", Exact), (Net, "192.0.2.0/24", Exact), false),
        ((Net, "2001:db8::/32", Exact), (Ip, "2001:db8::1", Exact), true),
        ((Domain, "evil.example", Subtree), (Domain, "evil.example", Exact), true),
        ((Domain, "evil.example", Exact), (Domain, "evil.example", Subtree), false),
        ((Domain, "evil.example", Exact), (Domain, "a.evil.example", Exact), false),
        ((Domain, "evil.example", SubtreeNoApex), (Domain, "evil.example", Exact), false),
        ((Domain, "evil.example", SubtreeNoApex), (Domain, "a.evil.example", Subtree), true),
        ((Domain, "evil.example", Subtree), (Domain, "evil.example", SubtreeNoApex), true),
        ((Domain, "evil.example", SubtreeNoApex), (Domain, "evil.example", Subtree), false),
        ((Domain, "*il.example", Wildcard), (Domain, "evil.example", Exact), true),
        ((Domain, "*il.example", Wildcard), (Domain, "evil.example", Subtree), false),
        ((Domain, "evil.example", Exact), (Url, "http://evil.example/x", Exact), true),
        ((Domain, "evil.example", Subtree), (Url, "http://a.evil.example:8080/x", Exact), true),
        ((Domain, "evil.example", Exact), (Url, "http://a.evil.example/x", Exact), false),
        ((Domain, "evil.example", SubtreeNoApex), (Url, "http://evil.example/x", Prefix), false),
        ((Ip, "192.0.2.1", Exact), (Url, "http://192.0.2.1/x", Exact), true),
        ((Net, "2001:db8::/32", Exact), (Url, "http://[2001:db8::1]/x", Exact), true),
        ((Url, "http://evil.example/x", Exact), (Domain, "evil.example", Exact), false),
        ((Domain, "evil.example", Subtree), (Email, "a@b.evil.example", Exact), true),
        ((Domain, "evil.example", Exact), (Email, "a@evil.example", Exact), true),
        ((Email, "a@evil.example", Exact), (Domain, "evil.example", Exact), false),
        ((Filename, "*vil.exe", Wildcard), (Filename, "evil.exe", Exact), true),
        ((Filename, "evil.exe", Exact), (Filename, "*vil.exe", Wildcard), false),
    ] {
        assert_eq!(covers(b, a), is_covered, "{b:?} covers {a:?}");
    }
}

#[test]
fn private_addresses_are_withheld_unless_they_are_meant() {
    let open = Context::of_feed("a");
    let report = judge(&compiled(&[
        (open.clone(), Kind::Ip, "10.0.0.1", Scope::Exact),
        (open.clone(), Kind::Net, "192.0.0.0/8", Scope::Exact),
        (open, Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e", Scope::Exact),
        (
            Context { internal: true, ..Context::of_feed("b") },
            Kind::Ip,
            "192.168.0.1",
            Scope::Exact,
        ),
    ]));
    let a = group(&report, "a");
    assert_eq!(a.withheld["private"] + a.withheld["empty_hash"], 2);
    assert_eq!((a.entries, a.live), (3, 1));
    let lines = "a: 2 entries withheld (1: empty hash; it is the digest of an empty file; 1: \
                 private network; compile with --internal)";
    assert_eq!(text::withheld(&report), [lines]);
    let shown = super::text(&report);
    assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(lines), "{shown}");
    let page = super::html(&report);
    assert!(page.contains(&format!("<li>{lines}</li>")), "{page}");
    // The guard holds the wide network back at this address.
    assert_eq!(group(&report, "b").exclusive, 1);
}

#[test]
fn pulses_are_groups_if_asked_for() {
    let pulse = |name: &'static str, id: &'static str| Context {
        collection: Some(name.into()),
        collection_id: Some(id.into()),
        ..Context::of_feed("otx")
    };
    let database = compiled(&[
        (pulse("one", "1"), Kind::Domain, "a.example", Scope::Subtree),
        (pulse("one", "2"), Kind::Domain, "a.example", Scope::Subtree),
        (pulse("two", "3"), Kind::Domain, "b.example", Scope::Subtree),
        (Context::of_feed("otx"), Kind::Domain, "c.example", Scope::Subtree),
    ]);
    let report = Bench::new(&database, GroupBy::Pulse).judge(&Question::new(now()), None);
    let names: Vec<&str> = report.groups.iter().map(|group| &*group.name).collect();
    assert_eq!(names, ["otx", "otx/one (1)", "otx/one (2)", "otx/two"]);
    // Only pairs with something in common.
    assert_eq!(report.overlap.len(), 1);
    assert_eq!(report.overlap[0].jaccard, Some(1.0));
}

/// Of the dates of an entry the first that is known counts: last seen, modified, valid from, first
/// seen. The ledger has the last one, the change of the document (`corpus`).
#[test]
fn an_age_counts_from_the_first_date_that_is_known() {
    let day = |days: i64| Some(Timestamp(now().0 - days * 86_400_000_000));
    let context = Context {
        last_seen: day(10),
        modified: day(20),
        valid_from: day(30),
        first_seen: day(40),
        ..Context::of_feed("a")
    };
    let without: [fn(&mut Context<'static>); 4] = [
        |it| it.last_seen = None,
        |it| it.modified = None,
        |it| it.valid_from = None,
        |it| it.first_seen = None,
    ];
    let mut context = context;
    for (want, leave_out) in [10.0, 20.0, 30.0, 40.0].into_iter().zip(without) {
        let entry = (context.clone(), Kind::Domain, "a.example", Scope::Subtree);
        let report = judge(&compiled(&[entry]));
        assert_eq!(group(&report, "a").age.p50, Some(want));
        leave_out(&mut context);
    }
    let report = judge(&compiled(&[(context, Kind::Domain, "a.example", Scope::Subtree)]));
    assert_eq!((group(&report, "a").age.p50, group(&report, "a").age.undated), (None, Some(1.0)));
}

#[test]
fn ages_and_decay_follow_the_last_sighting() {
    let day = |days: i64| Some(Timestamp(now().0 - days * 86_400_000_000));
    let seen =
        |days| Context { last_seen: day(days), first_seen: day(90), ..Context::of_feed("a") };
    let phishing = Context { tags: vec!["Phishing".into()], ..seen(2) };
    let report = judge(&compiled(&[
        (seen(10), Kind::Domain, "a.example", Scope::Subtree),
        (seen(50), Kind::Domain, "b.example", Scope::Subtree),
        (phishing, Kind::Domain, "c.example", Scope::Subtree),
        (Context::of_feed("a"), Kind::Domain, "d.example", Scope::Subtree),
    ]));
    let a = group(&report, "a");
    assert_eq!((a.age.p50, a.age.p90, a.age.undated), (Some(10.0), Some(50.0), Some(0.25)));
    // 50 days are over the limit, and so are two for phishing.
    assert_eq!(a.decayed, Some(2.0 / 3.0));
    assert_eq!(
        a.age.first_seen.iter().map(|it| (&*it.month, it.entries)).collect::<Vec<_>>(),
        [("2026-08", 3)]
    );
    let old: Vec<_> =
        a.age.survival.iter().filter(|it| it.entries == 1).map(|it| it.days).collect();
    assert_eq!(old, [14, 30]);
}
