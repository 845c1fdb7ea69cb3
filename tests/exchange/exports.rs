//! Exports, read by the programs that they are for.

use super::running::Running;
use crate::feeds::exchanges::python::python;
use crate::harness::document_store::{Memory, StillClock};
use crate::harness::{Dir, missing};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use wiresift::intel::feed::client::{Exchange, misp};
use wiresift::intel::feed::fetch::{Access, Caps, Client, Url};
use wiresift::intel::feed::{Collected, Options, read};

/// Names that an exchange lets people give to pulses, and that break out of some grammar.
const HOSTILE: &[&str] = &[
    "plain pulse",
    "x\"; sid:1; content:\"|00|\"; reference:url,evil.example;",
    "x\\;\\\"\\",
    "=cmd|' /C calc'!A0",
    "@SUM(A1:A9)*cmd",
    "]]></Content><IndicatorItem>&amp;<!--",
    "unrelated.example CNAME . ; $INCLUDE /etc/passwd",
    "$(id) `id` %s%n {{7*7}} {\"a\":1}",
    "LOKI IPsum [Adblock] #fields indicator indicator_type",
    "ünïcödé 名前 😀",
];

/// One pulse for each name, each with values of its own.
fn exchange() -> Running {
    let exchange = Running::start(&["alice", "bob"]);
    for (number, name) in HOSTILE.iter().enumerate() {
        exchange.create("alice", &json!({
            "name": name, "description": name, "TLP": "green", "public": true, "adversary": name,
            "tags": [name], "malware_families": [name], "attack_ids": ["T1059"], "references": [name],
            "indicators": [
                {"type": "domain", "indicator": format!("evil-{number}.example"), "title": name, "description": name},
                {"type": "hostname", "indicator": format!("www.bad-{number}.example")},
                {"type": "IPv4", "indicator": format!("203.0.113.{number}")},
                {"type": "IPv6", "indicator": format!("2001:db8::{number:x}")},
                {"type": "CIDR", "indicator": format!("198.51.{number}.0/24")},
                {"type": "URL", "indicator": format!("http://evil-{number}.example:8080/a;b\"c|d\\e?x={number}")},
                {"type": "URI", "indicator": format!("/gate/{number}.php")},
                {"type": "email", "indicator": format!("guy{number}@evil.example")},
                {"type": "FileHash-MD5", "indicator": format!("{number:032x}").replace('0', "a")},
                {"type": "FileHash-SHA1", "indicator": format!("{number:040x}").replace('0', "b")},
                {"type": "FileHash-SHA256", "indicator": format!("{number:064x}").replace('0', "c")},
                {"type": "FilePath", "indicator": format!("C:\\x41\\It's {number}\\evil.exe")},
                {"type": "Mutex", "indicator": format!("Global\\'m,{number}")},
                {"type": "CVE", "indicator": format!("CVE-2024-{:04}", 1000 + number)},
                {"type": "YARA", "indicator": format!("rule{number}"), "content": format!("rule r{number} {{ strings: $a = \"<&>\" condition: $a }}")},
            ],
        }));
    }
    exchange
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    text
}

/// Whether a program is there; without it the test is skipped, with a message.
fn has(test: &str, program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let is_there = path.split(':').any(|folder| Path::new(folder).join(program).is_file());
    if !is_there {
        missing(test, &format!("{program} is not installed"));
    }
    is_there
}

#[test]
fn pymisp_makes_the_same_manifest_and_hashes() {
    let test = "exchange::exports::pymisp_makes_the_same_manifest_and_hashes";
    let Some(python) = python(test, &["pymisp"]) else { return };
    let exchange = exchange();
    let dir = Dir::new("misp");
    let manifest = exchange.fetch("bob", "/feeds/public/misp/manifest.json");
    let hashes = exchange.fetch("bob", "/feeds/public/misp/hashes.csv");
    let parsed: BTreeMap<String, Value> = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(parsed.len(), HOSTILE.len());
    for uuid in parsed.keys() {
        let event = exchange.fetch("bob", &format!("/feeds/public/misp/{uuid}.json"));
        dir.create(&format!("feed/{uuid}.json"), event);
    }
    let script = "import sys; from pathlib import Path; from pymisp.tools.feed import feed_meta_generator; feed_meta_generator(Path(sys.argv[1]))";
    run(Command::new(&python).args(["-c", script]).arg(dir.path().join("feed")));
    let theirs = std::fs::read(dir.path().join("feed/manifest.json")).unwrap();
    let theirs: BTreeMap<String, Value> = serde_json::from_slice(&theirs).unwrap();
    assert_eq!(theirs, parsed);
    let lines = |bytes: &[u8]| -> Vec<String> {
        let mut lines: Vec<String> =
            String::from_utf8_lossy(bytes).lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    let theirs = std::fs::read(dir.path().join("feed/hashes.csv")).unwrap();
    assert_eq!(lines(&theirs), lines(&hashes));
    // Our own client walks it, over HTTP.
    let home = Url::parse(&format!("{}/feeds/public/misp/", exchange.url)).unwrap().0;
    let key = exchange.key("bob");
    let client = Client::new(&home, Access::default().basic("bob", key), Caps::default()).unwrap();
    let feed = Exchange::Misp(misp::Misp::Feed(home));
    let mut memory = Memory::default();
    feed.walk(&client, &mut memory, &StillClock::at("2026-12-01T00:00:00Z")).unwrap();
    let mut found = Collected::default();
    feed.read(&memory, &Options::of_feed("x"), &mut found).unwrap();
    let names: BTreeSet<String> = found
        .indicators
        .iter()
        .filter_map(|of| of.context.collection.as_deref().map(str::to_string))
        .collect();
    assert_eq!(names, HOSTILE.iter().map(|name| name.to_string()).collect());
    assert!(found.indicators.iter().any(|of| of.value.to_string() == "evil-3.example"));
}

#[test]
fn the_bundle_is_valid_stix() {
    let test = "exchange::exports::the_bundle_is_valid_stix";
    let Some(python) = python(test, &["stix2", "stix2-validator"]) else { return };
    let exchange = exchange();
    let dir = Dir::new("stix");
    let bundle = dir.create("bundle.json", exchange.fetch("bob", "/feeds/public/stix"));
    let script = r"
import json, sys
import stix2
from stix2validator import validate_file, ValidationOptions
path = sys.argv[1]
# Their lists of paths know nothing about JA3 and the like.
results = validate_file(path, ValidationOptions(version='2.1', disabled='all'))
assert results.is_valid, [str(e) for r in results.object_results for e in r.errors]
bundle = stix2.parse(open(path), allow_custom=True)
kinds = {}
for thing in bundle.objects:
    kinds[thing['type']] = kinds.get(thing['type'], 0) + 1
print(json.dumps(kinds))
";
    let text = run(Command::new(&python).args(["-c", script]).arg(bundle));
    let kinds: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let count = HOSTILE.len();
    assert_eq!(
        kinds,
        json!({"identity": 1, "malware": count, "intrusion-set": count, "attack-pattern": count,
            "indicator": count * 14, "relationship": count * 14 * 3, "vulnerability": count, "report": count})
    );
}

#[test]
fn openioc_is_xml_and_pymisp_reads_it() {
    let test = "exchange::exports::openioc_is_xml_and_pymisp_reads_it";
    let Some(python) = python(test, &["pymisp", "beautifulsoup4"]) else { return };
    let exchange = exchange();
    let dir = Dir::new("openioc");
    let file = dir.create("x.ioc", exchange.fetch("bob", "/feeds/public/openioc"));
    let script = r"
import json, sys, xml.etree.ElementTree as tree
from pymisp.tools.openioc import load_openioc_file
root = tree.parse(sys.argv[1]).getroot()
ns = '{http://openioc.org/schemas/OpenIOC_1.1}'
assert root.tag == ns + 'OpenIOC', root.tag
values = [c.text for c in root.iter(ns + 'Content')]
names = [i.get('node-context') for i in root.iter(ns + 'Indicator')][1:]
event = load_openioc_file(sys.argv[1])
print(json.dumps([values, names, [[a.type, a.value] for a in event.attributes]]))
";
    let text = run(Command::new(&python).args(["-c", script]).arg(file));
    let found: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let texts = |list: &Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_string()).collect()
    };
    assert_eq!(texts(&found[1]), HOSTILE.iter().map(|name| name.to_string()).collect());
    let values = texts(&found[0]);
    assert!(values.contains("C:\\x41\\It's 3\\evil.exe") && values.contains("evil-9.example"));
    assert_eq!(values.len(), HOSTILE.len() * 14);
    let attributes = found[2].as_array().unwrap();
    for of in [
        json!(["domain", "evil-3.example"]),
        json!(["ip-dst", "203.0.113.3"]),
        json!(["email-dst", "guy3@evil.example"]),
    ] {
        assert!(attributes.contains(&of), "{of}");
    }
}

/// A resolver with a policy zone.
struct Unbound(Child);

impl Drop for Unbound {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a resolver denies a name; `None` without an answer.
fn is_denied(port: u16, name: &str) -> Option<bool> {
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).unwrap());
        question.extend(label.as_bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.send_to(&question, ("127.0.0.1", port)).unwrap();
    let mut answer = [0; 1500];
    let (length, _) = socket.recv_from(&mut answer).ok()?;
    // NXDOMAIN.
    (length > 12).then_some(answer[3] & 15 == 3)
}

#[test]
fn resolvers_load_the_policy_zone() {
    let test = "exchange::exports::resolvers_load_the_policy_zone";
    if !has(test, "named-checkzone") || !has(test, "unbound") {
        return;
    }
    let exchange = exchange();
    let dir = Dir::new("rpz");
    let zone = dir.create("zone", exchange.fetch("bob", "/feeds/public/rpz"));
    let text = run(Command::new("named-checkzone").args(["-i", "none", "rpz.example"]).arg(&zone));
    assert!(text.ends_with("OK\n"), "{text}");
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let here = dir.path().display();
    let config = dir.create("unbound.conf", format!(
        "server:\n directory: \"{here}\"\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n use-syslog: no\n \
         interface: 127.0.0.1@{port}\n module-config: \"respip iterator\"\n do-daemonize: no\n \
         auth-zone:\n name: example.\n zonefile: \"{here}/example\"\n for-downstream: no\n\
         rpz:\n name: rpz.example\n zonefile: \"{here}/zone\"\nremote-control:\n control-enable: no\n"
    ));
    // Every other name has an address.
    dir.create(
        "example",
        "$ORIGIN example.\n@ 300 SOA ns root 1 3600 600 86400 300\n@ 300 NS ns\nns 300 A 192.0.2.1\n\
         * 300 A 192.0.2.1\n",
    );
    run(Command::new("/usr/sbin/unbound-checkconf").arg(&config));
    let child = Command::new("/usr/sbin/unbound")
        .arg("-c")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _unbound = Unbound(child);
    let mut answer = None;
    for _ in 0..40 {
        answer = is_denied(port, "evil-3.example");
        if answer.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    assert_eq!(answer, Some(true), "evil-3.example");
    for (name, want) in [
        ("a.b.evil-9.example", true),
        ("www.bad-0.example", true),
        ("a.www.bad-0.example", false),
        ("bad-0.example", false),
        ("unrelated.example", false),
    ] {
        assert_eq!(is_denied(port, name), Some(want), "{name}");
    }
}

#[test]
fn firewalls_load_the_sets() {
    let test = "exchange::exports::firewalls_load_the_sets";
    if !has(test, "nft") || !has(test, "unshare") {
        return;
    }
    let exchange = exchange();
    let dir = Dir::new("nft");
    let file = dir.create("sets", exchange.fetch("bob", "/feeds/public/nftables"));
    // In a network namespace of its own.
    run(Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "nft", "-c", "-f"])
        .arg(file));
}

/// Every value of some kinds that the pulses have, by our own reader of OTX's API.
fn all_values(exchange: &Running) -> BTreeSet<String> {
    let pulses = exchange.fetch("alice", "/api/v1/pulses/my?limit=50");
    let mut found = Collected::default();
    read(&pulses, &Options::of_feed("x"), &mut found).unwrap();
    found.indicators.iter().map(|of| of.value.to_string()).collect()
}

#[test]
fn wiresift_compiles_every_export() {
    let exchange = exchange();
    let dir = Dir::new("compile");
    let all = all_values(&exchange);
    assert!(all.len() > HOSTILE.len() * 14, "{}", all.len());
    for (path, name) in [
        ("list", "lines"),
        ("hosts", "hosts"),
        ("squid", "squid"),
        ("csv", "csv"),
        ("spreadsheet", "csv"),
        ("stix", "stix"),
        ("zeek", "zeek"),
        ("suricata/names", "dataset"),
        ("suricata/addresses", "iprep"),
        ("suricata/sha256", "lines"),
        ("rpz", "rpz"),
    ] {
        let bytes = exchange.fetch("bob", &format!("/feeds/public/{path}"));
        let file = path.replace('/', "-");
        dir.create(&file, &bytes);
        // Without being asked, it knows what it is.
        let compiled = dir.command().args(["compile", "-o", "x.wsdb", &file]).run();
        assert_eq!(compiled.code, crate::harness::Code::Exit(0), "{path}: {}", compiled.report());
        let mut found = Collected::default();
        let summary = read(&bytes, &Options::of_feed("x"), &mut found).unwrap();
        assert_eq!(summary.format.name(), name, "{path}");
        for of in &found.indicators {
            let value = of.value.to_string();
            let is_known = all.contains(&value)
                || all.iter().any(|known| {
                    known.ends_with(&format!("//{value}")) || value.ends_with(known.as_str())
                })
                || value.starts_with("rule ");
            assert!(
                is_known || path == "stix" || path == "csv" || path == "spreadsheet",
                "{path}: {value}"
            );
        }
        assert!(found.indicators.len() >= HOSTILE.len(), "{path}: {}", found.indicators.len());
    }
    // Its own database needs no compilation.
    dir.create("own.wsdb", exchange.fetch("bob", "/feeds/public/database"));
    dir.create("log", "client asked for a.evil-4.example\n");
    let scanned = dir.command().args(["scan", "--db", "own.wsdb", "log"]).run();
    assert!(scanned.text().contains("evil-4.example"), "{}", scanned.report());
}

#[test]
fn a_feed_of_wiresift_follows_an_export() {
    let exchange = exchange();
    let dir = Dir::new("feed");
    let secret = exchange.add_key(
        "bob",
        wiresift::exchange::accounts::Scopes::of(&[wiresift::exchange::accounts::Scope::Feed]),
    );
    let url = format!("{}/feeds/key/{secret}/public/list", exchange.url);
    dir.create("wiresift.toml", format!("[[feed]]\nname = \"x\"\nurl = \"{url}\"\n"));
    let updated = dir.command().args(["feed", "update", "--compile"]).run();
    assert_eq!(updated.code, crate::harness::Code::Exit(0), "{}", updated.report());
    let looked = dir.command().args(["lookup", "--db", "wiresift.wsdb", "a.evil-4.example"]).run();
    assert!(looked.text().contains("evil-4.example"), "{}", looked.report());
}
