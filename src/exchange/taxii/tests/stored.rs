//! Pulses as collections, and the feeds beside them, over a storage.

use super::super::{ROUTES, TEST_ROUTES, failure};
use super::{Got, TAXII, request};
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{Role, Scopes, Secret, UserId};
use crate::exchange::http::{Method, Reply};
use crate::exchange::pulses::{Draft, Patch, PulseId};
use crate::exchange::site::{Settings, Site, Warnings, Writers};
use crate::exchange::storage::{NewAccount, Storage};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An exchange with two users.
struct Exchange {
    site: Site,
    keys: [String; 2],
    users: [UserId; 2],
    _dir: tempfile::TempDir,
}

impl Exchange {
    fn new() -> Exchange {
        let dir = tempfile::tempdir().unwrap();
        let (storage, _) = Storage::open(dir.path()).unwrap();
        let settings = Settings {
            test_routes: true,
            per_key: 0,
            writes_per_key: 0,
            per_address: 0,
            ..Settings::default()
        };
        let routes: Vec<_> = [ROUTES, TEST_ROUTES, crate::exchange::export::ROUTES].concat();
        let writers = Writers { taxii: failure, page: |_, _, of| failure(of) };
        let site = Site::new(Arc::new(storage), settings, Warnings::new(&[]), &routes, writers);
        let mut users = Vec::new();
        let mut keys = Vec::new();
        for name in ["alice", "bob"] {
            let secret = Secret::new().unwrap();
            let account = NewAccount {
                name: name.into(),
                email: String::new(),
                role: Role::Member,
                password: None,
            };
            let (prefix, digest) = (secret.prefix().to_string(), secret.digest());
            users.push(
                site.storage
                    .write(move |writes| {
                        let user = writes.create_account(&account)?;
                        writes.add_key(user, ("test", Scopes::ALL), (&prefix, &digest))?;
                        Ok(user)
                    })
                    .unwrap(),
            );
            keys.push(secret.text().to_string());
        }
        Exchange {
            site,
            keys: keys.try_into().unwrap(),
            users: users.try_into().unwrap(),
            _dir: dir,
        }
    }

    fn reply(&self, who: usize, method: Method, target: &str, body: &str) -> Reply {
        let key = &self.keys[who];
        let headers = [("accept", TAXII), ("content-type", TAXII), ("x-otx-api-key", key.as_str())];
        self.site.answer(&request(method, target, &headers, body))
    }

    fn get(&self, who: usize, target: &str) -> Got {
        Got::of(self.reply(who, Method::Get, target, ""))
    }

    fn create(&self, who: usize, body: &Value) -> PulseId {
        let draft = Draft::from_json(body, Timestamp(0)).unwrap();
        let user = self.users[who];
        self.site
            .storage
            .write(move |writes| writes.create_pulse(user, &draft, (true, None)))
            .unwrap()
            .id
    }

    fn patch(&self, who: usize, id: PulseId, body: &Value) {
        let patch = Patch::from_json(body, Timestamp(0)).unwrap();
        let user = self.users[who];
        self.site
            .storage
            .write(move |writes| writes.patch_pulse(user, &id, &patch).map(|_| ()))
            .unwrap();
    }

    /// Every object of a collection, by pages of some size; and the last time.
    fn walk(
        &self,
        who: usize,
        collection: &str,
        query: &str,
        limit: usize,
    ) -> (Vec<Value>, String) {
        self.walk_pages(who, (collection, query), limit, true)
    }

    /// The same, where several objects may have one time.
    fn walk_loosely(
        &self,
        who: usize,
        collection: &str,
        query: &str,
        limit: usize,
    ) -> (Vec<Value>, String) {
        self.walk_pages(who, (collection, query), limit, false)
    }

    fn walk_pages(
        &self,
        who: usize,
        (collection, query): (&str, &str),
        limit: usize,
        is_strict: bool,
    ) -> (Vec<Value>, String) {
        let mut target =
            format!("/taxii/root/collections/{collection}/objects/?limit={limit}{query}");
        let base = target.clone();
        let (mut all, mut last) = (Vec::new(), String::new());
        for _ in 0..10_000 {
            let page = self.get(who, &target);
            assert_eq!(page.status, 200, "{}", page.body);
            if let Some(first) = page.headers.get("x-taxii-date-added-first") {
                assert!(*first > last || !is_strict);
                last = page.headers["x-taxii-date-added-last"].clone();
            }
            all.extend(page.body["objects"].as_array().into_iter().flatten().cloned());
            let Some(next) = page.body["next"].as_str() else { return (all, last) };
            target = format!("{base}&next={next}");
        }
        panic!("there is always more");
    }
}

fn pulse(name: &str, values: &[&str]) -> Value {
    let indicators: Vec<Value> =
        values.iter().map(|value| json!({"type": "hostname", "indicator": value})).collect();
    json!({
        "name": name, "TLP": "green", "public": true, "indicators": indicators,
        "malware_families": ["Emotet", "Qbot"], "adversary": "Bear", "attack_ids": ["T1059"],
    })
}

fn ids(objects: &[Value]) -> BTreeSet<String> {
    objects.iter().map(|object| object["id"].as_str().unwrap().to_string()).collect()
}

fn of_kind<'o>(objects: &'o [Value], kind: &str) -> Vec<&'o Value> {
    objects.iter().filter(|object| object["type"] == kind).collect()
}

#[test]
fn pulses_are_collections() {
    let exchange = Exchange::new();
    exchange.create(0, &pulse("First pulse", &["a.example", "b.example"]));
    exchange.create(0, &pulse("Second pulse", &["c.example"]));
    let found = exchange.get(0, "/taxii2/");
    assert_eq!(found.body["api_roots"], json!(["http://127.0.0.1:8080/taxii/root/"]));
    let listed = exchange.get(0, "/taxii/root/collections/");
    let aliases: Vec<&str> = listed.body["collections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["alias"].as_str().unwrap())
        .collect();
    assert_eq!(aliases, ["subscribed", "public", "user_alice", "inbox"]);
    let (all, last) = exchange.walk(1, "public", "", 1000);
    assert_eq!(of_kind(&all, "indicator").len(), 3);
    assert_eq!(of_kind(&all, "relationship").len(), 3 * 4);
    assert_eq!(of_kind(&all, "report").len(), 2);
    assert_eq!(of_kind(&all, "malware").len(), 4);
    assert_eq!(of_kind(&all, "identity").len(), 1, "one author");
    assert_eq!(ids(&all).len(), all.len(), "no object is there twice");
    // By pages of any size, the same.
    for limit in [1, 2, 3, 5, 7, 100] {
        let (by_pages, _) = exchange.walk(1, "public", "", limit);
        assert_eq!(by_pages, all, "{limit}");
    }
    // By filters; by identifier; by UUID.
    let (indicators, _) = exchange.walk(1, "user_alice", "&match[type]=indicator", 2);
    assert_eq!(indicators.len(), 3);
    let wanted = indicators[1]["id"].as_str().unwrap();
    let one = exchange.get(1, &format!("/taxii/root/collections/public/objects/{wanted}/"));
    assert_eq!((one.status, one.ids()), (200, vec![wanted]));
    let versions =
        exchange.get(1, &format!("/taxii/root/collections/public/objects/{wanted}/versions/"));
    assert_eq!(versions.body["versions"], json!([indicators[1]["modified"]]));
    let uuid = listed.body["collections"][1]["id"].as_str().unwrap();
    assert_eq!(exchange.walk(1, uuid, "", 1000).0, all);
    let absent = "indicator--00000000-0000-5000-8000-000000000000";
    assert_eq!(
        exchange.get(1, &format!("/taxii/root/collections/public/objects/{absent}/")).status,
        404
    );
    // Nothing new.
    let heard = exchange.walk(1, "public", &format!("&added_after={last}"), 1000).0;
    assert!(heard.is_empty(), "{heard:?}");
}

#[test]
fn only_what_changed_comes_again() {
    let exchange = Exchange::new();
    let first = exchange.create(0, &pulse("First pulse", &["a.example", "b.example"]));
    exchange.create(0, &pulse("Second pulse", &["c.example"]));
    let (_, last) = exchange.walk(1, "public", "", 1000);
    // One is added, one removed: the rest doesn't come again.
    let id = exchange
        .site
        .storage
        .read(|view| {
            let pulse = view
                .pulse(crate::exchange::accounts::Viewer::User(exchange.users[0]), &first)?
                .unwrap();
            Ok(view.indicators(pulse.key, &Default::default())?[0].id)
        })
        .unwrap();
    exchange.patch(0, first, &json!({"indicators": {"add": [{"type": "domain", "indicator": "d.example"}], "remove": [{"id": id}]}}));
    let (changed, last) = exchange.walk(1, "public", &format!("&added_after={last}"), 3);
    let patterns: BTreeMap<&str, bool> = of_kind(&changed, "indicator")
        .into_iter()
        .map(|of| (of["pattern"].as_str().unwrap(), of["revoked"] == true))
        .collect();
    assert_eq!(
        patterns,
        [("[domain-name:value = 'a.example']", true), ("[domain-name:value = 'd.example']", false)]
            .into()
    );
    assert_eq!(
        (of_kind(&changed, "relationship").len(), of_kind(&changed, "report").len()),
        (8, 1)
    );
    // Who comes new does not get what is gone.
    let (fresh, _) = exchange.walk(1, "public", "", 1000);
    assert!(fresh.iter().all(|object| object["revoked"] != true));
    // A family more: every indicator says so.
    exchange.patch(0, first, &json!({"malware_families": {"add": ["Trickbot"]}}));
    let (changed, _) = exchange.walk(1, "public", &format!("&added_after={last}"), 1000);
    assert_eq!(of_kind(&changed, "indicator").len(), 2);
    assert_eq!(of_kind(&changed, "relationship").len(), 2 * 5);
}

#[test]
fn what_somebody_subscribes_to_later_comes_too() {
    let exchange = Exchange::new();
    let first = exchange.create(0, &pulse("First pulse", &["a.example", "b.example"]));
    exchange.create(0, &pulse("Second pulse", &["c.example"]));
    let own = exchange.create(1, &pulse("Own pulse", &["d.example"]));
    let (all, last) = exchange.walk(1, "subscribed", "", 1000);
    assert_eq!(of_kind(&all, "indicator").len(), 1);
    // To a pulse, then to its author.
    let [alice, bob] = exchange.users;
    exchange
        .site
        .storage
        .write(move |writes| writes.subscribe(bob, &first, true).map(|_| ()))
        .unwrap();
    let after = format!("&added_after={last}");
    for limit in [1, 2, 3, 1000] {
        let (late, _) = exchange.walk_loosely(1, "subscribed", &after, limit);
        assert_eq!(of_kind(&late, "indicator").len(), 2, "{limit}");
        assert_eq!(
            (of_kind(&late, "relationship").len(), ids(&late).len()),
            (8, late.len()),
            "{limit}"
        );
    }
    exchange.site.storage.write(move |writes| writes.link_author(bob, alice, true)).unwrap();
    let (late, last) = exchange.walk_loosely(1, "subscribed", &after, 1000);
    assert_eq!(ids(&late).iter().filter(|id| id.starts_with("indicator")).count(), 3);
    // Afterwards only what is new.
    let after = format!("&added_after={last}");
    assert!(exchange.walk(1, "subscribed", &after, 1000).0.is_empty());
    exchange.patch(
        1,
        own,
        &json!({"indicators": {"add": [{"type": "domain", "indicator": "e.example"}]}}),
    );
    let (new, _) = exchange.walk(1, "subscribed", &after, 1000);
    assert_eq!(of_kind(&new, "indicator").len(), 1);
}

#[test]
fn nobody_sees_what_is_not_shared() {
    let exchange = Exchange::new();
    exchange.create(0, &pulse("Public pulse", &["public.example"]));
    let mut secret = pulse("Secret pulse", &["secret.example"]);
    secret["public"] = json!(false);
    exchange.create(0, &secret);
    for collection in ["public", "user_alice", "subscribed"] {
        let (all, _) = exchange.walk(1, collection, "", 1000);
        let text = json!(all).to_string();
        assert!(!text.contains("secret.example") && !text.contains("Secret"), "{collection}");
    }
    let (all, _) = exchange.walk(0, "user_alice", "", 1000);
    assert!(json!(all).to_string().contains("secret.example"));
    // Hidden and missing answer alike.
    for target in ["user_nobody/", "group_1/objects/", "00000000-0000-5000-8000-000000000000/"] {
        assert_eq!(
            exchange.get(1, &format!("/taxii/root/collections/{target}")).status,
            404,
            "{target}"
        );
    }
    let stranger =
        exchange.site.answer(&request(Method::Get, "/taxii2/", &[("accept", TAXII)], ""));
    let stranger = Got::of(stranger);
    assert_eq!(
        (stranger.status, &*stranger.headers["www-authenticate"]),
        (401, "Basic realm=\"TAXII\", charset=\"UTF-8\"")
    );
}

#[test]
fn what_is_sent_to_the_inbox_becomes_a_draft() {
    let exchange = Exchange::new();
    let objects = json!({"objects": [
        {"type": "report", "spec_version": "2.1", "id": "report--00000000-0000-4000-8000-000000000001", "name": "A report from elsewhere",
         "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"},
        {"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-000000000002", "pattern_type": "stix",
         "pattern": "[domain-name:value = 'sent.example'] OR [url:value = 'http://sent.example/x']",
         "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z"},
        {"type": "malware", "spec_version": "2.1", "id": "malware--00000000-0000-4000-8000-000000000003", "name": "Emotet", "is_family": true,
         "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"},
    ]}).to_string();
    let target = "/taxii/root/collections/inbox/objects/";
    for _ in 0..2 {
        let posted = Got::of(exchange.reply(0, Method::Post, target, &objects));
        assert_eq!(
            (posted.status, &posted.body["success_count"]),
            (202, &json!(3)),
            "{}",
            posted.body
        );
        let status = format!("/taxii/root/status/{}/", posted.body["id"].as_str().unwrap());
        assert_eq!(exchange.get(0, &status).body, posted.body);
        assert_eq!(exchange.get(1, &status).status, 404);
    }
    assert_eq!(exchange.get(0, target).ids().len(), 3);
    assert_eq!(exchange.get(1, target).ids().len(), 0);
    let viewer = crate::exchange::accounts::Viewer::User(exchange.users[0]);
    let pulses = exchange
        .site
        .storage
        .read(|view| {
            let query =
                crate::exchange::storage::PulseQuery::of(crate::exchange::storage::Selection::Own);
            let pulses = view.pulses(viewer, &query)?;
            let indicators = view.indicators(pulses[0].key, &Default::default())?;
            Ok((pulses, indicators))
        })
        .unwrap();
    let (pulses, indicators) = pulses;
    assert_eq!(pulses.len(), 1, "the second time nothing is new");
    assert_eq!((&*pulses[0].name, pulses[0].is_public), ("A report from elsewhere", false));
    assert_eq!(pulses[0].lists.malware_families, ["Emotet"]);
    let values: BTreeSet<&str> = indicators.iter().map(|of| &*of.norm).collect();
    assert_eq!(values, ["http://sent.example/x", "sent.example"].into());
    let deleted = exchange.reply(
        0,
        Method::Delete,
        &format!("{target}malware--00000000-0000-4000-8000-000000000003/"),
        "",
    );
    assert_eq!(deleted.status, 200);
    assert_eq!(exchange.get(0, target).ids().len(), 2);
}

#[test]
fn feeds_over_http() {
    let exchange = Exchange::new();
    let id = exchange.create(0, &pulse("First pulse", &["a.example", "b.example"]));
    let list = |who: usize, target: &str, headers: &[(&'static str, &str)]| {
        let key = &exchange.keys[who];
        let mut all = vec![("x-otx-api-key", key.as_str())];
        all.extend_from_slice(headers);
        let reply = exchange.site.answer(&request(Method::Get, target, &all, ""));
        let find = |name: &str| {
            reply.headers.iter().find(|(of, _)| *of == name).map(|(_, value)| value.clone())
        };
        let (status, tag, coding) =
            (reply.status, find("etag").unwrap_or_default(), find("content-encoding"));
        (status, tag, coding, reply.into_bytes().unwrap())
    };
    let (status, tag, _, body) = list(1, "/feeds/public/list", &[]);
    let text = String::from_utf8(body).unwrap();
    assert_eq!((status, &*text), (200, "# wiresift exchange\na.example\nb.example\n"));
    assert_eq!(list(1, "/feeds/public/list", &[("if-none-match", &tag)]).0, 304);
    let (_, packed_tag, coding, _) =
        list(1, "/feeds/public/list", &[("accept-encoding", "gzip, br")]);
    assert_eq!((coding.as_deref(), packed_tag == tag), (Some("gzip"), false));
    assert_eq!(
        list(
            1,
            "/feeds/public/list",
            &[("accept-encoding", "gzip"), ("if-none-match", &packed_tag)]
        )
        .0,
        304
    );
    // A change, and what it was.
    exchange.patch(
        0,
        id,
        &json!({"indicators": {"add": [{"type": "domain", "indicator": "c.example"}]}}),
    );
    let (status, new_tag, _, _) = list(1, "/feeds/public/list", &[("if-none-match", &tag)]);
    assert_eq!((status, new_tag == tag), (200, false));
    let since = format!("/feeds/public/list?since={}", tag.trim_matches('"'));
    let (status, _, _, body) = list(1, &since, &[]);
    assert_eq!((status, &*body), (200, &b"+c.example\n"[..]));
    assert_eq!(list(1, &format!("/feeds/public/list?since={}", "0".repeat(32)), &[]).0, 410);
    // Every format of every scope; hidden and missing alike.
    for format in crate::exchange::export::Format::ALL {
        for scope in
            ["public".to_string(), "subscribed".into(), "user/alice".into(), format!("pulse/{id}")]
        {
            let (status, tag, _, _) = list(1, &format!("/feeds/{scope}/{}", format.path()), &[]);
            assert_eq!((status, tag.is_empty()), (200, false), "{scope} {format:?}");
        }
    }
    for target in [
        "user/nobody/list",
        "group/1/list",
        "pulse/000000000000000000000000/list",
        "public/nonsense",
        "public/misp/x.json",
    ] {
        assert_eq!(list(1, &format!("/feeds/{target}"), &[]).0, 404, "{target}");
    }
    assert_eq!(list(1, "/feeds/public/list?types=nonsense", &[]).0, 400);
    assert_eq!(list(1, "/feeds/public/list?types=IPv4", &[]).3, b"# wiresift exchange\n");
    let (_, _, _, index) = list(1, "/feeds/public/misp/index.csv", &[]);
    let uuid = String::from_utf8(index[..36].to_vec()).unwrap();
    let (status, _, _, event) = list(1, &format!("/feeds/public/misp/{uuid}.json"), &[]);
    let event: Value = serde_json::from_slice(&event).unwrap();
    assert_eq!((status, &event["Event"]["uuid"]), (200, &json!(uuid)));
    assert_eq!(event["Event"]["Attribute"].as_array().unwrap().len(), 3);
}

#[test]
fn a_secret_in_the_path_reads_feeds_until_it_is_revoked() {
    let exchange = Exchange::new();
    exchange.create(0, &pulse("First pulse", &["a.example"]));
    let secret = Secret::new().unwrap();
    let (user, prefix, digest) = (exchange.users[1], secret.prefix().to_string(), secret.digest());
    let scopes = Scopes::of(&[crate::exchange::accounts::Scope::Feed]);
    let key = exchange
        .site
        .storage
        .write(move |writes| writes.add_key(user, ("fw", scopes), (&prefix, &digest)))
        .unwrap();
    let get = |secret: &str| {
        exchange
            .site
            .answer(&request(Method::Get, &format!("/feeds/key/{secret}/public/list"), &[], ""))
            .status
    };
    assert_eq!(get(secret.text()), 200);
    // A key that may do more is none for paths.
    assert_eq!(get(&exchange.keys[1]), 404);
    assert_eq!(get(&"0".repeat(64)), 404);
    exchange.site.storage.write(move |writes| writes.revoke_key(user, key)).unwrap();
    assert_eq!(get(secret.text()), 404);
}

#[test]
fn what_a_pulse_had_is_revoked_when_it_is_deleted() {
    let exchange = Exchange::new();
    let first = exchange.create(0, &pulse("First pulse", &["a.example", "b.example"]));
    exchange.create(0, &pulse("Second pulse", &["c.example"]));
    let (all, last) = exchange.walk(1, "public", "", 1000);
    let user = exchange.users[0];
    exchange.site.storage.write(move |writes| writes.delete_pulse(user, &first)).unwrap();
    for limit in [1, 4, 1000] {
        let (gone, _) = exchange.walk(1, "public", &format!("&added_after={last}"), limit);
        let kinds = |kind: &str| of_kind(&gone, kind).len();
        assert_eq!((kinds("indicator"), kinds("relationship"), kinds("report")), (2, 8, 1));
        assert_eq!((kinds("malware"), kinds("intrusion-set"), kinds("attack-pattern")), (2, 1, 1));
        for object in gone.iter().filter(|object| object["type"] != "identity") {
            assert_eq!(object["revoked"], true, "{object}");
            let before = all.iter().find(|of| of["id"] == object["id"]).expect("it was there");
            assert!(before["modified"].as_str() < object["modified"].as_str(), "{object}");
        }
        assert!(!json!(gone).to_string().contains("First pulse"));
    }
    // Who comes new, and whoever asks for one of them, does not get what is gone.
    let (fresh, _) = exchange.walk(1, "public", "", 1000);
    assert_eq!((of_kind(&fresh, "indicator").len(), of_kind(&fresh, "report").len()), (1, 1));
    let report = of_kind(&all, "report")[0]["id"].as_str().unwrap();
    let one = exchange.get(1, &format!("/taxii/root/collections/public/objects/{report}/"));
    assert_eq!(one.status, 404);
    // One that was never shared is not heard of now either.
    let mut hidden = pulse("Hidden pulse", &["hidden.example"]);
    hidden["public"] = json!(false);
    let hidden = exchange.create(0, &hidden);
    let (_, last) = exchange.walk(1, "public", &format!("&added_after={last}"), 1000);
    exchange.site.storage.write(move |writes| writes.delete_pulse(user, &hidden)).unwrap();
    let heard = exchange.walk(1, "public", &format!("&added_after={last}"), 1000).0;
    assert!(heard.is_empty(), "{heard:?}");
    let own = exchange.walk(0, "user_alice", &format!("&added_after={last}"), 1000).0;
    assert_eq!(of_kind(&own, "indicator").len(), 1, "its author had it");
}

#[test]
fn every_object_is_found_by_its_identifier() {
    let exchange = Exchange::new();
    for name in ["First pulse", "Second pulse", "Third pulse"] {
        exchange.create(0, &pulse(name, &["a.example", &name.to_lowercase().replace(' ', ".")]));
    }
    exchange.create(1, &pulse("Pulse of bob", &["a.example"]));
    let (all, _) = exchange.walk(1, "public", "", 1000);
    let one = |id: &str| exchange.get(1, &format!("/taxii/root/collections/public/objects/{id}/"));
    for object in &all {
        let id = object["id"].as_str().unwrap();
        let got = one(id);
        assert_eq!((got.status, &got.body["objects"]), (200, &json!([object])), "{id}");
        // Another object of the same pulse, which does not exist.
        let (head, end) = id.split_at(id.len() - 4);
        let other = format!("{head}{}", if end == "0000" { "0001" } else { "0000" });
        assert_eq!(one(&other).status, 404, "{other}");
    }
    let some: Vec<&str> = all.iter().step_by(7).map(|of| of["id"].as_str().unwrap()).collect();
    let (found, _) = exchange.walk(1, "public", &format!("&match[id]={}", some.join(",")), 2);
    let found: Vec<&str> = found.iter().map(|of| of["id"].as_str().unwrap()).collect();
    assert_eq!(found, some);
    for wrong in ["indicator--x", "--", "indicator", "report--5e2b0c8a914d4f63b73e1ad460c97215"] {
        assert_eq!(one(wrong).status, 404, "{wrong}");
    }
}
