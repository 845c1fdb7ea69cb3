//! Remote receivers: unreachable, slow, refusing, silent. Nothing is lost, and other sinks don't
//! wait.

use super::{Dice, LIMIT, Post, each_once, records, wait_for};
use crate::harness::server::{Asked, Reply, Server};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use wiresift::clock::Stopwatch;

const INPUT: &str = "[suppress]\nenabled = false\n\n[[input]]\nkind = \"files\"\n\
                     patterns = \"logs/*.log\"\n\n";

fn webhook(url: &str, more: &str) -> String {
    format!("[[sink]]\nkind = \"webhook\"\nurl = \"{url}\"\nbatch_age = \"50ms\"\n{more}\n")
}

fn file_sink() -> &'static str {
    "[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"
}

fn batch(asked: &Asked) -> Vec<Value> {
    serde_json::from_slice(&asked.body).unwrap()
}

fn numbers<'a>(alerts: impl IntoIterator<Item = &'a Value>) -> Vec<u64> {
    alerts.into_iter().filter_map(super::number).collect()
}

/// What a server received and acknowledged.
type Taken = Arc<Mutex<Vec<Value>>>;

/// A server that accepts everything.
fn taking(taken: &Taken) -> impl Fn(&Asked) -> Reply + Send + Sync + 'static {
    let taken = Arc::clone(taken);
    move |asked| {
        taken.lock().unwrap().extend(batch(asked));
        Reply::status(200)
    }
}

#[test]
fn a_socket_that_is_away_gets_all_in_order_when_it_is_there() {
    let post = Post::new("run-unix");
    let sink = "[[sink]]\nkind = \"unix\"\npath = \"out.sock\"\nbatch_age = \"50ms\"\n";
    post.configure(&format!("{INPUT}{sink}"));
    let mut log = post.log("a.log");
    let daemon = post.start();
    log.write(0..500);
    wait_for("it is tried", || daemon.metric("wiresift_sink_retries_total{sink=\"unix\"}") > 0.0);
    assert_eq!(daemon.part("sinks", "unix")["state"], "retrying");
    assert!(daemon.metric("wiresift_spool_bytes") > 0.0);
    log.write(500..600);
    let listener = UnixListener::bind(post.path("out.sock")).unwrap();
    let got = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&got);
    let read = move || {
        let (stream, _) = listener.accept().unwrap();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            to.lock().unwrap().push(serde_json::from_str::<Value>(&line).unwrap());
        }
    };
    let reader = thread::Builder::new().name("reader".into()).spawn(read).unwrap();
    wait_for("all are there", || got.lock().unwrap().len() >= 600);
    wait_for("it is well", || daemon.part("sinks", "unix")["state"] == "ok");
    daemon.stop();
    reader.join().unwrap();
    let want: Vec<u64> = (0..600).collect();
    assert_eq!(numbers(got.lock().unwrap().iter()), want);
}

#[test]
fn killed_while_it_sends_every_alert_arrives() {
    let post = Post::new("run-killed-sending");
    let taken = Taken::default();
    // Each response takes a while, so that many kills come between a request and its response.
    let server = {
        let take = taking(&taken);
        Server::start(move |asked| take(asked).late(Duration::from_millis(30)))
    };
    let sink = webhook(&server.url("/hook"), "batch_records = 20");
    post.configure(&format!("{INPUT}{sink}{}", file_sink()));
    let mut log = post.log("a.log");
    let mut dice = Dice(99);
    let mut next = 0;
    for _ in 0..8 {
        let daemon = post.launch(&post.command(&[]));
        for _ in 0..3 {
            let lines = dice.roll(100);
            log.write(next..next + lines);
            next += lines;
            dice.nap(300);
        }
        dice.nap(400);
        daemon.kill();
    }
    let daemon = post.start();
    post.expect_once("alerts.json", next);
    let ids = || {
        let taken = taken.lock().unwrap();
        taken.iter().map(|it| it["id"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let want: Vec<Value> = post.alerts("alerts.json").iter().map(|it| it["id"].clone()).collect();
    wait_for("every id arrives", || {
        let ids = ids();
        want.iter().all(|id| ids.iter().any(|it| id == it))
    });
    daemon.stop();
    // What is sent again has the same id.
    let mut by_line = BTreeMap::new();
    for alert in taken.lock().unwrap().iter() {
        let number = super::number(alert).unwrap();
        let before = by_line.insert(number, alert["id"].clone());
        assert!(before.is_none_or(|id| id == alert["id"]), "{alert}");
    }
    assert_eq!(by_line.len() as u64, next);
}

#[test]
fn killed_before_the_first_commit_alerts_keep_their_identifiers() {
    let post = Post::new("run-killed-first");
    let taken = Taken::default();
    let server = Server::start(taking(&taken));
    let sink = webhook(&server.url("/hook"), "").replace("50ms", "5ms");
    post.configure(&format!("{INPUT}{sink}"));
    let ids = || {
        let mut ids: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for alert in taken.lock().unwrap().iter() {
            let id = alert["id"].as_str().unwrap().to_string();
            ids.entry(super::number(alert).unwrap()).or_default().insert(id);
        }
        ids
    };
    // In each round, write a log that is in no commit, and kill the daemon as soon as one of its
    // alerts has arrived: the alerts themselves are in a commit within 100 ms.
    for round in 0..6 {
        let first = round * 20;
        post.log(&format!("{round}.log")).write(first..first + 20);
        let daemon = post.launch(&post.command(&[]));
        wait_for("one has arrived", || ids().contains_key(&first));
        daemon.kill();
    }
    let daemon = post.start();
    wait_for("all have arrived", || ids().len() >= 120);
    daemon.stop();
    let twice: Vec<_> = ids().into_iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let all: BTreeSet<String> = ids().into_values().flatten().collect();
    assert_eq!(all.len(), 120, "each line has its own");
}

#[test]
fn what_is_refused_for_good_goes_to_dead_letters() {
    let post = Post::new("run-refused");
    let server = Server::start(|asked| {
        let is_bad = batch(asked).iter().any(|it| super::number(it).is_some_and(|n| n < 10));
        if is_bad { Reply::new(400, &[], "no such field") } else { Reply::status(204) }
    });
    post.configure(&format!("{INPUT}{}", webhook(&server.url("/"), "batch_records = 1")));
    let mut log = post.log("a.log");
    let daemon = post.start();
    log.write(0..15);
    let records = || daemon.metric("wiresift_sink_records_total{sink=\"webhook\"}");
    wait_for("the rest is taken", || records() == 5.0);
    assert_eq!(daemon.metric("wiresift_dead_letters_total{sink=\"webhook\"}"), 10.0);
    assert_eq!(daemon.part("sinks", "webhook")["dead_letters"], 10);
    daemon.stop();
    let letters = self::records(&post.path("state/daemon/dead-letter/webhook.ndjson"));
    assert_eq!(letters.len(), 10);
    for (at, letter) in letters.iter().enumerate() {
        assert_eq!((&letter["status"], &letter["sink"]), (&400.into(), &"webhook".into()));
        assert!(letter["reason"].as_str().unwrap().contains("no such field"), "{letter}");
        assert_eq!(super::number(&letter["alert"]), Some(at as u64));
    }
}

#[test]
fn a_busy_receiver_names_the_time_to_wait() {
    let post = Post::new("run-busy");
    let (count, first) = (AtomicUsize::new(0), Arc::new(Mutex::new(None)));
    let began = Arc::clone(&first);
    let taken = Taken::default();
    let take = taking(&taken);
    let server = Server::start(move |asked| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            *began.lock().unwrap() = Some(Stopwatch::start());
            return Reply::new(429, &[("Retry-After", "3")], "slow down");
        }
        take(asked)
    });
    post.configure(&format!("{INPUT}{}", webhook(&server.url("/"), "")));
    post.log("a.log").write(0..5);
    let daemon = post.start();
    wait_for("it is taken", || taken.lock().unwrap().len() == 5);
    let waited = first.lock().unwrap().unwrap().elapsed();
    assert!(waited >= Duration::from_millis(2900), "{waited:?}");
    let errors = "wiresift_sink_errors_total{sink=\"webhook\",class=\"busy\"}";
    assert_eq!(daemon.metric(errors), 1.0);
    daemon.stop();
}

#[test]
fn a_receiver_that_never_answers_delays_no_other() {
    let post = Post::new("run-silent");
    let server = Server::start(|_| Reply::status(200).late(LIMIT));
    let silent = webhook(&server.url("/"), "name = \"silent\"\ntimeout = \"2s\"");
    post.configure(&format!("{INPUT}{silent}{}", file_sink()));
    let mut log = post.log("a.log");
    let daemon = post.start();
    for round in 0..4 {
        log.write(100 * round..100 * (round + 1));
        // Far sooner than the receiver's timeout.
        post.expect_once("alerts.json", 100 * (round + 1));
    }
    let errors = "wiresift_sink_errors_total{sink=\"silent\",class=\"timeout\"}";
    wait_for("its time is over", || daemon.metric(errors) > 0.0);
    let began = Stopwatch::start();
    let said = daemon.stop();
    // Five seconds for the sink, and what a busy machine takes.
    assert!(began.elapsed() < Duration::from_secs(12), "{said}");
    let line = said.lines().find(|line| line.contains("sink “silent”"));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    for part in [" bytes of alerts not delivered (", "they are in state/daemon/spool"] {
        assert!(line.contains(part), "no {part:?}: {line}");
    }
    drop(server);
    // Another one in its place gets what is waiting.
    let taken = Taken::default();
    let server = Server::start(taking(&taken));
    let better = webhook(&server.url("/"), "name = \"silent\"");
    post.configure(&format!("{INPUT}{better}{}", file_sink()));
    let daemon = post.start();
    wait_for("all are there", || taken.lock().unwrap().len() >= 400);
    daemon.stop();
    let taken = taken.lock().unwrap();
    each_once(&super::counts(numbers(taken.iter()).into_iter()), 400);
}

#[test]
fn while_the_spool_is_full_files_wait_and_it_is_not_ready() {
    let post = Post::new("run-spool-full");
    let (taken, is_away) = (Taken::default(), Arc::new(std::sync::atomic::AtomicBool::new(true)));
    let (take, away) = (taking(&taken), Arc::clone(&is_away));
    let server = Server::start(move |asked| match away.load(Ordering::SeqCst) {
        true => Reply::new(503, &[("Retry-After", "1")], ""),
        false => take(asked),
    });
    let sink = webhook(&server.url("/"), "batch_records = 1000");
    post.configure_all("", "spool_size = \"16M\"", &format!("{INPUT}{sink}"));
    let mut log = post.log("a.log");
    let daemon = post.start();
    // More than the spool can hold: a record is at least 600 bytes long.
    let lines = 40_000;
    log.write(0..lines);
    wait_for("it is full", || daemon.get("/-/ready").0 == 503);
    assert!(daemon.get("/-/ready").1.contains("spool"), "{:?}", daemon.get("/-/ready"));
    assert_eq!(daemon.get("/-/healthy").0, 200);
    assert_eq!(daemon.status()["state"], "degraded");
    is_away.store(false, Ordering::SeqCst);
    wait_for("all are there", || taken.lock().unwrap().len() as u64 >= lines);
    wait_for("it is ready again", || daemon.get("/-/ready").0 == 200);
    let dropped = "wiresift_dropped_total{sink=\"webhook\",reason=\"full\"}";
    assert_eq!(daemon.metric(dropped), 0.0);
    daemon.stop();
    let taken = taken.lock().unwrap();
    each_once(&super::counts(numbers(taken.iter()).into_iter()), lines);
}

#[test]
fn what_cannot_wait_is_dropped_and_counted() {
    let post = Post::new("run-spool-shed");
    let port = super::free_port();
    let server = Server::start(|_| Reply::new(503, &[("Retry-After", "1")], ""));
    // A sender of datagrams can't be asked to wait.
    let input = format!(
        "[suppress]\nenabled = false\n\n[[input]]\nkind = \"syslog\"\nlisten = \
         [\"udp://127.0.0.1:{port}\", \"tcp://127.0.0.1:{port}\"]\n\n"
    );
    let sink = webhook(&server.url("/"), "");
    post.configure_all("", "spool_size = \"16M\"", &format!("{input}{sink}{}", file_sink()));
    let daemon = post.start();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let lines = 40_000;
    let text = |n: u64| format!("<13>Nov 29 10:00:00 web1 app: {n} host{n}.evil.example\n");
    let text: String = (0..lines).map(text).collect();
    std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
    let dropped = "wiresift_dropped_total{sink=\"webhook\",reason=\"full\"}";
    wait_for("it is dropped", || daemon.metric(dropped) > 0.0);
    // The file has all of them.
    let written = || daemon.metric("wiresift_sink_records_total{sink=\"file\"}") as u64;
    while written() < lines {
        let before = written();
        wait_for("more are there", || written() > before);
    }
    daemon.stop();
    each_once(&post.numbers("alerts.json"), lines);
}
