//! What clients force on the wire (exchange specification, section 1).

use super::inside::Inside;
use super::process::{Exchange, account};
use crate::harness::Dir;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use wiresift::exchange::accounts::Role;
use wiresift::exchange::http::Method;

fn pulses(inside: &Inside, key: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|at| {
            let value = format!("h{at}.example");
            let indicators = json!([{"indicator": value, "type": "hostname"}]);
            let name = format!("Pulse number {at}");
            inside.create(key, &json!({"name": name, "public": true, "indicators": indicators}))
        })
        .collect()
}

#[test]
fn a_walk_loses_nothing_while_pulses_go() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let ids = pulses(&inside, &alice, 25);
    let mut seen: Vec<String> = Vec::new();
    let mut target =
        "/api/v1/pulses/subscribed?limit=10&modified_since=2020-01-01%2000:00:00".to_string();
    loop {
        let page = inside.get(&target, &alice).json();
        for pulse in page["results"].as_array().unwrap() {
            seen.push(pulse["id"].as_str().unwrap().to_string());
        }
        assert_eq!(page["prefetch_pulse_ids"], false);
        if seen.len() == 10 {
            // Two of the first page go: by number, two of the second would be lost.
            for id in &ids[23..] {
                inside.get(&format!("/api/v1/pulses/{id}/delete"), &alice);
            }
        }
        let Some(next) = page["next"].as_str() else { break };
        assert!(next.starts_with("http://127.0.0.1:8080/") && !next.contains(['{', '}']), "{next}");
        let last = next.rsplit('=').next().unwrap();
        assert!(last.bytes().all(|b| b.is_ascii_digit()) && last.len() < 3, "{next}");
        assert!(next.contains("modified_since=2020-01-01"), "{next}");
        target = next.strip_prefix("http://127.0.0.1:8080").unwrap().to_string();
    }
    let mut want = ids.clone();
    want.reverse();
    assert_eq!(seen, want);
}

#[test]
fn paths_methods_and_failures() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let id = &pulses(&inside, &alice, 1)[0];
    for target in [
        format!("/api/v1/pulses/{id}"),
        format!("/api/v1/pulses/{id}/"),
        format!("//api/v1/pulses//{id}/"),
    ] {
        assert_eq!(inside.get(&target, &alice).status, 200, "{target}");
    }
    for (method, action) in
        [(Method::Get, "subscribe"), (Method::Post, "subscribe"), (Method::Post, "unsubscribe/")]
    {
        let target = format!("/api/v1/pulses/{id}/{action}");
        assert_eq!(inside.ask(method, &target, &alice, "").status, 200, "{target}");
    }
    for (target, key, status) in [
        ("/api/v1/pulses/subscribed", "", 403),
        ("/api/v1/pulses/subscribed", "f00d", 403),
        ("/api/v1/nothing", alice.as_str(), 404),
        ("/api/v1/pulses/create", alice.as_str(), 404),
        ("/api/v1/indicators/IPv4/10.0.0.1/general", alice.as_str(), 400),
        ("/api/v1/indicators/IPv4/nonsense/general", alice.as_str(), 400),
        ("/api/v1/pulses/subscribed?modified_since=yesterday", alice.as_str(), 400),
        ("/api/v1/pulses/subscribed?modified_since=None&limit=9999", alice.as_str(), 200),
    ] {
        let told = inside.get(target, key);
        assert_eq!(told.status, status, "{target}: {}", told.body);
        if status != 200 {
            let body = told.json();
            assert!(body["detail"].is_string() && body["status"] == "error", "{body}");
        }
    }
    let told = inside.ask(Method::Delete, "/api/v1/pulses/my", &alice, "");
    assert_eq!(told.status, 405);
    // No body is an empty one.
    let told = inside.ask(Method::Post, "/api/v1/pulses/create", &alice, "");
    assert_eq!((told.status, told.json()["errors"]["name"].is_array()), (400, true));
}

#[test]
fn a_change_is_whole_or_not_at_all() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let id = &pulses(&inside, &alice, 1)[0];
    let target = format!("/api/v1/pulses/{id}");
    let before = inside.get(&target, &alice);
    let body = json!({
        "name": "Another name", "indicators": {
            "add": [{"indicator": "new.example", "type": "domain"}], "edit": [{"id": 4711}],
        },
    });
    let told = inside.ask(Method::Patch, &target, &alice, &body.to_string());
    assert_eq!(told.status, 400, "{}", told.body);
    assert_eq!(inside.get(&target, &alice), before);
}

#[test]
fn popular_values_stay_out_of_exports_until_somebody_decides() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, judge) = inside.account("judge", Role::Moderator);
    let indicators = json!([
        {"indicator": "8.8.8.8", "type": "IPv4"}, {"indicator": "evil.example", "type": "domain"},
    ]);
    let body = json!({"name": "Poisoned pulse", "public": true, "indicators": indicators});
    inside.create(&alice, &body);
    let exported = || -> Vec<String> {
        let body = inside.get("/api/v1/indicators/export", &alice).json();
        let rows = body["results"].as_array().unwrap();
        rows.iter().map(|row| row["indicator"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(exported(), ["evil.example"]);
    // A false positive goes from exports, and onto the list that sensors fetch.
    let target = "/api/v2/indicators/domain/evil.example/false_positive";
    let report = inside.ask(Method::Post, target, &judge, r#"{"reason": "ours"}"#);
    assert_eq!(report.status, 201, "{}", report.body);
    let accept = format!("/api/v2/reports/{}/accept", report.json()["id"]);
    assert_eq!(inside.ask(Method::Post, &accept, &alice, "").status, 403);
    assert_eq!(inside.ask(Method::Post, &accept, &judge, "").status, 200);
    assert_eq!(exported(), Vec::<String>::new());
    assert!(
        inside
            .get("/api/v2/allow", &alice)
            .body
            .lines()
            .any(|line| line.starts_with("evil.example # domain since 20"))
    );
    let about = inside.get("/api/v1/indicators/domain/evil.example/general", &alice).json();
    assert_eq!(about["false_positive"][0]["assessment"], "accepted");
    let notice = inside.get("/api/v2/notifications", &alice).json();
    assert_eq!(notice["results"][0]["kind"], "false_positive");
}

#[test]
fn people_talk_about_pulses() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let id = &pulses(&inside, &alice, 1)[0];
    let post = |path: &str, key: &str, body: Value| {
        inside.ask(Method::Post, &format!("/api/v2/pulses/{id}/{path}"), key, &body.to_string())
    };
    assert_eq!(post("comments", &bob, json!({"text": "seen here, @alice"})).status, 201);
    assert_eq!(post("vote", &bob, json!({"vote": 1})).json()["upvotes_count"], 1);
    assert_eq!(post("vote", &alice, json!({"vote": 1})).status, 403);
    let patch = json!({"tags": {"add": ["suggested"]}});
    let suggested = post("suggestions", &bob, json!({"patch": patch, "reason": "better"}));
    let accept = format!("suggestions/{}/accept", suggested.json()["id"]);
    assert_eq!(post(&accept, &bob, json!({})).status, 403);
    assert_eq!(post(&accept, &alice, json!({})).status, 200);
    assert_eq!(post(&accept, &alice, json!({})).status, 404);
    let pulse = inside.get(&format!("/api/v1/pulses/{id}"), &bob).json();
    assert_eq!((&pulse["tags"], &pulse["comment_count"]), (&json!(["suggested"]), &json!(1)));
    let revisions = inside.get(&format!("/api/v2/pulses/{id}/revisions"), &bob).json();
    assert_eq!(revisions["results"][0]["changes"]["tags"], json!([[], ["suggested"]]));
    let facets = inside.get("/api/v2/search/facets", &bob).json();
    assert_eq!(facets["tag"][0], json!({"name": "suggested", "count": 1}));
    let stats = inside.get("/api/v2/stats", &bob).json();
    assert_eq!((&stats["pulses"], &stats["indicators"]["hostname"]), (&json!(1), &json!(1)));
}

#[test]
fn quotas_limits_and_secrets() {
    let inside = Inside::new(|settings| {
        settings.quotas = wiresift::exchange::site::Quotas { pulses: 2, indicators: 3, days: 14 };
        settings.per_key = 20;
    });
    let (_, alice) = inside.account("alice", Role::Member);
    let create =
        |body: Value| inside.ask(Method::Post, "/api/v1/pulses/create", &alice, &body.to_string());
    let text = "paid with 4111 1111 1111 1111";
    let told = create(json!({"name": "With a card", "public": true, "description": text}));
    assert_eq!(told.status, 400, "{}", told.body);
    let body = json!({
        "name": "With a card", "public": true, "description": text, "confirm": ["a card number"],
    });
    assert_eq!(create(body).status, 201);
    let many: Vec<Value> = (0..4)
        .map(|at| json!({"indicator": format!("h{at}.example"), "type": "hostname"}))
        .collect();
    assert_eq!(create(json!({"name": "Too many", "indicators": many})).status, 429);
    assert_eq!(create(json!({"name": "The second"})).status, 201);
    assert_eq!(create(json!({"name": "The third"})).status, 429);
    let last = (0..30).map(|_| inside.get("/api/v1/user/", &alice).status).last();
    assert_eq!(last, Some(429));
}

#[test]
fn floods_and_oversize_bodies_harm_nobody() {
    let dir = Dir::new("exchange-floods");
    let server = Exchange::start(&dir, &[]);
    let alice = account(&dir, "alice", "trusted");
    let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "POST /api/v1/pulses/create HTTP/1.1\r\nHost: x\r\nX-OTX-API-KEY: {alice}\r\n\
         Content-Length: 99999999999\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let idle: Vec<_> =
        (0..200).map(|_| std::net::TcpStream::connect(&server.address).unwrap()).collect();
    let deep = "[".repeat(100_000);
    assert_eq!(server.ask("POST", "/api/v1/pulses/create", &alice, &deep).status, 400);
    server.get("/api/v1/user/", &alice).expect(200);
    drop(idle);
    assert!(server.stop());
}

/// Bodies that never come hold a socket and nothing else; and who may not send one is told so
/// before it is sent.
#[test]
fn slow_bodies_take_nobodys_turn() {
    let dir = Dir::new("exchange-slow-bodies");
    let server = Exchange::start(&dir, &[]);
    let alice = account(&dir, "alice", "trusted");
    let begin = |key: &str, target: &str, length: usize| {
        let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nX-OTX-API-KEY: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    // More than may be answered at a time.
    let slow: Vec<_> = (0..600).map(|_| begin(&alice, "/api/v1/pulses/create", 1000)).collect();
    server.get("/api/v1/user/", &alice).expect(200);
    let body = json!({"name": "In between"}).to_string();
    server.ask("POST", "/api/v1/pulses/create", &alice, &body).expect(201);
    drop(slow);
    for (key, target, status) in [
        ("f00d", "/api/v1/pulses/create", "403"),
        (alice.as_str(), "/api/v1/nothing", "404"),
        (alice.as_str(), "/api/v2/reports/1/accept", "403"),
        (alice.as_str(), "/api/v1/pulses/create", "413"),
    ] {
        let mut stream = begin(key, target, 17 << 20);
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *format!("HTTP/1.1 {status}").as_bytes(), "{target}");
    }
    assert!(server.stop());
}
