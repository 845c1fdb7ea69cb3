//! SIGHUP: changes take effect, errors leave the old configuration running, and no line is lost
//! meanwhile.

use super::{Dice, Log, Post, each_once, free_port, number, wait_for};
use crate::harness::server::{Reply, Server};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn base(rest: &str) -> String {
    format!("[suppress]\nenabled = false\n\n{rest}")
}

fn files(name: &str, pattern: &str) -> String {
    format!("[[input]]\nkind = \"files\"\nname = \"{name}\"\npatterns = \"{pattern}\"\n\n")
}

fn sink(name: &str, path: &str, more: &str) -> String {
    format!("[[sink]]\nkind = \"file\"\nname = \"{name}\"\npath = \"{path}\"\n{more}\n\n")
}

/// Writes to a log while a closure runs, and returns how many lines it wrote.
fn while_written(log: &mut Log, from: u64, act: impl FnOnce()) -> u64 {
    let (is_over, next) = (AtomicBool::new(false), AtomicU64::new(from));
    thread::scope(|scope| {
        let write = || {
            while !is_over.load(Ordering::Relaxed) {
                let at = next.fetch_add(5, Ordering::Relaxed);
                log.write(at..at + 5);
                thread::sleep(Duration::from_millis(5));
            }
        };
        thread::Builder::new().name("writer".into()).spawn_scoped(scope, write).unwrap();
        // It also ends if the closure fails.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
        is_over.store(true, Ordering::Relaxed);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    next.into_inner()
}

#[test]
fn a_broken_file_leaves_the_old_one_running() {
    let post = Post::new("run-reload-broken");
    let good = base(&(files("a", "logs/a*.log") + &sink("out", "alerts.json", "")));
    post.configure(&good);
    let mut log = post.log("a.log");
    let daemon = post.start();
    let lines = while_written(&mut log, 0, || {
        post.configure(&good.replace("patterns", "paterns"));
        daemon.reload("failed");
    });
    let said = daemon.said();
    assert!(said.contains("wiresift.toml:") && said.contains("patterns"), "{said}");
    let in_use = "the previous configuration stays in use; fix the new one and reload it again";
    assert!(said.contains(&format!("wiresift: the reload failed: {in_use}")), "{said}");
    let page = daemon.status();
    let message = page["failed_reload"]["message"].as_str().unwrap();
    assert!(message.contains("wiresift.toml:") && message.ends_with(in_use), "{page:#}");
    assert!(page["failed_reload"]["time"].is_string() && page["state"] == "degraded");
    assert_eq!(daemon.metric("wiresift_config_reloads_total{result=\"failed\"}"), 1.0);
    // A valid configuration whose output can't be opened.
    let unopenable = good.clone() + &sink("other", "no/such/folder/alerts.json", "");
    post.configure(&unopenable);
    daemon.reload("failed");
    assert!(daemon.said().contains("“other”"), "{}", daemon.said());
    post.expect_once("alerts.json", lines);
    assert_eq!(daemon.get("/-/ready").0, 200);
    // When it is fixed, it takes effect.
    fs::create_dir_all(post.path("no/such/folder")).unwrap();
    daemon.reload("loaded");
    assert_eq!(daemon.status()["failed_reload"], Value::Null);
    wait_for("all is well again", || daemon.status()["state"] == "running");
    log.write(lines..lines + 1);
    post.expect_once("alerts.json", lines + 1);
    wait_for("the new sink has it", || post.alerts("no/such/folder/alerts.json").len() == 1);
    daemon.stop();
}

#[test]
fn inputs_and_sinks_come_and_go_without_a_gap() {
    let post = Post::new("run-reload-parts");
    let (a, b) = (files("a", "logs/a*.log"), files("b", "logs/b*.log"));
    let (out, second) = (sink("out", "alerts.json", ""), sink("second", "second.json", ""));
    post.configure(&base(&format!("{a}{out}")));
    let mut log = post.log("a.log");
    post.log("b.log").write(1_000_000..1_000_010);
    let daemon = post.start();
    let lines = while_written(&mut log, 0, || {
        for rest in [
            format!("{a}{b}{out}{second}"),
            format!("{a}{out}{second}"),
            format!("{a}{b}{out}"),
            format!("{a}{b}{second}{out}"),
            format!("{a}{out}"),
        ] {
            post.configure(&base(&rest));
            daemon.reload("loaded");
            thread::sleep(Duration::from_millis(200));
        }
    });
    daemon.reload("loaded");
    wait_for("all are there", || post.numbers("alerts.json").len() as u64 >= lines + 10);
    daemon.stop();
    let mut counts = post.numbers("alerts.json");
    let of_b: Vec<u64> = (1_000_000..1_000_010).filter_map(|n| counts.remove(&n)).collect();
    assert_eq!(of_b, [1; 10]);
    each_once(&counts, lines);
    // The second one has a part, and nothing of it twice.
    let second = post.numbers("second.json");
    assert!(!second.is_empty() && second.values().all(|count| *count == 1), "{second:?}");
}

#[test]
fn a_new_sink_has_each_alert_once_also_when_it_is_killed_then() {
    let post = Post::new("run-reload-killed");
    let (a, out) = (files("a", "logs/a*.log"), sink("out", "alerts.json", ""));
    let mut log = post.log("a.log");
    let mut dice = Dice(31);
    let mut next = 0;
    for round in 0..8 {
        post.configure(&base(&format!("{a}{out}")));
        let daemon = post.start();
        let new = sink("new", &format!("new{round}.json"), "");
        next = while_written(&mut log, next, || {
            post.configure(&base(&format!("{a}{out}{new}")));
            daemon.signal("HUP");
            let new = post.path(&format!("new{round}.json"));
            wait_for("it has the first", || fs::metadata(&new).is_ok_and(|it| it.len() > 0));
            dice.nap(40);
        });
        daemon.kill();
        // It resumes there.
        post.configure(&base(&format!("{a}{out}{new}")));
        post.once().expect(0);
        let numbers = post.numbers(&format!("new{round}.json"));
        let (first, last) = (*numbers.keys().next().unwrap(), *numbers.keys().last().unwrap());
        assert!(numbers.values().all(|count| *count == 1), "round {round}: {numbers:?}");
        assert_eq!((last - first + 1, last), (numbers.len() as u64, next - 1), "round {round}");
    }
    post.expect_once("alerts.json", next);
}

#[test]
fn a_sink_goes_on_in_another_format_in_the_same_file() {
    let post = Post::new("run-reload-format");
    let input = files("a", "logs/a*.log");
    let with = |more: &str| base(&format!("{input}{}", sink("out", "alerts.out", more)));
    post.configure(&with(""));
    let mut log = post.log("a.log");
    let daemon = post.start();
    let lines = while_written(&mut log, 0, || {
        for more in ["format = \"cef\"", "", "format = \"ecs\"", "min_severity = \"low\""] {
            thread::sleep(Duration::from_millis(100));
            post.configure(&with(more));
            daemon.reload("loaded");
        }
        thread::sleep(Duration::from_millis(100));
    });
    let text = || fs::read_to_string(post.path("alerts.out")).unwrap();
    let count = |text: &str| {
        let number = |line: &str| {
            let (_, rest) = line.split_once("host")?;
            let (number, _) = rest.split_once(".evil")?;
            number.rsplit("host").next()?.parse().ok()
        };
        super::counts(text.lines().filter_map(number))
    };
    wait_for("all are there", || count(&text()).len() as u64 >= lines);
    daemon.stop();
    let text = text();
    let is_cef = |line: &&str| line.starts_with("CEF:");
    assert!(text.lines().any(|line| is_cef(&line)));
    for line in text.lines().filter(|line| !is_cef(line)) {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert_eq!(text.lines().count() as u64, lines);
}

#[test]
fn a_receiver_listens_at_another_port() {
    let post = Post::new("run-reload-port");
    let (first, second) = (free_port(), free_port());
    let syslog = |port: u16| {
        format!("[[input]]\nkind = \"syslog\"\nlisten = \"tcp://127.0.0.1:{port}\"\n\n")
    };
    let rest = files("a", "logs/a*.log") + &sink("out", "alerts.json", "");
    let send = |port: u16, n: u64| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        writeln!(stream, "<13>Nov 29 10:00:00 web1 app: {n} www.evil.example").unwrap();
    };
    post.configure(&base(&format!("{}{rest}", syslog(first))));
    let mut log = post.log("a.log");
    let daemon = post.start();
    send(first, 1_000_000);
    let lines = while_written(&mut log, 0, || {
        wait_for("the first", || post.numbers("alerts.json").contains_key(&1_000_000));
        post.configure(&base(&format!("{}{rest}", syslog(second))));
        daemon.reload("loaded");
    });
    send(second, 1_000_001);
    wait_for("the second", || post.numbers("alerts.json").contains_key(&1_000_001));
    wait_for("the old port is closed", || TcpStream::connect(("127.0.0.1", first)).is_err());
    // A port that is in use: the error says so, the rest continues, and the next reload fixes it.
    let taken = std::net::TcpListener::bind(("127.0.0.1", first)).unwrap();
    post.configure(&base(&format!("{}{rest}", syslog(first))));
    daemon.reload("failed");
    assert!(daemon.said().contains("“syslog”"), "{}", daemon.said());
    // The old one still listens.
    send(second, 1_000_003);
    wait_for("the old port is served", || post.numbers("alerts.json").contains_key(&1_000_003));
    drop(taken);
    daemon.reload("loaded");
    send(first, 1_000_002);
    wait_for("the third", || post.numbers("alerts.json").contains_key(&1_000_002));
    log.write(lines..lines + 1);
    wait_for("all are there", || post.numbers("alerts.json").len() as u64 >= lines + 5);
    daemon.stop();
    let mut counts = post.numbers("alerts.json");
    counts.retain(|n, _| *n < 1_000_000);
    each_once(&counts, lines + 1);
}

#[test]
fn a_database_that_is_published_is_used() {
    let post = Post::new("run-reload-database");
    post.configure(&base(&(files("a", "logs/a*.log") + &sink("out", "alerts.json", ""))));
    let mut log = post.log("a.log");
    let daemon = post.start();
    let lines = while_written(&mut log, 0, || {
        let loaded = || daemon.metric("wiresift_database_reloads_total{result=\"loaded\"}");
        for (number, name) in ["one.example", "two.example", "three.example"].iter().enumerate() {
            post.compile(&format!("evil.example\n{name}\n"));
            daemon.signal("HUP");
            wait_for("it is loaded", || loaded() > number as f64);
            assert_eq!(daemon.status()["database"]["indicators"], 2);
        }
    });
    let mut other = post.log("a-new.log");
    other.line("1000000 three.example");
    wait_for("what is new is found", || post.numbers("alerts.json").contains_key(&1_000_000));
    // A damaged database is not loaded.
    fs::write(post.path("db.wsdb"), "no database").unwrap();
    daemon.wait_said("keeping the previous database");
    log.write(lines..lines + 1);
    wait_for("all are there", || post.numbers("alerts.json").len() as u64 >= lines + 2);
    daemon.stop();
    let mut counts = post.numbers("alerts.json");
    counts.retain(|n, _| *n < 1_000_000);
    each_once(&counts, lines + 1);
    let alerts = post.alerts("alerts.json");
    let mut ids = BTreeMap::new();
    alerts.iter().filter(|it| number(it).is_some()).for_each(|alert| {
        ids.insert(alert["database"]["id"].as_str().unwrap(), ());
    });
    assert!(ids.len() > 2, "{ids:?}");
}

#[test]
fn an_input_that_changes_gives_out_what_it_has_received() {
    let post = Post::new("run-reload-same-port");
    let port = free_port();
    let syslog = |max: u64| {
        format!(
            "[[input]]\nkind = \"syslog\"\nlisten = \"tcp://127.0.0.1:{port}\"\n\
             max_connections = {max}\n\n"
        )
    };
    let sink = sink("out", "alerts.json", "");
    post.configure(&base(&format!("{}{sink}", syslog(10))));
    let daemon = post.start();
    let lines = 30_000;
    for max in 11..14 {
        let from = lines * (max - 11);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let text = |n| format!("<13>Nov 29 10:00:00 web1 app: {n} www.evil.example\n");
        let text: String = (from..from + lines).map(text).collect();
        stream.write_all(text.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        // The other side has closed: everything was received.
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut rest).unwrap();
        // The same port, with other settings, while most of it is waiting to be matched.
        post.configure(&base(&format!("{}{sink}", syslog(max))));
        daemon.reload("loaded");
    }
    assert_eq!(daemon.get("/-/ready").0, 200);
    wait_for("all are there", || post.numbers("alerts.json").len() as u64 >= 3 * lines);
    daemon.stop();
    each_once(&post.numbers("alerts.json"), 3 * lines);
}

#[test]
fn files_of_sinks_that_go_and_come_back_lose_nothing() {
    let post = Post::new("run-reload-back");
    let input = files("a", "logs/a*.log");
    let with = |name: &str| base(&format!("{input}{}", sink(name, "alerts.json", "")));
    let without = base(&format!("{input}{}", sink("other", "other.json", "")));
    post.configure(&with("out"));
    let mut log = post.log("a.log");
    let daemon = post.start();
    let lines = while_written(&mut log, 0, || {
        // Another name for the same file.
        for name in ["renamed", "again", "out"] {
            thread::sleep(Duration::from_millis(100));
            post.configure(&with(name));
            daemon.reload("loaded");
        }
    });
    post.expect_once("alerts.json", lines);
    let mut next = lines;
    for _ in 0..3 {
        next = while_written(&mut log, next, || {
            post.configure(&without);
            daemon.reload("loaded");
            thread::sleep(Duration::from_millis(300));
            let before = fs::read(post.path("alerts.json")).unwrap();
            post.configure(&with("out"));
            daemon.reload("loaded");
            thread::sleep(Duration::from_millis(200));
            let after = fs::read(post.path("alerts.json")).unwrap();
            assert!(after.starts_with(&before), "{} of {}", after.len(), before.len());
        });
    }
    wait_for("the last is there", || post.numbers("alerts.json").contains_key(&(next - 1)));
    daemon.stop();
    // Each alert is in at least one of the files, and never in both.
    let mut counts = post.numbers("alerts.json");
    for (number, count) in post.numbers("other.json") {
        *counts.entry(number).or_default() += count;
    }
    each_once(&counts, next);
}

/// What a webhook was sent, which refuses everything at first.
struct Receiver {
    server: Server,
    is_away: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    fn new() -> Receiver {
        let (is_away, taken) =
            (Arc::new(AtomicBool::new(true)), Arc::<Mutex<Vec<Value>>>::default());
        let (away, take) = (Arc::clone(&is_away), Arc::clone(&taken));
        let server = Server::start(move |asked| {
            if away.load(Ordering::SeqCst) {
                return Reply::new(503, &[("Retry-After", "1")], "");
            }
            let alerts: Vec<Value> = serde_json::from_slice(&asked.body).unwrap();
            take.lock().unwrap().extend(alerts);
            Reply::status(200)
        });
        Receiver { server, is_away, taken }
    }

    /// How many there are. Counting each while it waits would keep the server from taking more.
    fn count(&self) -> u64 {
        self.taken.lock().unwrap().len() as u64
    }

    fn numbers(&self) -> BTreeMap<u64, u64> {
        super::counts(self.taken.lock().unwrap().iter().filter_map(number))
    }
}

#[test]
fn an_input_that_changes_while_the_spool_is_full_is_read_once() {
    let post = Post::new("run-reload-full");
    let receiver = Receiver::new();
    let sink = format!(
        "[[sink]]\nkind = \"webhook\"\nurl = \"{}\"\nbatch_age = \"50ms\"\n",
        receiver.server.url("/")
    );
    let with = |more: &str| {
        let input = "[[input]]\nkind = \"files\"\nname = \"a\"\npatterns = \"logs/*.log\"\n";
        base(&format!("{input}{more}\n{sink}"))
    };
    post.configure_all("", "spool_size = \"16M\"", &with(""));
    let mut log = post.log("a.log");
    let daemon = post.start();
    let lines = 40_000;
    log.write(0..lines);
    wait_for("it is full", || daemon.get("/-/ready").0 == 503);
    post.configure_all("", "spool_size = \"16M\"", &with("poll = \"2s\"\n"));
    daemon.reload("loaded");
    let said = daemon.said();
    assert!(said.contains("input “a”: what it has read can't be delivered now"), "{said}");
    // It is there as it was, until what it has read is delivered.
    assert_eq!(daemon.part("inputs", "a")["state"], "open");
    receiver.is_away.store(false, Ordering::SeqCst);
    // As long as a busy machine takes, if it goes on.
    while receiver.count() < lines {
        let before = receiver.count();
        wait_for("more are there", || receiver.count() > before);
    }
    log.write(lines..lines + 10);
    wait_for("it goes on", || receiver.count() >= lines + 10);
    wait_for("all is well", || daemon.status()["state"] == "running");
    daemon.stop();
    each_once(&receiver.numbers(), lines + 10);
}

#[test]
fn counters_go_on_when_inputs_and_sinks_are_replaced() {
    let post = Post::new("run-reload-counters");
    let receiver = Receiver::new();
    receiver.is_away.store(false, Ordering::SeqCst);
    let sink = |more: &str| {
        format!(
            "[[sink]]\nkind = \"webhook\"\nurl = \"{}\"\nbatch_age = \"50ms\"\n{more}\n",
            receiver.server.url("/")
        )
    };
    let (a, b) = (files("a", "logs/a.log*"), files("b", "logs/b.log*"));
    post.configure(&base(&format!("{a}{b}{}", sink(""))));
    let (mut first, mut second) = (post.log("a.log"), post.log("b.log"));
    let daemon = post.start();
    let rotations = || daemon.metric("wiresift_rotations_total{kind=\"renamed\"}");
    let records = || daemon.metric("wiresift_sink_records_total{sink=\"webhook\"}");
    let observed = || daemon.metric("wiresift_sink_latency_seconds_count{sink=\"webhook\"}");
    first.write(0..10);
    wait_for("all are there", || records() == 10.0);
    for (number, to) in ["a.log.3", "a.log.2", "a.log.1"].into_iter().enumerate() {
        first.rotate(to);
        // What is renamed before it is seen has its first name then.
        wait_for("it is seen", || rotations() == number as f64 + 1.0);
    }
    // The input is gone, then there again, and the sink is another one.
    post.configure(&base(&format!("{b}{}", sink(""))));
    daemon.reload("loaded");
    assert_eq!(rotations(), 3.0);
    second.rotate("b.log.1");
    wait_for("the other one counts on", || rotations() == 4.0);
    post.configure(&base(&format!("{a}{b}{}", sink("batch_records = 7"))));
    daemon.reload("loaded");
    assert_eq!((rotations(), records(), observed()), (4.0, 10.0, 10.0));
    first.write(10..15);
    first.rotate("a.log.0");
    wait_for("it counts on", || rotations() == 5.0 && records() == 15.0);
    assert_eq!(observed(), 15.0);
    daemon.stop();
    each_once(&receiver.numbers(), 15);
}
