//! `wiresift bench --cost`: what feeds and their kinds of indicators cost.

use super::bench::{bench, compile, group, report};
use crate::harness::Dir;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Few rounds over little text: enough to see what is large.
const SHORT: [&str; 4] = ["--rounds", "9", "--cost-bytes", "32K"];

/// A feed of names, one of addresses, and one with a single CVE number besides names, with a log in
/// which numbers of that form are frequent.
fn feeds(dir: &Dir) {
    let names: String = (0..400).map(|n| format!("name{n}.evil.example\n")).collect();
    dir.create("a.txt", names);
    dir.create("b.txt", "192.0.2.1\n198.51.100.0/24\n");
    dir.create("c.txt", "bad.example\nCVE-2024-1234\n");
    compile(dir, &[("names", "a.txt"), ("addresses", "b.txt"), ("mixed", "c.txt")]);
    let mut log = "2026-11-24T10:00:00Z 192.0.2.1 asked for name7.evil.example\n".to_string();
    for line in 0..600 {
        writeln!(
            log,
            "2026-11-24T10:00:00Z host {line} has CVE-2023-{line:04}, CVE-2022-{line:05} \
             CVE-2021-{line:04} and CVE-2020-{line:04}"
        )
        .unwrap();
    }
    dir.create("x.log", log);
}

#[test]
fn the_kind_that_switches_a_search_on_is_named() {
    let dir = Dir::new("bench-cost-kinds");
    feeds(&dir);
    let args = [&["x.log", "--cost=kinds", "-j", "2"][..], &SHORT].concat();
    let report = report(&dir, &args);
    let cost = &report["cost"];
    assert_eq!((&cost["threads"], &cost["rounds"]), (&json!(1), &json!(9)));
    assert!(cost["bytes"].as_u64().unwrap() >= 32 << 10, "{cost:#}");
    assert!(cost["ns_per_mib"]["median"].as_f64().unwrap() > 0.0);
    let kinds = cost["kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), 5, "{kinds:#?}");
    let first = &kinds[0];
    assert_eq!((&first["group"], &first["kind"]), (&json!("mixed"), &json!("cve")), "{kinds:#?}");
    assert_eq!((&first["values"], &first["alerts"]), (&json!(1), &json!(0)));
    assert_eq!(first["below_noise"], false, "{cost:#}");
    // Counts are exact: without the names, nothing passes the filters for them.
    let names = &group(&report, "names")["cost"];
    assert!(names["passes_marginal"].as_i64().unwrap() > 0, "{names:#}");
    assert!(
        names["bytes_alone"].as_u64() > group(&report, "mixed")["cost"]["bytes_alone"].as_u64()
    );
    let passes = |name: &str| cost["passes"][name].as_u64().unwrap();
    assert!(passes("asked") >= passes("passed") && passes("walked") >= passes("met"), "{cost:#}");
    let csv = bench(&dir, &[&args[..], &["--csv", "kinds"]].concat()).expect(0).text();
    assert!(csv.starts_with("group,kind,values,alerts,ns_per_mib.median,"), "{csv}");
    assert_eq!(csv.lines().count(), 6);
    let text = bench(&dir, &args).expect(0).text();
    assert!(text.contains("cost, by processor time"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn costs_are_measured_on_logs_and_sizes_without_them() {
    let dir = Dir::new("bench-cost-none");
    feeds(&dir);
    // Nothing is measured unless there is something to measure on, or somebody asks.
    assert_eq!(report(&dir, &[])["cost"], Value::Null);
    let sizes = report(&dir, &["--cost=feeds"]);
    assert_eq!((&sizes["cost"]["ns_per_mib"], &sizes["cost"]["rounds"]), (&Value::Null, &json!(0)));
    let names = &group(&sizes, "names")["cost"];
    assert!(names["bytes_marginal"].as_i64().unwrap() > 1000, "{names:#}");
    assert_eq!((&names["ns_per_mib"], &names["below_noise"]), (&Value::Null, &Value::Null));
    let notes = sizes["notes"].to_string();
    assert!(notes.contains("measured on logs"), "{notes}");
    bench(&dir, &["x.log", "--csv", "kinds"]).expect(2).expect_stderr("with --cost=kinds");
    for (flag, value, why) in [
        ("--rounds", "5", "from 6 to 200"),
        ("--rounds", "x", "from 6 to 200"),
        ("--cost-bytes", "0", "above 0"),
    ] {
        bench(&dir, &["x.log", flag, value]).expect(2).expect_stderr(why);
    }
}

#[test]
fn a_report_with_costs_is_held_against_itself() {
    let dir = Dir::new("bench-cost-baseline");
    feeds(&dir);
    let args = [&["x.log", "--cost=feeds"][..], &SHORT].concat();
    let old = [&args[..], &["--format", "json", "-o", "old.json"]].concat();
    bench(&dir, &old).expect(0);
    let thresholds = [
        "--baseline",
        "old.json",
        "--fail",
        "ns_per_mib>+900%",
        "--fail",
        "group:names.bytes_marginal>+0%",
    ];
    bench(&dir, &[&args[..], &thresholds].concat()).expect(0);
    // Of another machine, times say nothing.
    let text = std::fs::read_to_string(dir.path().join("old.json")).unwrap();
    let mut other: Value = serde_json::from_str(&text).unwrap();
    other["cost"]["machine"] = "another".into();
    dir.create("old.json", other.to_string());
    let run = bench(
        &dir,
        &[&args[..], &["--baseline", "old.json", "--fail", "ns_per_mib>-99%"]].concat(),
    );
    run.expect(0).expect_stderr("the machines differ");
}

/// Measuring takes a minute, which nobody wants to wait for unless it says something.
#[test]
fn costs_are_measured_by_default_if_they_say_something() {
    let dir = Dir::new("bench-cost-default");
    feeds(&dir);
    let bench = |args: &[&str]| {
        let mut command = dir.command();
        let run = command.args(["bench", "--db", "db", "--format", "json"]).args(args).run();
        run.expect(0).json_lines().swap_remove(0)
    };
    let note =
        |why: &str| format!("costs were not measured, because {why}; --cost=feeds measures them");
    let has = |report: &Value, note: &str| {
        report["notes"].as_array().unwrap().iter().any(|it| it == note)
    };
    let little = bench(&["x.log"]);
    assert_eq!(little["cost"], Value::Null);
    assert!(has(&little, &note("there is less than 1 MiB of logs")), "{little:#}");
    // Whoever limits the sample, or names a threshold on costs, asks for them.
    let asked = bench(&["x.log", "--rounds", "6", "--cost-bytes", "16K"]);
    assert_eq!(asked["cost"]["rounds"], 6);
    assert!(!asked["notes"].to_string().contains("costs were not measured"), "{asked:#}");
    let gate = bench(&["--fail", "group:names.bytes_marginal>1000000000"]);
    assert!(gate["cost"]["machine"].is_string(), "{gate:#}");
    compile(&dir, &[("names", "a.txt")]);
    let alone = bench(&["x.log"]);
    assert_eq!(alone["cost"], Value::Null);
    assert!(has(&alone, &note("there is only one group")), "{alone:#}");
    assert!(!bench(&[])["notes"].to_string().contains("costs were not measured"));
}
