//! The input, alone in its group.

use super::{Cluster, Post, Sender, committed, ids, input, wait_for};
use std::fs;

#[test]
fn records_become_lines_once_and_offsets_follow_their_alerts() {
    let cluster = Cluster::new(&[("logs", 2)]);
    let (post, sender) = (Post::new("kafka-input"), Sender::new(&cluster.brokers, "none"));
    post.configure(&input(&cluster.brokers, "logs"));
    sender.numbers("logs", 2, 0..200);
    let daemon = post.start();
    post.expect_once("alerts.json", 200);
    let at = |partition| committed(&cluster.brokers, "sensors", "logs", partition);
    wait_for("the group has the offsets", || at(0) == Some(100) && at(1) == Some(100));
    wait_for("no lag", || {
        let partitions = daemon.part("inputs", "kafka")["partitions"].clone();
        let is_whole = |it: &serde_json::Value| it["offset"] == 100 && it["lag"] == 0;
        partitions.as_array().is_some_and(|all| all.len() == 2 && all.iter().all(is_whole))
    });
    assert_eq!(daemon.metric("wiresift_kafka_lag{topic=\"logs\"}"), 0.0);
    let first = post.alerts("alerts.json")[0].clone();
    let n = super::super::number(&first).unwrap();
    assert_eq!(first["input"], "kafka");
    assert_eq!(first["log"]["peer"], format!("logs/{}@{}", n % 2, n / 2), "{first}");
    sender.numbers("logs", 2, 200..300);
    post.expect_once("alerts.json", 300);
    daemon.stop();
    assert_eq!((at(0), at(1)), (Some(150), Some(150)));
    // A restart goes on.
    sender.numbers("logs", 2, 300..310);
    let daemon = post.start();
    post.expect_once("alerts.json", 310);
    daemon.stop();
}

#[test]
fn a_crash_repeats_nothing_though_the_group_is_behind() {
    let cluster = Cluster::new(&[("logs", 1)]);
    let (post, sender) = (Post::new("kafka-crash"), Sender::new(&cluster.brokers, "none"));
    // The group gets no offset before the end.
    let text = input(&cluster.brokers, "logs").replace("200ms", "600s");
    post.configure(&text);
    sender.numbers("logs", 1, 0..100);
    let daemon = post.start();
    post.expect_once("alerts.json", 100);
    // Alerts are committed within 100 ms, and the offset in the same step.
    wait_for("the state has the offset", || {
        let partitions = daemon.part("inputs", "kafka")["partitions"].clone();
        partitions[0]["offset"] == 100
    });
    daemon.kill();
    assert_eq!(committed(&cluster.brokers, "sensors", "logs", 0), None);
    sender.numbers("logs", 1, 100..120);
    let daemon = post.start();
    post.expect_once("alerts.json", 120);
    daemon.stop();
    assert_eq!(committed(&cluster.brokers, "sensors", "logs", 0), Some(120));
    // Another sensor, or this one without its state, reads all of it again, under the same ids.
    let other = Post::new("kafka-again");
    other.configure(&text.replace("\"sensors\"", "\"others\""));
    let daemon = other.start();
    other.expect_once("alerts.json", 120);
    daemon.stop();
    let (mut one, mut two) = (ids(&post.alerts("alerts.json")), ids(&other.alerts("alerts.json")));
    one.sort();
    two.sort();
    assert_eq!(one, two);
}

#[test]
fn tombstones_codecs_and_lines_within_records() {
    let cluster = Cluster::new(&[("logs", 1)]);
    let post = Post::new("kafka-records");
    post.configure(&input(&cluster.brokers, "logs"));
    for (at, codec) in ["none", "gzip", "snappy", "lz4", "zstd"].into_iter().enumerate() {
        let text = format!("{at} asks for a.evil.example");
        let sender = Sender::new(&cluster.brokers, codec);
        sender.send("logs", 0, &[Some(&text), None, Some(""), Some("nothing")]);
    }
    let sender = Sender::new(&cluster.brokers, "none");
    sender.send("logs", 0, &[Some("5 b.evil.example\r\n\n6 b.evil.example b.evil.example\n")]);
    let daemon = post.start();
    wait_for("all are there", || post.alerts("alerts.json").len() == 8);
    wait_for("what is empty is counted", || {
        let counts = daemon.part("inputs", "kafka")["counts"].clone();
        counts["empty_records"] == 10 && counts["records"] == 21
    });
    let alerts = post.alerts("alerts.json");
    let unique: std::collections::BTreeSet<String> = ids(&alerts).into_iter().collect();
    assert_eq!(unique.len(), alerts.len());
    let numbers: Vec<_> = alerts.iter().filter_map(super::super::number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 6]);
    assert_eq!((&alerts[6]["log"]["line"], &alerts[7]["log"]["line"]), (&2.into(), &2.into()));
    daemon.stop();
}

#[test]
fn it_waits_for_brokers_and_topics() {
    let cluster = Cluster::new(&[("other", 1)]);
    let post = Post::new("kafka-waits");
    post.configure(&input(&cluster.brokers, "logs"));
    let trouble = |daemon: &super::super::Daemon| {
        daemon.part("inputs", "kafka")["trouble"].as_str().unwrap_or_default().to_string()
    };
    cluster
        .mock
        .topic_error(
            "logs",
            rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        )
        .unwrap();
    let daemon = post.start();
    wait_for("it says that the topic is missing", || trouble(&daemon).contains("not exist yet"));
    cluster
        .mock
        .topic_error("logs", rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR)
        .unwrap();
    let sender = Sender::new(&cluster.brokers, "none");
    sender.numbers("logs", 1, 0..10);
    post.expect_once("alerts.json", 10);
    wait_for("it says nothing", || trouble(&daemon).is_empty());
    cluster.mock.broker_down(1).unwrap();
    wait_for("it says that no broker is there", || trouble(&daemon).contains("no broker"));
    cluster.mock.broker_up(1).unwrap();
    sender.numbers("logs", 1, 10..20);
    post.expect_once("alerts.json", 20);
    wait_for("it says nothing again", || trouble(&daemon).is_empty());
    // It ends though no broker is there.
    cluster.mock.broker_down(1).unwrap();
    daemon.stop();
}

#[test]
fn once_reads_to_the_present_end() {
    let cluster = Cluster::new(&[("logs", 3), ("empty", 1)]);
    let (post, sender) = (Post::new("kafka-once"), Sender::new(&cluster.brokers, "none"));
    post.configure(&input(&cluster.brokers, "logs").replace("\"logs\"", "[\"logs\", \"empty\"]"));
    sender.numbers("logs", 2, 0..50);
    post.once().expect(0).expect_stderr("50 lines");
    post.expect_once("alerts.json", 50);
    assert_eq!(committed(&cluster.brokers, "sensors", "logs", 1), Some(25));
    post.once().expect(1);
    sender.numbers("logs", 2, 50..60);
    post.once().expect(0);
    post.expect_once("alerts.json", 60);
}

#[test]
fn a_full_spool_holds_partitions_and_loses_nothing() {
    let cluster = Cluster::new(&[("logs", 2)]);
    let (post, sender) = (Post::new("kafka-full"), Sender::new(&cluster.brokers, "none"));
    let port = super::super::free_port();
    let away = format!(
        "[[sink]]\nname = \"away\"\nkind = \"syslog\"\naddress = \"tcp://127.0.0.1:{port}\"\n"
    );
    let all = input(&cluster.brokers, "logs") + &away;
    post.configure_all("", "spool_size = \"16M\"", &all);
    sender.numbers("logs", 2, 0..30_000);
    let daemon = post.start();
    wait_for("the spool is full", || {
        daemon.try_get("/-/ready").is_some_and(|(status, _)| status == 503)
    });
    assert!(daemon.part("inputs", "kafka")["trouble"].is_null());
    let kept = fs::metadata(post.path("alerts.json")).unwrap().len();
    assert!(kept > 0);
    // With another configuration there is room again.
    post.configure_all("", "spool_size = \"16M\"", &input(&cluster.brokers, "logs"));
    daemon.reload("loaded");
    wait_for("all are there", || {
        let text = fs::read(post.path("alerts.json")).unwrap_or_default();
        text.iter().filter(|byte| **byte == b'\n').count() >= 30_000
    });
    post.expect_once("alerts.json", 30_000);
    daemon.stop();
}

#[test]
fn check_asks_the_brokers() {
    let cluster = Cluster::new(&[("logs", 1)]);
    let post = Post::new("kafka-check");
    post.configure(&input(&cluster.brokers, "logs"));
    post.command(&["--check"]).run().expect(0).expect_stdout("input kafka: a broker answers");
    let port = super::super::free_port();
    post.configure(&input(&format!("127.0.0.1:{port}"), "logs"));
    let run = post.command(&["--check"]).run();
    run.expect(2).expect_stderr("input kafka: no broker answers");
    let odd = input(&cluster.brokers, "logs").replace("refresh.interval.ms", "xyzzy");
    post.configure(&odd);
    let run = post.command(&["--check"]).run();
    run.expect(2).expect_stderr("property topic.metadata.xyzzy");
}
