use super::families::Label;
use super::*;
use crate::sensor::halt::Halt;
use crate::sensor::listen::{Activated, Address};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn sets() -> Sets {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect();
    Sets {
        inputs: names(&["syslog", "journal", "syslog", "a\"b\\c\nd"]),
        sinks: names(&["file"]),
        feeds: names(&["mine"]),
        topics: names(&["logs"]),
    }
}

#[test]
fn names_are_those_of_prometheus() {
    let mut names = BTreeSet::new();
    for &family in Family::ALL {
        let (name, kind) = (family.name(), family.kind());
        assert!(names.insert(name), "{name} twice");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        let is_counter = kind == families::Kind::Counter;
        assert_eq!(name.ends_with("_total"), is_counter, "{name}");
        assert!(family.help().ends_with('.') && !family.help().contains('\n'), "{name}");
        for label in family.labels() {
            assert!(!["path", "file", "address", "indicator", "le"].contains(&label.name()));
            if let Label::Fixed(_, values) = label {
                assert!(values.len() < 20, "{name}");
            }
        }
    }
}

#[test]
fn the_page_has_every_series_once() {
    let metrics = Metrics::new(sets());
    metrics.counter(Family::Lines, &["syslog"]).add(2);
    metrics.counter(Family::Lines, &["syslog"]).add(3);
    metrics.counter(Family::Bytes, &["journal"]).set(7);
    metrics.counter(Family::Bytes, &["journal"]).set(6);
    metrics.gauge(Family::SpoolBytes, &[]).set(1.5);
    metrics.counter(Family::SinkErrors, &["file", "tls"]).add(1);
    // Outside of the closed sets, or of another type: not shown.
    metrics.counter(Family::Lines, &["/var/log/syslog"]).add(9);
    metrics.counter(Family::Lines, &[]).add(9);
    metrics.counter(Family::SpoolBytes, &[]).add(9);
    let latency = metrics.histogram(Family::SinkLatency, &["file"]);
    for ms in [0, 1, 2, 400, 1_000_000] {
        latency.observe(Duration::from_millis(ms));
    }
    let page = metrics.page();
    for line in [
        "# HELP wiresift_lines_total Lines that were matched.",
        "# TYPE wiresift_lines_total counter",
        "wiresift_lines_total{input=\"syslog\"} 5",
        "wiresift_lines_total{input=\"a\\\"b\\\\c\\nd\"} 0",
        "wiresift_bytes_total{input=\"journal\"} 7",
        "wiresift_spool_bytes 1.5",
        "wiresift_sink_errors_total{sink=\"file\",class=\"tls\"} 1",
        "wiresift_sink_errors_total{sink=\"file\",class=\"connection\"} 0",
        "wiresift_sink_latency_seconds_bucket{sink=\"file\",le=\"0.001\"} 2",
        "wiresift_sink_latency_seconds_bucket{sink=\"file\",le=\"0.5\"} 4",
        "wiresift_sink_latency_seconds_bucket{sink=\"file\",le=\"+Inf\"} 5",
        "wiresift_sink_latency_seconds_sum{sink=\"file\"} 1000.403",
        "wiresift_sink_latency_seconds_count{sink=\"file\"} 5",
    ] {
        assert!(page.lines().any(|own| own == line), "{line} is not on\n{page}");
    }
    let series: Vec<&str> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, _)| series)
        .collect();
    let distinct: BTreeSet<&str> = series.iter().copied().collect();
    assert_eq!(series.len(), distinct.len());
    assert!(page.contains("process_resident_memory_bytes ") && !page.contains("/var/log"));
    // Without inputs, their families are left out.
    assert!(!Metrics::new(Sets::default()).page().contains("wiresift_lines_total"));
}

#[test]
fn a_reload_keeps_what_stays() {
    let old = Metrics::new(sets());
    let lines = old.counter(Family::Lines, &["journal"]);
    lines.add(5);
    old.counter(Family::LinesCut, &[]).add(1);
    let new = old.with(Sets { inputs: vec!["journal".into(), "kafka".into()], ..Sets::default() });
    lines.add(1);
    let page = new.page();
    assert!(page.contains("wiresift_lines_total{input=\"journal\"} 6\n"));
    assert!(page.contains("wiresift_lines_total{input=\"kafka\"} 0\n"));
    assert!(page.contains("wiresift_lines_cut_total 1\n") && !page.contains("syslog"));
}

/// The pages of a sensor, and the data that they show.
fn pages() -> Pages {
    let metrics = Metrics::new(sets());
    let cut = metrics.counter(Family::LinesCut, &[]);
    let input = InputStatus {
        name: "tail".into(),
        files: vec![FileStatus {
            path: "/var/log/syslog".into(),
            size: 9,
            ..FileStatus::default()
        }],
        ..InputStatus::default()
    };
    Pages {
        metrics: Arc::new(Mutex::new(metrics)),
        before: Arc::new(move || cut.add(1)),
        status: Arc::new(move || Status { inputs: vec![input.clone()], ..Status::default() }),
        heartbeats: Heartbeats::default(),
        readiness: Readiness::default(),
    }
}

/// A response from a socket.
fn ask(place: std::net::SocketAddr, request: &str) -> String {
    let mut socket = std::net::TcpStream::connect(place).unwrap();
    write!(socket, "{request} HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn pages_over_http() {
    let (halt, stopper) = Halt::new().unwrap();
    let pages = pages();
    let (readiness, heartbeats) = (pages.readiness.clone(), pages.heartbeats.clone());
    let address: Address = "tcp://127.0.0.1:0".parse().unwrap();
    let operation = pages.serve(&address, None, &mut Activated::default(), halt).unwrap();
    let place = operation.local_addr().unwrap();
    let metrics = ask(place, "GET /metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 ") && metrics.contains("version=0.0.4"));
    assert!(metrics.contains("wiresift_lines_cut_total 1\n"));
    assert!(ask(place, "GET /-/healthy").starts_with("HTTP/1.1 200 "));
    let ready = ask(place, "GET /-/ready");
    assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains("no database is open"));
    readiness.set(NotReadyReason::Database, false);
    readiness.set(NotReadyReason::Inputs, false);
    assert!(ask(place, "GET /-/ready").starts_with("HTTP/1.1 200 "));
    readiness.set(NotReadyReason::Age, true);
    let status = ask(place, "GET /status");
    let body = status.split_once("\r\n\r\n").unwrap().1;
    let status: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(status["inputs"][0]["files"][0]["size"], 9);
    assert_eq!(status["obstacles"][0], "the database is too old");
    assert_eq!(status["started"], "1970-01-01T00:00:00.000000Z");
    assert!(ask(place, "POST /metrics").starts_with("HTTP/1.1 405 "));
    assert!(ask(place, "GET /etc/passwd").starts_with("HTTP/1.1 404 "));
    let _worker = heartbeats.heartbeat("worker");
    assert_eq!(heartbeats.silent(MAX_SILENCE), []);
    stopper.stop();
    operation.join();
}

#[test]
fn workers_that_do_not_move_are_named() {
    let heartbeats = Heartbeats::default();
    let (moves, stuck) = (heartbeats.heartbeat("moves"), heartbeats.heartbeat("stuck"));
    std::thread::sleep(Duration::from_millis(350));
    moves.beat();
    let silent = heartbeats.silent(Duration::from_millis(150));
    assert_eq!(silent.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["stuck"]);
    drop(stuck);
    assert_eq!(heartbeats.silent(Duration::from_millis(150)), []);
}
