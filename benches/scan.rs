//! From a file to encoded alerts on one thread: by log, by number of indicators, by density of
//! hits. Every run must write as many records as were planted.

mod corpus;

use corpus::{Corpus, Log, corpus, corpus_bytes, database, feed, is_measured};
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wiresift::Result;
use wiresift::engine::alert::{Encoder, Format};
use wiresift::sensor::input::Target;
use wiresift::sensor::run::{self, Current, Files, Job, Output, Signals};
use wiresift::sensor::sink::{Records, Sink};

/// Counts the bytes of the records.
struct Bytes(u64);

impl Sink for Bytes {
    fn write(&mut self, records: &Records) -> Result<()> {
        self.0 += records.bytes().len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Records that a scan of a file writes.
fn scan(database: &Current, path: &Path) -> u64 {
    let signals = Signals::default();
    let output = Output::new(Encoder::new(Format::Json));
    let job = Job { threads: 1, ..Job::new(database, output, &signals) };
    let files = Files { targets: vec![Target::Path(path.to_path_buf())], chunk: 0 };
    run::scan(job, files, &mut Bytes(0), &|_| {}).unwrap().records
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    database: &Current,
    (path, corpus): &(PathBuf, Corpus),
) {
    let planted = corpus.plants.len() as u64;
    assert!(planted > 0);
    assert_eq!(scan(database, path), planted);
    group.throughput(Throughput::Bytes(corpus.text.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| assert_eq!(scan(database, path), planted));
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, log: Log, every: u64| {
        let corpus = corpus(log, corpus_bytes(), every);
        let path = folder.path().join(name);
        std::fs::write(&path, &corpus.text).unwrap();
        (path, corpus)
    };
    let logs = Log::ALL.map(|log| (log, file(log.name(), log, 1000)));
    let dense = file("dense", Log::Json, 100);
    let sizes: &[(&str, usize)] = if is_measured() {
        &[("10k", 10_000), ("100k", 100_000), ("1m", 1_000_000)]
    } else {
        &[("10k", 10_000)]
    };
    let mut group = criterion.benchmark_group("scan");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.warm_up_time(Duration::from_millis(500));
    for (size, indicators) in sizes {
        let database = database(&feed(*indicators));
        for (_, (_, corpus)) in &logs {
            corpus::assert_hits(&database, corpus);
        }
        corpus::assert_hits(&database, &dense.1);
        let database = Current::new(database, None);
        for (log, file) in &logs {
            measure(&mut group, &format!("{}_{size}", log.name()), &database, file);
        }
        measure(&mut group, &format!("json_dense_{size}"), &database, &dense);
    }
    group.finish();
    if is_measured() {
        criterion.final_summary();
    }
}
