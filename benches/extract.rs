//! Both phases without a database: text in, observables out, one kind at a time.
//!
//! Every line of a text contains one value of its kind among words that are not values. The
//! visitor accepts everything, so no filter saves work.

mod corpus;

use corpus::{Log, Numbers, corpus, corpus_bytes, is_measured};
use criterion::{Criterion, Throughput};
use std::fmt::Write as _;
use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;
use wiresift::engine::indicator::{Kind, Observable, Where};
use wiresift::engine::text::{Extractor, Visitor};

/// Counts the observables of one kind, or of every kind.
struct Count {
    only: Option<fn(&Observable<'_>) -> bool>,
    seen: u64,
}

impl Visitor for Count {
    fn may_end_in(&self, _: &[u8]) -> bool {
        true
    }

    fn may_hold_v4(&self, _: u32) -> bool {
        true
    }

    fn wants(&self, kind: Kind) -> bool {
        !matches!(kind, Kind::UrlPath | Kind::Cve | Kind::Ja4 | Kind::Btc | Kind::Tlsh)
    }

    fn seen(&mut self, observable: Observable<'_>, _: Where, _: Range<usize>) {
        self.seen += u64::from(self.only.is_none_or(|only| only(&observable)));
    }
}

fn count(extractor: &mut Extractor, text: &[u8], only: Option<fn(&Observable<'_>) -> bool>) -> u64 {
    let mut count = Count { only, seen: 0 };
    extractor.extract(text, 0..text.len(), &mut count);
    count.seen
}

/// A kind: its name, how to make a value of it, how to recognise one.
type Case = (&'static str, fn(&mut Numbers) -> String, fn(&Observable<'_>) -> bool);

const CASES: [Case; 6] = [
    ("ipv4", |n| ipv4(n), |o| matches!(o, Observable::Address(a, _) if a.is_ipv4())),
    (
        "ipv6",
        |n| format!("2001:db8:{:x}::{:x}", 1 + n.below(0xffff), 1 + n.below(0xffff)),
        |o| matches!(o, Observable::Address(a, _) if a.is_ipv6()),
    ),
    ("domain", |n| name(n), |o| matches!(o, Observable::Name(_))),
    ("email", |n| format!("m{}@{}", n.below(1000), name(n)), |o| matches!(o, Observable::Email(_))),
    (
        "url",
        |n| format!("https://{}/a/{}.php?id={}", name(n), n.below(1000), n.below(10)),
        |o| matches!(o, Observable::Url(_)),
    ),
    (
        "sha256",
        |n| (0..4).fold(String::new(), |hex, _| hex + &format!("{:016x}", n.next())),
        |o| matches!(o, Observable::Digest(..)),
    ),
];

fn ipv4(n: &mut Numbers) -> String {
    format!("{}.{}.{}.{}", 20 + n.below(80), n.below(256), n.below(256), n.below(256))
}

fn name(n: &mut Numbers) -> String {
    let tld = n.pick(&["com", "net", "org", "de"]);
    format!("h{}.zone{}.{tld}", n.below(1000), n.below(100_000))
}

/// A text with one value per line, and their number.
fn text(make: fn(&mut Numbers) -> String) -> (String, u64) {
    let (mut text, mut numbers, mut lines) = (String::new(), Numbers::new(1), 0);
    while text.len() < corpus_bytes() {
        let (pid, value) = (numbers.below(30_000), make(&mut numbers));
        writeln!(text, "Nov 24 04:15:56 mx1 worker[{pid}]: request from {value} done, status=ok")
            .unwrap();
        lines += 1;
    }
    (text, lines)
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("extract");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.warm_up_time(Duration::from_millis(500));
    let mut extractor = Extractor::new();
    for (name, make, is) in CASES {
        let (text, lines) = text(make);
        assert_eq!(count(&mut extractor, text.as_bytes(), Some(is)), lines, "{name}");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| count(&mut extractor, black_box(text.as_bytes()), None));
        });
    }
    for log in Log::ALL {
        let text = corpus(log, corpus_bytes(), 1000).text;
        let seen = count(&mut extractor, &text, None);
        // Not a constant, because the text module defines what is seen in a log. But there is
        // something in every line or two, and the same each time.
        let lines = memchr::memchr_iter(b'\n', &text).count() as u64;
        assert!(seen > lines / 2 && seen < lines * 20, "{seen} in {lines} lines");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("log_{}", log.name()), |bencher| {
            bencher.iter(|| assert_eq!(count(&mut extractor, black_box(&text), None), seen));
        });
    }
    group.finish();
    if is_measured() {
        criterion.final_summary();
    }
}
