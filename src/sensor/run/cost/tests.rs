//! Measurements of small sets.

use super::*;
use crate::engine::compile::Compiler;
use crate::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp};
use crate::sensor::bench::{GroupBy, Question};
use std::sync::Arc;

fn database() -> Database {
    let mut compiler = Compiler::default();
    for (feed, kind, value) in [
        ("a", Kind::Domain, "evil.example"),
        ("a", Kind::Cve, "CVE-2024-1234"),
        ("b", Kind::Ip, "192.0.2.1"),
        ("b", Kind::Url, "http://evil.example/x"),
    ] {
        let context = Arc::new(Context::of_feed(feed));
        compiler.add(Indicator::new(kind, value, Scope::Subtree, context).unwrap());
    }
    Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap()
}

fn sample(limit: u64) -> Sample {
    let line =
        b"{\"id.orig_h\":\"10.0.0.1\",\"query\":\"www.evil.example\",\"note\":\"CVE-2024-1234\"}\n";
    let buffer = line.repeat(20);
    let mut sample = Sample::new(limit);
    let chunk = Chunk { start: 0, end: buffer.len(), buffer, ..Chunk::default() };
    sample.push(Piece::new(&chunk, &Origin::new("x.log")));
    sample
}

#[test]
fn samples_end_with_a_line() {
    let bytes = |limit: u64| sample(limit).bytes();
    let line = bytes(1);
    assert_eq!((bytes(line), bytes(line + 1)), (line, 2 * line));
    assert_eq!((bytes(3 * line - 1), bytes(1 << 20)), (3 * line, 20 * line));
    let mut sample = sample(line);
    let chunk = Chunk { buffer: b"x\n".to_vec(), end: 2, ..Chunk::default() };
    sample.push(Piece::new(&chunk, &Origin::new("y.log")));
    assert_eq!((sample.bytes(), sample.repeats()), (line, 1));
    assert_eq!(Sample::new(1 << 20).repeats(), 0);
}

#[test]
fn every_group_and_kind_is_left_out_once() {
    let database = database();
    let bench = Bench::new(&database, GroupBy::Feed);
    let sample = sample(8 << 10);
    let mut job = CostJob {
        bench: &bench,
        sample: &sample,
        options: Options::default(),
        rounds: 7,
        kinds: Some(BTreeMap::from([((0, Kind::Cve), 20)])),
        threads: 2,
        halt: Halt::default(),
    };
    let seen = std::sync::Mutex::new(Vec::new());
    let notify = |notice: Notice<'_>| match notice {
        Notice::Measuring { round, rounds } => seen.lock().unwrap().push((round, rounds)),
        notice => panic!("{notice:?}"),
    };
    let measured = cost(&job, &notify).unwrap().unwrap();
    let want: Vec<(u64, u64)> = (1..=7).map(|round| (round, 7)).collect();
    assert_eq!(seen.into_inner().unwrap(), want);
    assert!(measured.bytes >= 8 << 10 && measured.bytes.is_multiple_of(sample.bytes()));
    let [block] = &measured.blocks[..] else { panic!("{measured:?}") };
    let parts: Vec<Subset> = block.parts.iter().map(|(part, _)| *part).collect();
    let kinds = [(0, Kind::Domain), (0, Kind::Cve), (1, Kind::Ip), (1, Kind::Url)];
    assert_eq!(parts.len(), 6);
    for (group, kind) in kinds {
        assert!(parts.contains(&Subset::WithoutKind(group, kind)), "{parts:?}");
    }
    assert!(block.parts.iter().all(|(_, times)| times.len() == 7));
    let whole = measured.weights[&Subset::Whole];
    let without = measured.weights[&Subset::Without(0)];
    assert!(whole.bytes > without.bytes);
    let (with, without) = (whole.filters.unwrap(), without.filters.unwrap());
    let lines = 20 * measured.bytes / sample.bytes();
    assert_eq!(with.met, 2 * lines, "a name and a number on each line");
    assert_eq!(without.met, 0);
    let mut report = bench.judge(&Question::new(Timestamp(0)), None);
    bench.fill_cost(&mut report, &measured);
    let of_set = report.cost.as_ref().unwrap();
    let cve = of_set.kinds.as_ref().unwrap().iter().find(|it| it.kind == "cve").unwrap();
    assert_eq!((cve.values, cve.alerts, &*cve.group), (1, 20, "a"));
    assert!(of_set.ns_per_mib.unwrap().median > 0.0 && of_set.aa.is_some());
    let of_a = report.groups[0].cost.as_ref().unwrap();
    assert!(of_a.bytes_marginal.unwrap() > 0 && of_a.bytes_alone.unwrap() > 0);
    assert!(of_a.passes_marginal.unwrap() > 0 && of_a.ns_per_mib.is_some());
    // Without a text only sizes are known.
    let nothing = Sample::new(1 << 20);
    (job.sample, job.kinds) = (&nothing, None);
    let measured = cost_of(&job);
    assert!(measured.blocks.is_empty() && measured.weights[&Subset::Alone(1)].bytes > 0);
    bench.fill_cost(&mut report, &measured);
    assert_eq!(report.cost.unwrap().ns_per_mib, None);
    // A measurement that is asked to end returns nothing.
    let (halt, stopper) = Halt::new().unwrap();
    stopper.stop();
    job.halt = halt;
    assert_eq!(cost(&job, &|_| {}).unwrap(), None);
}

fn cost_of(job: &CostJob<'_>) -> Measured {
    cost(job, &|_| {}).unwrap().unwrap()
}
