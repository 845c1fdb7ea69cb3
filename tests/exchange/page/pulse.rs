//! A pulse: what is said about it, and what can be done with it.

use super::reader::Reader;
use crate::exchange::inside::Inside;
use serde_json::{Value, json};
use wiresift::exchange::accounts::Role;
use wiresift::exchange::http::Method;
use wiresift::exchange::site::Settings;

/// A site with a pulse of bob's, and his key.
fn scene(change: impl FnOnce(&mut Settings)) -> (Inside, String, String) {
    let inside = Inside::new(change);
    let (_, key) = inside.account("bob", Role::Member);
    let values: Vec<Value> = (0..60)
        .map(|at| json!({"type": "hostname", "indicator": format!("h{at:02}.evil.example")}))
        .chain([
            json!({"type": "IPv4", "indicator": "192.0.2.7", "role": "command_and_control"}),
            json!({"type": "URL", "indicator": "http://evil.example/a?b=c", "title": "Lure"}),
            json!({"type": "IPv4", "indicator": "8.8.8.8"}),
            json!({"type": "domain", "indicator": "old.example", "expiration": "2020-01-01"}),
        ])
        .collect();
    let id = inside.create(
        &key,
        &json!({
            "name": "Invoice lures", "description": "Mails with *invoices*.", "TLP": "clear",
            "adversary": "Paper Heron", "malware_families": ["QuillRat"], "tags": ["phishing"],
            "attack_ids": ["T1566.001"], "references": ["https://reports.example/heron"],
            "indicators": values,
        }),
    );
    (inside, key, id)
}

#[test]
fn what_it_says_in_words() {
    let (inside, _, id) = scene(|settings| settings.anonymous_read = true);
    let mut reader = Reader::new(&inside);
    let page = reader.get(&format!("/pulse/{id}"));
    assert_eq!((page.status, page.texts("h1")), (200, vec!["Invoice lures".to_string()]));
    let summary = page.texts(".summary").join(" ").replace(['\u{2068}', '\u{2069}'], "");
    for part in [
        "2 addresses, 60 host names and one web address",
        "the attacker Paper Heron",
        "The malware is QuillRat",
        "TLP:CLEAR",
        "You may share this with anybody",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    assert_eq!(
        page.attributes(".attack a", "href"),
        ["https://attack.mitre.org/techniques/T1566/001/"]
    );
    assert_eq!(page.texts(".prose em"), ["invoices"]);
    // Whoever is not signed in is told how to subscribe.
    let next = page.attributes(".actions a", "href");
    assert_eq!(next, [format!("/sign-in?next=%2Fpulse%2F{id}")]);
}

#[test]
fn its_indicators_in_pages_and_filtered() {
    let (inside, _, id) = scene(|settings| settings.anonymous_read = true);
    let mut reader = Reader::new(&inside);
    let path = format!("/pulse/{id}");
    let page = reader.get(&path);
    let values = |page: &super::reader::Page| page.texts("tbody .value");
    assert_eq!(values(page).len(), 50);
    assert_eq!(values(page)[0], "h00[.]evil[.]example");
    let next = page.attributes("a[rel=next]", "href")[0].clone();
    let page = reader.get(&next);
    assert_eq!(values(page).len(), 13);
    assert!(page.attributes("a[rel=next]", "href").is_empty());
    // 8.8.8.8 is there, and it is said why nobody's firewall gets it.
    assert!(page.text().contains("Kept out of exports"), "{}", page.text());
    assert!(page.text().contains("Public resolvers"), "{}", page.text());
    let page = reader.get(&format!("{path}?type=IPv4"));
    assert_eq!(values(page), ["192[.]0[.]2[.]7", "8[.]8[.]8[.]8"]);
    let page = reader.submit(&format!("{path}?type=IPv4"), &[("find", "192.0")]);
    assert_eq!(values(page), ["192[.]0[.]2[.]7"]);
    assert!(page.path.contains("type=IPv4"), "{}", page.path);
    let page = reader.get(&format!("{path}?find=lure&real=1"));
    assert_eq!(values(page), ["http://evil.example/a?b=c"]);
    assert!(page.attributes("tbody .value", "href").is_empty());
    assert!(values(reader.get(&format!("{path}?find=old"))).is_empty());
    let page = reader.get(&format!("{path}?find=old&inactive=1"));
    assert_eq!(values(page), ["old[.]example"]);
    assert!(page.text().contains("Expired"));
    // A percent sign is one.
    assert!(values(reader.get(&format!("{path}?find=%25"))).is_empty());
}

#[test]
fn subscribed_in_one_click() {
    let (inside, _, id) = scene(|_| {});
    let mut alice = Reader::signed_in(&inside, "alice");
    alice.get(&format!("/pulse/{id}"));
    let path = format!("/pulse/{id}/subscribe");
    let page = alice.submit(&path, &[]);
    assert_eq!(page.texts(".notice"), ["Subscribed. It goes to your sensors within 30 minutes."]);
    assert_eq!(page.attributes(&format!("form[action='{path}'] input[name=want]"), "value"), ["0"]);
    let page = alice.submit(&path, &[]);
    assert_eq!(page.attributes(&format!("form[action='{path}'] input[name=want]"), "value"), ["1"]);
}

#[test]
fn votes_comments_reports_and_suggestions() {
    let (inside, bob, id) = scene(|_| {});
    let mut alice = Reader::signed_in(&inside, "alice");
    let path = format!("/pulse/{id}");
    alice.get(&path);
    let page = alice.submit(&format!("{path}/vote"), &[("vote", "1")]);
    assert!(page.text().contains("1 found it helpful, 0 did not"), "{}", page.text());
    alice.get(&format!("{path}/comments"));
    let page = alice.submit(&format!("{path}/comments"), &[("text", "   ")]);
    assert_eq!((page.status, page.texts("#text-error").len()), (400, 1));
    let page = alice.submit(&format!("{path}/comments"), &[("text", "Seen **here**, too.")]);
    assert_eq!(page.texts(".comment .prose"), ["Seen here, too."]);
    assert_eq!(page.texts(".comment strong"), ["alice", "here"]);
    let delete = page.attributes(".comment form", "action")[0].clone();
    let page = alice.submit(&delete, &[]);
    assert!(page.texts(".comment").is_empty());
    alice.get(&format!("{path}/report"));
    let page = alice.submit(&format!("{path}/report"), &[("reason", "It is spam.")]);
    assert_eq!(page.texts(".notice"), ["Thank you. The moderators look at it."]);
    alice.get(&format!("{path}/suggest"));
    let page = alice.submit(&format!("{path}/suggest"), &[("reason", "Because.")]);
    assert_eq!(page.status, 400);
    assert!(page.text().contains("at least one thing"), "{}", page.text());
    let filled = [("add", "more[.]evil[.]com\n"), ("tags", "a, b"), ("reason", "Because.")];
    let page = alice.submit(&format!("{path}/suggest"), &filled);
    assert_eq!(page.status, 200, "{}", page.text());
    let list = inside.get(&format!("/api/v2/pulses/{id}/suggestions"), &bob).json();
    let patch = &list["results"][0]["patch"];
    let added = json!([{"indicator": "more.evil.com", "type": "hostname"}]);
    assert_eq!((&patch["indicators"]["add"], &patch["tags"]["add"]), (&added, &json!(["a", "b"])));
}

#[test]
fn history_relations_exports_and_copies() {
    let (inside, bob, id) = scene(|_| {});
    let patch = json!({
        "description": "Changed.", "reason": "It was wrong.",
        "indicators": {"add": [{"type": "domain", "indicator": "new.example"}]},
    });
    let told = inside.ask(Method::Patch, &format!("/api/v1/pulses/{id}"), &bob, &patch.to_string());
    assert_eq!(told.status, 200, "{}", told.body);
    let (_, carol) = inside.account("carol", Role::Member);
    let other = json!({
        "name": "Another one", "adversary": "paper heron",
        "indicators": [{"type": "IPv4", "indicator": "192.0.2.7"}],
    });
    inside.create(&carol, &other);
    let mut alice = Reader::signed_in(&inside, "alice");
    let path = format!("/pulse/{id}");
    let page = alice.get(&format!("{path}/history"));
    assert_eq!(page.texts(".history > li").len(), 2);
    assert_eq!(page.texts(".history blockquote"), ["It was wrong."]);
    let changes = page.texts(".history > li:first-child .changes").join(" ");
    assert!(changes.contains("Added 1 value") && changes.contains("Changed."), "{changes}");
    assert_eq!(page.texts(".history del"), ["Mails with *invoices*."]);
    let page = alice.get(&format!("{path}/related"));
    assert_eq!(page.texts(".card h3"), ["Another one"]);
    let why = page.texts(".why").join(" ");
    assert!(why.contains("Paper Heron") && why.contains("192[.]0[.]2[.]7"), "{why}");
    let page = alice.get(&format!("{path}/export"));
    for line in page.texts(".line code") {
        let target = line.split("http://127.0.0.1:8080").nth(1).unwrap();
        assert_eq!(inside.get(target, &bob).status, 200, "{line}");
    }
    alice.get(&format!("{path}/clone"));
    let page = alice.submit(&format!("{path}/clone"), &[("name", "My own copy")]);
    assert_eq!(page.texts("h1"), ["My own copy"]);
    assert_eq!(page.texts(".notice"), ["This is your copy."]);
}
