//! Tallies of hits, judged.

use super::{compiled, database, group, now};
use crate::engine::database::Database;
use crate::engine::indicator::{Context, Kind, Scope, Timestamp, Value};
use crate::engine::scan::{Origin, Scanner};
use crate::sensor::bench::{
    Bench, CorpusRead, GroupBy, Judged, LedgerTable, Lists, Party, Popular, Question, Report, Span,
    text,
};
use std::net::IpAddr;

/// Scans lines, in which the addresses of 10/8 are hosts that began the contact, unless the line
/// begins with `?`.
pub(super) fn judged(database: &Database, log: &str, question: &Question<'_>) -> Report {
    let bench = Bench::new(database, GroupBy::Feed);
    let mut tally = bench.tally();
    let host = |line: &str| -> Vec<Party> {
        let began = (!line.starts_with('?')).then_some(true);
        let words = line.split([' ', '?']).filter(|word| word.starts_with("10."));
        words.map(|word| Party { host: word.parse().unwrap(), began }).collect()
    };
    let lines: Vec<&str> = log.lines().collect();
    let all: Vec<IpAddr> = lines.iter().flat_map(|line| host(line)).map(|it| it.host).collect();
    tally.met(all.into_iter().collect());
    let openers = lines.iter().flat_map(|line| host(line)).filter(|it| it.began == Some(true));
    tally.began(openers.map(|it| it.host).collect());
    let (text, origin) = (log.as_bytes(), Origin::new("x.log"));
    Scanner::default().scan_text(database, text, 0..text.len(), &origin, |hit| {
        let crate::engine::indicator::Place::Log(place) = &hit.place else { panic!() };
        let line = lines[place.line as usize - 1];
        tally.add(&hit, &host(line));
    });
    tally.ends();
    let read = CorpusRead { inputs: 1, lines: lines.len() as u64, ..CorpusRead::default() };
    bench.judge(question, Some((tally, read)))
}

fn flags<'r>(report: &'r Report, value: &str) -> Vec<&'r str> {
    let found = report.indicators.iter().find(|it| it.value == value).unwrap();
    found.flags.iter().map(|flag| &**flag).collect()
}

#[test]
fn events_are_shared_fairly() {
    let all = Scope::Subtree;
    let database = database(&[
        ("a", Kind::Domain, "evil.example", all),
        ("a", Kind::Ip, "192.0.2.1", Scope::Exact),
        ("b", Kind::Domain, "evil.example", all),
        ("b", Kind::Domain, "x.evil.example", all),
        ("c", Kind::Domain, "bad.example", all),
    ]);
    let log = "10.0.0.1 x.evil.example 192.0.2.1\n10.0.0.2 192.0.2.1\nnobody\n\
        10.0.0.1 evil.example bad.example\n10.0.0.3 bad.example\n";
    let report = judged(&database, log, &Question::new(now()));
    assert_eq!(
        (report.set.alerts, report.set.events, report.set.hosts),
        (Some(6), Some(4), Some(3))
    );
    let of = |name| {
        let it = group(&report, name);
        (it.events.unwrap(), it.events_exclusive.unwrap(), it.events_fair.unwrap())
    };
    let third = 1.0 / 3.0;
    let want = [(3, 1, 1.0 + 0.5 + third), (2, 0, 0.5 + third), (2, 1, 1.0 + third)];
    assert_eq!([of("a"), of("b"), of("c")], want);
    let fair: f64 = report.groups.iter().map(|group| group.events_fair.unwrap()).sum();
    assert!((fair - 4.0).abs() < 1e-12);
    let a = group(&report, "a");
    assert_eq!((a.alerts, a.observables, a.observables_exclusive), (Some(4), Some(3), Some(1)));
    assert_eq!((a.hosts, a.hosts_exclusive, a.indicators_hit), (Some(2), Some(1), Some(2)));
    assert_eq!((a.coverage, a.yields, a.top_share), (Some(0.75), Some(1.0), Some(0.5)));
    let steps = report.cover_events.as_ref().unwrap();
    let steps: Vec<_> = steps.iter().map(|step| (&*step.group, step.adds)).collect();
    assert_eq!(steps, [("a", 3), ("c", 1), ("b", 0)]);
    let pair = &report.overlap[0];
    assert_eq!((pair.events_common, pair.events_union), (Some(2), Some(3)));
}

#[test]
fn what_is_risky_is_flagged_with_its_reason() {
    let all = Scope::Subtree;
    let database = database(&[
        ("a", Kind::Domain, "popular.example", all),
        ("a", Kind::Domain, "evil.example", all),
        ("a", Kind::Domain, "listed.example", all),
        ("a", Kind::Domain, "github.io", all),
        ("a", Kind::Url, "http://www.popular.example/x", Scope::Exact),
        ("b", Kind::Domain, "popular.example", all),
    ]);
    let popular = Popular::parse(b"7,www.popular.example\n90000,evil.example\n").unwrap();
    let names = ["known".to_string()];
    let on = |_: Kind, value: &Value| match value.to_string().as_str() {
        "listed.example" => vec![0],
        _ => vec![],
    };
    let judged_before = Judged::parse(b"evil.example,tp\npopular.example,fp\n").unwrap();
    let question = Question {
        popular: Some((&popular, 10_000)),
        lists: Some(Lists { names: &names, on: &on }),
        judged: Some(&judged_before),
        ..Question::new(now())
    };
    let log = "popular.example\npopular.example\npopular.example\nevil.example\n";
    let report = judged(&database, log, &question);
    assert_eq!(flags(&report, "popular.example"), ["popular", "storm"]);
    assert_eq!(flags(&report, "listed.example"), ["listed"]);
    assert_eq!(flags(&report, "github.io"), ["shared"]);
    assert_eq!(flags(&report, "http://www.popular.example/x"), ["shared"]);
    assert!(flags(&report, "evil.example").is_empty());
    let a = group(&report, "a");
    assert_eq!((a.popular_values, a.popular_rank, a.shared_values), (Some(1), Some(7), 2));
    assert_eq!(a.listed_values.as_ref().unwrap()["known"], 1);
    assert_eq!((a.alerts_risky, a.risky_share), (Some(3), Some(0.75)));
    assert_eq!(report.set.alerts_risky, Some(3));
    let verdicts = a.verdicts.as_ref().unwrap();
    assert_eq!((verdicts.tp, verdicts.fp, verdicts.precision), (1, 1, Some(0.5)));
    assert!(verdicts.too_few);
    assert_eq!(group(&report, "b").verdicts.as_ref().unwrap().precision, Some(0.0));
    // A small corpus is no reason to drop anything.
    let advice: Vec<_> = report.advice.iter().map(|advice| &*advice.text).collect();
    assert!(
        advice[0].starts_with("suppress popular.example in a, b: popular (rank 7), 3 alerts"),
        "{advice:?}"
    );
    assert!(advice[1].starts_with("the corpus is too small"), "{advice:?}");
    assert_eq!(advice.len(), 2);
}

#[test]
fn hosts_that_began_the_contact_make_an_indicator_prevalent() {
    let database = database(&[
        ("a", Kind::Domain, "all.example", Scope::Subtree),
        ("a", Kind::Domain, "few.example", Scope::Subtree),
        ("a", Kind::Domain, "who.example", Scope::Subtree),
    ]);
    let mut log = String::new();
    for host in 0..12 {
        log += &format!("10.0.0.{host} asks\n");
        if host < 10 {
            log += &format!("10.0.0.{host} all.example\n?10.0.0.{host} who.example\n");
        }
        if host < 2 {
            log += &format!("10.0.0.{host} few.example\n");
        }
    }
    let report = judged(&database, &log, &Question::new(now()));
    let of = |value: &str| report.indicators.iter().find(|it| it.value == value).unwrap();
    assert_eq!(flags(&report, "all.example"), ["prevalent"]);
    assert!((of("all.example").p.unwrap() / 5.87e-12 - 1.0).abs() < 0.01);
    assert_eq!(flags(&report, "who.example"), ["prevalent?"]);
    assert_eq!((of("who.example").hosts, of("who.example").hosts_began), (Some(10), Some(0)));
    let text = text(&report);
    assert!(
        text.contains("all.example: prevalent, 10 alerts, 10 of 12 hosts that began"),
        "{text}"
    );
    assert!(text.contains("by chance alone, 0.00 would be prevalent"), "{text}");
    assert!(flags(&report, "few.example").is_empty());
    assert!((of("few.example").p.unwrap() - 0.118).abs() < 0.001);
    assert_eq!(report.set.prevalent_by_chance, Some(0.003));
}

#[test]
fn without_hosts_and_times_there_are_no_rates() {
    let database = database(&[("a", Kind::Domain, "evil.example", Scope::Subtree)]);
    let report = judged(&database, "evil.example\n", &Question::new(now()));
    let corpus = report.corpus.as_ref().unwrap();
    assert_eq!((corpus.hosts, &corpus.begin, corpus.days), (None, &None, None));
    assert_eq!(corpus.events_without_host, 1);
    let a = group(&report, "a");
    assert_eq!((a.hosts, a.prevalent_values, a.alerts_per_day), (None, None, None));
    assert_eq!(report.indicators[0].hosts, None);
}

#[test]
fn hits_before_publication_are_late_and_hits_keep_alive() {
    let database = database(&[("a", Kind::Domain, "evil.example", Scope::Subtree)]);
    let mut ledger = LedgerTable::default();
    let first_seen = crate::engine::indicator::Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
    let span = Span {
        kind: Kind::Domain,
        value: "evil.example".into(),
        first_seen,
        last_seen: first_seen,
        absent_since: None,
        stood_at_first_fetch: false,
    };
    ledger.insert("a", Some(first_seen), vec![span]);
    let question = Question { ledger: Some(&ledger), ..Question::new(now()) };
    let log = "2026-11-18T00:00:00Z evil.example\n2026-11-21T00:00:00Z evil.example\n\
        2026-11-22T00:00:00Z evil.example\n2026-11-22T12:00:00Z evil.example\n";
    let report = judged(&database, log, &question);
    let a = group(&report, "a");
    assert_eq!(a.late_share, Some(0.25));
    assert_eq!(report.at, "2026-11-22T12:00:00.000000Z");
    assert_eq!(a.history.as_ref().unwrap().unchanged_days, Some(2.0));
    assert_eq!(a.alerts_per_day, Some(4.0 / 4.5));
    assert_eq!(report.indicators[0].last_hit.as_deref(), Some("2026-11-22T12:00:00.000000Z"));
}

#[test]
fn entries_without_a_date_are_as_old_as_the_document() {
    let database = database(&[("a", Kind::Domain, "evil.example", Scope::Subtree)]);
    let ages = |days: Option<i64>| {
        let mut ledger = LedgerTable::default();
        let changed = days.map(|days| Timestamp(now().0 - days * 86_400_000_000));
        ledger.insert("a", changed, Vec::new());
        let question = Question { ledger: Some(&ledger), ..Question::new(now()) };
        let report = Bench::new(&database, GroupBy::Feed).judge(&question, None);
        let a = group(&report, "a").clone();
        (a.age.p50, a.age.undated, a.decayed)
    };
    assert_eq!(ages(None), (None, Some(1.0), None));
    assert_eq!(ages(Some(3)), (Some(3.0), Some(0.0), Some(0.0)));
    assert_eq!(ages(Some(100)), (Some(100.0), Some(0.0), Some(1.0)));
    // It changes after the reference time: nothing is known of before.
    assert_eq!(ages(Some(-1)), (None, Some(1.0), None));
}

/// The population of a share is that of its part: hosts that never begin a contact cannot be among
/// those that do.
#[test]
fn servers_do_not_hide_what_all_clients_do() {
    let database = database(&[("a", Kind::Domain, "all.example", Scope::Subtree)]);
    let mut log = String::new();
    (0..5).for_each(|host| log += &format!("10.0.0.{host} all.example\n"));
    (0..90).for_each(|host| log += &format!("?10.0.1.{host} listens\n"));
    let report = judged(&database, &log, &Question::new(now()));
    let corpus = report.corpus.as_ref().unwrap();
    assert_eq!((corpus.hosts, corpus.hosts_began), (Some(95), Some(5)));
    let all = &report.indicators[0];
    assert_eq!((all.p_hosts, all.p_of), (Some(5), Some(5)));
    assert_eq!(flags(&report, "all.example"), ["prevalent", "storm"]);
    assert!((all.p.unwrap() / 0.05f64.powi(5) - 1.0).abs() < 1e-9);
}

/// Judges four hits on a value of which the ledger says this.
fn late(first_seen: &str, stood: bool, at: Option<&str>) -> Option<f64> {
    let database = database(&[("a", Kind::Domain, "evil.example", Scope::Subtree)]);
    let mut ledger = LedgerTable::default();
    let time = |text: &str| crate::engine::indicator::Timestamp::parse(text).unwrap();
    let span = Span {
        kind: Kind::Domain,
        value: "evil.example".into(),
        first_seen: time(first_seen),
        last_seen: time(first_seen),
        absent_since: None,
        stood_at_first_fetch: stood,
    };
    ledger.insert("a", Some(time(first_seen)), vec![span]);
    let question = Question { ledger: Some(&ledger), at: at.map(time), ..Question::new(now()) };
    let log = "2026-11-20T10:00:00Z evil.example\n2026-11-20T10:29:00Z evil.example\n\
        2026-11-20T10:31:00Z evil.example\n2026-11-20T10:59:00Z evil.example\n";
    let report = judged(&database, log, &question);
    if at.is_none() && first_seen > "2026-11-20T10:59:00Z" {
        assert!(report.notes.iter().any(|note| note.contains("the ledger begins at")));
        assert_eq!(group(&report, "a").history.as_ref().unwrap().unchanged_days, None);
    }
    group(&report, "a").late_share
}

#[test]
fn lateness_is_exact_and_only_of_what_has_a_date() {
    assert_eq!(late("2026-11-20T10:30:00Z", false, None), Some(0.5));
    assert_eq!(late("2026-11-20T09:30:00Z", false, None), Some(0.0));
    // What is published after the corpus is late for all of it.
    assert_eq!(late("2026-11-23T10:00:00Z", false, None), Some(1.0));
    assert_eq!(late("2026-11-23T10:00:00Z", false, Some("2026-11-24T00:00:00Z")), Some(1.0));
    // Nobody knows since when a value stood in a feed that was fetched for the first time.
    assert_eq!(late("2026-11-23T10:00:00Z", true, None), None);
}

/// A feed that lists a value again in a later pulse has had it since the earlier one.
#[test]
fn an_entry_is_published_by_the_earliest_of_its_claims() {
    let time = |text: &str| Some(Timestamp::parse(text).unwrap());
    let claim = |pulse: &'static str, first: &str, last: &str| {
        let (first_seen, last_seen) = (time(first), time(last));
        let context = Context { first_seen, last_seen, ..Context::of_feed("a") };
        let context = Context { collection: Some(pulse.into()), ..context };
        (context, Kind::Domain, "evil.example", Scope::Subtree)
    };
    let old = claim("p1", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z");
    let new = claim("p2", "2026-02-20T00:00:00Z", "2026-03-01T00:00:00Z");
    let log = "2026-02-10T00:00:00Z evil.example\n2026-03-10T00:00:00Z evil.example\n";
    for rows in [vec![old.clone(), new.clone()], vec![new.clone(), old]] {
        let report = judged(&compiled(&rows), log, &Question::new(now()));
        let a = group(&report, "a");
        assert_eq!(a.late_share, Some(0.0));
        assert_eq!((a.age.first_seen.len(), &*a.age.first_seen[0].month), (1, "2026-01"));
        // How old it is, the newest claim says.
        assert_eq!(a.age.p50, Some(9.0));
    }
    let report = judged(&compiled(std::slice::from_ref(&new)), log, &Question::new(now()));
    assert_eq!(group(&report, "a").late_share, Some(0.5));
    // A claim that had expired at the hit says so, too.
    let mut expired = claim("p1", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z");
    expired.0.valid_until = time("2026-02-01T00:00:00Z");
    let report = judged(&compiled(&[expired, new]), log, &Question::new(now()));
    assert_eq!(group(&report, "a").late_share, Some(0.0));
    assert_eq!(group(&report, "a").age.p50, Some(9.0));
}

/// Values of every structure are found again, whatever form alerts show them in.
#[test]
fn what_was_published_when_is_known_of_every_kind() {
    let first_seen = Some(Timestamp::parse("2026-11-20T00:00:00Z").unwrap());
    let context = Context { first_seen, internal: true, ..Context::of_feed("a") };
    let values = [
        (Kind::Domain, "evil.example", Scope::Subtree),
        (Kind::Domain, "*.wild-*.example", Scope::Wildcard),
        (Kind::Ip, "192.0.2.1", Scope::Exact),
        (Kind::Net, "198.51.100.0/24", Scope::Exact),
        (Kind::Ip, "2001:db8::7", Scope::Exact),
        (Kind::Endpoint, "192.0.2.9:8443", Scope::Exact),
        (Kind::Url, "https://url.example/a?b=1", Scope::Exact),
        (Kind::Email, "x@mail.example", Scope::Exact),
        (Kind::Md5, "900150983cd24fb0d6963f7d28e17f72", Scope::Exact),
        (Kind::Cve, "CVE-2024-1234", Scope::Exact),
    ];
    let rows = values.map(|(kind, value, scope)| (context.clone(), kind, value, scope));
    let log = "2026-11-19T00:00:00Z evil.example 192.0.2.1 198.51.100.9 2001:db8::7 192.0.2.9:8443 \
        https://url.example/a?b=1 x@mail.example 900150983cd24fb0d6963f7d28e17f72 CVE-2024-1234 \
        a.wild-b.example\n";
    let report = judged(&compiled(&rows), log, &Question::new(now()));
    assert_eq!(report.set.indicators_hit, Some(values.len() as u64));
    // A hit of which nobody knows whether it is late would not count.
    assert_eq!(group(&report, "a").late_share, Some(1.0));
    for row in &rows {
        let hits = judged(&compiled(std::slice::from_ref(row)), log, &Question::new(now()));
        assert_eq!(group(&hits, "a").late_share, Some(1.0), "{}", row.2);
    }
}
