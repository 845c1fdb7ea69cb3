//! What is believed: flagged indicators, named readers, votes by weight, digests of one file,
//! pulses that are like others, appeals.

use super::inside::{Inside, Told};
use serde_json::{Value, json};
use wiresift::exchange::accounts::{Rank, Role, UserId};
use wiresift::exchange::http::Method;
use wiresift::exchange::site::Quotas;

/// A value that is on a built-in warning list.
const FLAGGED: &str = "windowsupdate.com";

fn post(inside: &Inside, target: &str, key: &str, body: &Value) -> Told {
    inside.ask(Method::Post, target, key, &body.to_string())
}

/// Every text that somebody's machines may get of alice's pulses.
fn everything(inside: &Inside, id: &str, key: &str) -> Vec<(String, String)> {
    let mut targets: Vec<String> = [
        "/api/v1/pulses/subscribed",
        "/api/v1/pulses/activity",
        "/api/v1/pulses/user/alice",
        "/api/v1/indicators/export",
    ]
    .map(String::from)
    .into();
    targets.push(format!("/api/v1/pulses/{id}"));
    targets.push(format!("/api/v1/pulses/{id}/indicators"));
    targets.push("/taxii/root/collections/user_alice/objects/".into());
    targets.push("/taxii/root/collections/subscribed/objects/".into());
    // The server names its formats, so that none is forgotten here.
    let told = inside.get("/feeds/user/alice/nothing", key);
    let formats = told.body.split("expected one of ").nth(1).unwrap().trim().to_string();
    assert!(formats.split(", ").count() > 10, "{formats}");
    for scope in ["user/alice", "public", "subscribed"] {
        targets.extend(formats.split(", ").map(|format| format!("/feeds/{scope}/{format}")));
    }
    let manifest = inside.get("/feeds/user/alice/misp/manifest.json", key).json();
    for uuid in manifest.as_object().unwrap().keys() {
        targets.push(format!("/feeds/user/alice/misp/{uuid}.json"));
    }
    let accept = ("accept", "application/taxii+json;version=2.1".to_string());
    let ask = |target: String| {
        let mut headers = vec![("x-otx-api-key", key.to_string())];
        if target.starts_with("/taxii") {
            headers.push(accept.clone());
        }
        let told = inside.ask_with(Method::Get, &target, &headers, "");
        assert_eq!(told.status, 200, "{target}: {}", told.body);
        (target, told.body)
    };
    targets.into_iter().map(ask).collect()
}

/// Whether an answer has a value for machines. An event of MISP lists what is not to be detected,
/// too, and says so.
fn has(target: &str, body: &str, value: &str) -> bool {
    if target.starts_with("/api/v1/pulses/") {
        return has_unflagged(&serde_json::from_str(body).unwrap(), value);
    }
    if !target.contains("/misp/") || target.ends_with("manifest.json") {
        return body.contains(value);
    }
    match serde_json::from_str::<Value>(body) {
        Err(_) => body.contains(value),
        Ok(event) => event["Event"]["Attribute"]
            .as_array()
            .unwrap()
            .iter()
            .any(|of| of["value"] == value && of["to_ids"] == true && of["deleted"] != true),
    }
}

/// Whether a value is in an answer of the API of OTX, and not marked as one to be left out.
fn has_unflagged(body: &Value, value: &str) -> bool {
    match body {
        Value::Array(list) => list.iter().any(|of| has_unflagged(of, value)),
        Value::Object(of) => {
            let is_value = of.get("indicator").is_some_and(|text| text == value);
            is_value && of.get("is_flagged") != Some(&json!(true))
                || of.values().any(|of| has_unflagged(of, value))
        }
        _ => false,
    }
}

/// An export that took long to make is good for a while after a change, so that what was asked may
/// have to be asked again.
#[track_caller]
fn settles(count: impl Fn() -> usize, want: usize) {
    for _ in 0..50 {
        if count() == want {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert_eq!(count(), want);
}

#[test]
fn flagged_indicators_wait_for_two_in_every_export() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Trusted);
    let (_, bob) = inside.account("bob", Role::Member);
    let (_, carol) = inside.account("carol", Role::Trusted);
    let body = json!({
        "name": "A pulse with a popular name", "public": true, "indicators": [
            {"indicator": FLAGGED, "type": "domain"}, {"indicator": "evil.example", "type": "domain"},
        ],
    });
    let id = inside.create(&alice, &body);
    assert_eq!(inside.get("/api/v1/users/alice/subscribe", &bob).status, 200);
    let count = |value: &str| {
        let all = everything(&inside, &id, &bob);
        all.iter().filter(|(target, body)| has(target, body, value)).count()
    };
    let (flagged, evil) = (count(FLAGGED), count("evil.example"));
    let bad: Vec<String> = everything(&inside, &id, &bob)
        .into_iter()
        .filter(|(target, body)| has(target, body, FLAGGED))
        .map(|(target, _)| target)
        .collect();
    assert_eq!(bad, Vec::<String>::new());
    assert!(flagged == 0 && evil > 20, "{evil}");
    // Its author sees it, and why it is kept.
    let own = inside.get(&format!("/api/v1/pulses/{id}"), &alice).body;
    assert!(own.contains(FLAGGED), "{own}");
    let list = inside.get(&format!("/api/v2/pulses/{id}/flagged"), &bob).json();
    let row = &list["results"][0];
    assert_eq!((&row["indicator"], &row["is_confirmed"]), (&json!(FLAGGED), &json!(false)));
    assert_eq!(row["validation"][0]["source"], "whitelist");
    let target = format!("/api/v2/pulses/{id}/flagged/{}/confirm", row["id"]);
    let confirm = |key: &str| {
        let told = post(&inside, &target, key, &json!({"reason": "sinkholed by us"}));
        (told.status, told.json()["status"].as_str().unwrap_or_default().to_string())
    };
    assert_eq!(confirm(&bob).0, 403);
    // One is not enough, however often; and a trusted author cannot agree with itself.
    assert_eq!(confirm(&carol), (200, "pending".into()));
    assert_eq!(confirm(&carol), (200, "pending".into()));
    assert_eq!(count(FLAGGED), 0);
    assert_eq!(confirm(&alice), (200, "exported".into()));
    settles(|| count(FLAGGED), evil);
    // An accepted false positive is final, also in pulses that come later.
    let (_, judge) = inside.account("judge", Role::Moderator);
    let report = format!("/api/v2/indicators/domain/{FLAGGED}/false_positive");
    let report = post(&inside, &report, &bob, &json!({"reason": "ours"})).json();
    let accept = format!("/api/v2/reports/{}/accept", report["id"]);
    assert_eq!(post(&inside, &accept, &judge, &json!({})).status, 200);
    settles(|| count(FLAGGED), 0);
    assert_eq!(confirm(&alice).0, 403);
    inside.create(&alice, &body);
    assert_eq!(count(FLAGGED), 0);
}

#[test]
fn a_trusted_author_confirms_for_itself_alone() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Trusted);
    let (_, carol) = inside.account("carol", Role::Trusted);
    let indicators = json!([{"indicator": FLAGGED, "type": "domain"}]);
    let id = inside
        .create(&alice, &json!({"name": "A pulse", "public": true, "indicators": indicators}));
    let list = inside.get(&format!("/api/v2/pulses/{id}/flagged"), &alice).json();
    let target = format!("/api/v2/pulses/{id}/flagged/{}/confirm", list["results"][0]["id"]);
    let told = post(&inside, &target, &alice, &json!({"reason": "mine"}));
    assert_eq!(told.json()["status"], "pending");
    let waiting = |key: &str| inside.get("/api/v2/flagged", key).json()["results"].clone();
    assert_eq!(waiting(&alice), json!([]), "its own is not for the author to agree with");
    assert_eq!(waiting(&carol)[0]["reason"], "mine");
    let told = post(&inside, &target, &carol, &json!({"reason": "checked"}));
    assert_eq!(told.json()["status"], "exported");
    assert_eq!(waiting(&carol), json!([]));
}

fn named(inside: &Inside, id: &str, method: Method, name: &str, key: &str) -> u16 {
    inside.ask(method, &format!("/api/v2/pulses/{id}/readers/{name}"), key, "").status
}

#[test]
fn red_pulses_are_for_those_that_they_name() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let (_, eve) = inside.account("eve", Role::Member);
    let indicators = json!([{"indicator": "zqred.example", "type": "domain"}]);
    let body =
        json!({"name": "A red pulse", "public": false, "TLP": "red", "indicators": indicators});
    let id = inside.create(&alice, &body);
    let target = format!("/api/v1/pulses/{id}");
    assert_eq!(named(&inside, &id, Method::Put, "bob", &eve), 404);
    assert_eq!(named(&inside, &id, Method::Put, "nobody", &alice), 404);
    assert_eq!(named(&inside, &id, Method::Put, "bob", &alice), 200);
    assert_eq!(inside.get(&target, &bob).status, 200);
    assert_eq!(inside.get(&target, &eve).status, 404);
    // A reader learns neither the other readers nor may it name more.
    let readers = format!("/api/v2/pulses/{id}/readers");
    assert_eq!(inside.get(&readers, &alice).json()["results"], json!(["bob"]));
    assert_eq!(inside.get(&readers, &bob).status, 403);
    assert_eq!(inside.get(&readers, &eve).status, 404);
    assert_eq!(named(&inside, &id, Method::Put, "eve", &bob), 403);
    let revisions = inside.get(&format!("/api/v2/pulses/{id}/revisions"), &bob).body;
    assert!(revisions.contains("\"readers\":[0,1]") && !revisions.contains("bob"), "{revisions}");
    assert_eq!(inside.get(&format!("{target}/subscribe"), &bob).status, 200);
    assert_eq!(inside.get("/feeds/subscribed/list", &bob).body.matches("zqred").count(), 1);
    let clone = inside.ask(Method::Post, &format!("{target}/clone"), &bob, "{}");
    assert_eq!(clone.status, 403, "{}", clone.body);
    // Each read by somebody else is on record.
    let (_, judge) = inside.account("judge", Role::Moderator);
    for path in [format!("{target}/indicators"), format!("/api/v2/pulses/{id}/comments")] {
        assert_eq!(inside.get(&path, &bob).status, 200);
    }
    assert_eq!(inside.get("/api/v1/pulses/subscribed", &bob).status, 200);
    inside.site.storage.write(|_| Ok(())).unwrap();
    let audit = inside.get("/api/v2/audit?limit=200", &judge).json();
    let reads = audit["results"].as_array().unwrap().iter();
    let reads = reads.filter(|of| of["action"] == "pulse.read" && of["object"] == json!(id));
    let reads: Vec<&Value> = reads.filter(|of| of["by"] == "bob").collect();
    assert!(reads.len() >= 5, "{audit}");
    // Who is not named any more has lost it, and is told so.
    assert_eq!(named(&inside, &id, Method::Delete, "bob", &alice), 200);
    assert_eq!(inside.get(&target, &bob).status, 404);
    assert_eq!(inside.get("/feeds/subscribed/list", &bob).body.matches("zqred").count(), 0);
    let events = inside.get("/api/v1/pulses/events", &bob).json();
    let last = events["results"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["action"], &last["object_id"]), (&json!("unsubscribe"), &json!(id)));
}

#[test]
fn copies_do_not_become_more_public() {
    let inside = Inside::new(|_| {});
    let (alice_id, alice) = inside.account("alice", Role::Member);
    let (bob_id, bob) = inside.account("bob", Role::Member);
    let group = inside.group("Friends", alice_id, &[(bob_id, Rank::Post)]);
    let others = inside.group("Others", bob_id, &[]);
    let body = json!({
        "name": "An amber pulse", "public": false, "TLP": "amber", "group_ids": [group.0],
    });
    let id = inside.create(&alice, &body);
    let clone = inside.ask(Method::Post, &format!("/api/v1/pulses/{id}/clone"), &bob, "{}");
    let copy = clone.json()["id"].as_str().unwrap().to_string();
    let target = format!("/api/v1/pulses/{copy}");
    let patch = |body: Value| {
        let told = inside.ask(Method::Patch, &target, &bob, &body.to_string());
        (told.status, told.body)
    };
    for wider in [
        json!({"TLP": "green"}),
        json!({"TLP": "white", "public": true}),
        json!({"public": true}),
        json!({"group_ids": {"add": [others.0]}}),
    ] {
        let (status, told) = patch(wider.clone());
        assert!(matches!(status, 400 | 403), "{wider}: {told}");
    }
    assert_eq!(named(&inside, &copy, Method::Put, "alice", &bob), 403);
    let share = format!("/api/v1/groups/{}/add_pulse?pulse_id={copy}", others.0);
    assert_eq!(inside.get(&share, &bob).status, 403);
    // A copy of the copy is bound as well; higher is always fine.
    let clone = inside.ask(Method::Post, &format!("{target}/clone"), &bob, "{}");
    let again = clone.json()["id"].as_str().unwrap().to_string();
    let body = json!({"TLP": "green"}).to_string();
    let told = inside.ask(Method::Patch, &format!("/api/v1/pulses/{again}"), &bob, &body);
    assert_eq!(told.status, 400, "{}", told.body);
    assert_eq!(patch(json!({"TLP": "red"})).0, 200);
    let own =
        inside.create(&bob, &json!({"name": "A pulse of bob", "public": false, "TLP": "amber"}));
    let body = json!({"TLP": "green", "public": true}).to_string();
    assert_eq!(
        inside.ask(Method::Patch, &format!("/api/v1/pulses/{own}"), &bob, &body).status,
        200
    );
}

/// Makes an account older.
fn age(inside: &Inside, user: UserId, days: i64) {
    let (back, user) = (days * 86_400_000_000, user.0);
    inside.execute(&format!("UPDATE account SET created = created - {back} WHERE id = {user}"));
}

#[test]
fn a_crowd_of_new_accounts_weighs_nothing() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let indicators = json!([{"indicator": "evil.example", "type": "domain"}]);
    let id = inside
        .create(&alice, &json!({"name": "A pulse", "public": true, "indicators": indicators}));
    let on_value = "/api/v2/indicators/domain/evil.example/vote";
    let on_pulse = format!("/api/v2/pulses/{id}/vote");
    let vote =
        |target: &str, key: &str, vote: i64| post(&inside, target, key, &json!({"vote": vote}));
    for at in 0..20 {
        let (_, key) = inside.account(&format!("crowd{at}"), Role::Member);
        assert_eq!(vote(on_value, &key, -1).status, 200);
        assert_eq!(vote(&on_pulse, &key, -1).status, 200);
    }
    let (bob_id, bob) = inside.account("bob", Role::Member);
    age(&inside, bob_id, 365);
    let told = vote(on_value, &bob, 1).json();
    assert_eq!(told, json!({"up": 1, "down": 20, "score": 1.0, "vote": 1}));
    assert_eq!(vote(&on_pulse, &bob, 1).status, 200);
    let votes = inside.get(&format!("/api/v2/pulses/{id}/votes"), &bob).json();
    assert_eq!(votes, json!({"up": 1, "down": 20, "score": 1.0, "vote": 1}));
    // Taken back it is gone; and nobody votes on what it published itself.
    assert_eq!(vote(on_value, &bob, 0).json()["score"], 0.0);
    assert_eq!(vote(on_value, &alice, 1).status, 403);
    assert_eq!(vote(&on_pulse, &alice, 1).status, 403);
    assert_eq!(vote("/api/v2/indicators/domain/unknown.example/vote", &bob, 1).status, 404);
    let about = inside.get("/api/v2/indicators/domain/evil.example/votes", &alice).json();
    assert_eq!((&about["down"], &about["vote"]), (&json!(20), &json!(0)));
}

#[test]
fn a_reputation_shows_its_parts() {
    let inside = Inside::new(|_| {});
    let (alice_id, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let pulse = |key: &str, values: &[&str], public: bool| {
        let indicators: Vec<Value> =
            values.iter().map(|of| json!({"indicator": of, "type": "domain"})).collect();
        inside.create(key, &json!({"name": "A pulse", "public": public, "indicators": indicators}))
    };
    pulse(&alice, &["a.example", "b.example", "c.example", "d.example", FLAGGED], true);
    // Only what everybody may see counts: a hidden pulse of bob corroborates nothing.
    pulse(&bob, &["a.example", "b.example"], true);
    pulse(&bob, &["c.example"], false);
    let (_, judge) = inside.account("judge", Role::Moderator);
    let target = "/api/v2/indicators/domain/d.example/false_positive";
    let report = post(&inside, target, &bob, &json!({"reason": "ours"})).json();
    let accept = format!("/api/v2/reports/{}/accept", report["id"]);
    assert_eq!(post(&inside, &accept, &judge, &json!({})).status, 200);
    age(&inside, alice_id, 45);
    let user = inside.get("/api/v2/users/alice", &bob).json();
    let parts = &user["reputation"];
    let counts = ["indicators", "corroborated", "false_positives", "age_days"];
    assert_eq!(counts.map(|name| parts[name].as_i64().unwrap()), [4, 2, 1, 45], "{user}");
    assert_eq!((&parts["corroborated_share"], &parts["sample"]), (&json!(0.5), &json!(1000)));
    // Half of the age, and a twentieth of two times two less one of at least twenty.
    assert_eq!(parts["weight"], json!(0.55));
    assert_eq!(inside.get("/api/v2/users/nobody", &bob).status, 404);
}

#[test]
fn one_digest_leads_to_the_others() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let (md5, sha1, sha256) = ("1".repeat(32), "2".repeat(40), "3".repeat(64));
    let indicators = json!([
        {"indicator": sha256, "type": "FileHash-SHA256", "hashes": {"MD5": md5, "SHA-1": sha1}},
    ]);
    let body = json!({"name": "A file", "public": true, "indicators": indicators});
    let id = inside.create(&alice, &body);
    let about = |digest: &str, key: &str| {
        inside.get(&format!("/api/v1/indicators/file/{digest}/general"), key).json()
    };
    for digest in [&md5, &sha1, &sha256] {
        let told = about(digest, &bob);
        assert_eq!(told["pulse_info"]["count"], 1, "{told}");
        assert_eq!(told["pulse_info"]["pulses"][0]["id"], json!(id));
        assert_eq!(told["siblings"].as_array().unwrap().len(), 2, "{told}");
    }
    // As pulses of OTX say it; who does not see the pulse does not see the claim.
    let (other_md5, other_sha1) = ("4".repeat(32), "5".repeat(40));
    let indicators = json!([
        {"indicator": other_md5, "type": "FileHash-MD5", "title": format!("MD5 of {other_sha1}")},
    ]);
    inside
        .create(&alice, &json!({"name": "Hidden file", "public": false, "indicators": indicators}));
    assert_eq!(about(&other_sha1, &alice)["pulse_info"]["count"], 1);
    let told = about(&other_sha1, &bob);
    assert_eq!((&told["pulse_info"]["count"], &told["siblings"]), (&json!(0), &json!([])));
    // A file has one MD5: a second claim changes nothing.
    let indicators = json!([
        {"indicator": "6".repeat(32), "type": "FileHash-MD5", "hashes": {"SHA-256": sha256}},
    ]);
    inside.create(&bob, &json!({"name": "Another", "public": true, "indicators": indicators}));
    assert_eq!(about(&sha256, &bob)["siblings"].as_array().unwrap().len(), 2);
    // Bad digests are refused with their place.
    let wrong = json!([{"indicator": md5, "type": "FileHash-MD5", "hashes": {"SHA-1": "x"}}]);
    let told = post(
        &inside,
        "/api/v1/pulses/create",
        &bob,
        &json!({"name": "Wrong", "indicators": wrong}),
    );
    assert!(told.status == 400 && told.body.contains("hashes"), "{}", told.body);
    assert_eq!(inside.get(&format!("/api/v1/pulses/{id}/delete"), &alice).status, 200);
    assert_eq!(about(&sha1, &alice)["siblings"], json!([]));
}

#[test]
fn a_submitted_file_is_known_by_all_its_digests() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let form = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc\r\n--XX--\r\n";
    let headers = [
        ("x-otx-api-key", alice.clone()),
        ("content-type", "multipart/form-data; boundary=XX".to_string()),
    ];
    let target = "/api/v1/indicators/submit_file";
    assert_eq!(inside.ask_with(Method::Post, target, &headers, form).status, 200);
    // RFC 1321: the MD5 of “abc”.
    let md5 = "900150983cd24fb0d6963f7d28e17f72";
    let about =
        |key: &str| inside.get(&format!("/api/v1/indicators/file/{md5}/general"), key).json();
    let siblings = about(&alice)["siblings"].clone();
    assert_eq!(siblings[0]["indicator"], "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(siblings[1]["type"], "FileHash-SHA256");
    assert_eq!(about(&bob)["siblings"], json!([]));
}

#[test]
fn spam_of_new_accounts_waits_for_moderators() {
    let inside = Inside::new(|settings| {
        settings.quotas = Quotas { pulses: 50, indicators: 5000, days: 14 };
    });
    let (_, spam) = inside.account("spam", Role::Member);
    let (_, more) = inside.account("more", Role::Member);
    let (_, judge) = inside.account("judge", Role::Moderator);
    let text = "cheap pills and watches, visit our shop at the end of the street today, all \
                brands, all sizes, delivery within two days, satisfaction guaranteed, come in";
    let create = |key: &str, text: &str| {
        let body = json!({"name": "Best shop of the town", "public": true, "description": text});
        let told = post(&inside, "/api/v1/pulses/create", key, &body);
        assert_eq!(told.status, 201, "{}", told.body);
        (told.json()["id"].as_str().unwrap().to_string(), told.json()["locked"] == true)
    };
    assert!(!create(&spam, text).1);
    let (copy, is_held) = create(&more, &text.replace("two days", "2 days"));
    assert!(is_held);
    assert_eq!(inside.get(&format!("/api/v1/pulses/{copy}"), &spam).status, 404);
    let queue = inside.get("/api/v2/reports", &judge).json();
    let row = &queue["results"][0];
    assert_eq!(row["pulse"], json!(copy));
    assert!(row["reason"].as_str().unwrap().starts_with("nearly the same as"), "{row}");
    let reject = format!("/api/v2/reports/{}/reject", row["id"]);
    assert_eq!(post(&inside, &reject, &judge, &json!({})).status, 200);
    assert_eq!(inside.get(&format!("/api/v1/pulses/{copy}"), &spam).status, 200);
    let other = "an analysis of a loader that was seen in mails to banks, with the domains that it \
                 asks for its configuration, and what its operators did after they got in";
    assert!(!create(&more, other).1);
}

#[test]
fn whoever_is_blocked_can_appeal() {
    let inside = Inside::new(|settings| settings.anonymous_read = true);
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, judge) = inside.account("judge", Role::Moderator);
    let indicators = json!([{"indicator": "mine.example", "type": "domain"}]);
    let body = json!({"name": "A pulse", "public": true, "TLP": "white", "indicators": indicators});
    inside.create(&alice, &body);
    let about = inside.get("/api/v1/indicators/domain/mine.example/general", "").json();
    assert_eq!(about["pulse_info"]["count"], 1);
    let appeal = |value: &str| {
        let body =
            json!({"indicator": value, "contact": "me@mine.example", "reason": "it is clean"});
        let told = post(&inside, "/api/v2/appeals", "", &body);
        (told.status, told.body)
    };
    // What is known and what is not answer alike, and twice is once.
    let answers = ["mine.example", "mine.example", "unknown.example"].map(appeal);
    assert!(answers.iter().all(|of| *of == answers[0] && of.0 == 202), "{answers:?}");
    assert_eq!(appeal("").0, 400);
    let list = inside.get("/api/v2/appeals", &judge).json();
    let rows = list["results"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["indicator"]), (1, &json!("mine.example")), "{list}");
    assert_eq!(inside.get("/api/v2/appeals", &alice).status, 403);
    let accept = format!("/api/v2/appeals/{}/accept", rows[0]["id"]);
    assert_eq!(post(&inside, &accept, &judge, &json!({})).status, 200);
    assert_eq!(post(&inside, &accept, &judge, &json!({})).status, 404);
    assert!(!inside.get("/feeds/user/alice/list", &alice).body.contains("mine.example"));
    // Without readers among strangers, there are no appeals of strangers.
    let closed = Inside::new(|_| {});
    assert_eq!(post(&closed, "/api/v2/appeals", "", &json!({})).status, 403);
}

/// Suspending an author takes its indicators from every export with the next request.
#[test]
fn one_switch_silences_an_author() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let (_, judge) = inside.account("judge", Role::Moderator);
    let indicators = json!([{"indicator": "evil.example", "type": "domain"}]);
    let id = inside
        .create(&alice, &json!({"name": "A pulse", "public": true, "indicators": indicators}));
    assert_eq!(inside.get("/api/v1/users/alice/subscribe", &bob).status, 200);
    let exported = |target: &str| inside.get(target, &bob).body.contains("evil.example");
    let targets = [
        "/feeds/subscribed/list",
        "/feeds/public/csv",
        "/api/v1/pulses/subscribed",
        "/api/v1/indicators/export",
    ];
    assert!(targets.iter().all(|target| exported(target)));
    let switch = |action: &str| {
        let target = format!("/api/v2/users/alice/{action}");
        post(&inside, &target, &judge, &json!({})).status
    };
    assert_eq!(switch("suspend"), 200);
    assert!(!targets.iter().any(|target| exported(target)));
    assert_eq!(inside.get(&format!("/api/v1/pulses/{id}"), &bob).status, 404);
    assert_eq!(inside.get("/api/v1/user/", &alice).status, 403);
    assert_eq!(switch("resume"), 200);
    assert!(targets.iter().all(|target| exported(target)));
    // A moderator does not switch off another, or an admin.
    let told = post(&inside, "/api/v2/users/judge/suspend", &judge, &json!({}));
    assert_eq!(told.status, 403, "{}", told.body);
}

/// What is refused at creation is refused in changes, too, and copies count.
#[test]
fn changes_are_held_to_the_rules_of_creation() {
    let inside = Inside::new(|settings| {
        settings.quotas = Quotas { pulses: 5, indicators: 3, days: 14 };
    });
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, carol) = inside.account("carol", Role::Trusted);
    let card = "paid with 4111 1111 1111 1111";
    let id =
        inside.create(&alice, &json!({"name": "A draft", "public": false, "description": card}));
    let patch = |body: Value| {
        inside.ask(Method::Patch, &format!("/api/v1/pulses/{id}"), &alice, &body.to_string()).status
    };
    assert_eq!(patch(json!({"public": true})), 400);
    assert_eq!(patch(json!({"public": true, "confirm": ["a card number"]})), 200);
    assert_eq!(patch(json!({"name": "Still with 4111 1111 1111 1111"})), 400);
    let indicators: Vec<Value> = (0..4)
        .map(|at| json!({"indicator": format!("h{at}.example"), "type": "hostname"}))
        .collect();
    let large =
        inside.create(&carol, &json!({"name": "Large", "public": true, "indicators": indicators}));
    let told = inside.ask(Method::Post, &format!("/api/v1/pulses/{large}/clone"), &alice, "{}");
    assert_eq!(told.status, 429, "{}", told.body);
}

/// Pulses of a group are in the feeds of its members: nobody becomes one by the will of another.
#[test]
fn nobody_is_made_a_member_unasked() {
    let inside = Inside::new(|_| {});
    let (alice_id, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let (_, eve) = inside.account("eve", Role::Member);
    let group = inside.group("Friends", alice_id, &[]).0;
    let body = json!({"name": "For friends", "public": false, "group_ids": [group], "indicators": [
        {"indicator": "pushed.example", "type": "domain"},
    ]});
    inside.create(&alice, &body);
    let member = format!("/api/v2/groups/{group}/members/bob");
    let told = inside.ask(Method::Put, &member, &alice, r#"{"rank": "read"}"#);
    assert_eq!(told.json()["status"], "invited");
    let feed = || inside.get("/api/v1/pulses/subscribed", &bob).json()["count"].clone();
    assert_eq!(feed(), 0);
    let notice = inside.get("/api/v2/notifications", &bob).json();
    assert_eq!(notice["results"][0]["kind"], "group_invitation");
    let join = format!("/api/v2/groups/{group}/join");
    assert_eq!(post(&inside, &join, &eve, &json!({})).status, 404);
    assert_eq!(post(&inside, &join, &bob, &json!({})).status, 200);
    assert_eq!(feed(), 1);
    assert_eq!(post(&inside, &join, &bob, &json!({})).status, 404);
    // A member's rank changes at once; whoever leaves needs another invitation.
    let told = inside.ask(Method::Put, &member, &alice, r#"{"rank": "post"}"#);
    assert_eq!(told.json()["status"], "ok");
    assert_eq!(inside.ask(Method::Put, &member, &bob, r#"{"rank": null}"#).status, 200);
    assert_eq!((feed(), post(&inside, &join, &bob, &json!({})).status), (json!(0), 404));
}
