//! The beginning, lists, searches, and what is known of a value.

use super::reader::{Reader, account};
use crate::exchange::inside::Inside;
use serde_json::json;
use wiresift::exchange::accounts::Role;
use wiresift::exchange::http::Method;

/// A site that everybody may read, with pulses of two authors.
fn scene() -> (Inside, String, String) {
    let inside = Inside::new(|settings| settings.anonymous_read = true);
    let (_, bob) = inside.account("bob", Role::Member);
    let (_, carol) = inside.account("carol", Role::Member);
    for at in 0..24 {
        let body = json!({
            "name": format!("Pulse number {at:02}"), "TLP": "clear", "tags": ["many", format!("t{}", at % 3)],
            "indicators": [{"type": "hostname", "indicator": format!("h{at}.evil.com")}],
        });
        inside.create(&bob, &body);
    }
    let body = json!({
        "name": "Loader of Paper Heron", "TLP": "clear", "adversary": "Paper Heron",
        "malware_families": ["QuillRat"], "indicators": [
            {"type": "IPv4", "indicator": "192.0.2.7", "role": "command_and_control"},
            {"type": "CIDR", "indicator": "198.51.100.0/24"},
            {"type": "domain", "indicator": "evil.com"},
            {"type": "URL", "indicator": "http://www.evil.com/a?b=c&d"},
            {"type": "domain", "indicator": "google.com"},
        ],
    });
    inside.create(&carol, &body);
    (inside, bob, carol)
}

#[test]
fn nobodys_first_look_is_empty() {
    let (inside, bob, _) = scene();
    let mut stranger = Reader::new(&inside);
    let page = stranger.get("/");
    assert!(page.text().contains("People share here"), "{}", page.text());
    assert_eq!(page.texts(".card").len(), 6);
    let mut alice = Reader::signed_in(&inside, "alice");
    let page = alice.get("/");
    assert!(page.text().contains("No sensor of yours reports here yet"), "{}", page.text());
    // A first pulse in three clicks: sign in, and one button.
    let action = page.attributes(".card form", "action")[0].clone();
    let page = alice.submit(&action, &[("want", "1")]);
    assert_eq!((page.path.as_str(), page.texts(".notice").len()), ("/?done=subscribed", 1));
    assert!(page.texts("h2").contains(&"New in what you subscribe to".to_string()));
    let hidden = Inside::new(|_| {});
    let (_, key) = hidden.account("bob", Role::Member);
    hidden.create(&key, &json!({"name": "Green pulse"}));
    assert!(Reader::new(&hidden).get("/").texts(".card").is_empty());
    drop(bob);
}

#[test]
fn what_the_own_sensors_saw() {
    let inside = Inside::new(|_| {});
    let mut alice = Reader::signed_in(&inside, "alice");
    let key = inside.key_of("alice");
    let alert = |id: u32, machine: &str| {
        json!({
            "id": format!("a{id}"), "severity": 4, "host": "sensor-1",
            "seen": {"kind": "domain", "value": "cdn.evil.com"},
            "indicators": [{"value": "evil.com", "sources": [{"feed": "otx", "collection": "Heron"}]}],
            "packet": {"src_ip": machine},
        })
    };
    let body = json!([alert(1, "10.0.0.5"), alert(2, "10.0.0.6"), alert(3, "10.0.0.6")]);
    let told = inside.ask(Method::Post, "/api/v2/alerts", &key, &body.to_string());
    assert_eq!(told.status, 200, "{}", told.body);
    let page = alice.get("/");
    let said = page.texts(".summary").join(" ");
    assert_eq!(
        said,
        "In the last 24 hours, there were 3 hits on one known bad value by 2 of your machines, as one sensor reports."
    );
    assert_eq!(page.texts(".chart > svg rect").len(), 24);
    let worst = page.texts("section > .table tbody tr");
    assert!(worst[0].contains("Critical") && worst[0].contains("evil[.]com"), "{worst:?}");
    assert!(worst[0].contains("10.0.0.") && worst[0].contains("Heron"), "{worst:?}");
}

#[test]
fn lists_are_addresses() {
    let (inside, ..) = scene();
    let mut reader = Reader::new(&inside);
    let page = reader.get("/browse");
    assert_eq!(
        (page.texts(".card").len(), page.texts("section > h2")[0].as_str()),
        (20, "25 pulses")
    );
    assert_eq!(page.texts(".card h3")[0], "Loader of Paper Heron");
    let next = page.attributes("a[rel=next]", "href")[0].clone();
    let page = reader.get(&next);
    assert_eq!(page.texts(".card").len(), 5);
    let page = reader.get("/browse");
    let tags = page.texts(".facet a");
    assert!(
        tags.contains(&"many24".to_string()) && tags.contains(&"bob24".to_string()),
        "{tags:?}"
    );
    // Filters add up, and each can be taken away again.
    let page = reader.get("/browse?tag=t1&author=bob");
    assert_eq!(page.texts(".card").len(), 8);
    let page = reader.submit("/browse", &[("q", "number 04")]);
    assert_eq!(
        (page.texts(".card h3"), page.texts(".why").len()),
        (vec!["Pulse number 04".to_string()], 1)
    );
    assert!(page.path.contains("tag=t1") && page.path.contains("author=bob"), "{}", page.path);
    let page = reader.get("/browse?q=quillrat&sort=&age=&type=");
    assert_eq!(page.texts(".why"), ["Found in: Malware"]);
    for empty in ["tlp=red", "author=nobody", "type=CVE", "tag=none", "q=zebra"] {
        let page = reader.get(&format!("/browse?{empty}"));
        assert!(page.texts(".card").is_empty(), "{empty}");
        assert!(page.text().contains("Take something away"), "{empty}");
    }
    assert_eq!(reader.get("/browse?type=CIDR&tlp=clear&age=day").texts(".card").len(), 1);
    let page = reader.get("/browse?sort=popular");
    let next = page.attributes("a[rel=next]", "href")[0].clone();
    assert_eq!(reader.get(&next).texts(".card").len(), 5);
}

#[test]
fn a_value_in_any_writing_goes_to_its_page() {
    let (inside, ..) = scene();
    let mut reader = Reader::new(&inside);
    for (text, title) in [
        ("192.0.2.7", "192[.]0[.]2[.]7"),
        ("192[.]0[.]2[.]7", "192[.]0[.]2[.]7"),
        (" hxxp://www.evil[.]com/a?b=c&d ", "hxxp://www[.]evil[.]com/a?b=c&d"),
        ("EVIL.com", "evil[.]com"),
        ("198.51.100.0/24", "198[.]51[.]100[.]0/24"),
        ("d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"),
        ("paper heron", "Browse"),
    ] {
        reader.get("/browse");
        let page = reader.submit("/search", &[("q", text)]);
        assert_eq!((page.status, page.texts("h1")), (200, vec![title.to_string()]), "{text}");
    }
}

#[test]
fn verdicts_have_reasons_and_doubts() {
    let (inside, bob, _) = scene();
    let mut reader = Reader::new(&inside);
    let verdict = |reader: &mut Reader<'_>, path: &str| {
        let page = reader.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        page.texts(".verdict").join(" ").replace(['\u{2068}', '\u{2069}'], "")
    };
    let one = verdict(&mut reader, "/indicator/IPv4/192.0.2.7");
    for part in ["Reported as bad", "One author", "command and control", "Nobody else confirms"] {
        assert!(one.contains(part), "{part}: {one}");
    }
    let body = json!({
        "name": "Seen here, too", "TLP": "clear",
        "indicators": [{"type": "IPv4", "indicator": "192.0.2.7"}],
    });
    inside.create(&bob, &body);
    let two = verdict(&mut reader, "/indicator/IPv4/192.0.2.7");
    assert!(two.contains("Known to be bad") && two.contains("2 independent authors"), "{two}");
    let doubtful = verdict(&mut reader, "/indicator/domain/google.com");
    assert!(
        doubtful.contains("probably a false alarm") && doubtful.contains("Popular"),
        "{doubtful}"
    );
    let unknown = verdict(&mut reader, "/indicator/IPv4/203.0.113.9");
    assert!(unknown.contains("Nobody here has reported it"), "{unknown}");
    assert!(unknown.contains("does not mean that it is harmless"), "{unknown}");
    let around = verdict(&mut reader, "/indicator/IPv4/198.51.100.77");
    assert!(around.contains("something around it is"), "{around}");
    assert!(reader.page.text().contains("198[.]51[.]100[.]0/24"));
    // A URL as links in threads have it, and as ours.
    for path in [
        "/indicator/url/http://www.evil.com/a?b=c&d",
        "/indicator/url/http%3A%2F%2Fwww.evil.com%2Fa%3Fb%3Dc%26d?done=voted",
    ] {
        let url = verdict(&mut reader, path);
        assert!(url.contains("Reported as bad"), "{url}");
    }
    assert!(reader.page.text().contains("Around it"), "{}", reader.page.text());
    for (path, status) in [("/indicator/IPv4/10.0.0.1", 400), ("/indicator/nothing/x", 404)] {
        assert_eq!(reader.get(path).status, status, "{path}");
    }
}

#[test]
fn readers_vote_and_report_false_alarms() {
    let (inside, ..) = scene();
    account(&inside, "judge", Role::Moderator);
    let mut alice = Reader::signed_in(&inside, "alice");
    alice.get("/indicator/domain/evil.com");
    let page = alice.submit("/indicator/domain/evil.com/vote", &[("vote", "-1")]);
    assert_eq!(page.texts(".notice"), ["Your vote counts."], "{}", page.text());
    assert!(page.text().contains("One reader thinks that it is harmless"), "{}", page.text());
    let path = "/indicator/domain/evil.com/false_positive";
    let page = alice.submit(path, &[("reason", " ")]);
    assert_eq!((page.status, page.texts("#reason-error").len()), (400, 1));
    let page = alice.submit(path, &[("reason", "It is our own shop.")]);
    assert_eq!(page.texts(".notice"), ["Thank you. The moderators look at it."]);
    let judge = inside.key_of("judge");
    let reports = inside.get("/api/v2/reports", &judge).json();
    let number = reports["results"][0]["id"].as_i64().unwrap();
    let accept = format!("/api/v2/reports/{number}/accept");
    assert_eq!(inside.ask(Method::Post, &accept, &judge, "").status, 200);
    let page = alice.get("/indicator/domain/evil.com");
    assert!(page.texts(".verdict").join(" ").contains("A false alarm"), "{}", page.text());
}
