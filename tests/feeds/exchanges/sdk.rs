//! The official SDK of OTX against our double: its results must be those that it would get from
//! the real server.

use super::double::{Double, KEY, id, indicator, pulse};
use super::python::python;
use crate::harness::{Dir, shared};
use serde_json::{Value, json};
use std::io::Read;
use std::process::{Command, Stdio};

/// Prints what the SDK got as JSON.
const SCRIPT: &str = r#"
import datetime, json, sys
from OTXv2 import OTXv2, OTXv2Cached, InvalidAPIKey, NotFound, IndicatorTypes
server, key, cache = sys.argv[1:4]
otx = OTXv2(key, server=server)
ids = lambda pulses: sorted(pulse["id"] for pulse in pulses)
got = {}
everything = otx.getall()
got["all"] = ids(everything)
got["iter"] = ids(otx.getall_iter())
got["some"] = len(otx.getall(max_items=7, iter=False))
got["since"] = ids(otx.getsince("2026-02-01T00:00:00"))
got["author"] = ids(otx.getall(author_name="author3"))
got["indicators"] = sorted({i["indicator"] for p in everything for i in p["indicators"]})
got["hostnames"] = len(list(otx.get_all_indicators(indicator_types=[IndicatorTypes.HOSTNAME])))
one = got["since"][0]
got["details"] = otx.get_pulse_details(one)["id"]
got["active"] = len(otx.get_pulse_indicators(one))
got["inactive"] = len(otx.get_pulse_indicators(one, include_inactive=True))
start = datetime.datetime(2026, 1, 1)
otx.unsubscribe_from_pulse(one)
otx.subscribe_to_pulse(one)
otx.subscribe_to_user("nobody")
otx.unsubscribe_from_user("nobody")
got["events"] = [[e["action"], e["object_type"], e["object_id"]] for e in otx.getevents_since(start)]
try:
    otx.get_pulse_details("f" * 24)
except NotFound:
    got["missing"] = True
try:
    OTXv2("wrong", server=server).getall()
except InvalidAPIKey:
    got["refused"] = True
cached = OTXv2Cached(key, server=server, cache_dir=cache)
cached.update()
first = ids(cached.getall())
other = first[0]
otx.unsubscribe_from_pulse(other)
cached.update()
got["cached"] = [first == got["all"], ids(cached.getall()) == [i for i in first if i != other]]
otx.delete_pulse(one)
got["deleted"] = one not in ids(otx.getall())
json.dump(got, sys.stdout)
"#;

#[test]
fn the_official_sdk_accepts_the_double() {
    let test = "exchanges::sdk::the_official_sdk_finds_the_double_faithful";
    let Some(python) = python(test, &["OTXv2", "six"]) else { return };
    let mut pulses: Vec<Value> = (0..130)
        .map(|n| pulse(n, &format!("2026-01-{:02}T00:00:{:02}", 1 + n / 60, n % 60), 3))
        .collect();
    let mut new = pulse(200, "2026-02-01T00:00:00", 2);
    new["indicators"].as_array_mut().unwrap().push(indicator(200, 5));
    new["indicators"][2]["is_active"] = json!(0);
    pulses.push(new);
    if let Some(real) = shared(test, "data/feeds/otx/otx_pulses_60.json.gz") {
        let mut text = String::new();
        let packed = std::fs::File::open(real).unwrap();
        flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
        pulses.extend(serde_json::from_str::<Vec<Value>>(&text).unwrap());
    }
    let ids_of = |keep: &dyn Fn(&Value) -> bool| {
        let mut ids: Vec<String> = pulses.iter().filter(|pulse| keep(pulse)).map(id).collect();
        ids.sort();
        ids
    };
    let every: Vec<&Value> =
        pulses.iter().flat_map(|pulse| pulse["indicators"].as_array().unwrap()).collect();
    let mut values: Vec<&str> = every.iter().map(|i| i["indicator"].as_str().unwrap()).collect();
    values.sort_unstable();
    values.dedup();
    let hostnames = every.iter().filter(|indicator| indicator["type"] == "hostname").count();

    let double = Double::start("2026-03-01T00:00:00Z", pulses.clone());
    // The SDK requests events since its last update, by its own clock.
    double.hook(|account, _| {
        #[expect(clippy::disallowed_methods, reason = "another process has the same clock")]
        let now = jiff::Timestamp::now();
        account.now.0 = now.as_microsecond();
        None
    });
    let dir = Dir::new("otx-sdk");
    let output = Command::new(python)
        .args(["-c", SCRIPT, &double.server.url(""), KEY, dir.path().to_str().unwrap()])
        .stdin(Stdio::null())
        .env("no_proxy", "127.0.0.1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let got: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(got["all"], json!(ids_of(&|_| true)));
    assert_eq!(got["iter"], got["all"]);
    assert_eq!(got["some"], 7);
    let new = format!("{:024x}", 200);
    assert_eq!(got["since"], json!([new]));
    assert_eq!(got["author"], json!(ids_of(&|pulse| pulse["author_name"] == "author3")));
    let mut found: Vec<&str> =
        got["indicators"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, values);
    assert_eq!(got["hostnames"], hostnames);
    assert_eq!(
        (&got["details"], &got["active"], &got["inactive"]),
        (&json!(new), &json!(2), &json!(3))
    );
    let events = json!([
        ["unsubscribe", "pulse", new],
        ["subscribe", "pulse", new],
        ["subscribe", "user", "nobody"],
        ["unsubscribe", "user", "nobody"],
    ]);
    assert_eq!(got["events"], events);
    assert_eq!((&got["missing"], &got["refused"]), (&json!(true), &json!(true)));
    assert_eq!((&got["cached"], &got["deleted"]), (&json!([true, true]), &json!(true)));
}
