//! Parts of a set, compiled from its database, against compilations of the feeds themselves.

use crate::engine::compile::Compiler;
use crate::engine::database::{Database, Section};
use crate::engine::indicator::{Context, Indicator, Kind, Role, Scope, Timestamp};
use crate::sensor::bench::{Bench, GroupBy, Question, Subset};
use std::collections::BTreeMap;
use std::sync::Arc;

type Row = (&'static str, Kind, &'static str, Scope);

/// Values in every structure, and what guards change and withhold.
const ROWS: &[Row] = &[
    ("a", Kind::Domain, "evil.example", Scope::Subtree),
    ("a", Kind::Domain, "evil.example", Scope::Exact),
    ("b", Kind::Domain, "evil.example", Scope::Subtree),
    ("b", Kind::Domain, "github.io", Scope::Subtree),
    ("a", Kind::Domain, "co.uk", Scope::Subtree),
    ("a", Kind::Net, "0.0.0.0/4", Scope::Exact),
    ("a", Kind::Ip, "192.0.2.1", Scope::Exact),
    ("b", Kind::Net, "2001:db8::/32", Scope::Exact),
    ("a", Kind::Endpoint, "192.0.2.1:443", Scope::Exact),
    ("a", Kind::Url, "http://evil.example/x?y=1", Scope::Exact),
    ("b", Kind::Url, "https://evil.example/x?y=1", Scope::Exact),
    ("b", Kind::UrlPath, "/gate.php", Scope::Exact),
    ("a", Kind::Email, "x@evil.example", Scope::Exact),
    ("a", Kind::Md5, "900150983cd24fb0d6963f7d28e17f72", Scope::Exact),
    ("b", Kind::Cve, "CVE-2024-1234", Scope::Exact),
    ("b", Kind::Filename, "evil*.exe", Scope::Wildcard),
    ("c", Kind::Domain, "good.example", Scope::Subtree),
];

fn compiled(rows: impl Iterator<Item = &'static Row>) -> Database {
    let mut compiler = Compiler::default();
    for (feed, kind, value, scope) in rows {
        let role = if *feed == "c" { Role::Allow } else { Role::Alert };
        let context = Arc::new(Context { role, ..Context::of_feed(*feed) });
        compiler.add(Indicator::new(*kind, value, *scope, context).unwrap());
    }
    Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap()
}

/// The sizes of the sections that look-ups use.
fn sections(database: &Database) -> BTreeMap<&'static str, usize> {
    let is_used = |(section, _): &(Section, usize)| *section != Section::Summary;
    database.sections().filter(is_used).map(|(section, size)| (section.name(), size)).collect()
}

fn part(database: &Database, subset: Subset) -> Database {
    let bytes = Bench::new(database, GroupBy::Feed).compile(subset).unwrap();
    Database::from_bytes(bytes).unwrap()
}

#[test]
fn parts_are_what_their_feeds_would_be_compiled_to() {
    let whole = compiled(ROWS.iter());
    let numbers = [("a", 0), ("b", 1)];
    let cases = [
        (Subset::Whole, compiled(ROWS.iter())),
        (Subset::Without(0), compiled(ROWS.iter().filter(|row| row.0 != "a"))),
        (Subset::Without(1), compiled(ROWS.iter().filter(|row| row.0 != "b"))),
        (Subset::Alone(1), compiled(ROWS.iter().filter(|row| row.0 != "a"))),
        (Subset::WithoutKind(1, Kind::Cve), compiled(ROWS.iter().filter(|row| row.1 != Kind::Cve))),
    ];
    for (subset, want) in &cases {
        let got = part(&whole, *subset);
        assert_eq!(sections(&got), sections(want), "{subset:?}");
        let report = |database| {
            Bench::new(database, GroupBy::Feed).judge(&Question::new(Timestamp(0)), None)
        };
        let (got, want) = (report(&got), report(want));
        assert_eq!((&got.groups, &got.overlap), (&want.groups, &want.overlap), "{subset:?}");
    }
    assert!(numbers.iter().all(|(name, number)| {
        let bench = Bench::new(&whole, GroupBy::Feed);
        bench.groups().nth(*number) == Some(*name)
    }));
}

#[test]
fn values_are_counted_by_group_and_kind() {
    let whole = compiled(ROWS.iter());
    let kinds = Bench::new(&whole, GroupBy::Feed).kinds();
    assert_eq!(kinds[&(0, Kind::Domain)], 1);
    assert_eq!(kinds[&(1, Kind::Domain)], 2);
    assert_eq!(kinds[&(1, Kind::Url)], 1);
    assert_eq!(kinds[&(1, Kind::Cve)], 1);
    // What guards withheld costs nothing.
    assert!(!kinds.contains_key(&(0, Kind::Net)));
}
