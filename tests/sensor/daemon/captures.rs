//! A folder where captures appear.

use super::{Dice, Post, rename, wait_for};
use crate::harness::project;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

fn post(name: &str, done: &str) -> Post {
    let post = Post::new(name);
    let indicators = project().join("testdata/indicators");
    let mut compile = post.dir.command();
    compile.args(["compile", "-q", "--internal", "-o", "db.wsdb"]).arg(&indicators).run().expect(0);
    for folder in ["in", "done", "tmp"] {
        fs::create_dir(post.path(folder)).unwrap();
    }
    post.configure(&format!(
        "[suppress]\nenabled = false\n\n[[input]]\nkind = \"captures\"\nfolder = \"in\"\n{done}\n\
         poll = \"200ms\"\n\n[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"
    ));
    post
}

fn capture(name: &str) -> Vec<u8> {
    fs::read(project().join("testdata/captures").join(name)).unwrap()
}

/// How many alerts a capture has, without duplicates.
fn want(post: &Post, name: &str) -> usize {
    let path = project().join("testdata/captures").join(name);
    let args = ["scan", "--db", "db.wsdb", "--format", "json", "--at", "now"];
    let alerts = post.dir.command().args(args).arg(path).run().json_lines();
    let ids: BTreeSet<&str> = alerts.iter().map(|alert| alert["id"].as_str().unwrap()).collect();
    assert!(!ids.is_empty(), "{name}");
    ids.len()
}

#[test]
fn captures_are_read_once_they_are_renamed_or_closed() {
    let post = post("run-captures", "done = \"move\"\nmove_to = \"done\"");
    let daemon = post.start();
    fs::write(post.path("tmp/x"), capture("dns_http_tls.pcap")).unwrap();
    rename(&post.path("tmp/x"), &post.path("in/renamed.pcap"));
    let first = want(&post, "dns_http_tls.pcap");
    wait_for("the first is read", || post.alerts("alerts.json").len() == first);
    fs::write(post.path("in/closed.pcap.gz"), capture("http_scan.pcap.gz")).unwrap();
    let all = first + want(&post, "http_scan.pcap.gz");
    wait_for("the second is read", || post.alerts("alerts.json").len() == all);
    for name in ["renamed.pcap", "closed.pcap.gz"] {
        wait_for("it is moved", || post.path("done").join(name).exists());
        assert!(!post.path("in").join(name).exists());
    }
    for alert in post.alerts("alerts.json") {
        assert_eq!(alert["input"], "captures");
        let path = alert["packet"]["path"].as_str().unwrap();
        assert!(path.ends_with("in/renamed.pcap") || path.ends_with("in/closed.pcap.gz"), "{path}");
        assert!(alert["local"].is_string(), "{alert}");
    }
    daemon.stop();
}

#[test]
fn a_capture_that_is_damaged_is_reported_and_holds_up_none() {
    let post = post("run-captures-damaged", "done = \"delete\"");
    let daemon = post.start();
    let whole = capture("dns_http_tls.pcap");
    fs::write(post.path("in/a.pcap"), &whole[..whole.len() - 7]).unwrap();
    daemon.wait_said("a.pcap");
    fs::write(post.path("in/b.pcap"), capture("http_scan.pcap")).unwrap();
    let of = |name: &str| {
        let alerts = post.alerts("alerts.json");
        let is = |alert: &&Value| alert["packet"]["path"].as_str().unwrap().ends_with(name);
        alerts.iter().filter(is).count()
    };
    let want = want(&post, "http_scan.pcap");
    wait_for("the next one is read", || of("b.pcap") == want);
    assert!(of("a.pcap") > 0, "its intact part is matched");
    wait_for("what was read is gone", || !post.path("in/b.pcap").exists());
    daemon.stop();
}

#[test]
fn killed_at_any_moment_alerts_of_captures_are_there_with_one_id_each() {
    let post = post("run-captures-killed", "done = \"delete\"");
    let names = ["dns_http_tls.pcap", "http_scan.pcap", "mail.pcap", "vlan.pcap"];
    let mut dice = Dice(4711);
    let mut wants = BTreeMap::new();
    for round in 0..8 {
        let daemon = post.launch(&post.command(&[]));
        for at in 0..3 {
            let name = names[dice.roll(names.len() as u64) as usize];
            let own = format!("{round}-{at}.pcap");
            fs::write(post.path("tmp/x"), capture(name)).unwrap();
            rename(&post.path("tmp/x"), &post.path("in").join(&own));
            wants.insert(own, name);
            dice.nap(200);
        }
        dice.nap(300);
        daemon.kill();
    }
    let daemon = post.start();
    let is_empty = || fs::read_dir(post.path("in")).unwrap().count() == 0;
    wait_for("all are read and deleted", is_empty);
    daemon.stop();
    let counts = names.map(|name| (name, want(&post, name)));
    let alerts = post.alerts("alerts.json");
    for (own, name) in wants {
        let path = format!("in/{own}");
        let is_own = |alert: &&Value| alert["packet"]["path"].as_str().unwrap().ends_with(&path);
        let ids: BTreeSet<&str> =
            alerts.iter().filter(is_own).map(|alert| alert["id"].as_str().unwrap()).collect();
        let (_, want) = counts.iter().find(|(it, _)| *it == name).unwrap();
        assert_eq!(ids.len(), *want, "{own}, which is {name}");
    }
}
