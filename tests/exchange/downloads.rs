//! Downloads by a token, what is left of deleted pulses, and reports that are sent twice.

use super::inside::Inside;
use hyper::HeaderMap;
use serde_json::{Value, json};
use wiresift::exchange::accounts::Role;
use wiresift::exchange::http::{Method, Request};

fn pulse(inside: &Inside, key: &str, is_public: bool) -> String {
    let body = json!({"name": "Some pulse", "public": is_public, "malware_families": ["QuillRat"],
        "indicators": [{"indicator": "evil.example", "type": "domain"},
                       {"indicator": "198.51.100.7", "type": "IPv4"}]});
    inside.create(key, &body)
}

#[test]
fn a_token_downloads_a_pulse_once() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let (mine, other) = (pulse(&inside, &alice, false), pulse(&inside, &alice, true));
    let make = |id: &str, format: &str, key: &str| {
        inside.get(&format!("/otxapi/pulses/{id}/generate_temp_token/?format={format}"), key)
    };
    let take = |id: &str, token: &str, more: &str| {
        inside.get(&format!("/otxapi/pulses/{id}/export/?token={token}{more}"), "")
    };
    let token = |id: &str, format: &str| {
        make(id, format, &alice).json()["token"].as_str().unwrap().to_string()
    };
    assert_eq!(make(&mine, "csv", &bob).status, 404, "it is not bob's to see");
    assert_eq!(make(&mine, "csv", "").status, 403);
    assert_eq!(make(&mine, "pdf", &alice).status, 400);
    let csv = token(&mine, "csv");
    let file = take(&mine, &csv, "");
    assert!(file.status == 200 && file.body.contains("evil.example"), "{file:?}");
    assert_eq!(take(&mine, &csv, "").status, 404, "once");
    // A token is good for its pulse, and whoever tries another has used it up.
    let csv = token(&mine, "csv");
    assert_eq!(take(&other, &csv, "").status, 404);
    assert_eq!(take(&mine, &csv, "").status, 404);
    // As OTX names formats; another than the token was made for.
    let ioc = take(&mine, &token(&mine, "openioc_1_1"), "");
    assert!(ioc.body.starts_with("<?xml"), "{}", ioc.body);
    let stix = take(&mine, &token(&mine, ""), "&format=stix");
    assert_eq!(stix.json()["type"], "bundle");
    for wrong in ["", "f00d"] {
        assert_eq!(take(&mine, wrong, "").status, 404);
    }
    // Downloads are counted some time later.
    for _ in 0..500 {
        let shown = inside.get(&format!("/api/v1/pulses/{mine}"), &alice).json();
        if shown["export_count"] == 3 {
            return assert_eq!(shown["revision"], 1, "and change nothing");
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("downloads were not counted");
}

#[test]
fn a_misp_feed_says_what_was_deleted() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let id = pulse(&inside, &alice, true);
    let read = |name: &str, key: &str| inside.get(&format!("/feeds/public/misp/{name}"), key);
    let manifest = read("manifest.json", &bob).json();
    let uuid = manifest.as_object().unwrap().keys().next().unwrap().clone();
    let hashes = read("hashes.csv", &bob).body;
    assert_eq!(hashes.lines().count(), 2);
    // Times of MISP are whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    inside.get(&format!("/api/v1/pulses/{id}/delete"), &alice);
    let after = read("manifest.json", &bob).json();
    assert_eq!(after[&uuid]["info"], "Deleted pulse");
    assert!(after[&uuid]["timestamp"].as_i64() > manifest[&uuid]["timestamp"].as_i64());
    let event = read(&format!("{uuid}.json"), &bob).json()["Event"].clone();
    let attributes = event["Attribute"].as_array().unwrap();
    assert_eq!(attributes.len(), 2);
    for attribute in attributes {
        assert_eq!((&attribute["deleted"], &attribute["to_ids"]), (&json!(true), &json!(false)));
    }
    assert_eq!(read("hashes.csv", &bob).body, hashes);
    // Everything else has forgotten it.
    let list = inside.get("/feeds/public/csv", &bob).body;
    assert!(!list.contains("evil.example"), "{list}");
    assert_eq!(inside.get(&format!("/api/v1/pulses/{id}"), &alice).status, 404);
    let about = inside.get("/api/v1/indicators/domain/evil.example/general", &alice).json();
    assert_eq!(about["pulse_info"]["count"], 0);
    // What was never shared is not said to be gone.
    let hidden = pulse(&inside, &alice, false);
    inside.get(&format!("/api/v1/pulses/{hidden}/delete"), &alice);
    assert_eq!(read("manifest.json", &bob).json().as_object().unwrap().len(), 1);
}

#[test]
fn a_report_that_is_sent_twice_counts_once() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    pulse(&inside, &alice, true);
    let today = wiresift::clock::now().to_string();
    let row = json!([{"type": "domain", "indicator": "evil.example", "day": &today[..10],
        "count": 5}]);
    let send = |once: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-otx-api-key", alice.parse().unwrap());
        if !once.is_empty() {
            headers.insert("idempotency-key", once.parse().unwrap());
        }
        let request = Request {
            method: Method::Post,
            target: "/api/v2/sightings".into(),
            headers,
            body: row.to_string().into_bytes(),
            peer: [127, 0, 0, 1].into(),
        };
        inside.site.answer(&request).status
    };
    let count = || -> Value {
        inside.get("/api/v2/sightings?type=domain&indicator=evil.example", &alice).json()["count"]
            .clone()
    };
    assert_eq!((send("one"), send("one")), (200, 200));
    assert_eq!(count(), 5);
    assert_eq!(send("two"), 200);
    assert_eq!(count(), 10);
    // Without a key the higher of two numbers stays.
    assert_eq!((send(""), send("")), (200, 200));
    assert_eq!(count(), 10);
    assert_eq!(send("not one word"), 400);
}

#[test]
fn exports_can_be_limited_to_what_is_sure() {
    let inside = Inside::new(|_| {});
    let (_, member) = inside.account("member", Role::Member);
    let (_, trusted) = inside.account("trusted", Role::Trusted);
    let add = |key: &str, values: &[&str]| {
        let of = |value: &&str| json!({"indicator": value, "type": "domain"});
        let indicators: Vec<_> = values.iter().map(of).collect();
        inside.create(key, &json!({"name": "Some pulse", "indicators": indicators, "public": true}))
    };
    add(&member, &["alone.example", "both.example", "later.example"]);
    add(&trusted, &["sure.example", "both.example"]);
    let list = |least: &str| {
        let told = inside.get(&format!("/feeds/public/list?min_confidence={least}"), &member);
        let lines = told.body.lines().filter(|line| !line.starts_with('#'));
        (told.status, lines.map(str::to_string).collect::<Vec<_>>())
    };
    let all = ["alone.example", "both.example", "later.example", "sure.example"];
    for least in ["0", "50"] {
        assert_eq!(list(least), (200, all.map(str::to_string).to_vec()));
    }
    let some = |names: &[&str]| (200, names.iter().map(|name| name.to_string()).collect());
    assert_eq!(list("70"), some(&["both.example", "sure.example"]));
    assert_eq!(list("90"), some(&["both.example"]));
    // Somebody agrees, in a pulse of which the export has nothing else.
    add(&trusted, &["later.example"]);
    assert_eq!(list("90"), some(&["both.example", "later.example"]));
    assert_eq!(list("100"), some(&[]));
    for wrong in ["101", "-1", "high", ""] {
        assert_eq!(list(wrong).0, 400, "{wrong}");
    }
}
