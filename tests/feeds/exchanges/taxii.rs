//! The walk over a TAXII server: OASIS's own `medallion`, with real bundles, and a double for
//! what it does not support.

use super::python::python;
use super::{assert_no_secret, client, url, values, walk_with_crashes};
use crate::harness::document_store::{Memory, StillClock};
use crate::harness::server::{Reply, Server};
use crate::harness::{Dir, shared, skip};
use base64::Engine as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use wiresift::ErrorKind;
use wiresift::intel::feed::client::{DocumentStore, Exchange, taxii};
use wiresift::intel::feed::fetch::{Access, Url};
use wiresift::intel::feed::{Collected, Format, Options, read};

const NOW: &str = "2026-03-01T12:00:00Z";
const USER: &str = "admin";
const PASSWORD: &str = "Pa55word-of-medallion";
const FIRST: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
const SECOND: &str = "52892447-4d7e-4f70-b94d-d7f22742ff63";

fn exchange(server: Url, collections: &[&str]) -> Exchange {
    let collections = collections.iter().map(|name| name.to_string()).collect();
    Exchange::Taxii(taxii::Taxii { server, collections, added_after: None })
}

fn me() -> Access {
    Access::default().basic(USER, PASSWORD)
}

/// A running `medallion`.
struct Medallion {
    child: Child,
    port: u16,
    scheme: &'static str,
    _dir: Dir,
}

impl Drop for Medallion {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs medallion, over TLS with client certificates if there are any.
const RUN: &str = r#"
import ssl, sys
import medallion.scripts.run as run
tls = sys.argv.pop(1)
if tls != "-":
    plain = run.application_instance.run
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls + "/ca.pem")
    context.load_cert_chain(tls + "/server.pem", tls + "/server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    run.application_instance.run = lambda **how: plain(ssl_context=context, **how)
run.main()
"#;

impl Medallion {
    fn start(
        python: &Path,
        collections: &[(&str, &str, &[Value])],
        session: u32,
        tls: Option<&Path>,
    ) -> Medallion {
        let dir = Dir::new("medallion");
        let data = dir.create("data.json", data(collections).to_string());
        let config = json!({
            "backend": {"module": "medallion.backends.memory_backend",
                "module_class": "MemoryBackend", "filename": data, "session_timeout": session,
                "check_interval": 0.2},
            "users": {USER: PASSWORD},
            "taxii": {"max_page_size": 25},
        });
        let config = dir.create("conf.json", config.to_string());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let tls = tls.map_or("-", |path| path.to_str().unwrap());
        let child = Command::new(python)
            .args(["-c", RUN, tls, "--host", "127.0.0.1", "--port", &port.to_string()])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let scheme = if tls == "-" { "http" } else { "https" };
        let started = Medallion { child, port, scheme, _dir: dir };
        for _ in 0..1500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return started;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("medallion does not start");
    }

    fn url(&self, target: &str) -> Url {
        url(&format!("{}://127.0.0.1:{}{target}", self.scheme, self.port))
    }

    /// Adds objects to a collection, through medallion's own interface.
    fn post(&self, collection: &str, objects: &[Value]) {
        let body = json!({ "objects": objects }).to_string();
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let media = "application/taxii+json;version=2.1";
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "POST /trustgroup1/collections/{collection}/objects/ HTTP/1.1\r\nHost: h\r\n\
             Authorization: Basic {pair}\r\nAccept: {media}\r\nContent-Type: {media}\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 202 "), "{answer}");
    }
}

/// The data file of medallion: each object was added a millisecond after the one before.
fn data(collections: &[(&str, &str, &[Value])]) -> Value {
    let media = "application/stix+json;version=2.1";
    let collections: Vec<Value> = collections
        .iter()
        .map(|(id, title, objects)| {
            let manifest: Vec<Value> = objects
                .iter()
                .enumerate()
                .map(|(at, object)| {
                    let version = object.get("modified").or(object.get("created"));
                    let added = format!("2026-01-01T00:{:02}:{:02}.{:03}Z", at / 60_000, at / 1000, at % 1000);
                    json!({"id": object["id"], "date_added": added, "version": version, "media_type": media})
                })
                .collect();
            json!({"id": id, "title": title, "description": "", "can_read": true, "can_write": true,
                "media_types": [media], "objects": objects, "manifest": manifest})
        })
        .collect();
    json!({
        "/discovery": {"title": "t", "default": "/trustgroup1/", "api_roots": ["/trustgroup1/"]},
        "trustgroup1": {
            "information": {"title": "t", "versions": ["application/taxii+json;version=2.1"],
                "max_content_length": 9_765_625},
            "status": [], "collections": collections,
        },
    })
}

/// The objects of a real bundle.
fn bundle(test: &str, name: &str) -> Option<Vec<Value>> {
    let path = shared(test, &format!("data/feeds/{name}"))?;
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut text)
        .unwrap();
    let mut bundle: Value = serde_json::from_slice(&text).unwrap();
    Some(serde_json::from_value(bundle["objects"].take()).unwrap())
}

/// The kinds of each value, by the identifier of its indicator.
fn claims(found: &Collected) -> BTreeSet<String> {
    let claim = |indicator: &wiresift::engine::indicator::Indicator| {
        let context = &indicator.context;
        let names = |list: &[std::borrow::Cow<'static, str>]| {
            let mut list: Vec<String> = list.iter().map(|name| name.to_string()).collect();
            list.sort();
            list.join("+")
        };
        format!(
            "{:?} {} {} {} {} {:?} {}",
            context.id,
            indicator.value,
            names(&context.malware),
            names(&context.adversary),
            names(&context.attack),
            context.collection,
            context.inactive
        )
    };
    found.indicators.iter().map(claim).collect()
}

fn claims_of_objects(objects: &[Value]) -> BTreeSet<String> {
    let text = json!({"type": "bundle", "id": "bundle--x", "objects": objects}).to_string();
    let options = Options { format: Some(Format::Stix), ..Options::of_feed("x") };
    let mut found = Collected::default();
    read(text.as_bytes(), &options, &mut found).unwrap();
    claims(&found)
}

fn claims_of(exchange: &Exchange, store: &dyn DocumentStore) -> BTreeSet<String> {
    let mut found = Collected::default();
    exchange.read(store, &Options::of_feed("x"), &mut found).unwrap();
    claims(&found)
}

#[track_caller]
fn assert_same(have: &BTreeSet<String>, want: &BTreeSet<String>) {
    let missing: Vec<_> = want.difference(have).collect();
    let left: Vec<_> = have.difference(want).collect();
    assert!(missing.is_empty() && left.is_empty(), "missing {missing:#?}\nleft {left:#?}");
}

#[test]
fn medallion_with_real_bundles() {
    let test = "exchanges::taxii::medallion_with_real_bundles";
    let Some(python) = python(test, &["medallion"]) else { return };
    let Some(mut first) = bundle(test, "cti-examples/poisonivy.json.gz") else { return };
    first.extend(
        bundle(test, "amnesty-stix2/2024-05-02_wintego_helios_wintego_helios.stix2.gz").unwrap(),
    );
    let second = bundle(test, "cti-examples/apt1.json.gz").unwrap();
    let collections = [(FIRST, "Poison", &first[..]), (SECOND, "APT 1", &second[..])];
    let medallion = Medallion::start(&python, &collections, 30, None);
    let clock = StillClock::at(NOW);

    // All collections, found through discovery.
    let all = exchange(medallion.url("/taxii2/"), &[]);
    let client_of_all = client(&medallion.url("/"), me());
    let mut memory = Memory::default();
    let walked = all.walk(&client_of_all, &mut memory, &clock).unwrap();
    let want = claims_of_objects(&[&first[..], &second].concat());
    assert_same(&claims_of(&all, &memory), &want);
    assert!(want.len() > 200 && walked.put as usize > first.len() / 25, "{walked:?}");
    assert!(want.iter().any(|claim| claim.contains("PIVY")), "no malware of another page");
    // Twenty-one pages and four.
    assert!(memory.documents.len() < 16, "{:?}", memory.documents.keys());

    // Nothing new.
    let walked = all.walk(&client_of_all, &mut memory, &clock).unwrap();
    assert_eq!((walked.put, walked.requests), (0, 4));

    // One by its title, from the API root; the other is removed.
    let one = exchange(medallion.url("/trustgroup1/"), &["APT 1"]);
    one.walk(&client_of_all, &mut memory, &clock).unwrap();
    assert_same(&claims_of(&one, &memory), &claims_of_objects(&second));
    let error = exchange(medallion.url("/taxii2/"), &["APT 2"]);
    let error = error.walk(&client_of_all, &mut memory, &clock).unwrap_err().to_string();
    assert!(error.contains("no collection APT 2") && error.contains("Poison ("), "{error}");

    // A new indicator, a new version of one, and one that is revoked.
    let mut new = second.iter().find(|object| object["type"] == "indicator").unwrap().clone();
    new["id"] = json!("indicator--11111111-2222-4333-8444-555555555555");
    new["pattern"] = json!("[domain-name:value = 'new.example']");
    let mut changed = second.iter().filter(|o| o["type"] == "indicator").cloned();
    let (mut renewed, mut revoked) = (changed.next().unwrap(), changed.next().unwrap());
    renewed["pattern"] = json!("[domain-name:value = 'renewed.example']");
    revoked["revoked"] = json!(true);
    for object in [&mut renewed, &mut revoked] {
        object["modified"] = json!("2026-02-01T00:00:00.000Z");
    }
    medallion.post(SECOND, &[new.clone(), renewed.clone(), revoked.clone()]);
    let old = values(&one, &memory);
    let walked = one.walk(&client_of_all, &mut memory, &clock).unwrap();
    assert_eq!(walked.put, 1);
    let latest = [&second[..], &[new, renewed, revoked]].concat();
    assert_same(&claims_of(&one, &memory), &claims_of_objects(&latest));
    let now = values(&one, &memory);
    assert!(["new.example", "renewed.example"].iter().all(|v| now.contains(&v.to_string())));
    let gone: Vec<_> = old.iter().filter(|value| !now.contains(value)).collect();
    assert_eq!(gone.len(), 2, "{gone:?}");

    // A client with wrong credentials.
    let unknown_client =
        client(&medallion.url("/"), Access::default().basic(USER, "wr0ng-password"));
    let error = one.walk(&unknown_client, &mut memory, &clock).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_no_secret(&error, &["wr0ng-password", PASSWORD]);
}

/// A store that needs three seconds for its fourth page.
struct Slow {
    memory: Memory,
    pages: usize,
}

impl DocumentStore for Slow {
    fn put(&mut self, name: &str, bytes: &[u8]) -> wiresift::Result<()> {
        self.pages += 1;
        if self.pages == 4 {
            std::thread::sleep(Duration::from_secs(3));
        }
        self.memory.put(name, bytes)
    }

    fn remove(&mut self, name: &str) -> wiresift::Result<()> {
        self.memory.remove(name)
    }

    fn names(&self) -> wiresift::Result<Vec<String>> {
        self.memory.names()
    }

    fn get(&self, name: &str) -> wiresift::Result<Option<Vec<u8>>> {
        self.memory.get(name)
    }

    fn cursor(&self) -> Option<&str> {
        self.memory.cursor()
    }

    fn set_cursor(&mut self, cursor: &str) -> wiresift::Result<()> {
        self.memory.set_cursor(cursor)
    }
}

#[test]
fn medallion_forgets_where_we_were() {
    let test = "exchanges::taxii::medallion_forgets_where_we_were";
    let Some(python) = python(test, &["medallion"]) else { return };
    let Some(objects) =
        bundle(test, "amnesty-stix2/2024-05-02_wintego_helios_wintego_helios.stix2.gz")
    else {
        return;
    };
    let medallion = Medallion::start(&python, &[(FIRST, "C", &objects[..])], 1, None);
    let exchange = exchange(medallion.url("/taxii2/"), &[FIRST]);
    let client = client(&medallion.url("/"), me());
    let clock = StillClock::at(NOW);
    // The server's tokens expire after a second.
    let mut slow = Slow { memory: Memory::default(), pages: 0 };
    let walked = exchange.walk(&client, &mut slow, &clock).unwrap();
    assert_same(&claims_of(&exchange, &slow.memory), &claims_of_objects(&objects));
    // It continued after the last page, whose last object was returned again.
    assert_eq!((walked.put, walked.retries), (15, 1));
    // The server returns each page once: one returned before a crash is not returned again.
    let (crashes, memory) =
        walk_with_crashes(&exchange, &client, Memory::default(), &clock, |tries| 5 + tries % 7);
    assert!(crashes > 2);
    assert_same(&claims_of(&exchange, &memory), &claims_of_objects(&objects));
}

/// A certificate authority, and what it signed, created with the openssl command.
fn certificates(test: &str, dir: &Dir) -> Option<PathBuf> {
    let lines = [
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 30 \
         -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem \
         -days 30 -extfile names",
        "req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=client",
        "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out client.pem \
         -days 30 -extfile uses",
    ];
    dir.create("names", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
    dir.create("uses", "extendedKeyUsage=clientAuth\n");
    for line in lines {
        let output = Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => {}
            other => {
                skip(test, &format!("openssl {line}: {other:?}"));
                return None;
            }
        }
    }
    Some(dir.path().to_path_buf())
}

#[test]
fn medallion_over_tls_requires_a_client_certificate() {
    let test = "exchanges::taxii::medallion_over_tls_requires_a_client_certificate";
    let Some(python) = python(test, &["medallion"]) else { return };
    let Some(objects) = bundle(test, "cti-examples/apt1.json.gz") else { return };
    let dir = Dir::new("tls");
    let Some(tls) = certificates(test, &dir) else { return };
    let medallion = Medallion::start(&python, &[(FIRST, "C", &objects[..])], 30, Some(&tls));
    let exchange = exchange(medallion.url("/taxii2/"), &[]);
    let clock = StillClock::at(NOW);
    let file = |name: &str| tls.join(name);
    let certificate = Some((file("client.pem"), file("client.key")));
    let roots = Some(file("ca.pem"));
    let walk = |access: Access| {
        let mut memory = Memory::default();
        let walked = exchange.walk(&client(&medallion.url("/"), access), &mut memory, &clock);
        walked.map(|_| memory)
    };
    let memory = walk(Access { certificate: certificate.clone(), roots: roots.clone(), ..me() });
    assert_same(&claims_of(&exchange, &memory.unwrap()), &claims_of_objects(&objects));
    // A server with an untrusted certificate, and a client without one.
    let error = walk(Access { certificate, ..me() }).unwrap_err();
    assert!(error.to_string().contains("not issued by a trusted authority"), "{error}");
    let error = walk(Access { roots, ..me() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert_no_secret(&error, &[PASSWORD]);
}

fn indicator(number: usize) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "pattern_type": "stix",
        "id": format!("indicator--{number:08}-0000-4000-8000-000000000000"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "valid_from": "2026-01-01T00:00:00Z",
        "pattern": format!("[domain-name:value = 't{number}.example']"),
    })
}

/// A server with ten objects per page and `more` without `next`: the walk continues by time.
#[test]
fn a_server_without_next_is_walked_by_its_times() {
    // Three at a time were added in the same second.
    let added = |number: usize| format!("2026-01-01T00:00:{:02}Z", number / 3);
    let server = Server::start(move |asked| match asked.path() {
        "/api/" => Reply::json(json!({"title": "r", "versions": []}).to_string()),
        "/api/collections/" => Reply::json(
            json!({"collections": [
                {"id": "c", "title": "C", "can_read": true},
                {"id": "w", "title": "W", "can_read": false},
                {"id": "../x", "title": "X"}]})
            .to_string(),
        ),
        "/api/collections/c/objects/" => {
            let after = asked.query("added_after").unwrap_or_default();
            let time = |text: &str| wiresift::engine::indicator::Timestamp::parse(text);
            let left: Vec<usize> = (0..95).filter(|n| time(&added(*n)) > time(&after)).collect();
            let page = &left[..left.len().min(10)];
            let objects: Vec<Value> = page.iter().map(|n| indicator(*n)).collect();
            if objects.is_empty() {
                return Reply::json("{}");
            }
            let body = json!({"more": left.len() > page.len(), "objects": objects}).to_string();
            let headers = [
                ("X-TAXII-Date-Added-First", added(page[0])),
                ("X-TAXII-Date-Added-Last", added(*page.last().unwrap())),
            ];
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, &**v)).collect();
            Reply::new(200, &headers, body)
        }
        _ => Reply::status(404),
    });
    let root = url(&server.url("/api/"));
    let client = client(&root, Access::default().bearer("t0ken-of-the-feed"));
    let all = exchange(root.clone(), &[]);
    let clock = StillClock::at(NOW);
    let mut memory = Memory::default();
    all.walk(&client, &mut memory, &clock).unwrap();
    assert_eq!(values(&all, &memory).len(), 95);
    let walked = all.walk(&client, &mut memory, &clock).unwrap();
    assert_eq!(walked.put, 0);
    let asked = server.asked();
    assert!(asked.iter().all(|a| a.header("authorization") == Some("Bearer t0ken-of-the-feed")));
    assert!(asked.iter().all(|a| a.header("accept") == Some("application/taxii+json;version=2.1")));
    let error = exchange(root, &["W"]).walk(&client, &mut memory, &clock).unwrap_err();
    assert!(error.to_string().contains("W cannot be read"), "{error}");
}

/// Pages of years, and an object that changes with each.
#[test]
fn pages_do_not_pile_up() {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let version = std::sync::Arc::clone(&count);
    let server = Server::start(move |asked| match asked.path() {
        "/api/" => Reply::json(r#"{"title":"r","versions":[]}"#),
        "/api/collections/" => Reply::json(r#"{"collections":[{"id":"c","title":"C"}]}"#),
        _ => {
            let at = version.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut same = indicator(0);
            same["modified"] = json!(format!("2026-02-01T{:02}:{:02}:00.000Z", at / 60, at % 60));
            same["pattern"] = json!(format!("[domain-name:value = 'v{at}.example']"));
            same["revoked"] = json!(at == 299);
            let last = format!("2026-02-01T{:02}:{:02}:00Z", at / 60, at % 60);
            let objects = [same, indicator(1 + at / 100)];
            Reply::new(
                200,
                &[("X-TAXII-Date-Added-Last", &last)],
                json!({"objects": objects}).to_string(),
            )
        }
    });
    let root = url(&server.url("/api"));
    let client = client(&root, Access::default());
    let all = exchange(root, &[]);
    let clock = StillClock::at(NOW);
    let mut memory = Memory::default();
    for at in 0..300 {
        all.walk(&client, &mut memory, &clock).unwrap();
        if at == 298 {
            assert_eq!(
                values(&all, &memory),
                ["t1.example", "t2.example", "t3.example", "v298.example"]
            );
        }
    }
    assert_eq!(values(&all, &memory), ["t1.example", "t2.example", "t3.example"]);
    let sizes: BTreeMap<&String, usize> =
        memory.documents.iter().map(|(name, bytes)| (name, bytes.len())).collect();
    assert!(sizes.len() < 45 && sizes.values().sum::<usize>() < 40_000, "{sizes:#?}");
}
