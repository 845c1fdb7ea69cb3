//! Warning lists and rejected values, from the command line: what is excluded, what is tagged,
//! and what is reported about it.

use crate::harness::records::indicators;
use crate::harness::{Dir, Run, shared};
use serde_json::{Value, json};

fn list(mode: &str, title: &str, entries: &[&str], attributes: &[&str]) -> String {
    json!({"name": title, "description": "made for a test", "version": 1, "type": mode,
           "matching_attributes": attributes, "list": entries})
    .to_string()
}

fn compile(dir: &Dir, args: &[&str]) -> Value {
    let run = dir.command().args(["compile", "--json", "-o", "db"]).args(args).run().expect(0);
    run.json_lines().remove(0)
}

fn look_up(dir: &Dir, value: &str) -> Run {
    dir.command().args(["lookup", "--db", "db", value]).run()
}

fn tags(record: &Value) -> Vec<String> {
    let sources = indicators(record).iter().filter_map(|met| met["sources"].as_array()).flatten();
    let tags = sources.filter_map(|source| source["tags"].as_array()).flatten();
    tags.map(|tag| tag.as_str().unwrap().to_string()).collect()
}

/// A list may be limited to some feeds, and has the chosen effect on them.
#[test]
fn lists_are_for_all_feeds_or_for_some() {
    let dir = Dir::new("lists-feeds");
    dir.create("one.txt", "a.hoster.example\nhoster.example\n203.0.113.7\n");
    dir.create("two.txt", "a.hoster.example\nhoster.example\n");
    dir.create("hosts.json", list("hostname", "Shared hosts", &["hoster.example"], &["domain"]));
    dir.create("nets.json", list("cidr", "Nets", &["203.0.113.0/24", "nonsense"], &["ip-dst"]));
    let feeds = ["--internal", "one.txt", "two.txt"];
    let lists = [
        "--suppress",
        "one:hosts.json",
        "--annotate",
        "two,three:hosts.json",
        "--suppress",
        "nets.json",
    ];
    let report = compile(&dir, &[&lists[..], &feeds[..]].concat());
    assert_eq!(report["rejected"], json!({"listed": 3, "annotated": 1, "downgraded_to_exact": 1}));
    assert_eq!(
        report["by_feed"],
        json!({"one": {"listed": 3}, "two": {"annotated": 1, "downgraded_to_exact": 1}})
    );
    let of = |id: &str, effect: &str, feeds: &[&str], unreadable: u64, met: u64| {
        json!({"list": id, "effect": effect, "feeds": feeds, "entries": 1,
               "unreadable": unreadable, "met": met})
    };
    assert_eq!(
        report["lists"],
        json!([
            of("hosts", "suppress", &["one"], 0, 2),
            of("nets", "suppress", &[], 1, 1),
            of("hosts", "annotate", &["two", "three"], 0, 2),
        ])
    );
    dir.create("log", "a.hoster.example\nx.hoster.example\nhoster.example\n203.0.113.7\n");
    let scan =
        dir.command().args(["scan", "--db", "db", "--format", "json", "log"]).run().expect(0);
    let records = scan.json_lines();
    let seen: Vec<_> =
        records.iter().map(|record| record["seen"]["value"].as_str().unwrap()).collect();
    assert_eq!(seen, ["a.hoster.example", "hoster.example"]);
    for record in &records {
        assert_eq!(tags(record), ["warninglist:hosts"]);
        assert_eq!(indicators(record)[0]["sources"].as_array().unwrap().len(), 1);
    }
    look_up(&dir, "203.0.113.7")
        .expect(1)
        .expect_stdout("not alerting: ip 203.0.113.7 (exact): listed: ")
        .expect_stdout("on the warning list nets (Nets)")
        .expect_stdout("from one");
    let run = dir.command().args(["lookup", "--db", "db", "--json", "203.0.113.7"]).run().expect(1);
    assert_eq!(run.json_lines()[0]["held"][0]["lists"], json!(["nets (Nets)"]));
    look_up(&dir, "hoster.example").expect(0).expect_stdout("from two");

    // The text output says the same.
    let run = dir.command().args(["compile", "-o", "db"]).args(lists).args(feeds).run().expect(0);
    run.expect_stderr("of one: 3 listed")
        .expect_stderr(
            "warning list nets (suppress): 1 indicator matched its 1 entry, 1 entry unreadable",
        )
        .expect_stderr("warning list hosts (annotate): 2 indicators matched its 1 entry");
}

/// A folder as in MISP: each list has the usual effect for its name.
#[test]
fn lists_of_a_folder_have_their_usual_effect() {
    let dir = Dir::new("lists-folder");
    dir.create("lists/public-dns-v4/list.json", list("cidr", "Resolvers", &["198.51.100.1"], &[]));
    dir.create("lists/url-shortener/list.json", list("hostname", "Short", &["short.example"], &[]));
    dir.create("README.md", "no list");
    dir.create("feed.txt", "198.51.100.1\nx.short.example\n");
    let report = compile(&dir, &["--internal", "--warninglists", "lists", "feed.txt"]);
    assert_eq!(report["rejected"], json!({"listed": 1, "annotated": 1}));
    // A list that cannot be read is an error, not an empty list.
    dir.create(
        "broken.json",
        r#"{"type":"sometimes","name":"x","list":["a"],"version":1,"description":"d"}"#,
    );
    let args = ["compile", "-o", "db", "--suppress", "broken.json", "feed.txt"];
    dir.command()
        .args(args)
        .run()
        .expect(2)
        .expect_stderr("broken.json")
        .expect_stderr("sometimes");
    let args = ["compile", "-o", "db", "--suppress", "absent.json", "feed.txt"];
    dir.command().args(args).run().expect(2).expect_stderr("absent.json");
}

/// A value in a feed that is not an indicator is explained, too.
#[test]
fn rejected_values_are_explained() {
    let dir = Dir::new("lists-rejected");
    dir.create("feed.txt", "evil.example\nwhat is this\n999.1.1.1\nhxxp://[bad\n");
    compile(&dir, &["--as", "lines", "feed.txt"]);
    look_up(&dir, "what is this")
        .expect(1)
        .expect_stdout("not alerting: opaque what is this (exact): unrecognised: ")
        .expect_stdout("from feed");
    look_up(&dir, "999.1.1.1").expect(1).expect_stdout("999.1.1.1 (exact): bad_address: ");
    look_up(&dir, "WHAT IS THIS").expect(1).expect_stdout("unrecognised");
    look_up(&dir, "hxxp://[bad").expect(1).expect_stdout("from feed");
    look_up(&dir, "what is that").expect(1).expect_stdout("does not match");
    // The order of the feeds must not matter.
    dir.create("other.txt", "evil.example\nneither is this\n");
    let mut bytes = Vec::new();
    for feeds in [["feed.txt", "other.txt"], ["other.txt", "feed.txt"]] {
        compile(&dir, &[&["--as", "lines"], &feeds[..]].concat());
        let run = dir.command().args(["inspect", "--json", "db"]).run().expect(0);
        bytes.push(run.json_lines()[0]["id"].clone());
    }
    assert_eq!(bytes[0], bytes[1]);
}

/// Expiry date and reason are shown by `lookup`.
#[test]
fn allow_lists_say_why_and_until_when() {
    let dir = Dir::new("lists-allow");
    dir.create("feed.txt", "evil.example\nworse.example\n");
    dir.create("allow.txt", "evil.example until=2027-01-31 # drill of the blue team\n");
    compile(&dir, &["feed.txt"]);
    let ask = |at: &str, value: &str| {
        let args = ["lookup", "--db", "db", "--allow", "allow.txt", "--at", at, value];
        dir.command().args(args).run()
    };
    ask("2027-01-30T00:00:00Z", "evil.example")
        .expect(1)
        .expect_stdout("on the allow list allow until 2027-01-31T00:00:00")
        .expect_stdout(": drill of the blue team");
    ask("2027-01-31T00:00:00Z", "evil.example").expect(0);
    ask("2027-01-30T00:00:00Z", "worse.example").expect(0);
    // The same with lists compiled into the database.
    compile(&dir, &["feed.txt", "--allow", "allow.txt"]);
    let ask =
        |at: &str| dir.command().args(["lookup", "--db", "db", "--at", at, "evil.example"]).run();
    ask("2027-01-30T00:00:00Z").expect(1).expect_stdout("drill of the blue team");
    ask("2027-02-01T00:00:00Z").expect(0);
}

/// The lists of the MISP project, unchanged, against values that are on them.
#[test]
fn real_lists() {
    let Some(lists) = shared("real_lists", "data/feeds/warninglists") else { return };
    let dir = Dir::new("lists-real");
    let rows = [
        ("8.8.8.8", "listed"),
        ("1.1.1.1", "listed"),
        ("10.1.2.3", "listed"),
        ("google.com", "downgraded_to_exact"),
        ("evil.duckdns.org", "annotated"),
        ("bit.ly", "downgraded_to_exact"),
        ("44d88612fea8a8f36de82e1278abb02f", "annotated"),
        ("d41d8cd98f00b204e9800998ecf8427e", "listed"),
        ("abuse@some.example", "annotated"),
        ("really-evil.example", ""),
    ];
    dir.create("feed.txt", rows.map(|(value, _)| value).join("\n"));
    let path = lists.to_str().unwrap();
    let rejects = ["--rejects", "rejects.tsv"];
    let report = compile(&dir, &[&["--warninglists", path], &rejects[..], &["feed.txt"]].concat());
    let reported = std::fs::read_to_string(dir.path().join("rejects.tsv")).unwrap();
    for (value, reason) in rows {
        let row = reported.lines().find(|row| row.split('\t').nth(2) == Some(value));
        assert_eq!(
            row.and_then(|row| row.split('\t').nth(3)).unwrap_or_default(),
            reason,
            "{value}\n{reported}"
        );
    }
    let lists = report["lists"].as_array().unwrap();
    assert!(lists.len() >= 36, "{lists:#?}");
    let sum = |field: &str| lists.iter().map(|list| list[field].as_u64().unwrap()).sum::<u64>();
    // Nearly all of their entries can be read.
    assert!(sum("entries") > 200_000 && sum("unreadable") < 100, "{lists:#?}");
}
