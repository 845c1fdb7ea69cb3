//! `wiresift status`, against a server that returns the service's status.

use crate::harness::server::{Reply, Server};
use crate::harness::{Dir, Run, missing};
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wiresift::engine::indicator::Timestamp;
use wiresift::sensor::metrics::{
    DatabaseStatus, FailedReload, FileStatus, InputStatus, SinkStatus, Status,
};

/// A page of a healthy service, after this many lines.
fn page(lines: u64) -> Status {
    let hours = |hours: i64| Timestamp(wiresift::clock::now().0 - hours * 3_600_000_000);
    let file = |path: &str, size| FileStatus {
        path: path.into(),
        offset: 1000,
        size,
        ..FileStatus::default()
    };
    Status {
        version: "1.2.3".into(),
        state: "running".into(),
        started: Timestamp::from_seconds(1_795_478_400),
        database: Some(DatabaseStatus {
            path: "/var/lib/wiresift/wiresift.wsdb".into(),
            id: "5b2f".into(),
            built: hours(5),
            loaded: hours(4),
            indicators: 1_234_567,
        }),
        inputs: vec![
            InputStatus {
                name: "web-logs".into(),
                kind: "files".into(),
                state: "open".into(),
                lines,
                bytes: lines * 100,
                files: vec![
                    file("/var/log/a.log", 1000),
                    file("/var/log/b.log", 3048),
                    // It was truncated: that is not lag.
                    file("/var/log/c.log", 10),
                ],
                ..InputStatus::default()
            },
            InputStatus {
                name: "syslog".into(),
                kind: "syslog".into(),
                state: "open".into(),
                addresses: vec!["udp://0.0.0.0:514".into()],
                ..InputStatus::default()
            },
        ],
        sinks: vec![SinkStatus {
            name: "siem".into(),
            kind: "webhook".into(),
            state: "ok".into(),
            records: lines / 10,
            ..SinkStatus::default()
        }],
        spool_bytes: 3 << 20,
        suppression_keys: 2,
        ..Status::default()
    }
}

/// The same, with problems, and with a text that would control a terminal.
fn troubled() -> Status {
    let mut page = page(100);
    page.state = "degraded".into();
    page.obstacles = vec!["the spool is full".into()];
    page.failed_reload = Some(FailedReload {
        time: page.database.as_ref().unwrap().built,
        message: "wiresift.toml:3: unknown key “paterns”".into(),
    });
    page.inputs[1].state = "failing".into();
    page.inputs[1].trouble = Some("cannot listen on udp://0.0.0.0:514".into());
    page.inputs[0].files[0].trouble = Some("Permission denied".into());
    page.sinks[0].state = "retrying".into();
    page.sinks[0].pending_bytes = 12_345;
    page.sinks[0].spool = Some("/var/lib/wiresift/daemon/spool".into());
    page.sinks[0].trouble = Some("the receiver says \x1b[2J\r\nno".into());
    page
}

fn server(page: impl Fn() -> Status + Send + Sync + 'static) -> Server {
    Server::start(move |asked| match asked.path() {
        "/status" => Reply::json(page().to_json()),
        _ => Reply::status(404),
    })
}

fn status(dir: &Dir, args: &[&str]) -> Run {
    dir.command().arg("status").args(args).run()
}

/// The cells of a row, by the first one.
fn row(text: &str, name: &str) -> Vec<String> {
    let line = text.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
    let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    cells.map(String::from).collect()
}

#[test]
fn a_page_of_a_service_that_is_well() {
    let dir = Dir::new("status_well");
    let lines = AtomicU64::new(0);
    let server = server(move || page(lines.fetch_add(5000, Ordering::Relaxed)));
    let run = status(&dir, &[&server.url("")]).expect(0);
    let text = run.text();
    assert!(text.starts_with("wiresift 1.2.3: running, for "), "{text}");
    let database = "database    /var/lib/wiresift/wiresift.wsdb, 1 234 567 indicators, built 5 h \
                    ago, loaded 4 h ago (5b2f)";
    for part in [
        database,
        "waiting     3.0 MiB on disk for sinks; 2 suppression windows open",
        "web-logs: /var/log/b.log: 2.0 KiB not read yet",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(!text.contains("c.log") && !text.contains('\x1b'), "{text}");
    let logs = row(&text, "web-logs  ");
    assert_eq!(logs[..4], ["web-logs", "files", "open", "2.0 KiB"]);
    assert_eq!(logs[6..], ["5 000", "488.3 KiB"]);
    // Between two pages are 5,000 lines and a second, or more on a busy machine.
    let rate: u64 = logs[4].replace(' ', "").parse().unwrap();
    assert!((100..=5000).contains(&rate), "{logs:?}");
    assert_eq!(row(&text, "syslog  ")[3], "-");
    let sink = row(&text, "siem  ");
    assert_eq!((&*sink[2], &*sink[3], &*sink[5]), ("ok", "0 B", "500"));
    assert_eq!(server.take_targets(), ["/status", "/status"]);
}

#[test]
fn what_is_wrong_comes_first_and_is_escaped() {
    let dir = Dir::new("status_troubled");
    let server = server(troubled);
    let run = status(&dir, &["--once", &server.address().to_string()]).expect(1);
    let text = run.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("degraded") && lines[1].contains("the spool is full"), "{text}");
    for part in [
        "problem     the reload 5 h ago (20",
        ") failed: wiresift.toml:3: unknown key “paterns”",
        "syslog: cannot listen on udp://0.0.0.0:514",
        "web-logs: /var/log/a.log: Permission denied",
        "12.1 KiB",
        "siem: the receiver says ",
        "siem: 12.1 KiB not delivered, in /var/lib/wiresift/daemon/spool: waiting for the sink",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(!text.contains('\x1b') && !text.contains('\r'), "{text:?}");
    // The same as JSON, which stays JSON.
    let run = status(&dir, &["--json", &server.url("/")]).expect(1);
    assert!(!run.text().contains('\x1b'));
    let json: Value = serde_json::from_str(&run.text()).unwrap();
    assert_eq!(json["sinks"][0]["pending_bytes"], 12_345);
    let json = json["sinks"][0]["trouble"].as_str().unwrap().to_string();
    assert_eq!(Some(json), troubled().sinks[0].trouble);
}

#[test]
fn a_failed_reload_alone_is_a_problem() {
    let dir = Dir::new("status_reload");
    let failed = || Status {
        failed_reload: Some(FailedReload { message: "x".into(), ..FailedReload::default() }),
        ..page(1)
    };
    let server = server(failed);
    status(&dir, &["--json", &server.url("")]).expect(1).expect_stdout("\"message\": \"x\"");
}

#[test]
fn who_does_not_answer_is_named_with_a_remedy() {
    let dir = Dir::new("status_unreachable");
    let place = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    status(&dir, &[&place.to_string()])
        .expect(2)
        .expect_stderr("nothing is listening there")
        .expect_stderr("wiresift run");
    for wrong in ["https://127.0.0.1:9750", "http://", "ftp://x", "a b", "foo", "127.0.0.1"] {
        let words = format!("invalid address “{wrong}” (write http://HOST:PORT, as in metrics)");
        status(&dir, &[wrong]).expect(2).expect_stderr(&words);
    }
    let elsewhere = server(|| page(1));
    let redirected = elsewhere.url("/status");
    let replies = [
        (Reply::status(404), "status 404"),
        (Reply::redirect(302, &redirected), "status 302"),
        (Reply::new(200, &[], "<html>"), "not a status page of wiresift"),
        (Reply::new(200, &[], "{}"), "not a status page of wiresift"),
        (Reply::new(200, &[], b"\xff"), "not text"),
        (Reply::json(page(1).to_json()).cut(40), "ended early"),
        (Reply::raw("garbage\r\n\r\n"), "wiresift: http://"),
        (Reply::status(200).late(Duration::from_secs(20)), "within 5 s"),
    ];
    for (reply, words) in replies {
        let server = Server::start(move |_| reply.clone());
        status(&dir, &["--json", &server.url("")]).expect(2).expect_stderr(words);
    }
    // The redirect was not followed.
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn on_a_terminal_it_is_shown_again_until_it_is_stopped() {
    if !Path::new("/usr/bin/script").exists() {
        return missing("status", "script is not installed");
    }
    let dir = Dir::new("status_terminal");
    let lines = AtomicU64::new(0);
    let server = server(move || page(lines.fetch_add(100, Ordering::Relaxed)));
    // `script` passes on what is typed: Ctrl-C, after some pages. It would also end a shell that
    // runs the test.
    let line = format!(
        "(sleep 2; printf '\\003') | script -qec 'exec wiresift status {} --every 200ms' /dev/null",
        server.url("")
    );
    let run = dir.shell(&line).run().expect(0);
    let pages = run.text().matches("\x1b[H\x1b[J").count();
    assert!(pages >= 2, "{pages} pages\n{}", run.report());
    assert!(run.text().contains("web-logs"), "{}", run.report());
}
