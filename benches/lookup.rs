//! One observable against the database, through the public interface ([`Scanner::observe`]):
//! including counters, derived observables and filters. A hit yields every source with its whole
//! context.
//!
//! Each measurement cycles through [`QUERIES`] values, so that what it touches is in the cache;
//! divide by that for one lookup.

mod corpus;

use corpus::{Listed, Numbers, database, feed, is_measured};
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use wiresift::engine::indicator::{Kind, Observable, Timestamp, Where, digest};
use wiresift::{Database, Scanner};

/// Values in a round; `benches/peers/measure.py` divides by it.
const QUERIES: usize = 1024;
/// In a mixed round, one of this many values is listed.
const MIXED: usize = 16;

/// A value that owns its bytes.
enum Query {
    Address(IpAddr),
    Name(Vec<u8>),
    Url(Vec<u8>),
    Email(Vec<u8>),
    Digest(Kind, Vec<u8>),
}

impl Query {
    fn of(listed: &Listed) -> Query {
        let bytes = listed.value.clone().into_bytes();
        match listed.kind {
            Kind::Ip => Query::Address(listed.value.parse().unwrap()),
            Kind::Domain => Query::Name(bytes),
            Kind::Url => Query::Url(bytes),
            Kind::Email => Query::Email(bytes),
            kind => {
                let (digest, len) = digest::decode(&bytes).unwrap();
                Query::Digest(kind, digest[..len].to_vec())
            }
        }
    }

    fn observable(&self) -> Observable<'_> {
        match self {
            Query::Address(address) => Observable::Address(*address, None),
            Query::Name(name) => Observable::Name(name),
            Query::Url(url) => Observable::Url(url),
            Query::Email(email) => Observable::Email(email),
            Query::Digest(kind, digest) => Observable::Digest(*kind, digest),
        }
    }
}

/// A kind, and how to make a value of it that no feed lists.
type Case = (&'static str, Kind, fn(&mut Numbers) -> Query);

const CASES: [Case; 5] = [
    ("ipv4", Kind::Ip, |n| {
        // Half of them in ranges where hardly anything is listed, half among listed ones.
        let first = if n.below(2) == 0 { 17 } else { 45 };
        Query::Address(Ipv4Addr::from_bits(first << 24 | (n.next() as u32 & 0xff_ffff)).into())
    }),
    ("domain", Kind::Domain, |n| Query::Name(unlisted_name(n).into_bytes())),
    ("sha256", Kind::Sha256, |n| {
        Query::Digest(Kind::Sha256, (0..4).flat_map(|_| n.next().to_be_bytes()).collect())
    }),
    ("url", Kind::Url, |n| {
        Query::Url(format!("https://{}/index.php?id={}", unlisted_name(n), n.below(99)).into())
    }),
    ("email", Kind::Email, |n| Query::Email(format!("ana.ruiz@{}", unlisted_name(n)).into())),
];

fn unlisted_name(n: &mut Numbers) -> String {
    let (host, tld) = (n.pick(&["www", "cdn7", "mail"]), n.pick(&["com", "net", "org", "de"]));
    format!("{host}.site-zq{}.{tld}", n.below(1_000_000))
}

/// The results of a round: hits, and sources with their contexts.
fn round(scanner: &mut Scanner, database: &Database, queries: &[Query]) -> (u64, u64) {
    let (mut hits, mut sources) = (0, 0);
    for query in queries {
        let observable = black_box(query.observable());
        scanner.observe(database, observable, Where::DnsQuery, Timestamp(0), |_, matches| {
            hits += 1;
            sources += matches.iter().map(|m| black_box(&m.sources).len() as u64).sum::<u64>();
        });
    }
    (hits, sources)
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let feed = feed(if is_measured() { 1_000_000 } else { 20_000 });
    let database = database(&feed);
    let mut group = criterion.benchmark_group("lookup");
    group.sample_size(20).measurement_time(Duration::from_secs(1));
    group.warm_up_time(Duration::from_millis(300));
    group.throughput(Throughput::Elements(QUERIES as u64));
    let mut scanner = Scanner::default();
    for (name, kind, unlisted) in CASES {
        let mut numbers = Numbers::new(7);
        let mut listed = feed.iter().filter(|listed| listed.kind == kind).map(Query::of).cycle();
        let hit: Vec<Query> = listed.by_ref().take(QUERIES).collect();
        let mut miss: Vec<Query> = Vec::new();
        while miss.len() < QUERIES {
            let query = unlisted(&mut numbers);
            // An address may be in one of the networks nevertheless.
            if round(&mut scanner, &database, std::slice::from_ref(&query)).0 == 0 {
                miss.push(query);
            }
        }
        let mixed: Vec<Query> = (0..QUERIES)
            .map(|at| if at % MIXED == 0 { listed.next().unwrap() } else { unlisted(&mut numbers) })
            .filter(
                |query| !matches!(query, Query::Address(IpAddr::V4(v4)) if v4.octets()[0] == 45),
            )
            .collect();
        for (form, queries) in [("miss", miss), ("hit", hit), ("mixed", mixed)] {
            let counts = round(&mut scanner, &database, &queries);
            match form {
                "miss" => assert_eq!(counts.0, 0, "{name}"),
                "hit" => assert!(counts.0 >= QUERIES as u64, "{name}: {counts:?}"),
                _ => assert!(counts.0 > 0 && counts.0 < QUERIES as u64, "{name}: {counts:?}"),
            }
            assert!(counts.1 >= counts.0);
            group.bench_function(format!("{name}_{form}"), |bencher| {
                bencher.iter(|| assert_eq!(round(&mut scanner, &database, &queries), counts));
            });
        }
    }
    group.finish();
    if is_measured() {
        criterion.final_summary();
    }
}
