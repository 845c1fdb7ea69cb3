//! The covering of a whole set, against the definitions applied to every pair of entries.

use super::{database, judge};
use crate::engine::indicator::{Kind, Scope};
use ipnet::IpNet;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Feed, kind, value and scope.
type Row = (&'static str, Kind, String, Scope);

fn name() -> impl Strategy<Value = String> {
    "([ab]\\.){0,3}[ab]\\.example"
}

fn address() -> impl Strategy<Value = String> {
    (0u8..4).prop_map(|last| format!("192.0.2.{last}"))
}

fn row() -> impl Strategy<Value = Row> {
    use Kind::{Domain, Email, Endpoint, Filename, Ip, Net, Url};
    let scopes = prop_oneof![Just(Scope::Exact), Just(Scope::Subtree), Just(Scope::SubtreeNoApex)];
    let value = prop_oneof![
        (name(), scopes).prop_map(|(name, scope)| (Domain, name, scope)),
        "\\*[ab]\\.example".prop_map(|pattern| (Domain, pattern, Scope::Wildcard)),
        address().prop_map(|address| (Ip, address, Scope::Exact)),
        (0u8..4, 29u8..32).prop_map(|(last, length)| {
            let net: IpNet = format!("192.0.2.{last}/{length}").parse().unwrap();
            (Net, net.trunc().to_string(), Scope::Exact)
        }),
        (address(), 1u16..3).prop_map(|(ip, port)| (
            Endpoint,
            format!("{ip}:{port}"),
            Scope::Exact
        )),
        prop_oneof![name(), address()].prop_map(|host| (
            Url,
            format!("http://{host}/x"),
            Scope::Exact
        )),
        name().prop_map(|name| (Email, format!("x@{name}"), Scope::Exact)),
        "[ab]{2}\\.exe".prop_map(|name| (Filename, name, Scope::Exact)),
        "\\*[ab]\\.exe".prop_map(|name| (Filename, name, Scope::Wildcard)),
    ];
    let feed = prop_oneof![Just("f"), Just("g"), Just("h")];
    (feed, value).prop_map(|(feed, (kind, value, scope))| (feed, kind, value, scope))
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|head| head.ends_with('.'))
}

/// Whether `b` is a name that reaches a host.
fn reaches(b: &Row, host: &str) -> bool {
    let (_, kind, value, scope) = b;
    *kind == Kind::Domain
        && match scope {
            Scope::Exact => value == host,
            Scope::Subtree => value == host || is_below(host, value),
            Scope::SubtreeNoApex => is_below(host, value),
            _ => false,
        }
}

fn contains(b: &Row, address: &str) -> bool {
    let net = |text: &str| text.parse::<IpNet>().or_else(|_| format!("{text}/32").parse());
    let (Ok(net), Ok(inner)) = (net(&b.2), net(address)) else { return false };
    matches!(b.1, Kind::Ip | Kind::Net) && net.contains(&inner)
}

fn accepts(b: &Row, kind: Kind, value: &str) -> bool {
    b.1 == kind && b.3 == Scope::Wildcard && value.ends_with(b.2.trim_start_matches('*'))
}

/// Whether `b` covers `a`: the table of the module, row by row.
fn covers(b: &Row, a: &Row) -> bool {
    let (_, kind, value, scope) = a;
    let is_same = (b.1, &b.2, b.3) == (*kind, value, *scope);
    is_same
        || match (kind, scope) {
            (_, Scope::Wildcard) => false,
            (Kind::Ip | Kind::Net, _) => contains(b, value),
            (Kind::Endpoint, _) => contains(b, value.split(':').next().unwrap()),
            (Kind::Domain, Scope::Exact) => reaches(b, value) || accepts(b, Kind::Domain, value),
            (Kind::Domain, of) => {
                let is_subtree = matches!(b.3, Scope::Subtree | Scope::SubtreeNoApex);
                let is_parent = is_subtree && is_below(value, &b.2);
                let is_whole = b.3 == Scope::Subtree && b.2 == *value;
                b.1 == Kind::Domain && (is_parent || is_whole && *of == Scope::SubtreeNoApex)
            }
            (Kind::Url, _) => {
                let host = value.trim_start_matches("http://").trim_end_matches("/x");
                reaches(b, host) || contains(b, host)
            }
            (Kind::Email, _) => reaches(b, value.trim_start_matches("x@")),
            _ => accepts(b, *kind, value),
        }
}

/// Distinct entries of a feed.
fn entries(rows: &[Row], feed: &str) -> BTreeSet<(Kind, String, Scope)> {
    let of_feed = rows.iter().filter(|row| row.0 == feed);
    of_feed.map(|row| (row.1, row.2.clone(), row.3)).collect()
}

proptest! {
    #[test]
    fn covering_is_that_of_the_definitions(rows in prop::collection::vec(row(), 1..24)) {
        let borrowed: Vec<_> =
            rows.iter().map(|(feed, kind, value, scope)| (*feed, *kind, &**value, *scope)).collect();
        let report = judge(&database(&borrowed));
        let is_covered_by = |entry: &(Kind, String, Scope), feed: &str| {
            let a = ("", entry.0, entry.1.clone(), entry.2);
            rows.iter().any(|b| b.0 == feed && covers(b, &a))
        };
        for group in &report.groups {
            let own = entries(&rows, &group.name);
            prop_assert_eq!(group.live, own.len() as u64);
            let others: Vec<_> =
                report.groups.iter().filter(|other| other.name != group.name).collect();
            let alone = own.iter().filter(|entry| {
                others.iter().all(|other| !is_covered_by(entry, &other.name))
            });
            prop_assert_eq!(group.exclusive, alone.count() as u64, "{} {:?}", group.name, rows);
            let by_itself = own.iter().filter(|entry| {
                let a = ("", entry.0, entry.1.clone(), entry.2);
                own.iter().any(|other| {
                    other != *entry && covers(&("", other.0, other.1.clone(), other.2), &a)
                })
            });
            prop_assert_eq!(group.self_covered, by_itself.count() as u64, "{:?}", rows);
        }
        for pair in &report.overlap {
            let (a, b) = (entries(&rows, &pair.a), entries(&rows, &pair.b));
            let covered = |own: &BTreeSet<_>, other: &str| {
                own.iter().filter(|entry| is_covered_by(entry, other)).count() as u64
            };
            prop_assert_eq!(pair.a_covered, covered(&a, &pair.b));
            prop_assert_eq!(pair.b_covered, covered(&b, &pair.a));
            let union: BTreeSet<_> = a.union(&b).cloned().collect();
            prop_assert_eq!(pair.union, union.len() as u64);
            let both = union.iter().filter(|entry| {
                is_covered_by(entry, &pair.a) && is_covered_by(entry, &pair.b)
            });
            prop_assert_eq!(pair.common, both.count() as u64, "{:?}", rows);
            let values = |entries: &BTreeSet<(Kind, String, Scope)>| -> BTreeSet<(Kind, String)> {
                entries.iter().map(|entry| (entry.0, entry.1.clone())).collect()
            };
            let (a, b) = (values(&a), values(&b));
            prop_assert_eq!(pair.common_exact, a.intersection(&b).count() as u64);
            prop_assert_eq!(pair.union_exact, a.union(&b).count() as u64);
        }
    }
}
