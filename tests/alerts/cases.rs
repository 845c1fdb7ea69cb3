//! End-to-end cases: the folders of `testdata/cases`, which are described there.

use crate::harness::records::{Schema, indicators, text};
use crate::harness::{Code, Dir, project};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

#[test]
fn every_case_folder() {
    let only = std::env::var("WIRESIFT_CASE").ok();
    let schema = Schema::load();
    let mut failures = Vec::new();
    let mut count = 0;
    for folder in case_folders() {
        let name = folder.file_name().unwrap().to_str().unwrap().to_string();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        count += 1;
        if let Err(failure) = Case::read(&folder).check(&name, &schema) {
            failures.push(format!("{name}: {failure}"));
        }
    }
    assert!(count > 0, "no such case");
    assert!(
        failures.is_empty(),
        "{} of {count} cases failed; WIRESIFT_CASE=name runs one\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

#[test]
fn case_folders_are_complete() {
    let folders = case_folders();
    assert!(folders.len() >= 35, "only {} cases", folders.len());
    for folder in folders {
        let case = Case::read(&folder);
        let name = folder.display();
        assert!(!case.feeds.is_empty(), "{name}: no feed");
        assert!(case.about.len() > 10, "{name}: expected.tsv does not say what the case is about");
        for row in &case.rows {
            assert!(row.len() >= 4, "{name}: a row of {} columns", row.len());
            assert!(row[0].parse::<u64>().is_ok(), "{name}: {} is no line", row[0]);
        }
    }
}

fn case_folders() -> Vec<PathBuf> {
    let folder = project().join("testdata/cases");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// A case folder.
struct Case {
    input: PathBuf,
    /// How the input is compressed before it is scanned, if it is.
    pack: Option<String>,
    feeds: Vec<PathBuf>,
    allow: Option<PathBuf>,
    suppress: Option<PathBuf>,
    annotate: Option<PathBuf>,
    compile_args: Vec<String>,
    scan_args: Vec<String>,
    /// The rows of `expected.tsv`: line, observed value, indicator, where, flags, sources.
    rows: Vec<Vec<String>>,
    /// The comments before them.
    about: String,
    exit: i32,
}

impl Case {
    fn read(folder: &Path) -> Case {
        let named = |prefix: &str| -> Vec<PathBuf> {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let begins = |path: &PathBuf| {
                path.file_name().and_then(|name| name.to_str()).unwrap().starts_with(prefix)
            };
            let mut found: Vec<PathBuf> = entries.filter(begins).collect();
            found.sort();
            found
        };
        let one = |prefix: &str| -> Option<PathBuf> {
            let mut found = named(prefix);
            assert!(found.len() < 2, "{}: several {prefix}", folder.display());
            found.pop()
        };
        let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let lines = |name: &str| -> Vec<String> {
            text(name).unwrap_or_default().lines().map(str::to_string).collect()
        };
        let expected = lines("expected.tsv");
        let (about, rows): (Vec<_>, Vec<_>) =
            expected.into_iter().partition(|line| line.starts_with('#'));
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.split('\t').map(str::to_string).collect()).collect();
        let exit = text("exit").map(|text| text.trim().parse().unwrap());
        Case {
            input: one("input").unwrap_or_else(|| panic!("{}: no input", folder.display())),
            pack: text("pack").map(|text| text.trim().to_string()),
            feeds: named("feed"),
            allow: one("allow"),
            suppress: one("suppress"),
            annotate: one("annotate"),
            compile_args: lines("compile.args"),
            scan_args: lines("scan.args"),
            exit: exit.unwrap_or(i32::from(rows.is_empty())),
            rows,
            about: about.concat(),
        }
    }

    fn check(&self, name: &str, schema: &Schema) -> Result<(), String> {
        let dir = Dir::new(name);
        let mut compile = dir.command();
        compile.args(["compile", "-o", "db"]);
        for (flag, list) in [
            ("--allow", &self.allow),
            ("--suppress", &self.suppress),
            ("--annotate", &self.annotate),
        ] {
            if let Some(list) = list {
                compile.arg(flag).arg(list);
            }
        }
        let compiled = compile.args(&self.compile_args).args(&self.feeds).run();
        if compiled.code != Code::Exit(0) {
            return Err(format!("compile\n{}", compiled.report()));
        }

        let input = self.input_in(&dir);
        let mut scan = dir.command();
        scan.args(["scan", "--db", "db", "--format", "json"]).args(&self.scan_args);
        let scanned = scan.arg(&input).run();
        if scanned.code != Code::Exit(self.exit) {
            return Err(format!("want exit {}\n{}", self.exit, scanned.report()));
        }
        let records = scanned.json_lines();
        if let Some(complaint) = records.iter().find_map(|record| schema.complaint(record)) {
            return Err(complaint);
        }
        if let Some(offsets) = out_of_order(&records) {
            return Err(format!("alerts out of order: {offsets:?}\n{}", scanned.report()));
        }
        if let Some(twice) = reported_twice(&records) {
            return Err(format!("two alerts about {twice}\n{}", scanned.report()));
        }
        let got: Vec<Vec<String>> = records.iter().flat_map(rows_of).collect();
        match differences(&self.rows, &got) {
            text if text.is_empty() => Ok(()),
            text => Err(format!("{text}\n{}", scanned.report())),
        }
    }

    /// The input as it is scanned: compressed, if the case says so.
    fn input_in(&self, dir: &Dir) -> PathBuf {
        let Some(pack) = &self.pack else { return self.input.clone() };
        let plain = fs::read(&self.input).unwrap();
        dir.create("packed", packed(pack, &plain))
    }
}

fn packed(how: &str, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match how {
        "gzip" => flate2::bufread::GzEncoder::new(plain, flate2::Compression::best())
            .read_to_end(&mut out),
        "zstd" => zstd::stream::read::Encoder::new(plain, 3).unwrap().read_to_end(&mut out),
        "bzip2" => {
            bzip2::bufread::BzEncoder::new(plain, bzip2::Compression::best()).read_to_end(&mut out)
        }
        "xz" => liblzma::bufread::XzEncoder::new(plain, 1).read_to_end(&mut out),
        "gzip twice" => return [packed("gzip", plain), packed("gzip", plain)].concat(),
        other => panic!("pack says {other}"),
    }
    .unwrap();
    out
}

/// The position of a record in the input, to check the order.
fn position(record: &Value) -> u64 {
    let number = |pointer| record.pointer(pointer).and_then(Value::as_u64);
    number("/log/offset").or_else(|| number("/packet/number")).unwrap_or(0)
}

/// The positions of the alerts of one file, if they are not in the order of the file. Members of
/// an archive, and text among packets, have their own order.
fn out_of_order(records: &[Value]) -> Option<Vec<u64>> {
    let mut places: BTreeMap<(&str, bool), Vec<u64>> = BTreeMap::new();
    for record in records {
        let is_packet = record.get("packet").is_some();
        let of = if is_packet { "/packet/path" } else { "/log/path" };
        places.entry((text(record, of), is_packet)).or_default().push(position(record));
    }
    places.into_values().find(|offsets| !offsets.is_sorted())
}

/// An observable in one place that has more than one record, if any.
fn reported_twice(records: &[Value]) -> Option<String> {
    let mut reported = HashSet::new();
    let observable = |record: &Value| {
        let seen = ["/seen/kind", "/seen/value", "/seen/where", "/seen/field"];
        let seen = seen.map(|member| text(record, member));
        format!("{} at {}", seen.join(" "), position(record))
    };
    records.iter().map(observable).find(|observable| !reported.insert(observable.clone()))
}

/// A record as rows of `expected.tsv`, one for each indicator.
fn rows_of(record: &Value) -> Vec<Vec<String>> {
    let line = record.pointer("/log/line").or_else(|| record.pointer("/packet/number"));
    let line = line.map(ToString::to_string).unwrap_or_default();
    let place = match (text(record, "/seen/where"), text(record, "/seen/field")) {
        (place, "") => place.to_string(),
        (place, field) => format!("{place}:{field}"),
    };
    let flags = record.pointer("/seen/quality").and_then(Value::as_array);
    let mut flags: Vec<&str> = flags.into_iter().flatten().filter_map(Value::as_str).collect();
    flags.sort_unstable();
    let flags = if flags.is_empty() { "-".to_string() } else { flags.join(",") };
    let row = |indicator: &Value| {
        let sources = indicator["sources"].as_array().map_or(0, Vec::len);
        vec![
            line.clone(),
            text(record, "/seen/value").to_string(),
            text(indicator, "/value").to_string(),
            place.clone(),
            flags.clone(),
            sources.to_string(),
        ]
    };
    indicators(record).iter().map(row).collect()
}

/// Missing rows and unexpected rows. Rows of the same place may come in any order. `*` in a
/// wanted column, or a missing column, matches anything; no flags matches no flags only.
fn differences(wanted: &[Vec<String>], got: &[Vec<String>]) -> String {
    let meets = |want: &[String], got: &[String]| {
        let flags = want.get(4).map_or("-", String::as_str);
        want.iter().zip(got).all(|(want, got)| want == "*" || want == got)
            && (flags == "*" || got[4] == flags)
    };
    let mut left: Vec<&Vec<String>> = got.iter().collect();
    let mut text = String::new();
    for want in wanted {
        match left.iter().position(|got| meets(want, got)) {
            Some(at) => {
                left.remove(at);
            }
            None => text += &format!("missing:  {}\n", want.join(" | ")),
        }
    }
    for row in left {
        text += &format!("unwanted: {}\n", row.join(" | "));
    }
    text
}

#[test]
fn differences_are_reported_both_ways() {
    let row = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
    let got = [row("1 a b log.text - 1"), row("2 c c log.field:x derived 2")];
    assert_eq!(differences(&[row("2 * c log.field:x *"), row("1 a b *")], &got), "");
    assert_eq!(
        differences(&[row("1 a b log.text"), row("2 c c log.field:x")], &got),
        "missing:  2 | c | c | log.field:x\nunwanted: 2 | c | c | log.field:x | derived | 2\n"
    );
}
