//! The ledger of each feed through the binary: updates of local feeds, `lookup`, damage, and
//! `feed list --quality`.

use crate::harness::{Dir, Run};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;
use wiresift::clock::now;
use wiresift::engine::indicator::{Kind, Timestamp};
use wiresift::intel::store::{Stay, Store};

fn update(dir: &Dir, list: &str, more: &[&str]) -> Run {
    // The ledger counts seconds.
    sleep(Duration::from_millis(1100));
    dir.create("list.txt", list);
    dir.command().args(["feed", "update", "--compile"]).args(more).run()
}

fn with_feed(name: &str, more: &str) -> Dir {
    let dir = Dir::new(name);
    dir.create("wiresift.toml", format!("[[feed]]\nname = \"ours\"\npath = \"list.txt\"\n{more}"));
    dir
}

/// What `lookup --json` says of the ledger.
fn ledger(dir: &Dir, value: &str) -> Vec<Value> {
    let run = dir.command().args(["lookup", "--json", value]).run();
    run.json_lines()[0]["ledger"].as_array().unwrap().clone()
}

fn folder(dir: &Dir) -> PathBuf {
    dir.path().join("wiresift-state/feeds/ours/ledger")
}

/// The stays of the feed, by value.
fn stays(dir: &Dir) -> Vec<(String, Stay)> {
    let feed_dir = Store::at(&dir.path().join("wiresift-state")).feed_dir("ours");
    let ledger = feed_dir.open_ledger().unwrap().unwrap();
    let stays = ledger.stays().unwrap().map(Result::unwrap);
    stays.map(|stay| (stay.value.clone().unwrap().to_string(), stay)).collect()
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

#[test]
fn what_comes_and_leaves_is_remembered() {
    let dir = with_feed("ledger", "");
    let start = now();
    update(&dir, "evil.example\n203.0.113.0/24\n", &[]).expect(0);
    update(&dir, "evil.example\nbad.example\n", &[]).expect(0);
    let unchanged = update(&dir, "evil.example\nbad.example\n", &[]).expect(0);
    unchanged.expect_stderr("1 feed unchanged");
    update(&dir, "bad.example\n203.0.113.0/24\n", &[]).expect(0);
    let today = &now().to_string()[..10];

    let gone = ledger(&dir, "evil.example");
    assert_eq!(gone.len(), 1, "{gone:?}");
    let [first, last, absent] =
        ["first_seen", "last_seen", "absent_since"].map(|name| time(&gone[0][name]));
    assert!(start.0 - 1_000_000 < first.0 && first < last && last < absent && absent <= now());
    // The unchanged feed was fetched in between.
    let third = ledger(&dir, "bad.example");
    assert!(time(&third[0]["first_seen"]) < last);
    assert_eq!(third[0]["absent_since"], Value::Null);
    assert_eq!(
        (&third[0]["stood_at_first_fetch"], &gone[0]["stood_at_first_fetch"]),
        (&json!(false), &json!(true))
    );

    // An address of a network that left and came back.
    let back = ledger(&dir, "203.0.113.9");
    let kinds: Vec<&str> = back.iter().map(|stay| stay["value"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["203.0.113.0/24"; 2]);
    assert!(time(&back[0]["absent_since"]) < time(&back[1]["first_seen"]));

    let run = dir.command().args(["lookup", "evil.example", "bad.example", "203.0.113.9"]).run();
    run.expect(0)
        .expect_stdout("evil.example: does not match")
        .expect_stdout(&format!("  in feed ours from {today} or earlier to {today}\n"))
        .expect_stdout(&format!("  in feed ours since {today}\n"))
        .expect_stdout(&format!("  net 203.0.113.0/24: in feed ours since {today}\n"));
    // Another database has nothing to do with these feeds.
    dir.create("other.txt", "evil.example\n");
    let run = dir.command().args(["lookup", "--db", "other.txt", "--json", "evil.example"]).run();
    assert_eq!(run.json_lines()[0]["ledger"], json!([]));
    let run = dir.command().args(["lookup", "--db", "wiresift.wsdb", "bad.example"]).run();
    run.expect(0).expect_stdout("in feed ours since");
    dir.command().args(["feed", "show", "ours"]).run().expect(0).expect_stdout("2 values since");

    let stays = stays(&dir);
    let values: Vec<&str> = stays.iter().map(|(value, _)| &**value).collect();
    assert_eq!(values, ["203.0.113.0/24", "203.0.113.0/24", "bad.example", "evil.example"]);
    assert_eq!(stays[2].1.kind, Kind::Domain);
}

#[test]
fn a_dry_run_and_a_held_update_change_nothing() {
    let dir = with_feed("ledger-dry", "");
    update(&dir, "a.example\nb.example\nc.example\n", &[]).expect(0);
    let files = || {
        let mut files: Vec<_> =
            fs::read_dir(folder(&dir)).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        files.iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    let before = files();
    dir.create("list.txt", "a.example\nb.example\nd.example\n");
    dir.command().args(["feed", "update", "--dry-run"]).run().expect(0);
    assert_eq!(files(), before);
    update(&dir, "x.example\n", &[]).expect(2).expect_stderr("held back");
    assert_eq!(files(), before);
    let held = now();
    update(&dir, "x.example\n", &["--accept"]).expect(0);
    let stays = ledger(&dir, "x.example");
    // It was in the feed when it was held.
    assert!(time(&stays[0]["first_seen"]) <= held, "{stays:?}");
    assert!(time(&ledger(&dir, "a.example")[0]["absent_since"]) <= held);
}

#[test]
fn a_filter_is_no_news() {
    let dir = with_feed("ledger-filter", "deny = [\"bad.example\"]\n");
    update(&dir, "evil.example\nbad.example\n", &[]).expect(0);
    assert!(ledger(&dir, "bad.example").is_empty());
    dir.create("wiresift.toml", "[[feed]]\nname = \"ours\"\npath = \"list.txt\"\n");
    update(&dir, "evil.example\nbad.example\n", &[]).expect(0);
    assert_eq!(ledger(&dir, "bad.example")[0]["stood_at_first_fetch"], true);
    update(&dir, "evil.example\nbad.example\nnew.example\n", &[]).expect(0);
    assert_eq!(ledger(&dir, "new.example")[0]["stood_at_first_fetch"], false);
}

#[test]
fn a_damaged_ledger_stops_nothing() {
    let dir = with_feed("ledger-damage", "");
    update(&dir, "evil.example\nbad.example\n", &[]).expect(0);
    fs::write(folder(&dir).join("index.json"), "{").unwrap();
    let run = dir.command().args(["lookup", "evil.example"]).run().expect(0);
    run.expect_stderr("the index of the ledger is damaged").expect_stdout("matches");
    // Also if the feed has not changed.
    let run = update(&dir, "evil.example\nbad.example\n", &[]).expect(0);
    run.expect_stderr("a new ledger begins; the damaged one was moved to");
    assert!(folder(&dir).with_extension("damaged").join("index.json").exists());
    assert_eq!(ledger(&dir, "evil.example")[0]["stood_at_first_fetch"], true);
    // A store from before there were ledgers, or one that could not be written.
    fs::remove_dir_all(folder(&dir)).unwrap();
    update(&dir, "evil.example\nbad.example\n", &[]).expect(0).expect_no_stderr("ledger");
    assert_eq!(stays(&dir).len(), 2);
    // A folder that cannot be one.
    fs::remove_dir_all(folder(&dir)).unwrap();
    fs::write(folder(&dir), "").unwrap();
    let run = update(&dir, "evil.example\nworse.example\n", &[]).expect(0);
    run.expect_stderr("ours: 2 indicators (+1 -1)").expect_stderr("ledger");
}

#[test]
fn feeds_are_listed_with_what_a_bench_says() {
    let dir = with_feed("ledger-quality", "[[feed]]\nname = \"other\"\npath = \"list.txt\"\n");
    update(&dir, "evil.example\n", &[]).expect(0);
    let group = |name: &str, exclusive: u64| {
        json!({
            "name": name, "feed": name, "live": 1234, "exclusive_share": 0.25, "events": 9,
            "events_exclusive": exclusive, "risky_share": null, "late_share": 0.5,
            "age": {"p50": 12.4}, "history": {"first_share": 0.75},
            "cost": {"ns_per_mib": {"median": 5000.0, "low": 1.0, "high": 9000.0}, "below_noise": true},
        })
    };
    let report = json!({
        "schema": "wiresift.bench/1", "at": "2026-11-20T00:00:00Z", "by": "feed",
        "groups": [group("ours", 3), group("gone\u{1b}[2J", 5)],
        "advice": [{"action": "keep", "group": "ours"}, {"action": "suppress", "group": "ours"}],
    });
    dir.create("bench.json", report.to_string());
    let list = |more: &[&str]| {
        dir.command().args(["feed", "list", "--quality", "bench.json"]).args(more).run()
    };
    let run = list(&[]).expect(0).expect_stderr("2026-11-20");
    let text = run.text();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "feed",
            "live",
            "excl%",
            "events",
            "only here",
            "first%",
            "late%",
            "risky%",
            "age d",
            "ns/MiB",
            "advice",
            "status"
        ]
    );
    assert!(rows[1][0].starts_with("gone") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(
        rows[2],
        [
            "ours",
            "1 234",
            "25.0",
            "9",
            "3",
            "75.0",
            "50.0",
            "12",
            "≤ 9 000",
            "keep, suppress 1",
            "good"
        ]
    );
    assert_eq!(rows[3], ["other", "not in the bench", "good"]);
    let lines = list(&["--json"]).expect(0).json_lines();
    assert_eq!((&lines[1]["feed"], &lines[1]["quality"]["live"]), (&json!("ours"), &json!(1234)));
    assert_eq!((&lines[1]["ledger"]["values"], &lines[1]["subscribed"]), (&json!(1), &json!(true)));
    assert_eq!((&lines[2]["quality"], &lines[0]["subscribed"]), (&Value::Null, &json!(false)));
    for (text, want) in [
        ("", "not a report"),
        ("{}", "not a report"),
        ("{\"schema\":\"wiresift.bench/9\"}", "wiresift.bench/9"),
        ("{\"schema\":\"wiresift.bench/1\",\"by\":\"pulse\",\"groups\":[]}", "collections"),
        ("{\"schema\":\"wiresift.bench/1\"}", "no groups"),
    ] {
        dir.create("bench.json", text);
        list(&[]).expect(2).expect_stderr(want).expect_stderr("make it with");
    }
    // A feed that failed is shown in the exit status, as without a report.
    dir.create("bench.json", report.to_string());
    fs::remove_file(dir.path().join("list.txt")).unwrap();
    dir.command().args(["feed", "update"]).run().expect(2);
    list(&[]).expect(1).expect_stdout("failed");
}

#[test]
fn a_bench_knows_who_was_first() {
    let dir = Dir::new("ledger-bench");
    let config =
        ["a", "b"].map(|name| format!("[[feed]]\nname = \"{name}\"\npath = \"{name}.txt\"\n"));
    dir.create("wiresift.toml", config.concat());
    dir.create("a.txt", "old.example\n");
    dir.create("b.txt", "old.example\nother.example\n");
    dir.command().args(["feed", "update"]).run().expect(0);
    sleep(Duration::from_millis(1100));
    dir.create("a.txt", "old.example\nnew.example\n");
    dir.command().args(["feed", "update"]).run().expect(0);
    sleep(Duration::from_millis(1100));
    dir.create("b.txt", "old.example\nnew.example\n");
    dir.command().args(["feed", "update", "--compile"]).run().expect(0);

    let run = dir.command().args(["bench", "--format", "json"]).run().expect(0);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let history = |at: usize| &report["groups"][at]["history"];
    assert_eq!(report["groups"][0]["name"], "a");
    // What stood at the first fetch says nothing about who was first.
    assert_eq!((&history(0)["shared"], &history(1)["shared"]), (&json!(1), &json!(1)));
    assert_eq!(history(0)["first_share"], 1.0);
    assert_eq!(history(0)["latency_p50"], 0.0);
    assert_eq!(history(1)["first_share"], 0.0);
    assert!(history(1)["latency_p50"].as_f64().unwrap() > 0.0);

    // Of another database, these ledgers say nothing.
    fs::copy(dir.path().join("wiresift.wsdb"), dir.path().join("other.wsdb")).unwrap();
    let run =
        dir.command().args(["bench", "--db", "other.wsdb", "--format", "json"]).run().expect(0);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["groups"][0]["history"], Value::Null);
}
