//! What others send: the alert names the sender, and what was received is matched.

use super::{Post, ask, free_port, wait_for};
use crate::harness::missing;
use serde_json::Value;
use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Command;

/// An input, and a file.
fn post(name: &str, input: &str) -> Post {
    let post = Post::new(name);
    post.configure(&format!(
        "[suppress]\nenabled = false\n\n{input}\n[[sink]]\nkind = \"file\"\npath = \"alerts.json\"\n"
    ));
    post
}

fn syslog(port: u16) -> String {
    format!(
        "[[input]]\nkind = \"syslog\"\n\
         listen = [\"udp://127.0.0.1:{port}\", \"tcp://127.0.0.1:{port}\"]\n"
    )
}

/// The sender of an alert.
fn sender(alert: &Value) -> [Option<&str>; 3] {
    ["host", "app", "peer"].map(|name| alert["log"][name].as_str())
}

#[test]
fn alerts_of_syslog_name_who_wrote_them() {
    let port = free_port();
    let post = post("run-syslog", &syslog(port));
    let test = "alerts_of_syslog_name_who_wrote_them";
    if Command::new("logger").arg("--version").output().is_err() {
        return missing(test, "there is no logger");
    }
    let daemon = post.start();
    let send = |more: &[&str], text: &str| {
        let mut logger = Command::new("logger");
        logger.args(["--server", "127.0.0.1", "--port", &port.to_string(), "--tag", "applied"]);
        assert!(logger.args(more).arg(text).status().unwrap().success());
    };
    send(&["--udp", "--rfc3164"], "0 asked for www.evil.example");
    send(&["--tcp", "--rfc5424"], "1 asked for www.evil.example");
    send(&["--tcp", "--octet-count"], "2 asked for www.evil.example");
    wait_for("all are there", || post.alerts("alerts.json").len() == 3);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    for alert in post.alerts("alerts.json") {
        let [by, app, peer] = sender(&alert);
        assert_eq!((by, app), (Some(&*host), Some("applied")), "{alert}");
        assert!(peer.is_some_and(|peer| peer.starts_with("127.0.0.1")), "{alert}");
        assert_eq!((&alert["input"], &alert["local"]), (&"syslog".into(), &(&*host).into()));
        assert_eq!(alert["time_source"], "event", "{alert}");
    }
    let addresses = daemon.part("inputs", "syslog")["addresses"].to_string();
    assert!(addresses.contains(&port.to_string()), "{addresses}");
    daemon.stop();
}

#[test]
fn what_was_received_before_the_end_is_alerted() {
    let port = free_port();
    let post = post("run-syslog-stop", &syslog(port));
    let daemon = post.start();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let lines: String = (0..20_000)
        .map(|n| format!("<13>Nov 29 10:00:00 web1 app: {n} www.evil.example\n"))
        .collect();
    stream.write_all(lines.as_bytes()).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    for n in 20_000..20_100 {
        let text = format!("<13>Nov 29 10:00:00 web1 app: {n} www.evil.example");
        udp.send_to(text.as_bytes(), ("127.0.0.1", port)).unwrap();
    }
    // All of it is in our sockets: what is not was never received.
    drop(stream);
    wait_for("most of it is received", || {
        daemon.metric("wiresift_lines_total{input=\"syslog\"}") > 0.0
    });
    let said = daemon.stop();
    let counts = post.numbers("alerts.json");
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    // Lines were counted, and each has its alert.
    let (_, rest) = said.split_once("ended after ").unwrap();
    let (lines, _) = rest.split_once(" lines").unwrap();
    let (_, lines) = lines.split_once(": ").unwrap();
    assert_eq!(counts.len().to_string(), lines.replace(' ', ""), "{said}");
}

#[test]
fn events_of_suricata_come_over_a_socket() {
    let post = post("run-eve", "[[input]]\nkind = \"eve\"\npath = \"eve.sock\"\n");
    let daemon = post.start();
    let mut stream = UnixStream::connect(post.path("eve.sock")).unwrap();
    for n in 0..100 {
        writeln!(
            stream,
            "{{\"timestamp\":\"2026-11-29T10:00:00.000000+0000\",\"event_type\":\"dns\",\
             \"src_ip\":\"192.0.2.1\",\"dns\":{{\"rrname\":\"host{n}.evil.example\"}}}}"
        )
        .unwrap();
    }
    drop(stream);
    wait_for("all are there", || post.alerts("alerts.json").len() == 100);
    let alerts = post.alerts("alerts.json");
    assert!(alerts.iter().all(|alert| alert["seen"]["field"] == "dns.rrname"), "{:?}", alerts[0]);
    assert!(alerts.iter().all(|alert| alert["input"] == "eve"));
    daemon.stop();
    // A stale socket of a killed process is not an obstacle.
    let daemon = post.start();
    daemon.kill();
    let daemon = post.start();
    daemon.stop();
}

#[test]
fn events_for_splunk_are_taken_with_a_token_alone() {
    let port = free_port();
    let input = format!(
        "[[input]]\nkind = \"hec\"\nlisten = \"tcp://127.0.0.1:{port}\"\ntoken_env = \"TOKEN\"\n"
    );
    let post = post("run-hec", &input);
    let mut daemon = post.launch(post.command(&[]).env("TOKEN", "secret"));
    daemon.wait_ready();
    let send = |token: &str, body: &str| {
        let head = format!(
            "POST /services/collector/event HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Authorization: Splunk {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        ask(port, format!("{head}{body}").as_bytes()).unwrap()
    };
    let event = |n: u64| {
        format!("{{\"host\":\"web1\",\"source\":\"app\",\"event\":\"{n} www.evil.example\"}}")
    };
    let (status, body) = send("wrong", &event(0));
    assert_eq!(status, 403, "{body}");
    let (status, body) = send("secret", &(event(1) + &event(2)));
    assert_eq!(status, 200, "{body}");
    wait_for("both are there", || post.alerts("alerts.json").len() == 2);
    let alerts = post.alerts("alerts.json");
    assert_eq!(alerts.iter().filter_map(super::number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((&alerts[0]["input"], &alerts[0]["local"]), (&"hec".into(), &"web1".into()));
    daemon.stop();
    // The secret is not in the output, and without one nothing starts.
    post.command(&[]).run().expect(78).expect_stderr("TOKEN");
}
