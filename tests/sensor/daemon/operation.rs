//! The process as seen by systemd, Prometheus and people.

use super::{LIMIT, Post, wait_for};
use crate::harness::missing;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

const CONFIG: &str = "[[input]]\nkind = \"files\"\npatterns = \"logs/*.log\"\n\n\
                      [[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n";

/// What systemd receives, until a message contains the text.
fn received(socket: &UnixDatagram, until: &str) -> Vec<String> {
    let mut received: Vec<String> = Vec::new();
    let mut buffer = [0; 4096];
    while !received.iter().any(|text| text.contains(until)) {
        let Ok(length) = socket.recv(&mut buffer) else { panic!("no {until} in {received:?}") };
        received.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
    }
    received
}

#[test]
fn systemd_hears_what_becomes_of_it() {
    let post = Post::new("run-systemd");
    post.configure(CONFIG);
    let socket = UnixDatagram::bind(post.path("notify")).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut command = post.command(&[]);
    command.env("NOTIFY_SOCKET", post.path("notify")).env("WATCHDOG_USEC", "1000000");
    let mut daemon = post.launch(&command);
    received(&socket, "READY=1");
    daemon.wait_ready();
    let status = received(&socket, "STATUS=");
    assert!(status.concat().contains("1 input, 1 sink"), "{status:?}");
    for _ in 0..3 {
        received(&socket, "WATCHDOG=1");
    }
    daemon.signal("HUP");
    let words = received(&socket, "RELOADING=1").concat();
    assert!(words.contains("MONOTONIC_USEC="), "{words}");
    received(&socket, "READY=1");
    post.log("a.log").write(0..1);
    post.expect_once("alerts.json", 1);
    daemon.signal("TERM");
    received(&socket, "STOPPING=1");
    let (status, said) = daemon.end();
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn pages_are_served() {
    let post = Post::new("run-pages");
    post.configure(CONFIG);
    post.log("a.log").write(0..3);
    let daemon = post.start();
    post.expect_once_suppressed(1);
    assert_eq!(daemon.get("/-/healthy").0, 200);
    assert_eq!(daemon.get("/-/ready").0, 200);
    assert_eq!(daemon.get("/nothing").0, 404);
    let status = daemon.status();
    assert_eq!(status["state"], "running");
    assert_eq!(status["database"]["indicators"], 1);
    wait_for("the file shows", || !daemon.part("inputs", "files")["files"].is_null());
    let files = daemon.part("inputs", "files")["files"].clone();
    assert!(files[0]["path"].as_str().unwrap().ends_with("logs/a.log"), "{files}");
    let (_, page) = daemon.get("/metrics");
    for metric in ["wiresift_lines_total{input=\"files\"} 3", "wiresift_suppression_keys"] {
        assert!(page.contains(metric), "no {metric} in {page}");
    }
    assert!(!page.contains("a.log"), "no series for each file");
    if Command::new("promtool").arg("--version").output().is_err() {
        return missing("pages_are_served", "there is no promtool");
    }
    let file = fs::File::open(post.dir.create("page", page)).unwrap();
    let run = Command::new("promtool").args(["check", "metrics"]).stdin(file).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    daemon.stop();
}

impl Post {
    /// Asserts a number of alerts, about anything.
    #[track_caller]
    fn expect_once_suppressed(&self, count: usize) {
        wait_for("they are there", || self.alerts("alerts.json").len() == count);
    }
}

#[test]
fn one_state_has_one_process() {
    let post = Post::new("run-two");
    post.configure(CONFIG);
    let daemon = post.start();
    let first = daemon.id().to_string();
    // Another port: only the state is shared.
    let port = super::free_port().to_string();
    let text = fs::read_to_string(post.path("wiresift.toml")).unwrap();
    let other = text.replace(&post.port.to_string(), &port).replace("alerts.json", "other.json");
    post.dir.create("other.toml", other);
    let run = post.command(&["--config", "other.toml"]).run().expect(2);
    let run = run.expect_stderr(&first).expect_stderr("state");
    assert!(!post.path("other.json").exists(), "{}", run.report());
    post.log("a.log").write(0..1);
    post.expect_once("alerts.json", 1);
    daemon.stop();
}

#[test]
fn a_port_or_a_folder_that_is_taken_is_named() {
    let post = Post::new("run-taken");
    post.configure(CONFIG);
    let taken = std::net::TcpListener::bind(("127.0.0.1", post.port)).unwrap();
    post.command(&[])
        .run()
        .expect(2)
        .expect_stderr("metrics")
        .expect_stderr(&post.port.to_string());
    drop(taken);
    let port = super::free_port();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let syslog = format!("[[input]]\nkind = \"syslog\"\nlisten = \"tcp://127.0.0.1:{port}\"\n");
    post.configure(&format!("{CONFIG}{syslog}"));
    post.command(&[]).run().expect(2).expect_stderr("“syslog”").expect_stderr(&port.to_string());
    drop(taken);
    post.configure(&format!(
        "{CONFIG}[[input]]\nkind = \"captures\"\nfolder = \"no-such-folder\"\n"
    ));
    post.command(&[]).run().expect(2).expect_stderr("no-such-folder");
}

#[test]
fn signals_end_it_in_order() {
    let post = Post::new("run-signals");
    post.configure(CONFIG);
    let mut log = post.log("a.log");
    for signal in ["TERM", "INT"] {
        let daemon = post.start();
        log.write(0..100);
        daemon.signal(signal);
        let began = wiresift::clock::Stopwatch::start();
        let (status, said) = daemon.end();
        assert_eq!(status, Some(0), "{said}");
        assert!(began.elapsed() < Duration::from_secs(20));
        assert!(said.contains("ended after"), "{said}");
    }
}
