//! HTTP receivers.

use super::server::{Act, Request, Server};
use super::*;
use crate::sensor::secret::Credential;

fn answer(status: u16, body: &str) -> Act {
    Act::Answer(status, "", body.into())
}

fn endpoint(server: &Server, gzip: bool) -> Endpoint {
    Endpoint { url: server.url(), gzip, ..Endpoint::default() }
}

fn webhook(server: &Server) -> Webhook {
    let settings =
        WebhookSettings { endpoint: endpoint(server, false), ..WebhookSettings::default() };
    Webhook::new(settings, pace()).unwrap()
}

fn elasticsearch(server: &Server) -> Elasticsearch {
    let settings = ElasticsearchSettings {
        endpoint: endpoint(server, true),
        index: "alerts".into(),
        auth: Some(ElasticsearchAuth::ApiKey(server.secret("k3y"))),
    };
    Elasticsearch::new(settings, pace()).unwrap()
}

fn splunk(server: &Server, acks: bool) -> Splunk {
    let settings = SplunkSettings {
        endpoint: endpoint(server, true),
        token: server.secret("t0ken"),
        index: None,
        sourcetype: "wiresift:alert".into(),
        acks,
    };
    Splunk::new(settings, pace()).unwrap()
}

#[test]
fn a_webhook_gets_an_array_that_is_signed_with_both_keys() {
    let server = Server::new(&[answer(503, ""), answer(204, "")]);
    let keys = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "plain"];
    let keys = keys.map(|key| server.secret(key)).to_vec();
    let url = Some(server.secret(&format!("{}/hook?k=s3cret", server.url())));
    let settings = WebhookSettings { keys, url, ..WebhookSettings::default() };
    let mut webhook = Webhook::new(settings, pace()).unwrap();
    let batch = batch("ab");
    let first = deliver(&mut webhook, &batch);
    assert_eq!((short(&first), class(&first)), ("aa".into(), Class::Server));
    assert_eq!(short(&deliver(&mut webhook, &batch)), "dd");
    let [one, two] = &server.seen()[..] else { panic!("two requests") };
    let values: Vec<serde_json::Value> = serde_json::from_str(&two.body).unwrap();
    assert_eq!(values[1]["seen"]["value"], "b");
    assert_eq!(two.path, "/hook?k=s3cret");
    assert_eq!(two.headers["content-type"], "application/json");
    assert_eq!(two.headers["webhook-timestamp"], "1795953600");
    assert_eq!(
        one.headers["webhook-id"], two.headers["webhook-id"],
        "so that receivers can drop duplicates"
    );
    let signatures: Vec<&str> = two.headers["webhook-signature"].split(' ').collect();
    assert_eq!(signatures.len(), 2);
    assert!(signatures.iter().all(|signature| signature.starts_with("v1,")));
    assert!(!format!("{webhook:?} {first:?}").contains("s3cret"));
}

#[test]
fn what_a_receiver_asks_for_is_kept() {
    let date = "Retry-After: Sun, 29 Nov 2026 12:00:30 GMT\r\n";
    for (headers, want) in [
        ("Retry-After: 7\r\n", Some(7)),
        (date, Some(30)),
        ("Retry-After: 100000\r\n", Some(600)),
        ("Retry-After: soon\r\n", None),
        ("", None),
    ] {
        let server = Server::new(&[Act::Answer(429, headers, String::new())]);
        let outcome = deliver(&mut webhook(&server), &batch("a"));
        assert_eq!((short(&outcome), class(&outcome)), ("a".into(), Class::Busy));
        assert_eq!(outcome.error.unwrap().after, want.map(Duration::from_secs), "{headers}");
    }
}

#[test]
fn statuses_pass_hold_or_refuse() {
    for (status, verdict, want) in [
        (408, "a", Class::TimedOut),
        (425, "a", Class::Busy),
        (500, "a", Class::Server),
        (401, "a", Class::Denied),
        (403, "a", Class::Denied),
        (302, "a", Class::Denied),
        (400, "r", Class::Refused),
        (404, "r", Class::Refused),
        (410, "r", Class::Refused),
    ] {
        let act = Act::Answer(status, "Location: http://127.0.0.1:1/\r\n", "why".into());
        let server = Server::new(&[act]);
        let outcome = deliver(&mut webhook(&server), &batch("a"));
        assert_eq!((short(&outcome).as_str(), class(&outcome)), (verdict, want), "{status}");
        assert_eq!(outcome.error.unwrap().reason, format!("HTTP {status}: why"));
        assert_eq!(server.seen().len(), 1);
    }
}

#[test]
fn silence_resets_and_halves_of_answers_are_tried_again() {
    for (act, want) in [
        (Act::Silence, Class::TimedOut),
        (Act::Close, Class::Connection),
        (Act::Half, Class::Connection),
    ] {
        let server = Server::new(&[act.clone(), answer(200, r#"{"errors":false}"#)]);
        let is_silent = matches!(act, Act::Silence);
        let pace = if is_silent { hurried() } else { pace() };
        let settings = ElasticsearchSettings {
            endpoint: endpoint(&server, false),
            index: "alerts".into(),
            auth: None,
        };
        let mut elasticsearch = Elasticsearch::new(settings, pace).unwrap();
        let outcome = deliver(&mut elasticsearch, &batch("ab"));
        assert_eq!((short(&outcome), class(&outcome)), ("aa".into(), want), "{act:?}");
        assert_eq!(short(&deliver(&mut elasticsearch, &batch("ab"))), "dd", "{act:?}");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let endpoint = Endpoint { url, ..Endpoint::default() };
    let settings = WebhookSettings { endpoint, ..WebhookSettings::default() };
    let outcome = deliver(&mut Webhook::new(settings, pace()).unwrap(), &batch("a"));
    assert_eq!((short(&outcome), class(&outcome)), ("a".into(), Class::Connection));
}

#[test]
fn a_key_that_is_replaced_is_read_when_the_old_one_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "old").unwrap();
    let server = Server::new(&[Act::By(|request| match &*request.headers["authorization"] {
        "Splunk new" => (200, r#"{"code":0}"#.into()),
        _ => (403, r#"{"text":"Invalid token","code":4}"#.into()),
    })]);
    let mut splunk = Splunk::new(
        SplunkSettings {
            endpoint: endpoint(&server, false),
            token: Credential::File(path.clone()),
            index: None,
            sourcetype: "s".into(),
            acks: false,
        },
        pace(),
    )
    .unwrap();
    let outcome = deliver(&mut splunk, &batch("a"));
    assert_eq!((short(&outcome), class(&outcome)), ("a".into(), Class::Denied));
    std::fs::write(&path, "new").unwrap();
    assert_eq!(short(&deliver(&mut splunk, &batch("a"))), "d");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(short(&deliver(&mut splunk, &batch("a"))), "d", "the secret that was read is kept");
    splunk.renew();
    let outcome = deliver(&mut splunk, &batch("a"));
    assert_eq!((short(&outcome), class(&outcome)), ("a".into(), Class::Denied));
}

#[test]
fn documents_have_an_index_an_id_and_an_outcome_each() {
    let items = r#"{"errors":true,"items":[{"create":{"status":201}},
        {"create":{"status":429,"error":{"type":"es_rejected_execution_exception"}}},
        {"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"no"}}},
        {"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}}]}"#;
    let server = Server::new(&[answer(200, items)]);
    let outcome = deliver(&mut elasticsearch(&server), &batch("abcd"));
    assert_eq!((short(&outcome), class(&outcome)), ("dard".into(), Class::Busy));
    let request = &server.seen()[0];
    assert_eq!(request.path, "/_bulk");
    assert_eq!(request.headers["content-type"], "application/x-ndjson");
    assert_eq!(request.headers["authorization"], "ApiKey k3y");
    let lines: Vec<&str> = request.body.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 8);
    let id = "61".repeat(16);
    assert_eq!(lines[0], format!("{{\"create\":{{\"_index\":\"alerts\",\"_id\":\"{id}\"}}}}\n"));
    assert_eq!(lines[7], "{\"message\":\"d\"}\n");
}

/// Accepts two documents at most, and none with an `x`.
fn small(request: &Request) -> (u16, String) {
    match request.body.lines().count() / 2 {
        3.. => (413, "too large".into()),
        _ if request.body.contains("\"x\"") => (413, "too large".into()),
        _ => (200, r#"{"errors":false,"items":[]}"#.into()),
    }
}

#[test]
fn batches_that_are_too_large_are_halved_and_one_document_is_refused() {
    let server = Server::new(&[Act::By(small)]);
    let outcome = deliver(&mut elasticsearch(&server), &batch("abcdexfgh"));
    assert_eq!(short(&outcome), "dddddrddd");
    assert_eq!(class(&outcome), Class::Refused);
    let mut refused = outcome.verdicts.into_iter().filter(|v| *v != Verdict::Delivered);
    let reason = "HTTP 413: too large".to_string();
    assert_eq!(refused.next(), Some(Verdict::Refused { status: 413, reason }));
}

#[test]
fn after_an_error_in_one_half_the_other_waits() {
    let server = Server::new(&[answer(413, ""), answer(503, ""), answer(200, "never")]);
    let outcome = deliver(&mut elasticsearch(&server), &batch("abcd"));
    assert_eq!((short(&outcome), class(&outcome)), ("aaaa".into(), Class::Server));
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_record_without_the_form_is_refused_and_costs_the_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Record::new([1; 16], 1, NOW, b"{}");
    let batch = stored(&folder, &[record(b'a', "a"), bare, record(b'b', "b")]);
    let server = Server::new(&[answer(200, r#"{"errors":false}"#)]);
    assert_eq!(short(&deliver(&mut elasticsearch(&server), &batch)), "drd");
    assert_eq!(server.seen()[0].body.lines().count(), 4);
}

/// One bad object spoils a body, and the response doesn't say which one.
fn picky(request: &Request) -> (u16, String) {
    if request.body.contains(r#""value":"x""#) {
        return (400, r#"{"text":"Invalid data format","code":6,"invalid-event-number":0}"#.into());
    }
    (200, r#"{"text":"Success","code":0}"#.into())
}

#[test]
fn objects_that_splunk_refuses_are_found_by_halving() {
    let server = Server::new(&[Act::By(picky)]);
    let outcome = deliver(&mut splunk(&server, false), &batch("abcxdex"));
    assert_eq!(short(&outcome), "dddrddr");
    let requests = server.seen();
    assert_eq!(requests[0].path, "/services/collector/event");
    assert_eq!(requests[0].headers["authorization"], "Splunk t0ken");
    let objects: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&requests[0].body)
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(objects.len(), 7);
    assert_eq!(objects[0]["time"], 1_795_953_600.0);
    assert_eq!(objects[0]["host"], "s1");
    assert_eq!(objects[0]["fields"]["alert_id"], "61".repeat(16));
    assert_eq!(objects[0]["event"]["seen"]["value"], "a");
}

#[test]
fn acks_are_asked_for_until_they_come() {
    let taken = answer(200, r#"{"text":"Success","code":0,"ackId":18446744073709551615}"#);
    let not_yet = answer(200, r#"{"acks":{"18446744073709551615":false}}"#);
    let done = answer(200, r#"{"acks":{"18446744073709551615":true}}"#);
    let server = Server::new(&[taken, not_yet.clone(), answer(503, ""), not_yet, done]);
    assert_eq!(short(&deliver(&mut splunk(&server, true), &batch("ab"))), "dd");
    let requests = server.seen();
    assert_eq!(requests.len(), 5);
    let channel = &requests[0].headers["x-splunk-request-channel"];
    assert_eq!(requests[1].path, format!("/services/collector/ack?channel={channel}"));
    assert_eq!(requests[1].body, r#"{"acks":[18446744073709551615]}"#);
    assert_eq!(&requests[4].headers["x-splunk-request-channel"], channel);
}

#[test]
fn acks_that_never_come_end_after_five_minutes_of_asking() {
    let taken = answer(200, r#"{"code":0,"ackId":3}"#);
    let server = Server::new(&[taken, answer(200, r#"{"acks":{"3":false}}"#)]);
    let outcome = deliver(&mut splunk(&server, true), &batch("ab"));
    assert_eq!((short(&outcome), class(&outcome)), ("aa".into(), Class::TimedOut));
    let asked = server.seen().len() - 1;
    // 0.25 s, 0.5 s … 8 s, and then every 10 s.
    assert_eq!(asked, 35);
}

#[test]
fn receivers_that_know_no_acks_are_believed() {
    let taken = answer(200, r#"{"code":0,"ackId":3}"#);
    let server = Server::new(&[taken.clone(), answer(404, ""), taken]);
    let mut splunk = splunk(&server, true);
    assert_eq!(short(&deliver(&mut splunk, &batch("a"))), "d");
    assert_eq!(short(&deliver(&mut splunk, &batch("b"))), "d");
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn slack_gets_a_text() {
    let server = Server::new(&[answer(200, "ok")]);
    let settings = WebhookSettings {
        endpoint: endpoint(&server, false),
        form: WebhookForm::Slack,
        ..WebhookSettings::default()
    };
    let mut slack = Webhook::new(settings, pace()).unwrap();
    assert_eq!(short(&deliver(&mut slack, &batch("ab"))), "dd");
    let body: serde_json::Value = serde_json::from_str(&server.seen()[0].body).unwrap();
    assert_eq!(body["text"].as_str().unwrap().lines().count(), 2);
    assert!(!server.seen()[0].headers.contains_key("webhook-signature"));
}

#[test]
fn tls_trusts_the_configured_certificates_only() {
    let folder = tempfile::tempdir().unwrap();
    let Some((cert, key)) = certificate(folder.path(), "own") else { return };
    let Some((other, _)) = certificate(folder.path(), "other") else { return };
    let server = Server::tls(&[answer(200, r#"{"errors":false}"#)], (&cert, &key));
    let outcome = |tls: TlsSettings, host: &str| {
        let url = format!("https://{host}:{}", server.port);
        let endpoint = Endpoint { url, tls, gzip: false };
        let settings = WebhookSettings { endpoint, ..WebhookSettings::default() };
        deliver(&mut Webhook::new(settings, pace()).unwrap(), &batch("a"))
    };
    let with = |ca: &PathBuf| TlsSettings { ca_file: Some(ca.clone()), ..TlsSettings::default() };
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(short(&outcome(with(&cert), host)), "d");
        let refused = outcome(with(&other), host);
        assert_eq!((short(&refused), class(&refused)), ("a".into(), Class::Tls));
        let reason = refused.error.unwrap().reason;
        assert!(reason.contains("not trusted"), "{reason}");
    }
    let insecure = TlsSettings { insecure: true, ..TlsSettings::default() };
    assert_eq!(short(&outcome(insecure, "127.0.0.1")), "d");
    let plain = Server::new(&[answer(400, "")]);
    let url = format!("https://127.0.0.1:{}", plain.port);
    let settings = WebhookSettings {
        endpoint: Endpoint { url, tls: with(&cert), gzip: false },
        ..WebhookSettings::default()
    };
    let outcome = deliver(&mut Webhook::new(settings, pace()).unwrap(), &batch("a"));
    assert_eq!(short(&outcome), "a");
    for bad in [with(&folder.path().join("absent")), with(&key)] {
        let endpoint = Endpoint { url: "https://h/".into(), tls: bad, gzip: false };
        let settings = WebhookSettings { endpoint, ..WebhookSettings::default() };
        assert!(Webhook::new(settings, pace()).is_err());
    }
}

#[test]
fn a_halt_ends_what_waits_for_an_answer() {
    let server = Server::new(&[Act::Silence]);
    let (halt, stopper) = Halt::new().unwrap();
    let timeouts = Timeouts { drain: Duration::from_millis(200), ..Timeouts::default() };
    let pace = Pace::new(Arc::new(SystemClock::default()), halt, timeouts);
    let endpoint = endpoint(&server, false);
    let settings = WebhookSettings { endpoint, ..WebhookSettings::default() };
    let mut webhook = Webhook::new(settings, pace).unwrap();
    let since = crate::clock::Stopwatch::start();
    let ending = std::thread::Builder::new().spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        stopper.stop();
    });
    let outcome = deliver(&mut webhook, &batch("a"));
    assert_eq!((short(&outcome), class(&outcome)), ("a".into(), Class::TimedOut));
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    ending.unwrap().join().unwrap();
}

/// Records of alerts about indicators, for an exchange.
fn sightings(records: &[(u8, &str)]) -> Batch {
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<Record> =
        records.iter().map(|(id, json)| Record::new([*id; 16], 3, NOW, json.as_bytes())).collect();
    stored(&folder, &records)
}

const SEEN: &str = r#"{"id":"1","seen":{"kind":"domain","value":"www.evil.example"},"log":{"text":"s3cret"},
    "indicators":[{"kind":"domain","scope":"subtree","value":"evil.example","sources":[{"feed":"otx"}]},
    {"kind":"domain","scope":"exact","value":"www.evil.example","sources":[{"feed":"own"}]}]}"#;

fn exchange(server: &Server, (alerts, sightings): (bool, bool)) -> super::Exchange {
    let counted: Counted = Box::new(|of| of.sources.iter().any(|source| source.feed == "otx"));
    let settings = ExchangeSettings {
        endpoint: endpoint(server, false),
        key: server.secret("k3y"),
        alerts,
        sightings: sightings.then_some(counted),
        has_suppressed: false,
    };
    super::Exchange::new(settings, pace()).unwrap()
}

#[test]
fn an_exchange_gets_alerts_and_counts_by_day() {
    let server = Server::new(&[answer(200, "{}"), answer(503, ""), answer(200, "{}")]);
    let repeat = SEEN.replace("\"id\":\"1\",", r#""id":"2","repeat":{"count":5},"#);
    let batch = sightings(&[(1, SEEN), (2, &repeat), (3, "{\"id\":\"3\"}")]);
    let mut to = exchange(&server, (true, true));
    let first = deliver(&mut to, &batch);
    assert_eq!((short(&first), class(&first)), ("aaa".into(), Class::Server));
    assert_eq!(short(&deliver(&mut to, &batch)), "ddd");
    let seen = server.seen();
    let paths: Vec<&str> = seen.iter().map(|request| &*request.path).collect();
    let (alerts, counts) = ("/api/v2/alerts", "/api/v2/sightings");
    assert_eq!(paths, [alerts, counts, alerts, counts]);
    assert!(seen.iter().all(|request| request.headers["x-otx-api-key"] == "k3y"));
    assert!(seen[0].body.contains("s3cret"), "alerts are posted as they are");
    let counted: serde_json::Value = serde_json::from_str(&seen[3].body).unwrap();
    let row = r#"[{"type":"domain","indicator":"evil.example","count":6,"day":"2026-11-29"}]"#;
    assert_eq!(counted, serde_json::from_str::<serde_json::Value>(row).unwrap());
    let once = |at: usize| seen[at].headers["idempotency-key"].clone();
    assert_eq!(once(1), once(3), "a report that is sent again is the same");
    assert!(!format!("{to:?}").contains("k3y"));
}

#[test]
fn an_exchange_that_gets_counts_gets_nothing_else() {
    let server = Server::new(&[answer(200, "{}")]);
    let batch = sightings(&[(1, SEEN)]);
    assert_eq!(short(&deliver(&mut exchange(&server, (false, true)), &batch)), "d");
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    let rows: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(&seen[0].body).unwrap();
    let mut members: Vec<&String> = rows.iter().flat_map(|row| row.keys()).collect();
    members.sort();
    assert_eq!(members, ["count", "day", "indicator", "type"]);
    // Nothing is asked if there is nothing to count.
    let old = Record::new([1; 16], 3, Timestamp(0), SEEN.as_bytes());
    let folder = tempfile::tempdir().unwrap();
    let batch = stored(&folder, &[old]);
    assert_eq!(short(&deliver(&mut exchange(&server, (false, true)), &batch)), "d");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn an_exchange_that_refuses_one_alert_gets_the_others() {
    fn judge(request: &Request) -> (u16, String) {
        match request.body.contains("\"id\":\"2\"") {
            true => (400, "{\"detail\":\"too long\"}".into()),
            false => (200, "{}".into()),
        }
    }
    let server = Server::new(&[Act::By(judge)]);
    let batch = sightings(&[(1, "{\"id\":\"1\"}"), (2, "{\"id\":\"2\"}"), (3, "{\"id\":\"3\"}")]);
    let outcome = deliver(&mut exchange(&server, (true, false)), &batch);
    assert_eq!(short(&outcome), "drd");
    assert!(
        matches!(&outcome.verdicts[1], Verdict::Refused { status: 400, reason } if reason.contains("too long"))
    );
    let limit = Act::Answer(429, "Retry-After: 7\r\n", String::new());
    let server = Server::new(&[limit]);
    let outcome = deliver(&mut exchange(&server, (true, false)), &batch);
    assert_eq!((short(&outcome), class(&outcome)), ("aaa".into(), Class::Busy));
    assert_eq!(outcome.error.unwrap().after, Some(Duration::from_secs(7)));
    let server = Server::new(&[answer(403, "wrong key")]);
    let outcome = deliver(&mut exchange(&server, (true, false)), &batch);
    assert_eq!((short(&outcome), class(&outcome)), ("aaa".into(), Class::Denied));
}
