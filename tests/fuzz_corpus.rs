//! The seeds of `fuzz/corpus` as plain tests: what the fuzzer once found stays found.

use std::path::Path;

#[path = "../fuzz/entries.rs"]
mod entries;

#[test]
fn every_seed_of_every_target_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut seeds = 0;
    for folder in std::fs::read_dir(&corpus).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        let Some((_, entry)) = entries::TABLE.iter().find(|(target, _)| *target == name) else {
            panic!("fuzz/corpus/{name} belongs to no target of fuzz/entries.rs");
        };
        for seed in walkdir::WalkDir::new(folder.path()).sort_by_file_name() {
            let seed = seed.unwrap();
            if !seed.file_type().is_file() {
                continue;
            }
            let bytes = std::fs::read(seed.path()).unwrap();
            // The panic's own message does not say which seed it was.
            if std::panic::catch_unwind(|| entry(&bytes)).is_err() {
                panic!("{}: see the panic above", seed.path().display());
            }
            seeds += 1;
        }
    }
    assert!(seeds > 0, "no seeds in {}", corpus.display());
}

#[test]
fn every_target_takes_nothing_and_anything() {
    for (_, entry) in entries::TABLE {
        entry(b"");
        entry(&[0xff; 300]);
        entry(&(0..=255).collect::<Vec<u8>>());
    }
}

#[test]
fn every_entry_has_its_target_and_every_target_its_entry() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let mut listed: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"targets/")?.strip_suffix(".rs\""))
        .collect();
    let mut entries: Vec<&str> = entries::TABLE.iter().map(|(name, _)| *name).collect();
    listed.sort_unstable();
    entries.sort_unstable();
    assert_eq!(listed, entries, "fuzz/Cargo.toml and fuzz/entries.rs disagree");
    for name in entries {
        let target = std::fs::read_to_string(fuzz.join(format!("targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("entries::{name}(")), "targets/{name}.rs");
    }
}
