//! Nobody learns anything of a pulse that is not theirs to see: over all routes of the server,
//! taken from its table, so that a new one cannot be forgotten.
//!
//! Each route is called twice: about what is hidden, and about what does not exist. The two
//! answers must be the same, but for the names in the question; and nothing that is only in the
//! hidden pulse may be in either.

use super::inside::{Inside, Told};
use serde_json::json;
use wiresift::exchange::accounts::{Rank, Role};
use wiresift::exchange::http::Method;
use wiresift::exchange::serve;

/// What is only in the hidden pulse. Each is as long as the one that does not exist.
const SECRETS: [(&str, &str); 6] = [
    ("zqhidden.example", "zqabsent.example"),
    ("Zqhidden", "Zqabsent"),
    ("zqhidden", "zqabsent"),
    ("198.51.100.77", "198.51.100.78"),
    // As pages show it.
    ("198[.]51[.]100[.]77", "198[.]51[.]100[.]78"),
    ("ZQHIDDEN", "ZQABSENT"),
];

/// A site with a hidden pulse in a group, and one that everybody with an account sees.
struct Scene {
    inside: Inside,
    hidden: String,
    absent: String,
    group: i64,
    keys: Vec<(&'static str, String)>,
    alice: String,
}

fn scene(anonymous_read: bool) -> Scene {
    let inside = Inside::new(|settings| settings.anonymous_read = anonymous_read);
    let (alice, alice_key) = inside.account("alice", Role::Member);
    let (carol, carol_key) = inside.account("carol", Role::Member);
    let (_, bob_key) = inside.account("bob", Role::Member);
    let group = inside.group("Zqhidden", alice, &[(carol, Rank::Read)]);
    let open = json!({
        "name": "Open pulse", "public": true, "tags": ["open"],
        "indicators": [{"indicator": "open.example", "type": "domain"}],
    });
    inside.create(&alice_key, &open);
    let hidden = inside.create(
        &alice_key,
        &json!({
            "name": "Zqhidden pulse", "description": "zqhidden", "public": false, "TLP": "amber",
            "tags": ["zqhidden"], "adversary": "zqhidden", "malware_families": ["zqhidden"],
            "references": ["http://zqhidden.example/"], "group_ids": [group.0],
            "indicators": [
                {"indicator": "zqhidden.example", "type": "domain", "title": "zqhidden"},
                {"indicator": "http://zqhidden.example/x", "type": "URL"},
                {"indicator": "198.51.100.77", "type": "IPv4"},
                {"indicator": "open.example", "type": "domain", "title": "zqhidden"},
            ],
        }),
    );
    // Whoever is subscribed to the author gets no hint either.
    assert_eq!(inside.get("/api/v1/users/alice/subscribe", &bob_key).status, 200);
    let talk = format!("/api/v2/pulses/{hidden}/comments");
    let said = inside.ask(Method::Post, &talk, &carol_key, r#"{"text": "zqhidden @bob"}"#);
    assert_eq!(said.status, 201, "{}", said.body);
    let absent = "6b0d6827f00df00df00df00d".to_string();
    let keys = vec![("bob", bob_key), ("a stranger", String::new())];
    Scene { inside, hidden, absent, group: group.0, keys, alice: alice_key }
}

/// The requests that a route is called with: with what is hidden in each place where it fits.
fn targets(path: &str, scene: &Scene) -> Vec<String> {
    let group = scene.group.to_string();
    let choices = |name: &str| -> Vec<String> {
        let of = |list: &[&str]| list.iter().map(|text| (*text).to_string()).collect();
        match name {
            "id" | "pulse" | "oid" | "cid" => vec![scene.hidden.clone()],
            "name" => of(&["alice", "zqhidden"]),
            "gid" | "group" => vec![group.clone()],
            "slug" => of(&["domain", "IPv4", "url", "hostname", "ip"]),
            "section" => of(&["general", "url_list"]),
            "value*" => of(&[
                "zqhidden.example/general",
                "zqhidden.example/url_list",
                "198.51.100.77",
                "open.example/general",
                "open.example/url_list",
                "http://zqhidden.example/x/general",
                "zqhidden.example/false_positive",
                "zqhidden.example/vote",
                "zqhidden.example/votes",
            ]),
            "format*" => of(&[
                "csv",
                "list",
                "spreadsheet",
                "hosts",
                "misp/manifest.json",
                "misp/hashes.csv",
                "openioc",
                "stix",
                "zeek",
                "rpz",
                "suricata",
                "domain.txt",
                "database",
            ]),
            "root" => of(&["root"]),
            "number" => of(&["1"]),
            "feed*" => vec!["public/csv".to_string(), format!("pulse/{}/csv", scene.hidden)],
            _ => of(&["zqhidden", "1"]),
        }
    };
    let mut all = vec![String::new()];
    for part in path.split('/') {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let parts = name.map_or_else(|| vec![part.to_string()], choices);
        all = all
            .iter()
            .flat_map(|head| parts.iter().map(move |part| format!("{head}/{part}")))
            .collect();
    }
    let queries = [
        String::new(),
        "q=zqhidden".into(),
        "q=zqhidden.example".into(),
        "q=198.51.100.77".into(),
        "author_name=alice".into(),
        "adversary=zqhidden&malware_family=zqhidden&tag=zqhidden".into(),
        format!("pulse_id={}", scene.hidden),
        "types=domain,IPv4&include_inactive=1".into(),
        "malware_family=zqhidden".into(),
    ];
    all.iter()
        .flat_map(|target| {
            queries.iter().map(move |query| match query.is_empty() {
                true => target.clone(),
                false => format!("{target}?{query}"),
            })
        })
        .collect()
}

/// Bodies that name what is hidden.
fn bodies(scene: &Scene) -> [String; 5] {
    [
        String::new(),
        json!({"values": ["zqhidden.example", "198.51.100.77", "open.example"]}).to_string(),
        json!({
            "reason": "zqhidden", "text": "zqhidden", "vote": 1, "rank": "read",
            "patch": {"description": "zqhidden"}, "description": "zqhidden",
        })
        .to_string(),
        json!({"name": "z", "pulse_id": scene.hidden, "group_ids": [scene.group]}).to_string(),
        json!({"indicator": "zqhidden.example", "contact": "me", "reason": "zqhidden"}).to_string(),
    ]
}

/// With what does not exist in the place of what is hidden.
fn without(text: &str, scene: &Scene) -> String {
    let mut text = text.replace(&scene.hidden, &scene.absent);
    for (hidden, absent) in SECRETS {
        text = text.replace(hidden, absent);
    }
    let group = scene.group.to_string();
    text.replace(&format!("/{group}/"), &format!("/{}/", scene.group + 1000))
        .replace(&format!("[{group}]"), &format!("[{}]", scene.group + 1000))
}

/// An answer without the names of the question, and without what differs from call to call.
fn normal(told: Told, scene: &Scene) -> (u16, String) {
    let mut body = without(&told.body, scene);
    if let Some(at) = body.find("\"key\":") {
        body.truncate(at);
    }
    (told.status, body)
}

#[test]
fn hidden_and_missing_answer_alike_everywhere() {
    for anonymous_read in [false, true] {
        let scene = scene(anonymous_read);
        let routes = serve::routes(&scene.inside.site.settings);
        assert!(routes.len() > 70, "{}", routes.len());
        let mut asked = 0;
        for route in &routes {
            for &method in route.methods {
                for target in targets(route.path, &scene) {
                    for body in bodies(&scene) {
                        if method == Method::Get && !body.is_empty() {
                            continue;
                        }
                        compare(&scene, (method, &target), &body);
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 2000, "{asked}");
        // All that was refused changed nothing.
        let told = scene.inside.get(&format!("/api/v1/pulses/{}", scene.hidden), &scene.alice);
        assert_eq!((told.status, &told.json()["revision"]), (200, &json!(1)), "{}", told.body);
    }
}

fn compare(scene: &Scene, (method, target): (Method, &str), body: &str) {
    for (who, key) in &scene.keys {
        let told = scene.inside.ask(method, target, key, body);
        let absent = without(target, scene);
        let other = scene.inside.ask(method, &absent, key, &without(body, scene));
        let what = format!("{} {target} {body} as {who}", method.name());
        assert!(told.status < 500, "{what}: {}", told.body);
        assert_no_secret(&told.body, target, body, &what);
        assert_eq!(normal(told, scene), normal(other, scene), "{what}");
    }
}

/// Nothing of the hidden pulse is in an answer, but what the question itself said.
fn assert_no_secret(answer: &str, target: &str, body: &str, what: &str) {
    for (secret, _) in SECRETS {
        let secret_as_asked = secret.replace("[.]", ".");
        let is_echo = target.contains(&secret_as_asked) || body.contains(&secret_as_asked);
        assert!(is_echo || !answer.contains(secret), "{what}: {answer}");
    }
}

/// The same questions of those who may see it find it: the test above is not blind.
#[test]
fn its_author_and_its_group_see_it() {
    let scene = scene(false);
    let count = |target: &str| scene.inside.get(target, &scene.alice).json()["count"].clone();
    assert_eq!(count("/api/v1/search/pulses?q=zqhidden"), 1);
    assert_eq!(count("/api/v1/search/pulses?q=zqhidden.example"), 1);
    assert_eq!(count("/api/v1/pulses/related?malware_family=zqhidden"), 1);
    let about = scene.inside.get("/api/v1/indicators/domain/open.example/general", &scene.alice);
    assert_eq!(about.json()["pulse_info"]["count"], 2);
    let bob = &scene.keys[0].1;
    let about = scene.inside.get("/api/v1/indicators/domain/open.example/general", bob);
    assert_eq!(about.json()["pulse_info"]["count"], 1);
    let user = scene.inside.get("/api/v1/users/alice", bob).json();
    assert_eq!((&user["pulse_count"], &user["indicator_count"]), (&json!(1), &json!(1)));
}

/// Who loses access is told that the pulse is gone, and finds it nowhere.
#[test]
fn narrowing_ejects_subscribers() {
    let inside = Inside::new(|_| {});
    let (_, alice) = inside.account("alice", Role::Member);
    let (_, bob) = inside.account("bob", Role::Member);
    let pulse = inside.create(&alice, &json!({"name": "Zqhidden pulse", "public": true}));
    let target = format!("/api/v1/pulses/{pulse}");
    assert_eq!(inside.get(&format!("{target}/subscribe"), &bob).status, 200);
    let feed = |key: &str| inside.get("/api/v1/pulses/subscribed", key).json()["count"].clone();
    assert_eq!(feed(&bob), 1);
    let body = json!({"TLP": "amber", "public": false}).to_string();
    assert_eq!(inside.ask(Method::Patch, &target, &alice, &body).status, 200);
    assert_eq!(feed(&bob), 0);
    assert_eq!(inside.get(&target, &bob).status, 404);
    let events = inside.get("/api/v1/pulses/events", &bob).json();
    let last = events["results"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["action"], &last["object_id"]), (&json!("unsubscribe"), &json!(pulse)));
}
