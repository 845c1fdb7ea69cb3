//! The requests of every client that the specification names, replayed from files: see
//! `testdata/exchange/clients/README.md`.

use super::process::{Exchange, account};
use crate::harness::{Dir, project};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// The clients of the specification.
const CLIENTS: &[&str] = &[
    "PY", "GO", "JAVA", "NODE", "CS", "OCTI", "EL", "XSOAR", "CISCO", "CX", "IO", "SF", "GAU",
    "SUB", "GL", "MM", "OM", "YT", "MAL", "BRO", "SUR", "TX", "TP",
];

/// A request of a file, and what is read of its answer.
struct Replay {
    title: String,
    head: Vec<String>,
    body: String,
    expected: Vec<String>,
}

fn replays(text: &str) -> Vec<Replay> {
    let parts = text.split("### ").skip(1);
    let of = |part: &str| {
        let mut lines = part.lines();
        let title = lines.next().unwrap().to_string();
        let mut replay =
            Replay { title, head: Vec::new(), body: String::new(), expected: Vec::new() };
        let mut is_body = false;
        for line in lines {
            match line.strip_prefix("> ") {
                Some(expected) => replay.expected.push(expected.to_string()),
                None if is_body => replay.body.push_str(line),
                None if line.is_empty() => is_body = true,
                None => replay.head.push(line.to_string()),
            }
        }
        replay
    };
    parts.map(of).collect()
}

/// Sends a request just as it is written, and returns status and body.
fn send(address: &str, replay: &Replay, fill: &dyn Fn(&str) -> String) -> (u16, Vec<u8>) {
    let body = fill(&replay.body);
    let mut head = format!("{} HTTP/1.1\r\nHost: {address}\r\n", fill(&replay.head[0]));
    for line in &replay.head[1..] {
        head.push_str(&format!("{}\r\n", fill(line)));
    }
    if !replay.head[0].starts_with("GET") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let answer = super::process::parse(&bytes).expect("a whole answer");
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    assert!(head.contains("content-type: application/json"), "{}", replay.title);
    (answer.status, answer.body)
}

/// Checks the member of an answer that a path leads to.
fn check(value: &Value, path: &str, kind: &str) -> Result<(), String> {
    if path.is_empty() {
        return match kind.split('|').any(|kind| is_of(value, kind)) {
            true => Ok(()),
            false => Err(format!("expected {kind}, got {value}")),
        };
    }
    if let Some(rest) = path.strip_prefix("[]") {
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        let entries = value.as_array().ok_or("expected a list")?;
        if entries.is_empty() {
            return Err("the list is empty".into());
        }
        return entries.iter().try_for_each(|entry| check(entry, rest, kind));
    }
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (name, rest) = path.split_at(end);
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    match value.get(name) {
        Some(value) => check(value, rest, kind).map_err(|why| format!("{name}: {why}")),
        None if kind.ends_with('?') => Ok(()),
        None => Err(format!("{name} is missing")),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    let text = value.as_str();
    let length =
        |digits: usize| text.is_some_and(|text| text.len() == digits && !text.ends_with('Z'));
    match kind.trim_end_matches('?') {
        "any" => true,
        "int" => value.is_i64() || value.is_u64(),
        "int32" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "bool" => value.is_boolean(),
        "string" => value.is_string(),
        "text" => text.is_some_and(|text| !text.is_empty()),
        "null" => value.is_null(),
        "object" => value.is_object(),
        "list" => value.is_array(),
        "strings" => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
        "micros" => length("2026-11-30T12:00:00.000000".len()),
        "seconds" => length("2026-11-30T12:00:00".len()),
        "url" => text.is_some_and(|text| text.starts_with("http://")),
        quoted => Some(quoted.trim_matches('"')) == text && quoted.starts_with('"'),
    }
}

#[test]
fn every_client_gets_what_it_reads() {
    let dir = Dir::new("exchange-clients");
    let server = Exchange::start(&dir, &["--anonymous-read"]);
    let (alice, bob) = (account(&dir, "alice", "trusted"), account(&dir, "bob", "trusted"));
    let create = |key: &str, name: &str| {
        let body = json!({
            "name": name, "public": true, "TLP": "white", "tags": ["c2"], "adversary": "Bear",
            "malware_families": ["QuillRat"], "attack_ids": ["T1140"], "industries": ["Energy"],
            "references": ["https://report.example/"], "targeted_countries": ["France"],
            "indicators": [
                {"indicator": "evil.example", "type": "domain", "title": "t"},
                {"indicator": "http://evil.example/a?b=c", "type": "URL"},
                {"indicator": "198.51.100.7", "type": "IPv4"},
                {"indicator": "CVE-2024-1234", "type": "CVE"},
            ],
        });
        let answer = server.ask("POST", "/api/v1/pulses/create", key, &body.to_string());
        answer.expect(201).json()["id"].as_str().unwrap().to_string()
    };
    let pulse = create(&alice, "Russian pulse");
    create(&alice, "Second pulse");
    create(&bob, "Pulse of bob");
    server.get("/api/v1/users/bob/subscribe", &alice).expect(200);
    let fill = |text: &str| {
        text.replace("{key}", &alice)
            .replace("{other_key}", &bob)
            .replace("{pulse}", &pulse)
            .replace("{user}", "alice")
    };
    let (mut wrong, mut count) = (Vec::new(), 0);
    for client in CLIENTS {
        let path = project().join(format!("testdata/exchange/clients/{client}.http"));
        let text = std::fs::read_to_string(&path).unwrap();
        for replay in replays(&text) {
            let (status, body) = send(&server.address, &replay, &fill);
            let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
            count += 1;
            let mut complain = |why: String| {
                let shown: String = String::from_utf8_lossy(&body).chars().take(600).collect();
                wrong.push(format!("{client}, {}: {why}\n  {shown}", replay.title));
            };
            let (first, rest) = replay.expected.split_first().expect("a status is expected");
            if first != &status.to_string() {
                complain(format!("status {status}"));
                continue;
            }
            for line in rest {
                let (path, kind) = line.split_once(' ').unwrap();
                if let Err(why) = check(&answer, path, kind) {
                    complain(format!("{path}: {why}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 80, "{count}");
}
