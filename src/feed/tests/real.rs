//! Every file of the real feeds, and what an independent reader found in them.
//!
//! The feeds lie beside the project and are no part of it; where they are absent
//! the tests say so and pass.

use crate::feed::{Collected, Format, Limits, Options, inflate, open};
use crate::indicator::{Indicator, Kind, Value, url};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn feeds() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/feeds");
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is absent, so the real feeds are not read", path.display());
    None
}

/// Files that are no feeds, and what is said about them.
const NO_FEEDS: &[(&str, &str)] = &[
    ("talos-stix/2022_05_mustang-panda.json.gz", "STIX 1.x"),
    ("warninglists/schema.json", "JSON Schema"),
    ("eset-malware-ioc/nukesped_lazarus_README.adoc", "unknown"),
];

#[test]
fn every_file_is_read() {
    let Some(feeds) = feeds() else { return };
    let mut files = 0;
    for folder in std::fs::read_dir(&feeds).unwrap().map(|entry| entry.unwrap().path()) {
        if folder.ends_with("expected") || folder.ends_with("unified") {
            continue;
        }
        let mut got = Collected::default();
        for report in open(&folder, &Options::default(), &Limits::default(), &mut got) {
            let name = report.path.strip_prefix(&feeds).unwrap().to_string_lossy().into_owned();
            let expected = NO_FEEDS
                .iter()
                .find(|(file, _)| *file == name)
                .map(|(_, what)| *what)
                .or_else(|| name.ends_with("LICENSE").then_some("unknown"));
            files += 1;
            match (expected, report.outcome) {
                (None, Ok(summary)) => {
                    assert!(summary.indicators > 0, "{name}");
                    eprintln!(
                        "{name}: {} {} {:?}",
                        summary.format, summary.indicators, summary.rejects
                    );
                }
                (Some(what), Err(error)) => {
                    assert!(error.to_string().contains(what), "{error}");
                    eprintln!("{error}");
                }
                (None, Err(error)) => panic!("{error}"),
                (Some(what), Ok(summary)) => panic!("{name}: {what}, but was read: {summary:?}"),
            }
        }
    }
    assert!(files > 80, "only {files} files");
}
