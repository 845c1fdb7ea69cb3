//! Our own subscription to an exchange: what is written there reaches a sensor's database.

use super::process::{Exchange, account};
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
