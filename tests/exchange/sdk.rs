//! The official SDK of OTX against the exchange.

use super::process::{Exchange, account, operate};
use crate::feeds::exchanges::python::python;
use crate::harness::Dir;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// Uses what the SDK has, and prints what it got as JSON.
const SCRIPT: &str = r#"
import datetime, io, json, sys, time
from OTXv2 import OTXv2, OTXv2Cached, InvalidAPIKey, BadRequest, NotFound, IndicatorTypes
server, a, b, cache = sys.argv[1:5]
alice, bob = OTXv2(a, server=server), OTXv2(b, server=server)
got = {}
def fails(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind:
        return True
    return False
checked = alice.validate_indicator(IndicatorTypes.DOMAIN, "Evil.Example")
got["validated"] = [checked["status"], checked["validation"]]
got["known good"] = [v["source"] for v in alice.validate_indicator(IndicatorTypes.IPv4, "8.8.8.8")["validation"]]
got["bare label"] = fails(BadRequest, alice.validate_indicator, IndicatorTypes.DOMAIN, "label")
made = alice.create_pulse(name="First pulse", public=True, tags=["one"], group_ids=[7], TLP="green",
    malware_families=["X"], indicators=[checked, {"indicator": "198.51.100.7", "type": "IPv4"},
    {"indicator": "evil.example", "type": "domain"}, {"indicator": "http://evil.example/a?b=c", "type": "URL"}])
one = made["id"]
got["made"] = [made["name"], made["TLP"], made["public"], made["group_ids"], made["malware_families"],
    len(made["indicators"]), made["revision"]]
got["refused"] = [
    fails(BadRequest, alice.create_pulse, name="abc"),
    fails(BadRequest, alice.create_pulse, name="Red and public", TLP="red", public=True),
    fails(BadRequest, alice.create_pulse, name="Foreign group", group_ids=[8]),
    fails(BadRequest, alice.create_pulse, name="Bad value", indicators=[{"indicator": "x", "type": "IPv4"}]),
    fails(InvalidAPIKey, OTXv2("f" * 64, server=server).getall),
    fails(NotFound, bob.get_pulse_details, "f" * 24),
]
got["before"] = [p["name"] for p in bob.getall()]
bob.subscribe_to_user("alice")
got["subscribed"] = [p["name"] for p in bob.getall()]
got["inline"] = sorted(i["indicator"] for p in bob.getall() for i in p["indicators"])
got["types"] = sorted(i["type"] for i in bob.get_all_indicators(indicator_types=[IndicatorTypes.DOMAIN, IndicatorTypes.URL]))
private = alice.create_pulse(name="Private pulse", public=False, TLP="amber")["id"]
got["hidden"] = [p["name"] for p in bob.getall()] + [fails(NotFound, bob.get_pulse_details, private)]
edited = alice.edit_pulse(one, {"description": "new", "tags": {"add": ["two"], "remove": ["one"]}})
got["edited"] = [edited["description"], edited["tags"], edited["revision"]]
got["not mine"] = fails(InvalidAPIKey, bob.edit_pulse, one, {"description": "bad"})
alice.replace_pulse_indicators(one, [{"indicator": "new.example", "type": "hostname"}])
got["active"] = [i["indicator"] for i in bob.get_pulse_indicators(one)]
got["inactive"] = len(bob.get_pulse_indicators(one, include_inactive=True))
got["search"] = [len(bob.search_pulses("first")["results"]), len(bob.search_pulses("new.example")["results"]),
    bob.search_pulses("new.example")["exact_match"], len(bob.search_pulses("nothing like it")["results"])]
got["users"] = [u["username"] for u in bob.search_users("ali")["results"]]
details = bob.get_indicator_details_full(IndicatorTypes.URL, "http://evil.example/a?b=c")
got["about a url"] = [details["general"]["indicator"], details["general"]["pulse_info"]["count"], details["general"]["hostname"]]
got["unknown"] = bob.get_indicator_details_by_section(IndicatorTypes.IPv4, "203.0.113.9", "general")["pulse_info"]["count"]
cached = OTXv2Cached(b, server=server, cache_dir=cache)
cached.update()
two = alice.create_pulse(name="Second pulse", public=True, indicators=[{"indicator": "two.example", "type": "domain"}])["id"]
alice.delete_pulse(one)
cached.update()
got["cached"] = [p["name"] for p in cached.getall(author_name="alice")]
got["deleted"] = fails(NotFound, bob.get_pulse_details, one)
copy = bob.clone_pulse(two, new_name="Copied pulse")
got["copied"] = [copy["detail"], bob.get_pulse_details(copy["id"])["cloned_from"] == two]
got["mine"] = [p["name"] for p in bob.get_my_pulses()]
bob.unsubscribe_from_pulse(two)
got["unsubscribed"] = [p["name"] for p in bob.getall(author_name="alice")]
bob.unsubscribe_from_user("alice")
events = bob.getevents_since(datetime.datetime(2020, 1, 1))
got["events"] = sorted([e["action"], e["object_type"]] for e in events)
got["followed"] = [alice.follow_user("bob"), alice.get_user("bob")["request_user_is_following"]]
got["submitted"] = [bob.submit_url(url="http://x.example/1"), bob.submit_file(filename="a.txt", file_handle=io.BytesIO(b"abc"))["sha256"],
    bob.submitted_urls()[0]["url"], bob.submitted_files()[0]["file_name"]]
got["mended"] = len(bob.getall(limit=1))
json.dump(got, sys.stdout)
"#;

/// What it must get.
fn wanted() -> Value {
    json!({
        "validated": ["success", []],
        "known good": ["whitelist"],
        "bare label": true,
        "made": ["First pulse", "green", true, [7], ["X"], 3, 1],
        "refused": [true, true, true, true, true, true],
        "before": [],
        "subscribed": ["First pulse"],
        "inline": ["198.51.100.7", "Evil.Example", "http://evil.example/a?b=c"],
        "types": ["URL", "domain"],
        "hidden": ["First pulse", true],
        "edited": ["new", ["two"], 2],
        "not mine": true,
        "active": ["new.example"],
        "inactive": 4,
        "search": [1, 1, "/indicator/hostname/new.example", 0],
        "users": ["alice"],
        "about a url": ["http://evil.example/a?b=c", 1, "evil.example"],
        "unknown": 0,
        "cached": ["Second pulse"],
        "deleted": true,
        "copied": ["clone successful.", true],
        "mine": ["Copied pulse"],
        "unsubscribed": [],
        "events": [["subscribe", "group"], ["subscribe", "user"], ["unsubscribe", "pulse"], ["unsubscribe", "user"]],
        "followed": [{"status": "followed"}, true],
        "submitted": [
            {"result": "added", "status": "ok"},
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "http://x.example/1",
            "a.txt",
        ],
        "mended": 1,
    })
}

#[test]
fn the_official_sdk_works_unchanged() {
    let test = "exchange::sdk::the_official_sdk_works_unchanged";
    let Some(python) = python(test, &["OTXv2", "six"]) else { return };
    let dir = Dir::new("exchange-sdk");
    let server = Exchange::start(&dir, &[]);
    let (alice, bob) = (account(&dir, "alice", "trusted"), account(&dir, "bob", "trusted"));
    operate(&dir, &["group", "add", "Seven", "--owner", "alice", "--id", "7"]);
    operate(&dir, &["group", "add", "Eight", "--owner", "bob", "--id", "8"]);
    let output = Command::new(python)
        .args(["-c", SCRIPT, &format!("http://{}", server.address), &alice, &bob])
        .arg(dir.path().join("cache"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let got: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (name, want) in wanted().as_object().unwrap() {
        assert_eq!(got[name], *want, "{name}");
    }
    assert!(server.stop());
}
