//! Sinks as written in a configuration file, and what is made of them.

use super::*;
use crate::engine::indicator::{Kind, Timestamp};
use crate::sensor::config::Config;
use crate::sensor::outlet::{Outlet, Step};
use crate::sensor::spool::{Limits, Record, Spool, Stored};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

/// Sunday, 29 November 2026, 12:00.
const NOW: Timestamp = Timestamp(1_795_953_600_000_000);

/// Inputs that filters may name.
const INPUTS: &str = r#"
[[input]]
name = "web-1"
kind = "files"
patterns = "/var/log/web.log"

[[input]]
name = "dumps"
kind = "files"
patterns = "/var/log/dumps.log"
"#;

/// Reads one sink; relative paths in it start at the folder.
fn sink(folder: &Path, keys: &str) -> config::Sink {
    let text = format!("[[sink]]\nname = \"the-sink\"\n{keys}\n{INPUTS}");
    match Config::parse(&text, &folder.join("wiresift.toml")) {
        Ok(mut config) => config.sinks.remove(0),
        Err(problems) => panic!("{text}\n{problems}"),
    }
}

fn plain(keys: &str) -> config::Sink {
    sink(Path::new("/etc/wiresift"), keys)
}

#[test]
fn a_filter_has_everything_that_the_file_has() {
    let of = plain(
        r#"kind = "stdout"
        suppressed = true
        min_severity = "high"
        min_confidence = 60
        kinds = ["ip", "hash"]
        feeds = ["urlhaus", "ours-*"]
        tags = "phish*"
        inputs = "web-?"
        exclude_kinds = "email"
        exclude_feeds = "test-*"
        exclude_tags = ["tor", "vpn"]
        exclude_inputs = "dumps""#,
    );
    let got = filter(&of);
    assert!(got.kinds.contains(&Kind::Ip) && got.kinds.contains(&Kind::Sha256), "{got:?}");
    let patterns = |texts: &[&str]| -> Vec<Pattern> {
        texts.iter().map(|text| Pattern::new(text).unwrap()).collect()
    };
    let want = Filter {
        severity: 3,
        confidence: Some(60),
        kinds: got.kinds.clone(),
        feeds: patterns(&["urlhaus", "ours-*"]),
        tags: patterns(&["phish*"]),
        inputs: patterns(&["web-?"]),
        exclude_kinds: vec![Kind::Email],
        exclude_feeds: patterns(&["test-*"]),
        exclude_tags: patterns(&["tor", "vpn"]),
        exclude_inputs: patterns(&["dumps"]),
        suppressed: true,
    };
    assert_eq!(got, want);
    assert_eq!(filter(&plain("kind = \"stdout\"")), Filter::default());
}

/// The configuration of each kind, the format that it needs, and its batches: records, bytes,
/// milliseconds, and milliseconds between two.
const KINDS: &[(&str, Option<Format>, [u64; 4])] = &[
    ("kind = \"unix\"\npath = \"/s\"", None, [1000, 1 << 20, 1000, 0]),
    (
        "kind = \"unix\"\npath = \"/s\"\nformat = \"eve\"\nbatch_records = 10\nbatch_size = \"64K\"\nbatch_age = \"100ms\"",
        Some(Format::Eve),
        [10, 64 << 10, 100, 0],
    ),
    (
        "kind = \"syslog\"\naddress = \"udp://127.0.0.1\"",
        Some(Format::Syslog),
        [1000, 1 << 20, 1000, 0],
    ),
    ("kind = \"webhook\"\nurl = \"http://127.0.0.1/\"", None, [100, 1 << 20, 1000, 0]),
    (
        "kind = \"webhook\"\nurl = \"http://127.0.0.1/\"\nform = \"slack\"",
        None,
        [100, 1 << 20, 1000, 1000],
    ),
    (
        "kind = \"mail\"\nserver = \"127.0.0.1\"\ntls = \"never\"\nfrom = \"a@b.example\"\nto = \"c@d.example\"\nbatch_age = \"15m\"",
        None,
        [1000, 1 << 20, 900_000, 0],
    ),
    (
        "kind = \"elasticsearch\"\nurl = \"http://127.0.0.1:9200\"",
        Some(Format::Ecs),
        [1000, 5 << 20, 1000, 0],
    ),
];

#[test]
fn every_kind_has_its_form_and_its_batches() {
    for (keys, want, batches) in KINDS {
        let of = plain(keys);
        assert_eq!(form(&of), *want, "{keys}");
        let Settings { name, folder, batching, .. } = settings(&of, Path::new("/state"));
        assert_eq!((&*name, &*folder), ("the-sink", Path::new("/state")));
        let millis = |time: Duration| time.as_millis() as u64;
        let Batching { max_records, max_bytes, max_age, min_interval } = batching;
        let got = [max_records as u64, max_bytes as u64, millis(max_age), millis(min_interval)];
        assert_eq!(got, *batches, "{keys}");
        let made = deliver(&of, &Pace::default(), "sensor-1").unwrap().unwrap();
        assert_eq!(made.format(), want.unwrap_or(Format::Json), "{keys}");
    }
}

#[test]
fn files_and_standard_output_are_not_delivered() {
    for keys in ["kind = \"file\"\npath = \"/a\"\nformat = \"ecs\"", "kind = \"stdout\""] {
        let of = plain(keys);
        assert!(deliver(&of, &Pace::default(), "s").unwrap().is_none());
        assert_eq!((form(&of), spool_sink(&of, 1 << 30)), (None, spool::Sink::default()));
        assert_eq!(timeouts(&of, Duration::from_secs(9)).drain, Duration::from_secs(9));
    }
}

#[test]
fn timeouts_and_the_share_of_the_spool_are_those_of_the_file() {
    let unix = "kind = \"unix\"\npath = \"/s\"";
    let of = plain(&format!(
        "{unix}\nspool_size = \"128M\"\nconnect_timeout = \"2s\"\ntimeout = \"10s\""
    ));
    let seconds = Duration::from_secs;
    let want = Timeouts { connect: seconds(2), request: seconds(10), drain: seconds(3) };
    assert_eq!(timeouts(&of, seconds(3)), want);
    assert_eq!(timeouts(&plain(unix), seconds(5)), Timeouts::default());
    assert_eq!(spool_sink(&of, 1 << 30).max_backlog, Some(128 << 20));
    assert_eq!(spool_sink(&of, 64 << 20).max_backlog, None, "the spool is never that full");
    assert_eq!(spool_sink(&plain(unix), 1 << 30).max_backlog, None);
}

#[test]
fn what_can_not_begin_names_the_sink_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("odd"), "xyzzy\u{7}q").unwrap();
    for (keys, why) in [
        #[cfg(not(feature = "kafka"))]
        (
            "kind = \"kafka\"\nbrokers = \"127.0.0.1\"\ntopic = \"t\"",
            "this wiresift was built without the feature kafka (build it with",
        ),
        ("kind = \"webhook\"\nurl_file = \"gone\"", "gone: cannot read the secret"),
        ("kind = \"webhook\"\nurl = \"http://127.0.0.1/\"\nkey_file = \"odd\"", "odd: the secret"),
        (
            "kind = \"webhook\"\nurl = \"http://127.0.0.1/\"\nkey_env = \"WIRESIFT_NO_KEY\"",
            "WIRESIFT_NO_KEY is not set",
        ),
        (
            "kind = \"mail\"\nserver = \"127.0.0.1\"\ntls = \"never\"\nuser = \"u\"\npassword_file = \"gone\"\nfrom = \"a@b.example\"\nto = \"c@d.example\"",
            "gone: cannot read the secret",
        ),
        (
            "kind = \"elasticsearch\"\nurl = \"http://127.0.0.1\"\nuser = \"u\"\npassword_file = \"odd\"",
            "control characters",
        ),
        ("kind = \"elasticsearch\"\nurl = \"http://127.0.0.1\"\nkey_file = \"gone\"", "gone"),
        ("kind = \"splunk\"\nurl = \"http://127.0.0.1\"\ntoken_file = \"gone\"", "gone"),
        (
            "kind = \"syslog\"\naddress = \"tls://127.0.0.1\"\nca_file = \"gone\"",
            "gone: cannot read",
        ),
    ] {
        let of = sink(folder.path(), keys);
        let made = deliver(&of, &Pace::default(), "sensor-1");
        let error = made.err().unwrap_or_else(|| panic!("{keys}")).to_string();
        assert!(error.starts_with("sink “the-sink”: ") && error.contains(why), "{error}");
        assert!(!error.contains("xyzzy"), "{error}");
    }
}

/// Sends what a sink wants of three alerts in a spool, until the spool has nothing left for it. The
/// state folder exists as long as the returned value.
fn run(of: &config::Sink) -> (TempDir, crate::sensor::outlet::Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [(of.name.clone(), spool_sink(of, 1 << 30))];
    let (spool, _) = Spool::open(&folder.path().join("spool"), Limits::default(), sinks).unwrap();
    for (number, severity, input) in [(1, 3, "web-1"), (2, 4, "dumps"), (3, 1, "web-1")] {
        let json = format!("{{\"severity\":{severity},\"input\":\"{input}\",\"number\":{number}}}");
        let mut record = Record::new([number; 16], severity, NOW, json.as_bytes());
        if let Some(form) = form(of) {
            record = record.form(form, format!("{{\"form\":\"{form} {number}\"}}").as_bytes());
        }
        assert_eq!(spool.append(&record, NOW, true).unwrap(), Stored::Yes);
    }
    let pace = Pace::new(
        std::sync::Arc::new(crate::sensor::deliver::SystemClock::default()),
        crate::sensor::halt::Halt::default(),
        timeouts(of, Duration::from_secs(1)),
    );
    let made = deliver(of, &pace, "sensor-1").unwrap().unwrap();
    let mut outlet = Outlet::new(settings(of, folder.path()), spool.clone(), made, pace);
    for _ in 0..2000 {
        match outlet.step() {
            Step::Next => {}
            Step::Idle | Step::Done => break,
            Step::Wait(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
    assert_eq!(spool.backlog(&of.name).bytes, 0);
    let snapshot = outlet.counters().snapshot();
    (folder, snapshot)
}

/// The keys of a sink that wants the first of three alerts, at once.
const FIRST: &str = "min_severity = \"medium\"\ninputs = \"web-*\"\nbatch_age = \"1ms\"";

#[test]
fn a_unix_socket_gets_what_it_wants_in_its_format() {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("alerts.sock")).unwrap();
    let reading = thread::Builder::new().spawn(move || {
        let mut text = String::new();
        listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
        text
    });
    let keys = format!("kind = \"unix\"\npath = \"alerts.sock\"\nformat = \"cef\"\n{FIRST}");
    let (_state, snapshot) = run(&sink(folder.path(), &keys));
    assert_eq!((snapshot.records, snapshot.filtered, snapshot.dead), (1, 2, 0));
    assert_eq!(reading.unwrap().join().unwrap(), "{\"form\":\"cef 1\"}\n");
}

#[test]
fn a_record_without_the_form_is_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let of =
        sink(folder.path(), &format!("kind = \"unix\"\npath = \"s\"\nformat = \"cef\"\n{FIRST}"));
    let record = Record::new([1; 16], 3, NOW, b"{}");
    let mut made = deliver(&of, &Pace::default(), "s").unwrap().unwrap();
    let outcome = made.deliver(&[crate::sensor::spool::RecordRef::of(&record, NOW)]);
    assert!(!outcome.has_again());
    assert!(outcome.error.unwrap().reason.contains("no `cef` format"));
}

/// Takes one request and responds; returns the request, with its head in lower case.
fn receiver(answer: &'static str) -> (u16, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let receive = move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).unwrap(), 0);
        }
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        let length = answer.len();
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}");
        stream.get_mut().write_all(text.as_bytes()).unwrap();
        (head, String::from_utf8(body).unwrap())
    };
    (port, thread::Builder::new().spawn(receive).unwrap())
}

#[test]
fn receivers_over_http_get_what_they_want_with_the_secrets_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "k3y\n").unwrap();
    for (keys, answer, head, body) in [
        (
            "kind = \"webhook\"\nkey_file = \"key\"",
            "",
            "webhook-signature: v1,",
            "[{\"severity\":3,",
        ),
        (
            "kind = \"elasticsearch\"\nkey_file = \"key\"\ngzip = false",
            "{\"errors\":false,\"items\":[{\"create\":{\"status\":201}}]}",
            "authorization: apikey k3y",
            "{\"form\":\"ecs 1\"}",
        ),
        (
            "kind = \"splunk\"\ntoken_file = \"key\"\nindex = \"sec\"\ngzip = false",
            "{\"text\":\"Success\",\"code\":0}",
            "authorization: splunk k3y",
            "\"index\":\"sec\"",
        ),
    ] {
        let (port, receiving) = receiver(answer);
        let url = format!("url = \"http://127.0.0.1:{port}\"");
        let (_state, snapshot) = run(&sink(folder.path(), &format!("{keys}\n{url}\n{FIRST}")));
        assert_eq!((snapshot.records, snapshot.filtered, snapshot.dead), (1, 2, 0), "{keys}");
        let (got_head, got_body) = receiving.join().unwrap();
        assert!(got_head.contains(head), "{got_head}");
        assert!(got_body.contains(body), "{got_body}");
    }
}
