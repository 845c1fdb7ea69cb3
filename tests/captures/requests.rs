//! Several requests in one packet: each has alerts of its own, with identifiers of their own.

use crate::harness::Dir;
use crate::harness::wire::{Ends, scan};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn requests_in_one_packet_alert_each() {
    let dir = Dir::new("requests");
    dir.create("list.txt", "evil.example\n");
    dir.command().args(["compile", "-q", "-o", "db", "list.txt"]).run().expect(0);
    let run = || {
        scan(&dir, |wire| {
            let mut ends = Ends::new(1, 80);
            wire.open(&ends);
            let one = "GET /a HTTP/1.1\r\nHost: www.evil.example\r\n\r\n";
            let other = "GET http://www.evil.example/b HTTP/1.1\r\nHost: proxy.example\r\n\r\n";
            wire.say(&mut ends, true, [one, one, other, other].concat().as_bytes());
        })
        .alerts
    };
    let alerts = run();
    let mut places: BTreeMap<&str, u32> = BTreeMap::new();
    for alert in &alerts {
        *places.entry(alert["seen"]["where"].as_str().unwrap()).or_default() += 1;
    }
    // Neither the host nor what follows from the address is left out in a later request.
    assert_eq!(places, BTreeMap::from([("http.host", 2), ("url.host", 2)]), "{alerts:?}");
    let ids: BTreeSet<&str> = alerts.iter().map(|alert| alert["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), alerts.len(), "{ids:?}");
    let again = run();
    let again: BTreeSet<&str> = again.iter().map(|alert| alert["id"].as_str().unwrap()).collect();
    assert_eq!(again, ids, "the same in every run");
}
