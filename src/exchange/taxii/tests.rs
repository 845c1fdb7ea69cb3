//! The endpoints over a library in memory.

mod stored;

use super::{Memory, Server, Signer, example, failure};
use crate::engine::indicator::Timestamp;
use crate::exchange::http::{Method, Reply, Request};
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const TAXII: &str = "application/taxii+json;version=2.1";
const COLLECTION: &str = "365fed99-08fa-4dcd-a1b3-fb247eb41d01";

fn request(method: Method, target: &str, headers: &[(&'static str, &str)], body: &str) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let peer = std::net::Ipv4Addr::LOCALHOST.into();
    Request { method, target: target.into(), headers: map, body: body.into(), peer }
}

/// An answer: status, header fields, body.
struct Got {
    status: u16,
    headers: BTreeMap<&'static str, String>,
    body: Value,
}

impl Got {
    fn of(reply: Reply) -> Got {
        let status = reply.status;
        let headers: BTreeMap<&'static str, String> = reply.headers.iter().cloned().collect();
        assert_eq!(headers["content-type"], TAXII);
        let bytes = reply.into_bytes().unwrap();
        let body =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Got { status, headers, body }
    }

    fn ids(&self) -> Vec<&str> {
        let objects = self.body["objects"].as_array().into_iter().flatten();
        objects.map(|object| object["id"].as_str().unwrap()).collect()
    }
}

/// Asks a library in memory.
fn ask(library: &Memory, method: Method, target: &str, body: &str) -> Got {
    let signer = Signer::new([1; 32]);
    let server = Server {
        library,
        signer: &signer,
        base: "http://x.example/taxii/",
        max_page: 20,
        now: Timestamp(1),
    };
    let request = request(method, target, &[("accept", TAXII), ("content-type", TAXII)], body);
    let path = target.trim_start_matches('/');
    let (root, path) = path.split_once('/').unwrap_or((path, ""));
    Got::of(server.answer(&request, root, path).unwrap_or_else(|found| failure(&found)))
}

fn get(library: &Memory, target: &str) -> Got {
    ask(library, Method::Get, target, "")
}

/// Version `minute` of an object.
fn object(kind: &str, number: u32, minute: u32) -> Value {
    json!({
        "type": kind, "spec_version": "2.1", "id": format!("{kind}--00000000-0000-4000-8000-{number:012}"),
        "created": "2026-01-01T00:00:00.000Z", "modified": format!("2026-01-01T00:{minute:02}:00.000Z"),
    })
}

#[test]
fn pages_until_there_are_no_more() {
    let library = example();
    let objects: Vec<Value> = (0..50).map(|number| object("indicator", number, 0)).collect();
    let envelope = json!({ "objects": objects }).to_string();
    let target = format!("root/collections/{COLLECTION}/objects/");
    let posted = ask(&library, Method::Post, &target, &envelope);
    assert_eq!(
        (posted.status, &posted.body["success_count"], &posted.body["status"]),
        (202, &json!(50), &json!("complete"))
    );
    assert!(posted.body.get("failures").is_none());
    let status = get(&library, &format!("root/status/{}/", posted.body["id"].as_str().unwrap()));
    assert_eq!(status.body, posted.body);
    let mut seen = Vec::new();
    let mut query = String::from("?limit=7");
    let mut last = String::new();
    loop {
        let page = get(&library, &format!("{target}{query}"));
        assert!(page.headers["x-taxii-date-added-first"] > last);
        last = page.headers["x-taxii-date-added-last"].clone();
        seen.extend(page.ids().into_iter().map(str::to_string));
        if page.body["more"] != true {
            assert!(page.body.get("next").is_none());
            break;
        }
        // Another limit, or none.
        query =
            format!("?next={}&limit={}", page.body["next"].as_str().unwrap(), 3 + seen.len() % 5);
    }
    assert_eq!(seen.len(), 50);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 50);
    // The last time is exclusive.
    let none = get(&library, &format!("{target}?added_after={last}"));
    assert_eq!((none.status, none.body), (200, json!({})));
    assert!(!none.headers.contains_key("x-taxii-date-added-last"));
    // What moves on further wins; other filters are refused.
    let page = get(&library, &format!("{target}?limit=7"));
    let next = page.body["next"].as_str().unwrap();
    let moved = get(&library, &format!("{target}?next={next}&added_after={last}"));
    assert_eq!(moved.body, json!({}));
    let other = get(&library, &format!("{target}?next={next}&match[type]=indicator"));
    assert_eq!((other.status, &other.body["http_status"]), (400, &json!("400")));
    assert_eq!(get(&library, &format!("{target}?next=AAAA")).status, 400);
    let of_manifest = format!("root/collections/{COLLECTION}/manifest/?next={next}");
    assert_eq!(get(&library, &of_manifest).status, 400);
}

#[test]
fn versions() {
    let library = example();
    let target = "root/collections/objects/objects/";
    let mut old = object("malware", 1, 30);
    old["spec_version"] = json!("2.0");
    let all = [
        object("malware", 1, 10),
        object("malware", 1, 20),
        object("malware", 1, 5),
        old,
        object("report", 2, 0),
    ];
    ask(&library, Method::Post, target, &json!({ "objects": all }).to_string());
    let id = all[0]["id"].as_str().unwrap();
    let modified = |query: &str| -> Vec<String> {
        let got = get(&library, &format!("{target}{id}/{query}"));
        assert_eq!(got.status, 200);
        let objects = got.body["objects"].as_array().into_iter().flatten();
        objects.map(|object| object["modified"].as_str().unwrap()[14..16].to_string()).collect()
    };
    assert_eq!(modified(""), ["20"]);
    assert_eq!(modified("?match[version]=first"), ["05"]);
    assert_eq!(modified("?match[version]=all"), ["10", "20", "05"]);
    assert_eq!(modified("?match[version]=first,last"), ["20", "05"]);
    assert_eq!(modified("?match[version]=2026-01-01T00:10:00Z"), ["10"]);
    assert_eq!(modified("?match[spec_version]=2.0,2.1"), ["30"]);
    assert_eq!(modified("?match[spec_version]=2.0"), ["30"]);
    assert_eq!(modified("?match[spec_version]=2.2"), [""; 0]);
    let versions = get(&library, &format!("{target}{id}/versions/"));
    assert_eq!(versions.body["versions"].as_array().unwrap().len(), 3);
    let manifest = get(&library, "root/collections/objects/manifest/?match[spec_version]=2.0");
    assert_eq!(manifest.body["objects"][0]["media_type"], "application/stix+json;version=2.0");
    assert_eq!(get(&library, &format!("{target}?match[type]=report")).ids().len(), 1);
    // The same again, and one that never changes.
    let again =
        ask(&library, Method::Post, target, &json!({"objects": [all[1].clone()]}).to_string());
    assert_eq!(
        (&again.body["success_count"], &again.body["failure_count"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(modified("?match[version]=all").len(), 3);
    // One version is deleted, then the rest.
    let delete =
        |query: &str| ask(&library, Method::Delete, &format!("{target}{id}/{query}"), "").status;
    assert_eq!(delete("?match[version]=2026-01-01T00:10:00Z"), 200);
    assert_eq!(delete("?match[version]=2026-01-01T00:10:00Z"), 404);
    assert_eq!(modified("?match[version]=all"), ["20", "05"]);
    assert_eq!(delete("?match[version]=all&match[spec_version]=2.0,2.1"), 200);
    assert_eq!(get(&library, &format!("{target}{id}/versions/")).status, 404);
}

#[test]
fn what_is_refused() {
    let library = Memory::of(&json!({
        "/discovery": {"title": "T"},
        "root": {"information": {"title": "R"}, "collections": [
            {"id": "a", "title": "A", "can_read": false, "can_write": true, "media_types": []},
            {"id": "b", "title": "B", "can_read": true, "can_write": false, "media_types": []},
        ]},
    }));
    let status = |method, target: &str, body: &str| ask(&library, method, target, body).status;
    for (target, want) in [
        ("root/", 200),
        ("root/collections/a/", 200),
        ("root/collections/a/objects/", 403),
        ("root/collections/a/manifest/", 403),
        ("root/collections/a/objects/indicator--x/versions/", 403),
        ("root/collections/b/objects/", 200),
        ("root/collections/b/objects/indicator--x/", 404),
        ("root/collections/c/objects/", 404),
        ("root/collections/b/object/", 404),
        ("root/status/x/", 404),
        ("other/", 404),
        ("root/collections/b/objects/?limit=0", 400),
        ("root/collections/b/objects/?match[colour]=red", 400),
    ] {
        assert_eq!(status(Method::Get, target, ""), want, "{target}");
    }
    let post = |body: &str| ask(&library, Method::Post, "root/collections/a/objects/", body);
    assert_eq!(status(Method::Post, "root/collections/b/objects/", "{}"), 403);
    for body in
        ["", "{}", "[]", "{\"objects\": 5}", "{\"type\":\"indicator\"}", "{\"objects\":[", "\u{0}"]
    {
        let got = post(body);
        assert_eq!((got.status, &got.body["title"]), (422, &json!("ProcessingError")), "{body}");
        assert!(
            got.body["description"]
                .as_str()
                .unwrap()
                .contains("While processing supplied content, an error occurred")
        );
    }
    // Each object for itself.
    let mixed = json!({"objects": [object("report", 1, 1), 5, {"id": "report--x"}, {"id": "x--y", "type": "report"},
        {"id": "report--z", "type": "report", "created": "yesterday"}]});
    let got = post(&mixed.to_string());
    assert_eq!(
        (got.status, &got.body["success_count"], &got.body["failure_count"]),
        (202, &json!(1), &json!(4))
    );
    assert_eq!(got.body["failures"].as_array().unwrap().len(), 4);
    let signer = Signer::new([1; 32]);
    let server = Server {
        library: &library,
        signer: &signer,
        base: "http://x/",
        max_page: 9,
        now: Timestamp(1),
    };
    let refused = |headers: &[(&'static str, &str)]| {
        let request =
            request(Method::Post, "root/collections/a/objects/", headers, "{\"objects\":[]}");
        server
            .answer(&request, "root", "collections/a/objects/")
            .err()
            .map(|failure| failure.status)
    };
    assert_eq!(refused(&[("accept", "text/html"), ("content-type", TAXII)]), Some(406));
    assert_eq!(refused(&[("accept", TAXII), ("content-type", "application/json")]), Some(415));
    assert_eq!(refused(&[("content-type", TAXII)]), None);
}
