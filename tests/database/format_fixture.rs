//! The file format: each version has a database in `testdata/databases`, and the bytes of the
//! current one do not change without a new version.
//!
//! `WIRESIFT_BLESS=1 cargo test --test suite format_fixture` writes the fixture of the current
//! version again.

use crate::harness::project;
use std::fs;
use std::path::PathBuf;
use wiresift::engine::compile::Compiler;
use wiresift::engine::database::{Database, VERSION};
use wiresift::engine::indicator::{Place, Timestamp};
use wiresift::engine::scan::{Origin, Scanner};
use wiresift::intel::feed::{self, Collected};

/// 2026-11-24T00:00:00Z
const BUILT: Timestamp = Timestamp(1_795_478_400_000_000);

fn folder() -> PathBuf {
    project().join("testdata/databases")
}

/// The list from which all fixtures are made, compiled by the current program.
fn compiled() -> Vec<u8> {
    let list = fs::read(folder().join("list.jsonl")).unwrap();
    let mut options = feed::Options::of_feed("fixture");
    options.internal = true;
    let mut found = Collected::default();
    feed::read(&list, &options, &mut found).unwrap();
    assert!(found.rejects.is_empty(), "{:?}", found.rejects);
    let mut compiler = Compiler::default();
    for indicator in found.indicators {
        assert_eq!(compiler.add(indicator), None);
    }
    compiler.into_bytes(BUILT).unwrap()
}

/// The answers of a database to the values in `lookups.txt`, one line each.
fn answers(database: &Database) -> String {
    let mut out = String::new();
    let text = fs::read_to_string(folder().join("lookups.txt")).unwrap();
    for value in text.lines() {
        let mut scanner = Scanner::new(wiresift::engine::scan::Options::default().at(Some(BUILT)));
        let mut met = Vec::new();
        scanner.scan_text(database, value.as_bytes(), 0..value.len(), &Origin::new("x"), |hit| {
            let Place::Log(place) = &hit.place else { panic!("no log") };
            for found in &hit.matches {
                let sources: Vec<&str> = found
                    .sources
                    .iter()
                    .map(|source| source.name.as_deref().unwrap_or("-"))
                    .collect();
                let kind = found.kind.name();
                met.push(format!(
                    "{} {kind} {} [{}]",
                    place.column,
                    found.value,
                    sources.join(",")
                ));
            }
        });
        out += &format!("{value}\t{}\n", met.join("; "));
    }
    out
}

fn blesses() -> bool {
    std::env::var_os("WIRESIFT_BLESS").is_some()
}

#[test]
fn the_bytes_are_those_of_the_version() {
    let path = folder().join(format!("format-{VERSION}.wsdb"));
    let bytes = compiled();
    if blesses() {
        fs::write(&path, &bytes).unwrap();
        let database = Database::from_bytes(bytes).unwrap();
        fs::write(folder().join("answers.tsv"), answers(&database)).unwrap();
        return;
    }
    let Ok(fixture) = fs::read(&path) else {
        panic!(
            "format {VERSION} has no fixture {}: make it with\n    \
             WIRESIFT_BLESS=1 cargo test --test suite format_fixture\n\
             and keep the fixtures of old formats as long as they can be read",
            path.display()
        );
    };
    if fixture == bytes {
        return;
    }
    let first = fixture.iter().zip(&bytes).position(|(a, b)| a != b);
    panic!(
        "the same indicators give other bytes than format {VERSION} had (first at {first:?}, \
         {} and {} bytes): raise VERSION in src/engine/database/layout.rs, then\n    \
         WIRESIFT_BLESS=1 cargo test --test suite format_fixture\n\
         and keep format-{VERSION}.wsdb if it can still be read",
        fixture.len(),
        bytes.len()
    );
}

#[test]
fn every_fixture_opens_and_answers_or_says_that_it_is_old() {
    if blesses() {
        return;
    }
    let want = fs::read_to_string(folder().join("answers.tsv")).unwrap();
    assert!(want.lines().filter(|line| !line.ends_with('\t')).count() >= 20, "{want}");
    let mut fixtures = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "wsdb") {
            continue;
        }
        fixtures += 1;
        let name = path.file_stem().unwrap().to_str().unwrap();
        let version: u32 = name.strip_prefix("format-").unwrap().parse().unwrap();
        match Database::open(&path) {
            Ok(database) => {
                assert_eq!(answers(&database), want, "{name}");
                assert_eq!(database.built(), BUILT, "{name}");
            }
            Err(error) => {
                assert!(version < VERSION, "{name}: {error}");
                assert!(error.to_string().contains("old format"), "{name}: {error}");
            }
        }
    }
    assert!(fixtures > 0);
}

#[test]
fn databases_of_format_2_are_read_and_older_ones_are_not() {
    let database = Database::open(folder().join("format-2.wsdb")).unwrap();
    assert_eq!(database.format(), 2);
    assert_eq!(Database::from_bytes(compiled()).unwrap().format(), VERSION);
    let mut bytes = compiled();
    bytes[8..12].copy_from_slice(&1u32.to_le_bytes());
    let error = Database::from_bytes(bytes).unwrap_err().to_string();
    assert!(error.contains("the old format 1, this program reads 2 to 3"), "{error}");
}

#[test]
fn the_order_of_the_list_changes_nothing() {
    let list = fs::read_to_string(folder().join("list.jsonl")).unwrap();
    let mut lines: Vec<&str> = list.lines().collect();
    lines.reverse();
    let mut options = feed::Options::of_feed("fixture");
    options.internal = true;
    let mut found = Collected::default();
    feed::read(lines.join("\n").as_bytes(), &options, &mut found).unwrap();
    let mut compiler = Compiler::default();
    for indicator in found.indicators {
        compiler.add(indicator);
    }
    assert!(compiler.into_bytes(BUILT).unwrap() == compiled(), "the order of the list shows");
}
