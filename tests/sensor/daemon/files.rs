//! Files to files: two inputs, two sinks, and every line's alerts exactly once in both, whatever
//! happens to the process.

use super::{Dice, Post, counts, each_once, wait_for};
use crate::harness::skip;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const TWO_INPUTS: &str = r#"
[suppress]
enabled = false

[[input]]
kind = "files"
name = "web"
patterns = ["logs/web*.log*"]
rotate_wait = "2s"

[[input]]
kind = "files"
name = "proxy"
patterns = "logs/proxy*.log*"
rotate_wait = "2s"

[[sink]]
kind = "file"
path = "alerts.json"
kinds = ["domain"]

[[sink]]
kind = "file"
name = "cef"
path = "alerts.cef"
format = "cef"
"#;

fn post(name: &str) -> Post {
    let post = Post::new(name);
    post.compile("evil.example\n203.0.113.9\n");
    post.configure(TWO_INPUTS);
    post
}

/// How often the number of each line occurs in the CEF file.
fn cef_numbers(post: &Post) -> BTreeMap<u64, u64> {
    let text = fs::read_to_string(post.path("alerts.cef")).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let number = |line: &str| {
        let (before, _) = line.split_once(".evil.example")?;
        before.rsplit("host").next()?.parse::<u64>().ok()
    };
    counts(whole.filter_map(number))
}

/// Alerts in both files.
fn expect_both(post: &Post, lines: u64) {
    post.expect_once("alerts.json", lines);
    wait_for("all are there in CEF", || cef_numbers(post).len() as u64 >= lines);
    each_once(&cef_numbers(post), lines);
}

#[test]
fn alerts_name_their_input_and_the_local_side() {
    let post = post("run-names");
    let (mut web, mut proxy) = (post.log("web.log"), post.log("proxy-1.log"));
    web.write(0..1);
    let daemon = post.start();
    proxy.write(1..2);
    // The JSON sink only accepts domain names.
    proxy.line("2 connect 203.0.113.9");
    wait_for("all are there", || {
        fs::read_to_string(post.path("alerts.cef")).is_ok_and(|text| text.lines().count() == 3)
    });
    wait_for("both are there", || post.alerts("alerts.json").len() == 2);
    let alerts = post.alerts("alerts.json");
    let of = |name: &str| alerts.iter().find(|alert| alert["input"] == name).unwrap();
    let path = |alert: &Value| alert["log"]["path"].as_str().unwrap().to_string();
    assert!(path(of("web")).ends_with("logs/web.log"), "{alerts:?}");
    assert!(path(of("proxy")).ends_with("logs/proxy-1.log"), "{alerts:?}");
    assert!(of("web")["local"].as_str().unwrap().ends_with("logs/web.log"), "{alerts:?}");
    assert!(fs::read_to_string(post.path("alerts.cef")).unwrap().contains("203.0.113.9"));
    assert_eq!(daemon.metric("wiresift_lines_total{input=\"proxy\"}"), 2.0);
    assert_eq!(daemon.part("inputs", "web")["lines"], 1);
    daemon.stop();
}

#[test]
fn a_restart_goes_on_and_writes_nothing_twice() {
    let post = post("run-restart");
    let mut web = post.log("web.log");
    web.write(0..100);
    let daemon = post.start();
    post.expect_once("alerts.json", 100);
    daemon.stop();
    web.write(100..150);
    web.rotate("web.log.1");
    web.write(150..200);
    let daemon = post.start();
    expect_both(&post, 200);
    let said = daemon.stop();
    assert!(said.contains("200 alerts") || said.contains("100 alerts"), "{said}");
    // Nothing is left for a third run.
    post.once().expect(1);
    expect_both(&post, 200);
}

#[test]
fn killed_at_any_moment_alerts_are_once_in_both_files() {
    let post = post("run-killed");
    let mut dice = Dice(20_261_129);
    let mut logs = [post.log("web.log"), post.log("proxy.log")];
    let (mut next, mut rotations) = (0, 0);
    for round in 0..20 {
        // Don't wait for it: it is also killed while it starts.
        let daemon = post.launch(&post.command(&[]));
        for _ in 0..1 + dice.roll(4) {
            for log in &mut logs {
                let lines = dice.roll(200);
                log.write(next..next + lines);
                next += lines;
            }
            dice.nap(150);
        }
        let log = &mut logs[round % 2];
        let name = log.path.file_name().unwrap().to_str().unwrap().to_string();
        match dice.roll(3) {
            0 => log.rotate(&format!("{name}.{}", 100 - round)),
            1 => log.copy_and_cut(&format!("{name}.{}", 100 - round)),
            _ => rotations -= 1,
        }
        rotations += 1;
        dice.nap(300);
        daemon.kill();
    }
    let daemon = post.start();
    expect_both(&post, next);
    daemon.stop();
    expect_both(&post, next);
    assert!(rotations > 5 && next > 3000, "{rotations} rotations, {next} lines");
}

#[test]
fn what_others_append_to_an_alert_file_stays_after_a_crash() {
    let post = post("run-others");
    let mut log = post.log("web.log");
    log.write(0..10);
    let daemon = post.start();
    expect_both(&post, 10);
    // The commit comes a tenth of a second after its alerts.
    std::thread::sleep(std::time::Duration::from_secs(2));
    daemon.kill();
    let mut file = fs::OpenOptions::new().append(true).open(post.path("alerts.json")).unwrap();
    std::io::Write::write_all(&mut file, b"{\"by\":\"hand\"}\n").unwrap();
    log.write(10..20);
    let daemon = post.start();
    expect_both(&post, 20);
    let said = daemon.stop();
    assert!(said.contains("another program has written 14 bytes"), "{said}");
    let is_theirs = |alert: &Value| alert["by"] == "hand";
    assert_eq!(post.alerts("alerts.json").iter().filter(|it| is_theirs(it)).count(), 1);
}

#[test]
fn alert_files_are_rotated_and_hold_each_alert_once() {
    let post = Post::new("run-aside");
    post.configure(
        "[suppress]\nenabled = false\n[[input]]\nkind = \"files\"\npatterns = \"logs/*.log\"\n\
         [[sink]]\nkind = \"file\"\npath = \"out/alerts.json\"\nrotate_size = \"64K\"\n\
         keep = 100\ncompress = false\n",
    );
    fs::create_dir(post.path("out")).unwrap();
    let mut log = post.log("a.log");
    let mut dice = Dice(7);
    let mut next = 0;
    for _ in 0..5 {
        let daemon = post.start();
        for _ in 0..5 {
            log.write(next..next + 100);
            next += 100;
            dice.nap(400);
        }
        daemon.kill();
    }
    let daemon = post.start();
    let all = || {
        let files = fs::read_dir(post.path("out")).unwrap().flatten();
        let alerts: Vec<Value> = files.flat_map(|file| super::records(&file.path())).collect();
        counts(alerts.iter().filter_map(super::number))
    };
    wait_for("all are there", || all().len() as u64 >= next);
    daemon.stop();
    each_once(&all(), next);
    assert!(fs::read_dir(post.path("out")).unwrap().count() > 2, "it was rotated");
}

#[test]
fn a_queue_of_inotify_that_overflows_loses_no_line() {
    let test = "a_queue_of_inotify_that_overflows_loses_no_line";
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap_or_default();
    let limit = match limit.trim().parse::<u64>() {
        Ok(limit) if limit <= 100_000 => limit,
        _ => return skip(test, "the queue of inotify is too long, or its length is unknown"),
    };
    let post = Post::new("run-overflow");
    post.configure(TWO_INPUTS);
    let daemon = post.start();
    let mut logs = [post.log("web1.log"), post.log("web2.log")];
    logs[0].write(0..1);
    post.expect_once("alerts.json", 1);
    daemon.signal("STOP");
    // Equal notices in a row count as one, so the files take turns.
    for at in 0..=limit {
        logs[(at % 2) as usize].line("nothing of interest");
    }
    // Of that no notice is left: a rotation, a file that is new, one that is gone.
    logs[0].write(1..5);
    logs[0].rotate("web1.log.1");
    logs[0].write(5..10);
    let mut new = post.log("proxy7.log");
    new.write(10..15);
    logs[1].write(15..20);
    fs::remove_file(&logs[1].path).unwrap();
    daemon.signal("CONT");
    daemon.wait_said("the inotify queue was full");
    post.expect_once("alerts.json", 20);
    new.write(20..25);
    logs[0].write(25..30);
    expect_both(&post, 30);
    daemon.stop();
    post.once().expect(1);
    expect_both(&post, 30);
}
