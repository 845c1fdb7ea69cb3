//! Writes the fixed inputs of the instruction counts (`benches/instructions/`):
//! `cargo test --bench inputs -- FOLDER`.

mod corpus;

use corpus::{Listed, Log, corpus, database, feed};
use std::fmt::Write as _;
use std::path::Path;
use wiresift::engine::indicator::Kind;

/// Indicators of the feed: enough for realistic lookups, and few enough to compile them quickly
/// under an emulator.
const INDICATORS: usize = 20_000;
/// Bytes of each of the three logs.
const BYTES: usize = 1_400_000;

fn main() {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let Some(folder) = folder else { return };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let feed = feed(INDICATORS);
    std::fs::write(folder.join("feed.csv"), table(&feed)).unwrap();
    let database = database(&feed);
    let mut hits = String::new();
    for log in Log::ALL {
        let corpus = corpus(log, BYTES, 1000);
        corpus::assert_hits(&database, &corpus);
        std::fs::write(folder.join(log.name()).with_extension("log"), &corpus.text).unwrap();
        writeln!(hits, "{}\t{}", log.name(), corpus.plants.len()).unwrap();
    }
    std::fs::write(folder.join("hits.tsv"), hits).unwrap();
}

fn table(feed: &[Listed]) -> String {
    let mut table = String::from("indicator,type\n");
    for Listed { kind, value } in feed {
        let kind = match kind {
            Kind::Ip => "ipv4",
            Kind::Net => "cidr",
            other => other.name(),
        };
        writeln!(table, "{value},{kind}").unwrap();
    }
    table
}
