//! Every metric moves when what it counts happens.

use super::{Daemon, Post, ask, free_port, number, wait_for};
use crate::harness::server::{Reply, Server};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use wiresift::sensor::metrics::Family;

/// Metrics that other tests move, which need more than this one has: a broker, an interface, a spool
/// that is full, a file that not even root can read.
const ELSEWHERE: [(&str, &str); 5] = [
    ("wiresift_kafka_lag", "kafka::input"),
    ("wiresift_packets_total", "tap::alerts_of_a_tap_go_through_suppression_to_a_file"),
    ("wiresift_packets_dropped_total", "tap: the kernel's counters"),
    ("wiresift_dropped_total", "spool::what_cannot_wait_is_dropped_and_counted"),
    ("wiresift_files_unreadable", "input::tail::tests, as another user"),
];

/// The values of each series, at all looks.
#[derive(Default)]
struct Seen(BTreeMap<String, BTreeSet<String>>);

impl Seen {
    fn look(&mut self, daemon: &Daemon) {
        let (_, page) = daemon.get("/metrics");
        for line in page.lines().filter(|line| line.starts_with("wiresift_")) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            self.0.entry(series.to_string()).or_default().insert(value.to_string());
        }
    }

    /// The families of which no series has changed.
    fn still(&self) -> Vec<&'static str> {
        let moves = |family: &str| {
            self.0.iter().any(|(series, values)| {
                let name = series.split('{').next().unwrap();
                let name = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end).filter(|name| *name == family))
                    .unwrap_or(name);
                name == family && values.len() > 1
            })
        };
        Family::ALL.iter().map(|family| family.name()).filter(|name| !moves(name)).collect()
    }

    /// The last value of a series.
    fn has(&self, series: &str) -> bool {
        self.0.get(series).is_some_and(|values| values.len() > 1)
    }
}

/// A webhook that is busy at first, and refuses one alert for good.
fn receiver() -> Server {
    let was_busy = AtomicBool::new(false);
    Server::start(move |asked| {
        if !was_busy.swap(true, Ordering::SeqCst) {
            return Reply::new(429, &[("Retry-After", "1")], "");
        }
        let alerts: Vec<Value> = serde_json::from_slice(&asked.body).unwrap();
        let is_bad = alerts.iter().any(|alert| number(alert) == Some(3));
        Reply::status(if is_bad { 400 } else { 200 })
    })
}

fn configure(post: &Post, hook: &str, [syslog, hec]: [u16; 2], more: &str) {
    post.configure_all(
        "",
        "drain = \"200ms\"",
        &format!(
            "[suppress]\nkey = [\"indicator\", \"where\", \"local\"]\nwindow = \"2s\"\nfirst = 5\n\n\
             [[feed]]\nname = \"own\"\npath = \"list.txt\"\n\n\
             [[input]]\nkind = \"files\"\npatterns = \"logs/**/*.log*\"\n{more}\n\
             [[input]]\nkind = \"syslog\"\nlisten = [\"udp://127.0.0.1:{syslog}\", \
             \"tcp://127.0.0.1:{syslog}\"]\nmax_connections = 1\nreceive_buffer = \"64K\"\n\n\
             [[input]]\nkind = \"eve\"\npath = \"eve.sock\"\n\n\
             [[input]]\nkind = \"hec\"\nlisten = \"tcp://127.0.0.1:{hec}\"\ntoken_file = \
             \"token\"\n\n\
             [[input]]\nkind = \"journal\"\nprogram = \"./journalctl\"\n\n\
             [[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n\n\
             [[sink]]\nkind = \"webhook\"\nurl = \"{hook}\"\nbatch_records = 1\n\
             batch_age = \"10ms\"\n\n\
             [[sink]]\nkind = \"unix\"\npath = \"nobody.sock\"\n"
        ),
    );
}

/// What happens to files: rotation, NULs, a line that is too long, half a line.
fn files(post: &Post) {
    let mut log = post.log("a.log");
    log.write(0..20);
    wait_for("it was read", || !post.alerts("alerts.json").is_empty());
    log.rotate("a.log.1");
    log.line(&"x".repeat((1 << 20) + 100));
    log.file.write_all(&[0; 5000]).unwrap();
    log.line("");
    log.file.write_all(b"half a line").unwrap();
    fs::create_dir(post.path("logs/new")).unwrap();
}

/// What happens to receivers: too many connections, too long messages, wrong requests, a removed
/// socket, and datagrams that nobody takes.
fn receivers(post: &Post, daemon: &Daemon, [syslog, hec]: [u16; 2], seen: &mut Seen) {
    let mut first = TcpStream::connect(("127.0.0.1", syslog)).unwrap();
    first.write_all(b"<13>Nov 29 10:00:00 web1 app: nothing\n").unwrap();
    let open = "wiresift_connections_open{input=\"syslog\"}";
    wait_for("it is open", || daemon.metric(open) == 1.0);
    seen.look(daemon);
    let mut second = TcpStream::connect(("127.0.0.1", syslog)).unwrap();
    assert_eq!(second.read(&mut [0; 9]).unwrap_or(0), 0, "one is enough");
    first.write_all(b"9999999 <13>x").unwrap();
    assert_eq!(first.read(&mut [0; 9]).unwrap_or(0), 0, "it was closed");
    let request = "POST /services/collector/event HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                   Authorization: Splunk wrong\r\nContent-Length: 2\r\n\r\n{}";
    let (status, _) = ask(hec, request.as_bytes()).unwrap();
    assert_eq!(status, 403);
    // Something else in the place of a socket, until it is removed.
    post.dir.create("other", "a file\n");
    super::rename(&post.path("other"), &post.path("eve.sock"));
    wait_for("it is down", || daemon.metric("wiresift_input_up{input=\"eve\"}") == 0.0);
    seen.look(daemon);
    fs::remove_file(post.path("eve.sock")).unwrap();
    let restored = "wiresift_sockets_restored_total{input=\"eve\"}";
    wait_for("it is there again", || daemon.metric(restored) == 1.0);
    seen.look(daemon);
    daemon.signal("STOP");
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..2000 {
        let _ = sender.send_to(&[b'x'; 1000], ("127.0.0.1", syslog));
    }
    daemon.signal("CONT");
}

#[test]
fn every_metric_moves_when_its_thing_happens() {
    let post = Post::new("run-metrics");
    let (hook, ports) = (receiver(), [free_port(), free_port()]);
    post.dir.create("token", "secret\n");
    // It writes an entry, ends, and is started again.
    let entry = "__CURSOR=s=1;i=0\n__REALTIME_TIMESTAMP=1795478400000000\nMESSAGE=nothing\n\n";
    post.dir.create("journal.export", entry);
    let program =
        post.dir.create("journalctl", "#!/bin/sh\ncat journal.export\nsleep 0.3\nexit 1\n");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    configure(&post, &hook.url("/"), ports, "");
    let daemon = post.start();
    let mut seen = Seen::default();
    seen.look(&daemon);
    files(&post);
    seen.look(&daemon);
    receivers(&post, &daemon, ports, &mut seen);
    // A configuration that fails, one that is loaded, and another database.
    let good = fs::read_to_string(post.path("wiresift.toml")).unwrap();
    post.dir.create("wiresift.toml", good.replace("patterns", "paterns"));
    daemon.reload("failed");
    configure(&post, &hook.url("/"), ports, "ignore_older = \"7d\"\n");
    daemon.reload("loaded");
    post.compile("evil.example\nother.example\n");
    daemon.signal("HUP");
    let allowed: BTreeSet<&str> = ELSEWHERE.iter().map(|(name, _)| *name).collect();
    let began = wiresift::clock::Stopwatch::start();
    loop {
        seen.look(&daemon);
        let still: Vec<_> = seen.still().into_iter().filter(|it| !allowed.contains(it)).collect();
        if still.is_empty() {
            break;
        }
        assert!(began.elapsed() < super::LIMIT, "{still:?} stand still: {}", daemon.said());
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    for series in [
        "wiresift_input_errors_total{input=\"syslog\",reason=\"bad_length\"}",
        "wiresift_input_errors_total{input=\"hec\",reason=\"unauthorized\"}",
        "wiresift_input_restarts_total{input=\"journal\"}",
        "wiresift_sockets_restored_total{input=\"eve\"}",
        "wiresift_lost_bytes_total{reason=\"holes\"}",
        "wiresift_rotations_total{kind=\"renamed\"}",
        "wiresift_sink_errors_total{sink=\"webhook\",class=\"busy\"}",
        "wiresift_sink_errors_total{sink=\"unix\",class=\"connection\"}",
        "wiresift_dead_letters_total{sink=\"webhook\"}",
        "wiresift_suppressed_total{reason=\"repeated\"}",
        "wiresift_spool_oldest_seconds{sink=\"unix\"}",
        "wiresift_database_reloads_total{result=\"loaded\"}",
        "wiresift_config_reloads_total{result=\"failed\"}",
        "wiresift_feed_age_seconds{feed=\"own\"}",
    ] {
        assert!(seen.has(series), "{series} stands still: {:?}", seen.0.get(series));
    }
    daemon.stop();
}
