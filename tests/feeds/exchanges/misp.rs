//! The walk over MISP: a feed directory with real events, over HTTP and on disk, and a
//! double of a server's `restSearch`.

use super::{assert_no_secret, client, url, values, walk_with_crashes};
use crate::harness::document_store::{Memory, StillClock};
use crate::harness::server::{Asked, Reply, Server};
use crate::harness::{Dir, shared};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};
use wiresift::ErrorKind;
use wiresift::intel::feed::client::{Exchange, misp};
use wiresift::intel::feed::fetch::Access;
use wiresift::intel::feed::{Collected, Format, Options, read};

const NOW: &str = "2026-03-01T12:00:00Z";
const KEY: &str = "misp-automation-key-0123456789";

type Events = Arc<Mutex<BTreeMap<String, Value>>>;

/// Real events by their UUID, each in an envelope `Event`.
fn real(test: &str) -> Option<BTreeMap<String, Value>> {
    let folder = shared(test, "data/feeds/eset-malware-ioc")?;
    let mut events = BTreeMap::new();
    for file in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let file = file.unwrap();
        if !file.file_name().to_str().unwrap().ends_with(".json.gz") {
            continue;
        }
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(std::fs::File::open(file.path()).unwrap())
            .read_to_end(&mut text)
            .unwrap();
        let mut file: Value = serde_json::from_slice(&text).unwrap();
        let event = match file.get_mut("response") {
            Some(response) => response[0].take(),
            None => file,
        };
        let uuid = event["Event"]["uuid"].as_str().unwrap().to_string();
        if event["Event"].get("timestamp").is_some() {
            events.insert(uuid, event);
        }
    }
    Some(events)
}

fn manifest(events: &BTreeMap<String, Value>) -> String {
    let entry = |event: &Value| json!({"info": event["Event"]["info"], "timestamp": event["Event"]["timestamp"]});
    json!(
        events.iter().map(|(uuid, event)| (uuid.clone(), entry(event))).collect::<BTreeMap<_, _>>()
    )
    .to_string()
}

fn values_of(events: &BTreeMap<String, Value>) -> Vec<String> {
    let mut found = Collected::default();
    for event in events.values() {
        let options = Options { format: Some(Format::Misp), ..Options::of_feed("x") };
        read(event.to_string().as_bytes(), &options, &mut found).unwrap();
    }
    let mut values: Vec<String> = found.indicators.iter().map(|i| i.value.to_string()).collect();
    values.sort();
    values.dedup();
    values
}

fn serve_feed(events: &Events, asked: &Asked) -> Reply {
    let events = events.lock().unwrap();
    if asked.header("authorization").is_none() {
        return Reply::status(401);
    }
    let name = asked.path().strip_prefix("/feed/").unwrap();
    if name == "manifest.json" {
        let text = manifest(&events);
        let tag = format!("\"{}\"", xxhash_rust::xxh3::xxh3_64(text.as_bytes()));
        if asked.header("if-none-match") == Some(&tag) {
            return Reply::status(304);
        }
        return Reply::new(200, &[("ETag", &tag)], text);
    }
    match events.get(name.strip_suffix(".json").unwrap()) {
        Some(event) => Reply::json(event.to_string()),
        None => Reply::status(404),
    }
}

#[test]
fn a_feed_directory_with_real_events() {
    let Some(real) = real("exchanges::misp::a_feed_directory_with_real_events") else { return };
    let events: Events = Arc::new(Mutex::new(real.clone()));
    let served = Arc::clone(&events);
    let server = Server::start(move |asked| serve_feed(&served, asked));
    let home = url(&server.url("/feed/"));
    let client = client(&home, Access::default().basic("me", "pa55word-of-feed"));
    let exchange = Exchange::Misp(misp::Misp::Feed(home));
    let clock = StillClock::at(NOW);
    let mut memory = Memory::default();
    let walked = exchange.walk(&client, &mut memory, &clock).unwrap();
    assert_eq!(walked.put, real.len() as u64);
    assert!(values_of(&real).len() > 300);
    assert_eq!(values(&exchange, &memory), values_of(&real));

    // Nothing new: one request.
    let walked = exchange.walk(&client, &mut memory, &clock).unwrap();
    assert_eq!((walked.requests, walked.put), (1, 0));

    // One is updated, one removed, one added.
    let uuids: Vec<String> = real.keys().cloned().collect();
    {
        let mut events = events.lock().unwrap();
        let event = events.get_mut(&uuids[0]).unwrap();
        event["Event"]["Attribute"] = json!([
            {"type": "domain", "value": "updated.example", "to_ids": true},
            {"type": "domain", "value": "deleted.example", "to_ids": true, "deleted": true},
            {"type": "domain", "value": "noted.example", "to_ids": false},
        ]);
        event["Event"]["timestamp"] = json!("1900000000");
        events.remove(&uuids[1]);
        let new = json!({"Event": {"uuid": "aaaaaaaa-0000-4000-8000-000000000000", "info": "n", "timestamp": "1",
            "Attribute": [{"type": "domain", "value": "new.example", "to_ids": true}]}});
        events.insert("aaaaaaaa-0000-4000-8000-000000000000".into(), new);
    }
    let walked = exchange.walk(&client, &mut memory, &clock).unwrap();
    assert_eq!((walked.requests, walked.put, walked.removed), (3, 2, 1));
    assert_eq!(values(&exchange, &memory), values_of(&events.lock().unwrap()));
    let now = values(&exchange, &memory);
    assert!(now.contains(&"updated.example".into()) && !now.contains(&"deleted.example".into()));

    // Crashes on the way.
    let (crashes, memory) =
        walk_with_crashes(&exchange, &client, Memory::default(), &clock, |tries| 3 + tries);
    assert!(crashes > 0);
    assert_eq!(values(&exchange, &memory), values_of(&events.lock().unwrap()));

    // The same on disk.
    let dir = Dir::new("misp-folder");
    let events = events.lock().unwrap();
    dir.create("manifest.json", manifest(&events));
    for (uuid, event) in events.iter() {
        dir.create(&format!("{uuid}.json"), event.to_string());
    }
    let folder = Exchange::Misp(misp::Misp::Folder(dir.path().to_path_buf()));
    let mut memory = Memory::default();
    let walked = folder.walk(&client, &mut memory, &clock).unwrap();
    assert_eq!((walked.put, walked.requests), (events.len() as u64, 0));
    assert_eq!(values(&folder, &memory), values_of(&events));
}

#[test]
fn a_bad_manifest_changes_nothing() {
    let answer = Arc::new(Mutex::new(0));
    let which = Arc::clone(&answer);
    let uuid = "11111111-0000-4000-8000-000000000000";
    let event = json!({"Event": {"uuid": uuid, "info": "n", "timestamp": 5,
        "Attribute": [{"type": "domain", "value": "kept.example", "to_ids": true}]}});
    let server = Server::start(move |asked| {
        let good = json!({uuid: {"timestamp": 5}, "../../etc/passwd": {"timestamp": 5}});
        match (asked.path(), *which.lock().unwrap()) {
            ("/manifest.json", 0) => Reply::json(good.to_string()),
            ("/manifest.json", 1) => Reply::new(200, &[], "<html>Log in</html>"),
            ("/manifest.json", 2) => Reply::json(good.to_string()).cut(4),
            ("/manifest.json", 3) => Reply::json(&good.to_string()[..20]),
            ("/manifest.json", 4) => Reply::status(404),
            ("/manifest.json", 5) => Reply::json(format!(r#"{{"{uuid}":{{"timestamp":6}}}}"#)),
            (_, 5) => Reply::json(r#"{"Event":{"uuid":"22222222-0000-4000-8000-000000000000"}}"#),
            _ => Reply::json(event.to_string()),
        }
    });
    let home = url(&server.url("/"));
    let client = client(&home, Access::default());
    let exchange = Exchange::Misp(misp::Misp::Feed(home));
    let clock = StillClock::at(NOW);
    let mut memory = Memory::default();
    exchange.walk(&client, &mut memory, &clock).unwrap();
    for (which, part) in [
        (1, "HTML page"),
        (2, "cut off"),
        (3, "cut off"),
        (4, "no manifest.json"),
        (5, "UUID does not match"),
    ] {
        *answer.lock().unwrap() = which;
        let error = exchange.walk(&client, &mut memory, &clock).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(values(&exchange, &memory), ["kept.example"]);
    }
}

/// A double of a server: `restSearch` over events, in the order of their numbers, and the index.
fn serve_search(events: &Events, index: bool, asked: &Asked) -> Reply {
    if asked.header("authorization") != Some(KEY) {
        return Reply::new(403, &[], json!({"message": "Authentication failed"}).to_string());
    }
    let events = events.lock().unwrap();
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    let published = |event: &Value| event["Event"]["published"] == true;
    let time =
        |event: &Value| event["Event"]["timestamp"].as_str().unwrap().parse::<i64>().unwrap();
    match asked.path() {
        "/events/restSearch" => {
            assert_eq!(body["returnFormat"], "json");
            let since = body["timestamp"].as_i64().unwrap_or(0);
            let wanted = |uuid: &str| match body["uuid"].as_array() {
                Some(uuids) => uuids.iter().any(|one| one == uuid),
                None => true,
            };
            let found: Vec<&Value> = events
                .iter()
                .filter(|(uuid, event)| wanted(uuid) && time(event) >= since)
                .map(|(_, event)| event)
                .filter(|event| body["published"] != true || published(event))
                .collect();
            let (limit, page) = (body["limit"].as_u64().unwrap(), body["page"].as_u64().unwrap());
            let skip = (limit * (page - 1)) as usize;
            let page: Vec<&Value> = found.into_iter().skip(skip).take(limit as usize).collect();
            Reply::json(json!({ "response": page }).to_string())
        }
        "/events/index" if index => {
            let entry = |event: &Value| {
                let event = &event["Event"];
                json!({"uuid": event["uuid"], "timestamp": event["timestamp"], "published": event["published"]})
            };
            let all: Vec<Value> = events
                .values()
                .filter(|event| body["published"] != 1 || published(event))
                .map(entry)
                .collect();
            Reply::json(json!(all).to_string())
        }
        _ => Reply::status(404),
    }
}

fn event(number: usize, time: usize, value: &str) -> (String, Value) {
    let uuid = format!("{number:08}-0000-4000-8000-000000000000");
    let event = json!({"Event": {"uuid": uuid, "info": format!("e{number}"), "timestamp": time.to_string(),
        "published": true, "Attribute": [
            {"type": "domain", "value": value, "to_ids": true, "deleted": false},
            {"type": "domain", "value": format!("gone{number}.example"), "to_ids": true, "deleted": true}]}});
    (uuid, event)
}

#[test]
fn a_server_is_searched_and_its_index_read() {
    for index in [true, false] {
        let first = (0..130).map(|n| event(n, 1_000_000 + n, &format!("e{n}.example")));
        let events: Events = Arc::new(Mutex::new(first.collect()));
        let served = Arc::clone(&events);
        let server = Server::start(move |asked| serve_search(&served, index, asked));
        let home = url(&server.url("/"));
        let client_of_mine = client(&home, misp::access(KEY));
        let exchange = Exchange::Misp(misp::Misp::Server(misp::Server {
            url: home.clone(),
            tags: Vec::new(),
            since: None,
            unpublished: false,
            to_ids_only: false,
        }));
        let clock = StillClock::at(NOW);
        let (crashes, mut memory) =
            walk_with_crashes(&exchange, &client_of_mine, Memory::default(), &clock, |tries| {
                55 + tries
            });
        assert!(crashes > 0);
        assert_eq!(values(&exchange, &memory), values_of(&events.lock().unwrap()));
        assert_eq!(values(&exchange, &memory).len(), 130);
        let first = server.asked().remove(0);
        assert_eq!((first.method.as_str(), first.header("authorization")), ("POST", Some(KEY)));
        assert!(!String::from_utf8_lossy(&first.body).contains("timestamp"));

        {
            let mut events = events.lock().unwrap();
            let (uuid, changed) = event(7, 2_000_000, "changed.example");
            events.insert(uuid, changed);
            let (uuid, mut unpublished) = event(8, 2_000_001, "unpublished.example");
            unpublished["Event"]["published"] = json!(false);
            events.insert(uuid, unpublished);
            events.remove(&event(9, 0, "").0);
            // Changed before the time from which events are requested: only the index shows it.
            let (uuid, behind) = event(10, 1_000_050, "behind.example");
            events.insert(uuid, behind);
        }
        let walked = exchange.walk(&client_of_mine, &mut memory, &clock).unwrap();
        let now = values(&exchange, &memory);
        assert!(now.contains(&"changed.example".into()) && !now.contains(&"e7.example".into()));
        assert!(
            !now.contains(&"e8.example".into()) && !now.contains(&"unpublished.example".into())
        );
        assert_eq!(now.contains(&"behind.example".into()), index);
        assert_eq!(now.contains(&"e9.example".into()), !index);
        assert_eq!(now.len(), if index { 128 } else { 129 }, "{walked:?}");
        assert_eq!(walked.removed, if index { 2 } else { 1 });

        let unknown_client = client(&home, misp::access("wr0ng-automation-key"));
        let error = exchange.walk(&unknown_client, &mut memory, &clock).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_no_secret(&error, &["wr0ng-automation-key", KEY]);
    }
}
