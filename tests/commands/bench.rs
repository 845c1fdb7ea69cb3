//! `wiresift bench`: what a set contains and finds, through the binary.

use crate::harness::{Dir, Run, project};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The schema of reports.
struct Schema(boon::Schemas, boon::SchemaIndex);

impl Schema {
    fn load() -> Schema {
        let path = project().join("docs/bench.schema.json");
        let mut schemas = boon::Schemas::new();
        let index = boon::Compiler::new().compile(path.to_str().unwrap(), &mut schemas).unwrap();
        Schema(schemas, index)
    }
}

/// Runs `bench` and reads its report, which follows the schema.
pub(super) fn report(dir: &Dir, args: &[&str]) -> Value {
    let run = bench(dir, &[args, &["--format", "json"]].concat()).expect(0);
    let report = run.json_lines().swap_remove(0);
    let Schema(schemas, index) = Schema::load();
    if let Err(error) = schemas.validate(&report, index) {
        panic!("{error:#}\n{report:#}");
    }
    report
}

/// Runs `bench`, without measuring costs unless the arguments ask for it: that takes time.
pub(super) fn bench(dir: &Dir, args: &[&str]) -> Run {
    let is_asked = args.iter().any(|arg| arg.starts_with("--cost"));
    let cost = if is_asked { &[][..] } else { &["--cost=off"] };
    dir.command().args(["bench", "--db", "db"]).args(cost).args(args).run()
}

/// Compiles lists, each as the feed of its name; private addresses are meant.
pub(super) fn compile(dir: &Dir, feeds: &[(&str, &str)]) {
    compile_with(dir, &["--internal"], feeds);
}

fn compile_with(dir: &Dir, args: &[&str], feeds: &[(&str, &str)]) {
    let mut command = dir.command();
    command.args(["compile", "-o", "db"]).args(args);
    for (name, list) in feeds {
        command.args([&format!("--feed={name}"), *list]);
    }
    command.run().expect(0);
}

pub(super) fn group<'r>(report: &'r Value, name: &str) -> &'r Value {
    let groups = report["groups"].as_array().unwrap();
    groups.iter().find(|group| group["name"] == name).unwrap()
}

/// The example of the manual.
fn example(name: &str) -> Dir {
    example_with(name, &["--internal"])
}

fn example_with(name: &str, args: &[&str]) -> Dir {
    let dir = Dir::new(name);
    dir.create("a.txt", "203.0.113.0/24\nevil.example\n");
    dir.create("b.txt", "203.0.113.66\ncdn.evil.example\n");
    dir.create("c.txt", "evil.example\n192.0.2.9\n");
    compile_with(&dir, args, &[("A", "a.txt"), ("B", "b.txt"), ("C", "c.txt")]);
    dir
}

#[test]
fn the_example_in_all_forms() {
    // As a newcomer would type it in: without saying that the networks are meant.
    let dir = example_with("bench-example", &[]);
    let report = report(&dir, &["--at", "2026-11-24T12:00:00Z"]);
    assert_eq!(report["schema"], "wiresift.bench/1");
    assert_eq!(report["at"], "2026-11-24T12:00:00.000000Z");
    assert_eq!((&report["corpus"], &report["cost"]), (&Value::Null, &Value::Null));
    let of = |name: &str| {
        let it = group(&report, name);
        json!([it["live"], it["exclusive"], it["exclusive_exact"], it["events"]])
    };
    assert_eq!(
        [of("A"), of("B"), of("C")],
        [json!([2, 1, 1, null]), json!([2, 0, 2, null]), json!([2, 1, 1, null])]
    );
    let pairs: Vec<Value> = report["overlap"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            json!([
                pair["a"],
                pair["b"],
                pair["a_in_b"],
                pair["b_in_a"],
                pair["jaccard"],
                pair["jaccard_exact"]
            ])
        })
        .collect();
    assert_eq!(pairs[0], json!(["A", "B", 0.0, 1.0, 0.5, 0.0]));
    assert_eq!(pairs[1], json!(["A", "C", 0.5, 0.5, 1.0 / 3.0, 1.0 / 3.0]));
    assert_eq!(pairs[2], json!(["B", "C", 0.5, 0.0, 0.25, 0.0]));
    let csv = bench(&dir, &["--format", "csv"]).expect(0).text();
    let rows: Vec<&str> = csv.lines().collect();
    assert!(rows[0].starts_with("name,feed,collection,values,entries,live,"), "{csv}");
    assert!(rows[2].starts_with("B,B,,2,2,2,0,,0,0,0.0,2,,"), "{csv}");
    let csv = bench(&dir, &["--csv", "overlap"]).expect(0).text();
    assert!(csv.lines().nth(1).unwrap().starts_with("A,B,0,0.0,2,1.0,2,4,0.5,0,4,0.0,"), "{csv}");
    assert_eq!(bench(&dir, &["--csv", "indicators"]).expect(0).text().lines().count(), 1);
    let text = bench(&dir, &[]).expect(0).text();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("3 groups, 5 values, 5 entries live at"), "{text}");
    assert!(text.contains("A +4, C +1, B +0"), "{text}");
    let row = text.lines().find(|line| line.starts_with("2 B")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["2", "B", "100", ".", "50"]);
    let to_file = bench(&dir, &["--format", "json", "-o", "report.json"]).expect(0);
    assert_eq!(to_file.text(), "");
    assert!(
        std::fs::read_to_string(dir.path().join("report.json")).unwrap().starts_with("{\"schema\"")
    );
}

/// A log of a network with hosts, and feeds that meet parts of it.
pub(super) fn network(dir: &Dir) {
    dir.create("a.txt", "evil.example\n192.0.2.1\n198.51.100.0/24\n");
    dir.create("b.txt", "x.evil.example\nevil.example\nbad.example\n");
    dir.create("c.txt", "bad.example\nhttp://worse.example/x\nnever.example\n");
    let names =
        ["x.evil.example", "evil.example", "bad.example", "good.example", "a.worse.example"];
    for (file, shift) in [("one.log", 0), ("two.log", 2)] {
        let mut log = String::new();
        for line in 0..300 {
            let host = (line * 7 + shift) % 13;
            let name = names[(line / 3 + shift) % names.len()];
            let address = if line % 11 == 0 { "192.0.2.1" } else { "198.51.100.200" };
            let address = if line % 5 == 0 { address } else { "8.8.8.8" };
            writeln!(
                log,
                "{{\"ts\":\"2026-11-{:02}T10:00:00Z\",\"id.orig_h\":\"10.0.0.{host}\",\
                 \"id.resp_h\":\"{address}\",\"query\":\"{name}\",\"uri\":\"http://worse.example/x\"}}",
                1 + line / 30 + shift
            )
            .unwrap();
        }
        dir.create(file, log);
    }
    let capture = project().join("testdata/captures/dns_http_tls.pcap");
    std::fs::copy(capture, dir.path().join("net.pcap")).unwrap();
}

#[test]
fn order_and_threads_do_not_matter() {
    let dir = Dir::new("bench-order");
    network(&dir);
    compile(&dir, &[("a", "a.txt"), ("b", "b.txt"), ("c", "c.txt")]);
    let flags = ["--at", "2026-11-24T12:00:00Z", "--home", "10.0.0.0/8"];
    let inputs = ["one.log", "two.log", "net.pcap"];
    let want = report(&dir, &[&flags[..], &inputs, &["-j", "1"]].concat());
    assert_eq!(want["corpus"]["inputs"], 3);
    let built = want["database"]["built"].clone();
    compile(&dir, &[("c", "c.txt"), ("a", "a.txt"), ("b", "b.txt")]);
    let inputs = ["net.pcap", "two.log", "one.log"];
    for threads in ["1", "2", "5"] {
        let mut got = report(&dir, &[&flags[..], &inputs, &["-j", threads]].concat());
        got["database"]["built"] = built.clone();
        assert_eq!(got, want, "{threads} threads");
    }
    // What differs if costs are measured are costs, and what they suggest.
    let cost = ["--cost=kinds", "--rounds", "6", "--cost-bytes", "4K"];
    let mut got = report(&dir, &[&flags[..], &inputs, &cost].concat());
    assert!(got["cost"]["kinds"].as_array().unwrap().len() > 3, "{got:#}");
    got["cost"] = Value::Null;
    for group in got["groups"].as_array_mut().unwrap() {
        assert!(group["cost"]["bytes_marginal"].as_i64().unwrap() > 0, "{group:#}");
        group["cost"] = Value::Null;
    }
    (got["database"]["built"], got["advice"]) = (built, want["advice"].clone());
    assert_eq!(got, want);
}

#[test]
fn events_that_are_lost_without_a_feed_are_its_exclusive_ones() {
    let dir = Dir::new("bench-exclusive");
    network(&dir);
    dir.create("d.txt", "93.184.216.34\nexample.com\n");
    let feeds = [("a", "a.txt"), ("b", "b.txt"), ("c", "c.txt"), ("d", "d.txt")];
    let inputs = ["one.log", "two.log", "net.pcap"];
    compile(&dir, &feeds);
    let all = report(&dir, &inputs);
    let events = |report: &Value| report["set"]["events"].as_u64().unwrap();
    assert!(events(&all) > 100, "{all:#}");
    // Every alert of a scan is counted.
    let scan = dir.command().args(["scan", "--db", "db", "--json"]).args(inputs).run().expect(0);
    assert_eq!(all["set"]["alerts"], scan.json_lines().len());
    let fair: f64 = all["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["events_fair"].as_f64().unwrap())
        .sum();
    assert!((fair - events(&all) as f64).abs() < 1e-6);
    for left_out in 0..feeds.len() {
        let mut others = feeds.to_vec();
        let (name, _) = others.remove(left_out);
        compile(&dir, &others);
        let without = report(&dir, &inputs);
        let exclusive = group(&all, name)["events_exclusive"].as_u64().unwrap();
        assert_eq!(events(&all) - events(&without), exclusive, "without {name}");
        let lost =
            all["set"]["alerts_per_day"].as_f64() >= without["set"]["alerts_per_day"].as_f64();
        assert!(lost);
    }
}

#[test]
fn a_scanner_from_outside_makes_nothing_prevalent() {
    let dir = Dir::new("bench-prevalent");
    dir.create("a.txt", "192.0.2.66\nall.example\nfew.example\n");
    compile(&dir, &[("a", "a.txt")]);
    let mut log = String::new();
    for host in 0..12 {
        let mut line = |from: String, to: &str, name: &str| {
            writeln!(
                log,
                "{{\"id.orig_h\":\"{from}\",\"id.resp_h\":\"{to}\",\"query\":\"{name}\"}}"
            )
            .unwrap();
        };
        let inside = format!("10.0.0.{host}");
        line(inside.clone(), "10.0.0.250", "good.example");
        if host < 10 {
            line(inside.clone(), "8.8.8.8", "all.example");
        }
        if host < 2 {
            line(inside.clone(), "8.8.8.8", "few.example");
        }
        if host < 7 {
            line("192.0.2.66".into(), &inside, "-");
        }
    }
    dir.create("x.log", log);
    let report = report(&dir, &["x.log"]);
    assert_eq!(report["corpus"]["hosts"], 13);
    let of = |value: &str| {
        report["indicators"].as_array().unwrap().iter().find(|it| it["value"] == value).unwrap()
    };
    assert_eq!(of("all.example")["flags"][0], "prevalent");
    assert_eq!((&of("192.0.2.66")["flags"], &of("192.0.2.66")["hosts"]), (&json!([]), &json!(0)));
    assert_eq!(of("few.example")["flags"], json!([]));
    // Its hosts are in events all the same.
    assert_eq!(group(&report, "a")["hosts"], 10);
}

#[test]
fn a_corpus_without_hosts() {
    let dir = example("bench-no-hosts");
    dir.create("x.log", "evil.example\n203.0.113.9\n");
    let report = report(&dir, &["x.log"]);
    assert_eq!(report["corpus"]["hosts"], Value::Null);
    assert_eq!(report["corpus"]["events_without_host"], 2);
    let a = group(&report, "A");
    assert_eq!(
        (&a["hosts"], &a["hosts_exclusive"], &a["events"]),
        (&Value::Null, &Value::Null, &json!(2))
    );
    // Neither the database nor an earlier report is read as an input.
    bench(&dir, &["--format", "json", "-o", "report.json", "x.log"]).expect(0);
    std::fs::remove_file(dir.path().join("a.txt")).unwrap();
    std::fs::remove_file(dir.path().join("b.txt")).unwrap();
    std::fs::remove_file(dir.path().join("c.txt")).unwrap();
    let again = bench(&dir, &["--format", "json", "-o", "report.json", "."]).expect(0);
    again.expect_stderr("the database is not read").expect_stderr("the output is not read");
    let again = std::fs::read(dir.path().join("report.json")).unwrap();
    let again: Value = serde_json::from_slice(&again).unwrap();
    assert_eq!((&again["corpus"]["inputs"], &again["set"]["events"]), (&json!(1), &json!(2)));
    let nothing = self::report(&dir, &["--home", "203.0.113.0/24", "x.log"]);
    assert_eq!(nothing["corpus"]["hosts"], 1);
}

#[test]
fn names_of_feeds_cannot_do_anything() {
    let dir = Dir::new("bench-names");
    dir.create("x.txt", "evil.example\n");
    let names =
        ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "a,\"b\"\u{1b}[2J", "-1+1", "@SUM(1)"];
    let feeds: Vec<_> = names.iter().map(|name| (*name, "x.txt")).collect();
    compile(&dir, &feeds);
    let report = report(&dir, &[]);
    assert_eq!(group(&report, names[2])["live"], 1);
    let page = bench(&dir, &["--format", "html"]).expect(0).text();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains('\u{1b}') && page.contains("default-src &#39;none&#39;"), "{page}");
    for table in [&["--format", "csv"][..], &["--csv", "overlap"], &["--format", "text"]] {
        let text = bench(&dir, table).expect(0).text();
        assert!(!text.contains('\u{1b}'), "{text}");
        if !table.contains(&"text") {
            let is_formula =
                |cell: &str| cell.starts_with(['=', '@', '+']) || cell.starts_with("-1+");
            assert!(
                !text.split([',', '\n']).any(|cell| is_formula(cell.trim_matches('"'))),
                "{text}"
            );
            assert!(text.contains("'=cmd") && text.contains("'-1+1"), "{text}");
        }
    }
}

#[test]
fn a_report_is_compared_with_an_earlier_one() {
    let dir = Dir::new("bench-baseline");
    network(&dir);
    let feeds = [("a", "a.txt"), ("b", "b.txt"), ("c", "c.txt")];
    compile(&dir, &feeds);
    let inputs = ["one.log", "two.log"];
    bench(&dir, &[&inputs[..], &["--format", "json", "-o", "old.json"]].concat()).expect(0);
    let held = |thresholds: &[&str]| {
        let mut args = inputs.to_vec();
        args.extend(["--baseline", "old.json"]);
        thresholds.iter().for_each(|it| args.extend(["--fail", it]));
        bench(&dir, &args)
    };
    let all = [
        "events_lost>0",
        "risky_per_day>+0%",
        "bytes>+0%",
        "group:a.live<-0%",
        "flagged_new>0",
        "ns_per_mib>+5%",
    ];
    held(&all)
        .expect(0)
        .expect_stderr("ns_per_mib>+5%: unknown before, unknown now: not comparable");
    compile(&dir, &feeds[..1]);
    held(&all[..3])
        .expect(1)
        .expect_stderr("events_lost>0: 0 before, ")
        .expect_stderr("the threshold is met");
    held(&["group:c.live<-50%"]).expect(1).expect_stderr("3 before, 0 now");
    held(&["group:d.live<-50%"])
        .expect(2)
        .expect_stderr("neither the database nor the baseline has a group “d”");
    held(&["group:a.live<-50%", "alerts>1000000"]).expect(0);
    held(&["evnts>0"]).expect(2).expect_stderr("did you mean events?");
    dir.create("old.json", "{\"schema\":\"wiresift.bench/9\"}");
    held(&["events_lost>0"])
        .expect(2)
        .expect_stderr("expected wiresift.bench/1")
        .expect_stderr("old.json");
    dir.create("old.json", "[1,2");
    held(&["events_lost>0"]).expect(2).expect_stderr("not a report of `wiresift bench`");
}

#[test]
fn risky_indicators_are_flagged_by_what_is_given() {
    let dir = Dir::new("bench-risk");
    dir.create("a.txt", "popular.example\nlisted.example\nevil.example\n");
    dir.create("popular.csv", "1,popular.example\nnothing\n20000,evil.example\n");
    dir.create("lists/known/list.json", json!({"name": "Known", "type": "hostname", "list": ["listed.example"], "version": 1, "description": "", "matching_attributes": ["domain", "hostname"]}).to_string());
    dir.create("said.csv", "evil.example,tp\npopular.example,fp,shared\n");
    compile(&dir, &[("a", "a.txt")]);
    let mut log = String::new();
    (0..4).for_each(|_| log += "10.0.0.1 popular.example\n");
    log += "10.0.0.1 www.evil.example evil.example\n";
    dir.create("x.log", log);
    let flags =
        ["x.log", "--popular", "popular.csv", "--warninglists", "lists", "--verdicts", "said.csv"];
    let run = bench(&dir, &flags).expect(0).expect_stderr("popular.csv: 1 line could not be read");
    run.expect_stdout("suppress popular.example in a").expect_stdout("too small to drop anything");
    let report = report(&dir, &flags);
    let of = |value: &str| {
        report["indicators"].as_array().unwrap().iter().find(|it| it["value"] == value).unwrap()
    };
    assert_eq!(of("popular.example")["flags"], json!(["popular", "storm"]));
    assert_eq!(of("listed.example")["flags"], json!(["listed"]));
    let a = group(&report, "a");
    assert_eq!((&a["popular_values"], &a["listed_values"]), (&json!(1), &json!({"known": 1})));
    assert_eq!((&a["verdicts"]["tp"], &a["verdicts"]["fp"]), (&json!(1), &json!(1)));
    bench(&dir, &["--popular", "a.txt"]).expect(2).expect_stderr("no line has a rank and a name");
    bench(&dir, &["--verdicts", "a.txt"]).expect(2).expect_stderr("no line has a verdict");
    bench(&dir, &["--prevalence", "2"]).expect(2).expect_stderr("a share between 0 and 1");
    bench(&dir, &["absent.log"]).expect(2).expect_stderr("absent.log");
    bench(&dir, &["x.log", "-o", "x.log"]).expect(2).expect_stderr("an input");
}

#[test]
fn what_expiry_and_allow_lists_hold_back_is_counted_by_feed() {
    let dir = Dir::new("bench-held");
    let feed = |feed: &str, value: &str, more: &str| {
        format!(
            "{{\"kind\":\"domain\",\"value\":\"{value}\",\"scope\":\"subtree\",\"feed\":\"{feed}\"{more}}}\n"
        )
    };
    let old = ",\"valid_until\":\"2020-01-01T00:00:00Z\"";
    let list = feed("a", "old.example", old)
        + &feed("a", "good.example", "")
        + &feed("b", "old.example", "");
    dir.create("feed.jsonl", list);
    dir.create("allow.txt", "good.example\n");
    dir.command().args(["compile", "-o", "db", "feed.jsonl"]).run().expect(0);
    dir.create("x.log", "old.example\nwww.good.example\nold.example\n");
    let report = report(&dir, &["x.log", "--allow", "allow.txt", "--at", "2026-11-24"]);
    assert_eq!(group(&report, "a")["held_back"], json!({"allowed": 1, "expired": 2}));
    assert_eq!(group(&report, "b")["held_back"], json!({}));
    assert_eq!(group(&report, "a")["expired"], 1);
    assert_eq!(report["set"]["events"], 2);
}

#[test]
fn differences_of_two_databases() {
    let dir = Dir::new("bench-diff");
    network(&dir);
    compile(&dir, &[("a", "a.txt"), ("b", "b.txt")]);
    std::fs::copy(dir.path().join("db"), dir.path().join("old")).unwrap();
    dir.create("b.txt", "x.evil.example\nbad.example\nnew.example\n");
    compile(&dir, &[("a", "a.txt"), ("b", "b.txt")]);
    let diff = |args: &[&str]| dir.command().args(["bench", "diff"]).args(args).run();
    diff(&["db", "db"]).expect(0).expect_stdout("values: 0 added, 0 removed, 0 changed");
    let all = diff(&["old", "db", "--json"]).expect(1).json_lines().swap_remove(0);
    assert_eq!(all["schema"], "wiresift.bench.diff/1");
    let formatted = diff(&["old", "db", "--format", "json"]).expect(1);
    assert_eq!(formatted.json_lines(), std::slice::from_ref(&all));
    diff(&["old", "db", "--format", "text"]).expect(1).expect_stdout("values: 1 added");
    diff(&["old", "db", "--format", "text", "--json"]).expect(2).expect_stderr("--json");
    assert_eq!(all["alerts"], Value::Null);
    let values = &all["values"];
    assert_eq!(
        (&values["added"], &values["removed"], &values["changed"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!(all["groups"], json!([{"name": "b", "added": 1, "removed": 1, "changed": 0}]));
    assert_eq!(
        all["listed"][0],
        json!({"kind": "domain", "value": "evil.example", "change": "changed", "what": ["sources"], "old": ["a", "b"], "new": ["a"]})
    );
    let back = diff(&["db", "old"]).expect(1);
    back.expect_stdout("- domain new.example (b)")
        .expect_stdout("~ domain evil.example (a → a, b): sources");
    // The alerts are those of two scans.
    dir.create("c.txt", "evil.example\n93.184.216.34\nexample.com\n");
    compile(&dir, &[("c", "c.txt")]);
    let inputs = ["one.log", "two.log", "net.pcap"];
    let count = |db: &str| {
        let run = dir.command().args(["scan", "--db", db, "--json"]).args(inputs).run().expect(0);
        run.json_lines().len()
    };
    for threads in ["1", "3"] {
        let args = [&["old", "db", "--json", "-j", threads][..], &inputs].concat();
        let all = diff(&args).expect(1).json_lines().swap_remove(0);
        let alerts = &all["alerts"];
        assert_eq!((&alerts["old"], &alerts["new"]), (&json!(count("old")), &json!(count("db"))));
        let [appear, disappear, changed] =
            ["appear", "disappear", "changed"].map(|name| alerts[name].as_u64().unwrap());
        assert!(changed > 0 && disappear > 0, "{alerts:#}");
        assert_eq!(count("old") as u64 - disappear, count("db") as u64 - appear);
    }
    let same = diff(&["db", "db", "one.log", "net.pcap"]).expect(0);
    same.expect_stdout("0 appear, 0 disappear, 0 change");
    diff(&["db", "absent"]).expect(2).expect_stderr("absent");
}
