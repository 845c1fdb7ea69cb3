//! Which alerts are written, in which form, and their summary; and what can be used as a
//! database.

use crate::harness::records::text;
use crate::harness::{Dir, Run, project};
use serde_json::Value;

/// Two logs, a capture, and indicators of two feeds with different contexts.
fn dir(name: &str) -> Dir {
    let dir = Dir::new(name);
    dir.create(
        "feeds/ours.csv",
        "indicator,type,confidence,severity\n\
         203.0.113.5,ip,90,critical\nevil.example,domain,20,low\n",
    );
    dir.create("feeds/theirs.txt", "evil.example\n203.0.113.0/28\n");
    dir.create(
        "logs/a.log",
        "2026-11-01T00:00:00Z from 203.0.113.5\n2026-11-02T00:00:00Z from 203.0.113.5\n\
         2026-11-03T00:00:00Z to evil.example\n",
    );
    dir.create("logs/b.log", "nothing\n");
    dir.create("logs/old/c.log", "2026-11-04T00:00:00Z to www.evil.example\n");
    dir.command().args(["compile", "-q", "-o", "db", "--internal", "feeds"]).run().expect(0);
    dir
}

fn scan(dir: &Dir, args: &[&str]) -> Run {
    dir.command().args(["scan", "--db", "db"]).args(args).run()
}

fn seen(run: &Run) -> Vec<String> {
    let records = run.json_lines();
    records.iter().map(|record| text(record, "/seen/value").to_owned()).collect()
}

#[test]
fn criteria_leave_alerts_out_and_say_so() {
    let dir = dir("selection-criteria");
    let all = ["203.0.113.5", "203.0.113.5", "evil.example", "www.evil.example"];
    for (args, wanted) in [
        (&["--json"][..], &all[..]),
        (&["--min-severity", "high"], &all[..2]),
        (&["--min-severity", "medium", "--feed", "theirs"], &all[..]),
        (&["--min-confidence", "50"], &all[..2]),
        (&["--feed", "OUR*", "--min-confidence", "20", "--kind", "domain"], &all[2..]),
        (&["--kind", "network"], &all[..2]),
        (&["--since", "2026-11-03"], &all[2..]),
        (&["--first"], &[all[0], all[2], all[3]]),
        (&["-m", "1"], &[all[0], all[3]]),
        (&["--first", "-m", "2"], &[all[0], all[2], all[3]]),
        (&["--exclude", "a.*"], &all[3..]),
        (&["--exclude", "old"], &all[..3]),
        (&["--exclude", "logs/old/*"], &all[..3]),
    ] {
        for threads in ["1", "3"] {
            let run = scan(&dir, &["logs", "-j", threads]);
            assert_eq!(seen(&run.expect(0)), all);
            let run = scan(&dir, &[&["logs", "-j", threads], args].concat()).expect(0);
            assert_eq!(seen(&run), wanted, "{args:?}");
        }
    }
    let run = scan(&dir, &["logs", "--min-confidence", "95"]).expect(1);
    run.expect_stderr("4 alerts left out: 4 by confidence");
    let run = scan(&dir, &["logs", "--feed", "ours", "--kind", "url", "--stats=json"]).expect(1);
    let stats: Value = serde_json::from_slice(&run.stderr).unwrap();
    assert_eq!(stats["left_out"]["kind"], 4);
    let run = scan(&dir, &["logs", "--feed", "x"]).expect(2);
    run.expect_stderr("no feed “x”").expect_stderr("it has ours, theirs");
    for (args, word) in [
        (&["--min-severity", "worst"][..], "low, medium, high"),
        (&["--kind", "adress"], "expected one of hash"),
        (&["--since", "lately"], "expected a date"),
        (&["--min-confidence", "101"], "0..=100"),
        (&["-m", "0"], "nothing would be read"),
    ] {
        scan(&dir, args).expect(2).expect_stderr(word);
    }
}

#[test]
fn counts_and_paths_are_those_of_grep() {
    let dir = dir("selection-forms");
    let counts = scan(&dir, &["-c", "logs"]).expect(0);
    assert_eq!(counts.text(), "logs/a.log:3\nlogs/b.log:0\nlogs/old/c.log:1\n");
    assert_eq!(scan(&dir, &["-c", "logs/a.log"]).expect(0).text(), "3\n");
    assert_eq!(scan(&dir, &["-c", "logs/b.log"]).expect(1).text(), "0\n");
    assert_eq!(scan(&dir, &["-l", "logs"]).expect(0).text(), "logs/a.log\nlogs/old/c.log\n");
    let counts = scan(&dir, &["-c", "-m", "1", "--kind", "domain", "logs"]).expect(0);
    assert_eq!(counts.text(), "logs/a.log:1\nlogs/b.log:0\nlogs/old/c.log:1\n");
    let piped = dir.shell("printf 'evil.example\\n' | wiresift scan --db db -c").run();
    assert_eq!(piped.expect(0).text(), "1\n");
}

/// The same for any number of threads, and by counting records.
#[test]
fn captures_are_selected_in_the_order_of_their_packets() {
    let dir = Dir::new("selection-captures");
    let testdata = project().join("testdata");
    let feeds = testdata.join("indicators");
    let folder = testdata.join("captures/*.pcap");
    let (feeds, folder) = (feeds.to_str().unwrap(), folder.to_str().unwrap());
    dir.command().args(["compile", "-q", "--internal", "-o", "db", feeds]).run();
    let all = scan(&dir, &[folder]).expect(0).json_lines();
    let of = |args: &[&str]| {
        let one = scan(&dir, &[&[folder, "-j", "1"], args].concat()).expect(0);
        let three = scan(&dir, &[&[folder, "-j", "3"], args].concat()).expect(0);
        assert_eq!(one.text(), three.text(), "{args:?}");
        one
    };
    let is_high = |record: &&Value| record["severity"].as_u64() >= Some(3);
    let high: Vec<&Value> = all.iter().filter(is_high).collect();
    let selected = of(&["--min-severity", "high"]).json_lines();
    assert!(!high.is_empty() && high.len() < all.len());
    assert_eq!(selected.iter().collect::<Vec<_>>(), high);
    let mut firsts = std::collections::HashSet::new();
    let is_first = |record: &&Value| {
        let packet = text(record, "/packet/path").to_owned();
        let seen = &record["seen"];
        firsts.insert((packet, seen["kind"].to_string(), seen["value"].to_string()))
    };
    let wanted: Vec<&Value> = all.iter().filter(is_first).collect();
    let first = of(&["--first"]).json_lines();
    assert_eq!(first.iter().collect::<Vec<_>>(), wanted);
    let counts = of(&["-c"]).text();
    let sum: usize =
        counts.lines().map(|l| l.rsplit_once(':').unwrap().1.parse::<usize>().unwrap()).sum();
    assert_eq!(sum, all.len());
    let two = of(&["-m", "2", "-c"]).text();
    assert!(
        two.lines()
            .all(|line| line.ends_with(":0") || line.ends_with(":1") || line.ends_with(":2"))
    );
    // The text format describes a source once, whichever thread found it.
    let page = of(&["--format", "text"]).text();
    assert!(page.contains("(as above)"));
}

#[test]
fn a_summary_adds_up() {
    let dir = dir("selection-summary");
    let run = scan(&dir, &["logs", "--summary=json", "-q"]).expect(0);
    let summary: Value = serde_json::from_str(&run.text()).unwrap();
    assert_eq!(summary["alerts"], 4);
    assert_eq!(summary["severities"], serde_json::json!({"critical": 2, "low": 2}));
    let indicators = &summary["indicators"];
    assert_eq!(indicators["distinct"], 2);
    assert_eq!(indicators["top"][0]["alerts"], 2);
    assert_eq!(summary["inputs"]["top"][0]["path"], "logs/a.log");
    assert_eq!(summary["feeds"]["top"][0]["alerts"], 4);
    assert_eq!(summary["first"], "2026-11-01T00:00:00.000000Z");
    // If alerts go to standard output, the summary goes elsewhere.
    let run = scan(&dir, &["logs", "--summary"]).expect(0);
    assert_eq!(run.json_lines().len(), 4);
    run.expect_stderr("2 indicators");
}

#[test]
fn a_list_serves_as_a_database() {
    let dir = dir("selection-list");
    let run = dir.command().args(["scan", "--db", "feeds/theirs.txt", "-c", "logs/a.log"]).run();
    // Networks reserved for tests are suppressed without --internal.
    assert_eq!(run.text(), "1\n");
    run.expect(0).expect_stderr("compiled 2 values in memory");
    let run = dir.command().args(["lookup", "--db", "feeds", "evil.example"]).run().expect(0);
    run.expect_stdout("from theirs");
    dir.create("README", "# nothing\n");
    for db in ["README", "absent"] {
        dir.command().args(["scan", "--db", db, "logs"]).run().expect(2).expect_stderr(db);
    }
    let line = "bash -c 'wiresift scan --db <(echo evil.example) -c logs/a.log'";
    dir.shell(line).run().expect(0).expect_stdout("1");
    // Without `--db`, the database of the configuration is used, or an error explains how to name
    // one.
    let run = dir.command().args(["scan", "logs"]).run().expect(2);
    run.expect_stderr("there is no wiresift.toml in this folder")
        .expect_stderr("--db takes a database or a list of indicators");
    dir.create("wiresift.toml", "database = \"db\"\n");
    assert_eq!(seen(&dir.command().args(["scan", "logs"]).run().expect(0)).len(), 4);
    dir.command().args(["lookup", "evil.example"]).run().expect(0);
    dir.create("wiresift.toml", "database = \"other\"\n");
    let run = dir.command().args(["scan", "logs"]).run().expect(2);
    run.expect_stderr("wiresift feed update --compile");
}

/// The default on a terminal, if there are more alerts than it has lines; and no line is wider
/// than it.
#[test]
fn text_fits_the_terminal() {
    let dir = Dir::new("selection-terminal");
    let feed = project().join("testdata/indicators/otx_pulses.json");
    let log = project().join("testdata/logs/named_query.log");
    let (feed, log) = (feed.to_str().unwrap(), log.to_str().unwrap());
    dir.command().args(["compile", "-q", "-o", "db", feed]).run().expect(0);
    let line = format!("stty cols 72 rows 20; wiresift scan --db db --color never {log}");
    let run = dir.shell(&format!("script -qec '{line}' /dev/null")).run();
    let page = run.text();
    assert!(
        page.contains("summary") && page.contains("17 indicators") || page.contains("indicators")
    );
    let starts = ["    ", "      ", "  | "];
    for line in page.lines().map(|line| line.trim_end_matches('\r')) {
        // Values and paths are complete, however long they are.
        let is_folded = starts.iter().any(|start| line.starts_with(start))
            && !line.contains("http")
            && !line.contains(".arpa");
        assert!(!is_folded || line.chars().count() <= 72, "{line}");
    }
}
