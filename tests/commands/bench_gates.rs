//! `wiresift bench` as a gate: what it refuses, what it compares, and what it must not let pass.

use super::bench::{bench, compile, group, network, report};
use crate::harness::{Dir, shared};
use serde_json::{Value, json};
use std::io::Write as _;

/// The report of a run with these flags, in a file.
fn keep(dir: &Dir, args: &[&str], path: &str) {
    bench(dir, &[args, &["--format", "json", "-o", path]].concat()).expect(0);
}

#[test]
fn nothing_that_is_read_is_overwritten() {
    let dir = Dir::new("bench-overwrites");
    network(&dir);
    compile(&dir, &[("a", "a.txt")]);
    dir.create("popular.csv", "1,evil.example\n");
    dir.create("said.csv", "evil.example,tp\n");
    dir.create("allow/good.txt", "good.example\n");
    let list = json!({"name": "Known", "type": "hostname", "list": ["x.example"], "version": 1, "description": "", "matching_attributes": ["domain"]});
    dir.create("lists/known/list.json", list.to_string());
    keep(&dir, &["one.log"], "old.json");
    let all = [
        ("--baseline", "old.json", "old.json", "the baseline"),
        ("--popular", "popular.csv", "popular.csv", "the popular names"),
        ("--verdicts", "said.csv", "said.csv", "the verdicts"),
        ("--warninglists", "lists", "lists/known/list.json", "a warning list"),
        ("--allow", "allow/good.txt", "allow/good.txt", "an allow list"),
    ];
    for (flag, value, output, what) in all {
        let before = std::fs::read(dir.path().join(output)).unwrap();
        std::fs::hard_link(dir.path().join(output), dir.path().join("same")).unwrap();
        for output in [output, "same"] {
            let run = bench(&dir, &["one.log", flag, value, "-o", output]).expect(2);
            run.expect_stderr(&format!("the output is also {what}"));
        }
        std::fs::remove_file(dir.path().join("same")).unwrap();
        assert_eq!(std::fs::read(dir.path().join(output)).unwrap(), before);
    }
    let absent = bench(&dir, &["-o", "absent/report.txt"]).expect(2);
    absent.expect_stderr("open the output").expect_stderr("absent/report.txt");
}

#[test]
fn as_many_other_events_are_no_excuse() {
    let dir = Dir::new("bench-lost");
    dir.create("a.txt", "evil.example\n");
    dir.create("b.txt", "bad.example\n");
    dir.create("x.log", "evil.example\nbad.example\n");
    compile(&dir, &[("a", "a.txt")]);
    keep(&dir, &["x.log"], "old.json");
    compile(&dir, &[("a", "b.txt")]);
    let lost = ["--baseline", "old.json", "--fail", "events_lost>0"];
    let held = |inputs: &[&str]| bench(&dir, &[inputs, &lost].concat());
    held(&["x.log"])
        .expect(1)
        .expect_stderr("events_lost>0: 0 before, 1 now: the threshold is met");
    held(&[]).expect(2).expect_stderr("one of the reports was made without inputs");
    compile(&dir, &[("b", "b.txt"), ("a", "a.txt")]);
    held(&["x.log"]).expect(0);
    // More inputs may come; those that are gone take their events with them.
    dir.create("y.log", "bad.example\n");
    held(&["x.log", "y.log"]).expect(0);
    keep(&dir, &["x.log", "y.log"], "old.json");
    held(&["x.log"]).expect(2).expect_stderr("fewer inputs or records than before");
}

#[test]
fn flags_beyond_the_list_fail_the_gate() {
    let dir = Dir::new("bench-flags");
    let names: Vec<String> = (0..1100).map(|number| format!("x{number}.example")).collect();
    dir.create("a.txt", names.join("\n"));
    let ranks: Vec<String> = (1..).zip(&names).map(|(rank, it)| format!("{rank},{it}\n")).collect();
    dir.create("few.csv", ranks[..900].concat());
    dir.create("many.csv", ranks.concat());
    compile(&dir, &[("a", "a.txt")]);
    let flagged = |list: &str| {
        let report = report(&dir, &["--popular", list]);
        let listed = report["indicators"].as_array().unwrap().len();
        (report["set"]["flagged"].clone(), report["flagged_left_out"].clone(), listed)
    };
    assert_eq!(flagged("few.csv"), (json!(900), json!(0), 900));
    assert_eq!(flagged("many.csv"), (json!(1100), json!(100), 1000));
    keep(&dir, &["--popular", "many.csv"], "many.json");
    keep(&dir, &["--popular", "few.csv"], "few.json");
    let held = |list: &str, old: &str, gate: &str| {
        bench(&dir, &["--popular", list, "--baseline", old, "--fail", gate])
    };
    held("few.csv", "few.json", "flagged_new>0").expect(0);
    held("many.csv", "few.json", "flagged_new>0").expect(1).expect_stderr("0 before, 200 now");
    held("many.csv", "many.json", "flagged_new>0")
        .expect(2)
        .expect_stderr("cannot be computed")
        .expect_stderr("flagged>+0");
    held("many.csv", "many.json", "flagged>+0").expect(0);
}

#[test]
fn a_baseline_and_thresholds_are_of_use_without_each_other() {
    let dir = Dir::new("bench-either");
    network(&dir);
    compile(&dir, &[("a", "a.txt"), ("b", "b.txt")]);
    keep(&dir, &["one.log"], "old.json");
    bench(&dir, &["one.log", "--baseline", "old.json"]).expect(0).expect_stderr("0 fields differ");
    bench(&dir, &["--fail", "live>4"]).expect(1).expect_stderr("the threshold is met");
    bench(&dir, &["--fail", "live>50"]).expect(0);
    // Before anything is read.
    let unknown = bench(&dir, &["absent.log", "--fail", "group:aa.live>1"]).expect(2);
    unknown
        .expect_stderr("--fail group:aa.live>1: the database has no group “aa”")
        .expect_stderr("(the database has a, b)")
        .expect_no_stderr("absent.log");
    for gate in ["live>+5", "live>5%", "events_lost>0", "flagged_new>0"] {
        let run = bench(&dir, &["absent.log", "--fail", gate]).expect(2);
        run.expect_stderr("needs a former report").expect_stderr("--baseline");
    }
    let pulses = bench(&dir, &["one.log", "--by", "pulse", "--baseline", "old.json"]).expect(2);
    pulses.expect_stderr("made with --by feed");
    dir.create("c.txt", "never.example\n");
    compile(&dir, &[("a", "a.txt"), ("c", "c.txt")]);
    let changed = bench(&dir, &["one.log", "--baseline", "old.json"]).expect(0);
    changed
        .expect_stderr("group:b: gone")
        .expect_stderr("group:c: new")
        .expect_stderr("events_lost: 0 before, ");
}

#[test]
fn lists_may_be_compressed_and_marked() {
    let dir = Dir::new("bench-lists");
    dir.create("a.txt", "evil.example\n");
    compile(&dir, &[("a", "a.txt")]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"\xef\xbb\xbf1,evil.example\n2,other.example\n").unwrap();
    dir.create("top.csv.gz", gz.finish().unwrap());
    let run = bench(&dir, &["--popular", "top.csv.gz", "--format", "json"]).expect(0);
    let flags = &run.json_lines()[0]["indicators"][0]["flags"];
    assert_eq!(*flags, json!(["popular"]));
    dir.create("cut.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0");
    bench(&dir, &["--popular", "cut.gz"]).expect(2).expect_stderr("cut.gz");
    bench(&dir, &["--at", "9999-12-31"]).expect(2).expect_stderr("before 9999-12-30");
}

#[test]
fn headings_are_no_records_and_columns_say_who_began() {
    let dir = Dir::new("bench-zeek");
    dir.create("a.txt", "evil.example\n");
    compile(&dir, &[("a", "a.txt")]);
    let mut log = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tquery\n".to_string();
    for host in 0..5 {
        log += &format!("152187932{host}.0\t10.0.0.{host}\t10.0.1.1\tevil.example\n");
    }
    dir.create("dns.log", log + "#close\t2018-03-24\n");
    let report = report(&dir, &["dns.log"]);
    let corpus = &report["corpus"];
    assert_eq!((&corpus["records"], &corpus["hosts"]), (&json!(5), &json!(6)));
    assert_eq!(corpus["hosts_began"], 5);
    let evil = &report["indicators"][0];
    assert_eq!((&evil["p_hosts"], &evil["p_of"]), (&json!(5), &json!(5)));
    assert_eq!(evil["flags"], json!(["prevalent", "storm"]));
    assert_eq!(group(&report, "a")["prevalent_values"], 1);
}

/// The figure of the specification.
#[test]
fn hosts_that_begin_contacts_in_real_logs() {
    let test = "hosts_that_begin_contacts_in_real_logs";
    let (Some(dns), Some(ssl)) = (
        shared(test, "data/logs/zeek-json/dns.json.gz"),
        shared(test, "data/logs/zeek-json/ssl.json.gz"),
    ) else {
        return;
    };
    let dir = Dir::new("bench-real");
    dir.create("a.txt", "evil.example\n");
    compile(&dir, &[("a", "a.txt")]);
    let report = report(&dir, &[dns.to_str().unwrap(), ssl.to_str().unwrap()]);
    assert_eq!(report["corpus"]["hosts_began"], 146);
}

#[test]
fn a_configuration_elsewhere_has_the_ledgers() {
    let dir = Dir::new("bench-config");
    dir.create("here/wiresift.toml", "[[feed]]\nname = \"ours\"\npath = \"list.txt\"\n");
    dir.create("here/list.txt", "evil.example\n");
    let config = ["--config", "here/wiresift.toml"];
    dir.command().args(["feed"]).args(config).args(["update", "--compile"]).run().expect(0);
    let bench = |args: &[&str]| dir.command().arg("bench").args(args).run();
    let known = bench(&[&config[..], &["--format", "json"]].concat()).expect(0);
    assert!(known.json_lines()[0]["groups"][0]["history"].is_object());
    let answer = dir.command().arg("lookup").args(config).arg("evil.example").run().expect(0);
    answer.expect_stdout("in feed ours since");
    // A copy of the database elsewhere, and no configuration.
    let mut found = walkdir::WalkDir::new(dir.path()).into_iter().flatten();
    let built = found.find(|entry| entry.path().extension().is_some_and(|it| it == "wsdb"));
    std::fs::copy(built.unwrap().path(), dir.path().join("db")).unwrap();
    let alone = bench(&["--db", "db", "--format", "json"]).expect(0).json_lines().swap_remove(0);
    assert_eq!(alone["groups"][0]["history"], Value::Null);
    assert!(alone["notes"].to_string().contains("--config FILE"), "{alone:#}");
    bench(&["--config", "absent.toml"]).expect(2).expect_stderr("absent.toml");
    let state = dir.path().join("here").read_dir().unwrap().flatten();
    let state = state.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
    let output = state.join("report.txt");
    let refused = bench(&[&config[..], &["-o", output.to_str().unwrap()]].concat()).expect(2);
    refused.expect_stderr("in the folder of the feeds");
}
