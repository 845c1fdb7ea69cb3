//! TAXII, as OASIS's client and our own see it.

use super::running::Running;
use crate::feeds::exchanges::python::python;
use crate::harness::document_store::{Memory, StillClock};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use wiresift::intel::feed::client::{Exchange, taxii};
use wiresift::intel::feed::fetch::{Access, Caps, Client, Url};
use wiresift::intel::feed::{Collected, Options};

const NOW: &str = "2026-12-01T00:00:00Z";

fn script(python: &std::path::Path, script: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(python);
    let output =
        command.args(["-c", script]).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// A pulse with hosts from `first`.
fn pulse(name: &str, first: usize, count: usize) -> Value {
    let hosts = (first..first + count)
        .map(|host| json!({"type": "hostname", "indicator": format!("h{host}.example")}));
    json!({"name": name, "TLP": "green", "public": true, "indicators": hosts.collect::<Vec<_>>(),
        "malware_families": ["Emotet"]})
}

#[test]
fn the_client_of_oasis_reads_and_writes() {
    let test = "exchange::taxii::the_client_of_oasis_reads_and_writes";
    let Some(python) = python(test, &["taxii2-client"]) else { return };
    let exchange = Running::start(&["alice", "bob"]);
    for number in 0..10 {
        exchange.create("alice", &pulse(&format!("Pulse {number}"), number * 500, 500));
    }
    // 5,000 indicators with a relationship each, and a family, a report for each pulse; and the
    // author.
    let found = script(
        &python,
        r"
import json, sys
from taxii2client.v21 import Server, as_pages
url, key = sys.argv[1:]
server = Server(url + '/taxii2/', user=key, password='x')
root = server.default
assert root.max_content_length > 0 and root.versions == ['application/taxii+json;version=2.1']
collections = {c.title: c for c in root.collections}
public = collections['Public pulses']
assert public.can_read and not public.can_write
ids, pages = [], 0
for page in as_pages(public.get_objects, per_request=700):
    ids += [o['id'] for o in page.get('objects', [])]
    pages += 1
manifest = []
for page in as_pages(public.get_manifest, per_request=1000, type=['indicator']):
    manifest += [o['id'] for o in page.get('objects', [])]
one = public.get_object(manifest[17])
versions = public.object_versions(manifest[17])
inbox = collections['Inbox']
envelope = {'objects': [{'type': 'indicator', 'spec_version': '2.1', 'pattern_type': 'stix',
  'id': 'indicator--6770298f-0fd8-471a-ab8c-1c658a46574e', 'created': '2026-01-01T00:00:00Z',
  'modified': '2026-01-01T00:00:00Z', 'valid_from': '2026-01-01T00:00:00Z',
  'pattern': '[domain-name:value = \'sent.example\']'}]}
status = inbox.add_objects(envelope)
again = inbox.add_objects(envelope)
back = inbox.get_objects()
inbox.delete_object('indicator--6770298f-0fd8-471a-ab8c-1c658a46574e')
print(json.dumps({'ids': len(ids), 'unique': len(set(ids)), 'pages': pages, 'manifest': len(manifest),
  'one': one['objects'][0]['id'] == manifest[17], 'versions': len(versions['versions']),
  'status': [status.status, status.success_count, again.success_count], 'back': len(back['objects']),
  'left': inbox.get_objects()}))
",
        &[&exchange.url, exchange.key("bob")],
    );
    assert_eq!(
        found,
        json!({"ids": 10_021, "unique": 10_021, "pages": 15, "manifest": 5000, "one": true, "versions": 1,
            "status": ["complete", 1, 1], "back": 1, "left": {}})
    );
    let mine = exchange.fetch("bob", "/api/v1/pulses/my");
    assert!(String::from_utf8_lossy(&mine).contains("sent.example"));
}

/// What our client has: values that are to be matched.
fn values(exchange: &Exchange, memory: &Memory) -> BTreeSet<String> {
    let mut found = Collected::default();
    exchange.read(memory, &Options::of_feed("x"), &mut found).unwrap();
    let active = found.indicators.iter().filter(|of| !of.context.inactive);
    active.map(|of| of.value.to_string()).collect()
}

#[test]
fn our_own_client_follows_changes() {
    let exchange = Running::start(&["alice", "bob"]);
    let first = exchange.create("alice", &pulse("First pulse", 0, 1200));
    exchange.create("alice", &pulse("Second pulse", 5000, 3));
    let server = Url::parse(&format!("{}/taxii2/", exchange.url)).unwrap().0;
    let access = Access::default().basic(exchange.key("bob"), "");
    let client = Client::new(&server, access, Caps::default()).unwrap();
    let feed = Exchange::Taxii(taxii::Taxii {
        server,
        collections: vec!["public".into()],
        added_after: None,
    });
    let (mut memory, clock) = (Memory::default(), StillClock::at(NOW));
    feed.walk(&client, &mut memory, &clock).unwrap();
    assert_eq!(values(&feed, &memory).len(), 1203);
    let mut found = Collected::default();
    feed.read(&memory, &Options::of_feed("x"), &mut found).unwrap();
    let context = &found.indicators[0].context;
    assert_eq!(context.malware, ["Emotet"]);
    assert_eq!(context.collection.as_deref(), Some("First pulse"));
    // One is added, one removed.
    let id = exchange.fetch("alice", &format!("/api/v1/pulses/{first}/indicators?limit=1"));
    let id: Value = serde_json::from_slice(&id).unwrap();
    let (id, gone) = (&id["results"][0]["id"], id["results"][0]["indicator"].as_str().unwrap());
    exchange.patch(
        "alice",
        first,
        &json!({"indicators": {
        "add": [{"type": "IPv4", "indicator": "203.0.113.9"}], "remove": [{"id": id}]}}),
    );
    let walked = feed.walk(&client, &mut memory, &clock).unwrap();
    assert_eq!(walked.put, 1);
    let now = values(&feed, &memory);
    assert!(now.contains("203.0.113.9") && !now.contains(gone));
    assert_eq!(now.len(), 1203);
}
