//! Repeats: the first alert is sent at once, the rest as one record, and all are counted.

use super::{Post, wait_for};
use serde_json::Value;

/// The same indicator in the same log, so that all of them repeat the first.
const CONFIG: &str = r#"
[suppress]
window = "2s"

[[input]]
kind = "files"
patterns = "logs/*.log"

[[sink]]
kind = "file"
path = "alerts.json"

[[sink]]
kind = "file"
name = "archive"
path = "archive.json"
suppressed = true
"#;

fn post(name: &str, window: &str) -> Post {
    let post = Post::new(name);
    post.configure(&CONFIG.replace("2s", window));
    post
}

/// Alerts without a count, and those with one.
fn split(alerts: &[Value]) -> (Vec<Value>, Vec<Value>) {
    alerts.iter().cloned().partition(|alert| alert["repeat"].is_null())
}

/// How many alerts all records stand for.
fn total(alerts: &[Value]) -> u64 {
    alerts.iter().map(|alert| alert["repeat"]["count"].as_u64().unwrap_or(1)).sum()
}

#[test]
fn repeats_come_as_one_record_and_the_archive_has_all() {
    let post = post("run-suppressed", "2s");
    let mut log = post.log("a.log");
    let daemon = post.start();
    log.write(0..1);
    wait_for("the first is there", || post.alerts("alerts.json").len() == 1);
    log.write(1..50);
    wait_for("the record of the others is there", || post.alerts("alerts.json").len() == 2);
    let (firsts, repeats) = split(&post.alerts("alerts.json"));
    assert_eq!((firsts.len(), repeats.len()), (1, 1));
    assert_eq!(super::number(&firsts[0]), Some(0));
    let repeat = &repeats[0]["repeat"];
    assert_eq!(repeat["count"], 49);
    assert!(repeat["partial"].is_null(), "{repeat}");
    assert_eq!(super::number(&repeats[0]), Some(49), "the last one stands for all");
    assert_ne!(repeats[0]["id"], firsts[0]["id"]);
    let values = repeat["values"].as_array().unwrap().len() as u64;
    assert!(values <= 8 && repeat["more"].as_u64().is_some_and(|more| more > 0), "{repeat}");
    assert_eq!(repeat["key"]["indicator"], "domain evil.example");
    // The window is over: the next alert is sent at once, and starts another.
    log.write(50..51);
    wait_for("the next is there", || post.alerts("alerts.json").len() == 3);
    assert_eq!(daemon.metric("wiresift_suppressed_total{reason=\"repeated\"}"), 49.0);
    daemon.stop();
    assert_eq!(total(&post.alerts("alerts.json")), 51);
    let archived = post.alerts("archive.json");
    let held: Vec<&Value> = archived.iter().filter(|alert| alert["suppressed"] == true).collect();
    assert_eq!(held.len(), 49);
    let mut numbers: Vec<u64> = split(&archived).0.iter().filter_map(super::number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..51).collect::<Vec<u64>>(), "each, and none twice");
}

#[test]
fn other_keys_and_critical_alerts_are_no_repeats() {
    let post = Post::new("run-suppressed-keys");
    post.dir.create("list.csv", "value,severity\nevil.example,medium\nworse.example,critical\n");
    post.dir.command().args(["compile", "-q", "-o", "db.wsdb", "list.csv"]).run().expect(0);
    post.configure(&CONFIG.replace("2s", "1h"));
    let daemon = post.start();
    let (mut a, mut b) = (post.log("a.log"), post.log("b.log"));
    for number in 0..3 {
        a.line(&format!("{number} www.evil.example"));
        b.line(&format!("{number} www.evil.example"));
        a.line(&format!("{number} worse.example"));
    }
    // One for each log, and every critical one.
    wait_for("five are there", || post.alerts("alerts.json").len() == 5);
    let alerts = post.alerts("alerts.json");
    let critical = alerts.iter().filter(|alert| alert["severity"] == 4);
    assert_eq!(critical.count(), 3, "{alerts:?}");
    daemon.stop();
    assert_eq!(total(&post.alerts("alerts.json")), 9);
}

#[test]
fn a_restart_within_a_window_gives_what_is_held_back_and_no_flood() {
    let post = post("run-suppressed-restart", "1h");
    let mut log = post.log("a.log");
    let daemon = post.start();
    log.write(0..30);
    wait_for("all are counted", || {
        daemon.metric("wiresift_suppressed_total{reason=\"repeated\"}") == 29.0
    });
    daemon.stop();
    let (firsts, repeats) = split(&post.alerts("alerts.json"));
    assert_eq!((firsts.len(), repeats.len()), (1, 1));
    assert_eq!(repeats[0]["repeat"]["count"], 29);
    assert_eq!(repeats[0]["repeat"]["partial"], true);
    // The window is still open.
    let daemon = post.start();
    log.write(30..40);
    wait_for("all are counted", || {
        daemon.metric("wiresift_suppressed_total{reason=\"repeated\"}") == 10.0
    });
    assert_eq!(post.alerts("alerts.json").len(), 2);
    daemon.stop();
    let alerts = post.alerts("alerts.json");
    assert_eq!((alerts.len(), total(&alerts)), (3, 40));
    // Two records of one window are two records.
    assert_ne!(alerts[1]["id"], alerts[2]["id"]);
}

#[test]
fn sigkill_within_a_window_loses_no_count_and_makes_no_flood() {
    let post = post("run-suppressed-killed", "1h");
    let mut log = post.log("a.log");
    let mut next = 0;
    for _ in 0..6 {
        let daemon = post.start();
        log.write(next..next + 20);
        next += 20;
        wait_for("they are seen", || {
            daemon.metric("wiresift_suppressed_total{reason=\"repeated\"}") >= 19.0
        });
        daemon.kill();
    }
    let daemon = post.start();
    let archived = || split(&post.alerts("archive.json")).0.len() as u64;
    wait_for("all are in the archive", || archived() == next);
    assert_eq!(post.alerts("alerts.json").len(), 1, "one for the window");
    daemon.stop();
    let alerts = post.alerts("alerts.json");
    assert_eq!((alerts.len(), total(&alerts)), (2, next), "{alerts:?}");
    let (plain, _) = split(&post.alerts("archive.json"));
    assert_eq!(plain.len() as u64, next, "the archive has each once");
}

#[test]
fn a_reload_switches_suppression_off_and_on() {
    let post = post("run-suppressed-off", "1h");
    let mut log = post.log("a.log");
    let daemon = post.start();
    log.write(0..10);
    wait_for("all are counted", || {
        daemon.metric("wiresift_suppressed_total{reason=\"repeated\"}") == 9.0
    });
    let on = CONFIG.replace("2s", "1h");
    post.configure(&on.replace("window", "enabled = false\nwindow"));
    daemon.reload("loaded");
    wait_for("what was held back is sent", || post.alerts("alerts.json").len() == 2);
    log.write(10..15);
    wait_for("each is sent", || post.alerts("alerts.json").len() == 7);
    assert_eq!(daemon.metric("wiresift_suppression_keys"), 0.0);
    daemon.stop();
    // No window of the first time is left.
    post.configure(&on);
    let daemon = post.start();
    log.write(15..20);
    wait_for("all are counted", || {
        daemon.metric("wiresift_suppressed_total{reason=\"repeated\"}") == 4.0
    });
    assert_eq!(post.alerts("alerts.json").len(), 8);
    daemon.stop();
    let alerts = post.alerts("alerts.json");
    assert_eq!((alerts.len(), total(&alerts)), (9, 20), "{alerts:?}");
}

#[test]
fn no_suppress_sends_every_alert() {
    let post = post("run-no-suppress", "1h");
    post.log("a.log").write(0..20);
    post.command(&["--once", "--no-suppress"]).run().expect(0);
    post.expect_once("alerts.json", 20);
}
