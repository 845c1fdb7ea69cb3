//! The seeds of `fuzz/corpus` as plain tests: what the fuzzer once found stays found.

use std::path::Path;

#[path = "../fuzz/entries/mod.rs"]
mod entries;

#[test]
fn every_seed_of_every_target_passes() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in entries::TABLE {
        let mut folders = vec![project.join("fuzz/corpus").join(entry.name)];
        folders.extend(entry.testdata.map(|name| project.join("testdata").join(name)));
        folders.retain(|folder| folder.is_dir());
        let mut seeds = 0;
        let files = folders.iter().flat_map(|f| walkdir::WalkDir::new(f).sort_by_file_name());
        for seed in files.map(Result::unwrap).filter(|seed| seed.file_type().is_file()) {
            let bytes = std::fs::read(seed.path()).unwrap();
            // The panic's own message does not say which seed it was.
            if std::panic::catch_unwind(|| (entry.run)(&bytes)).is_err() {
                panic!("{}: {}: see the panic above", entry.name, seed.path().display());
            }
            seeds += 1;
        }
        assert!(seeds > 0, "no seeds for {}", entry.name);
    }
}

#[test]
fn every_target_takes_nothing_and_anything() {
    for entry in entries::TABLE {
        (entry.run)(b"");
        (entry.run)(&[0xff; 300]);
        (entry.run)(&(0..=255).collect::<Vec<u8>>());
    }
}

#[test]
fn every_entry_has_its_target_and_every_target_its_entry() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let listed: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"targets/")?.strip_suffix(".rs\""))
        .collect();
    let entries: Vec<&str> = entries::TABLE.iter().map(|entry| entry.name).collect();
    assert_eq!(listed, entries, "fuzz/Cargo.toml");
    for name in entries {
        let target = std::fs::read_to_string(fuzz.join(format!("targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("entries::named(\"{name}\")")), "targets/{name}.rs");
        assert!(entries::named(name).is_some());
    }
    for folder in std::fs::read_dir(fuzz.join("corpus")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(entries::named(&name).is_some(), "fuzz/corpus/{name} belongs to no target");
    }
}
