//! Sources: another exchange and plain lists become pulses of the house, and stay up to date.

use super::process::{Exchange, account, operate};
use crate::harness::Dir;
use serde_json::{Value, json};
use std::time::Duration;
use wiresift::clock::Stopwatch;

/// The pulses of a user, by name, each with its values.
fn pulses(server: &Exchange, key: &str, user: &str) -> Vec<(String, Vec<String>)> {
    let found = server.get(&format!("/api/v1/pulses/user/{user}"), key).expect(200).json();
    let of = |pulse: &Value| {
        let values = pulse["indicators"].as_array().unwrap().iter();
        let values = values.map(|it| it["indicator"].as_str().unwrap().to_string()).collect();
        (pulse["name"].as_str().unwrap().to_string(), values)
    };
    let mut all: Vec<_> = found["results"].as_array().unwrap().iter().map(of).collect();
    all.sort();
    all
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|text| text.to_string()).collect()
}

#[test]
fn a_list_is_a_pulse_of_an_account_without_log_in() {
    let dir = Dir::new("exchange-source-list");
    let server = Exchange::start(&dir, &[]);
    let alice = account(&dir, "alice", "trusted");
    dir.create("bad.txt", "one.example\ntwo.example # \u{202e}hidden\n198.51.100.7\n8.8.8.8\n");
    let mut add = dir.command();
    add.args(["exchange", "source", "--data", "x", "add", "bad-list", "--path", "bad.txt"]);
    add.run().expect(0);
    // The server finds it by itself.
    let began = Stopwatch::start();
    let find = || server.get("/api/v1/users/bad-list", &alice);
    while find().status != 200 || pulses(&server, &alice, "bad-list").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "the server did not fetch the source");
        std::thread::sleep(Duration::from_millis(50));
    }
    let had = pulses(&server, &alice, "bad-list");
    // What is on a warning list is kept, marked, and not exported.
    let values = ["one.example", "two.example", "198.51.100.7", "8.8.8.8"];
    assert_eq!(had, [("bad-list".to_string(), texts(&values))]);
    let of = server.get("/api/v1/pulses/user/bad-list", &alice).json()["results"][0].clone();
    assert_eq!(of["indicators"][1]["description"], "hidden");
    assert_eq!(of["indicators"][2]["expiration"], json!(null), "it is bad while it is on the list");
    let list = server.get("/feeds/user/bad-list/list", &alice).expect(200).body;
    let list = String::from_utf8(list).unwrap();
    assert!(list.contains("198.51.100.7") && !list.contains("8.8.8.8"), "{list}");
    // A change of the list changes its pulse.
    dir.create("bad.txt", "two.example\n198.51.100.7\n8.8.8.8\nthree.example\n");
    let done = operate(&dir, &["source", "update"]);
    assert!(
        done.ends_with("0 pulses created, 1 changed, 0 deleted, 1 value added, 1 removed"),
        "{done}"
    );
    let now = server.get("/api/v1/pulses/user/bad-list", &alice).json()["results"][0].clone();
    assert_eq!((&now["id"], &now["revision"]), (&of["id"], &json!(2)));
    assert!(operate(&dir, &["source", "update"]).ends_with("unchanged"));
    // One that cannot be fetched keeps its pulses, and says so.
    std::fs::remove_file(dir.path().join("bad.txt")).unwrap();
    let mut update = dir.command();
    update.args(["exchange", "source", "--data", "x", "update"]);
    update.run().expect(2).expect_stderr("bad-list");
    let mut list = dir.command();
    list.args(["exchange", "source", "--data", "x", "list", "--json"]);
    let shown = list.run().expect(1).json_lines();
    assert_eq!((&shown[0]["pulses"], &shown[0]["failures"]), (&json!(1), &json!(1)), "{shown:?}");
    operate(&dir, &["source", "remove", "bad-list"]);
    assert_eq!(pulses(&server, &alice, "bad-list"), []);
}

#[test]
fn exchanges_import_from_each_other_and_nothing_goes_round() {
    let (here, there) = (Dir::new("exchange-source-here"), Dir::new("exchange-source-there"));
    let (one, two) = (Exchange::start(&here, &[]), Exchange::start(&there, &[]));
    let (alice, bob) = (account(&here, "alice", "trusted"), account(&there, "bob", "trusted"));
    let create = |server: &Exchange, key: &str, body: Value| {
        let answer = server.ask("POST", "/api/v1/pulses/create", key, &body.to_string());
        answer.expect(201).json()["id"].as_str().unwrap().to_string()
    };
    let original = create(
        &one,
        &alice,
        json!({"name": "Of alice", "public": true, "TLP": "white",
        "tags": ["c2"], "references": ["https://report.example/1"], "adversary": "Paper Heron",
        "malware_families": ["QuillRat"],
        "indicators": [{"indicator": "alice.example", "type": "domain", "title": "t"}]}),
    );
    create(
        &one,
        &alice,
        json!({"name": "For few only", "public": false, "TLP": "amber",
        "indicators": [{"indicator": "few.example", "type": "domain"}]}),
    );
    create(
        &two,
        &bob,
        json!({"name": "Of bob", "public": true,
        "indicators": [{"indicator": "bob.example", "type": "domain"}]}),
    );
    let add = |dir: &Dir, name: &str, of: &Exchange, key: &str| {
        let key = dir.create("source.key", key);
        let url = format!("http://{}", of.address);
        let mut add = dir.command();
        add.args([
            "exchange", "source", "--data", "x", "add", name, "--kind", "otx", "--url", &url,
        ]);
        add.arg("--key-file").arg(key).arg("--interval").arg("1d");
        add.run().expect(0);
    };
    // Each reads with the account of its writer, whose own pulses are in its feed.
    add(&there, "first-exchange", &one, &alice);
    let done = operate(&there, &["source", "update"]);
    assert!(done.contains("1 of TLP amber or red"), "{done}");
    let got = two.get(&format!("/api/v1/pulses/{original}"), &bob).expect(200).json();
    assert_eq!((&got["name"], &got["author_name"]), (&json!("Of alice"), &json!("first-exchange")));
    assert_eq!((&got["TLP"], &got["adversary"]), (&json!("white"), &json!("Paper Heron")));
    assert_eq!((&got["tags"], &got["malware_families"]), (&json!(["c2"]), &json!(["QuillRat"])));
    assert!(got["references"].to_string().contains("https://report.example/1"), "{got}");
    assert_eq!(got["indicators"][0]["title"], "t");
    // Back again, with what bob is subscribed to: alice's own pulse is not imported as another.
    two.get("/api/v1/users/first-exchange/subscribe/", &bob).expect(200);
    add(&here, "second-exchange", &two, &bob);
    let done = operate(&here, &["source", "update"]);
    assert!(done.contains("1 published here by others"), "{done}");
    let names: Vec<String> =
        pulses(&one, &alice, "second-exchange").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Of bob"]);
    // A change and a deletion at the origin arrive.
    let target = format!("/api/v1/pulses/{original}");
    let body = json!({"name": "Renamed by alice", "indicators":
        {"add": [{"indicator": "more.example", "type": "domain"}]}});
    one.ask("PATCH", &target, &alice, &body.to_string()).expect(200);
    operate(&there, &["source", "update"]);
    let got = two.get(&target, &bob).expect(200).json();
    assert_eq!((&got["name"], &got["indicator_count"]), (&json!("Renamed by alice"), &json!(2)));
    one.get(&format!("{target}/delete"), &alice).expect(200);
    operate(&there, &["source", "update", "--accept"]);
    two.get(&target, &bob).expect(404);
}

#[test]
fn sources_that_cannot_be_are_refused() {
    let dir = Dir::new("exchange-source-refused");
    let server = Exchange::start(&dir, &[]);
    account(&dir, "alice", "trusted");
    let add = |words: &[&str]| {
        let mut add = dir.command();
        add.args(["exchange", "source", "--data", "x", "add"]).args(words);
        add.run()
    };
    add(&["x.y/z", "--path", "a"]).expect(2).expect_stderr("invalid user name");
    add(&["allow", "--url", "http://127.0.0.1:1"]).expect(2).expect_stderr("no pulses");
    dir.create("a.txt", "one.example\n");
    // The name of a person is not taken over.
    add(&["alice", "--path", "a.txt"]).expect(0);
    let mut update = dir.command();
    update.args(["exchange", "source", "--data", "x", "update"]);
    update.run().expect(2).expect_stderr("this name is taken");
    drop(server);
}
