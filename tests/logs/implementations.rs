//! The hits equal those of the naive oracle for every number of threads and every vector
//! instruction set of this machine, on real logs and on generated ones.
//!
//! The logs are those of `benches/corpus`, whose hits are also known otherwise, and those that
//! `benches/peers/run.sh` had generated in `target/corpora`: the generator in `../shared` takes a
//! minute or two even for short logs.

#[path = "../../benches/corpus/mod.rs"]
mod corpus;

use crate::harness::records::{indicators, text};
use crate::harness::{Dir, project, shared, skip};
use crate::logs::oracle::{Hit, Oracle, compiled, difference, expected_indicators, samples};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use wiresift::engine::indicator::{Context, Indicator, Kind, Scope};
use wiresift::engine::text::vector::Implementation;
use wiresift::intel::feed::{self, Collected};

/// Small, so that every log is split in many places and eight threads have work.
const CHUNK: &str = "10000";
/// How much of each log is scanned.
const SAMPLE: usize = 64 << 10;

/// Runs the program over `logs` with every implementation and every number of threads, and compares
/// each run with the oracle. Returns the hits by log.
fn same_with_every_implementation(
    dir: &Dir,
    database: Vec<u8>,
    oracle: &Oracle,
    logs: &BTreeMap<String, Vec<u8>>,
) -> BTreeMap<String, BTreeSet<Hit>> {
    dir.create("db", database);
    for (name, log) in logs {
        dir.create(name, log);
    }
    let mut want: Option<BTreeMap<String, BTreeSet<Hit>>> = None;
    let mut runs = 0;
    for implementation in
        Implementation::ALL.iter().filter(|implementation| implementation.is_available())
    {
        for threads in ["1", "2", "8"] {
            let mut command = dir.command();
            command.env("WIRESIFT_VECTORS", implementation.name());
            command.args(["scan", "--db", "db", "--format", "json", "-j", threads]);
            command.args(["--at", "2026-11-24T00:00:00Z", "--chunk-size", CHUNK]);
            let records = command.args(logs.keys()).run().expect(0).json_lines();
            let mut hits: BTreeMap<String, BTreeSet<Hit>> = BTreeMap::new();
            for record in &records {
                let at = record["log"]["offset"].as_u64().unwrap() as usize;
                if text(record, "/seen/field").contains('+') {
                    continue;
                }
                let of_log = hits.entry(text(record, "/log/path").to_string()).or_default();
                for indicator in indicators(record) {
                    let value = text(indicator, "/value").to_string();
                    of_log.insert((at, text(record, "/seen/value").to_string(), value));
                }
            }
            let want = want.get_or_insert_with(|| {
                for (name, log) in logs {
                    let got = hits.get(name).cloned().unwrap_or_default();
                    if let Some(difference) = difference(log, got, oracle.hits(log)) {
                        panic!("{name}, {}, -j {threads}: {difference}", implementation.name());
                    }
                }
                hits.clone()
            });
            assert!(
                hits == *want,
                "{}, -j {threads}, differs from the first run",
                implementation.name()
            );
            runs += 1;
        }
    }
    assert!(runs >= 3, "{runs} runs");
    want.unwrap_or_default()
}

#[test]
fn real_logs_with_every_implementation() {
    let name = "real_logs_with_every_implementation";
    let Some(logs) = shared(name, "data/logs") else { return };
    let (database, oracle) = compiled(expected_indicators(&logs));
    let texts = samples(&logs, SAMPLE).enumerate();
    let texts: BTreeMap<String, Vec<u8>> =
        texts.map(|(at, (_, text))| (format!("{at:03}.log"), text)).collect();
    if texts.is_empty() {
        skip(name, "there are no logs");
        return;
    }
    let hits = same_with_every_implementation(&Dir::new("real-logs"), database, &oracle, &texts);
    let total: usize = hits.values().map(BTreeSet::len).sum();
    assert!(total > 1000, "only {total} hits in {} logs", texts.len());
}

#[test]
fn generated_logs_with_every_implementation() {
    let context = Arc::new(Context::of_feed("generated"));
    let listed = corpus::feed(20_000).into_iter().map(|corpus::Listed { kind, value }| {
        let scope = if kind == Kind::Domain { Scope::Subtree } else { Scope::Exact };
        Indicator::new(kind, &value, scope, context.clone()).unwrap()
    });
    let (database, oracle) = compiled(listed);
    let planted = corpus::Log::ALL.map(|log| (log.name(), corpus::corpus(log, 256 << 10, 40)));
    let texts: BTreeMap<String, Vec<u8>> =
        planted.iter().map(|(name, corpus)| (name.to_string(), corpus.text.clone())).collect();
    let hits =
        same_with_every_implementation(&Dir::new("generated-logs"), database, &oracle, &texts);
    for (name, corpus) in &planted {
        let indicators = hits[*name].iter().map(|(_, _, indicator)| indicator.as_str());
        let mut found: Vec<&str> = indicators.collect();
        let mut plants: Vec<&str> =
            corpus.plants.iter().map(|plant| plant.indicator.as_str()).collect();
        found.sort_unstable();
        plants.sort_unstable();
        assert!(plants.len() > 10 && found == plants, "{name}: {found:?}, {plants:?}");
    }
}

/// The first lines of a corpus by the generator in `../shared`, if it exists.
fn made(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let file = std::fs::File::open(folder.join(name)).ok()?;
    file.take(4 * SAMPLE as u64).read_to_end(&mut head).ok()?;
    let end = head.iter().rposition(|b| *b == b'\n')?;
    head.truncate(end + 1);
    Some(head)
}

#[test]
fn made_corpora_with_every_implementation() {
    let name = "made_corpora_with_every_implementation";
    let folder = project().join("target/corpora");
    let Ok(list) = std::fs::read(folder.join("feed_10k.csv")) else {
        skip(name, "there is no target/corpora (benches/peers/run.sh makes it)");
        return;
    };
    let mut found = Collected::default();
    feed::read(&list, &feed::Options::of_feed("made"), &mut found).unwrap();
    let (database, oracle) = compiled(found.indicators);
    // A corpus with one hit per hundred lines has some in its first lines.
    let logs = ["zeek_json_dense.log", "zeek_json.log", "zeek_tsv.log", "syslog_mix.log"];
    let texts: BTreeMap<String, Vec<u8>> =
        logs.iter().filter_map(|log| Some((log.to_string(), made(&folder, log)?))).collect();
    let hits = same_with_every_implementation(&Dir::new("made-corpora"), database, &oracle, &texts);
    assert_eq!(hits.is_empty(), !texts.contains_key(logs[0]), "{hits:?}");
}
