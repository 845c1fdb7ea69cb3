//! The sink.

use super::{Cluster, Post, ids, receive, sink, wait_for};
use std::fs;

const FILE: &str = "\n[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n";

#[test]
fn alerts_arrive_in_order_through_a_broker_that_goes_away() {
    let cluster = Cluster::new(&[("alerts", 1)]);
    let post = Post::new("kafka-sink");
    post.configure(&(sink(&cluster.brokers, "alerts", "compression = \"zstd\"") + FILE));
    let daemon = post.start();
    let mut log = post.log("a.log");
    log.write(0..100);
    wait_for("the first are there", || daemon.part("sinks", "kafka")["records"] == 100);
    cluster.mock.broker_down(1).unwrap();
    log.write(100..200);
    post.expect_once("alerts.json", 200);
    wait_for("they are under way", || {
        daemon.part("sinks", "kafka")["pending_bytes"].as_u64().unwrap() > 0
    });
    cluster.mock.broker_up(1).unwrap();
    log.write(200..300);
    wait_for("all are there", || daemon.part("sinks", "kafka")["records"] == 300);
    daemon.stop();
    let all = receive(&cluster.brokers, "alerts", 1, 300);
    let numbers: Vec<_> = all.iter().filter_map(|it| super::super::number(&it.value)).collect();
    assert_eq!(numbers, (0..300).collect::<Vec<u64>>());
    let alerts = post.alerts("alerts.json");
    let of_headers: Vec<String> = all.iter().map(|it| it.id.clone().unwrap()).collect();
    assert_eq!(of_headers, ids(&alerts));
    assert_eq!(all[7].key.as_deref(), Some("host7.evil.example"));
}

#[test]
fn one_value_stays_in_one_partition_and_formats_are_as_set() {
    let cluster = Cluster::new(&[("alerts", 4)]);
    let post = Post::new("kafka-keys");
    post.configure(&sink(&cluster.brokers, "alerts", "format = \"ecs\""));
    let daemon = post.start();
    let mut log = post.log("a.log");
    for n in 0..60 {
        log.line(&format!("{n} query for host{}.evil.example", n % 6));
    }
    wait_for("all are there", || daemon.part("sinks", "kafka")["records"] == 60);
    daemon.stop();
    let all = receive(&cluster.brokers, "alerts", 4, 60);
    assert!(all.iter().all(|it| it.value["@timestamp"].is_string()));
    let mut places = std::collections::BTreeMap::new();
    for it in &all {
        let key = it.key.clone().unwrap();
        assert_eq!(*places.entry(key).or_insert(it.partition), it.partition);
    }
    assert_eq!(places.len(), 6);
}

#[test]
fn what_is_too_large_becomes_a_dead_letter() {
    let cluster = Cluster::new(&[("alerts", 1)]);
    let post = Post::new("kafka-large");
    post.configure(&sink(&cluster.brokers, "alerts", "max_message = \"1K\""));
    let daemon = post.start();
    let mut log = post.log("a.log");
    log.write(0..3);
    log.line(&format!("3 query for large.evil.example {}", "x".repeat(5000)));
    log.write(4..6);
    wait_for("the others are there", || {
        let sink = daemon.part("sinks", "kafka");
        sink["records"] == 5 && sink["dead_letters"] == 1
    });
    daemon.stop();
    let all = receive(&cluster.brokers, "alerts", 1, 5);
    let numbers: Vec<_> = all.iter().filter_map(|it| super::super::number(&it.value)).collect();
    assert_eq!(numbers, [0, 1, 2, 4, 5]);
    let letters = post.path("state/daemon/dead-letter/kafka.ndjson");
    let letters = fs::read_to_string(letters).unwrap();
    assert!(letters.contains("large.evil.example") && letters.contains("10"), "{letters}");
}
