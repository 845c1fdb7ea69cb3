//! Our own subscription to an exchange: what is written there reaches a sensor's database.

use super::process::{Exchange, account, operate};
use crate::harness::Dir;
use serde_json::json;

#[test]
fn a_sensor_subscribes_and_changes_arrive() {
    let dir = Dir::new("exchange-circle");
    let server = Exchange::start(&dir, &[]);
    let (alice, bob) = (account(&dir, "alice", "trusted"), account(&dir, "bob", "trusted"));
    let pulse = |name: &str, values: &[&str]| {
        let of = |value: &&str| json!({"indicator": value, "type": "domain"});
        let indicators: Vec<_> = values.iter().map(of).collect();
        let body = json!({"name": name, "public": true, "indicators": indicators});
        let answer = server.ask("POST", "/api/v1/pulses/create", &alice, &body.to_string());
        answer.expect(201).json()["id"].as_str().unwrap().to_string()
    };
    let one = pulse("First pulse", &["one.example"]);
    // So much stays that the client does not hold the change back.
    pulse("Second pulse", &["a.example", "b.example", "c.example", "d.example", "e.example"]);
    server.get("/api/v1/users/alice/subscribe/", &bob).expect(200);
    let url = format!("http://{}", server.address);
    let key = dir.create("key", &bob);
    let mut add = dir.command();
    add.args(["feed", "add", "otx", "--url", &url, "--key-file"]).arg(key);
    add.run().expect(0);
    let lookup = |value: &str, status: i32| {
        let mut update = dir.command();
        update.args(["feed", "update", "--compile"]);
        update.run().expect(0);
        let mut lookup = dir.command();
        lookup.args(["lookup", "--db", "wiresift.wsdb", value]);
        lookup.run().expect(status);
    };
    lookup("www.one.example", 0);
    let body = json!({"indicators": {"add": [{"indicator": "two.example", "type": "domain"}]}});
    let target = format!("/api/v1/pulses/{one}");
    server.ask("PATCH", &target, &alice, &body.to_string()).expect(200);
    lookup("two.example", 0);
    server.get(&format!("{target}/delete"), &alice).expect(200);
    lookup("one.example", 1);
}

/// What a scan of `log.txt` alerts about, after an update of the feeds.
fn alerts(dir: &Dir) -> Vec<String> {
    let mut update = dir.command();
    update.args(["feed", "update", "--compile"]);
    update.run().expect(0);
    let mut scan = dir.command();
    scan.args(["scan", "--db", "wiresift.wsdb", "--format", "json", "log.txt"]);
    let alerts = scan.run().json_lines();
    alerts.iter().map(|alert| alert["seen"]["value"].as_str().unwrap().to_string()).collect()
}

#[test]
fn an_accepted_false_positive_does_not_alert_until_it_is_withdrawn() {
    let dir = Dir::new("exchange-allow");
    let server = Exchange::start(&dir, &[]);
    let (alice, bob) = (account(&dir, "alice", "trusted"), account(&dir, "bob", "member"));
    let judge = account(&dir, "judge", "moderator");
    let body = json!({"name": "Too much", "public": true, "indicators": [
        {"indicator": "good.example", "type": "domain"},
        {"indicator": "www.host.example", "type": "hostname"},
        {"indicator": "evil.example", "type": "domain"}]});
    server.ask("POST", "/api/v1/pulses/create", &alice, &body.to_string()).expect(201);
    // The sensor has the values from elsewhere, too: what is allowed is allowed whoever lists it.
    dir.create("own.txt", "good.example\nhost.example\nevil.example\n");
    dir.create("log.txt", "GET www.good.example\nGET www.host.example\nGET evil.example\n");
    let url = format!("http://{}", server.address);
    let key = dir.create("key", &bob);
    dir.command().args(["feed", "add", "own", "--path", "own.txt"]).run().expect(0);
    let mut add = dir.command();
    add.args(["feed", "add", "allow", "--url", &url, "--key-file"]).arg(key);
    add.run().expect(0);
    let all = ["www.good.example", "www.host.example", "evil.example"];
    assert_eq!(alerts(&dir), all);
    let report = |kind: &str, value: &str| {
        let target = format!("/api/v2/indicators/{kind}/{value}/false_positive");
        let body = json!({"reason": "our own\nportal # ; x"}).to_string();
        let answer = server.ask("POST", &target, &bob, &body).expect(201);
        answer.json()["id"].as_i64().unwrap()
    };
    let decide = |report: i64, verb: &str, status: u16| {
        let target = format!("/api/v2/reports/{report}/{verb}");
        server.ask("POST", &target, &judge, "").expect(status);
    };
    let (domain, host) = (report("domain", "good.example"), report("hostname", "www.host.example"));
    assert_eq!(alerts(&dir), all, "a report alone allows nothing");
    decide(domain, "accept", 200);
    assert_eq!(alerts(&dir), ["www.host.example", "evil.example"]);
    decide(host, "accept", 200);
    assert_eq!(alerts(&dir), ["evil.example"]);
    let list = String::from_utf8(server.get("/api/v2/allow", &bob).expect(200).body).unwrap();
    assert!(list.contains("\ngood.example # domain since 20"), "{list}");
    assert!(list.contains(": our own portal # ; x\nwww.host.example # hostname"), "{list}");
    let mut lookup = dir.command();
    lookup.args(["lookup", "--db", "wiresift.wsdb", "good.example"]);
    lookup.run().expect_stdout("our own");
    // Whoever may not take it back does not; who may, once.
    server.ask("POST", &format!("/api/v2/reports/{domain}/withdraw"), &bob, "").expect(403);
    decide(domain, "withdraw", 200);
    decide(domain, "withdraw", 404);
    assert_eq!(alerts(&dir), ["www.good.example", "evil.example"]);
    decide(host, "withdraw", 200);
    assert_eq!(alerts(&dir), all);
    let csv = server.get("/feeds/public/list", &bob).expect(200);
    assert!(String::from_utf8(csv.body).unwrap().contains("good.example"), "it is exported again");
}

#[test]
fn values_that_somebody_may_not_see_are_not_on_the_allow_list() {
    let dir = Dir::new("exchange-allow-hidden");
    let server = Exchange::start(&dir, &[]);
    let (alice, bob) = (account(&dir, "alice", "trusted"), account(&dir, "bob", "member"));
    let judge = account(&dir, "judge", "moderator");
    let body = json!({"name": "For me alone", "public": false, "indicators": [
        {"indicator": "hidden.example", "type": "domain"}]});
    server.ask("POST", "/api/v1/pulses/create", &alice, &body.to_string()).expect(201);
    let target = "/api/v2/indicators/domain/hidden.example/false_positive";
    let report = server.ask("POST", target, &alice, r#"{"reason": "mine"}"#).expect(201).json();
    server.ask("POST", &format!("/api/v2/reports/{}/accept", report["id"]), &judge, "").expect(200);
    for (key, is_there) in [(&alice, true), (&bob, false), (&judge, false)] {
        for target in ["/api/v2/allow", "/api/v2/allow?format=jsonl"] {
            let list = server.get(target, key).expect(200).body;
            let list = String::from_utf8(list).unwrap();
            assert_eq!(list.contains("hidden.example"), is_there, "{target}: {list}");
        }
    }
}

/// The configuration of a sensor that reports to an exchange.
fn reporting(dir: &Dir, url: &str, more: &str) {
    dir.create(
        "wiresift.toml",
        format!(
            "database = \"db.wsdb\"\nstate = \"state\"\n[suppress]\nenabled = false\n\
             [[input]]\nkind = \"files\"\npatterns = \"logs/*.log\"\n\
             [[sink]]\nkind = \"exchange\"\nurl = \"{url}\"\nkey_file = \"key\"\n\
             batch_age = \"50ms\"\n{more}"
        ),
    );
}

#[test]
fn a_sensor_reports_alerts_to_its_account_and_counts_to_all() {
    let dir = Dir::new("exchange-sink");
    let server = Exchange::start(&dir, &[]);
    let (alice, bob) = (account(&dir, "alice", "trusted"), account(&dir, "bob", "trusted"));
    let body = json!({"name": "What is seen", "public": true, "indicators": [
        {"indicator": "evil.example", "type": "domain"}]});
    server.ask("POST", "/api/v1/pulses/create", &alice, &body.to_string()).expect(201);
    dir.create("list.txt", "evil.example\nunshared.example\n");
    dir.command().args(["compile", "-q", "-o", "db.wsdb", "list.txt"]).run().expect(0);
    std::fs::create_dir(dir.path().join("logs")).unwrap();
    let log = "a www.evil.example\nb evil.example\nc x.unshared.example\n";
    std::fs::write(dir.path().join("logs/a.log"), log).unwrap();
    let key = operate(&dir, &["key", "add", "bob", "--scopes", "report"]);
    dir.create("key", key);
    let url = format!("http://{}", server.address);
    reporting(&dir, &url, "sightings = true\n");
    dir.command().args(["run", "--once"]).run().expect(0);
    let seen = |key: &str| server.get("/api/v2/alerts", key).expect(200).json()["results"].clone();
    let alerts = seen(&bob);
    assert_eq!(alerts.as_array().unwrap().len(), 3, "{alerts}");
    assert!(alerts.to_string().contains("www.evil.example"));
    assert_eq!(seen(&alice), json!([]), "alerts are for their own account only");
    let counted = |value: &str, status: u16| {
        let target = format!("/api/v2/sightings?type=domain&indicator={value}");
        server.get(&target, &alice).expect(status).json()["count"].clone()
    };
    assert_eq!(counted("evil.example", 200), 2);
    counted("unshared.example", 404);
    // Counts alone: nothing else leaves.
    reporting(&dir, &url, "alerts = false\nsightings = true\n");
    std::fs::write(dir.path().join("logs/b.log"), "d evil.example\n").unwrap();
    dir.command().args(["run", "--once"]).run().expect(0);
    assert_eq!(seen(&bob).as_array().unwrap().len(), 3);
    assert_eq!(counted("evil.example", 200), 3);
}
